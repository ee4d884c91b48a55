//! What answers always have, and what requests may have, where several routes share it.

pub(super) const KEY: &[&str] = &[
    "id",
    "verificationMethod",
    "publicKeyMultibase",
    "madeAt",
    "signsFrom",
];
pub(super) const LOST_KEY: &[&str] = &[
    "id",
    "verificationMethod",
    "publicKeyMultibase",
    "madeAt",
    "signsFrom",
    "affected",
];
pub(super) const UPDATED: &[&str] = &["revision", "applied", "refused"];
pub(super) const ENDORSED: &[&str] = &[
    "id",
    "endorser",
    "subject",
    "kind",
    "outcome",
    "validFrom",
    "credential",
];
pub(super) const REQUESTED: &[&str] = &[
    "id",
    "state",
    "requester",
    "accreditor",
    "subject",
    "steps",
    "createdAt",
    "changedAt",
];
pub(super) const APPROVED: &[&str] = &[
    "id",
    "state",
    "requester",
    "accreditor",
    "subject",
    "steps",
    "createdAt",
    "changedAt",
    "endorsement",
    "verifiableCredential",
];
pub(super) const SECURED: &[&str] = &[
    "@context",
    "id",
    "type",
    "issuer",
    "credentialSubject",
    "proof",
];

pub(super) const ACCREDITOR: &[&str] = &["id", "slug", "roles", "outcome"];
pub(super) const STATEMENT: &[&str] = &["application/entity-statement+jwt"];

pub(super) const STANDING: &[&str] = &["application/json", "application/standing+jwt"];
pub(super) const TRQP: &[&str] = &[
    "entity_id",
    "authority_id",
    "action",
    "resource",
    "time_evaluated",
];

pub(super) const CLIENT: &[&str] = &[
    "client_id",
    "client_name",
    "status",
    "role",
    "token_endpoint_auth_method",
    "grant_types",
];

pub(super) const IMPORTING: &[&str] = &[
    "issuer",
    "statusPurpose",
    "statusSize",
    "length",
    "ttl",
    "pairedWith",
    "usedIndexes",
    "source",
    "firstLine",
];
pub(super) const PAGING: &[&str] = &["limit", "cursor"];

pub(super) const AUTHORIZE: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
];
pub(super) const AUTHORIZE_NEEDS: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "code_challenge",
    "code_challenge_method",
];
pub(super) const PERSON_INVITED: &[&str] = &["id", "name", "role", "invitation", "accept"];
