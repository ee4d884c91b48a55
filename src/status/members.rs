//! What the entries of a list that is kept here say besides their place: the size of a status, what
//! each value means, and where to read more. It is chosen when the list is opened, and stored.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;

use super::messages::{MessagesError, StatusMessages};
use super::purpose::StatusPurpose;
use crate::bitstring::StatusSize;
use crate::vc::credential::is_url;

/// The longest message, in characters.
pub const MOST_MESSAGE_CHARACTERS: usize = 256;

/// All messages of a list together, in bytes: each of its entries, and so each credential, carries
/// them. 256 messages have 64 bytes each.
pub const MOST_MESSAGE_BYTES: usize = 16 << 10;

/// The most references of a list.
pub const MOST_REFERENCES: usize = 8;

/// The longest reference, in characters.
pub const MOST_REFERENCE_CHARACTERS: usize = 2048;

/// What every entry of a list says besides its place (Bitstring Status List 1.0, section 2.1). By
/// default an entry has one bit, and nothing more is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMembers {
    messages: Option<ListMessages>,
    references: Option<StatusReferences>,
}

/// Why the members do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryMembersError {
    /// Values beyond set and clear mean nothing by themselves.
    #[error("a status of {size} bits needs a message for each of its {} values", values(*.size))]
    Unexplained {
        /// The size of the status.
        size: StatusSize,
    },
    /// A `message` list says nothing without messages, however small it is.
    #[error("a list for the purpose \"message\" needs messages, one for each value")]
    NoMessage,
    /// Messages for another size.
    #[error("there are {found} messages for a status of {size} bits, which has {} values", values(*.size))]
    Count {
        /// How many messages there are.
        found: usize,
        /// The size of the status.
        size: StatusSize,
    },
}

impl EntryMembers {
    /// The members of the entries of a list for `purpose`, whose statuses have `size`.
    ///
    /// # Errors
    /// [`EntryMembersError`] where messages are missing or belong to another size.
    pub fn new(
        purpose: &StatusPurpose,
        size: StatusSize,
        messages: Option<ListMessages>,
        references: Option<StatusReferences>,
    ) -> Result<Self, EntryMembersError> {
        match &messages {
            Some(messages) if messages.size() != size => {
                let found = messages.0.texts().len();
                return Err(EntryMembersError::Count { found, size });
            }
            None if size != StatusSize::One => return Err(EntryMembersError::Unexplained { size }),
            None if *purpose == StatusPurpose::Message => return Err(EntryMembersError::NoMessage),
            _ => {}
        }
        Ok(Self {
            messages,
            references,
        })
    }

    /// How many bits a status takes.
    pub fn size(&self) -> StatusSize {
        let messages = self.messages.as_ref();
        messages.map_or(StatusSize::One, ListMessages::size)
    }

    /// What each value means, if that is said.
    pub const fn messages(&self) -> Option<&ListMessages> {
        self.messages.as_ref()
    }

    /// Where to read more, if anywhere.
    pub const fn references(&self) -> Option<&StatusReferences> {
        self.references.as_ref()
    }

    /// As they stand in an entry: `statusSize` where it is not 1, `statusMessage` and
    /// `statusReference`.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Some(messages) = &self.messages {
            members.insert("statusSize".to_owned(), json!(messages.size()));
            members.insert("statusMessage".to_owned(), messages.0.to_value());
        }
        if let Some(references) = &self.references {
            members.insert("statusReference".to_owned(), references.to_value());
        }
        members
    }
}

/// The messages of a list that is kept here: one for each value, each of 1 to
/// [`MOST_MESSAGE_CHARACTERS`] characters and none of them a control character, together at most
/// [`MOST_MESSAGE_BYTES`]. Their number gives the size. Stored as an array of texts, by value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct ListMessages(StatusMessages);

/// Why messages are not those of a list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListMessagesError {
    /// Not a `statusMessage`.
    #[error(transparent)]
    Messages(#[from] MessagesError),
    /// Not one for each value of any size.
    #[error("a list has 2, 4, 16 or 256 messages, one for each value, and not {0}")]
    Count(usize),
    /// A text that no message can have.
    #[error(
        "the message of status {value:#x} has {characters} characters: take 1 to \
         {MOST_MESSAGE_CHARACTERS}, and no control characters"
    )]
    Text {
        /// Whose message it is.
        value: usize,
        /// How many characters it has.
        characters: usize,
    },
    /// Too much text for every entry to carry.
    #[error(
        "the messages have {0} bytes together, and every credential carries them: take at most \
         {MOST_MESSAGE_BYTES}"
    )]
    TooLong(usize),
}

impl ListMessages {
    /// The messages by value: 2, 4, 16 or 256 of them.
    ///
    /// # Errors
    /// [`ListMessagesError`].
    pub fn new(texts: Vec<String>) -> Result<Self, ListMessagesError> {
        let count = texts.len();
        let messages = StatusMessages::of_texts(texts).ok_or(ListMessagesError::Count(count))?;
        Self::checked(messages)
    }

    /// Reads a `statusMessage` for a status of `size`; `at` is its JSON pointer, for errors.
    ///
    /// # Errors
    /// [`ListMessagesError`].
    pub fn parse(value: &Value, size: StatusSize, at: &str) -> Result<Self, ListMessagesError> {
        Self::checked(StatusMessages::parse(value, size, at)?)
    }

    /// The size of the status that the messages explain.
    pub const fn size(&self) -> StatusSize {
        self.0.size()
    }

    /// The messages as an entry carries them.
    pub const fn as_messages(&self) -> &StatusMessages {
        &self.0
    }

    fn checked(messages: StatusMessages) -> Result<Self, ListMessagesError> {
        for (value, text) in messages.texts().iter().enumerate() {
            let characters = text.chars().count();
            let fits = (1..=MOST_MESSAGE_CHARACTERS).contains(&characters);
            if !fits || text.chars().any(char::is_control) {
                return Err(ListMessagesError::Text { value, characters });
            }
        }
        let bytes = messages.texts().iter().map(String::len).sum();
        match bytes > MOST_MESSAGE_BYTES {
            true => Err(ListMessagesError::TooLong(bytes)),
            false => Ok(Self(messages)),
        }
    }
}

impl TryFrom<Vec<String>> for ListMessages {
    type Error = ListMessagesError;

    fn try_from(texts: Vec<String>) -> Result<Self, ListMessagesError> {
        Self::new(texts)
    }
}

impl From<ListMessages> for Vec<String> {
    fn from(messages: ListMessages) -> Self {
        messages.0.texts().to_vec()
    }
}

/// Where more is said about the statuses of a list (`statusReference`): 1 to [`MOST_REFERENCES`]
/// absolute https URLs, each of them once and of at most [`MOST_REFERENCE_CHARACTERS`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct StatusReferences(Vec<String>);

/// Why something is not the references of a list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferencesError {
    /// Neither a text nor an array of texts.
    #[error("{0}: statusReference is a URL, or an array of URLs")]
    Shape(String),
    /// None, or too many.
    #[error("a list has 1 to {MOST_REFERENCES} references, and not {0}")]
    Count(usize),
    /// Not a URL that every reader can follow.
    #[error(
        "reference {0} is not an absolute https URL without credentials, of at most \
         {MOST_REFERENCE_CHARACTERS} characters"
    )]
    Url(usize),
    /// The same one again.
    #[error("reference {0} stands there twice")]
    Repeated(usize),
}

impl StatusReferences {
    /// These references, in their order.
    ///
    /// # Errors
    /// [`ReferencesError`]; places count from 0.
    pub fn new(urls: Vec<String>) -> Result<Self, ReferencesError> {
        if !(1..=MOST_REFERENCES).contains(&urls.len()) {
            return Err(ReferencesError::Count(urls.len()));
        }
        for (place, url) in urls.iter().enumerate() {
            if !is_reference(url) {
                return Err(ReferencesError::Url(place));
            }
            if urls[..place].contains(url) {
                return Err(ReferencesError::Repeated(place));
            }
        }
        Ok(Self(urls))
    }

    /// Reads a `statusReference`; `at` is its JSON pointer, for errors.
    ///
    /// # Errors
    /// [`ReferencesError`].
    pub fn parse(value: &Value, at: &str) -> Result<Self, ReferencesError> {
        let texts: Option<Vec<String>> = match value {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(several) => several
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        Self::new(texts.ok_or_else(|| ReferencesError::Shape(at.to_owned()))?)
    }

    /// The URLs.
    pub fn urls(&self) -> &[String] {
        &self.0
    }

    /// One URL as itself, several as an array.
    fn to_value(&self) -> Value {
        match self.0.as_slice() {
            [one] => json!(one),
            several => json!(several),
        }
    }
}

impl TryFrom<Vec<String>> for StatusReferences {
    type Error = ReferencesError;

    fn try_from(urls: Vec<String>) -> Result<Self, ReferencesError> {
        Self::new(urls)
    }
}

impl From<StatusReferences> for Vec<String> {
    fn from(references: StatusReferences) -> Self {
        references.0
    }
}

fn is_reference(text: &str) -> bool {
    let fits = text.len() <= MOST_REFERENCE_CHARACTERS && is_url(text);
    let url = Url::parse(text).ok().filter(|_| fits);
    url.is_some_and(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        text.starts_with("https://") && url.host().is_some() && plain
    })
}

fn values(size: StatusSize) -> u16 {
    u16::from(size.maximum()) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(count: usize) -> Vec<String> {
        (0..count).map(|value| format!("m{value}")).collect()
    }

    fn messages(count: usize) -> ListMessages {
        ListMessages::new(texts(count)).unwrap()
    }

    #[test]
    fn a_size_above_one_bit_and_a_message_list_need_messages() {
        let new = |purpose: StatusPurpose, size, count: Option<usize>| {
            let members = EntryMembers::new(&purpose, size, count.map(messages), None);
            members.map_err(|error| error.to_string())
        };
        for (purpose, size, count) in [
            (StatusPurpose::Revocation, StatusSize::One, None),
            (StatusPurpose::Revocation, StatusSize::One, Some(2)),
            (StatusPurpose::Message, StatusSize::One, Some(2)),
            (StatusPurpose::Message, StatusSize::Four, Some(16)),
            (StatusPurpose::Suspension, StatusSize::Eight, Some(256)),
        ] {
            assert_eq!(new(purpose, size, count).unwrap().size(), size);
        }
        let refused = |purpose, size, count| new(purpose, size, count).unwrap_err();
        assert_eq!(
            refused(StatusPurpose::Refresh, StatusSize::Two, None),
            "a status of 2 bits needs a message for each of its 4 values"
        );
        assert_eq!(
            refused(StatusPurpose::Message, StatusSize::One, None),
            "a list for the purpose \"message\" needs messages, one for each value"
        );
        assert_eq!(
            refused(StatusPurpose::Message, StatusSize::Four, Some(4)),
            "there are 4 messages for a status of 4 bits, which has 16 values"
        );
    }

    #[test]
    fn messages_are_bounded() {
        let refusal = |texts: Vec<String>| ListMessages::new(texts).unwrap_err().to_string();
        for count in [0, 1, 3, 255, 257] {
            let text = refusal(texts(count));
            assert!(text.starts_with("a list has 2, 4, 16 or 256 messages"));
        }
        for bad in ["", "a\nb", &"ä".repeat(257)] {
            let mut texts = texts(4);
            texts[2] = bad.to_owned();
            assert!(refusal(texts).starts_with("the message of status 0x2 has "));
        }
        let full = vec!["ä".repeat(256); 2];
        assert!(ListMessages::new(full).is_ok());
        assert_eq!(
            refusal(vec!["m".repeat(65); 256]),
            "the messages have 16640 bytes together, and every credential carries them: take at \
             most 16384"
        );
        assert!(ListMessages::new(vec!["m".repeat(64); 256]).is_ok());
        let value = json!([{"status": "0x0", "message": "a"}, {"status": "0x0", "message": "b"}]);
        let twice = ListMessages::parse(&value, StatusSize::One, "/statusMessage");
        assert!(matches!(
            twice,
            Err(ListMessagesError::Messages(MessagesError::Repeated { .. }))
        ));
    }

    #[test]
    fn references_are_urls_that_every_reader_can_follow() {
        let refusal = |urls: &[&str]| {
            let urls = urls.iter().map(|&url| url.to_owned()).collect();
            StatusReferences::new(urls).unwrap_err()
        };
        let good = "https://example.com/why?lang=en#top";
        for bad in [
            "",
            "why",
            "http://example.com/",
            "HTTPS://example.com/",
            "https:example.com",
            "https://",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "https://example.com/a b",
            "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            &format!("https://example.com/{}", "a".repeat(2048)),
        ] {
            assert_eq!(refusal(&[good, bad]), ReferencesError::Url(1), "{bad}");
        }
        assert_eq!(refusal(&[good, good]), ReferencesError::Repeated(1));
        assert_eq!(refusal(&[]), ReferencesError::Count(0));
        assert_eq!(refusal(&[good; 9]), ReferencesError::Count(9));
        let one = StatusReferences::parse(&json!(good), "").unwrap();
        assert_eq!(one.to_value(), json!(good));
        let two = json!([good, "https://example.com/how"]);
        let read = StatusReferences::parse(&two, "").unwrap();
        assert_eq!(read.to_value(), two);
        assert_eq!(read.urls(), [good, "https://example.com/how"]);
        for bad in [json!(null), json!({"id": good}), json!([good, 1])] {
            let refused = StatusReferences::parse(&bad, "/statusReference").unwrap_err();
            assert_eq!(
                refused.to_string(),
                "/statusReference: statusReference is a URL, or an array of URLs"
            );
        }
    }

    #[test]
    fn stored_members_are_compact_and_keep_their_bounds() {
        let purpose = StatusPurpose::Message;
        let urls = vec!["https://example.com/".to_owned()];
        let references = StatusReferences::new(urls).unwrap();
        let size = StatusSize::Two;
        let members = EntryMembers::new(&purpose, size, Some(messages(4)), Some(references));
        let members = members.unwrap();
        let stored = postcard::to_allocvec(&members).unwrap();
        // Two marks, two counts, and each text with its length.
        assert_eq!(stored.len(), 4 + 4 * 3 + 1 + 20);
        assert_eq!(postcard::from_bytes(&stored), Ok(members));
        let plain = postcard::to_allocvec(&EntryMembers::default()).unwrap();
        assert_eq!(plain, [0, 0]);
        for damaged in [
            json!({"messages": ["a"], "references": null}),
            json!({"messages": ["a", ""], "references": null}),
            json!({"messages": null, "references": ["http://example.com/"]}),
        ] {
            assert!(serde_json::from_value::<EntryMembers>(damaged).is_err());
        }
    }

    proptest! {
        #[test]
        fn members_survive_their_json_and_their_stored_form(
            bits in prop::sample::select(vec![1u32, 2, 4, 8]),
            text in "[ -~äß]{1,60}",
        ) {
            let texts = (0..1u32 << bits).map(|value| format!("{value} {text}"));
            let Ok(messages) = ListMessages::new(texts.collect()) else {
                prop_assert_eq!(bits, 8, "only 256 of them can be too long together");
                return Ok(());
            };
            prop_assert_eq!(messages.size().bits(), u64::from(bits));
            let value = messages.as_messages().to_value();
            let read = ListMessages::parse(&value, messages.size(), "");
            prop_assert_eq!(read.as_ref(), Ok(&messages));
            let stored = postcard::to_allocvec(&messages).unwrap();
            prop_assert_eq!(postcard::from_bytes(&stored), Ok(messages));
        }
    }
}
