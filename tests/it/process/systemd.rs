//! The unit for systemd: systemd itself takes it and finds it hardened, and what it sets is what the program
//! needs.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::folder::Folder;

const UNIT: &str = include_str!("../../../docker/systemd/goodstanding.service");
const DEFAULTS: &str = include_str!("../../../config/default.toml");

#[test]
fn systemd_takes_the_unit_and_names_a_key_it_does_not_know() {
    let Some(analyze) = Analyze::found() else {
        return;
    };
    let said = analyze.verify(UNIT);
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    let said = analyze.verify(&UNIT.replace("RestartSec=", "RestartSecs="));
    assert!(text(&said.stderr).contains("RestartSecs"), "{said:?}");
}

#[test]
fn little_is_left_to_whoever_takes_over_the_service() {
    let Some(analyze) = Analyze::found() else {
        return;
    };
    let said = analyze.exposed_at_most("15", UNIT);
    assert!(said.status.success(), "{}", text(&said.stdout));
    let open = UNIT.replace("NoNewPrivileges=yes", "NoNewPrivileges=no");
    let open = open.replace("SystemCallFilter=", "# SystemCallFilter=");
    assert!(!analyze.exposed_at_most("15", &open).status.success());
}

#[test]
fn the_credential_is_the_master_key_of_the_registry() {
    let folder = Folder::prepared();
    let credentials = folder.beside().join("credentials");
    fs::create_dir(&credentials).unwrap();
    let (credential, _) = of("LoadCredential").split_once(':').unwrap();
    let key = credentials.join(credential);
    fs::rename(folder.data().join("master.key"), &key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o400)).unwrap();

    let (name, value) = of("Environment").split_once('=').unwrap();
    let value = value.replace("%d", credentials.to_str().unwrap());
    let server = folder.serve(&[(name, &value)]);
    assert_eq!(folder.operator(&server).get("/health/ready").status, 200);
    server.stop().in_order();
}

#[test]
fn a_stop_waits_for_longer_than_requests_are_given() {
    let drain = DEFAULTS
        .lines()
        .find_map(|line| line.strip_prefix("drain_ms = "))
        .map(|number| number.replace('_', ""))
        .and_then(|number| number.parse::<u64>().ok())
        .expect("the default is written down");
    let stop: u64 = of("TimeoutStopSec").parse().unwrap();
    assert!(stop * 1_000 >= 2 * drain, "{stop} s for {drain} ms");
}

/// What the unit says for a key.
fn of(key: &str) -> &'static str {
    UNIT.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("the unit has no {key}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// systemd's own reader of units, which needs no systemd that runs.
struct Analyze;

impl Analyze {
    /// None where there is none and nobody insists.
    fn found() -> Option<Self> {
        let found = Command::new("systemd-analyze").arg("--version").output();
        let found = found.is_ok_and(|said| said.status.success());
        assert!(
            found || env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
            "systemd-analyze is missing: apt-get install systemd"
        );
        if !found {
            eprintln!("skipped: there is no systemd-analyze");
        }
        found.then_some(Self)
    }

    fn verify(&self, unit: &str) -> Output {
        // It looks for the program too, which stands elsewhere here.
        let program = env!("CARGO_BIN_EXE_goodstanding");
        let unit = unit.replace("/usr/local/bin/goodstanding", program);
        self.ask(&["verify", "--man=no"], &unit)
    }

    /// `exposure` in tenths, of 100.
    fn exposed_at_most(&self, exposure: &str, unit: &str) -> Output {
        let threshold = format!("--threshold={exposure}");
        self.ask(
            &["security", "--offline=true", "--no-pager", &threshold],
            unit,
        )
    }

    fn ask(&self, question: &[&str], unit: &str) -> Output {
        let home = TempDir::new().unwrap();
        let file = home.path().join("goodstanding.service");
        fs::write(&file, unit).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.args(question).arg(file).output().unwrap()
    }
}
