//! Endorsements: a credential that says something about a profile, an achievement or another
//! credential (Open Badges 3.0, class EndorsementCredential).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::classes::ENDORSEMENT_CREDENTIAL;
use super::credential::{CONTEXTS, OpenBadgesError, read_envelope};
use super::digest::DigestMultibase;
use super::profile::Issuer;
use super::scope::{Scope, scope_context};
use super::shape::{Strictness, check, pointer};
use crate::json::each;
use crate::time::Timestamp;
use crate::vc::contexts::endorsement_scope;

/// The member of the subject that limits what is endorsed.
const SCOPE: &str = "endorsementScope";

/// What kind of thing is endorsed. Nothing in the credential says so: the registry records it,
/// and checks that the subject is such a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A profile: an issuer, a person, an organization.
    Profile,
    /// An achievement.
    Achievement,
    /// A credential.
    Credential,
}

/// A text is not a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the kind of a subject is profile, achievement or credential")]
pub struct SubjectKindError;

impl SubjectKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Achievement => "achievement",
            Self::Credential => "credential",
        }
    }
}

impl FromStr for SubjectKind {
    type Err = SubjectKindError;

    fn from_str(text: &str) -> Result<Self, SubjectKindError> {
        match text {
            "profile" => Ok(Self::Profile),
            "achievement" => Ok(Self::Achievement),
            "credential" => Ok(Self::Credential),
            _ => Err(SubjectKindError),
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What goes into an endorsement that the registry issues.
#[derive(Debug, Clone, Copy)]
pub struct EndorsementToIssue<'a> {
    /// The `id` of the credential, its URL here.
    pub id: &'a str,
    /// Its name, for people.
    pub name: &'a str,
    /// Who endorses.
    pub issuer: Issuer<'a>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When it was first given, where that differs.
    pub awarded: Option<Timestamp>,
    /// The `id` of what is endorsed.
    pub subject: &'a str,
    /// What is said about it, in Markdown.
    pub comment: Option<&'a str>,
    /// The version of the subject that is meant; another version is not endorsed.
    pub digest: Option<DigestMultibase>,
    /// What of the subject is covered; all of it where there is none.
    pub scope: Option<&'a Scope>,
    /// The entries in the endorser's lists: `revocation`, and `suspension` where the endorsement
    /// can be suspended. Open Badges knows one; two are allowed by VCDM 2.0.
    pub status: &'a [Value],
}

impl EndorsementToIssue<'_> {
    /// The credential, not yet signed.
    pub fn build(&self) -> Value {
        let mut credential = Map::new();
        let mut put = |name: &str, value: Value| credential.insert(name.to_owned(), value);
        let contexts = CONTEXTS.map(Value::from).into_iter();
        let of_scope = self.scope.map(|_| scope_context());
        put("@context", contexts.chain(of_scope).collect());
        put("id", json!(self.id));
        let types = json!(["VerifiableCredential", "EndorsementCredential"]);
        put("type", types);
        put("name", json!(self.name));
        put("issuer", self.issuer.to_value());
        put("validFrom", json!(self.valid_from.to_string()));
        if let Some(until) = self.valid_until {
            put("validUntil", json!(until.to_string()));
        }
        if let Some(awarded) = self.awarded {
            put("awardedDate", json!(awarded.to_string()));
        }
        let mut subject = json!({"id": self.subject, "type": ["EndorsementSubject"]});
        if let Some(comment) = self.comment {
            subject["endorsementComment"] = json!(comment);
        }
        if let Some(scope) = self.scope {
            subject[SCOPE] = scope.to_value();
        }
        put("credentialSubject", subject);
        if let Some(digest) = self.digest {
            let resource = json!([{"id": self.subject, "digestMultibase": digest}]);
            put("relatedResource", resource);
        }
        match self.status {
            [] => None,
            [one] => put("credentialStatus", one.clone()),
            several => put("credentialStatus", json!(several)),
        };
        Value::Object(credential)
    }
}

/// An endorsement read from its credential. Its proof and its status entries are checked
/// elsewhere; nothing here says that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// The `id` of the credential.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The `issuer.id`: who endorses.
    pub issuer: String,
    /// The name of the endorser, by its own word.
    pub issuer_name: Option<String>,
    /// The `id` of what is endorsed.
    pub subject: String,
    /// What is said about it, in Markdown.
    pub comment: Option<String>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// The version of the subject that is meant.
    pub digest: Option<DigestMultibase>,
    /// What of the subject is covered; all of it where there is none.
    pub scope: Option<Scope>,
}

impl Endorsement {
    /// Reads an EndorsementCredential from outside.
    ///
    /// # Errors
    /// [`OpenBadgesError`] names the place and the rule.
    pub fn read(document: &Value) -> Result<Self, OpenBadgesError> {
        let envelope = read_envelope(document, &["EndorsementCredential"])?;
        let members = check(document, &ENDORSEMENT_CREDENTIAL, Strictness::Lenient, "")?;
        // The shape has these texts, so the defaults never show.
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let needed = |value: &Value| text(value).unwrap_or_default();
        let subject = needed(&members["credentialSubject"]["id"]);
        let issuer_name = envelope
            .issuer
            .profile
            .and_then(|issuer| issuer.get("name"));
        Ok(Self {
            id: needed(&members["id"]),
            name: needed(&members["name"]),
            issuer: envelope.issuer.id.to_owned(),
            issuer_name: issuer_name.and_then(text),
            digest: digest_of(members.get("relatedResource"), &subject)?,
            scope: scope_of(document)?,
            comment: text(&members["credentialSubject"]["endorsementComment"]),
            subject,
            valid_from: envelope.valid_from.ok_or(OpenBadgesError::ValidFrom)?,
            valid_until: envelope.valid_until,
        })
    }

    /// Whether the endorser speaks of itself. That supports nobody.
    pub fn is_of_itself(&self) -> bool {
        self.issuer == self.subject
    }
}

/// The digest that the endorsement binds its subject to. One that cannot be read is an error: the
/// endorser meant one version, and nobody could tell whether this is it.
fn digest_of(
    resources: Option<&Value>,
    subject: &str,
) -> Result<Option<DigestMultibase>, OpenBadgesError> {
    let resources = resources.and_then(Value::as_array);
    let mut resources = resources.into_iter().flatten().enumerate();
    let found = resources.find(|(_, resource)| resource["id"] == subject);
    let Some((place, resource)) = found else {
        return Ok(None);
    };
    let Some(text) = resource["digestMultibase"].as_str() else {
        return Err(OpenBadgesError::DigestSri { place });
    };
    match text.parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(reason) => Err(OpenBadgesError::Digest { place, reason }),
    }
}

/// What an endorsement covers of its subject. What cannot be read is an error: to pass over it
/// would be to take the endorsement for one of the whole subject.
pub(crate) fn scope_of(document: &Value) -> Result<Option<Scope>, OpenBadgesError> {
    let subjects = || each(document.as_object(), "", "credentialSubject");
    let limited = |(_, subject): &(String, &Value)| subject.get(SCOPE).is_some();
    let Some((at, subject)) = subjects().find(limited) else {
        return Ok(None);
    };
    // The last context has the last word on its terms, within the subject's own.
    let last = document["@context"].as_array().and_then(|all| all.last());
    let own = subject.get("@context").is_some();
    if last != Some(endorsement_scope()) || own || subjects().count() > 1 {
        return Err(OpenBadgesError::ScopeContext);
    }
    let scope = Scope::parse(&subject[SCOPE]);
    Ok(Some(
        scope.map_err(|error| error.inside(&pointer(&at, SCOPE)))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Ttl;
    use crate::vc::credential::CONTEXT_V2;
    use proptest::prelude::*;

    const SUBJECT: &str = "https://registry.example/profiles/college";

    fn plain() -> EndorsementToIssue<'static> {
        EndorsementToIssue {
            id: "https://registry.example/endorsements/1",
            name: "Accredited",
            issuer: Issuer {
                id: "did:web:registry.example:profiles:state",
                name: "State",
                url: None,
            },
            valid_from: Timestamp::EPOCH,
            valid_until: None,
            awarded: None,
            subject: SUBJECT,
            comment: None,
            digest: None,
            scope: None,
            status: &[],
        }
    }

    fn read_with(pointer: &str, name: &str, value: Value) -> Result<Endorsement, String> {
        let mut document = plain().build();
        document.pointer_mut(pointer).unwrap()[name] = value;
        Endorsement::read(&document).map_err(|error| error.to_string())
    }

    #[test]
    fn an_endorsement_is_built_member_by_member() {
        let entry = json!({"type": "BitstringStatusListEntry"});
        let built = EndorsementToIssue {
            valid_until: Some(Timestamp::EPOCH.plus(Ttl::from_seconds(60))),
            awarded: Some(Timestamp::EPOCH),
            comment: Some("We *know* them."),
            digest: Some(DigestMultibase::of(b"")),
            status: std::slice::from_ref(&entry),
            ..plain()
        };
        let expected = json!({
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": "https://registry.example/endorsements/1",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "Accredited",
            "issuer": {
                "id": "did:web:registry.example:profiles:state",
                "type": ["Profile"],
                "name": "State",
            },
            "validFrom": "1970-01-01T00:00:00Z",
            "validUntil": "1970-01-01T00:01:00Z",
            "awardedDate": "1970-01-01T00:00:00Z",
            "credentialSubject": {
                "id": SUBJECT,
                "type": ["EndorsementSubject"],
                "endorsementComment": "We *know* them.",
            },
            "relatedResource": [{
                "id": SUBJECT,
                "digestMultibase": "uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ",
            }],
            "credentialStatus": {"type": "BitstringStatusListEntry"},
        });
        assert_eq!(built.build(), expected);
    }

    #[test]
    fn one_status_entry_is_an_object_and_two_are_an_array() {
        assert_eq!(plain().build().get("credentialStatus"), None);
        let two = [json!({"type": "A"}), json!({"type": "B"})];
        let built = EndorsementToIssue {
            status: &two,
            ..plain()
        };
        assert_eq!(built.build()["credentialStatus"], json!(two));
    }

    #[test]
    fn an_endorsement_from_outside_may_carry_more() {
        let mut document = plain().build();
        document["credentialSubject"]["level"] = json!("gold");
        document["@context"] = json!([
            CONTEXT_V2,
            "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
            {"level": "https://example.org/level"},
        ]);
        document["issuer"] = json!("did:web:state.example");
        let read = Endorsement::read(&document).unwrap();
        assert_eq!(read.issuer, "did:web:state.example");
        assert_eq!(read.issuer_name, None);
        assert!(!read.is_of_itself());
        let itself = read_with("", "issuer", json!(SUBJECT)).unwrap();
        assert!(itself.is_of_itself());
    }

    #[test]
    fn what_must_be_there_is_named() {
        for (pointer, name, value, expected) in [
            (
                "",
                "type",
                json!(["VerifiableCredential"]),
                "/type: EndorsementCredential has to be among the types",
            ),
            (
                "",
                "@context",
                json!([CONTEXT_V2]),
                "/@context: the second context has to be one of Open Badges 3.0, such as \
                 https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ),
            (
                "",
                "name",
                json!(7),
                "/name: this has to be a string that is not blank",
            ),
            (
                "",
                "credentialSubject",
                json!([{"id": SUBJECT, "type": ["EndorsementSubject"]}]),
                "/credentialSubject: this has to be an object (EndorsementSubject)",
            ),
            (
                "/credentialSubject",
                "type",
                json!(["Subject"]),
                "/credentialSubject/type: this has to be an array of types \
                 with \"EndorsementSubject\" in it",
            ),
            (
                "/issuer",
                "type",
                json!("Person"),
                "/issuer/type: this has to be an array of types with \"Profile\" in it",
            ),
            (
                "",
                "description",
                json!(null),
                "/description: this has to be a string that is not blank",
            ),
        ] {
            assert_eq!(read_with(pointer, name, value), Err(expected.to_owned()));
        }
        for (member, expected) in [
            ("id", "the document: EndorsementCredential needs \"id\""),
            ("name", "the document: EndorsementCredential needs \"name\""),
            (
                "validFrom",
                "/validFrom: an endorsement says from when it holds",
            ),
        ] {
            let mut document = plain().build();
            document.as_object_mut().unwrap().remove(member);
            let error = Endorsement::read(&document).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_digest_that_cannot_be_read_is_never_overlooked() {
        let digest = |value: Value| read_with("", "relatedResource", json!([value]));
        let other = digest(json!({"id": "urn:other", "digestMultibase": "?"}));
        assert_eq!(other.unwrap().digest, None);
        let garbled = digest(json!({"id": SUBJECT, "digestMultibase": "uEiD"})).unwrap_err();
        assert!(
            garbled.starts_with("/relatedResource/0/digestMultibase: "),
            "{garbled}"
        );
        let sri = digest(json!({"id": SUBJECT, "digestSRI": "sha384-x"})).unwrap_err();
        assert!(sri.starts_with("/relatedResource/0: "), "{sri}");
        let neither = digest(json!({"id": SUBJECT})).unwrap_err();
        assert_eq!(
            neither,
            "/relatedResource/0: relatedResource needs \"digestSRI\" or \"digestMultibase\""
        );
    }

    fn scoped() -> Value {
        let scope = Scope::parse(&json!({"tag": ["nursing"]})).unwrap();
        EndorsementToIssue {
            scope: Some(&scope),
            ..plain()
        }
        .build()
    }

    #[test]
    fn the_context_of_a_scope_is_there_only_with_a_scope() {
        let built = scoped();
        let scope = json!({"type": ["EndorsementScope"], "tag": ["nursing"]});
        assert_eq!(built["credentialSubject"]["endorsementScope"], scope);
        assert_eq!(
            built["@context"],
            json!([CONTEXTS[0], CONTEXTS[1], scope_context()])
        );
        let read = Endorsement::read(&built).unwrap().scope;
        assert_eq!(read.unwrap().to_value(), scope);
    }

    #[test]
    fn a_scope_that_cannot_be_read_is_never_overlooked() {
        type Change = fn(&mut Value);
        let changed = |change: Change| {
            let mut document = scoped();
            change(&mut document);
            Endorsement::read(&document)
                .map(|read| read.scope)
                .map_err(|error| error.to_string())
        };
        let at = "/credentialSubject/endorsementScope";
        let garbled: [(Change, &str); 5] = [
            (|d| d["credentialSubject"][SCOPE] = json!(null), ": "),
            (|d| d["credentialSubject"][SCOPE] = json!({}), ": "),
            (
                |d| d["credentialSubject"][SCOPE]["tags"] = json!(["a"]),
                "/tags: ",
            ),
            (
                |d| d["credentialSubject"][SCOPE]["id"] = json!("_:a"),
                "/id: ",
            ),
            (
                |d| d["credentialSubject"][SCOPE]["tag"] = json!([["a"]]),
                "/tag/0: ",
            ),
        ];
        for (change, expected) in garbled {
            let told = changed(change).unwrap_err();
            assert!(told.starts_with(&format!("{at}{expected}")), "{told}");
        }
        let elsewhere: [Change; 5] = [
            |d| d["@context"] = json!(CONTEXTS),
            |d| d["@context"][2]["@protected"] = json!(false),
            |d| d["@context"][2]["endorsementScope"]["@context"]["tag"] = json!("urn:tag"),
            |d| {
                d["@context"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"a": "urn:a"}))
            },
            |d| d["credentialSubject"]["@context"] = json!({"tag": "urn:tag"}),
        ];
        for change in elsewhere {
            let told = changed(change).unwrap_err();
            assert_eq!(told, OpenBadgesError::ScopeContext.to_string());
        }
        // Terms of others may come before.
        let before: Change = |d| {
            let contexts = d["@context"].as_array_mut().unwrap();
            contexts.insert(2, json!({"level": "https://example.org/level"}));
        };
        assert!(changed(before).unwrap().is_some());
    }

    #[test]
    fn kinds_have_one_word_each() {
        for kind in [
            SubjectKind::Profile,
            SubjectKind::Achievement,
            SubjectKind::Credential,
        ] {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(json!(kind), json!(kind.as_str()));
        }
        assert_eq!("Profile".parse::<SubjectKind>(), Err(SubjectKindError));
    }

    #[test]
    fn the_contexts_are_those_of_open_badges() {
        assert_eq!(plain().build()["@context"], json!(CONTEXTS));
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(
            name in "\\PC{0,20}x",
            comment in prop::option::of("\\PC{0,20}x"),
            from in 0i64..4_000_000_000_000,
            lasts in prop::option::of(0u64..1_000_000_000),
            document in prop::option::of(any::<[u8; 8]>()),
            tags in prop::collection::vec("[a-z]{1,3}", 0..3),
        ) {
            let scope = Scope::parse(&json!({"tag": tags})).ok();
            let valid_from = Timestamp::from_millis(from);
            let to_issue = EndorsementToIssue {
                name: &name,
                comment: comment.as_deref(),
                valid_from,
                valid_until: lasts.map(|millis| valid_from.plus(Ttl::from_millis(millis))),
                digest: document.map(|bytes| DigestMultibase::of(&bytes)),
                scope: scope.as_ref(),
                ..plain()
            };
            let read = Endorsement::read(&to_issue.build()).unwrap();
            let expected = Endorsement {
                id: to_issue.id.to_owned(),
                issuer: to_issue.issuer.id.to_owned(),
                issuer_name: Some("State".to_owned()),
                subject: SUBJECT.to_owned(),
                valid_from,
                valid_until: to_issue.valid_until,
                digest: to_issue.digest,
                scope,
                name,
                comment,
            };
            prop_assert_eq!(read, expected);
        }
    }
}
