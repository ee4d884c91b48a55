//! A nation's registry, made for benches: 100,000 profiles, 1,000 of which endorse others, 1,000,000
//! endorsements, and 10,173 status lists of 131,072 entries each (1.33 billion), all given out and 2 %
//! of them revoked. What it is made of is a function of the seed; in which order the log tells of the
//! lists is not, since several threads make them.

mod documents;
pub(crate) mod lists;
pub(crate) mod people;
pub(crate) mod plan;
mod progress;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use goodstanding::entropy::{Entropy, SeededEntropy};
use goodstanding::registry::{Actor, Change, Registry, Settings, TokenFor};
use goodstanding::store::engine::Engine as _;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::time::{ManualClock, Timestamp, Ttl};
use goodstanding::vc::keys::MasterKey;

pub(crate) use lists::{LENGTH, LISTS, List};

/// The origin in every id.
pub(crate) const ORIGIN: &str = "https://registry.example";

/// What the registry of a data folder was made from, so that it is made anew only where it has to be.
const MADE_FROM: &str = "made-from";

/// A nation to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nation {
    pub(crate) seed: u64,
    /// When everything is registered, endorsed, revoked and signed.
    pub(crate) then: Timestamp,
    /// How many lists there are.
    pub(crate) lists: u32,
    /// Whether there are all the profiles and endorsements, or only who owns the lists.
    pub(crate) people: bool,
}

/// A nation in a data folder that a server can be started on.
pub(crate) struct Made {
    /// An operator's token.
    pub(crate) token: String,
    pub(crate) lists: Vec<List>,
    /// Bytes of all files of the store.
    pub(crate) bytes: u64,
}

impl Nation {
    /// Makes it in `folder`, which a server can be started on afterwards: settings, master key, store,
    /// anchor, and an operator's token.
    pub(crate) fn settle(&self, folder: &Path) -> Made {
        fs::create_dir_all(folder).expect("the folder can be written");
        let settings = format!("public_url = {ORIGIN:?}\n");
        fs::write(folder.join("goodstanding.toml"), settings).expect("the folder can be written");
        let master = folder.join("master.key");
        fs::write(&master, master_key().to_text().as_bytes()).expect("the folder can be written");
        fs::set_permissions(&master, Permissions::from_mode(0o600)).expect("it was just made");
        let started = Instant::now();
        let (engine, registry) = open(folder, self.then, self.seed);
        if self.people {
            people::fill(&engine, &registry, self.seed, self.then);
        } else {
            lists::owners(&registry, self.lists);
        }
        let lists = lists::fill(&registry, self.seed, self.lists);
        let made = registry
            .make_token(
                &Change::by(Actor::operator()),
                &TokenFor::OPERATOR,
                Ttl::from_seconds(90 * 24 * 3600),
            )
            .expect("the operator makes tokens");
        let token = made.token.to_string();
        // As it will be once it has come to rest, whenever that is.
        engine
            .purge(&[(vec![0], vec![0xff])])
            .expect("the disk takes it");
        drop((engine, registry));
        println!("made in {:.0} s", started.elapsed().as_secs_f64());
        let made = Made {
            token,
            lists,
            bytes: bytes_of(&Place::within(folder, [7; 16]).store),
        };
        let text = made.to_text(self);
        fs::write(folder.join(MADE_FROM), text).expect("the folder can be written");
        made
    }

    /// The one that is in `folder` already, where it is this one and was made within the last days, so that
    /// its lists still hold.
    pub(crate) fn found(&self, folder: &Path) -> Option<Made> {
        const FRESH_MILLIS: i64 = 2 * 24 * 3_600_000;
        let text = fs::read_to_string(folder.join(MADE_FROM)).ok()?;
        let mut lines = text.lines();
        let (of, then) = (lines.next()?, lines.next()?);
        let age = self.then.millis() - then.parse::<i64>().ok()?;
        if of != self.name() || !(0..FRESH_MILLIS).contains(&age) {
            return None;
        }
        let token = lines.next()?.to_owned();
        let lists: Option<Vec<List>> = lines.map(List::from_line).collect();
        Some(Made {
            token,
            lists: lists?,
            bytes: bytes_of(&Place::within(folder, [7; 16]).store),
        })
    }

    fn name(&self) -> String {
        let Self {
            seed,
            lists,
            people,
            ..
        } = self;
        let format = goodstanding::store::format::FORMAT;
        format!("seed {seed}, {lists} lists, people {people}, store format {format}")
    }
}

impl Made {
    fn to_text(&self, of: &Nation) -> String {
        let head = format!("{}\n{}\n{}\n", of.name(), of.then.millis(), self.token);
        let lists = self.lists.iter().map(|list| list.to_line() + "\n");
        head + &lists.collect::<String>()
    }
}

/// Opens the registry of a data folder, at a moment that does not pass.
pub(crate) fn open(folder: &Path, at: Timestamp, seed: u64) -> (Arc<RocksEngine>, Arc<Registry>) {
    let clock = Arc::new(ManualClock::new(at));
    let place = Place::within(folder, [7; 16]);
    let engine = RocksEngine::open(&place, clock.clone()).expect("the folder is ours");
    let engine = Arc::new(engine);
    let entropy = Arc::new(lists::Streams::new(seed));
    let settings = Settings {
        publish_before_acknowledging: false,
        ..Settings::usual(ORIGIN)
    };
    let opened = Registry::open(engine.clone(), clock, entropy, master_key(), settings);
    (engine, Arc::new(opened.expect("the store is ours")))
}

/// The same for all nations: there is nothing to keep secret.
pub(crate) fn master_key() -> MasterKey {
    let entropy: &dyn Entropy = &SeededEntropy::new(0);
    MasterKey::generate(entropy)
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_of(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("it is there");
    let files = files.filter_map(|file| file.ok()?.metadata().ok());
    files.map(|file| file.len()).sum()
}
