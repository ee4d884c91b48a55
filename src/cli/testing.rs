//! Test support: a registry that answers from a script and remembers what it was asked, and a
//! server on loopback for the parts that speak HTTP themselves.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::thread::{self, JoinHandle};

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::error::CliError;
use super::transport::{Answer, Call, Transport};
use super::{
    BackupArgs, InitArgs, InitDone, LocalBackups, RestoreArgs, ServeArgs, Stopped, Surroundings,
    Terminals, Watching, execute,
};
use crate::time::{ManualClock, Timestamp};

/// An id that lists, endorsements and achievements of these tests have.
pub(super) const LIST: &str = "000000g123456789abc0";

/// When these tests take place.
pub(super) const NOW: &str = "2026-03-01T09:00:00Z";

#[derive(Clone, Default)]
struct Script {
    answers: Rc<RefCell<VecDeque<Answer>>>,
    calls: Rc<RefCell<Vec<Call>>>,
}

impl Transport for Script {
    fn call(&self, call: &Call) -> Result<Answer, CliError> {
        self.calls.borrow_mut().push(call.clone());
        let answer = self.answers.borrow_mut().pop_front();
        Ok(answer.unwrap_or_else(|| panic!("no answer in the script for {call:?}")))
    }
}

/// A registry that answers from a script.
#[derive(Default)]
pub(super) struct Fake {
    script: Script,
    stdin: Vec<u8>,
    env: Vec<(String, String)>,
    stops: Option<Stopped>,
}

/// A machine without backups.
pub(super) struct NoBackups;

impl LocalBackups for NoBackups {
    fn back_up(&self, _: &BackupArgs, _: &mut Watching<'_>) -> Result<Value, String> {
        Err("no backups here".to_owned())
    }

    fn list(&self, _: &Path, _: Option<&Path>) -> Result<Vec<Value>, String> {
        Err("no backups here".to_owned())
    }

    fn check(
        &self,
        _: &Path,
        _: Option<u64>,
        _: Option<&Path>,
        _: &mut Watching<'_>,
    ) -> Result<Value, String> {
        Err("no backups here".to_owned())
    }

    fn make_key(&self, _: &Path) -> Result<String, String> {
        Err("no backups here".to_owned())
    }

    fn published_in(&self, _: &Path) -> Result<Option<Vec<Value>>, String> {
        Ok(None)
    }

    fn restore(&self, _: &RestoreArgs, _: &mut Watching<'_>) -> Result<Value, String> {
        Err("no backups here".to_owned())
    }
}

/// What a command did.
pub(super) struct Done {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) exit: u8,
    pub(super) calls: Vec<Call>,
    pub(super) served: Vec<ServeArgs>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A service that is run stops like this.
    pub(super) fn stops(self, stopped: Stopped) -> Self {
        Self {
            stops: Some(stopped),
            ..self
        }
    }

    pub(super) fn answer(self, status: u16, body: Value) -> Self {
        self.answer_bytes(status, body.to_string().as_bytes())
    }

    pub(super) fn answer_bytes(self, status: u16, body: &[u8]) -> Self {
        self.script.answers.borrow_mut().push_back(Answer {
            status,
            body: body.to_vec(),
            ..Answer::default()
        });
        self
    }

    pub(super) fn answer_with(
        self,
        header: &'static str,
        value: &'static str,
        status: u16,
        body: Value,
    ) -> Self {
        let fake = self.answer(status, body);
        if let Some(answer) = fake.script.answers.borrow_mut().back_mut() {
            let name = HeaderName::from_static(header);
            answer.headers.insert(name, HeaderValue::from_static(value));
        }
        fake
    }

    pub(super) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command against the script, which stands for a data folder unless the command
    /// names a place itself.
    pub(super) fn run(self, args: &[&str]) -> Done {
        let placed = ["--server", "--data", "--help", "init", "serve"];
        if args.iter().any(|arg| placed.contains(arg)) {
            return self.run_remote(args);
        }
        self.run_remote(&[args, &["--data", "folder"]].concat())
    }

    /// Runs a command with exactly these arguments.
    pub(super) fn run_remote(self, args: &[&str]) -> Done {
        let served = RefCell::new(Vec::new());
        let stops = self.stops.unwrap_or(Stopped::InOrder);
        let args = std::iter::once("goodstanding").chain(args.iter().copied());
        let said = execute(
            args.map(OsString::from),
            &Surroundings {
                open_local: &|_| Ok(Box::new(self.script.clone())),
                serve: &|args| {
                    served.borrow_mut().push(args);
                    Ok(stops)
                },
                init: &prepared,
                backups: &NoBackups,
                examine: &|_, _| Ok(Vec::new()),
                move_store: &|_, _| Err("nothing is moved".into()),
                clock: &ManualClock::new(NOW.parse().unwrap()),
                env: &|name| {
                    let found = self.env.iter().find(|(known, _)| known == name);
                    found.map(|(_, value)| value.clone())
                },
                terminals: Terminals::default(),
            },
            &mut self.stdin.as_slice(),
        );
        let left = self.script.answers.borrow().len();
        assert_eq!(
            left, 0,
            "answers that nobody asked for; stderr: {}",
            said.err
        );
        Done {
            out: said.out,
            err: said.err,
            exit: said.exit,
            calls: self.script.calls.take(),
            served: served.into_inner(),
        }
    }
}

fn prepared(args: InitArgs) -> Result<InitDone, String> {
    if args.data.ends_with("used") {
        return Err("used already holds a registry: choose another folder".into());
    }
    Ok(InitDone {
        master_key_path: args
            .master_key
            .unwrap_or_else(|| args.data.join("master.key")),
        data: args.data,
        token: "operator-token".into(),
        expires: Timestamp::from_millis(1_800_000_000_000),
    })
}

impl Done {
    /// The calls as `METHOD path body`.
    pub(super) fn calls(&self) -> Vec<String> {
        let line = |call: &Call| match call.payload() {
            Some((_, body)) => {
                let body = String::from_utf8_lossy(&body).into_owned();
                format!("{} {} {body}", call.method, call.path)
            }
            None => format!("{} {}", call.method, call.path),
        };
        self.calls.iter().map(line).collect()
    }
}

/// A server on loopback that gives one answer per connection; an empty answer hangs up.
pub(super) struct OneByOne {
    pub(super) url: String,
    thread: JoinHandle<Vec<String>>,
}

impl OneByOne {
    pub(super) fn serve(answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let serve_one = |answer: &str| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                // A client that has read enough may hang up first.
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.shutdown(Shutdown::Both);
                request
            };
            answers.into_iter().map(serve_one).collect()
        });
        Self { url, thread }
    }

    /// The requests as they came, once all answers are given.
    pub(super) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap_or("0");
            let digits = length.split("\r\n").next().unwrap();
            if body.len() >= digits.parse::<usize>().unwrap() {
                return text;
            }
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the request ended early: {text}");
        seen.extend_from_slice(&buffer[..count]);
    }
}

/// A port on which nothing listens.
pub(super) fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
