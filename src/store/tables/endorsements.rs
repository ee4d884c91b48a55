//! Rows about endorsements and those who endorse.

use serde::{Deserialize, Serialize};

use super::{ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, id_digest};
use crate::badges::{Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId, SpaceId};
use crate::store::engine::{Batch, StoreError};
use crate::store::table::postcard_record;
use crate::time::Timestamp;

/// The accreditor role of a profile, from when it was first held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccreditorRecord {
    /// What was decided, in order of time; the first one gives the role.
    pub history: Vec<AccreditorChange>,
}
postcard_record!(AccreditorRecord, 1);

/// One decision about an accreditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccreditorChange {
    /// When.
    pub at: Timestamp,
    /// What.
    pub standing: AccreditorStanding,
}

/// What was decided about an accreditor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccreditorStanding {
    /// It holds the role.
    Held,
    /// It holds the role, and what it endorsed does not count for the time being.
    Suspended,
    /// The role was taken from it, and what it endorsed until then never counts again.
    Removed,
}

/// An endorsement, issued here or brought here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndorsementRecord {
    /// Id of the endorsed thing.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Whether the subject held the issuer role here when it was endorsed.
    pub as_issuer: bool,
    /// Whether the subject held the accreditor role here when it was endorsed.
    pub as_accreditor: bool,
    /// Digest of the endorsed version, where the endorsement is bound to one.
    pub digest_multibase: Option<String>,
    /// From when on it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// What it covers, as the JSON of a [`Scope`](crate::badges::Scope); all of it where there is
    /// none.
    pub scope: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Changes of its standing in order of time; none means active from `created_at`.
    pub history: Vec<StandingChange>,
    /// When it was issued, or imported.
    pub created_at: Timestamp,
}
postcard_record!(EndorsementRecord, 2);

/// Where an endorsement comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// It was issued here.
    Issued {
        /// Where its entries stand.
        entry: (SpaceId, u32),
        /// Whether it carries a `suspension` entry.
        suspendable: bool,
        /// How often the accreditor role had been taken from its endorser by then: what was
        /// endorsed before it was taken never counts again.
        term: u32,
    },
    /// It was issued elsewhere, and its standing is followed.
    Imported(Imported),
}

/// An endorsement that was issued elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// `issuer.id` of who endorses.
    pub endorser: String,
    /// Its own `id`.
    pub credential: String,
    /// Who brought it here; the registry's operator where there is none.
    pub by: Option<ProfileId>,
    /// Its `validFrom` to the letter, by which a newer version is known.
    pub version: Timestamp,
    /// Since when this version is here. Of an older one no more is kept than what was decided, so
    /// that before this moment nobody knows how it stood, unless it was revoked.
    pub since: Timestamp,
    /// When its issuer was last asked how it stands, whether it answered or not.
    pub asked_at: Timestamp,
    /// When its issuer was last asked how it stands, and answered.
    pub checked_at: Timestamp,
    /// Until when that answer is taken for the present.
    pub fresh_until: Timestamp,
}

/// One change in an endorsement's standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingChange {
    /// When.
    pub at: Timestamp,
    /// To what.
    pub standing: RecordedStanding,
}

impl EndorsementRecord {
    /// Adds to `batch` that it is written in both of its places, under its id and under what it
    /// endorses, in the place of `previous` (`None`: of nothing), which has the same subject.
    /// Nobody else writes to either table.
    pub fn put(&self, batch: &mut Batch, id: &EndorsementId, previous: Option<&Self>) {
        ENDORSEMENTS.expect(batch, id, previous);
        ENDORSEMENTS.put(batch, id, self);
        let by_subject = (id_digest(&self.subject), *id);
        ENDORSEMENTS_BY_SUBJECT.put(batch, &by_subject, self);
    }

    /// What it covers; all of its subject where there is none.
    ///
    /// # Errors
    /// A row that holds another scope than this program writes.
    pub fn scope(&self) -> Result<Option<Scope>, StoreError> {
        let read = |text: &String| {
            let scope = serde_json::from_str(text);
            scope.map_err(|error: serde_json::Error| StoreError::Corrupt {
                table: ENDORSEMENTS.name(),
                reason: format!("the scope of an endorsement: {error}"),
            })
        };
        self.scope.as_ref().map(read).transpose()
    }

    /// Whether a suspension of it would be seen by verifiers: it carries an entry for that.
    pub fn is_suspendable(&self) -> bool {
        matches!(self.origin, Origin::Issued { suspendable, .. } if suspendable)
    }

    /// What was decided about it last.
    pub fn standing(&self) -> RecordedStanding {
        self.history
            .last()
            .map_or(RecordedStanding::Active, |change| change.standing)
    }

    /// What had been decided about it by `at`.
    pub fn standing_at(&self, at: Timestamp) -> RecordedStanding {
        let by_then = self.history.iter().rev().find(|change| change.at <= at);
        by_then.map_or(RecordedStanding::Active, |change| change.standing)
    }
}

/// What was decided about an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordedStanding {
    /// Neither revoked nor suspended.
    Active,
    /// Suspended, reversibly.
    Suspended,
    /// Revoked, for ever.
    Revoked,
}

/// Where an endorsement that was issued elsewhere stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its id here.
    pub endorsement: EndorsementId,
}
postcard_record!(ImportRow, 1);
