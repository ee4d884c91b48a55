//! What the process keeps to itself: its memory holds keys.

use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on no core file is written of this process, and others that do not run as root can
/// read neither its memory nor the variables that it was started with. Whoever opens a store calls
/// it first.
///
/// # Errors
/// Where the system does not grant that.
pub(super) fn keep_to_itself() -> Result<(), String> {
    let failed = |error: rustix::io::Errno| {
        format!("the process cannot keep its memory to itself: {error}; no key is read")
    };
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(failed)?;
    // The limit is not asked where core files are handed to a program; this is.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(failed)?;
    Ok(())
}
