//! What docs/operations.md tells operators to do, done: the proxy that it shows stands before a registry, and the
//! master key is changed by the commands that it gives.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use ureq::Agent;
use ureq::tls::TlsConfig;

use super::edge_nginx::{Nginx, nginx};
use super::folder::{Folder, ORIGIN};
use super::program::{program, run};
use super::standing::{ISSUER, profile};

const GUIDE: &str = include_str!("../../../docs/operations.md");

/// The first block between fences of this language.
fn fenced(language: &str) -> &'static str {
    let (_, block) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_proxy_speaks_tls_for_the_registry_and_tells_where_requests_come_from() {
    let Some(program) = nginx() else {
        return;
    };
    let folder = Folder::prepared();
    let settings = [
        ("GOODSTANDING_RATES__PROXIES", "1"),
        ("GOODSTANDING_RATES__CODES_OF_ADDRESS", "1"),
    ];
    let server = folder.serve(&settings);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["tls.pem", "tls.key"].map(|name| folder.beside().join(name));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let conf = fenced("nginx")
        .replace("listen 443", "listen 127.0.0.1:PORT")
        .replace("127.0.0.1:8080", &server.address.to_string())
        .replace("/etc/goodstanding/tls.pem", certificate.to_str().unwrap())
        .replace("/etc/goodstanding/tls.key", key.to_str().unwrap());
    let proxy = Nginx::start(&program, &conf);
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build()
        .into();
    let asks = |path: &str, from: &str| {
        let url = format!("https://{}{path}", proxy.address);
        let host = ORIGIN.trim_start_matches("https://");
        let request = agent.get(&url).header("Host", host);
        request.header("X-Forwarded-For", from).call().unwrap()
    };
    let ready = asks("/health/ready", "192.0.2.1");
    assert_eq!(ready.status(), 200);
    assert_eq!(
        ready.headers()["strict-transport-security"],
        "max-age=31536000"
    );
    // An error of the registry's has it too.
    let nothing = asks("/nothing", "192.0.2.1");
    assert_eq!(nothing.status(), 404);
    assert!(nothing.headers().contains_key("strict-transport-security"));
    // What a caller writes into the header counts for nothing: all of these come from one address.
    let code = "/codes/2222-2222-2222-2222";
    let statuses =
        ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|from| asks(code, from).status().as_u16());
    assert_ne!(statuses[0], 429);
    assert_eq!(statuses[2], 429, "{statuses:?}");
}

/// The commands that change the master key under systemd.
fn commands() -> String {
    let (_, below) = GUIDE
        .split_once("stand-ins for systemctl and sudo -->")
        .unwrap();
    let lines = below.lines().skip_while(|line| line.is_empty());
    let lines = lines.take_while(|line| line.starts_with("    "));
    lines
        .map(|line| format!("{}\n", line.trim_start()))
        .collect()
}

#[test]
fn the_master_key_is_changed_under_systemd_by_the_commands_of_the_guide() {
    let folder = Folder::prepared();
    let settings = folder.beside().join("etc");
    fs::create_dir(&settings).unwrap();
    let key = settings.join("master.key");
    fs::rename(folder.data().join("master.key"), &key).unwrap();
    let serve = || folder.serve(&[("GOODSTANDING_MASTER_KEY__FILE", key.to_str().unwrap())]);
    let server = serve();
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
    let earlier = fs::read_to_string(&key).unwrap();

    let stand_ins = folder.beside().join("bin");
    fs::create_dir(&stand_ins).unwrap();
    for (name, script) in STAND_INS {
        let file = stand_ins.join(name);
        fs::write(&file, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }
    let told = folder.beside().join("told");
    let own = Path::new(env!("CARGO_BIN_EXE_goodstanding"))
        .parent()
        .unwrap();
    let script = commands()
        .replace("/etc/goodstanding", settings.to_str().unwrap())
        .replace(
            "/run/goodstanding-key",
            folder.beside().join("run").to_str().unwrap(),
        )
        .replace("/var/lib/goodstanding", folder.data().to_str().unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", &script]).env("TOLD", &told);
    shell.env(
        "PATH",
        format!("{}:{}:/usr/bin:/bin", stand_ins.display(), own.display()),
    );
    run(&mut shell, "").exits(0);

    let said = fs::read_to_string(told).unwrap();
    assert_eq!(
        said,
        "systemctl stop goodstanding\nsystemctl start goodstanding\n"
    );
    let next = fs::read_to_string(&key).unwrap();
    assert_ne!(next, earlier);
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.beside().join("run").exists());
    let server = serve();
    assert_eq!(folder.operator(&server).get("/health/ready").status, 200);
    server.stop().in_order();
    // The key before opens nothing any more.
    fs::write(&key, earlier).unwrap();
    let mut refused = program();
    refused
        .args(["key", "list", ISSUER, "--data"])
        .arg(folder.data());
    refused.env("GOODSTANDING_MASTER_KEY__FILE", &key);
    assert_ne!(run(&mut refused, "").status, Some(0));
}

/// Systemd and other users are not here. `install` keeps to the user of the tests.
const STAND_INS: [(&str, &str); 3] = [
    ("systemctl", r#"echo "systemctl $*" >>"$TOLD""#),
    ("sudo", r#"[ "$1" = -u ] && shift 2; exec "$@""#),
    (
        "install",
        r#"if [ "$1" = -d ]; then shift; as=-d; else as=; fi
[ "$1" = -o ] && shift 2
exec /usr/bin/install $as "$@""#,
    ),
];
