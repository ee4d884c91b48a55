//! Profiles: who issues, accredits or endorses (Open Badges 3.0, class Profile).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::classes::PROFILE_TO_KEEP;
use super::credential::CONTEXTS;
use super::shape::{ShapeError, Strictness, check, refuse_given};

/// What a client has said about a profile, checked member by member. `@context`, `id` and `type`
/// are the registry's, and added by [`Profile::render`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Profile(Map<String, Value>);

/// The little of a profile that stands as `issuer` in what it issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer<'a> {
    /// The `issuer.id`: a DID or an HTTPS URL.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its home page.
    pub url: Option<&'a str>,
}

impl Profile {
    /// Checks the members that a client submits: `name`, and if it likes `url`, `phone`,
    /// `description`, `image`, `email`, `address`, `otherIdentifier`, `official`, `parentOrg`,
    /// the parts of a person's name, and `dateOfBirth`.
    ///
    /// # Errors
    /// [`ShapeError`] names the place by its JSON pointer. Members that a Profile does not have
    /// are refused, so that nothing is lost silently.
    pub fn parse(value: &Value) -> Result<Self, ShapeError> {
        refuse_given(value, "Profile", &GIVEN)?;
        let members = check(value, &PROFILE_TO_KEEP, Strictness::Exact, "")?;
        Ok(Self(members.clone()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        // `parse` is the only way in, and it needs a name.
        self.0
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The home page.
    pub fn url(&self) -> Option<&str> {
        self.0.get("url").and_then(Value::as_str)
    }

    /// The members as submitted, in their order.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The profile as `issuer` under this id.
    pub fn issuer<'a>(&'a self, id: &'a str) -> Issuer<'a> {
        Issuer {
            id,
            name: self.name(),
            url: self.url(),
        }
    }

    /// The document that is published under `id`, with these endorsements embedded: each a whole
    /// EndorsementCredential with its proof.
    pub fn render(&self, id: &str, endorsements: &[Value]) -> Value {
        render("Profile", id, &self.0, endorsements)
    }
}

impl Issuer<'_> {
    /// The object that stands as `issuer` in a credential.
    pub fn to_value(&self) -> Value {
        let mut issuer = json!({"id": self.id, "type": ["Profile"], "name": self.name});
        if let Some(url) = self.url {
            issuer["url"] = json!(url);
        }
        issuer
    }
}

impl TryFrom<Value> for Profile {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, ShapeError> {
        Self::parse(&value)
    }
}

impl From<Profile> for Value {
    fn from(profile: Profile) -> Self {
        Self::Object(profile.0)
    }
}

/// What the registry adds, and clients may not set.
pub(super) const GIVEN: [&str; 5] = ["@context", "id", "type", "endorsement", "endorsementJwt"];

/// A published document of `class`: contexts, id and type, then the members.
pub(super) fn render(
    class: &str,
    id: &str,
    members: &Map<String, Value>,
    endorsements: &[Value],
) -> Value {
    let mut document = Map::new();
    document.insert("@context".to_owned(), json!(CONTEXTS));
    document.insert("id".to_owned(), json!(id));
    document.insert("type".to_owned(), json!([class]));
    document.extend(members.clone());
    if !endorsements.is_empty() {
        document.insert("endorsement".to_owned(), json!(endorsements));
    }
    Value::Object(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full() -> Value {
        json!({
            "name": "Example University",
            "url": "https://example.edu",
            "phone": "+41 44 555 01 00",
            "description": "Teaches.",
            "image": {"id": "https://example.edu/logo.png", "type": "Image", "caption": "Logo"},
            "email": "badges@example.edu",
            "address": {
                "type": ["Address"],
                "addressCountry": "Switzerland",
                "addressCountryCode": "CH",
                "streetAddress": "Main street 1",
                "postalCode": "8000",
                "geo": {"type": "GeoCoordinates", "latitude": 47.37, "longitude": 8.54}
            },
            "otherIdentifier": [
                {"type": "IdentifierEntry", "identifier": "4711", "identifierType": "sourcedId"}
            ],
            "official": "A. Person",
            "parentOrg": {
                "id": "did:web:parent.example",
                "type": ["Profile"],
                "name": "Parent",
                "parentOrg": {"id": "urn:uuid:0", "type": ["Profile"]}
            },
            "givenName": "A",
            "familyName": "Person",
            "dateOfBirth": "1990-01-31"
        })
    }

    fn refusal(pointer: &str, to: Value) -> String {
        let mut value = full();
        *value.pointer_mut(pointer).unwrap() = to;
        Profile::parse(&value).unwrap_err().to_string()
    }

    #[test]
    fn a_profile_is_published_as_it_was_submitted() {
        let profile = Profile::parse(&full()).unwrap();
        assert_eq!(profile.name(), "Example University");
        let id = "https://registry.example/profiles/example";
        let mut rendered = profile.render(id, &[]);
        let members = rendered.as_object_mut().unwrap();
        let contexts = json!([
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
        ]);
        assert_eq!(members.shift_remove("@context"), Some(contexts));
        assert_eq!(members.shift_remove("id"), Some(json!(id)));
        assert_eq!(members.shift_remove("type"), Some(json!(["Profile"])));
        assert_eq!(rendered, full());
    }

    #[test]
    fn live_endorsements_can_be_embedded() {
        let profile = Profile::parse(&json!({"name": "A"})).unwrap();
        let rendered = profile.render("urn:a", &[json!({"id": "urn:e"})]);
        assert_eq!(rendered["endorsement"], json!([{"id": "urn:e"}]));
        assert_eq!(profile.render("urn:a", &[]).get("endorsement"), None);
    }

    #[test]
    fn an_issuer_is_the_little_that_is_needed() {
        let profile = Profile::parse(&full()).unwrap();
        assert_eq!(
            profile.issuer("did:web:a.example").to_value(),
            json!({
                "id": "did:web:a.example",
                "type": ["Profile"],
                "name": "Example University",
                "url": "https://example.edu"
            })
        );
        let bare = Profile::parse(&json!({"name": "A"})).unwrap();
        assert_eq!(bare.issuer("urn:a").to_value().get("url"), None);
    }

    #[test]
    fn every_member_is_checked() {
        for (pointer, to, expected) in [
            (
                "/name",
                json!(""),
                "/name: this has to be a string that is not blank",
            ),
            (
                "/url",
                json!("did:web:a"),
                "/url: this has to be an http or https URL",
            ),
            (
                "/image",
                json!("https://a.example"),
                "/image: this has to be an object (Image)",
            ),
            (
                "/image/type",
                json!(["Image"]),
                "/image/type: this has to be \"Image\"",
            ),
            (
                "/address/type",
                json!("Address"),
                "/address/type: this has to be an array of types with \"Address\" in it",
            ),
            (
                "/address/geo/latitude",
                json!("47"),
                "/address/geo/latitude: this has to be a number",
            ),
            (
                "/otherIdentifier",
                json!([]),
                "/otherIdentifier: this has to be an array of at least one (IdentifierEntry)",
            ),
            (
                "/parentOrg",
                json!({"name": "A"}),
                "/parentOrg: Profile needs \"id\"",
            ),
            (
                "/email",
                json!(null),
                "/email: this has to be an e-mail address",
            ),
            (
                "/dateOfBirth",
                json!("31.1.1990"),
                "/dateOfBirth: this has to be a date such as 2026-01-31",
            ),
        ] {
            assert_eq!(refusal(pointer, to), expected);
        }
        let error = Profile::parse(&json!({"url": "https://a.example"})).unwrap_err();
        assert_eq!(error.to_string(), "the document: Profile needs \"name\"");
    }

    #[test]
    fn what_a_profile_does_not_have_is_refused_by_name() {
        let refused = |value: Value| Profile::parse(&value).unwrap_err().to_string();
        assert_eq!(
            refused(json!({"name": "A", "telephone": "1"})),
            "/telephone: Profile has no such member"
        );
        assert_eq!(
            refusal(
                "/image",
                json!({"id": "https://a.example/i", "type": "Image", "alt": "x"})
            ),
            "/image/alt: Image has no such member"
        );
        assert_eq!(
            refused(json!({"name": "A", "id": "urn:mine"})),
            "/id: the registry sets this member of Profile by itself; leave it out"
        );
        assert_eq!(
            refused(json!({"name": "A", "endorsement": []})),
            "/endorsement: the registry sets this member of Profile by itself; leave it out"
        );
    }

    proptest! {
        #[test]
        fn what_is_kept_reads_back(name in "\\PC{0,9}x", official in "x\\PC{0,9}") {
            let profile = Profile::parse(&json!({"name": name, "official": official})).unwrap();
            let text = serde_json::to_string(&profile).unwrap();
            prop_assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
        }

        #[test]
        fn no_member_may_be_null(member in 0usize..14) {
            let mut value = full();
            let members = value.as_object_mut().unwrap();
            let name = members.keys().nth(member % members.len()).unwrap().clone();
            members[&name] = Value::Null;
            let error = Profile::parse(&value).unwrap_err().to_string();
            prop_assert!(error.starts_with(&format!("/{name}: this has to be")), "{}", error);
        }
    }
}
