//! The keys of OpenID Connect providers elsewhere: given by the operator, or fetched from where they
//! said, within the policy for fetching.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use thiserror::Error;

use crate::oauth::claims::Claims;
use crate::oauth::provider::{Guest, Provider, ProviderRefused};
use crate::time::{Timestamp, Ttl};
use crate::vc::jwks::JwksError;
use crate::vc::jws::Jws;
use crate::verify::Outside;

/// For how long fetched keys are taken for the present ones.
const FRESH: Ttl = Ttl::from_seconds(600);
/// For how long at most, where newer ones cannot be had.
const LASTING: Ttl = Ttl::from_seconds(3_600);
/// How often a provider is asked at most, whatever tokens come.
const BETWEEN: Ttl = Ttl::from_seconds(60);

/// So many wait for the keys of one provider, with who fetches them. Anybody can send tokens that
/// name it, and each of those that wait holds a thread.
const MOST_WAITING: usize = 16;

/// Where the keys of a provider are.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderKeys {
    /// A JWK set that the operator gave.
    Given(Value),
    /// The URL of its JWK set.
    At(String),
}

/// Why a token of a provider gives nobody anything.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GuestRefused {
    /// It is not good.
    #[error(transparent)]
    Provider(#[from] ProviderRefused),
    /// Its provider's keys are not known, so that nothing is known of it either.
    #[error("the keys of the token's provider cannot be had now: {0}")]
    Unreachable(String),
}

/// The providers that the operator named.
#[derive(Debug, Default)]
pub struct Providers(Vec<Known>);

/// A provider with what is known of its keys.
struct Known {
    provider: Provider,
    source: ProviderKeys,
    held: Mutex<Held>,
    /// Held by who fetches, so that others wait for that one answer.
    fetching: Mutex<()>,
    /// How many wait for that, with who fetches.
    waiting: AtomicUsize,
}

#[derive(Debug, Clone, Default)]
struct Held {
    keys: Option<(Arc<Value>, Timestamp)>,
    /// When the provider was asked last, and what came of it where that was nothing.
    asked: Option<Timestamp>,
    failure: Option<String>,
}

impl Providers {
    /// These.
    pub fn new(providers: Vec<(Provider, ProviderKeys)>) -> Self {
        let known = providers.into_iter().map(|(provider, source)| Known {
            provider,
            source,
            held: Mutex::default(),
            fetching: Mutex::default(),
            waiting: AtomicUsize::new(0),
        });
        Self(known.collect())
    }

    /// Their issuers.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|known| known.provider.issuer.as_str())
    }

    /// Whom a token stands for that one of the providers signed; none where it says that it is by
    /// somebody else.
    pub fn read(
        &self,
        token: &Jws,
        outside: &dyn Outside,
        now: Timestamp,
    ) -> Option<Result<Guest, GuestRefused>> {
        let claims = Claims::read(token.payload()).ok()?;
        let issuer = claims.text("iss").ok()??;
        let named = |known: &&Known| known.provider.issuer == issuer;
        let known = self.0.iter().find(named)?;
        Some(known.read(token, outside, now))
    }
}

impl Known {
    fn read(
        &self,
        token: &Jws,
        outside: &dyn Outside,
        now: Timestamp,
    ) -> Result<Guest, GuestRefused> {
        // What is bad by itself asks nobody.
        self.provider.check_header(token)?;
        let url = match &self.source {
            ProviderKeys::Given(keys) => return Ok(self.provider.read(token, keys, now)?),
            ProviderKeys::At(url) => url,
        };
        let keys = self.keys(url, outside, now, FRESH)?;
        match self.provider.read(token, &keys, now) {
            // A key that is newer than what is held, perhaps.
            Err(ProviderRefused::Key(JwksError::Missing(_))) => {
                let newer = self.keys(url, outside, now, BETWEEN)?;
                Ok(self.provider.read(token, &newer, now)?)
            }
            read => Ok(read?),
        }
    }

    /// The keys, fetched where those that are held are older than `wanted`.
    fn keys(
        &self,
        url: &str,
        outside: &dyn Outside,
        now: Timestamp,
        wanted: Ttl,
    ) -> Result<Arc<Value>, GuestRefused> {
        if let Some(keys) = self.held().young(now, wanted) {
            return Ok(keys);
        }
        let Some(_place) = self.place_in_line() else {
            // Present keys do for the keys that are among them; whether there are newer ones is not
            // known.
            let held = self.held().young(now, LASTING);
            let words = "too many wait for them; try again in a moment";
            return held
                .filter(|_| wanted >= FRESH)
                .ok_or(GuestRefused::Unreachable(words.into()));
        };
        let _turn = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held();
        if let Some(keys) = held.young(now, wanted) {
            return Ok(keys);
        }
        let lately = held.asked.is_some_and(|asked| asked.plus(BETWEEN) > now);
        if !lately {
            let fetched = outside.session().key_set(url);
            let mut held = self.lock();
            held.asked = Some(now);
            match fetched {
                Ok(keys) => {
                    held.keys = Some((keys, now));
                    held.failure = None;
                }
                Err(unresolved) => held.failure = Some(unresolved.to_string()),
            }
        }
        let held = self.held();
        let failure = held.failure.clone().unwrap_or_default();
        held.young(now, LASTING)
            .ok_or(GuestRefused::Unreachable(failure))
    }

    /// A place among those who wait; none where enough do.
    fn place_in_line(&self) -> Option<Place<'_>> {
        let place = Place(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < MOST_WAITING).then_some(place)
    }

    fn held(&self) -> Held {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Given up when dropped.
struct Place<'k>(&'k AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Held {
    fn young(&self, now: Timestamp, age: Ttl) -> Option<Arc<Value>> {
        let held = self
            .keys
            .as_ref()
            .filter(|(_, since)| since.plus(age) > now);
        held.map(|(keys, _)| keys.clone())
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("provider", &self.provider)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;
    use crate::access::Role;
    use crate::oauth::provider::RoleRule;
    use crate::vc::jws::{NewHeader, sign};
    use crate::vc::keys::SigningKey;
    use crate::vc::verifying::KeyKind;
    use crate::verify::{Given, Resolver};

    const NOW: Timestamp = Timestamp::EPOCH;

    /// Somewhere that answers nobody before it is told to.
    struct Slow {
        asked: Mutex<Sender<()>>,
        answers: Mutex<Receiver<()>>,
        there: Given,
    }

    impl Outside for Slow {
        fn session(&self) -> Box<dyn Resolver + '_> {
            self.asked.lock().unwrap().send(()).unwrap();
            self.answers.lock().unwrap().recv().unwrap();
            self.there.session()
        }
    }

    fn providers() -> Providers {
        let provider = Provider {
            issuer: "https://id.example".into(),
            audience: "https://registry.example".into(),
            algorithms: vec![KeyKind::Ed25519],
            profile_claim: "org".into(),
            profiles: [("1".to_owned(), "school".parse().unwrap())].into(),
            role: RoleRule::Always(Role::Owner),
            scope_claim: None,
        };
        let keys = ProviderKeys::At("https://id.example/jwks".into());
        Providers::new(vec![(provider, keys)])
    }

    #[test]
    fn a_slow_provider_holds_few_who_wait() {
        let key = SigningKey::generate(&crate::entropy::SeededEntropy::new(1));
        let header = NewHeader {
            typ: "JWT",
            kid: "one",
        };
        let claims = br#"{"iss":"https://id.example"}"#;
        let token = Jws::parse(&sign(header, claims, &key)).unwrap();
        let ((asked, is_asked), (answer, answers)) = (channel(), channel());
        let slow = Slow {
            asked: Mutex::new(asked),
            answers: Mutex::new(answers),
            there: Given::default(),
        };
        let (providers, slow, token) = (&providers(), &slow, &token);
        let read = || providers.read(token, slow, NOW).unwrap().unwrap_err();
        let waiting = &providers.0[0].waiting;
        thread::scope(|scope| {
            for _ in 0..MOST_WAITING {
                scope.spawn(read);
            }
            is_asked.recv().unwrap();
            while waiting.load(Ordering::Relaxed) < MOST_WAITING {
                thread::yield_now();
            }
            assert!(matches!(read(), GuestRefused::Unreachable(why) if why.contains("too many")));
            answer.send(()).unwrap();
        });
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        // They were told of the one answer.
        assert!(is_asked.try_recv().is_err());
    }
}
