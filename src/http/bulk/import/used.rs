//! Which indexes of a list are in use where it comes from.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::bitstring::{Bitstring, DEFAULT_CAP_BYTES, ListLength, StatusSize, decode};
use crate::http::problem::Problem;

/// Indexes that are in use: named one by one, or as the bits of an encoded list.
pub(super) enum Used {
    Named(Vec<u64>),
    Encoded(String),
}

const AT: &str = "/usedIndexes";

impl Used {
    /// One bit an index of a list of this length.
    pub(super) fn bits(self, length: ListLength) -> Result<Bitstring, Problem> {
        match self {
            Self::Named(indexes) => {
                let mut bits = Bitstring::zeroed(length, StatusSize::One);
                for (place, index) in indexes.into_iter().enumerate() {
                    let index = length.index(index).map_err(|error| {
                        Problem::invalid(&format!("{AT}/{place}"), error.to_string())
                    })?;
                    bits.set(index, 1)
                        .expect("the bits are as long as the list");
                }
                Ok(bits)
            }
            Self::Encoded(text) => {
                let at = "/usedIndexes/encodedList";
                let mut bytes = decode(&text, DEFAULT_CAP_BYTES)
                    .map_err(|error| Problem::invalid(at, error.to_string()))?;
                let wanted = length.bytes(StatusSize::One);
                if bytes.iter().skip(wanted).any(|byte| *byte != 0) {
                    let detail = "an index behind the end of the list is set";
                    return Err(Problem::invalid(at, detail));
                }
                bytes.resize(wanted, 0);
                Ok(Bitstring::from_bytes(bytes, StatusSize::One))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Used {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Used;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of indexes, or an object with an encodedList")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Used, A::Error> {
                let mut indexes = Vec::new();
                while let Some(index) = items.next_element()? {
                    indexes.push(index);
                }
                Ok(Used::Named(indexes))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Used, A::Error> {
                let mut encoded = None;
                while let Some(name) = members.next_key::<String>()? {
                    match name.as_str() {
                        "encodedList" => encoded = Some(members.next_value()?),
                        other => return Err(A::Error::unknown_field(other, &["encodedList"])),
                    }
                }
                let missing = || A::Error::missing_field("encodedList");
                encoded.map(Used::Encoded).ok_or_else(missing)
            }
        }
        from.deserialize_any(Either)
    }
}
