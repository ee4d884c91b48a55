//! Achievements: what a badge is given for (Open Badges 3.0, class Achievement).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::classes::{ACHIEVEMENT_TO_KEEP, ACHIEVEMENT_TYPES};
use super::profile::{GIVEN, render};
use super::shape::{ShapeError, Strictness, check, is_own_word, refuse_given};

/// What a client has said about an achievement, checked member by member. `@context`, `id` and
/// `type` are the registry's, and added by [`Achievement::render`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Achievement(Map<String, Value>);

impl Achievement {
    /// Checks the members that a client submits: `name`, `description` and `criteria` (with `id`
    /// or `narrative`), and if it likes the other members of the class.
    ///
    /// # Errors
    /// [`ShapeError`] names the place by its JSON pointer. Members that an Achievement does not
    /// have are refused, so that nothing is lost silently.
    pub fn parse(value: &Value) -> Result<Self, ShapeError> {
        refuse_given(value, "Achievement", &GIVEN)?;
        let members = check(value, &ACHIEVEMENT_TO_KEEP, Strictness::Exact, "")?;
        Ok(Self(members.clone()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The description.
    pub fn description(&self) -> &str {
        self.text("description")
    }

    /// Whether a word can be an `achievementType`: one of the standard's, or one of an issuer's
    /// own, which starts with `ext:`.
    pub fn is_type(word: &str) -> bool {
        ACHIEVEMENT_TYPES.contains(&word) || is_own_word(word)
    }

    /// The members as submitted, in their order.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The document that is published under `id`, with these endorsements embedded: each a whole
    /// EndorsementCredential with its proof.
    pub fn render(&self, id: &str, endorsements: &[Value]) -> Value {
        render("Achievement", id, &self.0, endorsements)
    }

    fn text(&self, member: &str) -> &str {
        // `parse` is the only way in, and it needs both texts.
        self.0
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

impl TryFrom<Value> for Achievement {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, ShapeError> {
        Self::parse(&value)
    }
}

impl From<Achievement> for Value {
    fn from(achievement: Achievement) -> Self {
        Self::Object(achievement.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn full() -> Value {
        json!({
            "name": "Welding",
            "description": "Welds well.",
            "criteria": {"id": "https://example.edu/welding", "narrative": "Weld *three* pieces."},
            "achievementType": "Certification",
            "alignment": [{
                "type": ["Alignment"],
                "targetName": "Metal work",
                "targetUrl": "https://framework.example/metal",
                "targetType": "ceasn:Competency",
            }],
            "creator": {"id": "did:web:example.edu", "type": ["Profile"], "name": "Example"},
            "creditsAvailable": 3.5,
            "fieldOfStudy": "Metal",
            "humanCode": "W-1",
            "image": {"id": "https://example.edu/welding.svg", "type": "Image"},
            "inLanguage": "de-CH",
            "otherIdentifier": [
                {"type": "IdentifierEntry", "identifier": "x", "identifierType": "ext:local"}
            ],
            "related": [{"id": "urn:uuid:1", "type": ["Related"], "inLanguage": "en"}],
            "resultDescription": [{
                "id": "urn:uuid:2",
                "type": ["ResultDescription"],
                "name": "Grade",
                "resultType": "LetterGrade",
                "allowedValue": ["C", "B", "A"],
                "rubricCriterionLevel": [
                    {"id": "urn:uuid:3", "type": ["RubricCriterionLevel"], "name": "Good"}
                ],
            }],
            "specialization": "Steel",
            "tag": ["welding", "metal"],
            "version": "2",
        })
    }

    fn refusal(pointer: &str, to: Value) -> String {
        let mut value = full();
        *value.pointer_mut(pointer).unwrap() = to;
        Achievement::parse(&value).unwrap_err().to_string()
    }

    #[test]
    fn an_achievement_is_published_as_it_was_submitted() {
        let achievement = Achievement::parse(&full()).unwrap();
        assert_eq!(achievement.name(), "Welding");
        assert_eq!(achievement.description(), "Welds well.");
        let rendered = achievement.render("https://registry.example/achievements/1", &[]);
        assert_eq!(rendered["type"], json!(["Achievement"]));
        assert_eq!(
            rendered["id"],
            json!("https://registry.example/achievements/1")
        );
        for (name, value) in full().as_object().unwrap() {
            assert_eq!(&rendered[name], value, "{name}");
        }
        let names: Vec<_> = rendered.as_object().unwrap().keys().take(4).collect();
        assert_eq!(names, ["@context", "id", "type", "name"]);
    }

    #[test]
    fn name_description_and_criteria_are_needed() {
        for member in ["name", "description", "criteria"] {
            let mut value = full();
            value.as_object_mut().unwrap().remove(member);
            let error = Achievement::parse(&value).unwrap_err().to_string();
            assert_eq!(error, format!("the document: Achievement needs {member:?}"));
        }
        assert_eq!(
            refusal("/criteria", json!({})),
            "/criteria: Criteria needs \"id\" or \"narrative\""
        );
    }

    #[test]
    fn every_member_is_checked() {
        for (pointer, to, expected) in [
            (
                "/creditsAvailable",
                json!("3"),
                "/creditsAvailable: this has to be a number",
            ),
            (
                "/tag",
                json!("metal"),
                "/tag: this has to be an array of at least one (strings)",
            ),
            (
                "/tag/1",
                json!(""),
                "/tag/1: this has to be a string that is not blank",
            ),
            (
                "/related/0/id",
                json!("x"),
                "/related/0/id: this has to be an absolute URI",
            ),
            (
                "/inLanguage",
                json!("german"),
                "/inLanguage: this has to be a language code such as en or de-CH",
            ),
            (
                "/resultDescription/0/rubricCriterionLevel/0/name",
                json!(7),
                "/resultDescription/0/rubricCriterionLevel/0/name: \
                 this has to be a string that is not blank",
            ),
        ] {
            assert_eq!(refusal(pointer, to), expected);
        }
        let error = refusal("/achievementType", json!("Wizardry"));
        assert!(error.starts_with("/achievementType: this has to be one of Achievement, "));
        assert!(
            error.ends_with("or a word of your own such as ext:Word"),
            "{error}"
        );
    }

    #[test]
    fn what_an_achievement_does_not_have_is_refused_by_name() {
        let mut value = full();
        value["resultDescription"][0]["grade"] = json!(1);
        let error = Achievement::parse(&value).unwrap_err().to_string();
        assert_eq!(
            error,
            "/resultDescription/0/grade: ResultDescription has no such member"
        );
        value = full();
        value["type"] = json!(["Achievement"]);
        let error = Achievement::parse(&value).unwrap_err().to_string();
        assert_eq!(
            error,
            "/type: the registry sets this member of Achievement by itself; leave it out"
        );
    }

    proptest! {
        #[test]
        fn what_is_kept_reads_back(word in "[A-Za-z0-9._-]{1,12}", quarters in 0u32..4000) {
            let mut value = full();
            value["achievementType"] = json!(format!("ext:{word}"));
            value["creditsAvailable"] = json!(f64::from(quarters) / 4.0);
            let achievement = Achievement::parse(&value).unwrap();
            prop_assert_eq!(Value::from(achievement.clone()), value);
            let text = serde_json::to_string(&achievement).unwrap();
            prop_assert_eq!(serde_json::from_str::<Achievement>(&text).unwrap(), achievement);
        }
    }
}
