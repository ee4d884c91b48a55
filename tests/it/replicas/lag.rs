//! How long after a change is acknowledged by one replica another one shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::app::{SystemClock, SystemEntropy};
use goodstanding::entropy::random;
use goodstanding::store::engine::{Batch, Decision, Engine as _};
use goodstanding::store::postgres::{Secret, Settings, open};
use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::rocks::{Place, space::Room};
use tempfile::TempDir;

use crate::support::postgres::{Server, Wanted, programs};

/// Changes a second, and how many.
const RATE: u32 = 500;
const CHANGES: u32 = 1_500;
const THREADS: u32 = 8;
const LAG: Duration = Duration::from_millis(250);

/// An engine over the database at `url`, with a copy in a folder of its own.
pub(super) fn replica(url: &str, folder: &TempDir, name: &str) -> Arc<ReplicaEngine> {
    let place = Place {
        store: folder.path().join(name),
        anchor: folder.path().join(format!("{name}-anchor")),
        new_id: random(&SystemEntropy),
        decision: Decision::AsAnchored,
        room: Room {
            keep_free: 0,
            reserve: 0,
        },
        write_buffer_bytes: 64 << 20,
    };
    let settings = Settings::usual(Secret::new(url.to_owned()));
    Arc::new(open(settings, &place, Arc::new(SystemClock)).unwrap())
}

/// A change as a registry makes it: some rows, and what the log says of it.
pub(super) fn change(number: u32) -> Batch {
    let rows = (0..4_u8).map(|row| {
        let key = [&[0x20, row][..], &number.to_be_bytes()].concat();
        (key, vec![row; 120])
    });
    Batch {
        puts: rows.collect(),
        events: vec![vec![7; 150].into()],
        ..Batch::default()
    }
}

pub(super) fn synced() -> Wanted {
    Wanted {
        settings: vec!["fsync = on".to_owned()],
        ..Wanted::default()
    }
}

#[test]
fn another_replica_shows_a_change_a_moment_later() {
    if programs().is_none() {
        return;
    }
    let database = Server::start_as(&synced());
    let folder = TempDir::new().unwrap();
    let url = database.url("postgres");
    let (writes, follows) = (replica(&url, &folder, "a"), replica(&url, &folder, "b"));
    let begun = Instant::now();
    let latest = AtomicU64::new(0);
    let mut lags: Vec<Duration> = thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (writes, follows, latest) = (&writes, &follows, &latest);
                scope.spawn(move || {
                    let mine = (thread..CHANGES).step_by(THREADS as usize);
                    mine.map(|number| {
                        let due = begun + Duration::from_secs(1) * number / RATE;
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        let seq = writes.commit(change(number)).unwrap().seq;
                        let acknowledged = Instant::now();
                        latest.fetch_max(seq.0, Ordering::Relaxed);
                        let there = follows.reaches(seq, acknowledged + LAG * 20);
                        assert!(there, "{seq:?} is not there");
                        acknowledged.elapsed()
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    let took = begun.elapsed();
    lags.sort();
    let at = |percent: usize| lags[(lags.len() - 1) * percent / 100];
    println!(
        "lag: {CHANGES} changes in {took:?}; p50 {:?}, p99 {:?}, most {:?}",
        at(50),
        at(99),
        at(100)
    );
    assert_eq!(follows.head(), writes.head());
    assert_eq!(follows.head().seq.0, u64::from(CHANGES));
    assert!(
        took < Duration::from_secs(1) * (CHANGES * 5 / 4) / RATE,
        "{took:?}"
    );
    assert!(at(99) <= LAG, "{:?}", at(99));
}
