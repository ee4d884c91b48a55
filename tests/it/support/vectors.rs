//! Where the published test vectors are.

use std::path::{Path, PathBuf};

/// The folder `name` of the vectors: under `GOODSTANDING_VECTORS`, or else `../shared/vectors`
/// beside the project's root. Where it is absent this says so on a line of its own and gives
/// nothing, for the test to pass without having run; unless `GOODSTANDING_REQUIRE_VECTORS=1`
/// makes that a failure.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("GOODSTANDING_VECTORS") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
    };
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("GOODSTANDING_REQUIRE_VECTORS").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "GOODSTANDING_REQUIRE_VECTORS=1, but no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}
