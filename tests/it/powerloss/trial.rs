//! A data folder that goes through one power cut after the other.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::caller::Caller;
use super::checks::{Checks, State, state};
use super::clients::{BOARD, Client, ISSUER, Registry, known, reads, rotates, uuid};
use super::cut::cut;
use super::disk::{Disk, Folder, Names, found, set_mode};
use super::facts::{Facts, ORIGIN, path};
use super::journal;
use super::tally::Tally;
use crate::process::program::{program, run};
use crate::process::server::Server;
use crate::support::dice::Dice;

/// What a disk does with syncs, as `POWERLOSS_LIES` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lies(pub(super) &'static str);

pub(super) const HONEST: Lies = Lies("");

/// How long clients go on at most, where a machine is so busy that few answers come.
const LOAD: Duration = Duration::from_secs(2);

/// Why a trial ended before its time.
#[derive(Debug)]
pub(super) enum Ending {
    /// A server says that it is ready, and something acknowledged is gone, or worse.
    Silent(Vec<String>),
    /// A server came up, said why it takes no changes, and these were gone.
    Noticed { why: String, gone: Vec<String> },
    /// A server did not come up, and said this.
    Refused(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(gone) => write!(f, "ready, and gone:\n  {}", gone.join("\n  ")),
            Self::Noticed { why, gone } => write!(f, "{why}\n  {}", gone.join("\n  ")),
            Self::Refused(why) => write!(f, "does not come up: {why}"),
        }
    }
}

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Killed,
    InOrder,
}

pub(super) struct Trial<'a> {
    library: &'a Path,
    home: TempDir,
    dice: Dice,
    lies: Lies,
    token: String,
    facts: Mutex<Facts>,
    processes: usize,
    /// The issuer's id and its two lists, once they are there.
    scene: Option<[String; 3]>,
    tally: &'a Mutex<Tally>,
}

impl<'a> Trial<'a> {
    /// A folder that was prepared, and whose power was cut right after that.
    pub(super) fn begin(library: &'a Path, seed: u64, lies: Lies, tally: &'a Mutex<Tally>) -> Self {
        let mut trial = Self {
            library,
            home: TempDir::new().unwrap(),
            dice: Dice::new(seed),
            lies,
            token: String::new(),
            facts: Mutex::default(),
            processes: 0,
            scene: None,
            tally,
        };
        tally.lock().unwrap().folders += 1;
        fs::create_dir(trial.root()).unwrap();
        let disk = trial.disk();
        let mut command = trial.command(HONEST, &["init", "--public-url", ORIGIN, "--json"]);
        let done = run(&mut command, "").exits(0).json();
        trial.token = done["token"].as_str().unwrap().to_owned();
        trial.cut(disk);
        trial
    }

    /// What is on the disk that the power is cut of.
    fn root(&self) -> PathBuf {
        fs::canonicalize(self.home.path()).unwrap().join("disk")
    }

    fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    fn journal(&self) -> PathBuf {
        self.home.path().join("journal")
    }

    /// The folder as it is: what a cut has left is durable.
    fn disk(&mut self) -> Disk {
        let names = match self.dice.chance(50) {
            true => Names::ByTheirFolder,
            false => Names::ByAnySync,
        };
        Disk::holding(&self.root(), names)
    }

    /// The program under the library.
    fn command(&mut self, lies: Lies, args: &[&str]) -> Command {
        self.processes += 1;
        let mut command = program();
        command.args(args).arg("--data").arg(self.data());
        let pause = *self.dice.pick(&["0", "100", "300", "1000"]);
        let delay = *self.dice.pick(&["0", "5", "50", "60000"]);
        command
            .env("LD_PRELOAD", self.library)
            .env("POWERLOSS_ROOT", self.root())
            .env("POWERLOSS_JOURNAL", self.journal())
            .env("POWERLOSS_SYNC_MICROSECONDS", pause)
            .env("POWERLOSS_LIES", lies.0)
            .env("GOODSTANDING_LISTS__PUBLISH_DELAY_MS", delay)
            // The smallest there is, so that files are written out within a run.
            .env("GOODSTANDING_STORE__WRITE_BUFFER_BYTES", "65536");
        command
    }

    fn serving(&mut self, lies: Lies) -> Command {
        self.command(lies, &["serve", "--listen", "127.0.0.1:0"])
    }

    /// Cuts the power of a process that has ended: leaves of the folder what was durable before, or
    /// became so, and of the rest what chance leaves.
    fn cut(&mut self, mut disk: Disk) {
        disk.take(journal::read(&self.journal()));
        let _ = fs::remove_file(self.journal());
        let folder = self.root();
        let damage = cut(&disk, &mut self.dice, &folder);
        self.tally.lock().unwrap().cut(&damage);
    }

    fn kept_as_damaged(&self) -> PathBuf {
        self.data().join("store.damaged")
    }

    /// Starts, checks what was acknowledged before, lets clients change things, and cuts the power.
    pub(super) fn goes_on(&mut self) -> Result<(), Ending> {
        // Of an earlier start: whether this one keeps something is counted.
        let _ = fs::remove_dir_all(self.kept_as_damaged());
        if self.scene.is_some() && self.dice.chance(15) {
            self.cut_while_starting();
            return Ok(());
        }
        // One that was provided is not exchanged for another: a rotation may have begun with it.
        if self.dice.chance(15) && !self.next_master_key().exists() {
            self.provide_next_master_key();
        }
        let lies = match self.scene {
            None => HONEST,
            Some(_) => self.lies,
        };
        let disk = self.disk();
        let mut server = self.up(lies)?;
        let registry = self.checked(&server)?;
        self.load(&registry, &mut server, Stop::Killed);
        self.cut(disk);
        Ok(())
    }

    /// Starts and checks once more, without a cut.
    pub(super) fn ends(&mut self) -> Result<(), Ending> {
        let server = self.up(HONEST)?;
        self.checked(&server).map(drop)
    }

    /// A run that ends in order: the folder by the record, and the folder as it is.
    pub(super) fn is_recorded(&mut self) -> (Folder, Folder) {
        self.provide_next_master_key();
        let mut disk = self.disk();
        let mut server = self.up(HONEST).unwrap();
        let registry = self.checked(&server).unwrap();
        self.load(&registry, &mut server, Stop::InOrder);
        server.ended().in_order();
        disk.take(journal::read(&self.journal()));
        fs::remove_file(self.journal()).unwrap();
        (disk.everything(), found(&self.root()))
    }

    fn cut_while_starting(&mut self) {
        let disk = self.disk();
        let lies = self.lies;
        let mut command = self.serving(lies);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = quiet.spawn().expect("the program was built with the tests");
        let wait = self.dice.below(250_000);
        thread::sleep(Duration::from_micros(
            wait.try_into().expect("a small number"),
        ));
        process.kill().expect("the process can be killed");
        process.wait().expect("a killed process ends");
        self.tally.lock().unwrap().at_start += 1;
        self.cut(disk);
    }

    fn up(&mut self, lies: Lies) -> Result<Server, Ending> {
        let mut command = self.serving(lies);
        let up = Server::try_start(&mut command).map_err(|ended| Ending::Refused(ended.err))?;
        if self.kept_as_damaged().exists() {
            self.tally.lock().unwrap().read_up_to_damage += 1;
        }
        Ok(up)
    }

    /// Everything that was acknowledged is there. Sets the scene where there is none yet.
    fn checked(&mut self, server: &Server) -> Result<Registry, Ending> {
        let caller = Caller::new(server.url(), &self.token);
        let state = state(&caller);
        if self.scene.is_none() && state == State::Ready {
            self.scene = Some(set_scene(&caller, &mut self.facts.lock().unwrap()));
        }
        let [issuer, revocations, suspensions] = self.scene.clone().unwrap_or_default();
        let registry = Registry {
            caller,
            revocations,
            suspensions,
            issuer,
        };
        let mut facts = self.facts.lock().unwrap();
        let open = facts.open.len();
        let wrong = Checks::new(&registry, &mut facts, &mut self.dice).run(&state);
        drop(facts);
        match state {
            State::ReadOnly(why) => Err(Ending::Noticed { why, gone: wrong }),
            State::Ready if wrong.is_empty() => {
                self.tally.lock().unwrap().settled += open;
                Ok(registry)
            }
            State::Ready => Err(Ending::Silent(wrong)),
        }
    }

    /// Clients and a reader, until the server is killed after so many answers.
    fn load(&mut self, registry: &Registry, server: &mut Server, stop: Stop) {
        let clients = 2 + self.dice.below(5);
        let most = *self.dice.pick(&[5, 60, 250]);
        let answers = 1 + self.dice.below(most);
        let rotating = self.next_master_key().exists() && self.dice.chance(70);
        let mut seeds: Vec<u64> = (0..clients + 1).map(|_| draw(&mut self.dice)).collect();
        let rotation = seeds.pop().expect("one more than clients");
        let pause = draw(&mut self.dice) % 4_000;
        let (facts, over) = (&self.facts, &AtomicBool::new(false));
        let before = known(facts).answered.len();
        let (tell, told) = mpsc::channel();
        // All of them before the first begins, so that each has a share of the same things.
        let clients: Vec<Client<'_>> = (0..clients)
            .zip(seeds)
            .map(|(number, seed)| Client::new(registry, facts, Dice::new(seed), (number, clients)))
            .collect();
        thread::scope(|scope| {
            for client in clients {
                let tell = tell.clone();
                scope.spawn(move || client.run(&tell));
            }
            drop(tell);
            scope.spawn(move || reads(registry, facts, over));
            if rotating {
                scope.spawn(move || rotates(registry, facts, &mut Dice::new(rotation)));
            }
            let deadline = Instant::now() + LOAD;
            for _ in 0..answers {
                let left = deadline.saturating_duration_since(Instant::now());
                if told.recv_timeout(left).is_err() {
                    break;
                }
            }
            // Not right behind an answer only.
            thread::sleep(Duration::from_micros(pause));
            match stop {
                Stop::Killed => server.kill(),
                Stop::InOrder => server.terminate(),
            }
            over.store(true, Ordering::Relaxed);
        });
        let made = known(&self.facts).answered.len() - before;
        self.tally.lock().unwrap().acknowledged += made;
    }

    fn next_master_key(&self) -> PathBuf {
        self.data().join("master.key.next")
    }

    /// As its operator would, long before the power is cut.
    fn provide_next_master_key(&mut self) {
        let key = [uuid(&mut self.dice), uuid(&mut self.dice)].concat();
        let next = self.next_master_key();
        fs::write(&next, key.replace('-', "")).unwrap();
        set_mode(&next, 0o600);
    }

    /// Where the folder is kept, for whoever looks into what went wrong.
    pub(super) fn keep(self) -> PathBuf {
        self.home.keep()
    }
}

fn draw(dice: &mut Dice) -> u64 {
    u64::try_from(dice.below(usize::MAX)).expect("it fits")
}

/// An issuer, an accreditor, and two lists over the same indexes.
fn set_scene(caller: &Caller, facts: &mut Facts) -> [String; 3] {
    let mut post = |to: &str, body: Value| {
        let answer = caller.post(to, &body, None).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["id"].clone();
        facts.made.push(path(&id));
        id.as_str().unwrap().to_owned()
    };
    let profile = |slug, role| json!({ "slug": slug, "name": slug, "roles": [role] });
    let issuer = post("/profiles", profile(ISSUER, "issuer"));
    post("/profiles", profile(BOARD, "accreditor"));
    let revocations = json!({ "issuer": ISSUER, "statusPurpose": "revocation" });
    let revocations = post("/status-lists", revocations);
    let suspensions = json!({
        "issuer": ISSUER, "statusPurpose": "suspension", "pairedWith": revocations,
    });
    let suspensions = post("/status-lists", suspensions);
    let here = |id: String| path(&Value::from(id));
    [issuer, here(revocations), here(suspensions)]
}
