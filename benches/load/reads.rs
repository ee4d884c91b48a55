//! Reads beside nginx's static file and a bare hyper answer.

use crate::Context;
use crate::bare;
use crate::client::{Answer, Client};
use crate::harness::Samples;
use crate::nginx::{self, Nginx};
use crate::process::Process;
use crate::results::{Goal, Row};
use crate::service::{Folder, List, Service, bits, is_set, ones, unpacked};
use crate::turns::{Side, Turns, compare, cpu_cell, profile};
use crate::wrk::Requests;

/// So many of 131,072 entries are revoked that the signed list has about 17 KB.
const REVOKED: usize = 26_000;
const LENGTH: u64 = 131_072;
/// What the servers are called.
const OURS: &str = "goodstanding";
const NGINX: &str = "nginx";

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
    let ours = side(
        OURS,
        &small.service.process,
        &small.list.path,
        &headers,
        200,
    );
    let theirs = side(NGINX, &nginx.process, nginx::PATH, &headers, 200);
    let length = get(small, &headers).body.len();
    let accepted = encoding.map_or("gzip not accepted", |_| "gzip accepted");
    let what = format!("GET a list of {length} bytes, {accepted}");
    let turns = compare(context, &what, &ours, &theirs);
    let met = shown(&turns.cpu()) <= 1.0 && shown(&turns.throughput()) >= 1.0;
    let goal = Goal::of("CPU ≤ nginx's, throughput ≥ nginx's", met);
    row(context, key, &what, &turns, goal);
    profile(context, key, &ours);
}

/// The list, which the client has already.
fn not_modified(context: &mut Context, small: &Small, nginx: &Nginx) {
    let known = |name, process: &'_ Process, path: &str| -> String {
        let answer = Client::new(process.address).get(path, &[]);
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        answer.header("etag").expect("a tag").to_owned()
    };
    let process = &small.service.process;
    let tag = known(OURS, process, &small.list.path);
    let headers = [("If-None-Match", &*tag)];
    let ours = side(OURS, process, &small.list.path, &headers, 304);
    let tag = known(NGINX, &nginx.process, nginx::PATH);
    let headers = [("If-None-Match", &*tag)];
    let theirs = side(NGINX, &nginx.process, nginx::PATH, &headers, 304);
    let what = "GET the list with its tag: 304";
    let turns = compare(context, what, &ours, &theirs);
    let goal = Goal::of("CPU ≤ 1.25× nginx's", shown(&turns.cpu()) <= 1.25);
    row(context, "not-modified", what, &turns, goal);
    profile(context, "not-modified", &ours);
}

/// A server under a request that it answers with this status.
fn side<'a>(
    name: &'static str,
    process: &'a Process,
    path: &str,
    headers: &[(&str, &str)],
    status: u16,
) -> Side<'a> {
    let answer = Client::new(process.address).get(path, headers);
    let answer = answer.expect("it answers");
    assert_eq!(answer.status, status, "{name}");
    let requests = headers
        .iter()
        .fold(Requests::get(path), |requests, (name, value)| {
            requests.with(name, value)
        });
    Side {
        name,
        process,
        requests,
        wire: answer.wire,
    }
}

fn row(context: &mut Context, key: &'static str, what: &str, turns: &Turns, goal: Goal) {
    let figure = format!(
        "{} of CPU, {} nginx's; {} its throughput",
        cpu_cell(&turns.ours),
        turns.cpu().hundredths(),
        turns.throughput().hundredths()
    );
    context.results.row(Row {
        key,
        what: what.to_owned(),
        figure,
        goal,
    });
}

/// A ratio as it is shown, to hundredths, by which it is judged: rounds differ by more than that.
fn shown(ratio: &Samples) -> f64 {
    (ratio.median() * 100.0).round() / 100.0
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
    let told = Client::new(bare.address).get(&path, &[]);
    let told = told.expect("it answers").expect(200);
    assert!(told.body == answer.body && told.wire == answer.wire);
    let ours = side(OURS, &small.service.process, &path, &[], 200);
    let theirs = side("bare hyper", &bare, &path, &[], 200);
    let what = "GET /status of one entry";
    let turns = compare(context, what, &ours, &theirs);
    let (cpu, throughput) = (turns.cpu(), turns.throughput());
    context.results.row(Row {
        key: "status",
        what: what.to_owned(),
        figure: format!(
            "{} the throughput of a bare hyper answer; {} its CPU",
            throughput.hundredths(),
            cpu.hundredths()
        ),
        goal: Goal::of("≥ 0.9× a bare hyper answer", shown(&throughput) >= 0.9),
    });
    profile(context, "status", &ours);
}
