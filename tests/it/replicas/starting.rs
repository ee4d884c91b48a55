//! How replicas begin: the registry is made once, and every one of them shows and makes the same changes.

use std::time::Duration;

use super::{Replicas, until};
use crate::process::folder::ORIGIN;
use crate::process::program::{program, run};
use crate::process::standing::{ISSUER, entries, list, look_up, profile, revocation};
use crate::support::postgres::{Server, programs};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_registry_is_made_once_and_served_by_many() {
    if programs().is_none() {
        return;
    }
    let database = Server::start();
    let replicas = Replicas::prepared(&database.url("postgres"));
    replicas
        .init("first")
        .exits(2)
        .explains(&["holds a registry already"]);
    replicas.init("third").exits(2).explains(&[
        "the database holds a registry already",
        "the same master key",
    ]);

    let (one, two) = (replicas.serve("first", &[]), replicas.serve("second", &[]));
    let (here, there) = (replicas.operator(&one), replicas.operator(&two));
    profile(&here, ISSUER, "issuer");
    until("the profile is there", SOON, || {
        there.get(&format!("/profiles/{ISSUER}")).status == 200
    });
    let list = list(&there, ISSUER);
    let indexes = entries(&there, &list, 10);
    until("the list is here", SOON, || here.get(&list).status == 200);
    let updates = format!("{list}/updates");
    here.post(&updates, &revocation(indexes[0])).json(200);
    there.post(&updates, &revocation(indexes[1])).json(200);
    for replica in [&here, &there] {
        until("both are revoked", SOON, || {
            let found = look_up(replica, &list, &indexes);
            let revoked: Vec<bool> = found.iter().map(|standing| standing.revoked).collect();
            revoked[..2] == [true; 2] && revoked[2..] == [false; 8]
        });
    }
    two.stop().in_order();

    // A copy is nothing but a copy.
    std::fs::remove_dir_all(replicas.data("second").join("copy")).unwrap();
    let two = replicas.serve("second", &[]);
    assert!(look_up(&replicas.operator(&two), &list, &indexes)[1].revoked);
    let ended = two.stop();
    ended.in_order();
    for said in [&ended.out, &ended.err] {
        assert!(!said.contains(&replicas.url), "{said}");
    }

    let examined = |data: &str| {
        let mut doctor = program();
        doctor
            .args(["doctor", "--json", "--data"])
            .arg(replicas.data(data));
        doctor.envs(replicas.settings());
        run(&mut doctor, "")
    };
    let found = examined("second").exits(0);
    assert!(found.out.contains("\"database\""), "{}", found.out);
}

/// Reads go on while the database is away, at a start too; changes are refused, and taken when it is back.
#[test]
fn reads_need_no_database() {
    if programs().is_none() {
        return;
    }
    let mut database = Server::start();
    let replicas = Replicas::prepared(&database.url("postgres"));
    let server = replicas.serve("first", &[]);
    let registry = replicas.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let indexes = entries(&registry, &list, 3);
    let updates = format!("{list}/updates");
    registry.post(&updates, &revocation(indexes[0])).json(200);
    database.kill();
    let refused = registry.post(&updates, &revocation(indexes[1]));
    assert_eq!(
        refused.status,
        503,
        "{:?}",
        String::from_utf8_lossy(&refused.body)
    );
    assert!(look_up(&registry, &list, &indexes)[0].revoked);
    server.stop();

    let server = replicas.serve("first", &[]);
    let registry = replicas.operator(&server);
    assert!(look_up(&registry, &list, &indexes)[0].revoked);
    assert_eq!(registry.post(&updates, &revocation(indexes[1])).status, 503);
    assert_eq!(registry.get(&format!("/profiles/{ISSUER}")).status, 200);
    assert!(registry.get("/").body.len() > ORIGIN.len());
    database.run();
    until("changes are taken again", SOON, || {
        registry.post(&updates, &revocation(indexes[2])).status == 200
    });
    let revoked = look_up(&registry, &list, &indexes);
    assert!(revoked[0].revoked && revoked[2].revoked);
}
