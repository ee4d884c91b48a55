//! Where verification goes for what stands elsewhere: to a fetcher, and first to what was read
//! and checked before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::error::FetchError;
use super::fetched::Fetched;
use super::fetcher::{Fetcher, wait};
use super::kind::Kind;
use super::names::Names;
use super::policy::Policy;
use super::session::Session;
use super::shelf::Shelf;
use super::tls::RootsError;
use crate::metrics::CacheShown;
use crate::time::{Clock, Timestamp};
use crate::vc::did::Localhost;
use crate::verify::{CheckedList, Outside, Resolver};

/// How many requests may wait for others at a time. Each holds one of the service's threads, and
/// there are twice as many (of tokio, 512), so that whoever asks nothing of others is answered.
const WAITING: usize = 256;

/// The documents and lists of others, as far as policy lets them be fetched.
///
/// What was read and checked is shared among requests for as long as it holds. Only what was found
/// is: that a list did not pass a check may be the fault of the credential that pointed to it.
pub struct Elsewhere {
    fetcher: Fetcher,
    waiting: AtomicUsize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) localhost: Localhost,
    /// For how long one request begins to ask.
    pub(super) span: Duration,
    /// Controller documents and key sets.
    pub(super) documents: Shelf<Value>,
    /// Lists, each with the issuer whose it is.
    pub(super) lists: Shelf<CheckedList>,
}

impl Elsewhere {
    /// Nothing is known yet. Half of the policy's `cache_bytes` is for answers, the other half for
    /// what was read in them.
    ///
    /// # Errors
    /// [`RootsError`] where the additional authorities of the policy cannot be used.
    pub fn new(
        policy: Policy,
        names: Arc<dyn Names>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RootsError> {
        let quarter = policy.cache_bytes / 4;
        let (localhost, span) = (policy.did_localhost(), wait(policy.total));
        let policy = Policy {
            cache_bytes: policy.cache_bytes - 2 * quarter,
            ..policy
        };
        Ok(Self {
            fetcher: Fetcher::new(policy, names, clock.clone())?,
            waiting: AtomicUsize::new(0),
            clock,
            localhost,
            span,
            documents: Shelf::new(quarter),
            lists: Shelf::new(quarter),
        })
    }

    /// Whether policy lets this be asked for at all. Nobody is asked for that.
    pub(super) fn check_policy(&self, url: &str) -> Result<(), FetchError> {
        self.fetcher.check_policy(url)
    }

    /// As [`Fetcher::get_since`], where not too many wait already.
    pub(super) fn fetch(
        &self,
        url: &str,
        kind: Kind,
        since: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let _turn = Turn::take(&self.waiting)?;
        self.fetcher.get_since(url, kind, since)
    }
}

impl Outside for Elsewhere {
    fn session(&self) -> Box<dyn Resolver + '_> {
        Box::new(Session::new(self))
    }

    fn measured(&self) -> Option<CacheShown> {
        Some(self.fetcher.measured())
    }
}

/// One of those who wait; it ends when dropped.
struct Turn<'w>(&'w AtomicUsize);

impl<'w> Turn<'w> {
    fn take(waiting: &'w AtomicUsize) -> Result<Self, FetchError> {
        let turn = Self(waiting);
        match waiting.fetch_add(1, Ordering::SeqCst) < WAITING {
            true => Ok(turn),
            false => Err(FetchError::Busy),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_wait_and_who_comes_too_much_is_told_so() {
        let waiting = AtomicUsize::new(0);
        let mut turns: Vec<_> = (0..WAITING).map(|_| Turn::take(&waiting)).collect();
        assert!(turns.iter().all(Result::is_ok));
        for _ in 0..3 {
            assert_eq!(Turn::take(&waiting).err(), Some(FetchError::Busy));
        }
        turns.pop();
        assert!(Turn::take(&waiting).is_ok());
        drop(turns);
        assert_eq!(waiting.into_inner(), 0);
    }
}
