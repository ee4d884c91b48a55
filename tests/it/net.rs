//! The fetcher on a small internet of its own: a network namespace in which public addresses
//! are this machine, with the real resolver, the real policy and real ports. Canaries stand where
//! a list server would lead a careless one: at the metadata address, on loopback, in a private
//! network, and as a proxy.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::bufread::GzEncoder;
use goodstanding::net::{
    FetchError, Fetched, Fetcher, Hosts, Kind, Policy, Refusal, SystemNames, Unreachable, Unusable,
};
use goodstanding::time::{ManualClock, Timestamp, Ttl};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::support::actors::badge;
use crate::support::house::{House, Plan};
use crate::support::site::Canary;

/// Says to this program that it runs inside, and where its hosts file is.
const INSIDE: &str = "GOODSTANDING_TEST_NAMESPACE";

/// The addresses and the hosts of the small internet, and then this program again, with only the
/// story in it. `$0` is the program, `$1` the folder of the hosts file.
const SETUP: &str = "set -e
ip link set lo up
for address in 93.184.215.14 169.254.169.254 10.0.0.1; do ip addr add $address/32 dev lo; done
mount --bind \"$1/hosts\" /etc/hosts
exec \"$0\" --exact net::inside --ignored --nocapture";

const PUBLIC: &str = "93.184.215.14";
const METADATA: &str = "169.254.169.254";

#[test]
fn a_small_internet_full_of_traps_springs_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hosts"), "").unwrap();
    let Some(unshare) = namespaces() else {
        return skip();
    };
    let proxy = "http://127.0.0.1:3128";
    let told = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", SETUP])
        .arg(env::current_exe().unwrap())
        .arg(folder.path())
        .env(INSIDE, folder.path().join("hosts"))
        .envs(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"].map(|key| (key, proxy)))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&told.stdout),
        String::from_utf8_lossy(&told.stderr),
    );
    assert!(told.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "the story was not told:\n{out}");
}

/// How a network of one's own is made here; none where that is not allowed.
fn namespaces() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [
        &["--net", "--mount"],
        &["--user", "--map-root-user", "--net", "--mount"],
    ];
    let possible = |way: &&&[&str]| {
        let tried = Command::new("unshare")
            .args(**way)
            .args([
                "sh",
                "-c",
                "ip link set lo up && mount --bind /etc/hosts /etc/hosts",
            ])
            .output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    ways.iter().find(possible).copied()
}

fn skip() {
    assert!(
        env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "network namespaces are required: run as root, or allow them to users, with `unshare` \
         (util-linux) and `ip` (iproute2)"
    );
    // Written past the capture of a test's output, which hides what a passing test says.
    let line = "skipped: the fetcher on a network of its own; namespaces cannot be made here\n";
    io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
#[ignore = "told in a network namespace, by a_small_internet_full_of_traps_springs_none"]
fn inside() {
    let hosts = env::var_os(INSIDE).expect("this story is told in a namespace");
    let names = |lists: &str| {
        let text = format!(
            "{lists} lists.example.net\n{METADATA} metadata.example.net\n\
             10.0.0.1 private.example.net\n127.0.0.1 loopback.example.net\n\
             127.0.0.1 mixed.example.net\n{PUBLIC} mixed.example.net\n\
             {PUBLIC} other.example.net\n"
        );
        fs::write(&hosts, text).unwrap();
    };
    names(PUBLIC);
    let canaries = [
        Canary::at(METADATA, 80),
        Canary::at(METADATA, 443),
        Canary::at("10.0.0.1", 443),
        Canary::at("127.0.0.1", 443),
        Canary::at("127.0.0.1", 80),
        Canary::at("127.0.0.1", 3128),
    ];
    let authority = serve();

    let strict = fetcher(&authority, 0);
    let list = get(&strict, "https://lists.example.net/list").unwrap();
    assert_eq!(list.body, "{\"this\": \"is a list\"}");
    let mixed = get(&strict, "https://mixed.example.net/list").unwrap();
    assert_eq!(mixed.body, list.body);

    no_way_leads_inside(&authority);
    no_answer_takes_too_long_or_too_much(&authority);
    let policy = policy(&authority, 3);
    let house = Plan::new()
        .reaching(policy, Arc::new(SystemNames::default()))
        .open();
    no_badge_leads_inside(&house);

    // The name that was public is loopback from now on.
    names("127.0.0.1");
    let rebound = get(&strict, "https://lists.example.net/list").unwrap_err();
    assert_eq!(
        rebound,
        Refusal::NotPublic("lists.example.net".into()).into()
    );
    let report = verified(&house, "https://lists.example.net/list");
    assert!(
        report.contains("resolves to an address that is not public"),
        "{report}"
    );
    let unknown = get(&strict, "https://nobody.example.net/").unwrap_err();
    assert_eq!(
        unknown,
        Unreachable::Name("nobody.example.net".into()).into()
    );

    for canary in canaries {
        canary.sings();
    }
}

/// Whatever names an address that is not public, or leads to one, is refused.
fn no_way_leads_inside(authority: &str) {
    for redirects in [0, 3] {
        let fetcher = fetcher(authority, redirects);
        for name in ["metadata", "private", "loopback"] {
            let host = format!("{name}.example.net");
            let direct = get(&fetcher, &format!("https://{host}/"));
            assert_eq!(direct, Err(Refusal::NotPublic(host.clone()).into()));
            let led = get(&fetcher, &format!("https://lists.example.net/to-{name}"));
            let followed = redirects;
            let to = format!("https://{host}/");
            let expected = match redirects {
                0 => Refusal::Redirect { to, followed },
                _ => Refusal::NotPublic(host),
            };
            assert_eq!(led, Err(expected.into()));
        }
        for path in ["to-address", "to-localhost"] {
            let led = get(&fetcher, &format!("https://lists.example.net/{path}"));
            assert!(
                matches!(led, Err(FetchError::Refused(_))),
                "{path}: {led:?}"
            );
        }
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "https://169.254.169.254/",
            "https://0xa9fea9fe/",
            "https://127.1/",
            "https://localhost/",
            "http://lists.example.net/list",
        ] {
            let refused = get(&fetcher, url);
            assert!(
                matches!(refused, Err(FetchError::Refused(_))),
                "{url}: {refused:?}"
            );
        }
    }
    // A certificate for one name is none for another, at whatever address.
    let other = get(&fetcher(authority, 3), "https://other.example.net/list");
    assert!(
        matches!(other, Err(FetchError::Unreachable(Unreachable::Tls { .. }))),
        "{other:?}"
    );
}

fn no_answer_takes_too_long_or_too_much(authority: &str) {
    let fetcher = fetcher(authority, 0);
    let began = Instant::now();
    let slow = get(&fetcher, "https://lists.example.net/slow");
    assert_eq!(slow, Err(Unreachable::Timeout(2000).into()));
    assert!(began.elapsed() < Duration::from_secs(20));
    let endless = get(&fetcher, "https://lists.example.net/endless");
    assert_eq!(endless, Err(Unusable::TooLarge(4 << 20).into()));
}

/// Whatever a badge names as its list, the service answers in time that it is unreachable.
fn no_badge_leads_inside(house: &House) {
    let paths = [
        "to-metadata",
        "to-private",
        "to-loopback",
        "to-address",
        "to-localhost",
        "slow",
        "endless",
        "bomb",
    ];
    let lists = paths.map(|path| format!("https://lists.example.net/{path}"));
    let others = [
        "https://metadata.example.net/",
        "https://private.example.net/",
        "https://loopback.example.net/",
        "http://169.254.169.254/latest/meta-data/",
        "https://0xa9fea9fe/",
        "https://localhost/",
    ];
    let others = others.map(str::to_owned);
    for list in lists.iter().chain(&others) {
        let began = Instant::now();
        verified(house, list);
        assert!(began.elapsed() < Duration::from_secs(20), "{list}");
    }
    let bomb = verified(house, "https://lists.example.net/bomb");
    assert!(bomb.contains("expands to more than"), "{bomb}");
}

/// The report on a good badge with this list, whose status is not found out.
fn verified(house: &House, list: &str) -> String {
    let key = SigningKey::from_seed(&[7; 32]);
    let did = DidKey::from(key.public());
    let mut badge = badge(&did.to_string(), "https://college.example/welding");
    badge["validFrom"] = json!("2026-01-01T00:00:00Z");
    badge["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": list,
    });
    let badge = proof::sign(&badge, &ProofOptions::new(did.method_url()), &key).unwrap();
    let report = house.verifier().verifies(&badge);
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("unreachable")),
        "{list}: {report:#}"
    );
    report.to_string()
}

fn policy(authority: &str, redirects: u8) -> Policy {
    Policy {
        hosts: Hosts::Public,
        redirects,
        total: Ttl::from_millis(2000),
        extra_roots: authority.as_bytes().to_vec(),
        ..Policy::default()
    }
}

fn fetcher(authority: &str, redirects: u8) -> Fetcher {
    let policy = policy(authority, redirects);
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    Fetcher::new(policy, Arc::new(SystemNames::default()), clock).unwrap()
}

fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    fetcher.get(url, Kind::StatusList)
}

/// A list server at the public address, with a certificate for two of its names; gives the
/// authority that signed it.
fn serve() -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);

    let names = ["lists.example.net", "mixed.example.net"].map(str::to_owned);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind((PUBLIC, 443)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = config.clone();
            thread::spawn(move || answer(stream.unwrap(), config));
        }
    });
    authority
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) {
    let mut wire = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match wire.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let fields = "Content-Type: application/vc\r\nCache-Control: no-store\r\nConnection: close\r\n";
    let ok = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    // Whoever asked may hang up at any time.
    let _ = match path {
        "/list" => wire.write_all(format!("{ok}{{\"this\": \"is a list\"}}").as_bytes()),
        "/slow" => trickle(&mut wire, &ok),
        "/endless" => endless(&mut wire, &ok),
        "/bomb" => bomb(&mut wire, fields),
        "/to-address" => redirect(&mut wire, "http://169.254.169.254/latest/meta-data/"),
        "/to-localhost" => redirect(&mut wire, "http://localhost/"),
        path => {
            let name = path.strip_prefix("/to-").unwrap();
            redirect(&mut wire, &format!("https://{name}.example.net/"))
        }
    };
    wire.conn.send_close_notify();
    let _ = wire.flush();
}

fn redirect(wire: &mut impl Write, to: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    wire.write_all(head.as_bytes())
}

/// A byte now and then, until the other side has had enough.
fn trickle(wire: &mut impl Write, head: &str) -> io::Result<()> {
    for byte in head.bytes().chain(std::iter::repeat(b' ')) {
        wire.write_all(&[byte])?;
        wire.flush()?;
        thread::park_timeout(Duration::from_millis(100));
    }
    Ok(())
}

/// 64 MiB of nothing, in some thousands of bytes.
fn bomb(wire: &mut impl Write, fields: &str) -> io::Result<()> {
    let mut packed = Vec::new();
    let nothing = io::BufReader::new(io::repeat(0).take(64 << 20));
    GzEncoder::new(nothing, Compression::best()).read_to_end(&mut packed)?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{fields}\r\n");
    wire.write_all(&[head.as_bytes(), &packed].concat())
}

fn endless(wire: &mut impl Write, head: &str) -> io::Result<()> {
    wire.write_all(head.as_bytes())?;
    loop {
        wire.write_all(&[b' '; 4096])?;
    }
}
