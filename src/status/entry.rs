//! The status entry of a credential: which bit of which list speaks about it
//! (`credentialStatus`, Bitstring Status List 1.0, section 2.1; StatusList2021, section 4.1).

use serde_json::{Map, Value};
use thiserror::Error;

use super::messages::{MessagesError, StatusMessages};
use super::purpose::StatusPurpose;
use crate::bitstring::{StatusSize, UnsupportedSize};
use crate::vc::credential::is_url;

/// The `type` of an entry.
pub const ENTRY_TYPE: &str = "BitstringStatusListEntry";

const ENTRY_TYPE_2021: &str = "StatusList2021Entry";

const ENTRY_TYPE_1EDTECH: &str = "1EdTechRevocationList";

/// The two standards by which a list is a credential with the bits in its subject. Which of them
/// an entry or a list keeps is told by its types alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// Bitstring Status List 1.0.
    Bitstring,
    /// StatusList2021, which it grew out of.
    StatusList2021,
}

/// An entry as a credential carries it, with every rule of the standard checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// The standard that the entry keeps.
    pub format: ListFormat,
    /// JSON pointer of the entry in its credential.
    pub at: String,
    /// The entry's own id. Nothing is ever decided by it.
    pub id: Option<String>,
    /// What the status is for.
    pub purpose: StatusPurpose,
    /// The place in the list. It may lie behind the end of the list that is found.
    pub index: u64,
    /// URL of the list, exactly as written.
    pub list: String,
    /// How many bits the status takes.
    pub size: StatusSize,
    /// What each value means; always there when the size is above one bit.
    pub messages: Option<StatusMessages>,
    /// Where to read more (`statusReference`), as URLs.
    pub references: Vec<String>,
}

/// Why a `credentialStatus` or a `status` claim points to no list that can be read. The text leads
/// with the JSON pointer of the place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Neither an object nor a non-empty array of objects.
    #[error("{0}: credentialStatus is an object, or an array of at least one object")]
    Shape(String),
    /// Another type of entry, or several that contradict each other.
    #[error("{at}: status entries of type {found:?} are not read here")]
    Type {
        /// JSON pointer of the entry.
        at: String,
        /// The types found.
        found: Vec<String>,
    },
    /// A `status` claim that points elsewhere than to a token status list.
    #[error("{0}: this is no status mechanism that is read here; take \"status_list\"")]
    Mechanism(String),
    /// A member that must be there is not.
    #[error("{at}: the entry has no {member:?}")]
    Missing {
        /// JSON pointer of the entry.
        at: String,
        /// Name of the member.
        member: &'static str,
    },
    /// Not one purpose.
    #[error("{0}: statusPurpose is exactly one non-empty string")]
    Purpose(String),
    /// Not a purpose of StatusList2021.
    #[error("{0}: the statusPurpose of a StatusList2021Entry is \"revocation\" or \"suspension\"")]
    Purpose2021(String),
    /// A member that would change how the bits are read, if its standard had it.
    #[error("{0}: StatusList2021Entry has no such member, and its meaning is not guessed")]
    NotIn2021(String),
    /// Not an index.
    #[error("{0}: statusListIndex is an integer from 0 on, in base 10, as a string")]
    Index(String),
    /// Not an index in a token status list.
    #[error("{0}: idx is an integer from 0 on, as a number")]
    TokenIndex(String),
    /// An index that no list can reach.
    #[error("{0}: statusListIndex is greater than any list is long")]
    IndexTooLarge(String),
    /// Not a URL.
    #[error("{0}: this has to be an absolute URL")]
    Url(String),
    /// The entry's id is the list's URL.
    #[error("{0}: the id of an entry is never the URL of its list")]
    IdIsList(String),
    /// Not a size.
    #[error("{0}: statusSize is an integer above 0")]
    Size(String),
    /// A size that this program cannot read.
    #[error("{at}: {reason}")]
    UnsupportedSize {
        /// JSON pointer of the size.
        at: String,
        /// Which sizes there are.
        reason: UnsupportedSize,
    },
    /// A wrong list of messages, or none where there has to be one.
    #[error(transparent)]
    Messages(#[from] MessagesError),
}

impl ListFormat {
    /// The `type` of an entry.
    pub const fn entry_type(self) -> &'static str {
        match self {
            Self::Bitstring => ENTRY_TYPE,
            Self::StatusList2021 => ENTRY_TYPE_2021,
        }
    }

    /// The `type` of a list's credential.
    pub const fn credential_type(self) -> &'static str {
        match self {
            Self::Bitstring => "BitstringStatusListCredential",
            Self::StatusList2021 => "StatusList2021Credential",
        }
    }

    /// The `type` of the subject of a list's credential.
    pub const fn subject_type(self) -> &'static str {
        match self {
            Self::Bitstring => "BitstringStatusList",
            Self::StatusList2021 => "StatusList2021",
        }
    }
}

impl StatusEntry {
    /// Reads one entry of Bitstring Status List; `at` is its JSON pointer.
    ///
    /// # Errors
    /// [`EntryError`] names the place and the rule.
    pub fn parse(entry: &Value, at: &str) -> Result<Self, EntryError> {
        match EntryKind::of(entry, at)? {
            (members, EntryKind::Bits(ListFormat::Bitstring)) => {
                Self::read(members, ListFormat::Bitstring, at)
            }
            (members, _) => Err(not_read(members, at)),
        }
    }

    /// Reads the members of an entry whose type is that of `format`.
    pub(super) fn read(
        members: &Map<String, Value>,
        format: ListFormat,
        at: &str,
    ) -> Result<Self, EntryError> {
        let list = url(
            required(members, "statusListCredential", at)?,
            at,
            "statusListCredential",
        )?;
        let id = members.get("id").map(|id| url(id, at, "id")).transpose()?;
        if id.as_ref() == Some(&list) {
            return Err(EntryError::IdIsList(format!("{at}/id")));
        }
        if format == ListFormat::StatusList2021 {
            check_2021(members, at)?;
        }
        let size = size(members.get("statusSize"), at)?;
        Ok(Self {
            format,
            at: at.to_owned(),
            id,
            purpose: purpose(required(members, "statusPurpose", at)?, at)?,
            index: index(required(members, "statusListIndex", at)?, at)?,
            list,
            size,
            messages: messages(members, size, at)?,
            references: references(members.get("statusReference"), at)?,
        })
    }

    /// What a status of `value` means by this entry's messages.
    pub fn message(&self, value: u8) -> Option<&str> {
        self.messages.as_ref()?.message(value)
    }
}

pub(super) fn required<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
    at: &str,
) -> Result<&'a Value, EntryError> {
    members.get(member).ok_or_else(|| EntryError::Missing {
        at: at.to_owned(),
        member,
    })
}

/// What an entry is by its types.
pub(super) enum EntryKind {
    /// A [`StatusEntry`].
    Bits(ListFormat),
    /// An entry of a 1EdTech revocation list.
    RevocationList,
}

impl EntryKind {
    /// The members of the entry at `at`, and what it is: one type as the standards say, or several
    /// of which exactly one is read here.
    pub(super) fn of<'a>(
        entry: &'a Value,
        at: &str,
    ) -> Result<(&'a Map<String, Value>, Self), EntryError> {
        let members = entry
            .as_object()
            .ok_or_else(|| EntryError::Shape(at.to_owned()))?;
        required(members, "type", at)?;
        let mut known = types(members).filter_map(|name| match name {
            ENTRY_TYPE => Some(Self::Bits(ListFormat::Bitstring)),
            ENTRY_TYPE_2021 => Some(Self::Bits(ListFormat::StatusList2021)),
            ENTRY_TYPE_1EDTECH => Some(Self::RevocationList),
            _ => None,
        });
        match (known.next(), known.next()) {
            (Some(one), None) => Ok((members, one)),
            _ => Err(not_read(members, at)),
        }
    }
}

fn types(members: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let types = match members.get("type") {
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    types.iter().filter_map(Value::as_str)
}

fn not_read(members: &Map<String, Value>, at: &str) -> EntryError {
    EntryError::Type {
        at: at.to_owned(),
        found: types(members).map(str::to_owned).collect(),
    }
}

/// What StatusList2021 does not have.
fn check_2021(members: &Map<String, Value>, at: &str) -> Result<(), EntryError> {
    let purpose = required(members, "statusPurpose", at)?.as_str();
    if !matches!(purpose, Some("revocation" | "suspension")) {
        return Err(EntryError::Purpose2021(format!("{at}/statusPurpose")));
    }
    let later = ["statusSize", "statusMessage"];
    match later.iter().find(|member| members.contains_key(**member)) {
        Some(member) => Err(EntryError::NotIn2021(format!("{at}/{member}"))),
        None => Ok(()),
    }
}

pub(super) fn url(value: &Value, at: &str, member: &str) -> Result<String, EntryError> {
    value
        .as_str()
        .filter(|text| is_url(text))
        .map(str::to_owned)
        .ok_or_else(|| EntryError::Url(format!("{at}/{member}")))
}

fn purpose(value: &Value, at: &str) -> Result<StatusPurpose, EntryError> {
    let purpose = value.as_str().and_then(|text| text.parse().ok());
    purpose.ok_or_else(|| EntryError::Purpose(format!("{at}/statusPurpose")))
}

/// A string by the standard; a number is read as well, since issuers do write one.
fn index(value: &Value, at: &str) -> Result<u64, EntryError> {
    let at = format!("{at}/statusListIndex");
    match value {
        Value::Number(number) => number.as_u64().ok_or(EntryError::Index(at)),
        Value::String(digits) if is_digits(digits) => {
            digits.parse().map_err(|_| EntryError::IndexTooLarge(at))
        }
        _ => Err(EntryError::Index(at)),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn size(value: Option<&Value>, at: &str) -> Result<StatusSize, EntryError> {
    let Some(value) = value else {
        return Ok(StatusSize::One);
    };
    let at = format!("{at}/statusSize");
    match value.as_u64() {
        Some(0) | None => Err(EntryError::Size(at)),
        Some(bits) => {
            StatusSize::try_from(bits).map_err(|reason| EntryError::UnsupportedSize { at, reason })
        }
    }
}

fn messages(
    members: &Map<String, Value>,
    size: StatusSize,
    at: &str,
) -> Result<Option<StatusMessages>, EntryError> {
    match members.get("statusMessage") {
        Some(messages) => {
            let at = format!("{at}/statusMessage");
            Ok(Some(StatusMessages::parse(messages, size, &at)?))
        }
        None if size == StatusSize::One => Ok(None),
        None => Err(EntryError::Missing {
            at: at.to_owned(),
            member: "statusMessage",
        }),
    }
}

fn references(value: Option<&Value>, at: &str) -> Result<Vec<String>, EntryError> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(several)) => (0..)
            .zip(several)
            .map(|(place, one): (usize, _)| url(one, at, &format!("statusReference/{place}")))
            .collect(),
        Some(one) => Ok(vec![url(one, at, "statusReference")?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIST: &str = "https://example.com/status-lists/3";

    fn entry() -> Value {
        json!({
            "id": "https://example.com/status-lists/3#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": LIST,
        })
    }

    fn with(member: &str, value: Value) -> Result<StatusEntry, EntryError> {
        let mut entry = entry();
        entry[member] = value;
        StatusEntry::parse(&entry, "/credentialStatus")
    }

    fn refusal(member: &str, value: Value) -> String {
        with(member, value).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_is_read() {
        let read = StatusEntry::parse(&entry(), "/credentialStatus").unwrap();
        assert_eq!(read.index, 94_567);
        assert_eq!(read.list, LIST);
        assert_eq!(read.purpose, StatusPurpose::Revocation);
        assert_eq!(read.size, StatusSize::One);
        assert_eq!(read.message(1), None);
    }

    #[test]
    fn an_index_is_digits_or_a_number() {
        assert_eq!(with("statusListIndex", json!(7)).unwrap().index, 7);
        assert_eq!(with("statusListIndex", json!("0")).unwrap().index, 0);
        for bad in [
            json!(""),
            json!("-1"),
            json!("+1"),
            json!(" 1"),
            json!("0x1"),
            json!("1.0"),
            json!(-1),
            json!(1.5),
            json!(null),
            json!(["1"]),
        ] {
            assert_eq!(
                refusal("statusListIndex", bad),
                "/credentialStatus/statusListIndex: statusListIndex is an integer from 0 on, \
                 in base 10, as a string"
            );
        }
        let far = with("statusListIndex", json!("99999999999999999999"));
        assert!(matches!(far, Err(EntryError::IndexTooLarge(_))));
    }

    #[test]
    fn every_member_keeps_its_rule() {
        assert_eq!(
            refusal("id", json!(LIST)),
            "/credentialStatus/id: the id of an entry is never the URL of its list"
        );
        assert!(matches!(with("id", json!("x")), Err(EntryError::Url(_))));
        for bad in [json!(["revocation"]), json!(""), json!(1)] {
            let refused = with("statusPurpose", bad);
            assert!(matches!(refused, Err(EntryError::Purpose(_))));
        }
        for bad in [
            json!("/lists/3"),
            json!("https://a.example/ "),
            json!({"id": LIST}),
            json!(null),
        ] {
            let refused = with("statusListCredential", bad);
            assert!(matches!(refused, Err(EntryError::Url(_))));
        }
        for bad in [json!(0), json!("1"), json!(-1), json!(1.5)] {
            assert!(matches!(with("statusSize", bad), Err(EntryError::Size(_))));
        }
        assert_eq!(
            refusal("statusSize", json!(3)),
            "/credentialStatus/statusSize: a status size of 3 bits is not supported: \
             take 1, 2, 4 or 8"
        );
        assert_eq!(
            refusal("statusSize", json!(2)),
            "/credentialStatus: the entry has no \"statusMessage\""
        );
        assert_eq!(
            refusal("statusReference", json!(["https://example.com/why", "why"])),
            "/credentialStatus/statusReference/1: this has to be an absolute URL"
        );
    }

    #[test]
    fn what_must_be_there_is_named() {
        for member in [
            "type",
            "statusPurpose",
            "statusListIndex",
            "statusListCredential",
        ] {
            let mut entry = entry();
            entry.as_object_mut().unwrap().remove(member);
            let refused = StatusEntry::parse(&entry, "/credentialStatus").unwrap_err();
            let expected = format!("/credentialStatus: the entry has no {member:?}");
            assert_eq!(refused.to_string(), expected);
        }
    }

    #[test]
    fn an_entry_of_2021_has_two_purposes_and_one_bit() {
        let read = |member: &str, value: Value| {
            let mut entry = entry();
            entry[member] = value;
            let members = entry.as_object().unwrap();
            StatusEntry::read(members, ListFormat::StatusList2021, "/credentialStatus")
        };
        for purpose in ["revocation", "suspension"] {
            let entry = read("statusPurpose", json!(purpose)).unwrap();
            assert_eq!(
                (entry.format, entry.size),
                (ListFormat::StatusList2021, StatusSize::One)
            );
            assert_eq!(entry.purpose.as_str(), purpose);
        }
        for purpose in ["Revocation", "refresh", "message", "", "recall"] {
            let refused = read("statusPurpose", json!(purpose));
            assert!(
                matches!(refused, Err(EntryError::Purpose2021(_))),
                "{purpose}"
            );
        }
        for (member, value) in [("statusSize", json!(1)), ("statusMessage", json!([]))] {
            assert_eq!(
                read(member, value).unwrap_err().to_string(),
                format!(
                    "/credentialStatus/{member}: StatusList2021Entry has no such member, and its \
                     meaning is not guessed"
                )
            );
        }
        assert!(matches!(
            read("id", json!(LIST)),
            Err(EntryError::IdIsList(_))
        ));
        assert!(matches!(
            read("statusPurpose", json!(1)),
            Err(EntryError::Purpose2021(_))
        ));
    }

    #[test]
    fn types_are_told_apart_by_name_alone() {
        assert!(with("type", json!(["Extra", ENTRY_TYPE])).is_ok());
        for other in [
            json!("1EdTechRevocationList"),
            json!("StatusList2021Entry"),
            json!([ENTRY_TYPE, "StatusList2021Entry"]),
            json!([ENTRY_TYPE, ENTRY_TYPE]),
            json!("bitstringstatuslistentry"),
            json!([]),
            json!(7),
        ] {
            let refused = with("type", other.clone());
            assert!(matches!(refused, Err(EntryError::Type { .. })), "{other}");
        }
    }
}
