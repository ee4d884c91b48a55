//! What a credential points to when it says where its status stands: one type for every format
//! that is read, told apart by `type` and never by how something looks.

use serde_json::Value;

use super::entry::{EntryError, EntryKind, StatusEntry, required, url};
use super::purpose::StatusPurpose;

/// Where the status of a credential stands, by its own word. Every rule that the entry has to keep
/// by itself is checked; nothing was fetched yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListReference {
    /// A place in a Bitstring Status List or StatusList2021; the entry says which.
    Bitstring(StatusEntry),
    /// A 1EdTech revocation list, which goes by the credential's id.
    RevocationList(RevocationListEntry),
    /// A place in a Token Status List.
    Token(TokenEntry),
}

/// An entry of type `1EdTechRevocationList` (1EdTech VC Revocation List 1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationListEntry {
    /// JSON pointer of the entry in its credential.
    pub at: String,
    /// URL of the list, exactly as written: the entry's `id`.
    pub list: String,
}

/// A `status_list` claim (Token Status List, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// JSON pointer of the claim in its credential.
    pub at: String,
    /// The place in the list (`idx`). It may lie behind the end of the list that is found.
    pub index: u64,
    /// URL of the list (`uri`), exactly as written.
    pub list: String,
}

impl ListReference {
    /// Reads one entry of a `credentialStatus`; `at` is its JSON pointer.
    ///
    /// # Errors
    /// [`EntryError`] names the place and the rule. An entry of another type is an error that
    /// names the type, since what it would say is not known.
    pub fn parse(entry: &Value, at: &str) -> Result<Self, EntryError> {
        match EntryKind::of(entry, at)? {
            (members, EntryKind::Bits(format)) => {
                StatusEntry::read(members, format, at).map(Self::Bitstring)
            }
            (members, EntryKind::RevocationList) => {
                let list = url(required(members, "id", at)?, at, "id")?;
                let at = at.to_owned();
                Ok(Self::RevocationList(RevocationListEntry { at, list }))
            }
        }
    }

    /// Reads the `status` claim of a credential that is a JWT; `at` is its JSON pointer, such as
    /// `/status`. Each mechanism in it gets its own answer, since every one may speak against the
    /// credential.
    pub fn parse_claim(status: &Value, at: &str) -> Vec<Result<Self, EntryError>> {
        let mechanisms = status.as_object().filter(|members| !members.is_empty());
        let Some(mechanisms) = mechanisms else {
            return vec![Err(EntryError::Mechanism(at.to_owned()))];
        };
        mechanisms
            .iter()
            .map(|(name, value)| {
                let at = format!("{at}{}", crate::json::pointer_step(name));
                match name.as_str() {
                    "status_list" => TokenEntry::parse(value, &at).map(Self::Token),
                    _ => Err(EntryError::Mechanism(at)),
                }
            })
            .collect()
    }

    /// JSON pointer of the reference in its credential.
    pub fn at(&self) -> &str {
        match self {
            Self::Bitstring(entry) => &entry.at,
            Self::RevocationList(entry) => &entry.at,
            Self::Token(entry) => &entry.at,
        }
    }

    /// URL of the list, exactly as written.
    pub fn list(&self) -> &str {
        match self {
            Self::Bitstring(entry) => &entry.list,
            Self::RevocationList(entry) => &entry.list,
            Self::Token(entry) => &entry.list,
        }
    }

    /// What the status is for; `None` where only the list's values tell.
    pub const fn purpose(&self) -> Option<&StatusPurpose> {
        match self {
            Self::Bitstring(entry) => Some(&entry.purpose),
            Self::RevocationList(_) => Some(&StatusPurpose::Revocation),
            Self::Token(_) => None,
        }
    }
}

impl TokenEntry {
    fn parse(claim: &Value, at: &str) -> Result<Self, EntryError> {
        let members = claim
            .as_object()
            .ok_or_else(|| EntryError::Mechanism(at.to_owned()))?;
        let index = required(members, "idx", at)?.as_u64();
        Ok(Self {
            at: at.to_owned(),
            index: index.ok_or_else(|| EntryError::TokenIndex(format!("{at}/idx")))?,
            list: url(required(members, "uri", at)?, at, "uri")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::ListFormat;
    use serde_json::json;

    const LIST: &str = "https://college.example/lists/3";

    fn read(entry: &Value) -> Result<ListReference, EntryError> {
        ListReference::parse(entry, "/credentialStatus/1")
    }

    #[test]
    fn formats_are_told_apart_by_type() {
        let mut entry = json!({
            "type": "BitstringStatusListEntry",
            "statusPurpose": "suspension",
            "statusListIndex": "7",
            "statusListCredential": LIST,
        });
        let bits = |entry: &Value| match read(entry).unwrap() {
            ListReference::Bitstring(entry) => entry,
            other => panic!("{other:?}"),
        };
        assert_eq!(bits(&entry).format, ListFormat::Bitstring);
        entry["type"] = json!("StatusList2021Entry");
        assert_eq!(bits(&entry).format, ListFormat::StatusList2021);
        let purpose = read(&entry).unwrap().purpose().cloned();
        assert_eq!(purpose, Some(StatusPurpose::Suspension));
        let entry = json!({"id": LIST, "type": "1EdTechRevocationList"});
        let list = read(&entry).unwrap();
        assert!(matches!(&list, ListReference::RevocationList(_)));
        assert_eq!((list.list(), list.at()), (LIST, "/credentialStatus/1"));
        assert_eq!(list.purpose(), Some(&StatusPurpose::Revocation));
    }

    #[test]
    fn an_entry_of_another_type_is_an_error_that_names_it() {
        for (entry, refusal) in [
            (
                json!({"id": LIST, "type": "RevocationList2020Status"}),
                "/credentialStatus/1: status entries of type [\"RevocationList2020Status\"] are \
                 not read here",
            ),
            (
                json!({"id": LIST, "type": ["1EdTechRevocationList", "StatusList2021Entry"]}),
                "/credentialStatus/1: status entries of type [\"1EdTechRevocationList\", \
                 \"StatusList2021Entry\"] are not read here",
            ),
            (
                json!({"id": LIST}),
                "/credentialStatus/1: the entry has no \"type\"",
            ),
            (
                json!({"type": "1EdTechRevocationList"}),
                "/credentialStatus/1: the entry has no \"id\"",
            ),
            (
                json!({"type": "1EdTechRevocationList", "id": "/lists/3"}),
                "/credentialStatus/1/id: this has to be an absolute URL",
            ),
            // A claim of a JWT is no entry.
            (
                json!({"status_list": {"idx": 0, "uri": LIST}}),
                "/credentialStatus/1: the entry has no \"type\"",
            ),
            (
                json!(LIST),
                "/credentialStatus/1: credentialStatus is an object, or an array of at least one \
                 object",
            ),
        ] {
            assert_eq!(read(&entry).unwrap_err().to_string(), refusal);
        }
    }

    #[test]
    fn a_status_claim_points_into_a_token_list() {
        let claim = json!({"status_list": {"idx": 412, "uri": LIST}});
        let read = ListReference::parse_claim(&claim, "/status");
        let expected = TokenEntry {
            at: "/status/status_list".to_owned(),
            index: 412,
            list: LIST.to_owned(),
        };
        assert_eq!(read, [Ok(ListReference::Token(expected))]);
        assert!(read[0].as_ref().unwrap().purpose().is_none());
    }

    #[test]
    fn each_mechanism_is_answered_and_an_index_is_never_guessed() {
        let read = |claim: Value| -> Vec<String> {
            let read = ListReference::parse_claim(&claim, "/status");
            let text = |read: Result<_, EntryError>| match read {
                Ok(_) => "read".to_owned(),
                Err(error) => error.to_string(),
            };
            read.into_iter().map(text).collect()
        };
        let list = |idx: Value| json!({"status_list": {"idx": idx, "uri": LIST}});
        let other = ": this is no status mechanism that is read here; take \"status_list\"";
        let mut two = list(json!(0));
        two["a/b"] = json!({});
        assert_eq!(
            read(two),
            ["read".to_owned(), format!("/status/a~1b{other}")]
        );
        for nothing in [json!({}), json!([]), json!(null), json!("valid")] {
            assert_eq!(read(nothing), [format!("/status{other}")]);
        }
        for index in [
            json!("0"),
            json!(-1),
            json!(0.5),
            json!(1e30),
            json!(null),
            json!([0]),
        ] {
            assert_eq!(
                read(list(index)),
                ["/status/status_list/idx: idx is an integer from 0 on, as a number"]
            );
        }
        assert_eq!(
            read(json!({"status_list": {"idx": 0, "uri": "lists/3"}})),
            ["/status/status_list/uri: this has to be an absolute URL"]
        );
        assert_eq!(
            read(json!({"status_list": {"uri": LIST}})),
            ["/status/status_list: the entry has no \"idx\""]
        );
    }
}
