//! Reads beside nginx's static file and a bare hyper answer.

use crate::Context;
use crate::bare;
use crate::client::Answer;
use crate::harness::Samples;
use crate::nginx::{self, Nginx};
use crate::results::{Goal, Row};
use crate::service::{Folder, List, Service, bits, is_set, ones, unpacked};
use crate::turns::{Side, Turns, compare, cpu_cell, profile};
use crate::wrk::Requests;

/// So many of 131,072 entries are revoked that the signed list has about 17 KB.
const REVOKED: usize = 26_000;
const LENGTH: u64 = 131_072;

/// A service with a list of 17 KB.
pub(crate) struct Small {
    pub(crate) service: Service,
    pub(crate) list: List,
    pub(crate) revoked: Vec<u64>,
    // After the service, which writes there.
    _folder: Folder,
}

impl Small {
    /// Sets one up.
    pub(crate) fn set_up(context: &Context, settings: &str) -> Self {
        let folder = Folder::prepared(&context.tools, settings);
        let service = folder.serve(&context.tools);
        service.settle();
        let list = service.list(LENGTH);
        let revoked = service.entries(&list, REVOKED);
        service.revoke(&list, &revoked);
        service.shows(&list, &revoked);
        Self {
            service,
            list,
            revoked,
            _folder: folder,
        }
    }
}

pub(crate) fn run(context: &mut Context) {
    let small = Small::set_up(context, "");
    let plain = get(&small, &[]);
    let packed = get(&small, &[("Accept-Encoding", "gzip")]);
    check(&small, &plain, &packed);
    let beside = packed
        .header("content-encoding")
        .map_or_else(|| nginx::packed(&plain.body), |_| packed.body.clone());
    let nginx = Nginx::over(&context.tools, &plain, &beside);
    whole(context, &small, &nginx, "list-identity", None);
    whole(context, &small, &nginx, "list-gzip", Some("gzip"));
    not_modified(context, &small, &nginx);
    look_up(context, &small);
}

fn get(small: &Small, headers: &[(&str, &str)]) -> Answer {
    let mut client = small.service.anybody();
    let answer = client.get(&small.list.path, headers);
    answer.expect("it answers").expect(200)
}

/// The answers that are timed below hold what was revoked, and both are the same document.
fn check(small: &Small, plain: &Answer, packed: &Answer) {
    let shown = bits(plain);
    assert_eq!(ones(&shown), small.revoked.len());
    assert!(small.revoked.iter().all(|index| is_set(&shown, *index)));
    let unpacked = match packed.header("content-encoding") {
        Some("gzip") => unpacked(&packed.body),
        _ => packed.body.clone(),
    };
    assert!(unpacked == plain.body, "both are the same document");
    let length = plain.body.len();
    assert!(
        (16_000..18_500).contains(&length),
        "the list has {length} bytes"
    );
}

/// The list, whole.
fn whole(
    context: &mut Context,
    small: &Small,
    nginx: &Nginx,
    key: &'static str,
    encoding: Option<&str>,
) {
    let headers: Vec<(&str, &str)> = encoding
        .map(|value| ("Accept-Encoding", value))
        .into_iter()
        .collect();
    let (ours, theirs) = sides(small, nginx, &headers, 200);
    let length = get(small, &headers).body.len();
    let what = format!(
        "GET a list of {length} bytes, {}",
        encoding.map_or("gzip not accepted", |_| "gzip accepted")
    );
    let turns = compare(context, &what, &ours, &theirs);
    row(context, key, &what, &turns, 1.0, "≤ nginx's");
    profile(context, key, &ours);
}

/// The list, which the client has already.
fn not_modified(context: &mut Context, small: &Small, nginx: &Nginx) {
    let tag = |answer: Answer| answer.header("etag").expect("a tag").to_owned();
    let ours = tag(get(small, &[]));
    let mut client = crate::client::Client::new(nginx.process.address);
    let theirs = tag(client.get(nginx::PATH, &[]).expect("it answers"));
    let (mut our_side, _) = sides(small, nginx, &[("If-None-Match", &ours)], 304);
    our_side.name = "goodstanding";
    let (_, their_side) = sides(small, nginx, &[("If-None-Match", &theirs)], 0);
    let what = "GET the list with its tag: 304";
    let turns = compare(context, what, &our_side, &their_side);
    row(
        context,
        "not-modified",
        what,
        &turns,
        1.25,
        "≤ 1.25× nginx's",
    );
    profile(context, "not-modified", &our_side);
}

/// Both servers under the same request; each has to answer with this status, ours at least.
fn sides<'a>(
    small: &'a Small,
    nginx: &'a Nginx,
    headers: &[(&str, &str)],
    status: u16,
) -> (Side<'a>, Side<'a>) {
    let side = |name, process: &'a crate::process::Process, path: &str| {
        let mut client = crate::client::Client::new(process.address);
        let answer = client.get(path, headers).expect("it answers");
        let mut requests = Requests::get(path);
        for (name, value) in headers {
            requests = requests.with(name, value);
        }
        (
            answer.status,
            Side {
                name,
                process,
                requests,
                wire: answer.wire,
            },
        )
    };
    let (our_status, ours) = side("goodstanding", &small.service.process, &small.list.path);
    let (their_status, theirs) = side("nginx", &nginx.process, nginx::PATH);
    match status {
        0 => assert_eq!(their_status, 304),
        304 => assert_eq!(our_status, 304),
        _ => assert_eq!((our_status, their_status), (status, status)),
    }
    (ours, theirs)
}

fn row(
    context: &mut Context,
    key: &'static str,
    what: &str,
    turns: &Turns,
    most: f64,
    words: &str,
) {
    let (cpu, throughput) = (turns.cpu(), turns.throughput());
    let figure = format!(
        "{} of CPU, {} nginx's; {} its throughput",
        cpu_cell(&turns.ours),
        cpu.hundredths(),
        throughput.hundredths()
    );
    // Rounds differ by some hundredths; what is equal within them is met.
    let even = |ratio: &Samples, least: f64| ratio.median() >= least;
    let enough = key == "not-modified" || even(&throughput, 0.995);
    let words = match key {
        "not-modified" => format!("CPU {words}"),
        _ => format!("CPU {words}, throughput ≥ nginx's"),
    };
    context.results.row(Row {
        key,
        what: what.to_owned(),
        figure,
        goal: Goal::of(&words, cpu.median() <= most + 0.005 && enough),
    });
}

/// One status, beside a bare server that gives the same answer whatever is asked.
fn look_up(context: &mut Context, small: &Small) {
    let index = small.revoked[0];
    let path = format!("/status?list={}&index={index}", small.list.id);
    let mut client = small.service.anybody();
    let answer = client.get(&path, &[]).expect("it answers").expect(200);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains(r#""outcome":"revoked""#), "{text}");
    let bare = bare::start(&answer);
    let told = crate::client::Client::new(bare.address).get(&path, &[]);
    let told = told.expect("it answers").expect(200);
    assert!(told.body == answer.body && told.wire == answer.wire);
    let side = |name, process| Side {
        name,
        process,
        requests: Requests::get(&path),
        wire: answer.wire,
    };
    let ours = side("goodstanding", &small.service.process);
    let what = "GET /status of one entry";
    let turns = compare(context, what, &ours, &side("bare hyper", &bare));
    let (cpu, throughput) = (turns.cpu(), turns.throughput());
    context.results.row(Row {
        key: "status",
        what: what.to_owned(),
        figure: format!(
            "{} the throughput of a bare hyper answer; {} its CPU",
            throughput.hundredths(),
            cpu.hundredths()
        ),
        goal: Goal::of("≥ 0.9× a bare hyper answer", throughput.median() >= 0.895),
    });
    profile(context, "status", &ours);
}
