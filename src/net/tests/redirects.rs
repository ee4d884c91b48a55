//! Servers that send us elsewhere.

use super::support::{
    Authority, Canary, HOST, House, Server, VALID, answer, document, policy, policy_for,
};
use crate::net::{FetchError, Policy, Refusal};

const OTHER: &str = "other.example";

fn redirect(to: &str) -> Vec<u8> {
    answer("302 Found", &format!("Location: {to}\r\n"), b"")
}

/// The reason why a redirect is not followed.
fn refusal(failed: Result<crate::net::Fetched, FetchError>) -> Refusal {
    match failed {
        Err(FetchError::Refused(Refusal::RedirectTo { reason, .. })) => *reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_redirect_is_followed_by_default_and_the_error_says_where_it_led() {
    let canary = Canary::new();
    let to = format!("http://127.0.0.1:{}/a?secret=1", canary.port());
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let moved = answer(status, &format!("Location: {to}\r\n"), b"");
        let server = Server::saying(vec![moved]);
        let failed = House::new().get(&server.url()).unwrap_err();
        let expected = Refusal::Redirect {
            to: format!("http://127.0.0.1:{}/a", canary.port()),
            followed: 0,
        };
        assert_eq!(failed, expected.into(), "{status}");
    }
    canary.sings();
}

#[test]
fn a_redirect_to_metadata_is_refused_before_anything_is_asked() {
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
    ] {
        let server = Server::saying(vec![redirect(to)]);
        let house = House::with(Policy {
            redirects: 3,
            ..policy()
        });
        assert_eq!(
            refusal(house.get(&server.url())),
            Refusal::IpLiteral,
            "{to}"
        );
        assert_eq!(house.names.queries(), ["localhost"]);
    }
}

#[test]
fn a_redirect_never_leads_from_elsewhere_to_this_machine() {
    let (authority, canary) = (Authority::new(), Canary::new());
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        for scheme in ["http", "https"] {
            let to = format!("{scheme}://{host}:{}/", canary.port());
            let server = Server::secure(authority.server(HOST, VALID), move |talk| {
                talk.send(&redirect(&to));
            });
            let house = House::with(Policy {
                redirects: 3,
                ..policy_for(&[(HOST, &server)], &authority)
            });
            let refused = refusal(house.get(&server.url_of(HOST)));
            assert_eq!(refused, Refusal::Downgrade, "{scheme}://{host}");
        }
    }
    canary.sings();
}

#[test]
fn each_hop_is_vetted_like_the_first() {
    let authority = Authority::new();
    let end = Server::secure(authority.server(OTHER, VALID), |talk| {
        talk.send(&document("Cache-Control: max-age=3600\r\nETag: \"1\"\r\n"));
    });
    let to = end.url_of(OTHER);
    let start = Server::secure(authority.server(HOST, VALID), move |talk| {
        talk.send(&redirect(&to));
    });
    let house = House::with(Policy {
        redirects: 1,
        ..policy_for(&[(HOST, &start), (OTHER, &end)], &authority)
    });
    let got = house.get(&start.url_of(HOST)).unwrap();
    assert_eq!(got.url, end.url_of(OTHER));
    assert_eq!(house.names.queries(), [HOST, OTHER]);
    // Where it led is asked again soon, whatever stands there says.
    house.advance(59);
    house.get(&start.url_of(HOST)).unwrap();
    assert_eq!(start.connections(), 1);
    house.advance(1);
    house.get(&start.url_of(HOST)).unwrap();
    assert_eq!((start.connections(), end.connections()), (2, 2));
    assert!(
        !start.requests()[1].contains("if-none-match"),
        "the tag is the other's"
    );

    let unlisted = House::with(Policy {
        redirects: 1,
        ..policy_for(&[(HOST, &start)], &authority)
    });
    let refused = refusal(unlisted.get(&start.url_of(HOST)));
    assert_eq!(refused, Refusal::Host(OTHER.into()));

    let rebound = House::with(Policy {
        redirects: 1,
        ..policy_for(&[(HOST, &start), (OTHER, &end)], &authority)
    });
    rebound.names.says(OTHER, &[&["10.0.0.7"]]);
    let failed = rebound.get(&start.url_of(HOST)).unwrap_err();
    assert_eq!(failed, Refusal::NotPublic(OTHER.into()).into());
    assert_eq!(end.connections(), 2);
}

#[test]
fn a_loop_of_redirects_ends() {
    let server = Server::saying(vec![redirect("/again")]);
    let house = House::with(Policy {
        redirects: 3,
        ..policy()
    });
    let failed = house.get(&server.url()).unwrap_err();
    let expected = Refusal::Redirect {
        to: format!("http://localhost:{}/again", server.address.port()),
        followed: 3,
    };
    assert_eq!(failed, expected.into());
    assert_eq!(server.connections(), 4);
}

#[test]
fn a_redirect_to_nowhere_is_an_error() {
    for to in [
        "https://",
        "http://[",
        "https://u:p@other.example/",
        "ftp://other.example/",
    ] {
        let server = Server::saying(vec![redirect(to)]);
        let house = House::with(Policy {
            redirects: 3,
            ..policy()
        });
        let failed = house.get(&server.url()).unwrap_err();
        assert!(matches!(failed, FetchError::Refused(_)), "{to}: {failed:?}");
        assert!(!failed.to_string().contains("u:p"), "{failed}");
    }
}
