//! What every kind of answer tells browsers, looked over as those do who give sites marks for it: each
//! thing that is amiss takes something off, and nothing is.

use std::collections::BTreeSet;

use goodstanding::http::routes::{CONSOLE_ROUTES, ROUTES};

use super::console::signed_in;
use super::matrix::World;
use super::tls::{Certified, Second};
use crate::support::client::Answer;
use crate::support::house::{House, ORIGIN, Plan};

/// An answer, with how it was asked for.
struct Seen {
    asked: String,
    answer: Answer,
    /// Whether it came over TLS.
    over_tls: bool,
    /// Whether a page of another origin asked.
    from_elsewhere: bool,
}

/// What is looked for: how much it takes off, what it is, and whether it is so.
type Look = (u32, &'static str, fn(&Seen) -> bool);

/// In the manner of Mozilla's Observatory: what it takes off is what that would, or as much as what is
/// nearest to it there.
const LOOKS: &[Look] = &[
    (25, "no policy for what may run and load", |seen| {
        seen.must_be_closed() && seen.policy().is_empty()
    }),
    (20, "a policy that lets in more than is needed", |seen| {
        let lax = ["unsafe-eval", "'unsafe-inline'", "*", "http:", "data:"];
        let scripts = seen.sources_of("script-src");
        !seen.policy().is_empty()
            && (!seen.has_directive("default-src 'none'")
                || lax
                    .iter()
                    .any(|lax| scripts.iter().any(|source| source == lax)))
    }),
    (
        20,
        "a policy under which bases or forms lead elsewhere",
        |seen| {
            seen.is_page()
                && (!seen.has_directive("base-uri 'none'")
                    || seen.sources_of("form-action").is_empty())
        },
    ),
    (20, "may be framed", |seen| {
        seen.must_be_closed()
            && !(seen.has_directive("frame-ancestors 'none'")
                && seen.has("x-frame-options", "DENY"))
    }),
    (5, "its media type may be guessed at", |seen| {
        !seen.has("x-content-type-options", "nosniff")
    }),
    (5, "a body without a media type", |seen| {
        !seen.answer.body.is_empty() && seen.media().is_empty()
    }),
    (5, "text of which the encoding is to be guessed", |seen| {
        let media = seen.media();
        media.starts_with("text/")
            && !media.starts_with("text/event-stream")
            && !media.ends_with("; charset=utf-8")
    }),
    (5, "tells others where somebody came from", |seen| {
        let kept = ["no-referrer", "same-origin"];
        seen.must_be_closed() && !kept.iter().any(|kept| seen.has("referrer-policy", kept))
    }),
    (20, "browsers come back without TLS", |seen| {
        let told = seen.header("strict-transport-security");
        let seconds = told.and_then(|told| told.strip_prefix("max-age=")?.parse().ok());
        seen.over_tls && seconds.unwrap_or(0_u64) < 15_768_000
    }),
    (5, "speaks of TLS where there is none", |seen| {
        !seen.over_tls && seen.header("strict-transport-security").is_some()
    }),
    (20, "a cookie for those who only look", |seen| {
        let cookies = seen.headers("set-cookie");
        !seen.may_set_cookies() && !cookies.is_empty()
    }),
    (
        20,
        "a cookie that scripts or other sites may use, or that goes without TLS",
        |seen| {
            let kept = ["Secure", "HttpOnly", "SameSite="];
            let cookies = seen.headers("set-cookie");
            cookies
                .iter()
                .any(|cookie| kept.iter().any(|kept| !cookie.contains(kept)))
        },
    ),
    (
        50,
        "everybody may read it, and with somebody's cookies",
        |seen| {
            seen.header("access-control-allow-credentials").is_some()
                || !matches!(seen.header("access-control-allow-origin"), None | Some("*"))
        },
    ),
    (20, "a page that pages elsewhere may read", |seen| {
        seen.is_page() && seen.header("access-control-allow-origin").is_some()
    }),
    (
        20,
        "public data that pages elsewhere may not read",
        |seen| {
            let open = seen.has("access-control-allow-origin", "*")
                && seen.has("cross-origin-resource-policy", "cross-origin");
            seen.is_public_data() && !open
        },
    ),
    (5, "may be embedded elsewhere", |seen| {
        let shut = seen.has("cross-origin-resource-policy", "same-origin");
        !seen.is_public_data() && !seen.from_elsewhere && !shut
    }),
    (5, "a page whose window others hold", |seen| {
        let shut = seen.has("cross-origin-opener-policy", "same-origin");
        seen.is_page() && !seen.asked.contains("/oauth/authorize") && !shut
    }),
    (5, "a page that may use what it does not need", |seen| {
        let features = seen.header("permissions-policy").unwrap_or_default();
        seen.is_page()
            && !["camera=()", "geolocation=()", "microphone=()"]
                .iter()
                .all(|off| features.contains(off))
    }),
    (5, "says what program it is", |seen| {
        ["server", "x-powered-by", "via"]
            .iter()
            .any(|name| seen.header(name).is_some())
    }),
    (5, "says the same thing twice", |seen| {
        let mut names = BTreeSet::new();
        let once = |(name, _): &&(String, String)| name != "set-cookie";
        seen.answer
            .headers
            .iter()
            .filter(once)
            .any(|(name, _)| !names.insert(name))
    }),
];

impl Seen {
    fn plain((method, path): (&str, &str), answer: Answer) -> Self {
        Self {
            asked: format!("{method} {path}"),
            answer,
            over_tls: false,
            from_elsewhere: false,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    fn headers(&self, name: &str) -> Vec<&str> {
        let all = self.answer.headers.iter();
        all.filter(|(named, _)| named == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.header(name) == Some(value)
    }

    fn media(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    fn is_page(&self) -> bool {
        self.media().starts_with("text/html")
    }

    /// What everybody may keep, other than pages; also where it is not sent again.
    fn is_public_data(&self) -> bool {
        let kept = self.header("cache-control").unwrap_or_default();
        let was_page = self.answer.status == 304 && !self.policy().is_empty();
        kept.starts_with("public") && !self.is_page() && !was_page
    }

    fn must_be_closed(&self) -> bool {
        !self.is_public_data() || self.media().starts_with("image/svg+xml")
    }

    fn policy(&self) -> &str {
        self.header("content-security-policy").unwrap_or_default()
    }

    fn has_directive(&self, directive: &str) -> bool {
        self.policy().split(';').any(|one| one.trim() == directive)
    }

    fn sources_of(&self, directive: &str) -> Vec<String> {
        let found = self
            .policy()
            .split(';')
            .find_map(|one| one.trim().strip_prefix(directive));
        found
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }

    /// Where people sign in, and what they see then.
    fn may_set_cookies(&self) -> bool {
        ["/console", "/oauth/"]
            .iter()
            .any(|part| self.asked.contains(part))
    }
}

/// What is amiss, a line for each: what it takes off, what, and where.
fn marks(seen: &[Seen]) -> Vec<String> {
    let all = seen.iter().flat_map(|seen| {
        let amiss = LOOKS.iter().filter(|(_, _, is_so)| is_so(seen));
        amiss.map(|(off, what, _)| {
            format!("-{off}: {what}: {}: {:?}", seen.asked, seen.answer.headers)
        })
    });
    all.collect()
}

#[track_caller]
fn are_without_fault(seen: &[Seen]) {
    let marks = marks(seen);
    assert!(
        marks.is_empty(),
        "{} of {}:\n{}",
        marks.len(),
        seen.len(),
        marks.join("\n")
    );
}

/// Asks in every way that makes a difference: as a program, as a browser, from a page elsewhere, for
/// the head alone, again with the tag of what came, and what may be done there.
fn every_way(house: &House, (method, path): (&str, &str), target: &str) -> Vec<Seen> {
    let ask = |method: &str, fields: &[(&str, &str)]| {
        let mut call = house.call(method, target);
        for (name, value) in fields {
            call = call.header(name, *value);
        }
        Seen {
            asked: format!("{method} {path} {fields:?}"),
            answer: call.send(),
            over_tls: false,
            from_elsewhere: fields.iter().any(|(name, _)| *name == "Origin"),
        }
    };
    let elsewhere = ("Origin", "https://elsewhere.example");
    let page = ("Accept", "text/html");
    let mut seen = vec![
        ask(method, &[]),
        ask(method, &[page]),
        ask(method, &[elsewhere]),
        ask(method, &[page, elsewhere]),
        ask(
            "OPTIONS",
            &[elsewhere, ("Access-Control-Request-Method", method)],
        ),
        ask("PATCH", &[]),
    ];
    if method == "GET" {
        seen.push(ask("HEAD", &[page]));
        for at in [0, 1] {
            let Some(tag) = seen[at].header("etag").map(str::to_owned) else {
                continue;
            };
            let accept = [("Accept", "*/*"), page][at];
            let again = ask("GET", &[accept, ("If-None-Match", &tag)]);
            assert_eq!(again.answer.status, 304, "{}", again.asked);
            seen.push(again);
        }
    }
    seen
}

/// Every route, by somebody who may and by somebody who may not.
#[test]
fn no_answer_of_any_route_has_a_fault() {
    let world = World::build();
    let read = world.opens();
    let mut seen = Vec::new();
    for route in ROUTES {
        let at = (route.method, route.path);
        match world.sample(route) {
            Some(sample) => {
                seen.extend(every_way(&read, at, &sample.target));
                let house = world.opens();
                let mut call = house.call(route.method, &sample.target);
                call = call.token(&world.operator);
                if let Some(body) = &sample.body {
                    call = call.json(body);
                }
                seen.push(Seen::plain(at, call.send()));
            }
            None => seen.extend(every_way(&read, at, &world.there(route.path))),
        }
    }
    for target in [
        "/nowhere",
        "/status-lists/nothing",
        "/status?list=x",
        "/docs?what=1",
    ] {
        seen.extend(every_way(&read, ("GET", target), target));
    }
    let kinds: BTreeSet<(u16, &str)> = seen
        .iter()
        .map(|seen| {
            (
                seen.answer.status,
                seen.media().split(';').next().unwrap_or_default(),
            )
        })
        .collect();
    for kind in [
        (200, "text/html"),
        (200, "application/vc"),
        (200, "application/json"),
        (200, "text/css"),
        (204, ""),
        (304, ""),
        (401, "application/problem+json"),
        (404, "text/html"),
        (405, "application/problem+json"),
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
    }
    are_without_fault(&seen);
}

/// The pages of those who sign in, to them and to everybody else.
#[test]
fn no_page_of_the_console_has_a_fault() {
    let house = House::open();
    let school = house.registrar("school");
    let ada = signed_in(&school, "owner");
    let mut seen = Vec::new();
    for route in CONSOLE_ROUTES {
        let at = (route.method, route.path);
        let target = route.path.replace(['{', '}'], "");
        seen.extend(every_way(&house, at, &target));
        let answer = match route.method {
            "GET" => ada.get(&target),
            _ => ada.posts(&target, &[]),
        };
        seen.push(Seen::plain(at, answer));
    }
    let shown = |seen: &&Seen| seen.is_page() && seen.answer.status == 200;
    assert!(seen.iter().filter(shown).count() > 5, "nobody was let in");
    are_without_fault(&seen);
}

/// Who comes by TLS is told to do so from now on; on localhost, where others serve, too, nobody is.
#[test]
fn browsers_are_told_to_come_by_tls() {
    let certified = Certified::new();
    let world = World::build();
    let targets = [
        "/",
        "/docs",
        "/assets/style.css",
        "/health/live",
        "/nowhere",
        "/keys",
    ];
    let lists = ["/status-lists/{list}", "/status", "/profiles/{profile}"];
    let there = lists.map(|path| world.there(path));
    let plain = |target: &'static str| (target, &[][..]);
    let mut asked: Vec<(&str, &[(&str, &str)])> = targets.map(plain).into();
    asked.extend(
        there
            .iter()
            .map(|target| (target.trim_start_matches(ORIGIN), &[][..])),
    );
    let page: &[(&str, &str)] = &[("accept", "text/html")];
    asked.extend(["/", "/nowhere"].map(|target| (target, page)));

    let house = world.plans().secured(certified.tls()).open();
    let answers = Second::open(&house, &certified).get(&asked);
    let seen = asked
        .iter()
        .zip(answers)
        .map(|((target, fields), answer)| Seen {
            asked: format!("{target} {fields:?} over TLS"),
            over_tls: true,
            from_elsewhere: false,
            answer,
        });
    are_without_fault(&seen.collect::<Vec<_>>());

    let house = Plan::new().secured(certified.tls()).in_development().open();
    for answer in Second::open(&house, &certified).get(&asked) {
        assert_eq!(
            answer.header("strict-transport-security"),
            None,
            "{answer:?}"
        );
    }
}

/// The looks themselves: each finds what it is for, in answers that have it.
#[test]
fn each_look_finds_what_is_amiss() {
    let answer = |over_tls: bool, lines: &[(&str, &str)]| Seen {
        asked: "GET /".to_owned(),
        answer: Answer {
            status: 200,
            headers: lines
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: b"x".to_vec(),
        },
        over_tls,
        from_elsewhere: false,
    };
    let html = ("content-type", "text/html");
    let cases = [
        answer(true, &[]),
        answer(
            false,
            &[
                ("strict-transport-security", "max-age=1"),
                ("server", "x"),
                html,
                html,
            ],
        ),
        answer(
            false,
            &[
                html,
                ("content-security-policy", "default-src *"),
                ("set-cookie", "a=b"),
            ],
        ),
        answer(
            false,
            &[
                html,
                ("access-control-allow-origin", "https://elsewhere.example"),
            ],
        ),
        answer(false, &[("cache-control", "public, max-age=1")]),
    ];
    for (off, what, is_so) in LOOKS {
        assert!(*off > 0 && cases.iter().any(is_so), "{what}");
    }
}
