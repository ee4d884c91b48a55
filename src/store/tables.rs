//! Every table on one page: its tag, key, value, and who writes it.
//!
//! | tag | table | key | value | written by |
//! |---|---|---|---|---|
//! | 01 | meta | name | format version | the engine, at creation and when it brings up an older store |
//! | 02 | head | – | newest place in the log, and the clock | the engine, with each group of batches |
//! | 03 | events | seq | time, digest, body | the engine, with each batch that has events |
//! | 04 | events by whose affair they are | profile, seq | – | the engine, with the events |
//! | 08 | settings | name | text | `registry::profiles`: `public_url` with the first profile; `registry::vault`: `sealed_directly`, as long as older signing keys have to be sealed anew |
//! | 09 | counts | name | number | `registry::profiles`: how many profiles there have been |
//! | 10 | profiles | profile | [`ProfileRecord`] | `registry::profiles` |
//! | 11 | profile slugs | slug | profile | `registry::profiles`, once for ever |
//! | 12 | profile issuer ids | SHA-256 of `issuer.id` | profile | `registry::profiles`, once for ever |
//! | 13 | keys | profile, key | [`KeyRecord`] | `registry::profiles`: `keys`, `compromise` and `rotation` |
//! | 14 | to sign again | profile | – | `registry::profiles::compromise`, with the revocation of a key |
//! | 15 | signatures | SHA-256 of a proof in canonical JSON, or of a compact JWS | [`SignatureRecord`] | `registry::signing`, with what was signed; `registry::endorsements::elsewhere`, with what is handed in |
//! | 16 | accreditors | profile | [`AccreditorRecord`] | `registry::endorsements::accreditors`, with the first change of the role or its standing |
//! | 17 | data keys | generation, id of a master key | [`DataKeyRecord`] | `registry::vault`: when a store is opened that has none, and with each rotation of the master key |
//! | 18 | rotations | profile | [`RotationRecord`]: the last one | `registry::profiles::rotation` |
//! | 19 | to sign | endorsement | [`ToSignRecord`] | `registry::endorsements::elsewhere`; gone when it is handed in |
//! | 1a | rotations under way | moment, profile | – | `registry::profiles::rotation`; gone when it is done |
//! | 1b | keys brought along | public key | [`BroughtKeyRecord`] | `registry::profiles::brought`, once for ever |
//! | 20 | achievements | achievement | [`AchievementRecord`] | `registry::profiles::achievements` |
//! | 30 | spaces | space | [`SpaceRecord`] | `registry::lists` |
//! | 31 | allocation | space | counter of indexes given out | `registry::lists::allocation` |
//! | 32 | lists | list | [`ListRecord`] | `registry::lists` |
//! | 33 | list states | list | [`ListState`] | `registry::lists`; `registry::lists::staged`, with each change of bits; `registry::profiles::compromise`, when a key is revoked |
//! | 34 | pages | list, page | 1,024 bytes of the bitstring; absent means zeros | `registry::lists::staged`; `registry::lists::import`, with a list that is not there yet |
//! | 35 | open spaces | profile | space for entries that nobody chose a list for | `registry::lists` |
//! | 36 | dirty lists | list | – | whoever writes list states; removed by the publisher |
//! | 37 | published | list | [`PublishedState`] | the publisher |
//! | 38 | artefacts | list, form | [`ArtefactRecord`] | the publisher |
//! | 39 | past states | list, until when it was in force, revision | [`PastState`] | whoever writes list states anew |
//! | 3A | past pages | list, page, revision that changed it | [`PastPage`]: the page before | `registry::lists::staged` alone, with the pages |
//! | 3B | page runs | list, page | how many differences stand among its past pages after the newest whole one; absent means 0 | `registry::lists::staged` alone, with the pages |
//! | 3C | published tokens | list | [`PublishedState`] of the token list with its id | the publisher |
//! | 3D | renewals | moment, list | – | the publisher |
//! | 3E | occupied | space, page | 1,024 bytes, one bit an index | `registry::lists::import`, once for ever |
//! | 3F | sealed spaces | space | epoch in which it was sealed | `registry::epoch`, once for ever |
//! | 40 | credentials | SHA-256 of the credential's id, profile | [`CredentialRecord`] | allocation and issuing |
//! | 50 | endorsements | endorsement | [`EndorsementRecord`] | `registry::endorsements`; `registry::lists::staged`, with the bits; `registry::endorsements::imports` |
//! | 51 | endorsement documents | endorsement | the signed credential, or the envelope of its JWT, JSON | `registry::endorsements`; `registry::signing`, signed again; `registry::endorsements::elsewhere`, handed in |
//! | 52 | endorsements by subject | SHA-256 of the subject's id, endorsement | the same [`EndorsementRecord`] | with the endorsements, by [`EndorsementRecord::put`] |
//! | 53 | holders | space, index | [`Holder`] | allocation by credential id, issuing, `registry::endorsements` |
//! | 54 | imports | SHA-256 of `issuer.id` (with its length) and `id` | endorsement | `registry::endorsements::imports` |
//! | 58 | endorsement requests | request | [`RequestRecord`] | `registry::endorsements::requests` |
//! | 59 | requests by requester | profile, request | – | `registry::endorsements::requests`, once for ever |
//! | 5a | open requests | accreditor, requester, SHA-256 of the subject's id | request | `registry::endorsements::requests`; removed with the step that closes it |
//! | 60 | tokens | profile, id | [`TokenRecord`] | `registry::access::tokens` |
//! | 61 | idempotency | SHA-256 of actor and key | [`IdempotencyRecord`] | every change that carries a key |
//! | 62 | reasons | profile, commitment | [`ReasonRecord`] | every change that carries a reason; erasable |
//! | 63 | clients | client | [`ClientRecord`] | `registry::access::clients` |
//! | 64 | revoked access | profile, `jti` | until when, in milliseconds since 1970 | `registry::access::grants`; forgotten when the token is over |
//! | 65 | used assertions | profile, SHA-256 of client and `jti` | until when | `registry::access::grants`; forgotten when the assertion is over |
//! | 66 | codes | profile, SHA-256 of the code | [`CodeRecord`] | `registry::access::sign_in`; forgotten when it is over |
//! | 67 | people | person | [`PersonRecord`] | `registry::access::people` |
//! | 68 | token index | SHA-256 of the token | [`TokenPlace`] | `registry::access::tokens` |
//! | 69 | used of quotas | profile, quota, day, and of a client's quota by what it is known | how much; day 0 where the quota is of what there is in all | every change that takes up some; of days that are over `registry::access::quotas` forgets it |
//! | 6a | sessions | person, SHA-256 of the secret | [`SessionRecord`] | `registry::access::sessions`; forgotten when it is over |
//! | F0–F2 | replayed lists, replayed pages, replayed to | list; list, page; – | see `store::upgrade` | an upgrade of the store that is under way; gone when it is done |
//!
//! Ids lead with their owner's number, so what one profile owns stands together in each table, apart
//! from what others own. A table whose keys lead with a digest is a directory: it leads from what the
//! world knows (an id, a signature, a token) to whose it is, or holds what only its maker can name.

mod clients;
mod endorsements;
mod keys;
mod lists;
#[cfg(feature = "rocksdb")]
pub(super) mod names;
mod requests;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::codec::Bytes;
pub use super::past::PastPage;
use super::table::{FixedKey as _, Key, Table, postcard_record};
use crate::access::Role;
use crate::ids::{
    AchievementId, ClientId, EndorsementId, KeyId, ListId, PersonId, ProfileId, RequestId,
    Revision, Slug, SpaceId,
};
use crate::status::StatusPurpose;
use crate::time::Timestamp;
use crate::vc::sealing::MASTER_KEY_ID_BYTES;

pub use clients::{
    ClientRecord, ClientState, CodeRecord, CodeUse, Invitation, PassphraseRecord, PersonRecord,
    SessionRecord,
};
pub use endorsements::{
    AccreditorChange, AccreditorRecord, AccreditorStanding, EndorsementRecord, ImportRow, Imported,
    Origin, RecordedStanding, StandingChange,
};
pub use keys::{BroughtKeyRecord, RotationRecord, ToSignRecord};
pub use lists::{
    ArtefactRecord, Brought, ListForm, ListRecord, ListState, OpenSpace, PastState, Plane,
    PublishedState, SpaceRecord,
};
pub use requests::{RecordedStep, RequestRecord, Words};

/// SHA-256 of an id that others chose, so that keys have one length whatever the id's.
pub type Digest = [u8; 32];

/// The [`Digest`] of an id.
pub fn id_digest(id: &str) -> Digest {
    sha2::Sha256::digest(id.as_bytes()).into()
}

/// Facts about the store as a whole that the services decide.
pub const SETTINGS: Table<String, Bytes> = Table::new(0x08, "settings");
/// Counters of the store as a whole.
pub const COUNTS: Table<String, u64> = Table::new(0x09, "counts");
/// Who takes part.
pub const PROFILES: Table<ProfileId, ProfileRecord> = Table::new(0x10, "profiles");
/// Slugs; a row is never removed, so a slug is never reused.
pub const PROFILE_SLUGS: Table<Slug, u64> = Table::new(0x11, "profile slugs");
/// From `issuer.id` to the profile.
pub const PROFILE_ISSUER_IDS: Table<Digest, u64> = Table::new(0x12, "profile issuer ids");
/// Keys, secrets sealed.
pub const KEYS: Table<(ProfileId, KeyId), KeyRecord> = Table::new(0x13, "keys");
/// Profiles whose endorsements have to be signed again, since a key of theirs was revoked.
pub const TO_SIGN_AGAIN: Table<ProfileId, ()> = Table::new(0x14, "to sign again");
/// Who signed what was signed here, by the digest of the signature. A row is never changed or
/// removed. What programs signed that did not know this table has no row.
pub const SIGNATURES: Table<Digest, SignatureRecord> = Table::new(0x15, "signatures");
/// What the registry decided about its accreditors. An accreditor about whom nothing was decided
/// since it was registered has no row.
pub const ACCREDITORS: Table<ProfileId, AccreditorRecord> = Table::new(0x16, "accreditors");
/// Data keys, sealed under the master key in use, and while another is to take its place under that
/// one as well. Every master key that has a row has one of each generation.
pub const DATA_KEYS: Table<(u32, [u8; MASTER_KEY_ID_BYTES]), DataKeyRecord> =
    Table::new(0x17, "data keys");
/// How far the last rotation of somebody's keys is.
pub const ROTATIONS: Table<ProfileId, RotationRecord> = Table::new(0x18, "rotations");
/// Endorsements that wait for their endorser's signature, which is made elsewhere.
pub const TO_SIGN: Table<EndorsementId, ToSignRecord> = Table::new(0x19, "to sign");
/// Whose rotation is to be seen to next, and when.
pub const ROTATIONS_UNDER_WAY: Table<(Timestamp, ProfileId), ()> =
    Table::new(0x1a, "rotations under way");
/// Keys that were brought along, so that none is taken twice; a row is never removed.
pub const BROUGHT_KEYS: Table<[u8; 32], BroughtKeyRecord> = Table::new(0x1b, "keys brought along");
/// What is achieved.
pub const ACHIEVEMENTS: Table<AchievementId, AchievementRecord> = Table::new(0x20, "achievements");
/// Index spaces.
pub const SPACES: Table<SpaceId, SpaceRecord> = Table::new(0x30, "spaces");
/// How many indexes of a space were given out.
pub const ALLOCATION: Table<SpaceId, u64> = Table::new(0x31, "allocation");
/// What a list is; never changes.
pub const LISTS: Table<ListId, ListRecord> = Table::new(0x32, "lists");
/// How far a list has come.
pub const LIST_STATES: Table<ListId, ListState> = Table::new(0x33, "list states");
/// The bits.
pub const PAGES: Table<(ListId, u32), Bytes> = Table::new(0x34, "pages");
/// Where a profile's next entry goes when nobody chose a list.
pub const OPEN_SPACES: Table<ProfileId, OpenSpace> = Table::new(0x35, "open spaces");
/// Lists whose published artefact may be behind.
pub const DIRTY_LISTS: Table<ListId, ()> = Table::new(0x36, "dirty lists");
/// How far publication has come.
pub const PUBLISHED: Table<ListId, PublishedState> = Table::new(0x37, "published");
/// The signed lists, in each form in which they are published.
pub const ARTEFACTS: Table<(ListId, ListForm), ArtefactRecord> = Table::new(0x38, "artefacts");
/// States of a list that are over, by the moment at which each was over: the first row behind a
/// moment is the state that was in force then, and where there is none it is the present one.
pub const PAST_STATES: Table<((ListId, Timestamp), Revision), PastState> =
    Table::new(0x39, "past states");
/// Pages as they were before each change of them: those of the rows behind a revision lead back to
/// the page of that revision.
pub const PAST_PAGES: Table<((ListId, u32), Revision), PastPage> = Table::new(0x3a, "past pages");
/// How far a page is from being written whole into [`PAST_PAGES`] again.
pub const PAGE_RUNS: Table<(ListId, u32), u64> = Table::new(0x3b, "page runs");
/// How far publication of token lists has come, by the list whose id they have.
pub const PUBLISHED_TOKENS: Table<ListId, PublishedState> = Table::new(0x3c, "published tokens");
/// When each published list is to be signed again, so that what is served never ends.
pub const RENEWALS: Table<(Timestamp, ListId), ()> = Table::new(0x3d, "renewals");
/// Indexes that were in use before a space was brought here: pages of one bit an index.
pub const OCCUPIED: Table<(SpaceId, u32), Bytes> = Table::new(0x3e, "occupied");
/// Spaces of which no more indexes are given out, since some may have been that are not known here; a
/// row is never removed.
pub const SEALED_SPACES: Table<SpaceId, u64> = Table::new(0x3f, "sealed spaces");
/// Which entries a credential has.
pub const CREDENTIALS: Table<(Digest, ProfileId), CredentialRecord> =
    Table::new(0x40, "credentials");
/// Endorsements and their standing.
pub const ENDORSEMENTS: Table<EndorsementId, EndorsementRecord> = Table::new(0x50, "endorsements");
/// The signed EndorsementCredentials.
pub const ENDORSEMENT_DOCUMENTS: Table<EndorsementId, Bytes> =
    Table::new(0x51, "endorsement documents");
/// The same records, from a subject's id to its endorsements: what endorses a thing is one scan.
pub const ENDORSEMENTS_BY_SUBJECT: Table<(Digest, EndorsementId), EndorsementRecord> =
    Table::new(0x52, "endorsements by subject");
/// Endorsements that were issued elsewhere, by SHA-256 of who issued them and their `id`.
pub const IMPORTS: Table<Digest, ImportRow> = Table::new(0x54, "imports");
/// Who carries a status entry, as far as it is known: nobody else can be given it.
pub const HOLDERS: Table<(SpaceId, u32), Holder> = Table::new(0x53, "holders");
/// Requests for endorsements, with what was said about them.
pub const REQUESTS: Table<RequestId, RequestRecord> = Table::new(0x58, "endorsement requests");
/// From who asks to the requests.
pub const REQUESTS_BY_REQUESTER: Table<(ProfileId, RequestId), ()> =
    Table::new(0x59, "requests by requester");
/// The one open request for an accreditor, a requester and a subject.
pub const OPEN_REQUESTS: Table<((ProfileId, ProfileId), Digest), RequestId> =
    Table::new(0x5a, "open requests");
/// Bearer tokens, by whom they speak for ([`ProfileId::REGISTRY`] for the registry) and their ids.
pub const TOKENS: Table<(ProfileId, TokenId), TokenRecord> = Table::new(0x60, "tokens");
/// OAuth 2.0 clients.
pub const CLIENTS: Table<ClientId, ClientRecord> = Table::new(0x63, "clients");
/// Access tokens that ended before their time, under whose client they were made for.
pub const REVOKED_ACCESS: Table<(ProfileId, [u8; 16]), u64> = Table::new(0x64, "revoked access");
/// Assertions that were used, so that nobody uses one again.
pub const USED_ASSERTIONS: Table<(ProfileId, Digest), u64> = Table::new(0x65, "used assertions");
/// Codes of people who signed in, under whose client they are for.
pub const CODES: Table<(ProfileId, Digest), CodeRecord> = Table::new(0x66, "codes");
/// People who sign in on the pages.
pub const PEOPLE: Table<PersonId, PersonRecord> = Table::new(0x67, "people");
/// From a token to its row.
pub const TOKEN_INDEX: Table<Digest, TokenPlace> = Table::new(0x68, "token index");
/// How much of a quota a profile, or a client of its, has used up, by the quota's number and the day.
pub const QUOTA_USED: Table<((ProfileId, [u8; 1]), QuotaDay), u64> =
    Table::new(0x69, "used of quotas");
/// Sessions of the console, by who signed in (zeros for whoever uses development mode).
pub const SESSIONS: Table<(PersonId, Digest), SessionRecord> = Table::new(0x6a, "sessions");
/// What was answered to a change that carried an `Idempotency-Key`.
pub const IDEMPOTENCY: Table<Digest, IdempotencyRecord> = Table::new(0x61, "idempotency");
/// Free text that the log only commits to, under the one whose thing was changed.
pub const REASONS: Table<(ProfileId, Digest), ReasonRecord> = Table::new(0x62, "reasons");

/// A day, and whose it is where it is not the profile's as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaDay {
    /// Days since 1970, in UTC; 0 of what there is in all.
    pub day: u32,
    /// By what the client is known ([`Means::known`](crate::store::event::Means::known)).
    pub client: Option<[u8; 17]>,
}

impl Key for QuotaDay {
    fn encode(&self, out: &mut Vec<u8>) {
        self.day.encode(out);
        out.extend(self.client.iter().flatten());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (day, client) = bytes.split_at_checked(u32::WIDTH)?;
        Some(Self {
            day: u32::decode(day)?,
            client: match client {
                [] => None,
                known => Some(known.try_into().ok()?),
            },
        })
    }
}

/// A profile: postcard of the fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// Its name in URLs.
    pub slug: Slug,
    /// `issuer.id` of what it issues.
    pub issuer_id: String,
    /// Which form of id that is.
    pub id_form: IdForm,
    /// May issue credentials.
    pub issuer: bool,
    /// May endorse.
    pub accreditor: bool,
    /// The Open Badges members that were handed in, as a JSON object.
    pub members: String,
    /// Keys made so far.
    pub keys: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who may see its lists as they were; as the registry has it, where it did not say.
    pub history: Option<HistoryAccess>,
}
postcard_record!(ProfileRecord, 2);

/// Who may see status lists as they were. A list's past shows when each entry changed, which its
/// present does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryAccess {
    /// Everybody.
    Public,
    /// Who speaks for the issuer.
    Authorised,
    /// Nobody.
    None,
}

/// The forms that a profile's `issuer.id` can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdForm {
    /// `did:web` of this registry's host.
    #[serde(rename = "did:web")]
    DidWeb,
    /// The profile's URL.
    #[serde(rename = "https")]
    Https,
    /// `did:key` of the profile's first key.
    #[serde(rename = "did:key")]
    DidKey,
}

/// A key of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The Ed25519 public key.
    pub public: [u8; 32],
    /// The secret, sealed under a data key (see [`Sealed`](crate::vc::sealing::Sealed)). Empty where
    /// the key was brought along, and its owner alone has the secret.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it signs: verifiers have had time to see it in the controller document.
    pub signs_from: Timestamp,
    /// Since when it no longer signs; what it signed stays good.
    pub retired_at: Option<Timestamp>,
    /// Since when it may have been in wrong hands; of its proofs only those are good that
    /// [`SIGNATURES`] knows from before.
    pub revoked_since: Option<Timestamp>,
}
postcard_record!(KeyRecord, 1);

/// A data key under one master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataKeyRecord {
    /// The key, sealed (see [`SealedDataKey`](crate::vc::sealing::SealedDataKey)).
    pub sealed: Vec<u8>,
    /// What the master key is to this store.
    pub master: MasterKeyUse,
}
postcard_record!(DataKeyRecord, 1);

/// What a master key is to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MasterKeyUse {
    /// The one in use.
    InUse,
    /// To take the place of the one in use. It opens everything already.
    Next,
}

/// A signature that a change here made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureRecord {
    /// For whom.
    pub profile: ProfileId,
    /// With which key.
    pub key: KeyId,
    /// When.
    pub at: Timestamp,
}
postcard_record!(SignatureRecord, 1);

/// An achievement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AchievementRecord {
    /// The Open Badges members that were handed in, as a JSON object.
    pub members: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}
postcard_record!(AchievementRecord, 1);

/// A credential that has entries here. The credential itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// Its id.
    pub id: String,
    /// The entries that it carries here.
    pub entries: Vec<Carried>,
    /// Whether it carries an entry of a list elsewhere, of which nothing is known here.
    pub elsewhere: bool,
    /// Id of the achievement that it asserts, where it was issued here and names one.
    pub achievement: Option<String>,
    /// Whether the registry gave it its id, so that nobody else can mean anything by it.
    pub named_here: bool,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// Its dates, where it was issued here.
    pub dates: Option<CredentialDates>,
}
postcard_record!(CredentialRecord, 2);

/// The dates of a credential, which say nothing of whom it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDates {
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When what it speaks of was awarded.
    pub awarded: Option<Timestamp>,
}

/// A place that a credential carries, and what it carries an entry for: outside verifiers see only
/// those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The indexes.
    pub space: SpaceId,
    /// Which of them.
    pub index: u32,
    /// The purposes of its entries there.
    pub purposes: Vec<StatusPurpose>,
}

/// Who carries a status entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// The credential whose id has this SHA-256.
    Credential(Digest),
    /// An endorsement issued here.
    Endorsement(EndorsementId),
}
postcard_record!(Holder, 1);

/// Names a token in the log and for revocation; not the token itself.
pub type TokenId = [u8; 16];

/// A bearer token; the token itself is known to its holder alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// SHA-256 of the token.
    pub digest: Digest,
    /// What its holder is.
    pub role: Role,
    /// What it was narrowed to, as a list of scopes; where there is none, all that the role allows.
    pub scope: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}
postcard_record!(TokenRecord, 2);

/// Where a token's row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPlace {
    /// Whom it speaks for.
    pub profile: ProfileId,
    /// Its id.
    pub id: TokenId,
}
postcard_record!(TokenPlace, 1);

/// What was answered to a change that carried an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request.
    pub request: Digest,
    /// The service's answer, JSON.
    pub answer: String,
    /// When.
    pub created_at: Timestamp,
}
postcard_record!(IdempotencyRecord, 1);

/// A reason that somebody gave for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonRecord {
    /// Makes the commitment in the log unguessable.
    pub salt: [u8; 16],
    /// The words.
    pub text: String,
}
postcard_record!(ReasonRecord, 1);
