//! The 1EdTech revocation list (1EdTech VC Revocation List 1.2): the ids of revoked
//! credentials, one by one. Open Badges deprecates it, and platforms still publish it.
//!
//! The list is not signed. That it is its issuer's rests on https alone, and the answer says so.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{Authenticity, StatusError, StatusResult};
use super::purpose::StatusPurpose;

/// A list as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// The `id`, which has to be the list's URL.
    pub id: String,
    /// Whose list it says that it is.
    pub issuer: String,
    /// The ids of the credentials that are revoked, each with the reason, if one is given.
    revoked: BTreeMap<String, Option<String>>,
}

impl RevocationList {
    /// Reads a list. The items stand under `revokedCredential`, as the standard says, or under
    /// `revokedCredentials`, as some write; without either nothing is revoked.
    ///
    /// # Errors
    /// [`StatusError::Malformed`] for the list or the first item that breaks a rule. An item is
    /// never skipped, since it may be the one that counts.
    pub fn parse(list: &Value) -> Result<Self, StatusError> {
        if !list.is_object() {
            return Err(StatusError::malformed("", "an object"));
        }
        let issuer = &list["issuer"];
        let issuer = issuer.as_str().or_else(|| issuer["id"].as_str());
        let issuer = issuer.ok_or_else(|| {
            StatusError::malformed("/issuer", "a URL, or an object with one as id")
        })?;
        let id = list["id"].as_str();
        let mut revoked = BTreeMap::new();
        for member in ["revokedCredential", "revokedCredentials"] {
            read_items(list.get(member), member, &mut revoked)?;
        }
        Ok(Self {
            id: id
                .ok_or_else(|| StatusError::malformed("/id", "the URL of the list"))?
                .to_owned(),
            issuer: issuer.to_owned(),
            revoked,
        })
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn footprint(&self) -> usize {
        /// A place in the tree, and what the allocator adds to each text.
        const OVERHEAD: usize = 96;
        let reason = |reason: &Option<String>| reason.as_ref().map_or(0, String::len);
        let revoked = self.revoked.iter();
        let revoked = revoked.map(|(id, why)| OVERHEAD + id.len() + reason(why));
        size_of::<Self>() + self.id.len() + self.issuer.len() + revoked.sum::<usize>()
    }

    /// The status of the credential whose id is `credential`.
    ///
    /// # Errors
    /// [`StatusError::NoId`] for a credential without an id: nobody can look it up.
    pub fn status(&self, credential: Option<&str>) -> Result<StatusResult, StatusError> {
        let Some(credential) = credential else {
            let list = self.id.clone();
            return Err(StatusError::NoId { list });
        };
        let found = self.revoked.get(credential);
        let reason = found.and_then(Option::as_deref);
        Ok(StatusResult {
            authenticity: Authenticity::HttpsAlone,
            ..StatusResult::of(StatusPurpose::Revocation, u8::from(found.is_some()), reason)
        })
    }
}

fn read_items(
    items: Option<&Value>,
    member: &str,
    revoked: &mut BTreeMap<String, Option<String>>,
) -> Result<(), StatusError> {
    let Some(items) = items else {
        return Ok(());
    };
    let items = items
        .as_array()
        .ok_or_else(|| StatusError::malformed(format!("/{member}"), "an array of objects"))?;
    for (place, item) in items.iter().enumerate() {
        let wrong = |name: &str, expected| {
            Err(StatusError::malformed(
                format!("/{member}/{place}{name}"),
                expected,
            ))
        };
        let id = match item["id"].as_str() {
            Some(id) if !id.is_empty() => id,
            _ => return wrong("/id", "the id of a credential"),
        };
        let reason = match item.get("revocationReason") {
            None => None,
            Some(Value::String(reason)) => Some(reason.clone()),
            Some(_) => return wrong("/revocationReason", "a string"),
        };
        match item.get("revoked") {
            None | Some(Value::Bool(true)) => {
                revoked.insert(id.to_owned(), reason);
            }
            Some(Value::Bool(false)) => {}
            Some(_) => return wrong("/revoked", "true or false"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Effect;
    use crate::status::answer::ERROR_MALFORMED;
    use proptest::prelude::*;
    use serde_json::json;

    const LIST: &str = "https://college.example/revocations";

    fn list() -> Value {
        json!({
            "id": LIST,
            "issuer": "https://college.example",
            "revokedCredential": [
                {"id": "urn:uuid:1", "revoked": true, "revocationReason": "issued in error"},
                {"id": "urn:uuid:2"},
                {"id": "urn:uuid:3", "revoked": false},
            ],
        })
    }

    fn status(list: &Value, id: &str) -> StatusResult {
        RevocationList::parse(list)
            .unwrap()
            .status(Some(id))
            .unwrap()
    }

    #[test]
    fn what_is_listed_is_revoked_unless_it_says_otherwise() {
        let revoked = status(&list(), "urn:uuid:1");
        assert_eq!((revoked.status, revoked.effect), (1, Effect::Revokes));
        assert_eq!(revoked.message.as_deref(), Some("issued in error"));
        assert_eq!(revoked.authenticity, Authenticity::HttpsAlone);
        for (id, effect) in [
            ("urn:uuid:2", Effect::Revokes),
            ("urn:uuid:3", Effect::None),
            ("urn:uuid:4", Effect::None),
            ("URN:UUID:1", Effect::None),
        ] {
            let said = status(&list(), id);
            assert_eq!((said.effect, said.valid), (effect, effect == Effect::None));
        }
    }

    #[test]
    fn both_spellings_count_and_revoked_outweighs() {
        let mut both = list();
        both["revokedCredentials"] = json!([{"id": "urn:uuid:3"}, {"id": "urn:uuid:5"}]);
        for id in ["urn:uuid:1", "urn:uuid:3", "urn:uuid:5"] {
            assert_eq!(status(&both, id).status, 1, "{id}");
        }
        both["revokedCredentials"] = json!([{"id": "urn:uuid:1", "revoked": false}]);
        assert_eq!(status(&both, "urn:uuid:1").status, 1);
    }

    /// 1EdTech leaves empty arrays out.
    #[test]
    fn a_list_of_nothing_revokes_nothing() {
        let empty = json!({"id": LIST, "issuer": {"id": "https://college.example"}});
        let list = RevocationList::parse(&empty).unwrap();
        assert_eq!(list.issuer, "https://college.example");
        assert_eq!(list.status(Some("urn:uuid:1")).unwrap().status, 0);
    }

    #[test]
    fn a_credential_without_an_id_is_unknown() {
        let list = RevocationList::parse(&list()).unwrap();
        assert_eq!(
            list.status(None).unwrap_err().to_string(),
            "the credential has no id, so it cannot be looked up in the revocation list \
             https://college.example/revocations"
        );
    }

    #[test]
    fn what_breaks_a_rule_is_named_and_never_skipped() {
        for (pointer, bad, at) in [
            ("", json!([]), ""),
            ("/id", json!(null), "/id"),
            ("/id", json!([LIST]), "/id"),
            ("/issuer", json!({"name": "College"}), "/issuer"),
            ("/revokedCredential", json!(null), "/revokedCredential"),
            (
                "/revokedCredential",
                json!({"id": "urn:uuid:1"}),
                "/revokedCredential",
            ),
            (
                "/revokedCredential/2",
                json!("urn:uuid:3"),
                "/revokedCredential/2/id",
            ),
            (
                "/revokedCredential/1/id",
                json!(""),
                "/revokedCredential/1/id",
            ),
            (
                "/revokedCredential/1/id",
                json!(2),
                "/revokedCredential/1/id",
            ),
            (
                "/revokedCredential/0/revoked",
                json!("true"),
                "/revokedCredential/0/revoked",
            ),
            (
                "/revokedCredential/0/revoked",
                json!(null),
                "/revokedCredential/0/revoked",
            ),
            (
                "/revokedCredential/0/revocationReason",
                json!(["x"]),
                "/revokedCredential/0/revocationReason",
            ),
        ] {
            let mut list = list();
            *list.pointer_mut(pointer).unwrap() = bad;
            let refused = RevocationList::parse(&list).unwrap_err();
            assert_eq!(refused.error_type(), ERROR_MALFORMED);
            let text = refused.to_string();
            assert!(text.starts_with(&format!("{at}: ")), "{pointer}: {text}");
        }
    }

    #[test]
    fn what_a_list_takes_is_what_is_in_it() {
        let list = json!({"id": LIST, "issuer": "urn:i", "revokedCredential": [
            {"id": "urn:x:1", "revocationReason": "lost"},
            {"id": "urn:x:23"},
        ]});
        let texts = LIST.len() + "urn:i".len() + "urn:x:1".len() + "lost".len() + "urn:x:23".len();
        let expected = size_of::<RevocationList>() + texts + 2 * 96;
        assert_eq!(RevocationList::parse(&list).unwrap().footprint(), expected);
    }

    proptest! {
        #[test]
        fn the_list_says_what_its_items_say(
            items in prop::collection::vec((0u8..20, any::<Option<bool>>()), 0..30),
        ) {
            let written = items.iter().map(|(id, revoked)| match revoked {
                Some(revoked) => json!({"id": format!("urn:x:{id}"), "revoked": revoked}),
                None => json!({"id": format!("urn:x:{id}")}),
            });
            let written: Value = written.collect();
            let list = json!({"id": LIST, "issuer": "urn:i", "revokedCredential": written});
            for id in 0u8..20 {
                let counts = |item: &&(u8, Option<bool>)| item.0 == id && item.1 != Some(false);
                let expected = items.iter().any(|item| counts(&item));
                prop_assert_eq!(!status(&list, &format!("urn:x:{id}")).valid, expected);
            }
        }
    }
}
