//! Trust: does a chain of endorsements lead from a subject to a trust anchor, and how does it
//! stand?
//!
//! Somebody is endorsed by an accreditor, which is itself endorsed as an accreditor by another,
//! and so on up to one that the asker trusts anyway. [`find_path`] looks for the best such chain.
//! It is pure and knows nothing of storage: who endorses whom is asked of [`Links`]. In reading
//! order: `links`, what is asked; `policy`, what one link contributes; `search`, the bounded search
//! for the best path; `standing`, what is answered.
//!
//! What could not be found out makes the answer [`Outcome::Unknown`], never a good one, and neither
//! do bounds: an answer that a bound kept from being found is unknown, with a reason that names the
//! bound.
//!
//! [`Outcome::Unknown`]: crate::verify::outcome::Outcome::Unknown

mod links;
mod policy;
mod search;
mod standing;
#[cfg(test)]
mod tests;

pub use links::{Accreditor, Bounds, Fit, Found, Link, Links};
pub use policy::{Cause, Contribution, Level, Place, contribution};
pub use search::find_path;
pub use standing::{PathLink, Reason, Standing};
