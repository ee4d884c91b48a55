//! What is released: an archive that is the same whenever it is packed, with a program that runs and all that
//! belongs to it, and a list of what it is made of that others read. The container's recipe, as far as that
//! can be told without a container.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::folder::Folder;
use super::program::{Ran, run};
use crate::support::peers::skip;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PYTHON: &str = "GOODSTANDING_INTEROP_PYTHON";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Packs the program of these tests as it is released.
fn packed(into: &Path) -> Ran {
    let mut command = Command::new(Path::new(ROOT).join("setup/release.sh"));
    command.arg(env!("CARGO_BIN_EXE_goodstanding")).arg(into);
    command.env("SOURCE_DATE_EPOCH", "1767225600");
    command.env("TARGET", TARGET);
    run(&mut command, "").exits(0)
}

fn name() -> String {
    format!("goodstanding-{}-{TARGET}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn a_release_is_the_same_whenever_it_is_packed_and_has_all_that_belongs_to_it() {
    let folder = TempDir::new().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    packed(&one);
    packed(&other);
    let sums = fs::read_to_string(one.join("SHA256SUMS")).unwrap();
    assert_eq!(sums, fs::read_to_string(other.join("SHA256SUMS")).unwrap());
    let mut check = Command::new("sha256sum");
    check.args(["--check", "SHA256SUMS"]).current_dir(&one);
    assert_eq!(run(&mut check, "").exits(0).out.matches(": OK").count(), 2);

    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(one.join(name() + ".tar.gz"));
    run(unpack.arg("-C").arg(folder.path()), "").exits(0);
    let tree = folder.path().join(name());
    for file in [
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "THIRD-PARTY.txt",
        "completions/goodstanding.bash",
        "completions/goodstanding.zsh",
        "completions/goodstanding.fish",
        "config/default.toml",
        "config/production.example.toml",
        "docs/how-to/operator.md",
        "docs/operations.md",
        "grafana/goodstanding.json",
        "man/goodstanding.1",
        "man/goodstanding-serve.1",
        "prometheus/alerts.yaml",
        "systemd/goodstanding.service",
    ] {
        let bytes = fs::read(tree.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(bytes.len() > 40, "{file}");
    }
    let program = tree.join("bin/goodstanding");
    let told = run(Command::new(&program).arg("--version"), "").exits(0);
    assert!(told.out.contains(env!("CARGO_PKG_VERSION")), "{told:?}");
    let tested = fs::metadata(env!("CARGO_BIN_EXE_goodstanding")).unwrap();
    assert!(fs::metadata(&program).unwrap().len() < tested.len());
    let licences = fs::read_to_string(tree.join("THIRD-PARTY.txt")).unwrap();
    for said in [
        "\nring 0",
        "\nswagger-ui-dist 5",
        "\nlibrocksdb-sys 0",
        "Apache License",
    ] {
        assert!(licences.contains(said), "{said}");
    }
}

#[test]
fn others_read_what_the_program_is_made_of_and_nothing_is_missing() {
    let folder = TempDir::new().unwrap();
    packed(folder.path());
    let file = folder.path().join(name() + ".cdx.json");
    let told: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let components = told["components"].as_array().unwrap();
    let named: BTreeSet<_> = components
        .iter()
        .map(|one| format!("{} v{}", text(&one["name"]), text(&one["version"])))
        .collect();
    assert_eq!(named.len(), components.len());
    // As cargo tells it, which goes by another way.
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "--prefix", "none"]);
    tree.args(["--edges", "normal,build", "--target", TARGET]);
    let tree = run(tree.current_dir(ROOT), "").exits(0);
    let packages = tree.out.lines().map(|line| {
        let mut words = line.split(' ');
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    });
    let own = format!("goodstanding v{}", env!("CARGO_PKG_VERSION"));
    let packages: BTreeSet<_> = packages.filter(|package| *package != own).collect();
    assert!(packages.len() > 200, "{packages:?}");
    let missing: Vec<_> = packages.difference(&named).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for one in components {
        assert!(one["licenses"][0].is_object(), "{one}");
        let from_cargo = text(&one["purl"]).starts_with("pkg:cargo/");
        assert_eq!(one["hashes"].is_array(), from_cargo, "{one}");
    }
    // What only tests need is no part of it.
    assert!(!named.iter().any(|name| name.starts_with("proptest ")));

    let Some(python) = env::var_os(PYTHON).filter(|value| !value.is_empty()) else {
        return skip("cyclonedx", PYTHON);
    };
    let read = |text: &str| run(Command::new(&python).args(["-c", READER]), text).exits(0);
    let whole = told.to_string();
    assert_eq!(read(&whole).out.trim(), "None");
    let wrong = whole.replace("\"type\":\"library\"", "\"type\":\"canary\"");
    assert!(read(&wrong).out.contains("canary"));
}

/// Holds what it is given against the schema that CycloneDX publishes.
const READER: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read()))
";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The recipe of the container, an instruction a line.
fn recipe() -> Vec<(String, String)> {
    let recipe = fs::read_to_string(docker("Dockerfile")).unwrap();
    let recipe = recipe.replace("\\\n", " ");
    let lines = recipe.lines().map(str::trim);
    let told = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parted = |line: &str| {
        let (word, rest) = line.split_once(' ').unwrap();
        (
            word.to_owned(),
            rest.split_whitespace().collect::<Vec<_>>().join(" "),
        )
    };
    told.map(parted).collect()
}

fn docker(file: &str) -> PathBuf {
    Path::new(ROOT).join("docker").join(file)
}

#[test]
fn the_image_has_the_program_alone_under_a_user_without_rights() {
    let recipe = recipe();
    let last = recipe.iter().rposition(|(word, _)| word == "FROM").unwrap();
    let (build, image) = recipe.split_at(last);
    assert_eq!(image[0].1, "debian:bookworm-slim");
    let compiler = fs::read_to_string(Path::new(ROOT).join("rust-toolchain.toml")).unwrap();
    let from = build[0].1.trim_start_matches("rust:");
    let version = from.split('-').next().unwrap();
    assert!(compiler.contains(&format!("\"{version}\"")), "{compiler}");
    let of = |word: &str| {
        let all = image.iter().filter(|(told, _)| told == word);
        all.map(|(_, rest)| rest.as_str()).collect::<Vec<_>>()
    };
    // What is copied: from the build, or of files that are there.
    assert_eq!(of("COPY").len(), 3);
    assert!(of("COPY").contains(&"--from=build /goodstanding /usr/local/bin/goodstanding"));
    let made = build
        .iter()
        .any(|(_, rest)| rest.ends_with("release/goodstanding /goodstanding"));
    assert!(made, "{build:?}");
    for copied in of("COPY")
        .iter()
        .filter(|copied| !copied.starts_with("--from"))
    {
        let source = copied.split(' ').next().unwrap();
        assert!(Path::new(ROOT).join(source).exists(), "{copied}");
    }
    // Who runs it: a number, so that whoever forbids root can see it, which the image knows.
    assert_eq!(of("USER"), ["10001"]);
    assert!(of("RUN")[0].contains("useradd --uid 10001 --no-create-home"));
    assert_eq!(of("STOPSIGNAL"), ["SIGTERM"]);
    let check = of("HEALTHCHECK")[0];
    assert!(
        check.ends_with("CMD [\"/usr/local/bin/health.sh\"]"),
        "{check}"
    );
    assert!(of("COPY").contains(&"docker/health.sh /usr/local/bin/health.sh"));
    let command = of("CMD")[0];
    assert!(command.contains("0.0.0.0:8080"), "{command}");
    assert_eq!(of("EXPOSE"), ["8080"]);
    assert!(
        fs::read_to_string(docker("health.sh"))
            .unwrap()
            .contains(":-8080}")
    );
    // What stands in a working copy and is nobody's business stays out of the build.
    let left_out = fs::read_to_string(docker("Dockerfile.dockerignore")).unwrap();
    for folder in ["data", "target", "dist", ".git", "**/node_modules"] {
        assert!(left_out.lines().any(|line| line == folder), "{folder}");
    }
}

#[test]
fn the_container_is_healthy_while_the_registry_is_ready() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let asks = |port: u16| run(Command::new(docker("health.sh")).arg(port.to_string()), "");
    let port = server.address.port();
    asks(port).exits(0);
    server.stop().in_order();
    assert_ne!(asks(port).status, Some(0));
    // A registry that takes no changes is not healthy either.
    fs::remove_file(folder.data().join("master.key")).unwrap();
    let server = folder.serve(&[]);
    assert_ne!(asks(server.address.port()).status, Some(0));
}
