//! What whoever runs the registry reads on the address of its own: the numbers of what was done, which name
//! nobody; and nothing of them on the public address.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;
use super::folder::Folder;
use super::program::run;
use super::server::{PATIENCE, Server, free_port};
use super::standing::{ISSUER, entries, list, look_up, profile, revocation};
use crate::support::peers::skip;

pub(super) const PROMTOOL: &str = "GOODSTANDING_INTEROP_PROMTOOL";

pub(super) const LISTEN: &str = "GOODSTANDING_OPERATIONS__LISTEN";

/// A server with an address for its operator, and whoever asks there.
pub(super) fn operated(folder: &Folder, settings: &[(&str, &str)]) -> (Server, Client) {
    let address = format!("127.0.0.1:{}", free_port());
    let listen = (LISTEN, address.as_str());
    let settings: Vec<_> = settings.iter().copied().chain([listen]).collect();
    let server = folder.serve(&settings);
    (server, Client::new(format!("http://{address}"), None))
}

/// The numbers of one moment, by name and labels as they are written.
pub(super) struct Numbers {
    pub(super) text: String,
    values: BTreeMap<String, f64>,
}

impl Numbers {
    #[track_caller]
    pub(super) fn of(operator: &Client) -> Self {
        let reply = operator.get("/metrics");
        assert_eq!(reply.status, 200);
        let media_type = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(reply.header("content-type"), media_type);
        let text = String::from_utf8(reply.body).unwrap();
        let numbers = text.lines().filter(|line| !line.starts_with('#'));
        let values = numbers.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self {
            values: values.collect(),
            text,
        }
    }

    #[track_caller]
    pub(super) fn at(&self, name: &str) -> f64 {
        let value = self.values.get(name).copied();
        value.unwrap_or_else(|| panic!("there is no {name}:\n{}", self.text))
    }

    /// Whether there is a number of this name, whatever its labels.
    pub(super) fn has(&self, name: &str) -> bool {
        let begins = format!("{name}{{");
        let mut keys = self.values.keys();
        keys.any(|key| key == name || key.starts_with(&begins))
    }

    /// How many requests of a route ended so.
    #[track_caller]
    fn requests(&self, method: &str, route: &str, status: &str) -> u64 {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        let name = format!("goodstanding_http_requests_total{{{labels}}}");
        self.values.get(&name).map_or(0, |count| *count as u64)
    }

    /// All numbers of one name, whatever their labels.
    fn all(&self, name: &str) -> Vec<f64> {
        let begins = format!("{name}{{");
        let named = self
            .values
            .iter()
            .filter(|(key, _)| key.starts_with(&begins));
        named.map(|(_, value)| *value).collect()
    }
}

#[test]
fn what_is_done_is_read_in_the_numbers() {
    let folder = Folder::prepared();
    let (server, operator) = operated(&folder, &[]);
    let registry = folder.operator(&server);
    let visitor = Client::new(server.url(), None);
    let before = Numbers::of(&operator);
    assert_eq!(before.requests("POST", "/profiles", "2xx"), 0);

    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let indexes = entries(&registry, &list, 2);
    for &index in &indexes {
        let updates = format!("{list}/updates");
        registry.post(&updates, &revocation(index)).json(200);
    }
    for _ in 0..3 {
        assert_eq!(visitor.get(&list).status, 200);
    }
    for index in indexes {
        let standing = look_up(&visitor, &list, &[index]);
        assert!(standing[0].revoked);
    }
    assert_eq!(visitor.get("/acme-secret-path").status, 404);
    let wrong = Client::new(server.url(), Some("no-token"));
    assert_eq!(wrong.post("/profiles", &revocation(0)).status, 401);

    let numbers = once(&operator, |numbers| {
        numbers.at("goodstanding_publish_waiting_lists") == 0.0
            && numbers.at("goodstanding_publish_delay_seconds_count") >= 1.0
            && numbers.at("goodstanding_turns_taken{of=\"changes\"}") == 0.0
            && numbers.at("goodstanding_commits_waiting") == 0.0
    });
    // Requests, each by the pattern of its route, whether the routes answered it or its thread did at once.
    assert_eq!(numbers.requests("POST", "/profiles", "2xx"), 1);
    assert_eq!(numbers.requests("POST", "/profiles", "4xx"), 1);
    assert_eq!(numbers.requests("GET", "/status-lists/{list}", "2xx"), 3);
    assert_eq!(
        numbers.requests("POST", "/status-lists/{list}/updates", "2xx"),
        2
    );
    assert_eq!(numbers.requests("any", "none", "4xx"), 1);
    let duration = "goodstanding_http_request_duration_seconds";
    let lists = "method=\"GET\",route=\"/status-lists/{list}\"";
    assert_eq!(numbers.at(&format!("{duration}_count{{{lists}}}")), 3.0);
    let all = format!("{duration}_bucket{{{lists},le=\"+Inf\"}}");
    assert_eq!(numbers.at(&all), 3.0);
    assert!(numbers.at(&format!("{duration}_sum{{{lists}}}")) > 0.0);
    assert_eq!(numbers.at("goodstanding_http_requests_in_flight"), 0.0);
    assert!(numbers.at("goodstanding_turns_taken{of=\"connections\"}") >= 1.0);
    assert!(numbers.at("goodstanding_turns_limit{of=\"changes\"}") > 0.0);

    // The way of a change: written, anchored, published.
    let grown = |name: &str| numbers.at(name) - before.at(name);
    let commits = grown("goodstanding_commit_duration_seconds_count");
    assert!(commits >= 4.0, "{commits}");
    assert_eq!(grown("goodstanding_commit_group_size_count"), commits);
    assert!(grown("goodstanding_commit_group_size_sum") >= commits);
    assert!(grown("goodstanding_anchor_duration_seconds_count") >= 4.0);
    assert!(grown("goodstanding_anchor_lag_seconds_count") >= 4.0);
    let lag = grown("goodstanding_anchor_lag_seconds_sum");
    assert!(
        lag >= grown("goodstanding_anchor_duration_seconds_sum"),
        "{lag}"
    );
    assert_eq!(numbers.at("goodstanding_commit_failures_total"), 0.0);
    assert_eq!(numbers.at("goodstanding_publish_failures_total"), 0.0);
    let published = numbers.at("goodstanding_publish_delay_seconds_count");
    let waited = numbers.at("goodstanding_publish_delay_seconds_sum");
    assert!(waited >= published * 0.1, "{waited} for {published}");
    assert!(grown("goodstanding_newest_event") >= 4.0);

    // What is there.
    let left = numbers.at("goodstanding_list_first_end_seconds{class=\"bitstring\"}");
    assert!((6.9..=7.0).contains(&(left / 86_400.0)), "{left}");
    let keys: f64 = before.all("goodstanding_signing_keys").iter().sum();
    assert_eq!(
        keys,
        before.at("goodstanding_signing_keys{age_days=\"30\"}")
    );
    assert_eq!(numbers.at("goodstanding_takes_changes"), 1.0);
    assert_eq!(numbers.at("goodstanding_leads"), 1.0);
    let states = numbers.all("goodstanding_state");
    assert!(states.len() > 10 && states.iter().all(|state| *state == 0.0));
    let version = format!(
        "goodstanding_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(numbers.at(&version), 1.0);
    assert!(numbers.at("process_resident_memory_bytes") > 1e6);
    assert!(numbers.at("process_open_fds") > 10.0);
    assert!(numbers.at("process_start_time_seconds") > 1.7e9);

    // What is kept in memory: signed lists that were asked for, statuses, the operator's token.
    let kept = |name: &str, labels: &str| {
        let name = format!("goodstanding_cache_{name}{{cache=\"{labels}}}");
        grown(&name)
    };
    assert!(kept("lookups_total", "signed-lists\",result=\"hit\"") >= 3.0);
    assert!(kept("lookups_total", "statuses\",result=\"miss\"") >= 1.0);
    assert!(kept("lookups_total", "statuses\",result=\"hit\"") >= 1.0);
    assert!(kept("lookups_total", "tokens\",result=\"hit\"") >= 1.0);
    assert!(kept("lookups_total", "tokens\",result=\"miss\"") >= 1.0);
    assert!(kept("entries", "signed-lists\"") >= 1.0);
    assert!(kept("bytes", "signed-lists\"") > 100.0);
    assert_eq!(kept("entries", "statuses\""), 1.0);
    assert!(kept("bytes", "statuses\"") > 100.0);

    // Nobody is named, and nothing that was sent.
    let id = list.rsplit('/').next().unwrap();
    for said in [ISSUER, id, "secret-path", "no-token", &folder.token] {
        assert!(!numbers.text.contains(said), "{said}:\n{}", numbers.text);
    }
}

/// Reads the numbers until they are as they will be.
#[track_caller]
pub(super) fn once(operator: &Client, is_so: impl Fn(&Numbers) -> bool) -> Numbers {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let numbers = Numbers::of(operator);
        if is_so(&numbers) {
            return numbers;
        }
        assert!(Instant::now() < deadline, "{}", numbers.text);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_public_address_has_health_and_no_numbers_and_the_other_has_both_and_nothing_else() {
    let folder = Folder::prepared();
    let (server, operator) = operated(&folder, &[]);
    let registry = folder.operator(&server);
    assert_eq!(registry.get("/metrics").status, 404);
    for path in ["/health/live", "/health/ready"] {
        let (told, public) = (operator.get(path), registry.get(path));
        assert_eq!((told.status, public.status), (200, 200), "{path}");
        assert_eq!(told.body, public.body, "{path}");
    }
    for path in ["/", "/profiles", "/metrics/", "/health"] {
        assert_eq!(operator.get(path).status, 404, "{path}");
    }
    let posted = operator.post("/metrics", &revocation(0));
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
}

#[test]
fn a_registry_that_takes_no_changes_says_so_in_numbers() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
    fs::remove_file(folder.data().join("master.key")).unwrap();

    let (_server, operator) = operated(&folder, &[]);
    let numbers = Numbers::of(&operator);
    assert_eq!(numbers.at("goodstanding_takes_changes"), 0.0);
    let missing = "goodstanding_state{state=\"master-key-missing\"}";
    assert_eq!(numbers.at(missing), 1.0);
    assert_eq!(numbers.all("goodstanding_state").iter().sum::<f64>(), 1.0);
    let problem = operator.get("/health/ready").json(503);
    assert_eq!(problem["state"], "master-key-missing");
    assert_eq!(operator.get("/health/live").status, 200);
}

#[test]
fn an_address_that_is_taken_is_named_with_its_key() {
    let folder = Folder::prepared();
    let (_server, operator) = operated(&folder, &[]);
    assert_eq!(operator.get("/health/live").status, 200);
    let mut command = super::program::program();
    let other = Folder::prepared();
    let taken = operator.origin().trim_start_matches("http://");
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(other.data()).env(LISTEN, taken);
    let ended = Server::try_start(&mut command).map(|_| ()).unwrap_err();
    let told = format!("{taken} cannot be listened on");
    assert!(ended.err.contains(&told), "{}", ended.err);
    assert!(ended.err.contains("operations.listen"), "{}", ended.err);
}

#[test]
fn promtool_finds_nothing_wrong_with_the_numbers() {
    let Some(promtool) = env::var_os(PROMTOOL).filter(|value| !value.is_empty()) else {
        return skip("promtool", PROMTOOL);
    };
    let folder = Folder::prepared();
    let (server, operator) = operated(&folder, &[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    list(&registry, ISSUER);
    let numbers = Numbers::of(&operator);
    let check = |text: &str| run(Command::new(&promtool).args(["check", "metrics"]), text);
    let ran = check(&numbers.text).exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    // It does look.
    let counter = "goodstanding_http_requests_abandoned_total";
    let wrong = numbers.text.replace(counter, "goodstanding_abandoned");
    let found = check(&wrong).exits(3);
    assert!(found.err.contains("_total"), "{found:?}");
}
