//! The reader of request bodies: serde over a parsed value, with the place in every error.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Visitor};
use serde_json::{Map, Value};

use super::JsonError;

pub(super) fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, JsonError> {
    T::deserialize(Place(value)).map_err(|Refused(error)| error)
}

/// A value that serde reads from, such that every error carries its place.
struct Place<'a>(&'a Value);

impl<'de> de::Deserializer<'de> for Place<'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Array(items) => {
                let mut rest = Items(items.iter().enumerate());
                let read = visitor.visit_seq(&mut rest)?;
                // A tuple takes what it needs; what is left over would be dropped silently.
                match rest.0.len() {
                    0 => Ok(read),
                    left => Err(de::Error::invalid_length(
                        items.len(),
                        &Exactly(items.len() - left),
                    )),
                }
            }
            Value::Object(members) => visitor.visit_map(Members::of(members)),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(unsigned), _) => visitor.visit_u64(unsigned),
                (None, Some(signed)) => visitor.visit_i64(signed),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
        }
    }

    /// Derived types would also take their members as an array, in order; a reader of the
    /// documentation would not.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(StrDeserializer::new(variant)),
            Value::Object(members) if members.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Members::of(members)))
            }
            Value::Object(_) => Err(de::Error::custom("expected an object with one member")),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Value>>);

impl<'de> de::SeqAccess<'de> for &mut Items<'de> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refused> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(Place(item));
        read.map(Some)
            .map_err(|Refused(error)| Refused(error.inside(&index.to_string())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Members<'a> {
    left: serde_json::map::Iter<'a>,
    /// The member whose name was read last.
    value: Option<(&'a str, &'a Value)>,
}

impl<'a> Members<'a> {
    fn of(members: &'a Map<String, Value>) -> Self {
        Self {
            left: members.iter(),
            value: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = Refused;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refused> {
        let Some((name, value)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        let (name, value) = self
            .value
            .take()
            .expect("serde asks for a value after its key");
        seed.deserialize(Place(value))
            .map_err(|Refused(error)| Refused(error.inside(name)))
    }
}

/// How many items a tuple has.
struct Exactly(usize);

impl de::Expected for Exactly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} items", self.0)
    }
}

/// Collects what serde reports. A type of its own, since [`JsonError`] is not for others to make.
#[derive(Debug)]
struct Refused(JsonError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(JsonError::Invalid {
            pointer: String::new(),
            reason: reason.to_string(),
        })
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(JsonError::WrongType {
            pointer: String::new(),
            expected: in_words(&expected.to_string()),
            found: found_in_words(found),
        })
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = in_words(&expected.to_string());
        Self::custom(format!(
            "expected {expected}, found {}",
            found_in_words(found)
        ))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let variant = shortened(variant);
        Self::custom(format!("{variant:?} is not one of {}", expected.join(", ")))
    }

    fn unknown_field(member: &str, expected: &'static [&'static str]) -> Self {
        Self(JsonError::UnknownMember {
            pointer: String::new(),
            member: shortened(member),
            expected: if expected.is_empty() {
                "none is allowed here".to_owned()
            } else {
                format!("known are {}", expected.join(", "))
            },
        })
    }

    fn missing_field(member: &'static str) -> Self {
        Self(JsonError::Missing {
            pointer: String::new(),
            member,
        })
    }
}

/// What serde calls a type, in the words of someone who writes JSON.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" => "an integer from 0 to 255".to_owned(),
        "u16" => "an integer from 0 to 65535".to_owned(),
        "u32" => "an integer from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "an integer from 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "an object".to_owned(),
        "unit" => "null".to_owned(),
        name if name.starts_with("struct ") => "an object".to_owned(),
        name if name.starts_with("enum ") => "a string".to_owned(),
        other => other.to_owned(),
    }
}

fn found_in_words(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Unit => "null".to_owned(),
        de::Unexpected::Bool(value) => value.to_string(),
        de::Unexpected::Unsigned(number) => number.to_string(),
        de::Unexpected::Signed(number) => number.to_string(),
        de::Unexpected::Float(number) => number.to_string(),
        de::Unexpected::Str(text) => format!("the string {:?}", shortened(text)),
        de::Unexpected::Seq => "an array".to_owned(),
        de::Unexpected::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The first 80 characters, so that an error does not carry a megabyte back.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        Profile,
        Other(String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "String")]
    struct Name(String);

    impl TryFrom<String> for Name {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            if text.is_empty() {
                Err("a name is not empty")
            } else {
                Ok(Self(text))
            }
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Update {
        index: u32,
        status: Option<u8>,
        kind: Option<Kind>,
        name: Option<Name>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        updates: Vec<Update>,
        pair: Option<(u8, u8)>,
    }

    fn refusal(body: &str) -> String {
        read::<Body>(body.as_bytes()).expect_err(body).to_string()
    }

    #[test]
    fn a_body_is_read_into_its_type() {
        let body = r#"{"updates":[{"index":7,"status":null,"kind":"profile"},
            {"index":8,"status":1,"kind":{"other":"x"},"name":"a-b"}],"pair":[1,2]}"#;
        let body: Body = read(body.as_bytes()).unwrap();
        assert_eq!(body.updates[0].kind, Some(Kind::Profile));
        assert_eq!(body.updates[1].kind, Some(Kind::Other("x".to_owned())));
        assert_eq!((body.updates[1].index, body.pair), (8, Some((1, 2))));
    }

    #[test]
    fn refusals_name_the_place() {
        let stories = [
            (
                r#"{"updates":[{"index":1},{"index":"x"}]}"#,
                r#"/updates/1/index: expected an integer from 0 to 4294967295, found the string "x""#,
            ),
            (
                r#"{"updates":[{"index":-1}]}"#,
                "/updates/0/index: expected an integer from 0 to 4294967295, found -1",
            ),
            (
                r#"{"updates":[{"indx":1}]}"#,
                r#"/updates/0: the member "indx" is not known; known are index, status, kind, name"#,
            ),
            (
                r#"{"updates":[{}]}"#,
                r#"/updates/0: the member "index" is missing"#,
            ),
            (r#"{}"#, r#"the document: the member "updates" is missing"#),
            (
                r#"{"updates":[[1,2,null,null]]}"#,
                "/updates/0: expected an object, found an array",
            ),
            (
                r#"{"updates":{}}"#,
                "/updates: expected an array, found an object",
            ),
            (r#"[]"#, "the document: expected an object, found an array"),
            (
                r#"{"updates":[{"index":1,"kind":"list"}]}"#,
                r#"/updates/0/kind: "list" is not one of profile, other"#,
            ),
            (
                r#"{"updates":[{"index":1,"kind":{"other":4}}]}"#,
                "/updates/0/kind/other: expected a string, found 4",
            ),
            (
                r#"{"updates":[],"pair":[1,2,3]}"#,
                "/pair: invalid length 3, expected an array of 2 items",
            ),
        ];
        for (body, message) in stories {
            assert_eq!(refusal(body), message, "{body}");
        }
        let name = refusal(r#"{"updates":[{"index":1,"name":""}]}"#);
        assert_eq!(name, "/updates/0/name: a name is not empty");
        let two = refusal(r#"{"updates":[{"index":1,"kind":{"other":"x","profile":1}}]}"#);
        assert_eq!(two, "/updates/0/kind: expected an object with one member");
    }

    #[test]
    fn a_long_body_is_read_whole() {
        let items: Vec<String> = (0..100_000)
            .map(|index| format!("{{\"index\":{index},\"status\":1}}"))
            .collect();
        let body = format!("{{\"updates\":[{}]}}", items.join(","));
        let read: Body = read(body.as_bytes()).unwrap();
        assert_eq!(read.updates.len(), 100_000);
        assert_eq!(read.updates[99_999].index, 99_999);
    }
}
