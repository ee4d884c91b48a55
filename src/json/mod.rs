//! Strict JSON (RFC 8259) for everything that comes from outside: what two readers could read
//! differently is refused, and every error names the place by JSON pointer (RFC 6901).
//!
//! [`parse`] reads a document; [`read`] reads a request body into a type; [`check_interoperable`]
//! stands before canonicalization (RFC 8785).

mod parser;
mod plain;
mod typed;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

pub use parser::Item;
pub use plain::{Plain, Text};

/// How many arrays and objects may stand in one another.
pub const MAX_DEPTH: usize = 64;

/// The largest integer that every reader holds exactly, 2⁵³ − 1 (RFC 7493 section 2.2).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Why bytes are not the JSON that was wanted. Pointers are JSON pointers; the empty one is the
/// document itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("line {line}, column {column}: the bytes are not UTF-8; send JSON in UTF-8")]
    NotUtf8 {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// Not JSON.
    #[error("line {line}, column {column}{}: expected {expected}", at(pointer))]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The innermost value that was being read.
        pointer: String,
        /// What may stand here.
        expected: &'static str,
    },
    /// An object has two members of one name, and readers differ in which one they take.
    #[error(
        "{}: the member {member:?} stands twice; keep one of them",
        place(pointer)
    )]
    Duplicate {
        /// The object.
        pointer: String,
        /// The name.
        member: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error(
        "{}: nested more than {MAX_DEPTH} levels deep; flatten the document",
        place(pointer)
    )]
    TooDeep {
        /// The first value that is too deep.
        pointer: String,
    },
    /// A number that would not be kept as written: an integer beyond 64 bits, or more than a
    /// double can hold.
    #[error(
        "{}: the number {number} is too large to be kept; write it as a string",
        place(pointer)
    )]
    NumberRange {
        /// The number's place.
        pointer: String,
        /// Its text, cut after 40 characters.
        number: String,
    },
    /// An integer that not every reader holds exactly, where interoperable numbers are demanded.
    #[error(
        "{}: the integer {number} is beyond 2^53 - 1, so readers would round it; write it as a string",
        place(pointer)
    )]
    NotInteroperable {
        /// The number's place.
        pointer: String,
        /// The number.
        number: String,
    },
    /// A member that is not known here.
    #[error("{}: the member {member:?} is not known; {expected}", place(pointer))]
    UnknownMember {
        /// The object.
        pointer: String,
        /// The name.
        member: String,
        /// The members that are known.
        expected: String,
    },
    /// A member that has to be there is not.
    #[error("{}: the member {member:?} is missing", place(pointer))]
    Missing {
        /// The object.
        pointer: String,
        /// The name.
        member: &'static str,
    },
    /// A value of another type than is wanted.
    #[error("{}: expected {expected}, found {found}", place(pointer))]
    WrongType {
        /// The value's place.
        pointer: String,
        /// What is wanted.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The right type, but not an allowed value.
    #[error("{}: {reason}", place(pointer))]
    Invalid {
        /// The value's place.
        pointer: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads one JSON document, with nothing but white space around it.
///
/// # Errors
/// Bytes that are not UTF-8 or not RFC 8259 (a byte order mark and half of a surrogate pair
/// included), a member that stands twice, nesting beyond [`MAX_DEPTH`], and numbers that could not
/// be kept: integers beyond 64 bits, and what a double cannot hold.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parser::parse(bytes)
}

/// A document that is an object, without the items of the array under `member`, and the texts of
/// these, which are objects, arrays and strings, to be read one by one by whoever has many hands. What
/// is read so is what [`parse`] reads: where this finds nothing, or an item cannot be read, let that
/// say what is wrong.
pub fn apart<'t>(bytes: &'t [u8], member: &str) -> Option<(Value, Vec<Item<'t>>)> {
    parser::apart(bytes, member)
}

/// Reads one JSON document into `T`. Give `T` `#[serde(deny_unknown_fields)]`, so that a
/// misspelt member is an error that names it.
///
/// # Errors
/// As [`parse`], and what `T` refuses. Inside `flatten`, `untagged` and internally tagged types
/// the pointer stops at the value that holds them.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    from_value(&parse(bytes)?)
}

/// Reads a parsed value into `T`; pointers count from `value`.
///
/// # Errors
/// As [`read`].
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, JsonError> {
    typed::from_value(value)
}

/// Refuses integers beyond [`MAX_SAFE_INTEGER`] in either direction: JCS (RFC 8785) writes
/// numbers as doubles, which would change them silently.
///
/// # Errors
/// [`JsonError::NotInteroperable`] for the first such number.
pub fn check_interoperable(value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Number(number) => {
            let size = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs));
            match size {
                Some(size) if size > MAX_SAFE_INTEGER => Err(JsonError::NotInteroperable {
                    pointer: String::new(),
                    number: number.to_string(),
                }),
                _ => Ok(()),
            }
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            check_interoperable(item).map_err(|error| error.inside(&index.to_string()))
        }),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            check_interoperable(member).map_err(|error| error.inside(name))
        }),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// One step of a JSON pointer: `/` and the name, with `~` and `/` escaped (RFC 6901 section 3).
pub fn pointer_step(name: &str) -> String {
    let mut step = String::with_capacity(1 + name.len());
    step.push('/');
    match name.contains(['~', '/']) {
        true => step.push_str(&name.replace('~', "~0").replace('/', "~1")),
        false => step.push_str(name),
    }
    step
}

/// The items of a member of the object at the pointer `at` that is an array or one value, each with
/// its own pointer. Nothing where there is no such member.
pub fn each<'a>(
    members: Option<&'a Map<String, Value>>,
    at: &str,
    member: &str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let value = members.and_then(|members| members.get(member));
    // Most of what is looked for is not there, and then nobody asks for its place.
    let at = value.map_or_else(String::new, |_| [at, &pointer_step(member)].concat());
    let is_array = value.is_some_and(Value::is_array);
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items
        .iter()
        .enumerate()
        .map(move |(index, item)| match is_array {
            true => (format!("{at}/{index}"), item),
            false => (at.clone(), item),
        })
}

impl JsonError {
    /// JSON pointer to the faulty place; empty for the document as a whole.
    pub fn pointer(&self) -> &str {
        match self {
            Self::NotUtf8 { .. } => "",
            Self::Syntax { pointer, .. }
            | Self::Duplicate { pointer, .. }
            | Self::TooDeep { pointer }
            | Self::NumberRange { pointer, .. }
            | Self::NotInteroperable { pointer, .. }
            | Self::UnknownMember { pointer, .. }
            | Self::Missing { pointer, .. }
            | Self::WrongType { pointer, .. }
            | Self::Invalid { pointer, .. } => pointer,
        }
    }

    /// The same error seen from the value that holds the faulty one as its member or item `name`.
    fn inside(mut self, name: &str) -> Self {
        match &mut self {
            Self::NotUtf8 { .. } => {}
            Self::Syntax { pointer, .. }
            | Self::Duplicate { pointer, .. }
            | Self::TooDeep { pointer }
            | Self::NumberRange { pointer, .. }
            | Self::NotInteroperable { pointer, .. }
            | Self::UnknownMember { pointer, .. }
            | Self::Missing { pointer, .. }
            | Self::WrongType { pointer, .. }
            | Self::Invalid { pointer, .. } => pointer.insert_str(0, &pointer_step(name)),
        }
        self
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() {
        "the document"
    } else {
        pointer
    }
}

fn at(pointer: &str) -> String {
    if pointer.is_empty() {
        String::new()
    } else {
        format!(" (in {pointer})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_that_readers_round_are_named() {
        let largest = parse(b"[9007199254740991,-9007199254740991,1e300,0.5]").unwrap();
        assert_eq!(check_interoperable(&largest), Ok(()));
        for number in [
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551615",
        ] {
            let value = parse(format!("{{\"a\":[0,{number}]}}").as_bytes()).unwrap();
            let expected = JsonError::NotInteroperable {
                pointer: "/a/1".to_owned(),
                number: number.to_owned(),
            };
            assert_eq!(check_interoperable(&value), Err(expected));
        }
    }
}
