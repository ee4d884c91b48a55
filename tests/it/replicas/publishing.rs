//! What one replica leaves unpublished another one publishes, and one that slept publishes nothing old.

use std::env;
use std::time::{Duration, Instant};

use super::{Replicas, until};
use crate::process::client::Client;
use crate::process::signed_list::SignedList;
use crate::process::standing::{ISSUER, entries, list, profile, revocation};
use crate::support::postgres::{Server, programs};

const SOON: Duration = Duration::from_secs(20);
/// How soon another replica publishes what one has left behind.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);

fn shows(client: &Client, list: &str, index: u64) -> bool {
    SignedList::fetch(client, list).is_set(index)
}

#[test]
fn what_a_killed_replica_left_is_published_by_another() {
    if programs().is_none() {
        return;
    }
    let database = Server::start();
    let replicas = Replicas::prepared(&database.url("postgres"));
    // It will not come to publish what it changed.
    let late = [("GOODSTANDING_LISTS__PUBLISH_DELAY_MS", "600000")];
    let mut dies = replicas.serve("first", &late);
    let lives = replicas.serve("second", &[]);
    let (dying, living) = (replicas.operator(&dies), replicas.operator(&lives));
    profile(&living, ISSUER, "issuer");
    let list = list(&living, ISSUER);
    let indexes = entries(&living, &list, 5);
    let updates = format!("{list}/updates");
    // Nothing of its own is left to be published by the one that lives.
    living.post(&updates, &revocation(indexes[1])).json(200);
    until("both have the list", SOON, || {
        dying.get(&list).status == 200 && shows(&living, &list, indexes[1])
    });
    dying.post(&updates, &revocation(indexes[0])).json(200);
    assert!(!shows(&living, &list, indexes[0]));
    dies.kill();
    let took = until("the other one publishes it", TAKEN_OVER_WITHIN, || {
        shows(&living, &list, indexes[0])
    });
    println!("replicas: what a killed one left was published after {took:?}");
}

/// How long a replica sleeps in the next story.
fn asleep() -> Duration {
    let seconds = env::var("GOODSTANDING_REPLICAS_ASLEEP_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(4))
}

#[test]
fn a_replica_that_slept_publishes_nothing_old() {
    if programs().is_none() {
        return;
    }
    let database = Server::start();
    let replicas = Replicas::prepared(&database.url("postgres"));
    let sleeps = replicas.serve("first", &[]);
    let wakes = replicas.serve("second", &[]);
    let (sleeping, waking) = (replicas.operator(&sleeps), replicas.operator(&wakes));
    profile(&waking, ISSUER, "issuer");
    let list = list(&waking, ISSUER);
    let indexes = entries(&waking, &list, 3_000);
    let updates = format!("{list}/updates");
    until("both have the list", SOON, || {
        sleeping.get(&list).status == 200
    });
    // It is stopped while it has something to publish.
    sleeping.post(&updates, &revocation(indexes[0])).json(200);
    sleeps.tell("STOP");
    let (until_then, mut revoked) = (Instant::now() + asleep(), 1);
    while Instant::now() < until_then && revoked < indexes.len() {
        waking
            .post(&updates, &revocation(indexes[revoked]))
            .json(200);
        revoked += 1;
    }
    let indexes = &indexes[..revoked];
    assert!(
        revoked > 3,
        "{revoked} changes were made while one replica slept"
    );
    until("everything is published", SOON, || {
        SignedList::fetch(&waking, &list).count() == revoked
    });
    sleeps.tell("CONT");
    let published = |client: &Client| SignedList::fetch(client, &list).count();
    // What the other one published is never undone; and both come to show the same.
    until("the one that slept shows it too", SOON, || {
        assert_eq!(published(&waking), revoked);
        published(&sleeping) == revoked
    });
    sleeping.post(
        "/profiles",
        &serde_json::json!({ "slug": "x", "name": "x", "roles": [] }),
    );
    for _ in 0..100 {
        assert_eq!(published(&waking), revoked);
        assert_eq!(published(&sleeping), revoked);
    }
    assert!(indexes.iter().all(|index| shows(&waking, &list, *index)));
}
