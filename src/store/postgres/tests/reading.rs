//! The log is kept for a while, the rows for ever; and what is not understood is not guessed at.

use std::time::Duration;

use super::super::super::engine::Stopped;
use super::super::super::replica::remote::{Newer, Remote as _, RemoteError};
use super::*;

#[test]
fn a_log_that_was_cut_says_so_to_whoever_saw_too_little() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let place = replica(Settings {
        log_kept: Duration::ZERO,
        log_least: 2,
        ..Settings::usual(Secret::new(server.url(&database)))
    });
    place.make(&beginning()).unwrap();
    let groups: Vec<_> = (0..5).map(|_| commit(&place)).collect();
    place.rows_follow().unwrap();
    assert!(place.lead(Duration::from_secs(9)).unwrap());
    assert_eq!(
        server.sql(&database, "SELECT count(*) FROM goodstanding.log"),
        "2"
    );
    for seen in 0..3 {
        assert_eq!(place.newer(seen), Ok(Newer::ForgottenSince), "{seen}");
    }
    for seen in 3..=5 {
        let left = groups[seen..].to_vec();
        assert_eq!(place.newer(seen as u64), Ok(Newer::Groups(left)), "{seen}");
    }
    assert_eq!(all(&place).0, Some(tip(5)));
    // Another history: nobody saw more than there is.
    assert_eq!(place.newer(6), Ok(Newer::ForgottenSince));
}

/// A store that was brought here has a number already, and no log.
#[test]
fn a_store_that_begins_with_a_number_is_read_whole_by_whoever_has_not_seen_it() {
    let Some(server) = shared() else { return };
    let place = replica_at(&server.url(&server.database()));
    place
        .make(&group(7, 7, &[(b"10 row", Some(b"brought"))]))
        .unwrap();
    assert_eq!(place.newer(0), Ok(Newer::ForgottenSince));
    assert_eq!(place.newer(7), Ok(Newer::Groups(vec![])));
    commit(&place);
    assert_eq!(place.newer(0), Ok(Newer::ForgottenSince));
    assert_eq!(place.newer(7), Ok(Newer::Groups(vec![next(7)])));
}

#[test]
fn many_rows_and_large_ones_are_read_in_portions_of_one_state() {
    let Some(server) = shared() else { return };
    let url = server.url(&server.database());
    let (ours, theirs) = (replica_at(&url), replica_at(&url));
    let small = (0..9_000_u32).map(|n| (format!("20 {n:05}").into_bytes(), vec![1; 10]));
    let large = (0..5_u32).map(|n| (format!("30 {n}").into_bytes(), vec![2; 5 << 20]));
    let rows: Vec<_> = small.chain(large).collect();
    let rows: Vec<(&[u8], Option<&[u8]>)> = rows
        .iter()
        .map(|(key, value)| (key.as_slice(), Some(value.as_slice())))
        .collect();
    let whole = group(0, 0, &rows);
    ours.make(&whole).unwrap();
    let mut portions = Vec::new();
    let mut read = Writes::new();
    let found = ours.read_all(&mut |portion| {
        // What is written meanwhile is of another state.
        if portions.is_empty() {
            commit(&theirs);
        }
        let bytes: usize = portion.iter().map(|(_, value)| value.len()).sum();
        portions.push(bytes);
        read.extend(portion.into_iter().map(|(key, value)| (key, Some(value))));
        Ok(())
    });
    assert_eq!(found, Ok(Some(tip(0))));
    assert_eq!(read.len(), whole.writes.len());
    assert!(read == whole.writes, "other rows were read");
    assert!(portions.len() >= 4, "{portions:?}");
    assert!(
        portions.iter().all(|bytes| *bytes <= 16 << 20),
        "{portions:?}"
    );
    assert_eq!(ours.tip(), Ok(Some(tip(1))));
    // Whoever reads can stop.
    let stop = RemoteError::Away("the disk is full".into());
    assert_eq!(ours.read_all(&mut |_| Err(stop.clone())), Err(stop.clone()));
    commit(&ours);
}

/// Large groups are not put together in memory by the hundred.
#[test]
fn large_groups_are_read_a_few_at_a_time() {
    let Some(server) = shared() else { return };
    let place = replica_at(&server.url(&server.database()));
    place.make(&beginning()).unwrap();
    for after in 0..4 {
        let (_, held) = place.hold().unwrap();
        held.write(&group(
            after,
            after + 1,
            &[(b"10 row", Some(&vec![7; 5 << 20]))],
        ))
        .unwrap();
    }
    let Ok(Newer::Groups(first)) = place.newer(0) else {
        panic!("the log is whole");
    };
    assert_eq!(first.len(), 2);
    let Ok(Newer::Groups(rest)) = place.newer(first[1].tip.commits) else {
        panic!("the log is whole");
    };
    assert_eq!(rest.last().unwrap().tip, tip(4));
}

#[test]
fn what_stands_there_and_is_not_understood_is_wrong_and_never_good() {
    let Some(server) = shared() else { return };
    let spoil = |statement: &str| {
        let database = server.database();
        let url = server.url(&database);
        let place = replica_at(&url);
        place.make(&beginning()).unwrap();
        (0..3).for_each(|_| drop(commit(&place)));
        server.sql(&database, statement);
        replica_at(&url)
    };
    let wrong = |answer: Result<(), RemoteError>| match answer {
        Err(RemoteError::Wrong(Stopped::RowsUnreadable(words))) => words,
        other => panic!("{other:?}"),
    };
    let place = spoil("UPDATE goodstanding.head SET tip = '\\x00'");
    wrong(place.tip().map(|_| ()));
    wrong(place.hold().map(|_| ()));
    wrong(place.read_all(&mut |_| Ok(())).map(|_| ()));
    let place = spoil("UPDATE goodstanding.version SET version = 99");
    assert!(wrong(place.tip().map(|_| ())).contains("version 99"));
    wrong(place.hold().map(|_| ()));
    wrong(place.make(&beginning()));
    let newer = |spoilt: &str| wrong(spoil(spoilt).newer(0).map(|_| ()));
    assert!(newer("DELETE FROM goodstanding.log WHERE commits = 2").contains("gap after 1"));
    newer("UPDATE goodstanding.log SET writes = '\\x0100' WHERE commits = 2");
    newer("UPDATE goodstanding.log SET tip = '\\x01' WHERE commits = 2");
    newer("UPDATE goodstanding.log SET commits = 4 WHERE commits = 3");
    // Somebody emptied it.
    let place = spoil("DROP SCHEMA goodstanding CASCADE");
    assert_eq!(place.tip(), Ok(None));
    let gone = RemoteError::Wrong(Stopped::EmptyBesideAnchor);
    assert_eq!(place.hold().map(|_| ()), Err(gone.clone()));
    assert_eq!(place.newer(3), Err(gone));
}

#[test]
fn one_leads_until_its_time_is_over() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let (ours, theirs) = (replica_at(&url), replica_at(&url));
    ours.make(&beginning()).unwrap();
    let long = Duration::from_secs(60);
    assert!(ours.lead(long).unwrap());
    assert!(ours.lead(long).unwrap(), "it goes on");
    assert!(!theirs.lead(long).unwrap());
    server.sql(
        &database,
        "UPDATE goodstanding.lease SET ends = now() - interval '1 second'",
    );
    assert!(theirs.lead(long).unwrap());
    assert!(!ours.lead(long).unwrap());
}
