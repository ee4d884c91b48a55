//! From format 1 to format 2: the past of lists is kept, endorsements have a scope and an origin, and
//! credentials dates.

use serde::Deserialize;

use super::rewrite::Rewrite;
use super::{Step, replay};
use crate::badges::SubjectKind;
use crate::ids::SpaceId;
use crate::store::engine::StoreError;
use crate::store::opening::Opening;
use crate::store::table::{Record, postcard_decode};
use crate::store::tables::{
    CREDENTIALS, Carried, CredentialRecord, ENDORSEMENTS, EndorsementRecord, Origin, StandingChange,
};
use crate::time::Timestamp;

/// The step.
pub(super) struct ToFormat2 {
    /// About how many rows are written together.
    pub(super) rows_at_once: usize,
}

/// The tables whose records have another version in format 2, each rewritten row by row. A body is
/// read by a shape that is kept for it, and written as the table writes it.
pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        table: CREDENTIALS.name(),
        tag: CREDENTIALS.tag(),
        from: 1,
        to: 2,
        body: credential,
    },
    Rewrite {
        table: ENDORSEMENTS.name(),
        tag: ENDORSEMENTS.tag(),
        from: 1,
        to: 2,
        body: endorsement,
    },
];

/// The dates of credentials were not kept.
fn credential(body: &[u8]) -> Result<Vec<u8>, String> {
    #[derive(Deserialize)]
    struct Older {
        id: String,
        entries: Vec<Carried>,
        elsewhere: bool,
        achievement: Option<String>,
        named_here: bool,
        created_at: Timestamp,
    }
    let older: Older = postcard_decode(body)?;
    Ok(written(&CredentialRecord {
        id: older.id,
        entries: older.entries,
        elsewhere: older.elsewhere,
        achievement: older.achievement,
        named_here: older.named_here,
        created_at: older.created_at,
        dates: None,
    }))
}

/// All endorsements were issued here and covered all of their subjects. That an accreditor had lost
/// its role before was not kept, so that each is of the first term.
fn endorsement(body: &[u8]) -> Result<Vec<u8>, String> {
    #[derive(Deserialize)]
    struct Older {
        subject: String,
        kind: SubjectKind,
        as_issuer: bool,
        as_accreditor: bool,
        digest_multibase: Option<String>,
        valid_from: Timestamp,
        valid_until: Option<Timestamp>,
        entry: (SpaceId, u32),
        suspendable: bool,
        history: Vec<StandingChange>,
        created_at: Timestamp,
    }
    let older: Older = postcard_decode(body)?;
    Ok(written(&EndorsementRecord {
        subject: older.subject,
        kind: older.kind,
        as_issuer: older.as_issuer,
        as_accreditor: older.as_accreditor,
        digest_multibase: older.digest_multibase,
        valid_from: older.valid_from,
        valid_until: older.valid_until,
        scope: None,
        origin: Origin::Issued {
            entry: older.entry,
            suspendable: older.suspendable,
            term: 0,
        },
        history: older.history,
        created_at: older.created_at,
    }))
}

/// The body of a record.
pub(super) fn written<R: Record>(record: &R) -> Vec<u8> {
    let mut body = Vec::new();
    record.encode(&mut body);
    body
}

impl Step for ToFormat2 {
    fn what(&self) -> &'static str {
        "the log is replayed, so that statuses can be told as they were; endorsements and \
         credentials get new members"
    }

    /// First what older programs do not look at, then the rows that they cannot read any more.
    fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError> {
        replay::run(store, self.rows_at_once)?;
        replay::validate(store)?;
        REWRITES.iter().try_for_each(|rewrite| rewrite.run(store))
    }

    fn validate(&self, store: &dyn Opening) -> Result<(), StoreError> {
        REWRITES
            .iter()
            .try_for_each(|rewrite| rewrite.validate(store))
    }
}
