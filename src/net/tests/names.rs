//! Names that are not what they seem.

use super::support::{Authority, Canary, HOST, House, Server, VALID, document, policy, policy_for};
use crate::net::{FetchError, Hosts, Kind, Policy, Refusal, Unreachable};

#[test]
fn what_the_policy_refuses_is_never_resolved() {
    let closed = House::with(Policy::default());
    let public = House::with(Policy {
        hosts: Hosts::Public,
        ..Policy::default()
    });
    for url in [
        "http://example.org/list",
        "http://localhost/list",
        "https://localhost/list",
        "https://127.0.0.1/list",
        "https://0x7f.1/list",
        "https://example.org:8443/list",
        "https://user@example.org/list",
        "https://intranet/list",
        "ftp://example.org/list",
    ] {
        for house in [&closed, &public] {
            let failed = house.get(url).unwrap_err();
            assert!(
                matches!(failed, FetchError::Refused(_)),
                "{url}: {failed:?}"
            );
        }
    }
    let failed = closed.get("https://example.org/list").unwrap_err();
    assert_eq!(failed, Refusal::Nothing.into());
    let development = House::new();
    let failed = development.get("http://example.org/list").unwrap_err();
    assert_eq!(failed, Refusal::Scheme("http".into()).into());
    for house in [closed, public, development] {
        assert_eq!(house.names.queries(), [""; 0]);
    }
}

#[test]
fn a_name_that_resolves_to_what_is_not_public_is_not_connected_to() {
    let canary = Canary::new();
    let house = House::with(Policy {
        hosts: Hosts::Listed(vec![format!("{HOST}:{}", canary.port()).parse().unwrap()]),
        ..Policy::default()
    });
    let url = format!("https://{HOST}:{}/", canary.port());
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["10.1.2.3", "192.168.0.1", "127.0.0.1", "::ffff:127.0.0.1"],
    ] {
        house.names.says(HOST, &[addresses]);
        let failed = house.get(&url).unwrap_err();
        assert_eq!(failed, Refusal::NotPublic(HOST.into()).into());
        assert!(!failed.to_string().contains(addresses[0]), "{failed}");
        house.advance(60);
    }
    assert_eq!(house.names.queries().len(), 5);
    canary.sings();
}

#[test]
fn of_several_addresses_only_the_vetted_are_tried() {
    let authority = Authority::new();
    let server = Server::secure(authority.server(HOST, VALID), |talk| {
        talk.send(&document(""));
    });
    let house = House::with(policy_for(&[(HOST, &server)], &authority));
    // 10.0.0.1 would be tried first, and not answer.
    house
        .names
        .says(HOST, &[&["10.0.0.1", "169.254.169.254", "127.0.0.1"]]);
    house.get(&server.url_of(HOST)).unwrap();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_name_that_changes_its_mind_changes_nothing() {
    let authority = Authority::new();
    let server = Server::secure(authority.server(HOST, VALID), |talk| {
        talk.send(&document("Cache-Control: no-store\r\n"));
    });
    let port = server.address.port();
    let canary = Canary::at(([127, 0, 0, 2], port).into());
    let house = House::with(policy_for(&[(HOST, &server)], &authority));
    house.names.says(HOST, &[&["127.0.0.1"], &["127.0.0.2"]]);
    house.get(&server.url_of(HOST)).unwrap();
    assert_eq!(
        house.names.queries(),
        [HOST],
        "one question for one connection"
    );
    canary.sings();
    // The next connection is vetted anew: from now on the name is somebody private.
    house.names.says(HOST, &[&["192.168.0.1"]]);
    let failed = house.get(&server.url_of(HOST)).unwrap_err();
    assert_eq!(failed, Refusal::NotPublic(HOST.into()).into());
}

#[test]
fn a_name_that_nobody_knows_is_unreachable() {
    let house = House::with(Policy {
        hosts: Hosts::Public,
        ..policy()
    });
    house.names.says("nobody.example", &[&[]]);
    let failed = house
        .fetcher
        .get("https://nobody.example/", Kind::KeySet)
        .unwrap_err();
    assert_eq!(failed, Unreachable::Name("nobody.example".into()).into());
}
