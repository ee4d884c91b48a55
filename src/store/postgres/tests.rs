//! The shared place on a real PostgreSQL, with the ways between cut where it hurts.

mod commits;
mod cutting;
mod following;
mod reading;
#[path = "../../../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the stories of whole programs use the rest")]
mod server;
mod sessions;

use std::sync::LazyLock;
use std::time::Duration;

use super::super::engine::{DIGEST_BYTES, Head};
use super::super::format::{Counters, Tip, head_key};
use super::super::replica::remote::{Group, Remote as _, RemoteError};
use super::super::staging::Writes;
use super::{Postgres, Secret, Settings};
use crate::ids::Seq;
use crate::time::Timestamp;
use server::Server;

/// One server for all tests that do not harm it, over TLS for who asks; each has a database of its own.
fn shared() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> =
        LazyLock::new(|| server::programs().map(|_| Server::start_as(&sessions::secured())));
    SERVER.as_ref()
}

/// A replica's way to a database.
fn replica_at(url: &str) -> Postgres {
    replica(Settings::usual(Secret::new(url.to_owned())))
}

fn replica(settings: Settings) -> Postgres {
    static NAMES: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
    let name = NAMES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Postgres::new(settings, [name; 16]).unwrap()
}

/// Settings for stories in which somebody waits in vain.
fn impatient(url: &str) -> Settings {
    Settings {
        statement: Duration::from_secs(2),
        lock: Duration::from_millis(300),
        ..Settings::usual(Secret::new(url.to_owned()))
    }
}

/// Where a store stands after so many batches.
fn tip(commits: u64) -> Tip {
    let at = Timestamp::from_millis(1_000 + i64::try_from(commits).unwrap());
    let digest = [u8::try_from(commits % 251).unwrap(); DIGEST_BYTES];
    Tip {
        head: Head {
            seq: Seq(commits),
            digest,
            at,
        },
        clock: at,
        commits,
        counters: Counters([9; DIGEST_BYTES]),
    }
}

/// The group with which a store begins.
fn beginning() -> Group {
    group(0, 0, &[(b"10 old", Some(b"kept"))])
}

fn group(after: u64, commits: u64, rows: &[(&[u8], Option<&[u8]>)]) -> Group {
    let rows = rows.iter();
    let mut writes: Writes = rows
        .map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)))
        .collect();
    let tip = tip(commits);
    writes.insert(head_key(), Some(tip.encode()));
    Group { after, tip, writes }
}

/// One that writes a row, whose value says by which group.
fn next(after: u64) -> Group {
    let value = format!("by {}", after + 1);
    group(after, after + 1, &[(b"10 row", Some(value.as_bytes()))])
}

/// Commits the group that comes next, as a replica does.
fn commit(place: &Postgres) -> Group {
    let (tip, held) = place.hold().unwrap();
    let group = next(tip.commits);
    held.write(&group).unwrap();
    group
}

/// All rows, and where the store stands with them.
fn all(place: &Postgres) -> (Option<Tip>, Writes) {
    let mut rows = Writes::new();
    let mut take = |portion: Vec<(Vec<u8>, Vec<u8>)>| {
        for (key, value) in portion {
            let later = rows.last_key_value().is_none_or(|(last, _)| *last < key);
            assert!(later, "keys ascend");
            rows.insert(key, Some(value));
        }
        Ok(())
    };
    let tip = place.read_all(&mut take).unwrap();
    (tip, rows)
}

fn away<T>(answer: Result<T, RemoteError>) -> String {
    match answer {
        Err(RemoteError::Away(words)) => words,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was done"),
    }
}
