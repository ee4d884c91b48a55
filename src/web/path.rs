//! The path from a credential up to whoever is trusted.

use super::parts::{Link, Standing};

/// One step: the credential, who issued it, or who stands behind the step before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// As what it stands here, such as `Issued by`.
    pub role: String,
    /// Its name, or its id where nothing else is known.
    pub name: String,
    /// Its page.
    pub link: Option<Link>,
    /// How it stands.
    pub standing: Standing,
    /// More about it.
    pub note: Option<String>,
}

/// The steps, from the credential up to the trust anchor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// The steps, in order.
    pub steps: Vec<PathStep>,
}
