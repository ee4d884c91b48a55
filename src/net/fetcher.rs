//! The fetcher: from a URL that a stranger named to a document, or to why there is none.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tracing::{debug, info};

use super::address::why_not_public;
use super::error::{FetchError, Refusal, Unreachable};
use super::exchange::{Deadline, Document, Failure, Question, Reply};
use super::fetched::Fetched;
use super::freshness::{self, Keeping};
use super::kind::Kind;
use super::memory::{Key, Memory, Stored, holds};
use super::names::{NameError, Names};
use super::policy::Policy;
use super::queue::{Flights, Places};
use super::target::Target;
use super::tls::{RootsError, client_config};
use crate::metrics::CacheShown;
use crate::time::{Clock, Timestamp, Ttl};

/// No limit of time is longer than this.
const LONGEST_WAIT: Ttl = Ttl::from_seconds(600);

/// How much longer than its limit somebody else's fetch is waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Fetches documents of others, within its [`Policy`]. Blocks, for the total time limit at most;
/// any number of threads may use one.
pub struct Fetcher {
    policy: Policy,
    names: Arc<dyn Names>,
    clock: Arc<dyn Clock>,
    tls: Arc<ClientConfig>,
    memory: Memory,
    flights: Flights,
    places: Places,
}

/// What the other side said in the end.
enum Said {
    /// A document, and whether it came from where it was asked for.
    New(Stored, Whence),
    /// What is held is still the answer.
    Same(Stored),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whence {
    There,
    Redirected,
}

impl Fetcher {
    /// A fetcher with nothing in its cache.
    ///
    /// # Errors
    /// [`RootsError`] where the additional authorities of the policy cannot be used.
    pub fn new(
        policy: Policy,
        names: Arc<dyn Names>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RootsError> {
        Ok(Self {
            tls: client_config(&policy.extra_roots)?,
            memory: Memory::new(policy.cache_bytes, policy.failure_memory),
            flights: Flights::default(),
            places: Places::new(policy.in_flight, policy.in_flight_per_host),
            policy,
            names,
            clock,
        })
    }

    /// The document at `url`, which may be as old as HTTP lets it be.
    ///
    /// # Errors
    /// [`FetchError`] says why there is none. A stale answer is never given in place of an error.
    pub fn get(&self, url: &str, kind: Kind) -> Result<Fetched, FetchError> {
        self.get_since(url, kind, Timestamp::from_millis(i64::MIN))
    }

    /// The document at `url`, last asked for at `since` or later: for lists that say themselves
    /// how long a copy of them may be used.
    ///
    /// # Errors
    /// [`FetchError`] says why there is none.
    pub fn get_since(
        &self,
        url: &str,
        kind: Kind,
        since: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let target = Target::admit(&self.policy, url)?;
        let key = Key::new(kind, &target);
        if let Some(known) = self.known(&key, since) {
            return known;
        }
        let patience = wait(self.policy.total) + GRACE;
        self.flights.join(&key, patience, || {
            // It may have landed between the look above and here.
            if let Some(known) = self.known(&key, since) {
                return known;
            }
            let answer = self.fetch(&target, kind, &key);
            if let Err(why) = &answer {
                debug!(error = why.kind(), "nothing was fetched");
                if *why != FetchError::Busy {
                    self.memory.failed_answer(&key, self.clock.now(), why);
                }
            }
            answer
        })
    }

    /// Whether policy lets this be asked for at all. Nobody is asked for that.
    pub(super) fn check_policy(&self, url: &str) -> Result<(), FetchError> {
        Target::admit(&self.policy, url)?;
        Ok(())
    }

    /// What is told of the answers that are kept.
    pub(super) fn measured(&self) -> CacheShown {
        self.memory.lookups.with(self.memory.held())
    }

    /// What needs no question: a fresh answer, or that it failed a moment ago.
    fn known(&self, key: &Key, since: Timestamp) -> Option<Result<Fetched, FetchError>> {
        let now = self.clock.now();
        if let Some(stored) = self.memory.answer(key) {
            let fetched = stored.fetched;
            if holds(fetched.fetched_at, fetched.fresh_until, now) && fetched.fetched_at >= since {
                self.memory.lookups.note(true);
                return Some(Ok(fetched));
            }
        }
        self.memory.lookups.note(false);
        self.memory.failure(key, now).map(Err)
    }

    fn fetch(&self, target: &Target, kind: Kind, key: &Key) -> Result<Fetched, FetchError> {
        let deadline = Deadline::after(wait(self.policy.total));
        let asked = self.clock.now();
        let held = self.memory.answer(key);
        let (mut stored, whence) = match self.follow(target, kind, held, deadline, asked)? {
            Said::New(stored, whence) => (stored, whence),
            Said::Same(stored) => (stored, Whence::There),
        };
        stored.fetched.fetched_at = asked;
        stored.fetched.fresh_until = asked;
        match freshness::keeping(&stored.headers, asked, &self.policy) {
            Keeping::Not => self.memory.forget(key),
            Keeping::Until(until) if whence == Whence::There => {
                stored.fetched.fresh_until = until;
                self.memory.keep(key.clone(), stored.clone());
            }
            // Who redirects does not say for how long, and can think better of it.
            Keeping::Until(until) => {
                stored.fetched.fresh_until = until.min(asked.plus(self.policy.fresh_default));
                stored.headers.clear();
                self.memory.keep(key.clone(), stored.clone());
            }
        }
        Ok(stored.fetched)
    }

    /// Asks there, and where redirects lead, each hop vetted like the first.
    fn follow(
        &self,
        target: &Target,
        kind: Kind,
        held: Option<Stored>,
        deadline: Deadline,
        asked: Timestamp,
    ) -> Result<Said, FetchError> {
        let held = held.filter(|held| freshness::can_be_renewed(&held.headers));
        let condition = held.as_ref().map(|held| &held.headers);
        let mut at = target.clone();
        let mut reply = self.ask(&at, kind, condition, deadline)?;
        let mut whence = Whence::There;
        for _ in 0..self.policy.redirects {
            let Reply::Redirect(location) = &reply else {
                break;
            };
            at = at.hop(&self.policy, location)?;
            whence = Whence::Redirected;
            reply = self.ask(&at, kind, None, deadline)?;
        }
        match (reply, held) {
            (Reply::Document(document), _) => {
                Ok(Said::New(stored(at.url(), document, asked), whence))
            }
            (Reply::NotModified(headers), Some(mut held)) => {
                held.headers = freshness::renewed(held.headers, &headers);
                Ok(Said::Same(held))
            }
            (Reply::NotModified(_), None) => Err(Unreachable::Status(304).into()),
            (Reply::Redirect(location), _) => Err(FetchError::from(Refusal::Redirect {
                to: at.shown_hop(&location),
                followed: self.policy.redirects,
            })),
        }
    }

    /// One question to one host: its turn, its addresses, and the answer.
    fn ask(
        &self,
        target: &Target,
        kind: Kind,
        held: Option<&http::HeaderMap>,
        deadline: Deadline,
    ) -> Result<Reply, FetchError> {
        let origin = target.origin();
        if let Some(why) = self.memory.dead_origin(&origin, self.clock.now()) {
            return Err(why);
        }
        let connect = wait(self.policy.connect);
        let patience = connect.min(deadline.left()?);
        let _place = self.places.take(target.host(), patience)?;
        // Who had no time to answer is not called dead for that.
        let hurried = deadline.left()? < 2 * connect;
        let addresses = self.addresses(target, connect.min(deadline.left()?));
        let asked = addresses.and_then(|addresses| {
            let question = Question {
                target,
                kind,
                addresses: &addresses,
                held,
                caps: kind.caps(&self.policy),
                connect,
                deadline,
                tls: &self.tls,
            };
            question.ask()
        });
        asked.map_err(|failure| match failure {
            Failure::Answer(why) => why,
            Failure::Host(why) if hurried => why,
            Failure::Host(why) => {
                self.memory.failed_origin(origin, self.clock.now(), &why);
                why
            }
        })
    }

    /// The addresses of the target that may be connected to: resolved once, and vetted.
    fn addresses(&self, target: &Target, within: Duration) -> Result<Vec<IpAddr>, Failure> {
        if let Some(address) = target.address() {
            return Ok(vec![address]);
        }
        let host = target.host();
        let found = self.names.resolve(host, within).map_err(|why| match why {
            NameError::Busy => Failure::Answer(FetchError::Busy),
            NameError::NotFound | NameError::Timeout => {
                Failure::Host(Unreachable::Name(host.to_owned()).into())
            }
        })?;
        let (vetted, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|address| target.reaches(&self.policy, *address));
        for address in others {
            let what = why_not_public(address);
            info!(what, "an address that is not connected to");
        }
        match vetted.is_empty() {
            true => Err(Failure::Host(Refusal::NotPublic(host.to_owned()).into())),
            false => Ok(vetted),
        }
    }
}

/// A document as it is kept; how long it is fresh is not decided yet.
fn stored(url: &str, document: Document, asked: Timestamp) -> Stored {
    Stored {
        fetched: Fetched {
            url: url.to_owned(),
            media_type: document.media_type,
            body: document.body,
            fetched_at: asked,
            fresh_until: asked,
        },
        headers: freshness::kept(&document.headers),
    }
}

/// A limit of the policy as the system takes it.
pub(super) fn wait(limit: Ttl) -> Duration {
    Duration::from_millis(limit.min(LONGEST_WAIT).millis())
}
