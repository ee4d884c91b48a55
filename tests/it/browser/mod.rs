//! What people do on the pages, in a real browser: `tests/interop/browser` walks the stories, each with a
//! registry of its own that is made ready here.

mod scenes;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The browser, and what drives it; none where there is none and nobody insists.
struct Walker {
    node: OsString,
}

impl Walker {
    fn find() -> Option<Self> {
        let needed = ["GOODSTANDING_INTEROP_NODE", "GOODSTANDING_INTEROP_CHROMIUM"];
        for variable in needed {
            if env::var_os(variable).is_none_or(|value| value.is_empty()) {
                missing(variable);
                return None;
            }
        }
        let node = env::var_os(needed[0])?;
        Some(Self { node })
    }

    /// Walks these stories, each in its scene; what went wrong is said as a whole.
    fn walks(&self, stories: &Value) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/browser/run.mjs");
        let pictures = pictures();
        let mut walking = Command::new(&self.node)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Node starts");
        let told = json!({ "pictures": pictures, "stories": stories }).to_string();
        let mut input = walking.stdin.take().expect("its input is piped");
        input.write_all(told.as_bytes()).expect("it listens");
        drop(input);
        let ended = walking.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stdout);
        let complained = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success(),
            "{said}{complained}pictures: {}",
            pictures.display()
        );
        println!("{said}pictures: {}", pictures.display());
    }
}

/// Where pictures of the pages are kept.
fn pictures() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages")
}

fn missing(variable: &str) {
    assert!(
        env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "a browser is required and {variable} is not set: run the tests by `make test`"
    );
    // Written past the capture of a test's output, which hides what a passing test says.
    let line = format!("skipped: journeys in a browser; {variable} is not set (`make test`)\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// All of them by one browser, which takes its time to start.
#[test]
fn people_walk_their_journeys() {
    let Some(walker) = Walker::find() else {
        return;
    };
    let scenes = scenes::all();
    let stories: serde_json::Map<String, Value> = scenes
        .iter()
        .map(|scene| (scene.story.to_owned(), scene.told.clone()))
        .collect();
    walker.walks(&Value::Object(stories));
}
