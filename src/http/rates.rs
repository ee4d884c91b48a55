//! How often is asked: a bucket of requests for each client and for each profile, which fills anew
//! evenly. Buckets are in memory, and those that nobody has come back to are let go.
//!
//! Who asks without a token has no bucket, since many share one address, but for what could be guessed at:
//! each look-up of a code is counted by the address that it comes from, and in all. Those buckets stand apart,
//! so that nobody who needs no token has others' let go.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;

use super::problem::Problem;
use super::reply::Reply;
use super::request::parse_query;
use super::routes::{Guessed, Route};
use crate::ids::ProfileId;
use crate::registry::Actor;
use crate::store::event::Means;
use crate::time::{Timestamp, Ttl};

/// How many requests are taken within a window; 0 sets no bound. The configuration explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// In so long an empty bucket is full again.
    pub window: Ttl,
    /// Of a client of a profile.
    pub client: u32,
    /// Of all clients of a profile.
    pub tenant: u32,
    /// Of a client of the registry itself.
    pub operator: u32,
    /// Look-ups of codes from one address: of IPv6 from the 64 bits that one network has.
    pub codes_of_address: u32,
    /// Look-ups of codes in all. How long nobody finds one by guessing is told in [`codes`](crate::codes).
    pub codes: u32,
    /// How many reverse proxies stand before this process, each of which adds to `X-Forwarded-For` where a
    /// request comes from.
    pub proxies: u8,
}

impl Rates {
    /// Where the configuration says nothing else.
    pub const fn usual() -> Self {
        Self {
            window: Ttl::from_seconds(60),
            client: 6_000,
            tenant: 12_000,
            operator: 0,
            codes_of_address: 30,
            codes: 6_000,
            proxies: 0,
        }
    }
}

/// Counts requests.
pub(super) struct Meter {
    rates: Rates,
    buckets: Mutex<Buckets>,
    /// Of those who look codes up.
    of_codes: Mutex<Buckets>,
}

/// What counting a request came to.
pub(super) struct Counted {
    policies: Vec<Policy>,
    window: Ttl,
    /// What who is refused can do besides.
    advice: &'static str,
}

/// How one bucket stands behind a request.
struct Policy {
    name: &'static str,
    quota: u32,
    /// Whole requests that are left.
    left: u128,
    /// Milliseconds until it is full.
    full_in: u128,
    /// Milliseconds until the request can be taken; 0 where it is.
    wait: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Client(Means),
    Tenant(ProfileId),
    Address(Option<IpAddr>),
    Everybody,
}

/// What is left in a bucket. A request takes as many drops as the window has milliseconds, and each
/// millisecond adds as many as requests are taken within a window: so nothing is rounded.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    drops: u128,
    at: Timestamp,
}

/// The buckets that were used lately, and those that were before them. Who comes back to neither begins
/// with a full one, as after a window without requests.
#[derive(Default)]
struct Buckets {
    lately: HashMap<Whose, Bucket>,
    before: HashMap<Whose, Bucket>,
}

/// At most twice so many buckets are held.
const MOST_BUCKETS: usize = 32_768;

impl Meter {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            rates,
            buckets: Mutex::default(),
            of_codes: Mutex::default(),
        }
    }

    /// Counts a request, in all its buckets or in none: one that needs a token by whose it is, and one for
    /// what could be guessed at by where it comes from. `None` for those that have none.
    #[must_use]
    pub(super) fn count(
        &self,
        (route, query): (&Route, &str),
        (actor, peer, headers): (Option<Actor>, Option<IpAddr>, &HeaderMap),
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Counted> {
        let is_guess = match route.guessed_at {
            Guessed::Never => false,
            Guessed::Always => true,
            Guessed::By(parameter) => {
                let mut asked = parse_query(query).into_iter();
                asked.any(|(name, _)| name == parameter)
            }
        };
        match (route.access.knows_who(), is_guess) {
            (true, _) => self.count_client(actor?, now()),
            (false, true) => self.count_code(self.address(peer, headers), now()),
            (false, false) => None,
        }
    }

    fn count_client(&self, actor: Actor, now: Timestamp) -> Option<Counted> {
        let client = Whose::Client(actor.means());
        let meant = match actor.speaks_as() {
            Some(profile) => vec![
                ("client", client, self.rates.client),
                ("tenant", Whose::Tenant(profile), self.rates.tenant),
            ],
            None => vec![("operator", client, self.rates.operator)],
        };
        self.take(
            &self.buckets,
            meant,
            now,
            "many changes fit into one request",
        )
    }

    /// Counts a look-up of a code that comes from this address, as far as that is known.
    fn count_code(&self, address: Option<IpAddr>, now: Timestamp) -> Option<Counted> {
        let address = Whose::Address(address.map(network));
        let meant = vec![
            ("address", address, self.rates.codes_of_address),
            ("everybody", Whose::Everybody, self.rates.codes),
        ];
        self.take(&self.of_codes, meant, now, "codes are looked up one by one")
    }

    /// Where a request comes from: who is connected, or whom the outermost of our proxies names, which is the
    /// last but as many as there are further in.
    fn address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let named = headers.get_all("x-forwarded-for").iter();
        let named = named.filter_map(|line| line.to_str().ok());
        let named: Vec<&str> = named.flat_map(|line| line.split(',')).collect();
        let outermost = usize::from(self.rates.proxies).checked_sub(1);
        let by_proxy = outermost.and_then(|further_in| {
            let text = named.iter().rev().nth(further_in)?.trim();
            let address = text.parse().ok();
            address.or_else(|| {
                text.parse::<SocketAddr>()
                    .ok()
                    .map(|with_port| with_port.ip())
            })
        });
        by_proxy.or(peer)
    }

    /// Takes from all of the buckets, or from none.
    fn take(
        &self,
        buckets: &Mutex<Buckets>,
        meant: Vec<(&'static str, Whose, u32)>,
        now: Timestamp,
        advice: &'static str,
    ) -> Option<Counted> {
        let meant: Vec<_> = meant.into_iter().filter(|(.., quota)| *quota > 0).collect();
        if meant.is_empty() {
            return None;
        }
        let window = u128::from(self.rates.window.millis()).max(1);
        let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut filled: Vec<Bucket> = meant
            .iter()
            .map(|(_, whose, quota)| buckets.filled(*whose, u128::from(*quota), window, now))
            .collect();
        let taken = filled.iter().all(|bucket| bucket.drops >= window);
        if taken {
            for (bucket, (_, whose, _)) in filled.iter_mut().zip(&meant) {
                bucket.drops -= window;
                buckets.keep(*whose, *bucket);
            }
        }
        let left = filled.iter().zip(&meant);
        let policies = left.map(|(bucket, meant)| policy(*meant, bucket.drops, window, taken));
        Some(Counted {
            policies: policies.collect(),
            window: self.rates.window,
            advice,
        })
    }
}

/// What is one asker's: an address, of IPv6 the first 64 bits, below which a network gives out as many as it
/// likes.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

fn policy(
    (name, _, quota): (&'static str, Whose, u32),
    drops: u128,
    window: u128,
    taken: bool,
) -> Policy {
    let each = u128::from(quota);
    Policy {
        name,
        quota,
        left: drops / window,
        full_in: (each * window - drops).div_ceil(each),
        wait: match taken {
            true => 0,
            false => window.saturating_sub(drops).div_ceil(each),
        },
    }
}

impl Buckets {
    /// A bucket with what has run into it since it was used.
    fn filled(&mut self, whose: Whose, quota: u128, window: u128, now: Timestamp) -> Bucket {
        let full = quota * window;
        let known = self.lately.get(&whose).or_else(|| self.before.get(&whose));
        let drops = known.map_or(full, |bucket| {
            let passed = now.millis().saturating_sub(bucket.at.millis());
            let passed = u128::try_from(passed).unwrap_or(0);
            full.min(bucket.drops + passed * quota)
        });
        // A clock that steps back fills nothing twice.
        let at = known.map_or(now, |bucket| bucket.at.max(now));
        Bucket { drops, at }
    }

    fn keep(&mut self, whose: Whose, bucket: Bucket) {
        self.before.remove(&whose);
        if self.lately.len() >= MOST_BUCKETS && !self.lately.contains_key(&whose) {
            self.before = std::mem::take(&mut self.lately);
        }
        self.lately.insert(whose, bucket);
    }
}

impl Counted {
    /// The refusal, where a bucket is empty.
    pub(super) fn refusal(&self) -> Option<Problem> {
        let empty = self.policies.iter().filter(|policy| policy.wait > 0);
        let violated: Vec<&str> = empty.clone().map(|policy| policy.name).collect();
        let seconds = empty.map(|policy| seconds(policy.wait)).max()?;
        let by = violated.iter().map(|name| match *name {
            "everybody" => "by everybody together".to_owned(),
            one => format!("by this {one}"),
        });
        let detail = format!(
            "too many requests {}: come back in {seconds} s; {}",
            by.collect::<Vec<_>>().join(" and "),
            self.advice
        );
        let problem = Problem::new(429, "too-many-requests", "Too many requests", detail);
        Some(
            problem
                .with("violated-policies", violated)
                .header("Retry-After", seconds.to_string()),
        )
    }

    /// The same answer, which says what is left (draft-ietf-httpapi-ratelimit-headers): `r` requests, and
    /// `t` seconds until there are as many as there can be.
    pub(super) fn tell(&self, reply: Reply) -> Reply {
        let window = self.window.seconds();
        let each = |say: &dyn Fn(&Policy) -> String| {
            let said: Vec<String> = self.policies.iter().map(say).collect();
            said.join(", ")
        };
        let policies = each(&|one| format!("\"{}\";q={};w={window}", one.name, one.quota));
        let left = each(&|one| {
            let (name, left, full_in) = (one.name, one.left, seconds(one.full_in));
            format!("\"{name}\";r={left};t={full_in}")
        });
        reply
            .header("RateLimit-Policy", policies)
            .header("RateLimit", left)
    }
}

fn seconds(millis: u128) -> u128 {
    millis.div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_the_peer_s_or_the_one_that_our_proxies_name() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let said = |proxies: u8, lines: &[&'static str]| {
            let meter = Meter::new(Rates {
                proxies,
                ..Rates::usual()
            });
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            meter.address(Some(peer), &headers).unwrap().to_string()
        };
        // Nobody is believed, where no proxy is known.
        assert_eq!(said(0, &["192.0.2.7"]), "10.0.0.1");
        assert_eq!(said(1, &[]), "10.0.0.1");
        assert_eq!(said(1, &["192.0.2.7"]), "192.0.2.7");
        // What stands before that, the caller wrote.
        assert_eq!(said(1, &["198.51.100.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(said(1, &["198.51.100.1", "192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(said(2, &["198.51.100.1, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(said(1, &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(said(1, &["somebody"]), "10.0.0.1");
        assert_eq!(said(3, &["192.0.2.7"]), "10.0.0.1");
    }

    #[test]
    fn a_network_is_one_asker() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn whose(number: u32) -> Whose {
        Whose::Tenant(ProfileId(number))
    }

    #[test]
    fn buckets_that_nobody_comes_back_to_are_let_go() {
        let mut buckets = Buckets::default();
        let used = Bucket {
            drops: 0,
            at: at(0),
        };
        for number in 0..10 * MOST_BUCKETS as u32 {
            buckets.keep(whose(number), used);
            buckets.keep(whose(0), used);
            let held = buckets.lately.len() + buckets.before.len();
            assert!(held <= 2 * MOST_BUCKETS, "{held}");
        }
        // Who always comes back has always been counted.
        assert_eq!(buckets.filled(whose(0), 5, 1_000, at(0)).drops, 0);
        assert_eq!(buckets.filled(whose(1), 5, 1_000, at(0)).drops, 5_000);
    }

    proptest! {
        /// However requests fall, within any time no more are taken than a full bucket and what ran into
        /// it meanwhile; and who asks no faster than it fills is never refused.
        #[test]
        fn no_more_is_taken_than_runs_in(
            quota in 1_u32..20,
            window in 1_u64..5_000,
            steps in prop::collection::vec(-100_i64..2_000, 1..200),
        ) {
            let (quota, window) = (u128::from(quota), u128::from(window));
            let mut buckets = Buckets::default();
            let (mut now, mut newest) = (0, 0);
            let mut taken: Vec<i64> = Vec::new();
            for step in steps {
                now += step;
                newest = newest.max(now);
                let mut bucket = buckets.filled(whose(1), quota, window, at(now));
                prop_assert!(bucket.drops <= quota * window);
                if bucket.drops < window {
                    continue;
                }
                bucket.drops -= window;
                buckets.keep(whose(1), bucket);
                taken.push(newest);
                for first in 0..taken.len() {
                    let passed = u128::try_from(newest - taken[first]).unwrap();
                    let within = (taken.len() - first) as u128;
                    prop_assert!(within * window <= (quota + 1) * window + passed * quota);
                }
            }
        }
    }
}
