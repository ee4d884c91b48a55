//! Connections that break, servers that go away, and standbys that do not answer: what was written, what was not,
//! and what nobody knows.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::super::super::replica::remote::{Newer, Remote as _, RemoteError};
use super::server::Wanted;
use super::*;

/// What stands between a replica and its server.
struct Between {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cuts: AtomicU8,
    open: Mutex<Vec<TcpStream>>,
}

/// When it cuts a connection.
#[derive(Clone, Copy)]
enum Cut {
    Never,
    /// Before the server hears of it.
    AtCommit,
    /// After the server has done it, and before anybody hears of that.
    AtItsAnswer,
    /// At once, always.
    Away,
}

impl Between {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.cuts.load(Ordering::SeqCst) == Cut::Away as u8 {
                    continue;
                }
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).unwrap();
                for (from, to, cut) in [
                    (&client, &server, Cut::AtCommit),
                    (&server, &client, Cut::AtItsAnswer),
                ] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let shared = shared.clone();
                    thread::spawn(move || carry(from, to, &shared, cut));
                }
                shared.open.lock().unwrap().extend([client, server]);
            }
        });
        Self { port, state }
    }

    fn cut(&self, cut: Cut) {
        self.state.cuts.store(cut as u8, Ordering::SeqCst);
        if matches!(cut, Cut::Away) {
            for stream in self.state.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://{}@127.0.0.1:{}/{database}",
            server::USER,
            self.port
        )
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: &State, cut: Cut) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let said = &buffer[..read];
        let commits = said.windows(7).any(|bytes| bytes == b"COMMIT\0");
        if commits && state.cuts.load(Ordering::SeqCst) == cut as u8 {
            break;
        }
        if to.write_all(said).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_commit_that_is_cut_off_is_unknown_and_can_be_looked_up_both_ways() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let between = Between::before(server.port);
    let place = replica_at(&between.url(&database));
    place.make(&beginning()).unwrap();
    let mut there = 0;
    for (cut, written) in [
        (Cut::AtCommit, false),
        (Cut::AtItsAnswer, true),
        (Cut::AtItsAnswer, true),
        (Cut::AtCommit, false),
    ] {
        let (_, held) = place.hold().unwrap();
        between.cut(cut);
        let answer = held.write(&next(there));
        assert!(matches!(answer, Err(RemoteError::Unknown(_))), "{answer:?}");
        between.cut(Cut::Never);
        // Whoever holds the head row after that knows.
        let (found, _held) = place.hold().unwrap();
        let after = there + u64::from(written);
        assert_eq!(found, tip(after));
        let newer: Vec<_> = (there..after).map(next).collect();
        assert_eq!(place.newer(there), Ok(Newer::Groups(newer)));
        there = after;
    }
    assert_eq!(commit(&place), next(there));
}

#[test]
fn a_server_that_is_away_is_there_again_by_itself() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let between = Between::before(server.port);
    let place = replica_at(&between.url(&database));
    place.make(&beginning()).unwrap();
    let (_, held) = place.hold().unwrap();
    between.cut(Cut::Away);
    // COMMIT was not sent on a connection that was known to be broken, or nobody knows.
    assert!(held.write(&next(0)).is_err());
    away(place.tip());
    away(place.newer(0));
    away(place.hold().map(|_| ()));
    away(place.lead(Duration::from_secs(1)));
    away(place.read_all(&mut |_| Ok(())));
    between.cut(Cut::Never);
    assert_eq!(place.tip(), Ok(Some(tip(0))));
    assert_eq!(commit(&place), next(0));
    // One that was connected to and restarted meanwhile is not noticed at all.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.sql(&database, cut);
    assert_eq!(place.tip(), Ok(Some(tip(1))));
    server.sql(&database, cut);
    assert_eq!(commit(&place), next(1));
}

/// A function that a table calls when a group is written.
fn trap(server: &Server, database: &str, body: &str, deferred: bool) {
    let (kind, when) = match deferred {
        true => ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED"),
        false => ("TRIGGER", ""),
    };
    server.sql(
        database,
        &format!(
            "CREATE SEQUENCE calls; \
             CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ \
                 BEGIN {body} RETURN NEW; END $$; \
             CREATE {kind} trap AFTER INSERT ON goodstanding.log {when} \
                 FOR EACH ROW EXECUTE FUNCTION trap()"
        ),
    );
}

#[test]
fn what_lost_to_another_transaction_is_written_all_the_same() {
    let Some(server) = shared() else { return };
    for state in ["40001", "40P01"] {
        for deferred in [false, true] {
            let database = server.database();
            let place = replica_at(&server.url(&database));
            place.make(&beginning()).unwrap();
            let lose = format!(
                "IF nextval('calls') < 4 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{state}'; END IF;"
            );
            trap(server, &database, &lose, deferred);
            let written = commit(&place);
            assert_eq!(place.newer(0), Ok(Newer::Groups(vec![written])), "{state}");
            let calls = server.sql(&database, "SELECT last_value FROM calls");
            assert_eq!(calls, "4", "{state}");
        }
    }
}

#[test]
fn what_is_refused_or_ended_before_the_commit_was_not_written() {
    let Some(server) = shared() else { return };
    for (body, words) in [
        (
            "RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100';",
            "53100",
        ),
        ("PERFORM pg_terminate_backend(pg_backend_pid());", "57P01"),
        ("PERFORM pg_sleep(30);", "57014"),
    ] {
        let database = server.database();
        let settings = Settings {
            statement: Duration::from_secs(1),
            ..impatient(&server.url(&database))
        };
        let place = replica(settings);
        place.make(&beginning()).unwrap();
        trap(server, &database, body, false);
        let (_, held) = place.hold().unwrap();
        match held.write(&next(0)) {
            Err(RemoteError::Away(said)) => assert!(said.contains(words), "{said}"),
            // The patience of both sides ends at about the same time.
            Err(RemoteError::Unknown(_)) if words == "57014" => {}
            other => panic!("{other:?}"),
        }
        server.sql(&database, "DROP TRIGGER trap ON goodstanding.log");
        assert_eq!(place.newer(0), Ok(Newer::Groups(vec![])));
        assert_eq!(commit(&place), next(0));
    }
}

/// Ended by an operator while COMMIT was under way, and before it was done.
#[test]
fn a_session_that_is_ended_at_commit_leaves_the_group_unknown() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let place = replica_at(&server.url(&database));
    place.make(&beginning()).unwrap();
    trap(
        server,
        &database,
        "PERFORM pg_terminate_backend(pg_backend_pid());",
        true,
    );
    let (_, held) = place.hold().unwrap();
    assert!(matches!(held.write(&next(0)), Err(RemoteError::Unknown(_))));
    server.sql(&database, "DROP TRIGGER trap ON goodstanding.log");
    assert_eq!(place.hold().unwrap().0, tip(0));
    assert_eq!(place.newer(0), Ok(Newer::Groups(vec![])));
}

/// The server has it, and no standby does: it is not acknowledged, and nobody is shown it, until one does.
#[test]
fn what_no_standby_has_is_neither_acknowledged_nor_read() {
    if server::programs().is_none() {
        return;
    }
    let server = Server::start_as(&Wanted::default());
    let standbys = |names: &str| {
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        server.sql("postgres", &set);
        server.sql("postgres", "SELECT pg_reload_conf()");
        server.until("the setting holds", || {
            server.sql("postgres", "SHOW synchronous_standby_names") == names
        });
    };
    for (after, interrupt) in ["pg_terminate_backend", "pg_cancel_backend"]
        .iter()
        .enumerate()
    {
        let database = server.database();
        let settings = Settings {
            statement: Duration::from_secs(30),
            ..impatient(&server.url(&database))
        };
        let place = replica(settings);
        let reader = replica(impatient(&server.url(&database)));
        place.make(&beginning()).unwrap();
        let (_, held) = place.hold().unwrap();
        standbys("nobody");
        let answer = thread::scope(|scope| {
            let waits = "wait_event = 'SyncRep' AND datname = current_database()";
            let cut = format!("SELECT count({interrupt}(pid)) FROM pg_stat_activity WHERE {waits}");
            let (server, database) = (&server, &database);
            scope.spawn(move || {
                server.until("the commit waits and is cut off", || {
                    server.sql(database, &cut) == "1"
                });
            });
            held.write(&next(0))
        });
        assert!(
            matches!(answer, Err(RemoteError::Unknown(_))),
            "{after}: {answer:?}"
        );
        // It is there for whoever asks the server, and not for replicas.
        assert_eq!(
            server.sql(&database, "SELECT count(*) FROM goodstanding.log"),
            "1"
        );
        away(reader.newer(0));
        away(reader.tip());
        standbys("");
        assert_eq!(reader.newer(0), Ok(Newer::Groups(vec![next(0)])));
        assert_eq!(place.hold().unwrap().0, tip(1));
        assert_eq!(commit(&place), next(1));
    }
}
