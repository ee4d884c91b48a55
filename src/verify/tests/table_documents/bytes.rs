//! Bytes that two readers could read differently, or that keep a reader busy: refused before
//! anybody looks at what they say.

use super::makers::*;
use super::*;
use crate::json::{JsonError, MAX_DEPTH};

/// How many rows there are.
pub(super) const ROWS: usize = TABLE.len();

type Spoil = fn(String) -> Vec<u8>;

/// What stands at the beginning of the credential, in the place of its brace.
fn begun(text: &str, with: &str) -> Vec<u8> {
    text.replacen('{', with, 1).into_bytes()
}

/// The credential with its `validFrom` written so.
fn from(text: &str, written: &str) -> Vec<u8> {
    let date = r#""validFrom":"2026-01-01T00:00:00Z""#;
    assert!(text.contains(date));
    text.replace(date, &format!(r#""validFrom":{written}"#))
        .into_bytes()
}

macro_rules! bytes {
    ($($name:literal: $spoil:expr => $said:literal, $place:literal;)+) => {
        &[$(($name, $spoil, $said, $place)),+]
    };
}

/// Each with what is said of it, and where.
const TABLE: &[(&str, Spoil, &str, &str)] = bytes! {
    "a member twice": |t| begun(&t, r#"{"name":"Flying","#) => "duplicate", "";
    "a member twice, once in escapes": |t| begun(&t, r#"{"\u006eame":"Flying","#) => "duplicate", "";
    "the contexts twice": |t| begun(&t, r#"{"@context":[],"#) => "duplicate", "";
    "the proof twice": |t| begun(&t, r#"{"proof":{},"#) => "duplicate", "";
    "a member of the issuer twice": |t| t.replacen(r#""issuer":{"#, r#""issuer":{"id":"did:example:x","#, 1).into_bytes() => "duplicate", "/issuer";
    "a byte order mark": |t| [b"\xef\xbb\xbf", t.as_bytes()].concat() => "syntax", "";
    "UTF-16": |t| t.encode_utf16().flat_map(u16::to_le_bytes).collect() => "syntax", "";
    "a byte that is no UTF-8": |t| [&*begun(&t, "{\"a\":\""), b"\xff\"}"].concat() => "not-utf-8", "";
    "a letter of Latin-1": |t| spliced(&t, b"\xe9") => "not-utf-8", "";
    "a zero in two bytes": |t| spliced(&t, b"\xc0\x80") => "not-utf-8", "";
    "half of a pair in three bytes": |t| spliced(&t, b"\xed\xa0\x80") => "not-utf-8", "";
    "more than Unicode has": |t| spliced(&t, b"\xf4\x90\x80\x80") => "not-utf-8", "";
    "half of a pair in escapes": |t| from(&t, r#""\ud800""#) => "syntax", "/validFrom";
    "the second half of a pair first": |t| from(&t, r#""\udc00\ud800""#) => "syntax", "/validFrom";
    "half of a pair in a name": |t| begun(&t, r#"{"\udead":1,"#) => "syntax", "";
    "an escape that there is none of": |t| from(&t, r#""\x41""#) => "syntax", "/validFrom";
    "an escape that is cut": |t| from(&t, r#""\u00""#) => "syntax", "/validFrom";
    "a line within a text": |t| from(&t, "\"2026\n\"") => "syntax", "/validFrom";
    "a zero within a text": |t| from(&t, "\"2026\0\"") => "syntax", "/validFrom";
    "a zero after the end": |t| format!("{t}\0").into_bytes() => "syntax", "";
    "NaN": |t| from(&t, "NaN") => "syntax", "/validFrom";
    "Infinity": |t| from(&t, "Infinity") => "syntax", "/validFrom";
    "minus Infinity": |t| from(&t, "-Infinity") => "syntax", "/validFrom";
    "undefined": |t| from(&t, "undefined") => "syntax", "/validFrom";
    "a number beyond all doubles": |t| from(&t, "1e400") => "number-range", "/validFrom";
    "a number beyond all doubles on the other side": |t| from(&t, "-1e400") => "number-range", "/validFrom";
    "an integer beyond 64 bits": |t| from(&t, "18446744073709551616") => "number-range", "/validFrom";
    "an integer of a million digits": |t| from(&t, &"9".repeat(1_000_000)) => "number-range", "/validFrom";
    "an exponent of a million digits": |t| from(&t, &format!("1e{}", "9".repeat(1_000_000))) => "number-range", "/validFrom";
    "a zero before a number": |t| from(&t, "01") => "syntax", "";
    "a plus before a number": |t| from(&t, "+1") => "syntax", "/validFrom";
    "a number without digits after the point": |t| from(&t, "1.") => "syntax", "/validFrom";
    "a hexadecimal number": |t| from(&t, "0x10") => "syntax", "";
    "a comma before the end": |t| format!("{},}}", &t[..t.len() - 1]).into_bytes() => "syntax", "";
    "a comment": |t| begun(&t, "{/* good */") => "syntax", "";
    "a name without quotes": |t| begun(&t, "{a:1,") => "syntax", "";
    "quotes of another kind": |t| begun(&t, "{'a':1,") => "syntax", "";
    "two documents": |t| format!("{t}{t}").into_bytes() => "syntax", "";
    "a document that is cut": |t| t.as_bytes()[..t.len() - 1].to_vec() => "syntax", "";
    "nothing": |_| Vec::new() => "syntax", "";
    "nothing but spaces": |_| b" \n\t ".to_vec() => "syntax", "";
    "a space that JSON has not": |t| format!("\u{a0}{t}").into_bytes() => "syntax", "";
    "arrays in arrays, 10,000 deep": |t| from(&t, &deep("[", "]", 10_000)) => "too-deep", "/validFrom";
    "objects in objects, 10,000 deep": |t| from(&t, &deep("{\"a\":", "}", 10_000)) => "too-deep", "/validFrom";
    "a million arrays that are never closed": |_| "[".repeat(1_000_000).into_bytes() => "too-deep", "";
    "one level more than is read": |t| from(&t, &deep("[", "]", MAX_DEPTH)) => "too-deep", "/validFrom";
};

/// The credential with these bytes in its name.
fn spliced(text: &str, bytes: &[u8]) -> Vec<u8> {
    let (before, after) = text.split_once("Welding").unwrap();
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

fn deep(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

fn kind(error: &InputError) -> (&'static str, &str) {
    match error {
        InputError::Json(error) => match error {
            JsonError::NotUtf8 { .. } => ("not-utf-8", ""),
            JsonError::Syntax { .. } => ("syntax", error.pointer()),
            JsonError::Duplicate { .. } => ("duplicate", error.pointer()),
            JsonError::TooDeep { .. } => ("too-deep", error.pointer()),
            JsonError::NumberRange { .. } => ("number-range", error.pointer()),
            _ => ("another", error.pointer()),
        },
        InputError::Image(_) => ("image", ""),
    }
}

#[test]
fn bytes_that_are_no_json_are_refused_for_what_they_are() {
    let good = Base::Badge.signed().to_string();
    let Ok(Input::Credential(read)) = Input::read(good.as_bytes()) else {
        panic!("the good one is read");
    };
    assert_eq!(verify(Base::Badge, &read).outcome, Outcome::Active);
    let faults: Vec<String> = TABLE
        .iter()
        .filter_map(|(name, spoil, expected, place)| {
            let bytes = spoil(good.clone());
            let read = Input::read(&bytes);
            let said = read.as_ref().map_err(kind);
            let as_expected = said.is_err_and(|(found, at)| {
                // What is too deep is too deep somewhere below.
                found == *expected && (at == *place || found == "too-deep" && at.starts_with(place))
            });
            (!as_expected).then(|| format!("{name}: {said:?}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
