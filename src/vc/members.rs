//! Rules against members that are signed, yet hidden from a reader of the JSON: under an IRI
//! instead of a term, under another name, or in another place. RDF makes them equal to the member
//! that the reader looks for, so that a proof stays good while the reader sees no end of validity
//! or no status. Applied to everything that is signed or verified.
//!
//! Together with [`InlineTerms::NoSecondNames`](crate::jsonld::InlineTerms), which sees through
//! scoped contexts, these rules leave one way to say a thing: the context's own term, where the
//! data model puts it.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::pointer_step;
use crate::jsonld::rdf::{Dataset, Quad, Term};

/// What is wrong, and where. Places are JSON pointers (RFC 6901) into the document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MemberError {
    /// A property is written as a full or compact IRI.
    #[error("at {place:?}: the member {member:?} is an IRI; write the term of the context")]
    NotATerm {
        /// Where the member stands.
        place: String,
        /// Its name.
        member: String,
    },
    /// A keyword of JSON-LD that lets statements stand where nobody looks for them.
    #[error(
        "at {place:?}: {member:?} is refused; of JSON-LD's keywords a credential has @context, \
         @value, @language and @direction alone"
    )]
    Keyword {
        /// Where the keyword stands.
        place: String,
        /// The keyword.
        member: String,
    },
    /// An inline context gives a keyword another name.
    #[error("at {place:?}: the context makes {term:?} a name for {keyword}; write it out")]
    Alias {
        /// Where the inline context stands.
        place: String,
        /// The name.
        term: String,
        /// The keyword.
        keyword: String,
    },
    /// The document calls itself by a blank node label, by which any part of it could add to it.
    #[error("at \"/id\": {id:?} is a blank node label; give a URL, or no id at all")]
    BlankId {
        /// The label.
        id: String,
    },
    /// What the JSON shows is not what would be signed.
    #[error(
        "at {place:?}: the document says something else of {member:?} than what stands there: \
         remove the other mention"
    )]
    Differs {
        /// Where a reader looks for the member.
        place: String,
        /// The member.
        member: String,
    },
}

/// Checks the names of all members, in depth, and of what inline contexts define.
///
/// # Errors
/// The first member, in document order, that is no term or is a refused keyword, and the first
/// inline definition that renames a keyword.
pub fn check_names(document: &Value) -> Result<(), MemberError> {
    match document {
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            check_names(item).map_err(|error| error.inside(&index.to_string()))
        }),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            match name.as_str() {
                "@context" => check_context(member),
                _ => check_name(name).and_then(|()| check_names(member)),
            }
            .map_err(|error| error.inside(name))
        }),
        _ => Ok(()),
    }
}

/// Checks that the statements say of issuer, subjects, status and dates of the credential exactly
/// what its JSON shows at its top.
///
/// `dataset` holds the statements of `credential`, whose names have been checked.
///
/// # Errors
/// [`MemberError::Differs`] for the first member that is said otherwise, elsewhere or more often;
/// [`MemberError::BlankId`].
pub fn check_statements(credential: &Value, dataset: &Dataset) -> Result<(), MemberError> {
    let Some(members) = credential.as_object() else {
        return Ok(());
    };
    let id = members.get("id").and_then(Value::as_str);
    if let Some(id) = id.filter(|id| id.starts_with("_:")) {
        return Err(MemberError::BlankId { id: id.to_owned() });
    }
    let about: Vec<&Quad> = match id {
        Some(id) => dataset
            .quads
            .iter()
            .filter(|quad| is_about(quad, id))
            .collect(),
        None => statements_about_the_top(dataset),
    };
    for &(name, iri, kind) in &CHECKED {
        let shown = Shown::of(members.get(name), kind);
        let said = about
            .iter()
            .filter(|quad| &*quad.predicate == iri)
            .map(|quad| &quad.object);
        if !shown.is_some_and(|shown| shown.equals(said)) {
            return Err(differs(pointer_step(name), name));
        }
    }
    each(members.get("credentialStatus")).try_for_each(|(step, status)| {
        check_status(&format!("/credentialStatus{step}"), status, dataset)
    })
}

/// What a value of a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A node: its id as a text, or an object that may have one.
    Node,
    /// A text or a number.
    Text,
}

/// The members on whose values a verdict rests: name, IRI, kind.
const CHECKED: [(&str, &str, Kind); 8] = [
    (
        "issuer",
        "https://www.w3.org/2018/credentials#issuer",
        Kind::Node,
    ),
    (
        "credentialSubject",
        "https://www.w3.org/2018/credentials#credentialSubject",
        Kind::Node,
    ),
    (
        "credentialStatus",
        "https://www.w3.org/2018/credentials#credentialStatus",
        Kind::Node,
    ),
    (
        "validFrom",
        "https://www.w3.org/2018/credentials#validFrom",
        Kind::Text,
    ),
    (
        "validUntil",
        "https://www.w3.org/2018/credentials#validUntil",
        Kind::Text,
    ),
    (
        "issuanceDate",
        "https://www.w3.org/2018/credentials#issuanceDate",
        Kind::Text,
    ),
    (
        "expirationDate",
        "https://www.w3.org/2018/credentials#expirationDate",
        Kind::Text,
    ),
    (
        "awardedDate",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#awardedDate",
        Kind::Text,
    ),
];

/// The members that lead from a status entry to a bit.
const STATUS_MEMBERS: [&str; 3] = ["statusPurpose", "statusListIndex", "statusListCredential"];

fn check_name(name: &str) -> Result<(), MemberError> {
    let (place, member) = (String::new(), name.to_owned());
    if name.starts_with('@') {
        return match name {
            "@value" | "@language" | "@direction" => Ok(()),
            _ => Err(MemberError::Keyword { place, member }),
        };
    }
    if name.contains(':') {
        Err(MemberError::NotATerm { place, member })
    } else {
        Ok(())
    }
}

/// Looks for other names of keywords in an inline context, and in the contexts scoped within it.
fn check_context(context: &Value) -> Result<(), MemberError> {
    match context {
        Value::Array(contexts) => contexts
            .iter()
            .enumerate()
            .try_for_each(|(index, context)| {
                check_context(context).map_err(|error| error.inside(&index.to_string()))
            }),
        Value::Object(terms) => terms.iter().try_for_each(|(term, definition)| {
            check_definition(term, definition)?;
            let scoped = definition.get("@context").map_or(Ok(()), check_context);
            scoped.map_err(|error| error.inside("@context").inside(term))
        }),
        _ => Ok(()),
    }
}

fn check_definition(term: &str, definition: &Value) -> Result<(), MemberError> {
    if term.starts_with('@') {
        return Ok(());
    }
    let id = definition.get("@id").unwrap_or(definition);
    match (term, id.as_str()) {
        ("id", Some("@id")) | ("type", Some("@type")) => Ok(()),
        (_, Some(keyword)) if keyword.starts_with('@') => Err(MemberError::Alias {
            place: String::new(),
            term: term.to_owned(),
            keyword: keyword.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn is_about(quad: &Quad, id: &str) -> bool {
    quad.graph.is_none() && matches!(&quad.subject, Term::Iri(iri) if **iri == *id)
}

/// Statements about a document without an id: its node is a blank node that no statement points
/// to. Nodes further down are always pointed to, since `@included` and `@graph` are refused.
fn statements_about_the_top(dataset: &Dataset) -> Vec<&Quad> {
    let mut pointed_to = vec![false; dataset.blank_count as usize];
    for quad in &dataset.quads {
        if let Term::Blank(number) = quad.object {
            pointed_to[number as usize] = true;
        }
    }
    let is_top = |quad: &&Quad| {
        quad.graph.is_none()
            && matches!(quad.subject, Term::Blank(number) if !pointed_to[number as usize])
    };
    dataset.quads.iter().filter(is_top).collect()
}

/// A status entry with an id can be added to from any place that names the id.
fn check_status(place: &str, status: &Value, dataset: &Dataset) -> Result<(), MemberError> {
    let Some(id) = status.get("id").and_then(Value::as_str) else {
        return Ok(());
    };
    let about: Vec<&Quad> = dataset
        .quads
        .iter()
        .filter(|quad| is_about(quad, id))
        .collect();
    for name in STATUS_MEMBERS {
        let shown = Shown::of(status.get(name), Kind::Text);
        let said = about
            .iter()
            .filter(|quad| {
                quad.predicate
                    .rsplit_once('#')
                    .is_some_and(|(_, local)| local == name)
            })
            .map(|quad| &quad.object);
        if !shown.is_some_and(|shown| shown.equals(said)) {
            return Err(differs(format!("{place}{}", pointer_step(name)), name));
        }
    }
    Ok(())
}

/// What the JSON shows of one member: texts, as a set, and nodes without an id.
#[derive(PartialEq, Eq)]
struct Shown {
    texts: Vec<String>,
    nameless: usize,
}

impl Shown {
    /// `None` where the value is of no kind that a reader of the member would understand.
    fn of(value: Option<&Value>, kind: Kind) -> Option<Self> {
        let mut shown = Self {
            texts: Vec::new(),
            nameless: 0,
        };
        for (_, item) in each(value) {
            match (kind, item) {
                (_, Value::String(text)) => shown.texts.push(text.clone()),
                (Kind::Text, Value::Number(number)) => shown.texts.push(number.to_string()),
                (Kind::Node, Value::Object(node)) => shown.add_node(node)?,
                _ => return None,
            }
        }
        shown.texts.sort_unstable();
        shown.texts.dedup();
        Some(shown)
    }

    fn add_node(&mut self, node: &Map<String, Value>) -> Option<()> {
        match node.get("id") {
            None => self.nameless += 1,
            Some(id) => self
                .texts
                .push(id.as_str().filter(|id| !id.starts_with("_:"))?.to_owned()),
        }
        Some(())
    }

    fn equals<'q>(&self, said: impl Iterator<Item = &'q Term>) -> bool {
        let mut texts: Vec<&str> = Vec::new();
        let mut nameless = Vec::new();
        for term in said {
            match term {
                Term::Iri(iri) => texts.push(iri),
                Term::Literal(literal) => texts.push(&literal.value),
                Term::Blank(number) => nameless.push(number),
            }
        }
        texts.sort_unstable();
        texts.dedup();
        nameless.sort_unstable();
        nameless.dedup();
        texts == self.texts && nameless.len() == self.nameless
    }
}

/// The items of an array with their pointer steps, or the one value that is no array.
fn each(value: Option<&Value>) -> impl Iterator<Item = (String, &Value)> {
    let (items, one) = match value {
        Some(Value::Array(items)) => (items.as_slice(), None),
        one => (&[] as &[Value], one),
    };
    let items = items
        .iter()
        .enumerate()
        .map(|(index, item)| (format!("/{index}"), item));
    one.map(|value| (String::new(), value))
        .into_iter()
        .chain(items)
}

fn differs(place: String, member: &str) -> MemberError {
    MemberError::Differs {
        place,
        member: member.to_owned(),
    }
}

impl MemberError {
    /// The same error, seen from the value that holds the faulty one as `name`.
    fn inside(mut self, name: &str) -> Self {
        match &mut self {
            Self::NotATerm { place, .. }
            | Self::Keyword { place, .. }
            | Self::Alias { place, .. }
            | Self::Differs { place, .. } => place.insert_str(0, &pointer_step(name)),
            Self::BlankId { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonld::{InlineTerms, Options};
    use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES, Revision, processor};
    use proptest::prelude::*;
    use serde_json::json;

    fn credential() -> Value {
        json!({
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "id": "https://a.example/credentials/1",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "An endorsement",
            "issuer": { "id": "https://a.example/profile", "type": "Profile" },
            "validFrom": "2026-01-01T00:00:00Z",
            "awardedDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "id": "https://b.example/profile",
                "type": "EndorsementSubject",
                "endorsementComment": "Good work."
            },
            "credentialStatus": {
                "id": "https://a.example/status/1#7",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "7",
                "statusListCredential": "https://a.example/status/1"
            }
        })
    }

    /// All rules, as they are applied when a document is signed or verified; `None` where the
    /// JSON-LD processor was the one to refuse it.
    fn check(document: &Value) -> Option<Result<(), MemberError>> {
        if let Err(error) = check_names(document) {
            return Some(Err(error));
        }
        let options = Options {
            inline_terms: InlineTerms::NoSecondNames,
            ..Options::default()
        };
        let dataset = processor(Revision::Mid2026)
            .to_rdf(document, &options)
            .ok()?;
        Some(check_statements(document, &dataset))
    }

    fn with(pointer: &str, member: &str, value: Value) -> Value {
        let mut document = credential();
        document.pointer_mut(pointer).unwrap()[member] = value;
        document
    }

    #[test]
    fn an_honest_credential_passes_with_and_without_ids() {
        assert_eq!(check(&credential()), Some(Ok(())));
        let mut document = credential();
        document.as_object_mut().unwrap().shift_remove("id");
        assert_eq!(check(&document), Some(Ok(())));
        document["credentialSubject"]
            .as_object_mut()
            .unwrap()
            .shift_remove("id");
        document["credentialStatus"]
            .as_object_mut()
            .unwrap()
            .shift_remove("id");
        assert_eq!(check(&document), Some(Ok(())));
        document["issuer"] = json!("https://a.example/profile");
        assert_eq!(check(&document), Some(Ok(())));
    }

    #[test]
    fn properties_are_terms_alone() {
        for member in [
            "https://www.w3.org/2018/credentials#validUntil",
            "cred:validUntil",
            "https://unheard.example/of",
            "_:b0",
        ] {
            for pointer in ["", "/credentialSubject", "/issuer"] {
                let document = with(pointer, member, json!("2026-02-01T00:00:00Z"));
                let expected = MemberError::NotATerm {
                    place: format!("{pointer}{}", pointer_step(member)),
                    member: member.to_owned(),
                };
                assert_eq!(check_names(&document), Err(expected));
            }
        }
    }

    #[test]
    fn keywords_that_move_statements_are_refused() {
        for member in [
            "@included",
            "@graph",
            "@reverse",
            "@nest",
            "@id",
            "@type",
            "@set",
            "@list",
        ] {
            let document = with("/credentialSubject", member, json!([]));
            let expected = MemberError::Keyword {
                place: format!("/credentialSubject/{member}"),
                member: member.to_owned(),
            };
            assert_eq!(check_names(&document), Err(expected));
        }
        let text = json!({ "@value": "Ein Zeugnis", "@language": "de" });
        assert_eq!(check(&with("", "name", text)), Some(Ok(())));
    }

    #[test]
    fn inline_contexts_cannot_rename_keywords_or_known_properties() {
        let inline = |context: Value| {
            let mut document = credential();
            document["@context"].as_array_mut().unwrap().push(context);
            document
        };
        for keyword in ["@included", "@graph", "@nest", "@reverse", "@id", "@index"] {
            for definition in [json!(keyword), json!({ "@id": keyword })] {
                let expected = MemberError::Alias {
                    place: "/@context/2".to_owned(),
                    term: "other".to_owned(),
                    keyword: keyword.to_owned(),
                };
                assert_eq!(
                    check_names(&inline(json!({ "other": definition }))),
                    Err(expected)
                );
            }
        }
        let scoped = json!({ "a": { "@id": "urn:x:a", "@context": { "b": "@included" } } });
        let Err(MemberError::Alias { place, .. }) = check_names(&inline(scoped)) else {
            panic!()
        };
        assert_eq!(place, "/@context/2/a/@context");
        // A second name of a known property is for the processor to see.
        let mut document =
            inline(json!({ "until": "https://www.w3.org/2018/credentials#validUntil" }));
        document["until"] = json!("2026-02-01T00:00:00Z");
        assert_eq!(check(&document), None);
        let harmless = inline(json!({ "shoe": "https://c.example/terms#shoe" }));
        assert_eq!(check(&harmless), Some(Ok(())));
        // Under their well-known names the two aliases of the data model are no other names.
        assert_eq!(
            check_names(&inline(json!({ "id": "@id", "type": "@type" }))),
            Ok(())
        );
    }

    #[test]
    fn a_second_mention_of_the_credential_cannot_add_to_it() {
        let id = credential()["id"].clone();
        for (member, value) in [
            ("validUntil", json!("2026-02-01T00:00:00Z")),
            ("validFrom", json!("2025-02-01T00:00:00Z")),
            ("issuer", json!("https://c.example/profile")),
            ("credentialSubject", json!({ "id": "https://c.example/x" })),
            (
                "credentialStatus",
                json!({ "type": "BitstringStatusListEntry" }),
            ),
        ] {
            let mut mention =
                json!({ "id": id, "type": ["VerifiableCredential", "EndorsementCredential"] });
            mention[member] = value;
            let document = with("/issuer", "endorsement", json!([mention]));
            let expected = MemberError::Differs {
                place: format!("/{member}"),
                member: member.to_owned(),
            };
            assert_eq!(check(&document), Some(Err(expected)), "{member}");
        }
        let mention = json!({ "id": id, "type": ["VerifiableCredential"] });
        let document = with("/issuer", "endorsement", json!([mention]));
        assert_eq!(
            check(&document),
            Some(Ok(())),
            "a mention that adds nothing is honest"
        );
    }

    #[test]
    fn a_second_mention_of_a_status_entry_cannot_add_to_it() {
        let mut second = credential()["credentialStatus"].clone();
        second["statusListIndex"] = json!("8");
        let first = credential()["credentialStatus"].clone();
        let document = with("", "credentialStatus", json!([first, second]));
        let expected = MemberError::Differs {
            place: "/credentialStatus/0/statusListIndex".to_owned(),
            member: "statusListIndex".to_owned(),
        };
        assert_eq!(check(&document), Some(Err(expected)));
    }

    #[test]
    fn a_name_that_means_something_else_is_seen() {
        // An inline prefix turns the subject that is shown into another one.
        let mut document = credential();
        document["@context"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "did": "https://c.example/" }));
        document["credentialSubject"]["id"] = json!("did:web:b.example");
        let expected = MemberError::Differs {
            place: "/credentialSubject".to_owned(),
            member: "credentialSubject".to_owned(),
        };
        assert_eq!(check(&document), Some(Err(expected)));
        let labelled = with("", "id", json!("_:b0"));
        assert_eq!(
            check(&labelled),
            Some(Err(MemberError::BlankId { id: "_:b0".into() }))
        );
    }

    proptest! {
        #[test]
        fn names_with_a_colon_or_a_keyword_never_pass(
            depth in 0usize..4,
            name in "[a-z]{0,3}:[a-z/]{0,5}|@[a-z]{3,8}",
        ) {
            prop_assume!(
                !["@context", "@value", "@language", "@direction"].contains(&name.as_str())
            );
            let mut document = json!({ name: 1 });
            for level in 0..depth {
                document = if level % 2 == 0 { json!([document]) } else { json!({ "a": document }) };
            }
            prop_assert!(check_names(&document).is_err());
        }
    }
}
