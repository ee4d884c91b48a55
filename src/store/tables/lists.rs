//! Rows about index spaces, the lists over them, and what is published of these.

use serde::{Deserialize, Serialize};

use crate::bitstring::{ListLength, StatusSize};
use crate::ids::{ListId, Revision, SpaceId};
use crate::status::{EntryMembers, StatusPurpose};
use crate::store::table::{FixedKey, Key, Record, known_version, postcard_encode, postcard_record};
use crate::time::Timestamp;

/// The indexes of one issuer, over which one or more lists lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceRecord {
    /// Indexes run from 0 to below this.
    pub length: u64,
    /// Key of the permutation by which indexes are given out.
    pub permutation: [u8; 16],
    /// The lists over this space, one for each purpose.
    pub planes: Vec<Plane>,
    /// Whether any entry belongs to an endorsement.
    pub endorsements: bool,
    /// The list under whose id the planes are published together as a token list.
    pub token: Option<ListId>,
    /// Which indexes were in use before the space was here.
    pub brought: Brought,
}
postcard_record!(SpaceRecord, 2);

/// Which indexes of a space were in use elsewhere before it was brought here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Brought {
    /// None: the space was opened here.
    Nothing,
    /// Nobody said which, so any may be: none is given out here.
    Unknown,
    /// Those that are set in the pages of [`OCCUPIED`](super::OCCUPIED), so many: they are skipped.
    Known(u64),
}

impl SpaceRecord {
    /// How many indexes there are.
    pub fn length(&self) -> ListLength {
        ListLength::new(self.length).expect("spaces are written from a length that was checked")
    }

    /// The list over these indexes for a purpose.
    pub fn plane(&self, purpose: &StatusPurpose) -> Option<ListId> {
        let found = self.planes.iter().find(|plane| plane.purpose == *purpose);
        found.map(|plane| plane.list)
    }
}

/// A list over an index space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// What the bits mean.
    pub purpose: StatusPurpose,
    /// The list.
    pub list: ListId,
}

/// What a list is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRecord {
    /// The indexes it lies over.
    pub space: SpaceId,
    /// What its bits mean.
    pub purpose: StatusPurpose,
    /// Entries.
    pub length: u64,
    /// Bits an entry.
    pub status_size: StatusSize,
    /// `ttl` of the list credential, in milliseconds.
    pub ttl_millis: u64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// What its entries say besides their place.
    pub entry: EntryMembers,
    /// Whether it is published as a StatusList2021Credential as well.
    pub also_2021: bool,
    /// Whether its own statuses are part of the space's token list: those for `revocation` and
    /// `suspension` always are.
    pub in_token: bool,
    /// Whether the list credential has a second proof, by `eddsa-jcs-2022`.
    pub jcs_proof: bool,
}
postcard_record!(ListRecord, 2);

impl ListRecord {
    /// How many entries there are.
    pub fn length(&self) -> ListLength {
        ListLength::of_size(self.length, self.status_size)
            .expect("lists are written from a length that was checked")
    }
}

/// How far a list has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListState {
    /// Counts changes of its bits.
    pub revision: Revision,
    /// When the last one was made.
    pub changed_at: Timestamp,
}
postcard_record!(ListState, 1);

/// A state of a list that is over. Its revision, and until when it was in force, are its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastState {
    /// From when on it was in force: until when the one before it was, or when the list was opened.
    /// A state that is younger than the moment asked for says that the one of then is not held.
    pub since: Timestamp,
}
postcard_record!(PastState, 1);

/// The space that takes a profile's entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSpace {
    /// The space.
    pub space: SpaceId,
}
postcard_record!(OpenSpace, 1);

/// How far publication of a list, or of the token list over a space, has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedState {
    /// The revision that the artefacts show; of a token list the sum of its lists' revisions.
    pub revision: Revision,
    /// How many publications there were before it; distinguishes two of one revision.
    pub generation: u64,
    /// When they were signed.
    pub published_at: Timestamp,
    /// Until when they hold; programs before format 3 signed some that say nothing of it.
    pub valid_until: Option<Timestamp>,
    /// When they are to be renewed: the moment in [`RENEWALS`](super::RENEWALS).
    pub renew_at: Timestamp,
}
postcard_record!(PublishedState, 2);

/// A form in which a list is signed and published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListForm {
    /// BitstringStatusListCredential with an embedded proof, JSON.
    Bitstring,
    /// The same credential as a JWT.
    BitstringJwt,
    /// StatusList2021Credential with an embedded proof, JSON.
    Status2021,
    /// Token Status List as a JWT.
    TokenJwt,
    /// Token Status List as a CWT, CBOR.
    TokenCwt,
}

impl ListForm {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Bitstring,
        Self::BitstringJwt,
        Self::Status2021,
        Self::TokenJwt,
        Self::TokenCwt,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bitstring => "bitstring",
            Self::BitstringJwt => "bitstring-jwt",
            Self::Status2021 => "2021",
            Self::TokenJwt => "token-jwt",
            Self::TokenCwt => "token-cwt",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Bitstring | Self::Status2021 => "application/vc",
            Self::BitstringJwt => "application/vc+jwt",
            Self::TokenJwt => "application/statuslist+jwt",
            Self::TokenCwt => "application/statuslist+cwt",
        }
    }

    /// The form that a word names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }

    /// Whether it is a token list, of all lists over a space, rather than one list's.
    pub const fn is_token(self) -> bool {
        matches!(self, Self::TokenJwt | Self::TokenCwt)
    }
}

/// Its place in the order above. A number is never given a second meaning.
impl Key for ListForm {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Bitstring => 0,
            Self::BitstringJwt => 1,
            Self::Status2021 => 2,
            Self::TokenJwt => 3,
            Self::TokenCwt => 4,
        });
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [code] => Self::ALL.get(usize::from(*code)).copied(),
            _ => None,
        }
    }
}

impl FixedKey for ListForm {
    const WIDTH: usize = 1;
}

/// A signed list as it is served: postcard of the state, then the bytes themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtefactRecord {
    /// What it shows.
    pub state: PublishedState,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Record for ArtefactRecord {
    const VERSION: u8 = 2;

    fn encode(&self, out: &mut Vec<u8>) {
        postcard_encode(&self.state, out);
        out.extend_from_slice(&self.body);
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        let (state, body) = postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
        Ok(Self {
            state,
            body: body.to_vec(),
        })
    }
}
