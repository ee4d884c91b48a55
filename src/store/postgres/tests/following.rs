//! The rows come after the log, and nobody who reads them sees that.

use std::thread;

use super::super::super::engine::{Read as _, Stopped};
use super::super::super::format::Identity;
use super::super::super::moving::Target as _;
use super::super::moved::{MovedFrom, MovedTo};
use super::*;

const AT: &str = "SELECT commits FROM goodstanding.rows_at";
const GROUPS: &str = "SELECT count(*) FROM goodstanding.log";

/// The value that the database has in a row, as text.
fn row(server: &Server, database: &str, key: &str) -> String {
    let asked =
        format!("SELECT convert_from(value, 'UTF8') FROM goodstanding.rows WHERE key = '{key}'");
    server.sql(database, &asked)
}

#[test]
fn a_change_is_in_the_log_first_and_whoever_reads_the_rows_finds_it_there() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let place = replica_at(&url);
    place.make(&beginning()).unwrap();
    assert_eq!(server.sql(&database, AT), "0");
    for _ in 0..3 {
        commit(&place);
    }
    let (_, held) = place.hold().unwrap();
    held.write(&group(3, 4, &[(b"10 old", None)])).unwrap();
    assert_eq!(server.sql(&database, AT), "0");
    assert_eq!(row(server, &database, "10 row"), "");
    assert_eq!(row(server, &database, "10 old"), "kept");

    let (found, rows) = all(&replica_at(&url));
    assert_eq!(found, Some(tip(4)));
    let mut left = group(3, 4, &[(b"10 row", Some(b"by 3"))]).writes;
    assert_eq!(rows, left);
    assert_eq!(server.sql(&database, AT), "4");
    assert_eq!(row(server, &database, "10 row"), "by 3");
    assert_eq!(row(server, &database, "10 old"), "");

    // What is moved is what was acknowledged, and so is what is looked at before it is replaced.
    commit(&place);
    left.insert(b"10 row".to_vec(), Some(b"by 5".to_vec()));
    let settings = || Settings::usual(Secret::new(url.clone()));
    let from = MovedFrom::open(settings()).unwrap().expect("a store");
    let to_move = from.scan(b"10", b"11", 9).unwrap();
    assert_eq!(to_move, [(b"10 row".to_vec(), b"by 5".to_vec())]);
    drop(from);
    commit(&place);
    let mut to = MovedTo::open(settings()).unwrap();
    assert_eq!(to.get(b"10 row").unwrap().unwrap(), b"by 6");

    // Another store takes its place, and the log that was there says nothing of it.
    to.close().unwrap();
    let rows = [
        (b"10 row".to_vec(), b"moved".to_vec()),
        (head_key(), tip(2).encode()),
    ];
    let identity = Identity {
        store: [1; 16],
        epoch: 0,
    };
    to.open_up(&tip(2), identity, &rows).unwrap();
    assert_eq!(server.sql(&database, AT), "2");
    commit(&place);
    assert_eq!(all(&place).1[b"10 row".as_slice()], Some(b"by 3".to_vec()));
}

#[test]
fn many_bring_the_rows_up_at_once_and_groups_come_meanwhile() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let place = replica_at(&url);
    place.make(&beginning()).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let other = replica_at(&url);
                for _ in 0..20 {
                    other.rows_follow().unwrap();
                }
            });
        }
        for _ in 0..40 {
            commit(&place);
        }
    });
    let (found, rows) = all(&place);
    assert_eq!(found, Some(tip(40)));
    assert_eq!(rows[b"10 row".as_slice()], Some(b"by 40".to_vec()));
    assert_eq!(server.sql(&database, AT), "40");
}

/// Nothing leaves the log that is nowhere else.
#[test]
fn the_log_keeps_what_is_not_in_the_rows_however_old_it_is() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let place = replica(Settings {
        log_kept: Duration::ZERO,
        log_least: 1,
        ..Settings::usual(Secret::new(server.url(&database)))
    });
    place.make(&beginning()).unwrap();
    for _ in 0..3 {
        commit(&place);
    }
    place.tidy().unwrap();
    assert_eq!(server.sql(&database, GROUPS), "3");
    place.rows_follow().unwrap();
    *place.tidied.lock().unwrap() = None;
    place.tidy().unwrap();
    assert_eq!(server.sql(&database, GROUPS), "1");
    assert_eq!(row(server, &database, "10 row"), "by 3");
}

/// A replica of the version before writes each group to the rows with itself, beside one of this version.
#[test]
fn a_store_of_the_version_before_goes_on() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let place = replica_at(&url);
    place.make(&beginning()).unwrap();
    commit(&place);
    place.rows_follow().unwrap();
    server.sql(&database, "DROP TABLE goodstanding.rows_at");
    server.sql(&database, "UPDATE goodstanding.version SET version = 1");

    let place = replica_at(&url);
    assert_eq!(place.tip(), Ok(Some(tip(1))));
    assert_eq!(server.sql(&database, AT), "1");
    commit(&place);
    let third = commit(&place);
    for (key, value) in &third.writes {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let (key, value) = (hex(key), hex(value.as_ref().unwrap()));
        server.sql(
            &database,
            &format!(
                "INSERT INTO goodstanding.rows VALUES ('\\x{key}', '\\x{value}') \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
        );
    }
    let (found, rows) = all(&place);
    assert_eq!(found, Some(tip(3)));
    assert_eq!(rows[b"10 row".as_slice()], Some(b"by 3".to_vec()));
}

#[test]
fn rows_that_cannot_follow_are_not_read() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let place = replica_at(&server.url(&database));
    place.make(&beginning()).unwrap();
    for _ in 0..3 {
        commit(&place);
    }
    server.sql(&database, "DELETE FROM goodstanding.log WHERE commits = 1");
    let read = place.read_all(&mut |_| panic!("nothing is handed over"));
    let Err(RemoteError::Wrong(Stopped::RowsUnreadable(words))) = read else {
        panic!("{read:?}");
    };
    assert!(
        words.contains("up to 0, and the log begins later"),
        "{words}"
    );
    // Others go on to write meanwhile.
    commit(&place);
}
