//! Groups are written one after the other, by whoever holds the head row.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::super::replica::remote::{Newer, Remote as _, RemoteError};
use super::*;

#[test]
fn a_store_is_made_once_and_a_group_is_there_for_everybody() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    let (ours, theirs) = (replica_at(&url), replica_at(&url));
    assert_eq!(ours.tip(), Ok(None));
    assert_eq!(all(&ours), (None, Writes::new()));
    assert!(
        !ours.lead(Duration::from_secs(9)).unwrap(),
        "there is nothing to lead"
    );

    ours.make(&beginning()).unwrap();
    let other = group(0, 0, &[(b"10 old", Some(b"of another"))]);
    theirs.make(&other).unwrap();
    assert_eq!(theirs.tip(), Ok(Some(tip(0))));
    assert_eq!(all(&theirs), (Some(tip(0)), beginning().writes));
    assert_eq!(theirs.newer(0), Ok(Newer::Groups(vec![])));

    let first = group(
        0,
        2,
        &[
            (b"10 old", None),
            (b"10 row", Some(b"")),
            (b"11", Some(b"x")),
        ],
    );
    let (found, held) = ours.hold().unwrap();
    assert_eq!(found, tip(0));
    held.write(&first).unwrap();
    let second = commit(&theirs);
    assert_eq!(second.after, 2);
    assert_eq!(
        ours.newer(0),
        Ok(Newer::Groups(vec![first, second.clone()]))
    );
    assert_eq!(ours.newer(2), Ok(Newer::Groups(vec![second.clone()])));
    assert_eq!(ours.newer(3), Ok(Newer::Groups(vec![])));
    let mut left = second.writes;
    left.insert(b"11".to_vec(), Some(b"x".to_vec()));
    assert_eq!(all(&ours), (Some(tip(3)), left));
    assert_eq!(theirs.tip(), Ok(Some(tip(3))));
}

#[test]
fn replicas_that_make_the_store_at_the_same_time_make_one() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| replica_at(&url).make(&beginning()).unwrap());
        }
    });
    assert_eq!(all(&replica_at(&url)), (Some(tip(0)), beginning().writes));
}

#[test]
fn who_holds_the_head_row_keeps_others_from_writing_and_from_nothing_else() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    let (ours, theirs) = (replica_at(&url), replica(impatient(&url)));
    ours.make(&beginning()).unwrap();
    theirs.tip().unwrap();
    let (_, held) = ours.hold().unwrap();
    assert!(away(theirs.hold().map(|_| ())).contains("55P03"));
    assert_eq!(theirs.newer(0), Ok(Newer::Groups(vec![])));
    assert_eq!(theirs.tip(), Ok(Some(tip(0))));
    assert!(theirs.lead(Duration::from_secs(1)).unwrap());
    held.write(&next(0)).unwrap();
    assert_eq!(theirs.hold().unwrap().0, tip(1));
    // Let go without a write.
    drop(ours.hold().unwrap());
    commit(&theirs);
    assert_eq!(ours.tip(), Ok(Some(tip(2))));
}

/// A replica that is stopped in the middle, and whose connections stay open.
#[test]
fn whoever_holds_the_head_row_and_says_nothing_loses_it() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    let stopped = replica(Settings {
        idle_in_transaction: Duration::from_millis(200),
        ..Settings::usual(Secret::new(url.clone()))
    });
    let theirs = replica_at(&url);
    stopped.make(&beginning()).unwrap();
    let (_, held) = stopped.hold().unwrap();
    let written = commit(&theirs);
    // It goes on, and is told that nothing was written.
    let refused = held.write(&group(0, 1, &[(b"10 row", Some(b"late"))]));
    assert!(matches!(
        refused,
        Err(RemoteError::Away(_) | RemoteError::Unknown(_))
    ));
    assert_eq!(stopped.newer(0), Ok(Newer::Groups(vec![written])));
}

#[test]
fn writers_take_turns_and_every_group_follows_the_one_before() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    replica_at(&url).make(&beginning()).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let place = replica_at(&url);
                (0..20).for_each(|_| drop(commit(&place)));
            });
        }
    });
    let place = replica_at(&url);
    let Ok(Newer::Groups(groups)) = place.newer(0) else {
        panic!("the log is whole");
    };
    assert_eq!(groups, (0..60).map(next).collect::<Vec<_>>());
    assert_eq!(place.tip(), Ok(Some(tip(60))));
}

#[test]
fn news_arrive_by_themselves_and_not_from_oneself() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    let (ours, theirs) = (replica_at(&url), replica_at(&url));
    ours.make(&beginning()).unwrap();
    theirs.tip().unwrap();
    let (say, heard) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            // What was said while nobody listened yet is lost.
            for _ in 0..1_000 {
                theirs.wait_for_news(Duration::from_secs(5));
                let Ok(Newer::Groups(groups)) = theirs.newer(0) else {
                    panic!("the log is whole");
                };
                if !groups.is_empty() && say.send(()).is_err() {
                    return;
                }
            }
        });
        commit(&ours);
        heard.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(heard);
        commit(&ours);
    });
}
