//! What a token list shows of the lists over its index space.
//!
//! A token list has one value for each index, and the lists that lie over the index space have one
//! each. For an index the first of these that applies is shown:
//!
//! | list | entry | value |
//! |---|---|---|
//! | `revocation` | set | 0x01 INVALID |
//! | `suspension` | set | 0x02 SUSPENDED |
//! | `message`, or a purpose of one's own | any | the entry's own value |
//!
//! Otherwise 0x00 VALID. A `refresh` list says that there is a newer credential, for which a token
//! list has no word.

use thiserror::Error;

use super::super::purpose::StatusPurpose;
use super::{INVALID, SUSPENDED};
use crate::bitstring::{Bitstring, Lsb, StatusSize, spread};

/// A list over the index space.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// What the list is for.
    pub purpose: &'a StatusPurpose,
    /// Its statuses, of any size.
    pub bits: &'a Bitstring,
}

/// Why lists cannot be shown in one token list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProjectionError {
    /// Two lists for one purpose.
    #[error("there are two lists for {0}, and a token list shows one of each purpose")]
    Twice(StatusPurpose),
    /// Two lists whose values are shown as they are.
    #[error(
        "a token list shows the values of one list as they are: those of {first} or of {second}"
    )]
    SeveralRaw {
        /// The first of them.
        first: StatusPurpose,
        /// Another one.
        second: StatusPurpose,
    },
    /// A `message` list of one bit: its value 1 would be read as INVALID.
    #[error("a message list of 1 bit has no value that a token list can show: take 2, 4 or 8")]
    OneBitMessage,
    /// The lists are not over one index space.
    #[error("the list for {purpose} has {found} entries and another one {expected}")]
    Length {
        /// The list that differs from the first one.
        purpose: StatusPurpose,
        /// Its entries.
        found: u64,
        /// Those of the first one.
        expected: u64,
    },
    /// Nothing is there to be shown.
    #[error("a token list needs at least one list to show")]
    Empty,
}

/// A value of a `message` list, which leaves the credential in force, would be read in the token
/// list as one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "status {value:#x} of a message list that is also a token list would be read there as \
     {meaning}: take 0x0, or a value from 0x3 on"
)]
pub struct TokenValueRefused {
    /// The value.
    pub value: u8,
    /// What a token list means by it.
    pub meaning: &'static str,
}

/// Whether `value` may be set in a list for `purpose` that a token list shows. Only `message` is
/// restricted: what a purpose of one's own does to the credential is for its issuer to say.
///
/// # Errors
/// [`TokenValueRefused`] for 0x01 and 0x02 in a `message` list.
pub fn check_token_value(purpose: &StatusPurpose, value: u8) -> Result<(), TokenValueRefused> {
    let meaning = match (purpose, value) {
        (StatusPurpose::Message, INVALID) => "INVALID",
        (StatusPurpose::Message, SUSPENDED) => "SUSPENDED",
        _ => return Ok(()),
    };
    Err(TokenValueRefused { value, meaning })
}

/// The `bits` of a token list over lists of these purposes and sizes: the fewest that hold every
/// value that they can ever make it show. It never depends on what is set.
///
/// # Errors
/// Every variant of [`ProjectionError`] but `Length`.
pub fn token_size<'a>(
    lists: impl IntoIterator<Item = (&'a StatusPurpose, StatusSize)>,
) -> Result<StatusSize, ProjectionError> {
    let sized = |(purpose, size)| (purpose, Listed { size, bits: () });
    Ok(Roles::assign(lists.into_iter().map(sized))?.size())
}

/// The statuses of the token list over these lists.
///
/// # Errors
/// [`ProjectionError`].
pub fn project(planes: &[Plane<'_>]) -> Result<Bitstring<Lsb>, ProjectionError> {
    let listed = planes.iter().map(|plane| {
        let (size, bits) = (plane.bits.size(), plane.bits);
        (plane.purpose, Listed { size, bits })
    });
    let roles = Roles::assign(listed)?;
    let entries = common_length(planes)?;
    let size = roles.size();
    let mut bytes = match &roles.raw {
        Some(raw) => as_token(raw.bits, size),
        None => vec![0; (entries * size.bits()).div_ceil(8) as usize],
    };
    // What comes later covers what stood there: revocation outweighs suspension.
    let covering = [(roles.suspension, SUSPENDED), (roles.revocation, INVALID)];
    for (list, value) in covering {
        if let Some(list) = list {
            put(&mut bytes, size, &list.bits.flags(), value);
        }
    }
    Ok(Bitstring::from_bytes(bytes, size))
}

/// The lists of one bit that a token list of another system stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Set where the token list says INVALID.
    pub revocation: Bitstring,
    /// Set where it says SUSPENDED.
    pub suspension: Bitstring,
}

/// A token list says more than what is revoked and suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "index {index} has status {status:#x}, which is neither valid (0x0), invalid (0x1) nor \
     suspended (0x2)"
)]
pub struct SplitError {
    /// The first such index.
    pub index: u64,
    /// Its status.
    pub status: u8,
}

/// Takes a token list apart into what is revoked and what is suspended: [`project`] backwards.
///
/// # Errors
/// [`SplitError`] for any other value, since its meaning would be lost.
pub fn split(shown: &Bitstring) -> Result<Split, SplitError> {
    let empty = vec![0; shown.entries().div_ceil(8) as usize];
    let (mut revoked, mut suspended) = (empty.clone(), empty);
    for (index, status) in shown.iter().enumerate() {
        let list = match status {
            0 => continue,
            INVALID => &mut revoked,
            SUSPENDED => &mut suspended,
            _ => {
                let index = index as u64;
                return Err(SplitError { index, status });
            }
        };
        list[index / 8] |= 0x80 >> (index % 8);
    }
    Ok(Split {
        revocation: Bitstring::from_bytes(revoked, StatusSize::One),
        suspension: Bitstring::from_bytes(suspended, StatusSize::One),
    })
}

/// A list, and its size.
#[derive(Clone, Copy)]
struct Listed<T> {
    size: StatusSize,
    bits: T,
}

/// Which list has which say in the token list.
struct Roles<T> {
    revocation: Option<Listed<T>>,
    suspension: Option<Listed<T>>,
    /// Shown as it is.
    raw: Option<Listed<T>>,
}

impl<T> Roles<T> {
    fn assign<'a>(
        lists: impl Iterator<Item = (&'a StatusPurpose, Listed<T>)>,
    ) -> Result<Self, ProjectionError> {
        let (mut revocation, mut suspension, mut raw) = (None, None, None);
        let mut seen: Vec<&StatusPurpose> = Vec::new();
        for (purpose, list) in lists {
            if seen.contains(&purpose) {
                return Err(ProjectionError::Twice(purpose.clone()));
            }
            seen.push(purpose);
            match purpose {
                StatusPurpose::Revocation => revocation = Some(list),
                StatusPurpose::Suspension => suspension = Some(list),
                StatusPurpose::Refresh => {}
                StatusPurpose::Message if list.size == StatusSize::One => {
                    return Err(ProjectionError::OneBitMessage);
                }
                StatusPurpose::Message | StatusPurpose::Other(_) => {
                    if let Some((first, _)) = raw.replace((purpose, list)) {
                        let (first, second) = (first.clone(), purpose.clone());
                        return Err(ProjectionError::SeveralRaw { first, second });
                    }
                }
            }
        }
        match seen.is_empty() {
            true => Err(ProjectionError::Empty),
            false => Ok(Self {
                revocation,
                suspension,
                raw: raw.map(|(_, list)| list),
            }),
        }
    }

    fn size(&self) -> StatusSize {
        let raw = self.raw.as_ref().map_or(StatusSize::One, |raw| raw.size);
        match self.suspension {
            Some(_) => raw.max(StatusSize::Two),
            None => raw,
        }
    }
}

fn common_length(planes: &[Plane<'_>]) -> Result<u64, ProjectionError> {
    let expected = planes.first().ok_or(ProjectionError::Empty)?.bits.entries();
    let other = planes.iter().find(|one| one.bits.entries() != expected);
    match other {
        None => Ok(expected),
        Some(other) => Err(ProjectionError::Length {
            purpose: other.purpose.clone(),
            found: other.bits.entries(),
            expected,
        }),
    }
}

/// The list in the order of token lists, with entries of `size`: its own, or two bits where it has
/// one bit and stands beside a suspension list.
fn as_token(list: &Bitstring, size: StatusSize) -> Vec<u8> {
    match list.size() == size {
        true => list.to_lsb().into_bytes(),
        false => {
            let flags = list.flags();
            let mut bytes = vec![0; flags.len() * size.bits() as usize];
            put(&mut bytes, size, &flags, 1);
            bytes
        }
    }
}

/// Puts `value` at every entry whose flag is set.
fn put(bytes: &mut Vec<u8>, size: StatusSize, flags: &[u8], value: u8) {
    // Lists that are kept here consist of whole eights; others may end within one.
    let length = bytes.len();
    bytes.resize(flags.len() * size.bits() as usize, 0);
    match size {
        StatusSize::One => put_eights::<1>(bytes, size, flags, value),
        StatusSize::Two => put_eights::<2>(bytes, size, flags, value),
        StatusSize::Four => put_eights::<4>(bytes, size, flags, value),
        StatusSize::Eight => put_eights::<8>(bytes, size, flags, value),
    }
    bytes.truncate(length);
}

/// Eight entries at a time, which take `N` bytes. There is no branch: where something is set is as
/// good as random, and a wrong guess would cost more than the work.
fn put_eights<const N: usize>(bytes: &mut [u8], size: StatusSize, flags: &[u8], value: u8) {
    let spread = spread(size);
    for (eight, &flags) in bytes.as_chunks_mut::<N>().0.iter_mut().zip(flags) {
        let set = spread[usize::from(flags)];
        let covered = set * u64::from(size.maximum());
        let mut entries = [0; 8];
        entries[..N].copy_from_slice(eight);
        let put = set * u64::from(value);
        let entries = u64::from_le_bytes(entries) & !covered | put;
        eight.copy_from_slice(&entries.to_le_bytes()[..N]);
    }
}
