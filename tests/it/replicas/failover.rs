//! The primary of three PostgreSQL servers is killed under load, and the standby that has the most takes its place.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Replicas, until};
use crate::process::client::Client;
use crate::process::standing::{ISSUER, entries, list, look_up, profile, revocation};
use crate::support::postgres::{Cluster, programs};

/// How soon writes are back.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Load {
    stops: AtomicBool,
    /// When each change was acknowledged, and which.
    revoked: Mutex<Vec<(Instant, u64)>>,
    /// Indexes that were given out, as often as they were.
    given: Mutex<Vec<u64>>,
    reads: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

#[test]
fn a_primary_that_dies_costs_seconds_and_no_acknowledged_change() {
    if programs().is_none() {
        return;
    }
    let mut cluster = Cluster::start(&[]);
    let replicas = Replicas::prepared(&cluster.url("postgres"));
    let servers = ["first", "second"].map(|name| replicas.serve(name, &[]));
    let clients = servers.each_ref().map(|server| replicas.operator(server));
    profile(&clients[0], ISSUER, "issuer");
    let list = list(&clients[0], ISSUER);
    let indexes = entries(&clients[0], &list, 4_000);
    until("the second replica has the list", PATIENCE, || {
        clients[1].get(&list).status == 200
    });
    let load = Load::default();
    let acknowledged = || load.revoked.lock().unwrap().len();
    let killed = thread::scope(|scope| {
        // Also where something fails, so that nobody is waited for in vain.
        let _stops = Stops(&load.stops);
        let (load, list) = (&load, list.as_str());
        for (place, client) in clients.iter().enumerate() {
            for half in 0..2 {
                let mine = indexes.iter().skip(place * 2 + half).step_by(4).copied();
                scope.spawn(move || revokes(client, list, mine, load));
            }
            scope.spawn(move || takes_entries(client, list, place, load));
            scope.spawn(move || reads(client, list, load));
        }
        until("there is load", PATIENCE, || acknowledged() >= 40);
        let killed = Instant::now();
        cluster.fail_over();
        let before = acknowledged();
        until("changes are acknowledged again", PATIENCE, || {
            acknowledged() >= before + 20
        });
        killed
    });
    let revoked = load.revoked.into_inner().unwrap();
    // The first one that began to be answered after the kill, however many came in its first moment.
    let gap = revoked
        .windows(2)
        .map(|pair| pair[1].0.duration_since(pair[0].0))
        .max()
        .unwrap();
    println!(
        "failover: no change was acknowledged for {gap:?}; {} acknowledged in all, {} reads",
        revoked.len(),
        load.reads.load(Ordering::Relaxed)
    );
    assert!(gap <= BACK_WITHIN, "{gap:?}");
    assert!(revoked.iter().any(|(at, _)| *at > killed));
    assert_eq!(load.failed.into_inner().unwrap(), Vec::<String>::new());
    assert!(load.reads.load(Ordering::Relaxed) > 100);

    let revoked: Vec<u64> = revoked.iter().map(|(_, index)| *index).collect();
    for client in &clients {
        until("every acknowledged change is there", PATIENCE, || {
            revoked.chunks(100).all(|some| {
                look_up(client, &list, some)
                    .iter()
                    .all(|standing| standing.revoked)
            })
        });
    }
    let given: Vec<u64> = load.given.into_inner().unwrap();
    let once: BTreeSet<u64> = given.iter().chain(&indexes).copied().collect();
    assert_eq!(
        once.len(),
        given.len() + indexes.len(),
        "an index was given out twice"
    );
}

struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.stops.load(Ordering::SeqCst)
    }
}

/// Revokes one after the other, each until it is acknowledged.
fn revokes(client: &Client, list: &str, indexes: impl Iterator<Item = u64>, load: &Load) {
    for index in indexes {
        let path = format!("{list}/updates");
        if changed(
            client,
            &path,
            &revocation(index),
            &format!("revoke-{index}"),
            load,
        )
        .is_none()
        {
            return;
        }
        load.revoked.lock().unwrap().push((Instant::now(), index));
    }
}

fn takes_entries(client: &Client, list: &str, place: usize, load: &Load) {
    for turn in 0.. {
        let (path, key) = (format!("{list}/entries"), format!("take-{place}-{turn}"));
        let Some(answer) = changed(client, &path, &json!({ "count": 3 }), &key, load) else {
            return;
        };
        let entries = answer["entries"].as_array().unwrap();
        let indexes = entries.iter().map(|entry| {
            entry["statusListIndex"]
                .as_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        });
        load.given.lock().unwrap().extend(indexes);
    }
}

/// Makes a change under its key until it is acknowledged; `None` where the story ends before.
fn changed(client: &Client, path: &str, body: &Value, key: &str, load: &Load) -> Option<Value> {
    while load.goes_on() {
        let reply = client.try_post(path, body, Some(key)).unwrap();
        match reply.status {
            200 => return Some(serde_json::from_slice(&reply.body).unwrap()),
            // Not now, or nobody knows: the same again under the same key.
            409 | 500 | 503 => thread::sleep(Duration::from_millis(20)),
            _ => {
                let said = String::from_utf8_lossy(&reply.body).into_owned();
                load.failed
                    .lock()
                    .unwrap()
                    .push(format!("{}: {said}", reply.status));
                return None;
            }
        }
    }
    None
}

fn reads(client: &Client, list: &str, load: &Load) {
    while load.goes_on() {
        let reply = client.get(list);
        if reply.status != 200 {
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            load.failed
                .lock()
                .unwrap()
                .push(format!("read {}: {said}", reply.status));
        }
        load.reads.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(5));
    }
}
