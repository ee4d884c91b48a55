//! Nothing that callers hand in, and no secret, comes out where it is nobody's business: a word is put
//! into everything that can be sent, and is then looked for in all that the process leaves behind.

mod secrets;
mod visit;

use std::fs;
use std::path::{Path, PathBuf};

use goodstanding::app::LOG_FIELDS;
use goodstanding::http::routes::ROUTES;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::client::Client;
use super::collector::Collector;
use super::program::{program, run};
use super::server::{Ended, Server, free_port};
use crate::support::client::Call;
use secrets::{MASTER_KEY, Secrets};
use visit::Visit;

/// The origin of every id. Its hosts are this machine, so that what is fetched is fetched from here, where
/// nobody answers.
const ORIGIN: &str = "http://localhost:9";

/// Whether the word stands there: in any case, and in the codings that a header or a log may have it in.
fn has_word(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    // Plain, in hexadecimal, and what all its forms in base64 have in common at each of the three places
    // at which it can begin.
    let coded = ["canary", "63616e617279", "y2fuyxj5", "nhbmfy", "jyw5hcn"];
    coded.iter().any(|word| holds(&text, word.as_bytes()))
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A registry in a process, with its files and the folder that it works in.
struct Nest {
    home: TempDir,
    token: String,
    /// Where traces go.
    collector: Collector,
    /// Where metrics are.
    operations: String,
}

impl Nest {
    fn prepared() -> Self {
        let home = TempDir::new().unwrap();
        let mut command = program();
        command.args(["init", "--public-url", ORIGIN, "--json", "--data"]);
        command.arg(home.path().join("data"));
        command.env("GOODSTANDING_MASTER_KEY", MASTER_KEY);
        let done = run(&mut command, "").exits(0).json();
        let token = done["token"].as_str().expect("init prints a token");
        fs::create_dir(home.path().join("work")).unwrap();
        fs::create_dir(home.path().join("backups")).unwrap();
        let mut command = program();
        command.args(["backup", "--make-key"]);
        run(command.arg(home.path().join("backup.key")), "").exits(0);
        Self {
            token: token.to_owned(),
            home,
            collector: Collector::open(),
            operations: format!("127.0.0.1:{}", free_port()),
        }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// With all that it can be made to say.
    fn serve(&self, format: &str) -> Server {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data());
        command.current_dir(self.home.path().join("work"));
        command.env("GOODSTANDING_MASTER_KEY", MASTER_KEY);
        command.env("GOODSTANDING_LOG", "trace");
        command.env("GOODSTANDING_LOG__FORMAT", format);
        command.env("GOODSTANDING_OPERATIONS__LISTEN", &self.operations);
        if cfg!(feature = "otel") {
            command.env("GOODSTANDING_OPERATIONS__TRACES", self.collector.url());
            command.env("GOODSTANDING_OPERATIONS__TRACES_RATIO", "1");
        }
        command.env("GOODSTANDING_FETCH__LOCALHOST", "true");
        command.env(
            "GOODSTANDING_BACKUP__FOLDER",
            self.home.path().join("backups"),
        );
        command.env(
            "GOODSTANDING_BACKUP__KEY",
            self.home.path().join("backup.key"),
        );
        Server::start(&mut command)
    }

    /// The key under which its backups are sealed.
    fn backup_key(&self) -> String {
        let text = fs::read_to_string(self.home.path().join("backup.key")).unwrap();
        text.trim().to_owned()
    }

    /// Has a backup made, and waits for it.
    fn backs_up(&self, server: &Server) {
        let call = |method| Call::new(server.address, method, "/backups").token(&self.token);
        call("POST").send().is(202);
        let told = loop {
            let told = call("GET").send().is(200).json();
            if told.get("underWay").is_none() {
                break told;
            }
            std::thread::yield_now();
        };
        assert!(told["last"]["number"].is_u64(), "{told}");
    }

    /// The numbers of all that was done.
    fn metrics(&self) -> (String, Vec<u8>) {
        let reply = Client::new(format!("http://{}", self.operations), None).get("/metrics");
        assert_eq!(reply.status, 200);
        ("metrics".to_owned(), reply.body)
    }

    /// All that comes out of the process beside answers and metrics, by what it is called.
    fn outputs(&self, ended: &Ended) -> Vec<(String, Vec<u8>)> {
        let mut outputs = vec![
            ("standard output".to_owned(), ended.out.clone().into_bytes()),
            ("standard error".to_owned(), ended.err.clone().into_bytes()),
        ];
        let traces = self.collector.taken();
        assert!(!traces.is_empty() || !cfg!(feature = "otel"));
        outputs.extend(
            traces
                .into_iter()
                .map(|one| ("traces".to_owned(), one.body)),
        );
        // What the storage engine tells of itself.
        let store = files(&self.data().join("store"));
        let tells = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("LOG"))
        };
        let logs: Vec<_> = store.into_iter().filter(tells).collect();
        assert!(!logs.is_empty(), "RocksDB has a log of its own");
        // Backups, which are sealed.
        for path in files(&self.home.path().join("backups")) {
            outputs.push((path.display().to_string(), fs::read(path).unwrap()));
        }
        // Where it works: a memory image, or whatever else it drops.
        for path in logs
            .into_iter()
            .chain(files(&self.home.path().join("work")))
        {
            outputs.push((path.display().to_string(), fs::read(path).unwrap()));
        }
        outputs
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_that_is_sent_and_no_secret_comes_out() {
    let nest = Nest::prepared();
    let mut secrets = Secrets::default();
    secrets.token(&nest.token);
    secrets.text("the key of backups", &nest.backup_key());
    for format in ["json", "pretty"] {
        let server = nest.serve(format);
        let visit = Visit::new(server.address, &nest.token, format);
        visit.everything(&mut secrets);
        nest.backs_up(&server);
        let metrics = nest.metrics();
        let ended = server.stop();
        ended.in_order();
        let mut outputs = nest.outputs(&ended);
        outputs.push(metrics);
        check_outputs(&outputs, &secrets);
        let lines = check_lines(&ended.err, format);
        assert!(lines.len() > 100 || format == "pretty", "{}", ended.err);
    }
    // The word did get in, and stands in the store, where the secrets do not.
    let rows = secrets::rows(&nest.data());
    assert!(rows.iter().any(|row| has_word(row)));
    let mut kept: Vec<(String, Vec<u8>)> = vec![("rows".to_owned(), rows.concat())];
    for path in files(&nest.data()) {
        let bytes = fs::read(&path).unwrap();
        // What is set aside holds nothing, and is too much of it to be searched for words.
        match path.ends_with("RESERVE") {
            true => assert!(bytes.iter().all(|byte| *byte == 0)),
            false => kept.push((path.display().to_string(), bytes)),
        }
    }
    secrets.are_not_in(&kept);
    secrets.no_seed_in(&rows);
    // A backup that is not sealed holds what the store does, the words among it, and no secret.
    let mut command = program();
    command.args(["backup", "--data"]).arg(nest.data());
    command.arg(nest.home.path().join("plain"));
    run(&mut command, "").exits(0);
    let plain = files(&nest.home.path().join("plain")).into_iter();
    let plain: Vec<_> = plain
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    assert!(plain.iter().any(|(_, bytes)| has_word(bytes)));
    secrets.are_not_in(&plain);
}

/// A store that cannot be read makes the program speak of what it could not read.
#[test]
fn a_store_that_cannot_be_read_repeats_nothing_either() {
    // What a start has read is in memory, and is not read again.
    assert!((0..5).any(|_| speaks_of_what_cannot_be_read()));
}

/// Whether anything could not be read.
fn speaks_of_what_cannot_be_read() -> bool {
    let nest = Nest::prepared();
    let mut secrets = Secrets::default();
    secrets.token(&nest.token);
    let server = nest.serve("json");
    let visit = Visit::new(server.address, &nest.token, "json");
    visit.everything(&mut secrets);
    server.stop().in_order();

    let server = nest.serve("json");
    let visit = Visit::new(server.address, &nest.token, "json");
    for path in files(&nest.data().join("store")) {
        if path.extension().is_some_and(|kind| kind == "sst") {
            let length = fs::metadata(&path).unwrap().len();
            fs::write(&path, vec![0xa5; length as usize]).unwrap();
        }
    }
    let failed = visit.until_it_fails();
    let ended = server.stop();
    let Some(failed) = failed else {
        return false;
    };
    check_outputs(&nest.outputs(&ended), &secrets);
    let lines = check_lines(&ended.err, "json");
    let of =
        |status: u16| move |line: &&Map<String, Value>| line.get("status") == Some(&status.into());
    let told: Vec<_> = lines.iter().filter(of(failed)).collect();
    assert!(!told.is_empty(), "a failure is told: {}", ended.err);
    for line in told {
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["problem"], "urn:goodstanding:problem:store");
        let error = line["error"].as_str().unwrap();
        assert!(
            error.starts_with("Store: "),
            "with what the engine says: {error}"
        );
    }
    true
}

fn check_outputs(outputs: &[(String, Vec<u8>)], secrets: &Secrets) {
    for (name, text) in outputs {
        let lines = text.split(|byte| *byte == b'\n');
        let found: Vec<_> = lines.filter(|line| has_word(line)).collect();
        let found = found.iter().map(|line| String::from_utf8_lossy(line));
        let found: Vec<_> = found.collect();
        assert!(found.is_empty(), "{name} repeats what was sent: {found:#?}");
    }
    secrets.are_not_in(outputs);
}

/// Every line is one of the log's, with the fields of its list alone.
#[track_caller]
fn check_lines(err: &str, format: &str) -> Vec<Map<String, Value>> {
    if format == "pretty" {
        for words in [
            "route=/status-lists/{list}",
            "status=404",
            "tenant=",
            "client=token:",
        ] {
            assert!(err.contains(words), "{words}: {err}");
        }
        return Vec::new();
    }
    let lines: Vec<Map<String, Value>> = err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let always = ["time", "level", "target", "message"];
    for line in &lines {
        for name in line.keys().map(String::as_str) {
            assert!(
                always.contains(&name) || LOG_FIELDS.contains(&name),
                "{line:?}"
            );
        }
        let own = line["target"].as_str().unwrap().starts_with("goodstanding");
        assert!(
            own || line.len() == 3,
            "libraries' words are not told: {line:?}"
        );
        let says = |name: &str| line.get(name).and_then(Value::as_str);
        let (method, route) = (says("method").unwrap_or_default(), says("route"));
        let reads = ["GET", "HEAD"].contains(&method);
        let names = |what: &[&str]| what.iter().any(|name| line.contains_key(*name));
        assert!(
            !(reads && names(&["tenant", "client"])),
            "who reads is not told: {line:?}"
        );
        let private = ROUTES
            .iter()
            .any(|known| Some(known.path) == route && known.access.is_private());
        let named = names(&["tenant", "client", "request"]);
        assert!(
            private || !named,
            "nothing leads to who asks in public: {line:?}"
        );
    }
    lines
}

#[test]
fn the_word_is_found_where_it_stands() {
    for text in [
        "a canary.",
        "/CANARY",
        "63616E617279",
        "Basic Y2FuYXJ5OnB3",
        "eGNhbmFyeQ",
        "eHhjYW5hcnk",
    ] {
        assert!(has_word(text.as_bytes()), "{text}");
    }
    assert!(!has_word(
        b"goodstanding::http::service request GET /status-lists/{list} 200"
    ));
}
