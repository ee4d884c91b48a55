//! What a fetch gives.

use bytes::Bytes;

use crate::time::Timestamp;

/// A document of others, as it was when it was asked for. Nothing in it is checked yet but its
/// media type and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it came from: the URL that was asked for without its fragment, or where a followed
    /// redirect led.
    pub url: String,
    /// Its media type, one of those of its [`Kind`](super::Kind), in lower case and without
    /// parameters.
    pub media_type: &'static str,
    /// The document without any content coding.
    pub body: Bytes,
    /// When it was last known to be the answer there: when it, or whether it is still the same,
    /// was asked for.
    pub fetched_at: Timestamp,
    /// Until when it may be used without asking again, as HTTP says.
    pub fresh_until: Timestamp,
}
