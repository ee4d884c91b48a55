//! Who the other side is.

use super::support::{Authority, HOST, House, Server, VALID, document, policy, policy_for};
use crate::net::{Fetcher, Policy, RootsError, TlsProblem, Unreachable};
use crate::time::{ManualClock, Timestamp};

/// Fetches from a server with a certificate by `signer`, trusting `trusted`.
fn fetch(
    (signer, trusted): (&Authority, &Authority),
    name: &str,
    years: (i32, i32),
) -> Result<(), Unreachable> {
    let server = Server::secure(signer.server(name, years), |talk| {
        talk.send(&document(""));
    });
    let house = House::with(policy_for(&[(HOST, &server)], trusted));
    match house.get(&server.url_of(HOST)) {
        Ok(_) => Ok(()),
        Err(crate::net::FetchError::Unreachable(why)) => {
            assert_eq!(server.requests(), [""; 0], "it was asked nonetheless");
            Err(why)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn only_the_one_who_proves_the_name_is_asked() {
    let (ours, theirs) = (Authority::new(), Authority::called("another"));
    let wrong = |reason| {
        Err(Unreachable::Tls {
            host: HOST.into(),
            reason,
        })
    };
    assert_eq!(fetch((&ours, &ours), HOST, VALID), Ok(()));
    let cases = [
        ((&ours, &ours), "other.example", VALID, TlsProblem::Name),
        ((&theirs, &ours), HOST, VALID, TlsProblem::Authority),
        ((&ours, &ours), HOST, (2000, 2001), TlsProblem::Period),
        ((&ours, &ours), HOST, (2100, 2101), TlsProblem::Period),
    ];
    for (authorities, name, years, problem) in cases {
        assert_eq!(
            fetch(authorities, name, years),
            wrong(problem),
            "{problem:?}"
        );
    }
}

#[test]
fn an_authority_of_nobody_is_not_trusted_by_default() {
    let server = Server::secure(Authority::new().server("localhost", VALID), |talk| {
        talk.send(&document(""));
    });
    let url = format!("https://localhost:{}/", server.address.port());
    let expected = Unreachable::Tls {
        host: "localhost".into(),
        reason: TlsProblem::Authority,
    };
    assert_eq!(House::new().get(&url).unwrap_err(), expected.into());
}

#[test]
fn authorities_that_cannot_be_used_are_refused_at_the_start() {
    let start = |extra_roots: &[u8]| {
        let policy = Policy {
            extra_roots: extra_roots.to_vec(),
            ..policy()
        };
        let names = std::sync::Arc::new(super::support::Script::default());
        let clock = std::sync::Arc::new(ManualClock::new(Timestamp::EPOCH));
        Fetcher::new(policy, names, clock).err()
    };
    let good = Authority::new().pem();
    assert_eq!(start(good.as_bytes()), None);
    assert_eq!(start(b"nothing"), Some(RootsError::Empty));
    let cut = good.replace("-----END", "-----");
    assert!(matches!(start(cut.as_bytes()), Some(RootsError::Pem(_))));
    let lines: Vec<_> = good.lines().collect();
    let junk = format!("{good}{}\nAAAA\n{}\n", lines[0], lines[lines.len() - 1]);
    let refused = start(junk.as_bytes());
    assert!(
        matches!(refused, Some(RootsError::Certificate { place: 2, .. })),
        "{refused:?}"
    );
}
