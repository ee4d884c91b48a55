//! nginx with docker/edge/edge.conf over a folder that was published, beside the registry itself: for the
//! same question the same status, the same headers and the same bytes.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::{HeaderMap, Method};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::publish::{Lists, until};
use super::server::free_port;

const CONF: &str = include_str!("../../../docker/edge/edge.conf");
const BALANCER: &str = include_str!("../../../docker/edge/balancer.conf");

/// Debian's nginx, or another; none where there is none and nobody insists.
pub(super) fn nginx() -> Option<PathBuf> {
    let named = env::var_os("GOODSTANDING_LOAD_NGINX").map(PathBuf::from);
    let usual = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
    let found = named.into_iter().chain(usual).find(|path| path.is_file());
    assert!(
        found.is_some()
            || env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "nginx is missing: apt-get install nginx"
    );
    if found.is_none() {
        eprintln!("skipped: there is no nginx");
    }
    found
}

/// nginx that runs. Dropping it ends it.
pub(super) struct Nginx {
    child: Child,
    pub(super) address: SocketAddr,
    _home: TempDir,
}

impl Nginx {
    /// With these lines in its http block; `PORT` in them is where it listens.
    pub(super) fn start(program: &Path, http: &str) -> Self {
        let (home, port) = (TempDir::new().unwrap(), free_port());
        let place = home.path().display();
        // Workers of root's would else be nobody, who may not read below a temporary folder.
        let user = if rustix::process::getuid().is_root() {
            "user root;"
        } else {
            ""
        };
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
            .concat();
        let http = http.replace("PORT", &port.to_string());
        let conf = format!(
            "{user} daemon off; worker_processes 2; pid {place}/pid; error_log {place}/error.log;\n\
             events {{}}\nhttp {{ access_log off; {paths}\n{http} }}\n"
        );
        fs::write(home.path().join("nginx.conf"), conf).unwrap();
        let mut command = Command::new(program);
        command
            .arg("-p")
            .arg(home.path())
            .arg("-c")
            .arg(home.path().join("nginx.conf"));
        command.arg("-e").arg(home.path().join("error.log"));
        let child = command
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut nginx = Self {
            child,
            address,
            _home: home,
        };
        until("nginx listens", || {
            assert!(
                nginx.child.try_wait().unwrap().is_none(),
                "{}",
                nginx.errors()
            );
            std::net::TcpStream::connect(address).is_ok()
        });
        nginx
    }

    fn errors(&self) -> String {
        fs::read_to_string(self._home.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it where it is asked to; killed it would leave them.
        let asked = format!("kill -TERM {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &asked]).status();
        let _ = self.child.wait();
    }
}

/// An answer, as far as both have to agree on it.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What is said by one of them alone: about itself, the connection and the moment.
const OF_ITS_OWN: [&str; 6] = [
    "date",
    "server",
    "connection",
    "x-request-id",
    "transfer-encoding",
    "keep-alive",
];

fn ask(at: SocketAddr, method: &Method, path: &str, headers: &[(&str, &str)]) -> Seen {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent();
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("http://{at}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // The client would send one of its own.
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("accept"))
    {
        request = request.header("accept", "");
    }
    let mut answer = agent.run(request.body(()).unwrap()).unwrap();
    let status = answer.status().as_u16();
    // nginx says of a 304 that it makes itself that it has no body, which nobody heeds (RFC 9111 section 3.2).
    if status == 304 {
        answer.headers_mut().remove("content-length");
    }
    let body = answer.body_mut().read_to_vec().unwrap();
    Seen {
        status,
        // Of what failed the status says enough: bodies tell of the registry.
        headers: if status < 400 {
            told(answer.headers())
        } else {
            Vec::new()
        },
        body: if status < 400 { body } else { Vec::new() },
    }
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = headers
        .iter()
        .filter(|(name, _)| !OF_ITS_OWN.contains(&name.as_str()));
    let told = told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

struct Scene {
    lists: Lists,
    nginx: Nginx,
}

impl Scene {
    fn set() -> Option<Self> {
        let program = nginx()?;
        let lists = Lists::opened();
        lists.revokes(&lists.all_forms);
        lists.publish(&lists.target(), &[]).exits(0);
        let conf = CONF
            .replace("listen 8080;", "listen 127.0.0.1:PORT;")
            .replace("/srv/lists", &lists.target());
        assert!(conf.contains(&lists.target()) && conf.contains("127.0.0.1:PORT"));
        let nginx = Nginx::start(&program, &conf);
        Some(Self { lists, nginx })
    }

    #[track_caller]
    fn agree(&self, method: &Method, path: &str, headers: &[(&str, &str)]) -> Seen {
        let ours = ask(self.lists.server.address, method, path, headers);
        let its = ask(self.nginx.address, method, path, headers);
        assert_eq!(its, ours, "{method} {path} {headers:?}");
        ours
    }
}

#[test]
fn every_form_is_served_as_the_registry_serves_it() {
    let Some(scene) = Scene::set() else { return };
    let all = &scene.lists.all_forms;
    let of_list = [
        "application/vc",
        "application/ld+json",
        "application/json",
        "application/vc+jwt",
    ];
    let of_token = ["application/statuslist+jwt", "application/statuslist+cwt"];
    let token = all.replace("status-lists", "token-status-lists");
    let paths: [(&str, &[&str]); 3] = [
        (all, &of_list),
        (&format!("{all}/2021"), &of_list[..3]),
        (&token, &of_token),
    ];
    for (path, types) in paths {
        for media in types.iter().chain(&["", "*/*", "text/html"]) {
            for coding in [
                "",
                "identity",
                "gzip",
                "*",
                "gzip;q=0.5, identity",
                "identity;q=0",
                "gzip, *;q=0",
            ] {
                let accept = [("accept", *media), ("accept-encoding", coding)];
                let seen = scene.agree(&Method::GET, path, &accept);
                scene.agree(&Method::HEAD, path, &accept);
                let Some((_, etag)) = seen.headers.iter().find(|(name, _)| name == "etag") else {
                    assert_eq!(seen.status, 406, "{path} {accept:?}");
                    continue;
                };
                for known in [
                    etag.as_str(),
                    "*",
                    "\"x\"",
                    &format!("\"x\", W/{etag}"),
                    &etag.replace('"', ""),
                ] {
                    let known = [accept[0], accept[1], ("if-none-match", known)];
                    scene.agree(&Method::GET, path, &known);
                }
                let dated = [
                    accept[0],
                    accept[1],
                    ("if-modified-since", "Fri, 31 Dec 2100 00:00:00 GMT"),
                    ("range", "bytes=0-9"),
                ];
                assert_eq!(scene.agree(&Method::GET, path, &dated).status, 200);
            }
        }
    }
    for path in [
        "/status-lists/000000g123456789abc0",
        "/status-lists/x",
        "/profiles/nobody/did.json",
        "/x",
    ] {
        assert_eq!(scene.agree(&Method::GET, path, &[]).status, 404, "{path}");
    }
    for hidden in [
        "/.goodstanding.json",
        "/.publishing",
        "/.send",
        &format!("{all}/vc/about.json"),
    ] {
        assert_eq!(
            ask(scene.nginx.address, &Method::GET, hidden, &[]).status,
            404,
            "{hidden}"
        );
    }
    let upward = ask(
        scene.nginx.address,
        &Method::GET,
        "/status-lists/..%2f..%2f.publishing",
        &[],
    );
    assert!(matches!(upward.status, 400 | 404), "{upward:?}");
    assert_eq!(
        ask(scene.nginx.address, &Method::DELETE, all, &[]).status,
        405
    );
}

#[test]
fn documents_are_the_same_and_kept_for_as_much_less_as_they_may_be_old() {
    let Some(scene) = Scene::set() else { return };
    let did = [
        "application/did+ld+json",
        "application/did+json",
        "application/did",
        "application/ld+json",
        "application/json",
        "text/html",
        "",
    ];
    for path in [
        "/profiles/school/did.json",
        "/.well-known/did.json",
        "/profiles/school/jwks.json",
        "/.well-known/jwks.json",
    ] {
        for media in did {
            let accept = [("accept", media)];
            let mut ours = ask(scene.lists.server.address, &Method::GET, path, &accept);
            let its = ask(scene.nginx.address, &Method::GET, path, &accept);
            for (name, value) in &mut ours.headers {
                if name == "cache-control" {
                    assert_eq!(value, "public, max-age=3600");
                    "public, max-age=3300".clone_into(value);
                }
            }
            assert_eq!(its, ours, "{path} {media}");
        }
    }
}

/// Whatever is asked for, within what RFC 9110 lets be said and each media range once.
#[test]
fn any_accept_header_leads_to_the_same_form() {
    let Some(scene) = Scene::set() else { return };
    let ranges = [
        "application/vc",
        "application/ld+json",
        "application/json",
        "application/vc+jwt",
        "application/statuslist+jwt",
        "application/statuslist+cwt",
        "application/*",
        "*/*",
        "text/html",
        "APPLICATION/VC+JWT",
    ];
    let quality = prop_oneof![
        Just(String::new()),
        (0u32..=1000).prop_map(|q| format!(";q={}.{:03}", q / 1000, q % 1000)),
        (0u32..=9).prop_map(|q| format!("; q=0.{q}")),
        Just(";q=1".to_owned()),
        Just(";q=0".to_owned()),
        Just(";level=1;q=0.25".to_owned()),
    ];
    let picked = prop::sample::subsequence(ranges.to_vec(), 0..=6).prop_shuffle();
    let strategy = (
        picked,
        prop::collection::vec(quality, 6),
        prop::sample::select(vec![", ", ",", " , "]),
    );
    let token = scene
        .lists
        .all_forms
        .replace("status-lists", "token-status-lists");
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let run = runner.run(&strategy, |(ranges, qualities, comma)| {
        // The same range in another case would stand there twice.
        let mut ranges = ranges;
        if ranges.contains(&"APPLICATION/VC+JWT") {
            ranges.retain(|range| *range != "application/vc+jwt");
        }
        let accept: Vec<String> = ranges
            .iter()
            .zip(&qualities)
            .map(|(range, q)| format!("{range}{q}"))
            .collect();
        let accept = accept.join(comma);
        for path in [scene.lists.all_forms.as_str(), &token] {
            let headers = [("accept", accept.as_str())];
            let ours = ask(scene.lists.server.address, &Method::GET, path, &headers);
            let its = ask(scene.nginx.address, &Method::GET, path, &headers);
            prop_assert_eq!(its, ours, "{:?}", accept);
        }
        Ok(())
    });
    run.unwrap();
}

/// Each answer is one copy, whole, with its own tag, while copies are exchanged.
#[test]
fn who_reads_while_it_is_published_gets_one_copy_or_the_next() {
    let Some(scene) = Scene::set() else { return };
    let path = scene.lists.all_forms.clone();
    let address = scene.nginx.address;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (stop, path) = (&stop, path.as_str());
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let mut tags = std::collections::BTreeSet::new();
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let seen = ask(address, &Method::GET, path, &[]);
                        assert_eq!(seen.status, 200);
                        let tag = seen
                            .headers
                            .iter()
                            .find(|(name, _)| name == "etag")
                            .unwrap();
                        let digest = <sha2::Sha256 as sha2::Digest>::digest(&seen.body);
                        let digest: String = digest[..12]
                            .iter()
                            .map(|byte| format!("{byte:02x}"))
                            .collect();
                        assert_eq!(tag.1, format!("\"{digest}\""));
                        tags.insert(digest);
                    }
                    tags.len()
                })
            })
            .collect();
        for _ in 0..5 {
            scene.lists.revokes(path);
            scene.lists.publish(&scene.lists.target(), &[]).exits(0);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 1, "it saw the copies change");
        }
    });
}

/// The balancer of docker/compose.replicas.yaml over two servers, of which one is gone.
#[test]
fn the_balancer_asks_the_server_that_is_there() {
    let Some(program) = nginx() else { return };
    let lists = Lists::opened();
    let conf = BALANCER
        .replace("listen 8080;", "listen 127.0.0.1:PORT;")
        .replace("replica-1:8080", &lists.server.address.to_string())
        .replace("replica-2:8080", &format!("127.0.0.1:{}", free_port()))
        .replace("resolver 127.0.0.11", "resolver 127.0.0.1");
    let nginx = Nginx::start(&program, &conf);
    for _ in 0..4 {
        let its = ask(
            nginx.address,
            &Method::GET,
            &lists.alone,
            &[("accept-encoding", "gzip")],
        );
        let ours = ask(
            lists.server.address,
            &Method::GET,
            &lists.alone,
            &[("accept-encoding", "gzip")],
        );
        assert_eq!(its, ours);
    }
}

/// Nothing that runs in a container is whatever happens to be the newest.
#[test]
fn what_is_run_in_containers_is_pinned() {
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker");
    let mut images = 0;
    for file in ["compose.yaml", "compose.replicas.yaml", "Dockerfile"] {
        let text = fs::read_to_string(docker.join(file)).unwrap();
        for line in text.lines().map(str::trim) {
            let image = line.strip_prefix("image: ").or(line.strip_prefix("FROM "));
            let Some(image) = image.filter(|image| *image != "goodstanding") else {
                continue;
            };
            let (_, tag) = image
                .split_once(':')
                .unwrap_or_else(|| panic!("{file}: {image}"));
            assert!(
                tag.contains("bookworm") && !tag.contains("latest"),
                "{file}: {image}"
            );
            images += 1;
        }
    }
    assert_eq!(images, 4);
    for script in ["health.sh", "postgres/node.sh", "postgres/first.sh"] {
        let read = Command::new("bash")
            .arg("-n")
            .arg(docker.join(script))
            .status();
        assert!(read.unwrap().success(), "{script}");
    }
}
