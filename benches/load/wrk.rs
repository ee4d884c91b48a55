//! wrk, and what it tells.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::process::Process;
use crate::tools::Tools;

/// Requests of one kind.
#[derive(Clone)]
pub(crate) struct Requests {
    /// The path; where there are `paths`, the first of them.
    pub(crate) path: String,
    /// Paths that are asked for in turns; none: the one.
    pub(crate) paths: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    /// JSON bodies that are posted in turns; none: a GET.
    pub(crate) bodies: Vec<String>,
    pub(crate) connections: u32,
}

impl Requests {
    /// GETs of a path over 64 connections.
    pub(crate) fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            paths: Vec::new(),
            headers: Vec::new(),
            bodies: Vec::new(),
            connections: 64,
        }
    }

    /// GETs of these paths in turns.
    pub(crate) fn get_each(paths: Vec<String>) -> Self {
        Self {
            path: paths.first().expect("there are paths").clone(),
            paths,
            ..Self::get("")
        }
    }

    /// POSTs of these bodies in turns over 16 connections.
    pub(crate) fn post(path: &str, bodies: Vec<String>) -> Self {
        Self {
            bodies,
            connections: 16,
            ..Self::get(path)
        }
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What came of a run, with what the server used for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Bytes that were read, heads included.
    pub(crate) bytes: u64,
    /// CPU time of the server.
    pub(crate) cpu: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
}

impl Ran {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Seconds of the server's CPU time for each request.
    pub(crate) fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() / self.requests as f64
    }
}

/// Puts requests before a server for so many seconds. Everything has to be answered, by a status
/// below 400.
pub(crate) fn run(
    tools: &Tools,
    folder: &Path,
    server: &Process,
    requests: &Requests,
    seconds: u64,
) -> Ran {
    let script = script(folder, requests);
    let mut command = tools.wrk();
    command
        .args(["-t2", &format!("-c{}", requests.connections)])
        .args([&format!("-d{seconds}s"), "--timeout", "30s", "-s"])
        .arg(script)
        .arg(format!("http://{}{}", server.address, requests.path));
    let before = server.cpu();
    let output = command.output().expect("wrk can be started");
    let cpu = server.cpu().saturating_sub(before);
    let out = String::from_utf8_lossy(&output.stdout);
    let told = out.lines().rev().find(|line| line.starts_with('{'));
    let told: Value = told
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| panic!("wrk says {out} {}", String::from_utf8_lossy(&output.stderr)));
    let number = |name: &str| told[name].as_f64().expect("the script writes it");
    assert_eq!(number("errors"), 0.0, "{}: {told}", requests.path);
    let micros = |name: &str| Duration::from_secs_f64(number(name) / 1e6);
    Ran {
        requests: number("requests") as u64,
        seconds: number("duration") / 1e6,
        bytes: number("bytes") as u64,
        cpu,
        p50: micros("p50"),
        p99: micros("p99"),
        p999: micros("p999"),
    }
}

/// A script for wrk: the headers, what is asked in turns (each thread begins at a place of its own), and at the end
/// one line of JSON. A GET is written once and sent again and again.
fn script(folder: &Path, requests: &Requests) -> PathBuf {
    let mut lua = String::new();
    for (name, value) in &requests.headers {
        writeln!(lua, "wrk.headers[{}] = {}", quoted(name), quoted(value)).expect("a text grows");
    }
    let (each, makes) = match (requests.paths.is_empty(), requests.bodies.is_empty()) {
        (true, true) => (&Vec::new(), None),
        (true, false) => (&requests.bodies, Some(POST)),
        (false, _) => (&requests.paths, Some(GET)),
    };
    if let Some(makes) = makes {
        let file = folder.join("each");
        fs::write(&file, each.join("\n")).expect("the folder can be written");
        let place = quoted(file.to_str().expect("a path of text"));
        writeln!(lua, "local place = {place}\n{makes}\n{IN_TURNS}").expect("a text grows");
    }
    lua.push_str(DONE);
    let file = folder.join("requests.lua");
    fs::write(&file, lua).expect("the folder can be written");
    file
}

const GET: &str = r#"
local function made(line) return wrk.format("GET", line) end
"#;

const POST: &str = r#"
wrk.headers["Content-Type"] = "application/json"
local function made(line) return wrk.format("POST", nil, nil, line) end
"#;

const IN_TURNS: &str = r#"
local threads = 0
function setup(thread)
   thread:set("first", threads)
   threads = threads + 1
end
local requests = {}
local at = 0
function init(args)
   for line in io.lines(place) do
      requests[#requests + 1] = made(line)
   end
   at = first * math.floor(#requests / 3)
end
function request()
   at = at + 1
   return requests[at % #requests + 1]
end
"#;

const DONE: &str = r#"
function done(summary, latency, requests)
   local errors = summary.errors
   local all = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      '\n{"requests":%d,"duration":%d,"bytes":%.0f,"errors":%d,"p50":%d,"p99":%d,"p999":%d}\n',
      summary.requests, summary.duration, summary.bytes, all,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"#;

/// A text as Lua reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
