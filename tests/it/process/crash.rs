//! The server is killed, and what it had acknowledged is there. (A kill keeps what the system has
//! in its memory; that nothing is acknowledged before it is on the disk is seen in the tests of
//! the engine.)

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use serde_json::json;

use super::client::Client;
use super::folder::Folder;
use super::server::PATIENCE;
use super::signed_list::SignedList;
use super::standing::{
    ACCREDITOR, ISSUER, endorse, entries, list, look_up, look_up_at, moment, path, profile,
    revocation,
};

const ENTRIES: usize = 1_000;
const THREADS: usize = 4;

/// A revocation that the server has answered with 200.
pub(super) struct Acknowledged {
    index: u64,
    revision: u64,
}

/// What had come of the revocations when the server was killed.
pub(super) struct Cut {
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Those that were sent, whether they were answered or not.
    pub(super) sent: BTreeSet<u64>,
}

#[test]
fn killed_after_a_few_revocations() {
    kill_after(40);
}

#[test]
fn killed_in_the_middle_of_a_thousand_revocations() {
    kill_after(500);
}

#[test]
fn killed_shortly_before_the_last_revocation() {
    kill_after(940);
}

/// A thousand revocations one by one, from several threads, and a kill after so many answers.
fn kill_after(answers: usize) {
    let folder = Folder::prepared();
    let mut server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let indexes = entries(&registry, &list, ENTRIES);
    let before = moment(&registry, &list);

    let cut = revoke_until(answers, || server.kill(), &registry, &list, &indexes);
    assert!(cut.acknowledged.len() >= answers);
    assert!(cut.sent.len() < ENTRIES, "the kill came too late to show");

    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    holds_what_was_acknowledged(&registry, &list, &indexes, &cut);
    holds_the_past(&registry, &list, &indexes, &before);

    // And it goes on from there, to the last entry.
    for index in &indexes {
        let path = format!("{list}/updates");
        let answer = registry.post(&path, &revocation(*index)).json(200);
        assert_eq!(answer["refused"], json!([]));
    }
    let whole = published(&registry, &list, ENTRIES);
    assert!(indexes.iter().all(|index| whole.is_set(*index)));
}

/// Revokes from several threads; after so many answers `end` ends the server.
pub(super) fn revoke_until(
    answers: usize,
    end: impl FnOnce(),
    registry: &Client,
    list: &str,
    indexes: &[u64],
) -> Cut {
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    let acknowledged = thread::scope(|scope| {
        for _ in 0..THREADS {
            let (next, tell) = (&next, tell.clone());
            scope.spawn(move || revoke_one_by_one(registry, list, indexes, next, &tell));
        }
        drop(tell);
        let mut acknowledged: Vec<Acknowledged> = told.iter().take(answers).collect();
        end();
        // Answers that were on their way count as well.
        acknowledged.extend(told);
        acknowledged
    });
    let sent = next.into_inner().min(indexes.len());
    Cut {
        acknowledged,
        sent: indexes[..sent].iter().copied().collect(),
    }
}

/// Takes one index after the other until the server is gone.
fn revoke_one_by_one(
    registry: &Client,
    list: &str,
    indexes: &[u64],
    next: &AtomicUsize,
    tell: &Sender<Acknowledged>,
) {
    while let Some(&index) = indexes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let updates = format!("{list}/updates");
        let Ok(reply) = registry.try_post(&updates, &revocation(index), None) else {
            return;
        };
        let answer = reply.json(200);
        assert_eq!(answer["applied"], json!(1), "{answer}");
        let revision = answer["revision"].as_u64().expect("a revision");
        if tell.send(Acknowledged { index, revision }).is_err() {
            return;
        }
    }
}

/// Every acknowledged revocation is in look-ups and in the signed list, which agree with each
/// other about all entries, and show nothing that nobody sent.
pub(super) fn holds_what_was_acknowledged(
    registry: &Client,
    list: &str,
    indexes: &[u64],
    cut: &Cut,
) {
    let signed = SignedList::fetch(registry, list);
    let standings = look_up(registry, list, indexes);
    for Acknowledged { index, .. } in &cut.acknowledged {
        assert!(signed.is_set(*index), "{index} was acknowledged");
    }
    let last = cut.acknowledged.iter().map(|ack| ack.revision).max();
    for (index, standing) in indexes.iter().zip(&standings) {
        assert_eq!(signed.is_set(*index), standing.revoked, "{index}");
        assert!(!standing.revoked || cut.sent.contains(index), "{index}");
        assert!(Some(standing.revision) >= last, "{standing:?} {last:?}");
    }
    let revoked = standings.iter().filter(|entry| entry.revoked).count();
    assert_eq!(signed.count(), revoked, "other bits are set");

    let did_document = registry.get(&format!("/profiles/{ISSUER}/did.json"));
    signed.is_seen_by_the_peers(&did_document.json(200), &indexes[..20]);
    let question = json!({ "verifiableCredential": signed.document });
    let verdict = registry.post("/credentials/verify", &question).json(200);
    assert_eq!(verdict["verified"], json!(true), "{verdict}");
}

/// The entries are told as they were before the first revocation, and as they are now.
fn holds_the_past(registry: &Client, list: &str, indexes: &[u64], before: &str) {
    let then = look_up_at(registry, list, indexes, before);
    assert!(
        then.iter()
            .all(|entry| !entry.revoked && entry.revision == 1)
    );
    let now = moment(registry, list);
    let then = look_up_at(registry, list, indexes, &now);
    assert_eq!(then, look_up(registry, list, indexes));
}

/// The signed list, once it shows so many revocations.
fn published(registry: &Client, list: &str, revoked: usize) -> SignedList {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let signed = SignedList::fetch(registry, list);
        if signed.count() == revoked {
            return signed;
        }
        assert!(Instant::now() < deadline, "{} are shown", signed.count());
    }
}

/// So late that no test sees the publisher at work.
const NEVER: &[(&str, &str)] = &[("GOODSTANDING_LISTS__PUBLISH_DELAY_MS", "86400000")];

#[test]
fn killed_between_acknowledgement_and_publication() {
    let folder = Folder::prepared();
    let mut server = folder.serve(NEVER);
    let registry = folder.operator(&server);
    let college = profile(&registry, ISSUER, "issuer");
    profile(&registry, ACCREDITOR, "accreditor");
    let list = list(&registry, ISSUER);
    let indexes = entries(&registry, &list, 2);
    let endorsement = endorse(&registry, &json!(college), "profile");
    let entry = &endorsement["credentialStatus"][0];
    assert_eq!(entry["statusPurpose"], "revocation", "{endorsement}");
    let its_list = path(&entry["statusListCredential"]);
    let its_index: u64 = entry["statusListIndex"].as_str().unwrap().parse().unwrap();

    // Both lists are signed now, while nothing is revoked.
    for list in [&list, &its_list] {
        assert_eq!(SignedList::fetch(&registry, list).count(), 0);
    }

    let updates = format!("{list}/updates");
    registry.post(&updates, &revocation(indexes[0])).json(200);
    let revoke = format!("{}/revoke", path(&endorsement["id"]));
    let now = registry.post(&revoke, &json!({ "reason": "story" }));
    assert_eq!(now.json(200)["outcome"], "revoked");
    // Look-ups show both; the signed lists, which nobody has signed anew, neither.
    assert!(look_up(&registry, &list, &indexes)[0].revoked);
    assert!(look_up(&registry, &its_list, &[its_index])[0].revoked);
    for list in [&list, &its_list] {
        assert_eq!(SignedList::fetch(&registry, list).count(), 0);
    }
    let tag = registry.get(&list).header("etag").to_owned();
    server.kill();

    let server = folder.serve(NEVER);
    let registry = folder.operator(&server);
    let after = SignedList::fetch(&registry, &list);
    assert!(after.is_set(indexes[0]) && after.count() == 1);
    let after = SignedList::fetch(&registry, &its_list);
    assert!(after.is_set(its_index) && after.count() == 1);
    assert_ne!(registry.get(&list).header("etag"), tag);
    let did_document = registry.get(&format!("/profiles/{ACCREDITOR}/did.json"));
    after.is_seen_by_the_peers(&did_document.json(200), &[its_index]);
}

/// Whoever did not get to read the answer asks again, after the crash, under the same key.
#[test]
fn a_change_repeated_after_a_kill_is_made_once() {
    let folder = Folder::prepared();
    let mut server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let ask = |registry: &Client, count: usize| {
        let path = format!("{list}/entries");
        let body = json!({ "count": count });
        let reply = registry.try_post(&path, &body, Some("k-1")).unwrap();
        (reply.status, reply.body)
    };
    let first = ask(&registry, 3);
    assert_eq!(first.0, 200);
    server.kill();

    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    assert_eq!(ask(&registry, 3), first);
    assert_eq!(ask(&registry, 4).0, 422, "another request under the key");
    let others = entries(&registry, &list, 1_000);
    let text = String::from_utf8(first.1).unwrap();
    let given_out = |index: &u64| text.contains(&format!("\"{index}\""));
    assert!(
        !others.iter().any(given_out),
        "an index was given out twice"
    );
}

/// After a kill in the middle of allocation no index is given out a second time.
#[test]
fn no_index_is_given_out_twice_across_a_kill() {
    let folder = Folder::prepared();
    let mut server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let (tell, told) = mpsc::channel();
    let mut given_out: Vec<u64> = thread::scope(|scope| {
        for _ in 0..THREADS {
            let (registry, list, tell) = (&registry, &list, tell.clone());
            scope.spawn(move || {
                let path = format!("{list}/entries");
                let body = json!({ "count": 5 });
                while let Ok(reply) = registry.try_post(&path, &body, None) {
                    let answer = reply.json(200);
                    for entry in answer["entries"].as_array().unwrap() {
                        let index = entry["statusListIndex"].as_str().unwrap();
                        tell.send(index.parse().unwrap()).unwrap();
                    }
                }
            });
        }
        drop(tell);
        let mut given_out: Vec<u64> = told.iter().take(500).collect();
        server.kill();
        given_out.extend(told);
        given_out
    });
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    given_out.extend(entries(&registry, &list, 1_000));
    let distinct: BTreeSet<u64> = given_out.iter().copied().collect();
    assert_eq!(distinct.len(), given_out.len());
}
