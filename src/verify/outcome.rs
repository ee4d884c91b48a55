//! The words for how something stands. They are never a bare yes or no.

use serde::{Deserialize, Serialize};

/// How something stands, now or at the moment that was asked for.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// In good standing.
    Active,
    /// Known here, and nobody endorses it.
    NotEndorsed,
    /// Withdrawn for ever.
    Revoked,
    /// Withdrawn for the time being.
    Suspended,
    /// Its period is over.
    Expired,
    /// Its period has not begun.
    NotYetValid,
    /// What was endorsed has changed since.
    StaleDigest,
    /// Nothing is known of it. Never to be read as good.
    Unknown,
    /// What had to be asked could not be reached. Never to be read as good.
    Unreachable,
}

impl Outcome {
    /// The word, as every answer writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotEndorsed => "not-endorsed",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::StaleDigest => "stale-digest",
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
        }
    }

    /// Every outcome, for those who list them.
    pub const ALL: [Self; 9] = [
        Self::Active,
        Self::NotEndorsed,
        Self::Revoked,
        Self::Suspended,
        Self::Expired,
        Self::NotYetValid,
        Self::StaleDigest,
        Self::Unknown,
        Self::Unreachable,
    ];
}
