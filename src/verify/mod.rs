//! Verification: is this credential what its issuer said, and does it still stand?
//!
//! [`verify_credential`] and [`verify_presentation`] are pure: time is an argument, and what
//! stands elsewhere is asked of a [`Resolver`]. In reading order: `input`, what was handed in;
//! `examine`, the algorithm; `proofs` and `jwt`, its first half, over `keys`; `statuses` and
//! `lists`, what was taken back; `references`, what else is named; `embedded`, where endorsements
//! hang; `report`, `code` and `vcalm`, what is answered. Answers are words
//! ([`outcome::Outcome`]), and not to know is never a good one.

mod code;
mod embedded;
mod examine;
mod input;
mod jwt;
mod keys;
mod lists;
mod offline;
pub mod outcome;
mod presentation;
mod proofs;
mod record;
mod references;
mod report;
mod resolver;
mod statuses;
#[cfg(test)]
mod tests;
mod vcalm;

use serde_json::Value;

use crate::time::Timestamp;
use crate::vc::did::Localhost;

pub use code::{Code, OWN_PROBLEM_TYPE};
pub use input::{Input, InputError};
pub use keys::PinnedKey;
pub use lists::{CheckedList, Fetched, ListSigners, check_list};
pub use offline::{Given, GivenError};
pub use presentation::{Expected, PresentationReport, verify_presentation};
pub(crate) use report::weightiest;
pub use report::{
    Check, CheckKind, DateReport, Evidence, Problem, ProofReport, Report, StatusReport, Whole,
};
pub use resolver::{
    Known, KnownEndorsement, Outside, Resolver, SignedHere, Trust, Unresolved, WantedList, WantedOf,
};

/// How a document is to be verified. The default is the strict mode.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// What the proof of a presentation has to answer.
    pub expected: Expected<'a>,
    /// Keys that are trusted for their controllers, and beside which no other of these counts.
    pub pinned: &'a [PinnedKey],
    /// Whether issuers may live on localhost, over plain HTTP: in development only.
    pub localhost: Localhost,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            expected: Expected::default(),
            pinned: &[],
            localhost: Localhost::Refused,
        }
    }
}

/// Verifies a credential as of `now`: data model, schema, proofs, status, period, and what is
/// embedded in it, in this order (Open Badges 3.0 and CLR 2.0, verification; VCDM 2.0 section
/// 7.1). A string is a credential as a compact JWS. It never fails: what cannot be found out is in
/// the report.
pub fn verify_credential(
    credential: &Value,
    resolver: &dyn Resolver,
    options: Options<'_>,
    now: Timestamp,
) -> Report {
    examine::Examiner::new(resolver, options, now).credential(credential, "", 0)
}
