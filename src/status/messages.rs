//! What each value of a status means, spelled out by the entry (`statusMessage`).

use serde_json::{Value, json};
use thiserror::Error;

use crate::bitstring::StatusSize;

/// One message for every value that a status of its size can have (Bitstring Status List 1.0,
/// section 2.1, `statusMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMessages {
    size: StatusSize,
    /// By value; exactly `size.maximum() + 1` of them.
    texts: Vec<String>,
}

/// A `statusMessage` does not say what every value means.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessagesError {
    /// Not an array with one object per value.
    #[error(
        "{at}: statusMessage is an array of exactly {} objects for a statusSize of {size}",
        usize::from(size.maximum()) + 1
    )]
    Count {
        /// JSON pointer of the array.
        at: String,
        /// The size of the status.
        size: StatusSize,
    },
    /// Not an object of two strings.
    #[error("{0}: a status message is an object with the strings \"status\" and \"message\"")]
    Shape(String),
    /// Not a hexadecimal value of this size.
    #[error("{at}: a status is a hexadecimal string from \"0x0\" to \"{:#x}\"", size.maximum())]
    Status {
        /// JSON pointer of the status.
        at: String,
        /// The size of the status.
        size: StatusSize,
    },
    /// Two messages for one value.
    #[error("{at}: status {value:#x} has a message already")]
    Repeated {
        /// JSON pointer of the second one.
        at: String,
        /// The value.
        value: u8,
    },
}

impl StatusMessages {
    /// Reads a `statusMessage`; `at` is its JSON pointer, for errors. The messages may stand in
    /// any order.
    ///
    /// # Errors
    /// [`MessagesError`] names the place and the rule.
    pub fn parse(value: &Value, size: StatusSize, at: &str) -> Result<Self, MessagesError> {
        let count = usize::from(size.maximum()) + 1;
        let items = value.as_array().filter(|items| items.len() == count);
        let items = items.ok_or_else(|| MessagesError::Count {
            at: at.to_owned(),
            size,
        })?;
        let mut texts = vec![None; count];
        for (place, item) in items.iter().enumerate() {
            let (value, text) = parse_message(item, size, &format!("{at}/{place}"))?;
            if texts[usize::from(value)].replace(text).is_some() {
                let at = format!("{at}/{place}/status");
                return Err(MessagesError::Repeated { at, value });
            }
        }
        // As many messages as values, and no value twice: every value has one.
        let texts = texts.into_iter().flatten().collect();
        Ok(Self { size, texts })
    }

    /// The messages by value, or `None` where there is not one for each value of some size.
    pub(super) fn of_texts(texts: Vec<String>) -> Option<Self> {
        let values = |size: &StatusSize| usize::from(size.maximum()) + 1 == texts.len();
        let size = StatusSize::ALL.into_iter().find(values)?;
        Some(Self { size, texts })
    }

    /// The messages, by value.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The size of the status that the messages explain.
    pub const fn size(&self) -> StatusSize {
        self.size
    }

    /// What `value` means, or `None` where a status of this size cannot have it.
    pub fn message(&self, value: u8) -> Option<&str> {
        self.texts.get(usize::from(value)).map(String::as_str)
    }

    /// The `statusMessage` of an entry, in order of value.
    pub fn to_value(&self) -> Value {
        let messages = self.texts.iter().enumerate();
        messages
            .map(|(value, text)| json!({"status": format!("{value:#x}"), "message": text}))
            .collect()
    }
}

fn parse_message(item: &Value, size: StatusSize, at: &str) -> Result<(u8, String), MessagesError> {
    let member = |name: &str| {
        let text = item.get(name).and_then(Value::as_str);
        text.ok_or_else(|| MessagesError::Shape(at.to_owned()))
    };
    let (status, message) = (member("status")?, member("message")?);
    // `from_str_radix` would take a sign.
    let digits = status.strip_prefix("0x").filter(|d| !d.starts_with('+'));
    let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    match value {
        Some(value) if value <= size.maximum() => Ok((value, message.to_owned())),
        _ => Err(MessagesError::Status {
            at: format!("{at}/status"),
            size,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn four() -> Value {
        json!([
            {"status": "0x0", "message": "pending"},
            {"status": "0x1", "message": "accepted"},
            {"status": "0x3", "message": "lost"},
            {"status": "0x2", "message": "returned"},
        ])
    }

    #[test]
    fn messages_are_found_by_value() {
        let messages = StatusMessages::parse(&four(), StatusSize::Two, "").unwrap();
        assert_eq!(messages.message(2), Some("returned"));
        assert_eq!(messages.message(3), Some("lost"));
        assert_eq!(messages.message(4), None);
        assert_eq!(messages.size(), StatusSize::Two);
    }

    #[test]
    fn every_value_has_exactly_one_message() {
        let refusal = |value: &Value, size| {
            let refused = StatusMessages::parse(value, size, "/statusMessage");
            refused.unwrap_err().to_string()
        };
        let changed = |pointer: &str, to: Value| {
            let mut value = four();
            *value.pointer_mut(pointer).unwrap() = to;
            refusal(&value, StatusSize::Two)
        };
        assert_eq!(
            refusal(&four(), StatusSize::Four),
            "/statusMessage: statusMessage is an array of exactly 16 objects for a statusSize of 4"
        );
        assert!(refusal(&json!("0x0"), StatusSize::One).contains("exactly 2 objects"));
        assert_eq!(
            changed("/1/status", json!("0x0")),
            "/statusMessage/1/status: status 0x0 has a message already"
        );
        // A number instead of the string is a known mistake.
        let shape = "/statusMessage/1: a status message is an object with the strings \
                     \"status\" and \"message\"";
        assert_eq!(changed("/1/status", json!(1)), shape);
        assert_eq!(changed("/1/message", json!(null)), shape);
        for bad in ["0x4", "1", "0x", "0x+1", "0x100", "-0x1"] {
            assert_eq!(
                changed("/1/status", json!(bad)),
                "/statusMessage/1/status: a status is a hexadecimal string from \"0x0\" to \"0x3\"",
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn messages_survive_their_json(texts in prop::collection::vec(".{0,8}", 16)) {
            let messages = StatusMessages { size: StatusSize::Four, texts };
            let read = StatusMessages::parse(&messages.to_value(), StatusSize::Four, "");
            prop_assert_eq!(read, Ok(messages));
        }
    }
}
