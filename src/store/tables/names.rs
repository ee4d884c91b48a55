//! What rows are called, by the first bytes of their keys.

use super::*;
use crate::store::format;

/// All tables, with the first bytes of their keys.
pub(in crate::store) const NAMES: [(u8, &str); 51] = [
    SETTINGS.called(),
    COUNTS.called(),
    PROFILES.called(),
    PROFILE_SLUGS.called(),
    PROFILE_ISSUER_IDS.called(),
    KEYS.called(),
    TO_SIGN_AGAIN.called(),
    SIGNATURES.called(),
    ACCREDITORS.called(),
    DATA_KEYS.called(),
    ROTATIONS.called(),
    TO_SIGN.called(),
    ROTATIONS_UNDER_WAY.called(),
    BROUGHT_KEYS.called(),
    ACHIEVEMENTS.called(),
    SPACES.called(),
    ALLOCATION.called(),
    LISTS.called(),
    LIST_STATES.called(),
    PAGES.called(),
    OPEN_SPACES.called(),
    DIRTY_LISTS.called(),
    PUBLISHED.called(),
    ARTEFACTS.called(),
    PAST_STATES.called(),
    PAST_PAGES.called(),
    PAGE_RUNS.called(),
    PUBLISHED_TOKENS.called(),
    RENEWALS.called(),
    OCCUPIED.called(),
    SEALED_SPACES.called(),
    CREDENTIALS.called(),
    ENDORSEMENTS.called(),
    ENDORSEMENT_DOCUMENTS.called(),
    ENDORSEMENTS_BY_SUBJECT.called(),
    IMPORTS.called(),
    HOLDERS.called(),
    REQUESTS.called(),
    REQUESTS_BY_REQUESTER.called(),
    OPEN_REQUESTS.called(),
    TOKENS.called(),
    CLIENTS.called(),
    REVOKED_ACCESS.called(),
    USED_ASSERTIONS.called(),
    CODES.called(),
    PEOPLE.called(),
    TOKEN_INDEX.called(),
    QUOTA_USED.called(),
    SESSIONS.called(),
    IDEMPOTENCY.called(),
    REASONS.called(),
];

/// What the rows whose keys start with this byte are called, those of the engine among them.
pub(in crate::store) fn name_of(tag: u8) -> Option<&'static str> {
    let mut names = NAMES.iter().chain(&format::NAMES);
    names
        .find(|(known, _)| *known == tag)
        .map(|(_, name)| *name)
}
