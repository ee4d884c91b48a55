//! Verification: is this credential what its issuer said, and does it still stand?
//!
//! [`verify_credential`] and [`verify_presentation`] are pure: time is an argument, and what
//! stands elsewhere is asked of a [`Resolver`]. In reading order: `examine`, the algorithm;
//! `proofs`, its first half; `embedded`, where endorsements hang; `lists`, the status lists of
//! others; `report`, `code` and `vcalm`, what is answered. Answers are words
//! ([`outcome::Outcome`]), and not to know is never a good one.

mod code;
mod embedded;
mod examine;
mod lists;
pub mod outcome;
mod presentation;
mod proofs;
mod report;
mod resolver;
#[cfg(test)]
mod tests;
mod vcalm;

use serde_json::Value;

use crate::time::Timestamp;

pub use code::{Code, OWN_PROBLEM_TYPE};
pub use lists::{CheckedList, Fetched, ListSigners, check_list};
pub use presentation::{Expected, PresentationReport, verify_presentation};
pub use report::{Check, CheckKind, DateReport, Problem, ProofReport, Report, StatusReport, Whole};
pub use resolver::{Resolver, Unresolved};

/// Verifies a credential with embedded proofs as of `now`: data model, proofs, status, period,
/// and what is embedded in it, in this order (Open Badges 3.0 and CLR 2.0, verification; VCDM 2.0
/// section 7.1). It never fails: what cannot be found out is in the report.
pub fn verify_credential(credential: &Value, resolver: &dyn Resolver, now: Timestamp) -> Report {
    examine::Examiner::new(resolver, now).credential(credential, "", 0)
}
