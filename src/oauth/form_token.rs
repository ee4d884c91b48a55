//! What makes a form of ours our own: a token in it that nobody else can write, for this form with
//! these parameters, and for a short time. No other page can have it sent in somebody's name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::time::{Timestamp, Ttl};

/// For how long a form can be sent.
pub const GOOD_FOR: Ttl = Ttl::from_seconds(900);

/// The key under which the forms of one process are signed.
pub struct FormKey(hmac::Key);

/// Whether a form is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum FormCheck {
    /// It is.
    Good,
    /// It is not, is for other parameters, or was left open for too long.
    Bad,
}

impl FormKey {
    /// A key of these random bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token of a form with these parameters, made at this moment.
    pub fn sign(&self, parameters: &[&str], now: Timestamp) -> String {
        self.sign_until(parameters, now.plus(GOOD_FOR))
    }

    /// As [`FormKey::sign`], for a form that can be sent until another moment.
    pub fn sign_until(&self, parameters: &[&str], until: Timestamp) -> String {
        let until = until.millis();
        let tag = hmac::sign(&self.0, &signed(parameters, until));
        format!("{until}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether a token is that of a form with these parameters.
    pub fn check(&self, token: &str, parameters: &[&str], now: Timestamp) -> FormCheck {
        let read = || {
            let (until, tag) = token.split_once('.')?;
            let until: i64 = until.parse().ok()?;
            let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
            hmac::verify(&self.0, &signed(parameters, until), &tag).ok()?;
            Some(until)
        };
        match read().is_some_and(|until| until > now.millis()) {
            true => FormCheck::Good,
            false => FormCheck::Bad,
        }
    }
}

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormKey(…)")
    }
}

/// Each with its length, so that two lists of parameters are never one text.
fn signed(parameters: &[&str], until: i64) -> Vec<u8> {
    let mut bytes = until.to_be_bytes().to_vec();
    for parameter in parameters {
        bytes.extend((parameter.len() as u64).to_be_bytes());
        bytes.extend(parameter.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_ours_with_its_own_parameters_for_a_while() {
        let key = FormKey::new(&[1; 32]);
        let now = Timestamp::EPOCH;
        let token = key.sign(&["a", "bc"], now);
        let last = now.plus(Ttl::from_seconds(899));
        assert_eq!(key.check(&token, &["a", "bc"], last), FormCheck::Good);
        for (token, parameters, at) in [
            (token.as_str(), ["a", "bc"], now.plus(GOOD_FOR)),
            (&token, ["ab", "c"], now),
            (&token[1..], ["a", "bc"], now),
            (&format!("9{token}"), ["a", "bc"], now),
            ("", ["a", "bc"], now),
        ] {
            assert_eq!(key.check(token, &parameters, at), FormCheck::Bad, "{token}");
        }
        let other = FormKey::new(&[2; 32]);
        assert_eq!(other.check(&token, &["a", "bc"], now), FormCheck::Bad);
    }
}
