//! Quotas: how much of each thing a profile takes up. What a change uses is counted in the batch that
//! makes it, so that of two at once no more than one takes the last.
//!
//! What one client of a profile takes is counted besides, by what it is known by, so that no client takes
//! all that the profile has. A day's quota bounds what a profile's own clients do. A quota in all bounds what there is, so what the
//! registry's operator makes counts there too, though the operator is not held to it.

use std::collections::BTreeMap;

use crate::ids::{ProfileId, Slug};
use crate::registry::change::Tx;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::event::Means;
use crate::store::tables::{ACHIEVEMENTS, LISTS, QUOTA_USED, QuotaDay};
use crate::time::{Timestamp, Ttl};

/// How much there may be of each thing; 0 sets no bound. The configuration explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Profiles in all.
    pub profiles: u64,
    /// Status lists of a profile in all.
    pub lists: u64,
    /// Status lists that a profile opens or imports in a day.
    pub lists_per_day: u64,
    /// Entries that are given out to a profile, or brought by it, in a day.
    pub entries_per_day: u64,
    /// Credentials that are issued for a profile in a day.
    pub credentials_per_day: u64,
    /// Endorsements that a profile issues or imports in a day.
    pub endorsements_per_day: u64,
    /// Requests for endorsements that a profile makes in a day.
    pub requests_per_day: u64,
    /// Achievements of a profile in all.
    pub achievements: u64,
    /// Status lists that one token, client or person opens or imports in a day.
    pub client_lists_per_day: u64,
    /// Entries that are given out to one token, client or person, or brought by it, in a day.
    pub client_entries_per_day: u64,
}

/// What a quota is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quota {
    /// Profiles in all.
    Profiles,
    /// Status lists in all.
    Lists,
    /// Status lists a day.
    ListsPerDay,
    /// Entries a day.
    EntriesPerDay,
    /// Credentials a day.
    CredentialsPerDay,
    /// Endorsements a day.
    EndorsementsPerDay,
    /// Requests for endorsements a day.
    RequestsPerDay,
    /// Achievements in all.
    Achievements,
    /// Status lists a day, of one client.
    ClientListsPerDay,
    /// Entries a day, of one client.
    ClientEntriesPerDay,
}

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUse {
    /// Of what.
    pub quota: Quota,
    /// How much there may be, where there is a bound.
    pub limit: Option<u64>,
    /// How much is used.
    pub used: u64,
    /// When it starts anew; a quota in all never does.
    pub anew: Option<Timestamp>,
}

const DAY: Ttl = Ttl::from_seconds(86_400);

impl Quotas {
    /// Where the configuration says nothing else.
    pub const fn usual() -> Self {
        Self {
            profiles: 1_000_000,
            lists: 100_000,
            lists_per_day: 1_000,
            entries_per_day: 10_000_000,
            credentials_per_day: 1_000_000,
            endorsements_per_day: 100_000,
            requests_per_day: 10_000,
            achievements: 100_000,
            client_lists_per_day: 1_000,
            client_entries_per_day: 10_000_000,
        }
    }

    const fn limit(&self, quota: Quota) -> Option<u64> {
        let limit = match quota {
            Quota::Profiles => self.profiles,
            Quota::Lists => self.lists,
            Quota::ListsPerDay => self.lists_per_day,
            Quota::EntriesPerDay => self.entries_per_day,
            Quota::CredentialsPerDay => self.credentials_per_day,
            Quota::EndorsementsPerDay => self.endorsements_per_day,
            Quota::RequestsPerDay => self.requests_per_day,
            Quota::Achievements => self.achievements,
            Quota::ClientListsPerDay => self.client_lists_per_day,
            Quota::ClientEntriesPerDay => self.client_entries_per_day,
        };
        match limit {
            0 => None,
            limit => Some(limit),
        }
    }
}

impl Quota {
    /// Those that each profile has.
    pub const OF_A_PROFILE: [Self; 7] = [
        Self::Lists,
        Self::ListsPerDay,
        Self::EntriesPerDay,
        Self::CredentialsPerDay,
        Self::EndorsementsPerDay,
        Self::RequestsPerDay,
        Self::Achievements,
    ];

    /// Those that each client of a profile has.
    pub const OF_A_CLIENT: [Self; 2] = [Self::ClientListsPerDay, Self::ClientEntriesPerDay];

    /// What the configuration and problems call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Lists => "lists",
            Self::ListsPerDay => "lists_per_day",
            Self::EntriesPerDay => "entries_per_day",
            Self::CredentialsPerDay => "credentials_per_day",
            Self::EndorsementsPerDay => "endorsements_per_day",
            Self::RequestsPerDay => "requests_per_day",
            Self::Achievements => "achievements",
            Self::ClientListsPerDay => "client_lists_per_day",
            Self::ClientEntriesPerDay => "client_entries_per_day",
        }
    }

    /// Whose it is: the registry's, a profile's (its tenant's) or a client's.
    pub const fn of(self) -> &'static str {
        match self {
            Self::Profiles => "registry",
            Self::ClientListsPerDay | Self::ClientEntriesPerDay => "client",
            Self::Lists
            | Self::ListsPerDay
            | Self::EntriesPerDay
            | Self::CredentialsPerDay
            | Self::EndorsementsPerDay
            | Self::RequestsPerDay
            | Self::Achievements => "tenant",
        }
    }

    /// The same of one client, where that has one.
    const fn of_client(self) -> Option<Self> {
        match self {
            Self::ListsPerDay => Some(Self::ClientListsPerDay),
            Self::EntriesPerDay => Some(Self::ClientEntriesPerDay),
            _ => None,
        }
    }

    /// How it is told from others in the store.
    const fn number(self) -> u8 {
        match self {
            Self::Profiles => 0,
            Self::Lists => 1,
            Self::ListsPerDay => 2,
            Self::EntriesPerDay => 3,
            Self::CredentialsPerDay => 4,
            Self::EndorsementsPerDay => 5,
            Self::RequestsPerDay => 6,
            Self::Achievements => 7,
            Self::ClientListsPerDay => 8,
            Self::ClientEntriesPerDay => 9,
        }
    }

    /// Whether it starts anew each day.
    const fn is_daily(self) -> bool {
        match self {
            Self::Profiles | Self::Lists | Self::Achievements => false,
            Self::ListsPerDay
            | Self::EntriesPerDay
            | Self::CredentialsPerDay
            | Self::EndorsementsPerDay
            | Self::RequestsPerDay
            | Self::ClientListsPerDay
            | Self::ClientEntriesPerDay => true,
        }
    }

    fn anew(self, now: Timestamp) -> Option<Timestamp> {
        let begins = Timestamp::EPOCH.plus(Ttl::from_seconds(u64::from(day(now)) * DAY.seconds()));
        self.is_daily().then(|| begins.plus(DAY))
    }
}

/// Days since 1970.
fn day(now: Timestamp) -> u32 {
    let days = now.seconds().div_euclid(86_400);
    u32::try_from(days).unwrap_or(0)
}

/// What is counted on its own: a quota of a profile, or of one client of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    owner: ProfileId,
    quota: Quota,
    /// By what the client is known, where it is one's.
    client: Option<[u8; 17]>,
}

impl Counted {
    const fn of_all(owner: ProfileId, quota: Quota) -> Self {
        Self {
            owner,
            quota,
            client: None,
        }
    }

    fn key(self, now: Timestamp) -> ((ProfileId, [u8; 1]), QuotaDay) {
        let day = if self.quota.is_daily() { day(now) } else { 0 };
        let client = self.client;
        (
            (self.owner, [self.quota.number()]),
            QuotaDay { day, client },
        )
    }
}

/// What a change takes up, until it is committed.
#[derive(Default)]
pub(in crate::registry) struct Taken(BTreeMap<Counted, u64>);

impl Tx<'_> {
    /// Counts what the change takes up of what is `owner`'s, and refuses it where it goes beyond.
    pub(in crate::registry) fn use_up(
        &mut self,
        owner: ProfileId,
        quota: Quota,
        amount: u64,
    ) -> Result<(), RegistryError> {
        if amount == 0 || (quota.is_daily() && self.operates()) {
            return Ok(());
        }
        self.count(Counted::of_all(owner, quota), amount)?;
        match (quota.of_client(), self.means().known()) {
            (Some(quota), Some(known)) => {
                let client = Some(known);
                let of_client = Counted {
                    owner,
                    quota,
                    client,
                };
                self.count(of_client, amount)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, what: Counted, amount: u64) -> Result<(), RegistryError> {
        let operates = self.operates();
        let stored = used_of(self.read, what, self.now)?.unwrap_or_default();
        let taken = self.taken.0.entry(what).or_default();
        let used = stored.saturating_add(*taken);
        *taken = taken.saturating_add(amount);
        let limit = self.quotas.limit(what.quota);
        let limit = limit.filter(|_| !operates);
        check(what.quota, limit, (used, amount), self.now)
    }

    /// Stages the counts, on the condition that nobody else moved them meanwhile.
    pub(in crate::registry) fn stage_used(&mut self) -> Result<(), RegistryError> {
        for (what, amount) in std::mem::take(&mut self.taken).0 {
            let key = what.key(self.now);
            let before = QUOTA_USED.get(self.read, &key)?;
            let used = used_of(self.read, what, self.now)?.unwrap_or_default();
            QUOTA_USED.expect(&mut self.batch, &key, before.as_ref());
            QUOTA_USED.put(&mut self.batch, &key, &used.saturating_add(amount));
        }
        Ok(())
    }
}

/// Refuses what goes beyond a limit.
fn check(
    quota: Quota,
    limit: Option<u64>,
    (used, asked): (u64, u64),
    now: Timestamp,
) -> Result<(), RegistryError> {
    match limit.filter(|limit| used.saturating_add(asked) > *limit) {
        None => Ok(()),
        Some(limit) => Err(RegistryError::QuotaSpent {
            quota,
            limit,
            used,
            asked,
            anew: quota.anew(now).map(|anew| (anew, seconds_until(anew, now))),
        }),
    }
}

fn seconds_until(then: Timestamp, now: Timestamp) -> u64 {
    let millis = then.millis().saturating_sub(now.millis());
    u64::try_from(millis).unwrap_or(0).div_ceil(1_000).max(1)
}

/// How much is used of a quota. What there is in all is counted where nobody has done so yet: it may
/// have been made by a program that knew no quotas.
fn used_of(read: &dyn Read, what: Counted, now: Timestamp) -> Result<Option<u64>, RegistryError> {
    if let Some(used) = QUOTA_USED.get(read, &what.key(now))? {
        return Ok(Some(used));
    }
    let prefix = what.owner.0.to_be_bytes();
    let there = match what.quota {
        Quota::Lists => LISTS.scan(read, &prefix, None, usize::MAX)?.len(),
        Quota::Achievements => ACHIEVEMENTS.scan(read, &prefix, None, usize::MAX)?.len(),
        Quota::Profiles
        | Quota::ListsPerDay
        | Quota::EntriesPerDay
        | Quota::CredentialsPerDay
        | Quota::EndorsementsPerDay
        | Quota::RequestsPerDay
        | Quota::ClientListsPerDay
        | Quota::ClientEntriesPerDay => return Ok(None),
    };
    Ok(Some(there as u64))
}

impl Registry {
    /// How much a profile has used of each quota; and of those of a client, that one which is known by
    /// `means`.
    pub fn usage(&self, slug: &Slug, means: Means) -> Result<Vec<QuotaUse>, RegistryError> {
        let read = self.engine.snapshot();
        let (owner, now) = (self.profile_id(&*read, slug)?, self.now());
        let of_all = Quota::OF_A_PROFILE.map(|quota| Counted::of_all(owner, quota));
        let of_client = means.known().map(|known| {
            Quota::OF_A_CLIENT.map(|quota| Counted {
                owner,
                quota,
                client: Some(known),
            })
        });
        let each = of_all.into_iter().chain(of_client.into_iter().flatten());
        let each = each.map(|what| {
            Ok(QuotaUse {
                quota: what.quota,
                limit: self.settings.quotas.limit(what.quota),
                used: used_of(&*read, what, now)?.unwrap_or_default(),
                anew: what.quota.anew(now),
            })
        });
        each.collect()
    }

    /// Demands that there is room for one profile beside those that there are. This bounds the operator
    /// as well, who alone makes them.
    pub(in crate::registry) fn check_profiles(
        &self,
        there: u64,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let limit = self.settings.quotas.limit(Quota::Profiles);
        check(Quota::Profiles, limit, (there, 1), now)
    }

    /// Forgets what was used on days that are over. Returns how many counts that were.
    pub fn forget_used_quotas(&self) -> Result<usize, RegistryError> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            let rows = QUOTA_USED.scan(&*self.engine, &[], after.as_ref(), 1_024)?;
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
            let today = day(self.now());
            let mut batch = Batch::default();
            // Day 0 is that of what there is in all.
            let over = rows
                .iter()
                .filter(|((_, of), _)| (1..today).contains(&of.day));
            over.for_each(|(key, _)| QUOTA_USED.delete(&mut batch, key));
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, seconds) in [
            ("2026-03-01T00:00:00Z", 86_400),
            ("2026-03-01T23:59:58.001Z", 2),
            ("2026-03-01T23:59:59.999Z", 1),
        ] {
            let anew = Quota::ListsPerDay.anew(at(now)).unwrap();
            assert_eq!(anew, at("2026-03-02T00:00:00Z"));
            assert_eq!(seconds_until(anew, at(now)), seconds, "{now}");
        }
        assert_eq!(Quota::Lists.anew(at("2026-03-01T00:00:00Z")), None);
    }

    #[test]
    fn a_quota_is_told_from_every_other() {
        let mut numbers: Vec<_> = Quota::OF_A_PROFILE.map(Quota::number).to_vec();
        numbers.push(Quota::Profiles.number());
        numbers.extend(Quota::OF_A_CLIENT.map(Quota::number));
        numbers.sort_unstable();
        numbers.dedup();
        let all = 1 + Quota::OF_A_PROFILE.len() + Quota::OF_A_CLIENT.len();
        assert_eq!(numbers.len(), all);
    }
}
