//! Who endorses whom: a country with 100,000 profiles, of which 1,000 endorse others. Ten
//! ministries endorse councils, councils endorse boards, and boards endorse schools; one council
//! endorses everybody. Each is endorsed ten times.

/// How many there are; they are called by number, from 1.
pub(crate) const PROFILES: u32 = 100_000;
/// Of those, the first ones endorse others.
pub(crate) const ACCREDITORS: u32 = 1_000;
/// How often each is endorsed.
pub(crate) const EACH: u32 = 10;
/// The council that endorses everybody but itself.
pub(crate) const WIDEST: u32 = 11;

const MINISTRIES: u32 = 10;
const COUNCILS: u32 = 100;

/// How an endorsement stands, and for what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In force, for everything.
    Whole,
    /// In force, for degrees alone.
    Limited,
    /// Revoked.
    Revoked,
    /// Suspended.
    Suspended,
    /// Over.
    Expired,
}

impl Fate {
    /// Of the endorsement of `subject` by the `nth` of those who endorse it. The widest one's are
    /// all in force.
    pub(crate) fn of(subject: u32, nth: u32) -> Self {
        if nth + 1 == EACH {
            return Self::Whole;
        }
        match mixed(subject, nth) % 50 {
            0 => Self::Revoked,
            1 => Self::Suspended,
            2 => Self::Expired,
            3..8 => Self::Limited,
            _ => Self::Whole,
        }
    }

    /// How answers say it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Whole | Self::Limited => "active",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
        }
    }
}

/// Who endorses a profile, the widest one last.
pub(crate) fn endorsers(of: u32) -> Vec<u32> {
    let from = |first: u32, count: u32, step: u32| {
        let start = mixed(of, count) % count;
        (0..EACH - 1).map(move |nth| first + (start + nth * step) % count)
    };
    let mut all: Vec<u32> = match of {
        // All but the first ministry, so that the way up to that one is long for everybody.
        WIDEST => return (2..=MINISTRIES).chain([WIDEST + 1]).collect(),
        // The ministries endorse each other, in circles.
        1..=MINISTRIES => (1..=MINISTRIES).filter(|other| *other != of).collect(),
        of if of <= COUNCILS => from(1, MINISTRIES, 1).collect(),
        of if of <= ACCREDITORS => from(WIDEST + 1, COUNCILS - WIDEST, 7).collect(),
        _ => from(COUNCILS + 1, ACCREDITORS - COUNCILS, 97).collect(),
    };
    all.push(WIDEST);
    all
}

/// A name that can stand in URLs.
pub(crate) fn slug(of: u32) -> String {
    let what = match of {
        of if of <= MINISTRIES => "ministry",
        of if of <= COUNCILS => "council",
        of if of <= ACCREDITORS => "accreditation-board",
        _ => "technical-college",
    };
    format!("{what}-{of:06}")
}

/// Scattered, and always the same.
fn mixed(one: u32, other: u32) -> u32 {
    let mut bits = u64::from(one) << 32 | u64::from(other);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as u32
}
