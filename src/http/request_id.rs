//! What a request is called, in the audit trail and towards who made it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;

/// The header that a caller can name its request by, with a UUID, and that names it in the answer.
pub(super) const HEADER: &str = "X-Request-Id";

/// The name of a request: 128 bits, written as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestId(pub(super) [u8; 16]);

/// Names requests that come without a name: a random half for this process, and a counter.
pub(super) struct RequestIds {
    process: [u8; 8],
    made: AtomicU64,
}

impl RequestIds {
    pub(super) const fn new(process: [u8; 8]) -> Self {
        Self {
            process,
            made: AtomicU64::new(0),
        }
    }

    /// The name that the caller gave where it is a UUID, and a fresh one otherwise.
    pub(super) fn of(&self, headers: &HeaderMap) -> RequestId {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        given.and_then(RequestId::parse).unwrap_or_else(|| {
            let number = self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let mut id = [0; 16];
            id[..8].copy_from_slice(&self.process);
            id[8..].copy_from_slice(&number);
            RequestId(id)
        })
    }
}

impl RequestId {
    /// A UUID (RFC 9562 section 4), in either case.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        if lengths != [8, 4, 4, 4, 12] {
            return None;
        }
        let digits: Option<Vec<u8>> = parts
            .concat()
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits?.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        // Zeros are kept for what no request asked for.
        (id != [0; 16]).then_some(Self(id))
    }

    /// As a UUID.
    pub(super) fn to_text(self) -> String {
        uuid(self.0)
    }
}

/// 128 bits as a UUID.
pub(super) fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a text takes whatever is written to it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), id.parse().unwrap())])
    }

    #[test]
    fn a_request_has_the_name_that_it_came_with() {
        let ids = RequestIds::new([1; 8]);
        let own = "0191b2c3-d4e5-7f60-8a9b-0c1d2e3f4a5b";
        assert_eq!(ids.of(&named(own)).to_text(), own);
        assert_eq!(ids.of(&named(&own.to_uppercase())).to_text(), own);
    }

    #[test]
    fn a_request_without_a_usable_name_gets_one_of_its_own() {
        let ids = RequestIds::new([1; 8]);
        let mut seen = vec![ids.of(&HeaderMap::new())];
        for id in [
            "x",
            "someone@example.org",
            "0191b2c3d4e57f608a9b0c1d2e3f4a5b",
            "0191b2c3-d4e5-7f60-8a9b-0c1d2e3f4a5",
            "0191b2c3-d4e5-7f60-8a9b-0c1d2e3f4a5g",
            "+191b2c3-d4e5-7f60-8a9b-0c1d2e3f4a5b",
            "00000000-0000-0000-0000-000000000000",
        ] {
            let made = ids.of(&named(id));
            assert!(!seen.contains(&made), "{id}");
            assert_eq!(made.0[..8], [1; 8]);
            seen.push(made);
        }
    }
}
