//! The preload library, which is built here out of `tests/support/powerloss/powerloss.c`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library, built once for all tests of this process; `None` where there is no C compiler and
/// nobody said that there has to be one. Then it says so.
pub(super) fn library() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let compiler = env::var_os("CC").filter(|name| !name.is_empty());
    let compiler = compiler.unwrap_or_else(|| "cc".into());
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/support/powerloss/powerloss.c"
    );
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Several test processes may build at once: each under a name of its own.
    let built = built.join(format!("powerloss-{}.so", std::process::id()));
    let run = Command::new(&compiler)
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"])
        .arg("-o")
        .args([built.as_os_str(), source.as_ref(), "-lpthread".as_ref()])
        .output();
    match run {
        Ok(run) if run.status.success() => Some(built),
        Ok(run) => panic!("{source}: {}", String::from_utf8_lossy(&run.stderr)),
        Err(error) => {
            assert!(
                env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
                "{compiler:?} cannot be run: {error}; install a C compiler, or name one in CC"
            );
            eprintln!("no power cuts: there is no C compiler ({compiler:?}: {error})");
            None
        }
    }
}
