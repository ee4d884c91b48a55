//! What one link contributes to a path, as a pure function, and the order of what is worse.

use crate::verify::outcome::Outcome;

use super::links::{Fit, Link};

/// Where in a path a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It endorses the subject that is asked about, in whatever role.
    First,
    /// It endorses an endorser, which has to be meant as an accreditor.
    Further,
}

/// What a link contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contribution {
    /// How the link stands.
    pub outcome: Outcome,
    /// On what that rests.
    pub cause: Cause,
}

/// On what the outcome of a link rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Everything about the link is in force.
    InForce,
    /// The endorsement itself.
    Endorsement,
    /// How its endorser stands as an accreditor.
    Endorser,
    /// Whether it covers what is asked for is not known.
    ScopeUnknown(&'static str),
    /// It endorses its subject, but not as an accreditor.
    NotCarried,
    /// It does not cover what is asked for.
    OutOfScope(&'static str),
}

/// What `link` contributes at `place`, with an endorser that stands as `endorser`: the worst of what
/// is to be said of the endorsement, of its endorser, of the role it was given for and of what it
/// covers.
///
/// One order of what is worse serves within a link, along a path and among paths: active, not
/// known, stale, suspended, not yet valid, expired, revoked, not endorsed. In it a path never gets
/// better by one more bad link, and what is over for good counts before what may come back. (For
/// the checks of one credential, where nothing is chosen among, `verify` counts a suspension before
/// an expiry.)
pub fn contribution<P, E>(link: &Link<P, E>, endorser: Outcome, place: Place) -> Contribution {
    let mut worst = Contribution {
        outcome: Outcome::Active,
        cause: Cause::InForce,
    };
    let mut consider = |outcome, cause| {
        let other = Contribution { outcome, cause };
        if other.level() > worst.level() {
            worst = other;
        }
    };
    consider(link.outcome, Cause::Endorsement);
    consider(endorser, Cause::Endorser);
    match link.fit {
        Fit::Fits => {}
        Fit::Unknown(why) => consider(Outcome::Unknown, Cause::ScopeUnknown(why)),
        Fit::DoesNot(why) => consider(Outcome::NotEndorsed, Cause::OutOfScope(why)),
    }
    if place == Place::Further && !link.carries {
        consider(Outcome::NotEndorsed, Cause::NotCarried);
    }
    worst
}

impl Contribution {
    /// How bad that is: the best links come first.
    pub const fn level(self) -> Level {
        match self.cause {
            Cause::NotCarried => Level::NotCarried,
            Cause::OutOfScope(_) => Level::OutOfScope,
            Cause::InForce | Cause::Endorsement | Cause::Endorser | Cause::ScopeUnknown(_) => {
                Level::of(self.outcome)
            }
        }
    }
}

/// How bad something is; later is worse. The last three carry no chain. They are told apart so that
/// the answer can show where the best of the ways breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In force.
    Stands,
    /// Not known.
    Unsure,
    /// Bound to another version.
    Stale,
    /// Withdrawn for the time being.
    Suspended,
    /// Its period has not begun.
    NotYetValid,
    /// Its period is over.
    Expired,
    /// Withdrawn for ever.
    Revoked,
    /// By nobody who may endorse.
    NotEndorsed,
    /// Not of an accreditor.
    NotCarried,
    /// Of something else.
    OutOfScope,
}

impl Level {
    pub(super) const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Active => Self::Stands,
            Outcome::Unknown | Outcome::Unreachable => Self::Unsure,
            Outcome::StaleDigest => Self::Stale,
            Outcome::Suspended => Self::Suspended,
            Outcome::NotYetValid => Self::NotYetValid,
            Outcome::Expired => Self::Expired,
            Outcome::Revoked => Self::Revoked,
            Outcome::NotEndorsed => Self::NotEndorsed,
        }
    }

    /// How a path stands whose worst link is of this level. A path with a link that could not be
    /// reached is not known: others on it may not have been asked about either.
    pub(super) const fn of_a_path(self) -> Outcome {
        match self {
            Self::Stands => Outcome::Active,
            Self::Unsure => Outcome::Unknown,
            Self::Stale => Outcome::StaleDigest,
            Self::Suspended => Outcome::Suspended,
            Self::NotYetValid => Outcome::NotYetValid,
            Self::Expired => Outcome::Expired,
            Self::Revoked => Outcome::Revoked,
            Self::NotEndorsed | Self::NotCarried | Self::OutOfScope => Outcome::NotEndorsed,
        }
    }
}

impl Cause {
    /// The word, as answers write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::Endorsement => "endorsement",
            Self::Endorser => "endorser",
            Self::ScopeUnknown(_) => "scope-unknown",
            Self::NotCarried => "not-carried",
            Self::OutOfScope(_) => "out-of-scope",
        }
    }
}
