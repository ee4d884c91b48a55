//! What the check page finds out in the browser, against what others sign: the same modules that pages load, run
//! by Node.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::process::program::run;
use crate::support::peers::skip;

const NODE: &str = "GOODSTANDING_INTEROP_NODE";

#[test]
fn browsers_tell_what_is_genuine_from_what_is_not_and_from_what_they_cannot_check() {
    let Some(node) = env::var_os(NODE).filter(|value| !value.is_empty()) else {
        return skip("Node", NODE);
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/in_browser.mjs");
    let ran = run(Command::new(node).arg(script), "").exits(0);
    let held: u32 = ran.out.trim().parse().expect("how many cases held");
    assert!(held >= 60, "{held}");
}
