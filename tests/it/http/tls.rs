//! TLS: what is spoken over it, coming back without a whole handshake, and certificates that change.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use goodstanding::http::{Renewed, Tls};
use goodstanding::time::Ttl;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SerialNumber};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// An authority, and the files of a certificate that it signed.
pub(super) struct Certified {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Certified {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let certified = Self {
            folder: TempDir::new().unwrap(),
            issuer: Issuer::new(params, key),
            root,
        };
        certified.renew(1);
        certified
    }

    /// Puts another certificate in the place of the one that is there.
    fn renew(&self, serial: u64) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (chain, secret) = self.files();
        fs::write(chain, certificate.pem()).unwrap();
        fs::write(secret, key.serialize_pem()).unwrap();
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        let folder = self.folder.path();
        (folder.join("chain.pem"), folder.join("key.pem"))
    }

    pub(super) fn tls(&self) -> Arc<Tls> {
        let (chain, key) = self.files();
        Arc::new(Tls::load(&chain, &key).unwrap())
    }

    fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }
}

type Wire = StreamOwned<ClientConnection, TcpStream>;

fn connect(house: &House, client: &Arc<ClientConfig>) -> Wire {
    let stream = TcpStream::connect(house.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let name = "localhost".try_into().unwrap();
    StreamOwned::new(ClientConnection::new(client.clone(), name).unwrap(), stream)
}

/// Sends a request over HTTP/1.1, and reads to the end of its connection.
fn get(wire: &mut Wire, target: &str) -> String {
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    wire.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn serial(wire: &Wire) -> Vec<u8> {
    // Certificate, TBSCertificate, version, and then the serial number.
    let der = &wire.conn.peer_certificates().unwrap()[0];
    let at = der.windows(2).position(|pair| pair == [2, 1]).unwrap();
    let at = at + 3;
    let length = usize::from(der[at + 1]);
    der[at + 2..at + 2 + length].to_vec()
}

#[test]
fn who_comes_back_resumes_their_session_in_either_version() {
    let certified = Certified::new();
    let house = Plan::new().secured(certified.tls()).open();
    for version in [&TLS12, &TLS13] {
        let client = Arc::new(certified.client(&[version], &["http/1.1"]));
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let mut wire = connect(&house, &client);
            let answer = get(&mut wire, "/health/live");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert_eq!(wire.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
            kinds.push(wire.conn.handshake_kind().unwrap());
        }
        let resumed = HandshakeKind::Resumed;
        assert_eq!(
            kinds,
            [HandshakeKind::Full, resumed, resumed],
            "{version:?}"
        );
    }
}

#[test]
fn a_certificate_that_changed_is_for_the_next_connection() {
    let certified = Certified::new();
    let tls = certified.tls();
    let house = Plan::new().secured(tls.clone()).open();
    // Each connection is a client's first.
    let connect = || connect(&house, &Arc::new(certified.client(&[&TLS13], &[])));
    let mut open = connect();
    open.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    open.read_exact(&mut [0; 15]).unwrap();
    assert_eq!(serial(&open), [1]);
    certified.renew(2);
    assert_eq!(tls.look_again().unwrap(), Renewed::Yes);
    let mut next = connect();
    assert!(get(&mut next, "/health/live").starts_with("HTTP/1.1 200 "));
    assert_eq!(serial(&next), [2]);
    // One that is half written is not taken over.
    fs::write(certified.files().1, "-----BEGIN PRIVATE KEY-----\nMC4C").unwrap();
    assert_eq!(tls.look_again().unwrap_err().kind(), "Key");
    let mut next = connect();
    assert!(get(&mut next, "/health/live").starts_with("HTTP/1.1 200 "));
    assert_eq!(serial(&next), [2]);
    // Who was connected goes on.
    assert!(get(&mut open, "/health/live").contains("HTTP/1.1 200 "));
}

#[test]
fn who_speaks_no_tls_or_never_ends_the_handshake_is_cut_off() {
    let certified = Certified::new();
    let soon = |limits: &mut goodstanding::http::Limits| limits.head = Ttl::from_millis(300);
    let house = Plan::new().secured(certified.tls()).within(soon).open();
    for sent in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"\x16\x03\x01",
        b"",
    ] {
        let mut stream = TcpStream::connect(house.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(sent).unwrap();
        let mut answer = Vec::new();
        // It may be reset, with what was sent unread.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
}

/// A connection over HTTP/2.
pub(super) struct Second {
    runtime: Runtime,
    requests: SendRequest<Bytes>,
    connection: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Second {
    pub(super) fn open(house: &House, certified: &Certified) -> Self {
        let client = Arc::new(certified.client(&[&TLS13], &["h2", "http/1.1"]));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let address = house.address;
        let (requests, connection) = runtime.block_on(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let name = "localhost".try_into().unwrap();
            let connector = tokio_rustls::TlsConnector::from(client);
            let stream = connector.connect(name, stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (requests, connection) = h2::client::handshake(stream).await.unwrap();
            (requests, tokio::spawn(connection))
        });
        Self {
            runtime,
            requests,
            connection,
        }
    }

    /// Sends all of them at once.
    pub(super) fn get(&self, targets: &[(&str, &[(&str, &str)])]) -> Vec<Answer> {
        self.runtime.block_on(async {
            let mut waiting = Vec::new();
            for (target, headers) in targets {
                let mut request = Request::get(format!("https://localhost{target}"));
                for (name, value) in *headers {
                    request = request.header(*name, *value);
                }
                let mut requests = self.requests.clone().ready().await.unwrap();
                let request = request.body(()).unwrap();
                waiting.push(requests.send_request(request, true).unwrap().0);
            }
            let mut answers = Vec::new();
            for answer in waiting {
                let (head, mut body) = answer.await.unwrap().into_parts();
                let mut read = Vec::new();
                while let Some(part) = body.data().await {
                    let part = part.unwrap();
                    body.flow_control().release_capacity(part.len()).unwrap();
                    read.extend_from_slice(&part);
                }
                answers.push(Answer {
                    status: head.status.as_u16(),
                    headers: texts(&head.headers),
                    body: read,
                });
            }
            answers
        })
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

#[test]
fn http_2_says_the_same() {
    let certified = Certified::new();
    // Lists hold longer than this test takes, whoever reads them.
    let house = Plan::new().secured(certified.tls()).in_development().open();
    let mut second = Second::open(&house, &certified);
    let profile = serde_json::json!({ "slug": "school", "name": "School", "roles": ["issuer"] });
    let created = second.post("/profiles", &profile);
    assert_eq!(created.status, 201, "{}", created.text());
    let list = serde_json::json!({ "issuer": "school", "statusPurpose": "revocation" });
    let list = second.post("/status-lists", &list).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let target = list.strip_prefix("http://localhost:8080").unwrap();
    let gzip: &[(&str, &str)] = &[("accept-encoding", "gzip")];
    let targets = [
        (target, &[][..]),
        (target, gzip),
        (target, &[("accept", "application/vc+jwt")]),
        ("/health/live", &[]),
        (target, &[("accept", "text/csv")]),
        ("/nowhere", &[]),
        (target, gzip),
    ];
    let answers = second.get(&targets);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 406, 404, 200]);
    assert_eq!(answers[1], answers[6]);
    assert_eq!(answers[1].header("content-encoding"), Some("gzip"));
    let client = Arc::new(certified.client(&[&TLS13], &[]));
    let over_http_1 = get(&mut connect(&house, &client), target);
    let (head, body) = over_http_1.split_once("\r\n\r\n").unwrap();
    assert_eq!(answers[0].text(), body);
    for name in [
        "etag",
        "vary",
        "cache-control",
        "last-modified",
        "content-length",
    ] {
        let line = format!("{name}: {}", answers[0].header(name).unwrap());
        assert!(head.contains(&line), "{line} in {head}");
    }
    let tag = answers[1].header("etag").unwrap().to_owned();
    let known: &[(&str, &str)] = &[("accept-encoding", "gzip"), ("if-none-match", &tag)];
    let answers = second.get(&[(target, known), (target, &known[1..])]);
    assert_eq!((answers[0].status, answers[1].status), (304, 200));
    // Whoever calls this machine by another name is refused, as over HTTP/1.1.
    let refused = second.runtime.block_on(async {
        let request = Request::get("https://rebound.example/health/live")
            .body(())
            .unwrap();
        let (answer, _) = second.requests.send_request(request, true).unwrap();
        answer.await.unwrap().status().as_u16()
    });
    assert_eq!(refused, 403);
}

impl Second {
    fn post(&mut self, target: &str, body: &serde_json::Value) -> Answer {
        let request = Request::post(format!("https://localhost{target}"))
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        self.runtime.block_on(async {
            let (answer, mut out) = self.requests.send_request(request, false).unwrap();
            out.send_data(body.to_string().into(), true).unwrap();
            let (head, mut body) = answer.await.unwrap().into_parts();
            let mut read = Vec::new();
            while let Some(part) = body.data().await {
                read.extend_from_slice(&part.unwrap());
            }
            Answer {
                status: head.status.as_u16(),
                headers: texts(&head.headers),
                body: read,
            }
        })
    }
}

#[test]
fn a_stop_ends_an_idle_connection_over_http_2() {
    let certified = Certified::new();
    let house = Plan::new().secured(certified.tls()).open();
    let second = Second::open(&house, &certified);
    assert_eq!(second.get(&[("/health/live", &[])])[0].status, 200);
    // Who is idle is told so, and does not hold it up.
    let began = Instant::now();
    drop(house);
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    // It may find out by what it writes next.
    let ended = second.runtime.block_on(second.connection).unwrap();
    let reset = |error: &h2::Error| {
        error.is_reset()
            || error
                .reason()
                .is_some_and(|why| why != h2::Reason::NO_ERROR)
    };
    assert!(!ended.is_err_and(|error| reset(&error)));
}
