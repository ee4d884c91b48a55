//! What is answered at once, beside what the routes answer to the same request.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use warp::filters::BoxedFilter;

use super::Hot;
use crate::http::edge::{Edge, Mode};
use crate::http::feeds::Feeds;
use crate::http::measured::Tally;
use crate::http::service;
use crate::ids::ListId;
use crate::registry::{AlsoPublished, ListForm, NewList, testing};
use crate::status::StatusPurpose;
use crate::time::{ManualClock, Ttl};

/// A registry with one list in all its forms, and both ways to ask for it.
struct House {
    edge: Arc<Edge>,
    clock: Arc<ManualClock>,
    hot: Hot,
    routes: BoxedFilter<(warp::reply::Response,)>,
    list: ListId,
    runtime: Runtime,
}

/// Status, headers in their order, and bytes.
type Whole = (StatusCode, Vec<(String, Bytes)>, Bytes);

impl House {
    fn open(mode: Mode) -> Self {
        let (registry, clock, _) = testing::in_memory();
        let operator = testing::operator();
        let school = testing::school(&registry, "school");
        let also = AlsoPublished {
            token: true,
            status_2021: true,
            ..AlsoPublished::default()
        };
        let new = NewList {
            also,
            ..NewList::usual(school, StatusPurpose::Revocation)
        };
        let list = registry.create_list(&operator, &new).unwrap().id;
        let edge = Arc::new(Edge {
            mode,
            ..Edge::usual(Arc::new(registry))
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let feeds = Feeds::start(edge.registry.clone(), &edge.limits);
        let routes = service::filter(edge.clone(), feeds);
        drop(_inside);
        Self {
            hot: Hot::new(&edge),
            edge,
            clock,
            routes,
            list,
            runtime,
        }
    }

    fn at_once(&self, request: &Request<Empty<Bytes>>) -> Option<Whole> {
        let answer = self.hot.answer(&self.edge, request, &Tally::default())?;
        let (head, body) = answer.into_parts();
        Some((head.status, in_order(&head.headers), body))
    }

    fn by_routes(&self, request: Request<Empty<Bytes>>) -> Whole {
        let answer = warp::service(self.routes.clone()).oneshot(request);
        let (head, body) = self.runtime.block_on(answer).unwrap().into_parts();
        let body = self.runtime.block_on(body.collect()).unwrap().to_bytes();
        (head.status, in_order(&head.headers), body)
    }

    /// Asks both ways; whether it was answered at once. The routes are asked first, so that what they make
    /// ready is.
    #[track_caller]
    fn agree(&self, request: &Request<Empty<Bytes>>) -> bool {
        let by_routes = self.by_routes(request.clone());
        let at_once = self.at_once(request);
        let said = at_once.is_some();
        if let Some(at_once) = at_once {
            assert_eq!(at_once, by_routes, "{request:?}");
        }
        said
    }

    fn paths(&self) -> [String; 3] {
        let list = self.list;
        [
            format!("/status-lists/{list}"),
            format!("/status-lists/{list}/2021"),
            format!("/token-status-lists/{list}"),
        ]
    }
}

fn in_order(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    let each = headers.iter();
    each.map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())))
        .collect()
}

fn asks(method: &str, target: &str, headers: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Empty::new()).unwrap()
}

const ACCEPTS: &[&str] = &[
    "*/*",
    "",
    "application/vc",
    "application/json",
    "application/ld+json;q=0.3, application/vc+jwt",
    "application/vc+jwt",
    "application/statuslist+cwt",
    "application/statuslist+jwt;q=0.5, application/statuslist+cwt;q=0.4",
    "application/*;q=0.1",
    "text/html",
    "nonsense",
];

const CODINGS: &[&str] = &[
    "gzip",
    "gzip, deflate, br",
    "br",
    "identity",
    "*",
    "*;q=0",
    "gzip;q=0",
    "gzip, identity;q=0",
    "identity;q=0",
];

#[test]
fn what_is_ready_is_answered_at_once_and_as_the_routes_answer_it() {
    let house = House::open(Mode::Production);
    let mut at_once = 0;
    for path in house.paths() {
        for method in ["GET", "HEAD"] {
            for accept in ACCEPTS {
                for coding in CODINGS {
                    let pair = [("accept", *accept), ("accept-encoding", *coding)];
                    for headers in [&pair[..], &pair[..1], &pair[1..], &[]] {
                        let request = asks(method, &path, headers);
                        let (status, said, _) = house.by_routes(request.clone());
                        let answered = house.agree(&request);
                        assert_eq!(answered, status == StatusCode::OK, "{request:?}");
                        at_once += usize::from(answered);
                        let tag = said.iter().find(|(name, _)| name == "etag");
                        let Some((_, tag)) = tag else { continue };
                        let tag = std::str::from_utf8(tag).unwrap();
                        let mut again = request.clone();
                        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\" , {tag}")]
                        {
                            again
                                .headers_mut()
                                .insert("if-none-match", known.parse().unwrap());
                            assert!(house.agree(&again));
                            let (status, ..) = house.at_once(&again).unwrap();
                            assert_eq!(status, StatusCode::NOT_MODIFIED, "{again:?}");
                        }
                    }
                }
            }
        }
    }
    assert!(at_once > 500, "{at_once}");
}

#[test]
fn what_is_not_plain_is_left_to_the_routes() {
    let house = House::open(Mode::Production);
    let [path, of_2021, token] = house.paths();
    // Made ready by whoever asks first.
    for request in [&path, &of_2021, &token] {
        house.by_routes(asks("GET", request, &[("accept-encoding", "gzip")]));
    }
    let upper = path
        .to_uppercase()
        .replace("/STATUS-LISTS/", "/status-lists/");
    for (method, target, headers) in [
        ("POST", path.as_str(), &[][..]),
        ("OPTIONS", &path, &[]),
        (
            "GET",
            &format!("{path}?timestamp=2026-03-01T09:00:00Z"),
            &[],
        ),
        ("GET", &format!("{path}?x=1"), &[]),
        ("GET", &format!("{path}/"), &[]),
        ("GET", &format!("{path}/2022"), &[]),
        ("GET", &format!("{path}%20"), &[]),
        ("GET", &upper, &[]),
        ("GET", "/status-lists/zzzzzzzzzzzzzzzzzzzz", &[]),
        ("GET", "/status-lists/00000000000000000000", &[]),
        ("GET", &token, &[("authorization", "Bearer x")]),
        ("GET", &token, &[("authorization", "")]),
        ("GET", &path, &[("expect", "100-continue")]),
        ("GET", &path, &[("host", "a"), ("host", "a")]),
        ("GET", &path, &[("accept", "text/html")]),
        ("GET", &path, &[("accept-encoding", "identity;q=0")]),
    ] {
        let request = asks(method, target, headers);
        assert!(!house.agree(&request), "{request:?}");
        assert_ne!(
            house.by_routes(request).0,
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
    for (target, headers) in [
        (format!("{path}?"), &[("host", "anywhere.example")][..]),
        (path.clone(), &[("origin", "https://page.example")]),
        (path.clone(), &[("if-none-match", "*")]),
        (
            path.clone(),
            &[("if-none-match", "\"a\""), ("if-none-match", "*")],
        ),
        (
            path,
            &[
                ("range", "bytes=0-1"),
                ("if-modified-since", "Sun, 01 Mar 2026 09:00:00 GMT"),
            ],
        ),
    ] {
        let request = asks("GET", &target, headers);
        assert!(house.agree(&request), "{request:?}");
    }
}

#[test]
fn what_has_ended_is_not_answered_at_once() {
    let house = House::open(Mode::Production);
    let [path, ..] = house.paths();
    let request = asks("GET", &path, &[]);
    assert!(house.agree(&request));
    let week = Ttl::from_seconds(7 * 86_400);
    // In its last seconds it is fresh for no longer than it holds.
    house.clock.advance(Ttl::from_millis(week.millis() - 2_500));
    assert!(house.agree(&request));
    let (_, headers, _) = house.at_once(&request).unwrap();
    let fresh = headers.iter().find(|(name, _)| name == "cache-control");
    assert_eq!(fresh.unwrap().1, "public, max-age=2");
    house.clock.advance(Ttl::from_millis(2_500));
    assert!(house.at_once(&request).is_none());
    // The routes sign it again, and then it is ready.
    assert!(house.agree(&request));
}

#[test]
fn in_development_pages_of_others_are_refused_here_too() {
    let house = House::open(Mode::Development);
    let [path, ..] = house.paths();
    let local = ("host", "localhost:8080");
    for (headers, answered) in [
        (&[][..], false),
        (&[local], true),
        (&[("host", "127.0.0.1")], true),
        (&[("host", "rebound.example")], false),
        (&[local, ("origin", "http://localhost:8080")], true),
        (&[local, ("origin", "https://page.example")], false),
    ] {
        let request = asks("GET", &path, headers);
        assert_eq!(house.agree(&request), answered, "{request:?}");
    }
}

#[test]
fn gzip_is_made_by_who_asks_for_it_first() {
    let house = House::open(Mode::Production);
    let [path, ..] = house.paths();
    let request = asks("GET", &path, &[("accept-encoding", "gzip")]);
    assert!(house.at_once(&request).is_none());
    house.by_routes(request.clone());
    let (_, headers, body) = house.at_once(&request).unwrap();
    assert!(headers.contains(&("content-encoding".into(), "gzip".into())));
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut plain).unwrap();
    let list = house
        .edge
        .registry
        .published_list(house.list, ListForm::Bitstring)
        .unwrap();
    assert_eq!(plain, list.body);
}

#[test]
fn an_entry_of_a_list_in_memory_is_answered_at_once() {
    let house = House::open(Mode::Production);
    let list = house.edge.registry.urls().list(house.list);
    let encoded = list.replace(':', "%3A").replace('/', "%2f");
    let plain = format!("/status?list={list}&index=7");
    let request = asks("GET", &plain, &[]);
    assert!(house.at_once(&request).is_none(), "nobody has asked for it");
    assert!(house.agree(&request));
    let (.., body) = house.at_once(&request).unwrap();
    let expected = r#"{"status":0,"purpose":"revocation","valid":true,"outcome":"active","revision":1,"asOf":"2026-03-01T09:00:00Z"}"#;
    assert_eq!(body, expected);
    house.clock.advance(Ttl::from_millis(20));
    for (target, headers) in [
        (plain.clone(), &[][..]),
        (
            plain.clone(),
            &[("accept", "text/html"), ("origin", "https://page.example")],
        ),
        (plain.clone(), &[("if-none-match", "*")]),
        (format!("/status?index=131071&list={list}"), &[]),
        (format!("/status?list={encoded}&index=007"), &[]),
    ] {
        for method in ["GET", "HEAD"] {
            let request = asks(method, &target, headers);
            assert!(house.agree(&request), "{request:?}");
        }
    }
    for (target, headers) in [
        (plain.clone(), &[("authorization", "Bearer x")][..]),
        (plain.clone(), &[("host", "a"), ("host", "a")]),
        (plain.replace("/status?", "/status/?"), &[]),
        (plain.replace("index=7", "index=131072"), &[]),
        (plain.replace("index=7", "index=18446744073709551616"), &[]),
        (plain.replace("index=7", "index=%37"), &[]),
        (plain.replace("index=7", "index="), &[]),
        (plain.replace("index=7", "index=-1"), &[]),
        (plain.replace("index=7", "index=+7"), &[]),
        (plain.replace("index=7", "index"), &[]),
        (plain.replace("index=7", ""), &[]),
        (plain.replace("&index", ";index"), &[]),
        (format!("{plain}&at=2026-03-01T09:00:00Z"), &[]),
        (format!("{plain}&index=8"), &[]),
        (format!("{plain}&list={list}"), &[]),
        (format!("{plain}&issuer=school"), &[]),
        (format!("{plain}&other=1"), &[]),
        (format!("{plain}&"), &[]),
        (plain.replace("list=", "%6Cist="), &[]),
        (plain.replace("https", "http"), &[]),
        (plain.replace("registry.example", "elsewhere.example"), &[]),
        (plain.replace("registry", "registry%"), &[]),
        (plain.replace("registry", "registry%f"), &[]),
        (plain.replace("registry", "registry%ff"), &[]),
        (plain.replace("registry", "+registry"), &[]),
        (
            plain.replace("/status-lists", &format!("%2F{}", "a".repeat(600))),
            &[],
        ),
        (
            plain.replace(&house.list.to_string(), "00000000000000000000"),
            &[],
        ),
        ("/status?credential=urn:x".to_owned(), &[]),
        ("/status".to_owned(), &[]),
        ("/status?".to_owned(), &[]),
    ] {
        let request = asks("GET", &target, headers);
        assert!(!house.agree(&request), "{request:?}");
    }
    for method in ["POST", "OPTIONS", "DELETE"] {
        assert!(!house.agree(&asks(method, &plain, &[])));
    }
}

/// What a header may hold, near to what is understood.
fn header() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "gzip",
        "x-gzip",
        "GZIP",
        "identity",
        "*",
        "br",
        "*/*",
        "application/*",
        "application/vc",
        "application/json",
        "application/vc+jwt",
        "application/statuslist+cwt",
        "text/html",
        ";q=0",
        ";q=0.5",
        ";q=1",
        "; q=0.001",
        ";q=x",
        ";v=1",
        ",",
        ", ",
        " ",
        "",
        "\"",
        "W/",
        "\"*\"",
        "application/statuslist+jwt",
        "-gzip\"",
        "\u{e9}",
    ]);
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

#[test]
fn however_it_is_asked_both_agree() {
    let house = House::open(Mode::Production);
    let paths = house.paths();
    let several = || prop::collection::vec(header(), 0..3);
    let questions = (0..3_usize, any::<bool>(), several(), several(), several());
    let config = ProptestConfig::with_cases(600);
    proptest!(config, |((path, head, accepts, codings, known) in questions)| {
        let method = if head { "HEAD" } else { "GET" };
        let mut request = asks(method, &paths[path], &[]);
        for (name, lines) in [("accept", accepts), ("accept-encoding", codings), ("if-none-match", known)] {
            for line in lines {
                if let Ok(value) = http::HeaderValue::from_bytes(line.as_bytes()) {
                    request.headers_mut().append(name, value);
                }
            }
        }
        house.agree(&request);
    });
}

#[test]
fn however_an_entry_is_asked_for_both_agree() {
    let house = House::open(Mode::Production);
    let list = house.edge.registry.urls().list(house.list);
    house.agree(&asks("GET", &format!("/status?list={list}&index=1"), &[]));
    let parts = prop::sample::select(vec![
        "list=LIST",
        "index=7",
        "&",
        "&list=LIST",
        "&index=131071",
        "list=",
        "index=",
        "LIST",
        "%2F",
        "%",
        "+",
        "=",
        "at=",
        "2026-03-01T09:00:00Z",
        "credential=",
        "1",
        "0",
        "/",
        "https://registry.example",
    ]);
    let plain = Just(vec!["list=LIST", "&index=131071"]);
    let queries = prop_oneof![1 => plain, 4 => prop::collection::vec(parts, 0..6)];
    proptest!(ProptestConfig::with_cases(600), |(query in queries, spelled in any::<bool>())| {
        let list = if spelled { list.replace(':', "%3a") } else { list.clone() };
        let query = query.concat().replace("LIST", &list);
        house.agree(&asks("GET", &format!("/status?{query}"), &[]));
    });
}
