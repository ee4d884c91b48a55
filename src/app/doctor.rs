//! What `goodstanding doctor` finds in a data folder: each thing is looked at by itself, without a write.

mod machine;

use std::path::Path;
use std::sync::Arc;

use super::engines::open_engine_as;
use super::master_key;
use super::{SystemClock, SystemEntropy, publishing_first};
use crate::cli::{DoctorArgs, Finding, Health};
use crate::config::{Config, EngineChoice, Overrides};
use crate::registry::{MasterKeys as _, Registry, WhyTaken, note_why_taken, opens_secrets};
use crate::store::engine::{Decision, Read, Stopped, StoreError};
use crate::store::examine::{AnchorSays, Stand};
use crate::store::rocks::closed::{Closed, is_in_use};
use crate::store::rocks::space::free_bytes;
use crate::store::tables::{DIRTY_LISTS, SETTINGS};
use crate::time::Clock as _;

/// Hears how far it has come: how many of how many, and of what.
type Progress<'a> = dyn FnMut(u64, Option<u64>, &str) + 'a;

/// Examines the folder, and where that is asked for takes its store as it is found first.
pub fn examine(args: DoctorArgs, progress: &mut Progress<'_>) -> Result<Vec<Finding>, String> {
    super::process::keep_to_itself()?;
    let config = Config::load(&Overrides {
        file: args.config.clone(),
        data: args.data,
        ..Overrides::default()
    })
    .map_err(|error| error.to_string())?;
    if config.store.engine == EngineChoice::Memory {
        return Err("store.engine is \"memory\", which leaves nothing to examine".into());
    }
    let mut findings = Vec::new();
    if config.store.engine == EngineChoice::Postgres {
        findings.push(shared(&config));
    }
    let store = config.store_folder();
    if !store.join("CURRENT").exists() {
        findings.extend(no_store(&config));
        return Ok(findings);
    }
    if is_in_use(&store).map_err(|error| format!("{}: {error}", store.display()))? {
        findings.push(in_use());
        return Ok(findings);
    }
    if args.accept_store {
        findings.push(accept(&config)?);
    }
    let closed = match Closed::open(&store) {
        Ok(closed) => closed,
        Err(error) => {
            findings.push(does_not_open(&error));
            findings.push(space(&config));
            return Ok(findings);
        }
    };
    let rows = closed.rows();
    match Stand::of(rows) {
        Ok(Some(stand)) => {
            findings.push(store_found(&config, rows, &stand));
            findings.push(log(rows, &stand, progress));
            findings.push(counters(rows, &stand));
            findings.push(anchor(&config, &closed, &stand));
            findings.push(clock(&config, &stand));
            findings.push(lists(rows));
        }
        Ok(None) if config.anchor_file().exists() => {
            let gone = Stopped::EmptyBesideAnchor.to_string();
            findings.push(wrong("store", gone, PUT_BACK));
        }
        Ok(None) => findings.push(good("store", "it is empty".into())),
        Err(error) => findings.push(wrong("store", error.to_string(), PUT_BACK)),
    }
    if args.every_row {
        findings.push(every_row(rows, progress));
    }
    findings.push(space(&config));
    findings.push(key(&config, rows));
    findings.extend(machine::findings(&config, args.config.as_deref()));
    Ok(findings)
}

const PUT_BACK: &str = "put the newest copy of the store back";
const PUT_BACK_OR_ACCEPT: &str = "put the newest copy of the store back, with its anchor; where there is none, `goodstanding doctor \
     --accept-store --yes` takes the store as it is found, and gives up what is not in it";

fn good(of: &'static str, found: String) -> Finding {
    Finding {
        of,
        health: Health::Good,
        found,
        to_do: None,
    }
}

fn wrong(of: &'static str, found: String, to_do: &str) -> Finding {
    Finding {
        of,
        health: Health::Wrong,
        found,
        to_do: Some(to_do.to_owned()),
    }
}

fn warning(of: &'static str, found: String, to_do: &str) -> Finding {
    Finding {
        health: Health::Warning,
        ..wrong(of, found, to_do)
    }
}

fn unread(of: &'static str, error: &StoreError) -> Finding {
    wrong(of, error.to_string(), PUT_BACK)
}

/// The database that replicas share; what is found after it is of the copy here.
#[cfg(feature = "postgres")]
fn shared(config: &Config) -> Finding {
    match super::engines::shared_head(config) {
        Ok(Some(head)) => good(
            "database",
            format!("{} events, the newest of {}", head.seq, head.at),
        ),
        Ok(None) => wrong(
            "database",
            "it holds no registry".into(),
            "`goodstanding init` makes one; where there was one, put its newest backup back",
        ),
        Err(found) => wrong(
            "database",
            found,
            "see to PostgreSQL, or to [store.postgres]",
        ),
    }
}

#[cfg(not(feature = "postgres"))]
fn shared(_: &Config) -> Finding {
    let found = "this program was built without PostgreSQL".into();
    wrong("database", found, "use one that was built with it")
}

fn no_store(config: &Config) -> Vec<Finding> {
    let folder = config.store_folder();
    if config.store.engine == EngineChoice::Postgres {
        let found = format!(
            "there is no copy at {}; a start reads one",
            folder.display()
        );
        return vec![good("store", found)];
    }
    let found = format!("there is no store at {}", folder.display());
    let to_do = match config.anchor_file().exists() {
        true => {
            "its anchor is there, so that there was one: put the newest copy of it back. To begin an empty \
             registry, choose another data folder"
        }
        false => "`goodstanding init` makes one",
    };
    vec![wrong("store", found, to_do), space(config)]
}

fn in_use() -> Finding {
    Finding {
        of: "store",
        health: Health::Unknown,
        found: "a server is using it".into(),
        to_do: Some(
            "ask the server (`goodstanding doctor --server URL`), or stop it and ask again".into(),
        ),
    }
}

fn does_not_open(error: &StoreError) -> Finding {
    wrong(
        "store",
        format!("RocksDB refuses it: {error}"),
        "start the server: where only the end of a log is damaged, and nothing acknowledged stood there, it \
         goes on; else it serves what can be read, and says what is missing. Then put the newest copy of \
         the store back",
    )
}

fn store_found(config: &Config, rows: &dyn Read, stand: &Stand) -> Finding {
    let found = format!(
        "format {}, epoch {}, {} events, the newest of {}",
        stand.format, stand.epoch, stand.head.seq, stand.head.at
    );
    match SETTINGS.get(rows, &"public_url".to_owned()) {
        Err(error) => unread("store", &error),
        Ok(Some(url)) if url != config.public_url.as_bytes() => {
            let url = String::from_utf8_lossy(&url).into_owned();
            let found = format!(
                "{found}; it was set up for {url}, and {} is configured",
                config.public_url
            );
            wrong("store", found, &format!("set public_url to {url}"))
        }
        Ok(_) => good("store", found),
    }
}

fn log(rows: &dyn Read, stand: &Stand, progress: &mut Progress<'_>) -> Finding {
    let all = stand.head.seq.0;
    let followed = stand.follow_log(rows, &mut |seq| progress(seq.0, Some(all), "events"));
    match followed {
        Err(error) => unread("log", &error),
        Ok(Some(at)) => wrong(
            "log",
            format!("it does not go on with event {at} as it was written"),
            PUT_BACK_OR_ACCEPT,
        ),
        Ok(None) => good("log", format!("its chain is whole over all {all} events")),
    }
}

fn counters(rows: &dyn Read, stand: &Stand) -> Finding {
    match stand.counters_add_up(rows) {
        Err(error) => unread("counters", &error),
        Ok(true) => good("counters", "indexes given out are as written last".into()),
        Ok(false) => wrong(
            "counters",
            "indexes given out are not as written last, so that one could be given out twice"
                .into(),
            PUT_BACK_OR_ACCEPT,
        ),
    }
}

fn anchor(config: &Config, closed: &Closed, stand: &Stand) -> Finding {
    let file = config.anchor_file();
    if !stand.is_anchored() {
        let found = "the store is of a format without one; it gets one at the next start";
        return good("anchor", found.into());
    }
    let AnchorSays { slots, fits } = match closed.held_against(stand, &file) {
        Ok(says) => says,
        Err(error) => return unread("anchor", &error),
    };
    let slots: Vec<String> = slots
        .iter()
        .map(|slot| match slot {
            Ok(slot) => format!(
                "write {} up to event {} of {}",
                slot.number, slot.seq, slot.at
            ),
            Err(reason) => reason.clone(),
        })
        .collect();
    let found = format!("{}: {}", file.display(), slots.join("; "));
    match fits {
        Ok(()) => good("anchor", found),
        Err(stopped) => {
            let to_do = match &stopped {
                Stopped::AnchorMissing | Stopped::AnchorUnreadable(_) => {
                    "put the anchor back; where it is lost, and the store is known to be the newest, \
                     `goodstanding doctor --accept-store --yes` takes the store as it is found"
                }
                Stopped::AnchorOfAnotherStore => "name this store's own anchor in anchor.file",
                _ => PUT_BACK_OR_ACCEPT,
            };
            wrong(
                "anchor",
                format!("{found}: {} ({stopped})", stopped.state()),
                to_do,
            )
        }
    }
}

fn clock(config: &Config, stand: &Stand) -> Finding {
    let now = SystemClock.now();
    let behind = stand.head.at.seconds() - now.seconds();
    let tolerated = i64::try_from(config.clock.tolerance_seconds).unwrap_or(i64::MAX);
    if behind <= 1 {
        return good("clock", format!("it is {now}, after the newest change"));
    }
    let finding = wrong(
        "clock",
        format!("it is {now}, {behind} seconds before the newest change"),
        "set the machine's clock right; where it was ahead when that change was made, raise \
         clock.tolerance_seconds above the difference",
    );
    Finding {
        health: match behind > tolerated {
            true => Health::Wrong,
            false => Health::Warning,
        },
        ..finding
    }
}

fn lists(rows: &dyn Read) -> Finding {
    match DIRTY_LISTS
        .scan(rows, &[], None, usize::MAX)
        .map(|lists| lists.len())
    {
        Err(error) => unread("lists", &error),
        Ok(0) => good("lists", "all changes are published".into()),
        Ok(count) => warning(
            "lists",
            format!("{count} have changes that are not published"),
            "start the server, which publishes them",
        ),
    }
}

/// Each block of the files is read, and so its checksum compared.
fn every_row(rows: &dyn Read, progress: &mut Progress<'_>) -> Finding {
    const ROWS_AT_ONCE: usize = 4_096;
    let (mut from, to, mut count) = (Vec::new(), [0xff; 64], 0_u64);
    loop {
        let read = match rows.scan(&from, &to, ROWS_AT_ONCE) {
            Ok(read) => read,
            Err(error) => return unread("rows", &error),
        };
        let Some((last, _)) = read.last() else {
            return good("rows", format!("all {count} can be read"));
        };
        from = [last.as_slice(), &[0]].concat();
        count += read.len() as u64;
        progress(count, None, &format!("{count} rows"));
    }
}

fn space(config: &Config) -> Finding {
    let least = config.store.keep_free_bytes;
    let free = |path: &Path| {
        free_bytes(path).map_err(|error| format!("{} cannot be asked: {error}", path.display()))
    };
    match free(&config.store_folder()) {
        Err(found) => wrong("space", found, "see to the disk"),
        Ok(free) if free < least => wrong(
            "space",
            format!("{free} bytes are left on the store's disk, and {least} are to be kept free"),
            "make space",
        ),
        Ok(free) => good(
            "space",
            format!("{free} bytes are left on the store's disk"),
        ),
    }
}

fn key(config: &Config, rows: &dyn Read) -> Finding {
    let to_do = "give the master key that the store was used with last (master_key.file, or \
                 GOODSTANDING_MASTER_KEY)";
    let place = master_key::Place::new(config, master_key::Next::Provided);
    let master = match place.present() {
        Ok(master) => master,
        Err(lacking) => return wrong("master key", lacking, to_do),
    };
    match opens_secrets(rows, &master) {
        Ok(true) => good("master key", format!("{} opens this store", master.id())),
        Ok(false) => wrong(
            "master key",
            format!("{} is not the one that opens this store", master.id()),
            to_do,
        ),
        Err(error) => wrong("master key", error.to_string(), PUT_BACK),
    }
}

/// Takes the store as it is found: another epoch begins, and the registry does what follows from that.
fn accept(config: &Config) -> Result<Finding, String> {
    let place = master_key::Place::new(config, master_key::Next::Made);
    // Before anything is decided: what follows has to be signed.
    place.look()?;
    let why = why(config);
    let clock = Arc::new(SystemClock);
    let engine = open_engine_as(config, clock.clone(), Decision::NewEpoch)?;
    let epoch = engine.epoch();
    note_why_taken(&*engine, why).map_err(|error| error.to_string())?;
    let settings = publishing_first(config);
    let registry = Registry::open(engine, clock, Arc::new(SystemEntropy), place, settings);
    let registry = registry.map_err(|error| error.to_string())?;
    registry.catch_up().map_err(|error| error.to_string())?;
    Ok(good(
        "decision",
        format!("the store is taken as it was found, and epoch {epoch} begins"),
    ))
}

/// Why a store is taken as it is found: its anchor says that there was more, or there is none that says
/// anything of it.
fn why(config: &Config) -> WhyTaken {
    let says = || {
        let closed = Closed::open(&config.store_folder()).ok()?;
        let stand = Stand::of(closed.rows()).ok()??;
        closed.held_against(&stand, &config.anchor_file()).ok()
    };
    match says().map(|says| says.fits) {
        Some(Err(
            Stopped::AnchorMissing | Stopped::AnchorUnreadable(_) | Stopped::AnchorOfAnotherStore,
        )) => WhyTaken::Unanchored,
        _ => WhyTaken::Behind,
    }
}
