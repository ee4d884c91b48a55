//! The ways in which a process is told to stop.

use std::process;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal as Sent, getpid, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Told once, it stops in order; told twice, the process ends.
pub(super) struct Signals {
    first: oneshot::Receiver<()>,
}

impl Signals {
    /// From now on both signals are heard, on a thread of their own: what stopping waits for does not
    /// keep it from hearing the second one.
    pub(super) fn listen() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("signals cannot be heard: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(failed)?;
        let entered = runtime.enter();
        let interrupted = signal(SignalKind::interrupt()).map_err(failed)?;
        let terminated = signal(SignalKind::terminate()).map_err(failed)?;
        drop(entered);
        let (tell, first) = oneshot::channel();
        let hear = async move {
            let mut heard = Heard {
                interrupted,
                terminated,
            };
            heard.next().await;
            // Where nobody waits for it any more, the service has ended already.
            let _ = tell.send(());
            end_at_once(heard.next().await);
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || runtime.block_on(hear))
            .map_err(failed)?;
        Ok(Self { first })
    }

    /// Returns when the process is told to stop.
    pub(super) async fn told_to_stop(self) {
        // The thread that tells never ends before it has told.
        let _ = self.first.await;
    }
}

struct Heard {
    interrupted: Signal,
    terminated: Signal,
}

impl Heard {
    /// The next signal: its name and its number.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.interrupted.recv() => ("SIGINT", 2),
            _ = self.terminated.recv() => ("SIGTERM", 15),
        }
    }
}

/// Ends the process, with the status that shells give to one that a signal ended. What was
/// acknowledged is on the disk; what was not signed yet is signed at the next start.
fn end_at_once((name, number): (&str, i32)) {
    // Where standard error is gone there is nobody to tell; the exit status says it.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!(
            "goodstanding: {name} while stopping: ended at once; every acknowledged change is kept, \
             and lists that were not signed yet are signed at the next start\n"
        )
        .as_bytes(),
    );
    // What the store does in the background can hold an orderly exit up.
    thread::spawn(|| {
        thread::sleep(Duration::from_millis(500));
        kill_process(getpid(), Sent::KILL)
    });
    process::exit(128 + number);
}
