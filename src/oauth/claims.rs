//! The claims of a JWT, read strictly: one reading for every reader, whole types, bounded size.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::{self, JsonError};
use crate::time::{Timestamp, Ttl};

/// The largest payload that is read, in bytes.
pub const MAX_PAYLOAD: usize = 16 << 10;

/// How far ahead the clock of whoever wrote `nbf` or `iat` may be. `exp` has no such leeway: what is
/// over is over.
pub const LEEWAY: Ttl = Ttl::from_seconds(30);

/// Claims that cannot be read as what they are.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimsError {
    /// Larger than [`MAX_PAYLOAD`].
    #[error("the payload has {0} bytes; {MAX_PAYLOAD} are the most that are read")]
    TooLarge(usize),
    /// Not JSON that every reader reads alike.
    #[error("the payload: {0}")]
    Json(JsonError),
    /// No object.
    #[error("the payload is no object")]
    NoObject,
    /// A claim that has to be there.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
    /// A claim of another type.
    #[error("the claim {claim} has to be {expected}")]
    Wrong {
        /// Which.
        claim: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

/// The claims of one payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads a payload.
    ///
    /// # Errors
    /// The first three of [`ClaimsError`].
    pub fn read(payload: &[u8]) -> Result<Self, ClaimsError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(ClaimsError::TooLarge(payload.len()));
        }
        match json::parse(payload).map_err(ClaimsError::Json)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(ClaimsError::NoObject),
        }
    }

    /// A claim as it is.
    pub fn get(&self, claim: &str) -> Option<&Value> {
        self.0.get(claim)
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// Where it is missing or no text.
    pub fn needed(&self, claim: &'static str) -> Result<&str, ClaimsError> {
        self.text(claim)?.ok_or(ClaimsError::Missing(claim))
    }

    /// A text.
    ///
    /// # Errors
    /// Where it is no text.
    pub fn text(&self, claim: &'static str) -> Result<Option<&str>, ClaimsError> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(claim, "a text")),
        }
    }

    /// A NumericDate (RFC 7519 section 2): seconds since 1970, with a fraction or without, from 0 to
    /// the end of the year 9999.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn moment(&self, claim: &'static str) -> Result<Option<Timestamp>, ClaimsError> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        let expected = "seconds since 1970, as a number";
        let seconds = value.as_f64().ok_or(wrong(claim, expected))?;
        let last = Timestamp::LATEST.seconds() as f64;
        if !(0.0..=last).contains(&seconds) {
            return Err(wrong(claim, expected));
        }
        // Both are below 2^53, so that nothing is lost.
        Ok(Some(Timestamp::from_millis((seconds * 1000.0) as i64)))
    }

    /// As [`Claims::moment`], of a claim that has to be there, and is a whole number.
    ///
    /// # Errors
    /// Where it is missing or anything else.
    pub fn whole(&self, claim: &'static str) -> Result<Timestamp, ClaimsError> {
        let moment = self.moment(claim)?.ok_or(ClaimsError::Missing(claim))?;
        match self.0.get(claim) {
            Some(value) if value.is_u64() => Ok(moment),
            _ => Err(wrong(claim, "whole seconds since 1970")),
        }
    }

    /// `aud`: whom the JWT is for.
    ///
    /// # Errors
    /// Where it is missing, empty, or neither a text nor texts.
    pub fn audience(&self) -> Result<Vec<&str>, ClaimsError> {
        let expected = || wrong("aud", "a text, or an array of texts");
        match self.0.get("aud") {
            None => Err(ClaimsError::Missing("aud")),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(several)) if !several.is_empty() => several
                .iter()
                .map(|one| one.as_str().ok_or_else(expected))
                .collect(),
            Some(_) => Err(expected()),
        }
    }
}

const fn wrong(claim: &'static str, expected: &'static str) -> ClaimsError {
    ClaimsError::Wrong { claim, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Claims {
        Claims::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_moment_is_a_number_within_the_calendar() {
        for (text, millis) in [
            ("0", 0),
            ("1.5", 1_500),
            ("253402300799", 253_402_300_799_000),
        ] {
            let claims = claims(&format!("{{\"exp\": {text}}}"));
            assert_eq!(
                claims.moment("exp"),
                Ok(Some(Timestamp::from_millis(millis))),
                "{text}"
            );
        }
        for text in [
            "-1",
            "1e300",
            "253402300801",
            "\"1\"",
            "null",
            "true",
            "[1]",
        ] {
            let claims = claims(&format!("{{\"exp\": {text}}}"));
            assert!(claims.moment("exp").is_err(), "{text}");
            assert!(claims.whole("exp").is_err(), "{text}");
        }
        assert!(claims("{\"exp\": 1.5}").whole("exp").is_err());
        assert_eq!(claims("{}").whole("exp"), Err(ClaimsError::Missing("exp")));
    }

    #[test]
    fn whom_it_is_for_is_said_in_texts() {
        assert_eq!(claims("{\"aud\": \"a\"}").audience(), Ok(vec!["a"]));
        assert_eq!(
            claims("{\"aud\": [\"a\", \"b\"]}").audience(),
            Ok(vec!["a", "b"])
        );
        for text in ["{}", "{\"aud\": []}", "{\"aud\": [1]}", "{\"aud\": {}}"] {
            assert!(claims(text).audience().is_err(), "{text}");
        }
    }

    #[test]
    fn what_two_readers_read_differently_is_no_payload() {
        for payload in ["{\"a\": 1, \"a\": 2}", "[]", "", "{\"a\": 1} "] {
            let read = Claims::read(payload.as_bytes());
            assert_eq!(read.is_ok(), payload.ends_with(' '), "{payload}");
        }
        assert!(Claims::read(&vec![b' '; MAX_PAYLOAD + 1]).is_err());
    }
}
