//! The entries of one list as they are handed out: all alike but for their index.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::entry::ListFormat;
use super::list_2021::{Not2021, check_purpose_2021};
use super::members::EntryMembers;
use super::purpose::StatusPurpose;
use crate::bitstring::StatusIndex;

/// What every entry of a list says (Bitstring Status List 1.0, section 2.1; StatusList2021,
/// section 4.1). An entry is ready for `credentialStatus`.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryForm<'a> {
    format: ListFormat,
    list: &'a str,
    purpose: &'a StatusPurpose,
    /// What follows the place, in order.
    more: Map<String, Value>,
}

impl<'a> EntryForm<'a> {
    /// Entries into the Bitstring Status List at the URL `list`.
    pub fn bitstring(list: &'a str, purpose: &'a StatusPurpose, members: &EntryMembers) -> Self {
        Self {
            format: ListFormat::Bitstring,
            list,
            purpose,
            more: members.to_map(),
        }
    }

    /// Entries into the StatusList2021 at the URL `list`.
    ///
    /// # Errors
    /// [`Not2021::Purpose`].
    pub fn status_list_2021(list: &'a str, purpose: &'a StatusPurpose) -> Result<Self, Not2021> {
        check_purpose_2021(purpose)?;
        Ok(Self {
            format: ListFormat::StatusList2021,
            list,
            purpose,
            more: Map::new(),
        })
    }

    /// The entry for place `index`.
    pub fn entry(&self, index: StatusIndex) -> Value {
        let mut entry = Map::new();
        let list = self.list;
        entry.insert("id".to_owned(), json!(format!("{list}#{index}")));
        entry.insert("type".to_owned(), json!(self.format.entry_type()));
        entry.insert("statusPurpose".to_owned(), json!(self.purpose));
        entry.insert("statusListIndex".to_owned(), json!(index.to_string()));
        entry.insert("statusListCredential".to_owned(), json!(list));
        entry.extend(self.more.clone());
        Value::Object(entry)
    }

    /// Appends the JSON array of the entries for `indexes`, byte for byte as [`Self::entry`] builds
    /// them. Only the index differs, so that a hundred thousand cost no more than their text.
    pub fn write(&self, indexes: impl IntoIterator<Item = StatusIndex>, out: &mut String) {
        let [before, between, after] = self.parts();
        out.push('[');
        for (place, index) in indexes.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let written = write!(out, "{comma}{before}{index}{between}{index}{after}");
            written.expect("a String takes any text");
        }
        out.push(']');
    }

    /// How many bytes of text an entry takes at most, with the comma before it: what a caller goes
    /// by who bounds an answer, since each entry repeats all messages.
    pub fn most_bytes(&self) -> usize {
        const LONGEST_INDEX: usize = 8; // below 2^26
        let parts: usize = self.parts().iter().map(String::len).sum();
        parts + 2 * LONGEST_INDEX + 1
    }

    /// The text of an entry around its index, which stands there twice.
    fn parts(&self) -> [String; 3] {
        let list = json!(self.list).to_string();
        let id = list.strip_suffix('"').unwrap_or(&list);
        let (kind, purpose) = (json!(self.format.entry_type()), json!(self.purpose));
        let more: String = self
            .more
            .iter()
            .map(|(name, value)| format!(",{}:{value}", json!(name)))
            .collect();
        [
            format!("{{\"id\":{id}#"),
            format!("\",\"type\":{kind},\"statusPurpose\":{purpose},\"statusListIndex\":\""),
            format!("\",\"statusListCredential\":{list}{more}}}"),
        ]
    }
}

/// The entry for place `index` of a Bitstring Status List.
pub fn build_entry(
    list: &str,
    purpose: &StatusPurpose,
    index: StatusIndex,
    members: Option<&EntryMembers>,
) -> Value {
    let plain = EntryMembers::default();
    EntryForm::bitstring(list, purpose, members.unwrap_or(&plain)).entry(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstring::{ListLength, StatusSize};
    use crate::status::{
        EntryError, ListMessages, ListReference, StatusEntry, StatusReferences, token_claim,
        write_token_claims,
    };
    use proptest::prelude::*;

    const LIST: &str = "https://example.com/status-lists/3";

    fn indexes() -> [StatusIndex; 3] {
        [0, 7, 131_071].map(|index| ListLength::MINIMUM.index(index).unwrap())
    }

    fn members(purpose: &StatusPurpose, size: StatusSize) -> EntryMembers {
        let texts = (0..=size.maximum()).map(|value| format!("says \"{value}\""));
        let messages = ListMessages::new(texts.collect()).unwrap();
        let urls = ["https://example.com/why", "https://example.com/how"];
        let references = StatusReferences::new(urls.map(str::to_owned).to_vec()).unwrap();
        EntryMembers::new(purpose, size, Some(messages), Some(references)).unwrap()
    }

    #[test]
    fn entries_in_bulk_are_those_that_are_built_one_by_one() {
        let own: StatusPurpose = "of \"my\" own".parse().unwrap();
        for (list, purpose) in [
            (LIST, StatusPurpose::Revocation),
            ("https://h.example/a\"b\\c\"", own),
        ] {
            let plain = EntryForm::bitstring(list, &purpose, &EntryMembers::default());
            let wide = members(&purpose, StatusSize::Four);
            let wide = EntryForm::bitstring(list, &purpose, &wide);
            let old = EntryForm::status_list_2021(list, &StatusPurpose::Suspension).unwrap();
            for form in [plain, wide, old] {
                let mut bulk = String::new();
                form.write(indexes(), &mut bulk);
                let single = indexes().map(|index| form.entry(index));
                assert_eq!(bulk, json!(single).to_string());
                // The longest index has two digits more, at both places, and a comma comes first.
                let longest = single[2].to_string().len();
                assert_eq!(form.most_bytes(), longest + 2 * 2 + 1);
            }
        }
    }

    #[test]
    fn token_claims_in_bulk_are_those_that_are_built_one_by_one() {
        let uri = "https://h.example/a\"b";
        let mut bulk = String::new();
        write_token_claims(uri, indexes(), &mut bulk);
        let single = indexes().map(|index| token_claim(uri, index));
        assert_eq!(bulk, json!(single).to_string());
        let claim = token_claim(LIST, indexes()[1]);
        assert_eq!(claim, json!({"status_list": {"idx": 7, "uri": LIST}}));
        let read = ListReference::parse_claim(&claim, "/status");
        let Ok(ListReference::Token(read)) = &read[0] else {
            panic!("{read:?}");
        };
        assert_eq!((read.index, read.list.as_str()), (7, LIST));
    }

    #[test]
    fn an_entry_says_what_its_values_mean_and_where_to_read_more() {
        let purpose = StatusPurpose::Message;
        let members = members(&purpose, StatusSize::Two);
        let entry = EntryForm::bitstring(LIST, &purpose, &members).entry(indexes()[1]);
        let messages: Value = (0..4)
            .map(|value| {
                json!({"status": format!("0x{value}"), "message": format!("says \"{value}\"")})
            })
            .collect();
        let expected = json!({
            "id": "https://example.com/status-lists/3#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "message",
            "statusListIndex": "7",
            "statusListCredential": LIST,
            "statusSize": 2,
            "statusMessage": messages,
            "statusReference": ["https://example.com/why", "https://example.com/how"],
        });
        assert_eq!(entry.to_string(), expected.to_string());
        let read = StatusEntry::parse(&entry, "").unwrap();
        assert_eq!(read.references.len(), 2);
        assert_eq!(read.message(3), Some("says \"3\""));
    }

    #[test]
    fn an_entry_of_2021_reads_back_as_one() {
        for purpose in [StatusPurpose::Revocation, StatusPurpose::Suspension] {
            let form = EntryForm::status_list_2021(LIST, &purpose).unwrap();
            let entry = form.entry(indexes()[1]);
            let Ok(ListReference::Bitstring(read)) = ListReference::parse(&entry, "") else {
                panic!("{entry}");
            };
            assert_eq!(read.format, ListFormat::StatusList2021);
            assert_eq!((read.index, read.purpose), (7, purpose));
            let not = StatusEntry::parse(&entry, "");
            assert!(matches!(not, Err(EntryError::Type { .. })));
        }
        for purpose in ["refresh", "message", "recall"] {
            let purpose = purpose.parse().unwrap();
            assert!(EntryForm::status_list_2021(LIST, &purpose).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_built_entry_reads_back(
            place in 0u64..131_072,
            size in prop::sample::select(&StatusSize::ALL),
            explained: bool,
            purpose in "[a-z]{1,9}",
        ) {
            let index = ListLength::MINIMUM.index(place).unwrap();
            let purpose: StatusPurpose = purpose.parse().unwrap();
            let members = match explained {
                true => members(&purpose, size),
                false => EntryMembers::default(),
            };
            let built = build_entry(LIST, &purpose, index, Some(&members));
            prop_assert_eq!(&built["statusListIndex"], &json!(place.to_string()));
            let read = StatusEntry::parse(&built, "").unwrap();
            prop_assert_eq!((read.index, read.list.as_str()), (place, LIST));
            prop_assert_eq!((&read.purpose, read.size), (&purpose, members.size()));
            let messages = members.messages().map(|messages| messages.as_messages().clone());
            prop_assert_eq!(read.messages, messages);
        }
    }
}
