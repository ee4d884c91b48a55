//! Names to addresses.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thiserror::Error;

/// Resolves host names. Called once for each connection; what it answers is vetted, and what was
/// vetted is connected to.
pub trait Names: Send + Sync {
    /// The addresses of `host`, best first; not empty. Comes back `within` that time.
    ///
    /// # Errors
    /// [`NameError`] says why there are none.
    fn resolve(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, NameError>;
}

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is none, or nobody could tell.
    #[error("the name could not be resolved")]
    NotFound,
    /// Nobody told within the time.
    #[error("the name was not resolved in time")]
    Timeout,
    /// Too many names are being resolved.
    #[error("too many names are being resolved")]
    Busy,
}

/// The operating system's resolver. It cannot be interrupted, so each question has a thread of
/// its own, which may outlive the time limit; there are never more than [`SystemNames::THREADS`].
#[derive(Debug, Default)]
pub struct SystemNames {
    asking: Arc<AtomicUsize>,
}

/// One of the threads; given back when dropped.
struct Turn(Arc<AtomicUsize>);

impl SystemNames {
    /// How many names are resolved at a time.
    pub const THREADS: usize = 64;

    fn turn(&self) -> Result<Turn, NameError> {
        let more = |asking| (asking < Self::THREADS).then_some(asking + 1);
        self.asking
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .map(|_| Turn(self.asking.clone()))
            .map_err(|_| NameError::Busy)
    }
}

impl Names for SystemNames {
    fn resolve(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, NameError> {
        let turn = self.turn()?;
        let (answer, answered) = mpsc::sync_channel(1);
        let host = host.to_owned();
        let asked = thread::Builder::new()
            .name("resolve".into())
            .spawn(move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                drop(turn);
                // Nobody listens any more where the time is over.
                let _ = answer.send(found.map(|all| all.map(|one| one.ip()).collect::<Vec<_>>()));
            });
        asked.map_err(|_| NameError::Busy)?;
        match answered.recv_timeout(within) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(NameError::NotFound),
            Err(_) => Err(NameError::Timeout),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_knows_this_machine() {
        let names = SystemNames::default();
        let found = names.resolve("localhost", Duration::from_secs(10)).unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert_eq!(names.asking.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn no_more_threads_are_started_than_there_may_be() {
        let names = SystemNames::default();
        let turns: Vec<_> = (0..SystemNames::THREADS)
            .map(|_| names.turn().unwrap())
            .collect();
        let asked = names.resolve("localhost", Duration::from_secs(10));
        assert_eq!(asked, Err(NameError::Busy));
        drop(turns);
        assert!(names.resolve("localhost", Duration::from_secs(10)).is_ok());
    }
}
