//! Servers on loopback that say exactly what a test wants, and a fetcher whose names and clock
//! are the test's.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::net::{FetchError, Fetched, Fetcher, Hosts, Kind, NameError, Names, Policy};
use crate::time::{ManualClock, Timestamp, Ttl};

/// A host that stands for one of the public internet; every name is this machine unless a test
/// says otherwise.
pub(super) const HOST: &str = "lists.example";

/// A small list with a Content-Type and a length.
pub(super) fn document(fields: &str) -> Vec<u8> {
    answer(
        "200 OK",
        &format!("Content-Type: application/vc\r\n{fields}"),
        b"{}",
    )
}

/// An answer with a length.
pub(super) fn answer(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A server on loopback; it stops when dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    stopped: Mutex<bool>,
    stopping: Condvar,
}

/// What one connection is answered with.
pub(super) struct Talk {
    wire: Box<dyn Wire>,
    shared: Arc<Shared>,
    /// Which request this is, from 0, over all connections.
    pub(super) turn: usize,
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

impl Server {
    /// Answers the first request with the first answer, and so on; the last one repeats.
    pub(super) fn saying(answers: Vec<Vec<u8>>) -> Self {
        Self::with(move |talk| {
            talk.send(&answers[talk.turn.min(answers.len() - 1)]);
        })
    }

    /// Answers every request with `say`.
    pub(super) fn with(say: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::start(None, say)
    }

    /// The same over TLS.
    pub(super) fn secure(
        config: Arc<ServerConfig>,
        say: impl Fn(&mut Talk) + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(config), say)
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        say: impl Fn(&mut Talk) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
            stopped: Mutex::new(false),
            stopping: Condvar::new(),
        });
        let (say, serving) = (Arc::new(say), shared.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if *serving.stopped.lock().unwrap() {
                    return;
                }
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, say, shared) = (tls.clone(), say.clone(), serving.clone());
                thread::spawn(move || converse(stream, tls, &*say, shared));
            }
        });
        Self { address, shared }
    }

    /// A URL here that development fetches from.
    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}/list", self.address.port())
    }

    /// A URL of that host, which is listed together with this server's port.
    pub(super) fn url_of(&self, host: &str) -> String {
        format!("https://{host}:{}/list", self.address.port())
    }

    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.shared.stopped.lock().unwrap() = true;
        self.shared.stopping.notify_all();
        // Wakes the thread that accepts, so that it sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

fn converse(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    say: &dyn Fn(&mut Talk),
    shared: Arc<Shared>,
) {
    let mut wire: Box<dyn Wire> = match tls {
        None => Box::new(stream),
        Some(config) => Box::new(StreamOwned::new(
            ServerConnection::new(config).unwrap(),
            stream,
        )),
    };
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match wire.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let turn = {
        let mut requests = shared.requests.lock().unwrap();
        requests.push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        requests.len() - 1
    };
    say(&mut Talk { wire, shared, turn });
}

impl Talk {
    /// Sends, or says that the other side is gone.
    pub(super) fn send(&mut self, bytes: &[u8]) -> bool {
        self.wire.write_all(bytes).is_ok() && self.wire.flush().is_ok()
    }

    /// Lets time pass; says that the server is stopped.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let stopped = self.shared.stopped.lock().unwrap();
        let waited = self
            .shared
            .stopping
            .wait_timeout_while(stopped, time, |s| !*s);
        !*waited.unwrap().0
    }

    /// Says nothing more, and does not hang up.
    pub(super) fn hold(&self) {
        while self.pause(Duration::from_secs(1)) {}
    }
}

/// A listener that nobody must connect to.
pub(super) struct Canary(TcpListener);

impl Canary {
    /// On loopback.
    pub(super) fn new() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(super) fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(super) fn sings(&self) {
        let connected = self.0.accept();
        let untouched = connected.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        assert!(untouched, "the canary was connected to");
    }
}

/// Names as a test has them.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    queries: Mutex<Vec<String>>,
}

impl Script {
    /// What the name resolves to, question by question; the last answer repeats. An empty answer
    /// is a name that is not found.
    pub(super) fn says(&self, host: &str, answers: &[&[&str]]) {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        let answers = answers.iter().rev().map(parse).collect();
        self.answers
            .lock()
            .unwrap()
            .insert(host.to_owned(), answers);
    }

    pub(super) fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap().clone()
    }
}

impl Names for Script {
    fn resolve(&self, host: &str, _within: Duration) -> Result<Vec<IpAddr>, NameError> {
        self.queries.lock().unwrap().push(host.to_owned());
        let mut scripted = self.answers.lock().unwrap();
        let found = match scripted.get_mut(host) {
            Some(answers) if answers.len() > 1 => answers.pop().unwrap(),
            Some(answers) => answers[0].clone(),
            None => vec![Ipv4Addr::LOCALHOST.into()],
        };
        match found.is_empty() {
            true => Err(NameError::NotFound),
            false => Ok(found),
        }
    }
}

/// A fetcher with its surroundings.
pub(super) struct House {
    pub(super) fetcher: Fetcher,
    pub(super) names: Arc<Script>,
    pub(super) clock: Arc<ManualClock>,
}

impl House {
    /// In development, where loopback is fetched from; with limits that a test does not wait for.
    pub(super) fn new() -> Self {
        Self::with(policy())
    }

    pub(super) fn with(policy: Policy) -> Self {
        let names = Arc::new(Script::default());
        let clock = Arc::new(ManualClock::new("2026-01-31T12:00:00Z".parse().unwrap()));
        Self {
            fetcher: Fetcher::new(policy, names.clone(), clock.clone()).unwrap(),
            names,
            clock,
        }
    }

    /// Fetches a status list.
    pub(super) fn get(&self, url: &str) -> Result<Fetched, FetchError> {
        self.fetcher.get(url, Kind::StatusList)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Ttl::from_seconds(seconds));
    }

    pub(super) fn now(&self) -> Timestamp {
        use crate::time::Clock as _;
        self.clock.now()
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        localhost: true,
        connect: Ttl::from_seconds(5),
        total: Ttl::from_seconds(20),
        ..Policy::default()
    }
}

/// The same, with these hosts listed on the ports of their servers, and `authority` trusted.
pub(super) fn policy_for(hosts: &[(&str, &Server)], authority: &Authority) -> Policy {
    let pattern = |(host, server): &(&str, &Server)| {
        let port = server.address.port();
        format!("{host}:{port}").parse().unwrap()
    };
    Policy {
        hosts: Hosts::Listed(hosts.iter().map(pattern).collect()),
        extra_roots: authority.pem().into_bytes(),
        ..policy()
    }
}

/// A certificate authority of the test's own.
pub(super) struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// The years in which a certificate is valid.
pub(super) const VALID: (i32, i32) = (2020, 2120);

impl Authority {
    pub(super) fn new() -> Self {
        Self::called("a test")
    }

    pub(super) fn called(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A server's configuration with a certificate for `name`.
    pub(super) fn server(&self, name: &str, (from, to): (i32, i32)) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        Arc::new(config.unwrap())
    }
}
