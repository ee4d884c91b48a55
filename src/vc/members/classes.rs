//! The classes on which a verdict rests, as the JSON shows them by name and as the statements say
//! them by IRI. A context of the document's own can give a name another meaning, and a class
//! another name, without any statement changing: so each name has to be shown where, and only
//! where, its class is said.

use std::collections::HashMap;

use serde_json::Value;

use crate::jsonld::rdf::{Dataset, Quad, Term};

const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

/// Each name with its IRI. Names of one class stand beside each other; a test compares the table
/// with the known contexts.
const CLASSES: [(&str, &str); 15] = [
    (
        "VerifiableCredential",
        "https://www.w3.org/2018/credentials#VerifiableCredential",
    ),
    (
        "VerifiablePresentation",
        "https://www.w3.org/2018/credentials#VerifiablePresentation",
    ),
    (
        "EndorsementCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementCredential",
    ),
    (
        "OpenBadgeCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential",
    ),
    (
        "AchievementCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential",
    ),
    (
        "ClrCredential",
        "https://purl.imsglobal.org/spec/vc/clr/vocab.html#ClrCredential",
    ),
    (
        "BitstringStatusListCredential",
        "https://www.w3.org/ns/credentials/status#BitstringStatusListCredential",
    ),
    (
        "StatusList2021Credential",
        "https://w3id.org/vc/status-list#StatusList2021Credential",
    ),
    (
        "EndorsementSubject",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementSubject",
    ),
    (
        "AchievementSubject",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#AchievementSubject",
    ),
    (
        "ClrSubject",
        "https://purl.imsglobal.org/spec/vc/clr/vocab.html#ClrSubject",
    ),
    (
        "BitstringStatusList",
        "https://www.w3.org/ns/credentials/status#BitstringStatusList",
    ),
    (
        "StatusList2021",
        "https://w3id.org/vc/status-list#StatusList2021",
    ),
    (
        "BitstringStatusListEntry",
        "https://www.w3.org/ns/credentials/status#BitstringStatusListEntry",
    ),
    (
        "StatusList2021Entry",
        "https://w3id.org/vc/status-list#StatusList2021Entry",
    ),
];

/// A set of the classes, one bit for each: the place in the table of the first name of its IRI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes(u16);

impl Classes {
    /// What has a holder.
    pub(super) const PRESENTATION: Self = Self(0b10);
    /// What the Open Badges context defines.
    pub(super) const OPEN_BADGES: Self = Self(0b1100);
    /// What has a scope.
    pub(super) const ENDORSEMENT: Self = Self(0b100);
    const CREDENTIALS: Self = Self(0x00ff);
    const SUBJECTS: Self = Self(0x1f00);
    const STATUSES: Self = Self(0x6000);

    /// The classes whose names stand in the node's `type`.
    pub(super) fn shown(node: &Value) -> Self {
        let names = match node.get("type") {
            Some(Value::Array(names)) => names.as_slice(),
            Some(name) => std::slice::from_ref(name),
            None => &[],
        };
        let names = names.iter().filter_map(Value::as_str);
        names.fold(Self::default(), |all, name| {
            let row = CLASSES.iter().find(|(known, _)| *known == name);
            row.map_or(all, |(_, iri)| all.and(Self::of_iri(iri)))
        })
    }

    /// The classes that the statements about one node say.
    pub(super) fn said<'q>(about: impl Iterator<Item = &'q Quad>) -> Self {
        about.fold(Self::default(), |all, quad| all.and(Self::of_quad(quad)))
    }

    /// Those of credentials and presentations alone.
    pub(super) const fn of_credentials(self) -> Self {
        Self(self.0 & Self::CREDENTIALS.0)
    }

    /// Whether one of the `others` is among them.
    pub(super) const fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    fn of_quad(quad: &Quad) -> Self {
        match &quad.object {
            Term::Iri(iri) if &*quad.predicate == RDF_TYPE => Self::of_iri(iri),
            _ => Self::default(),
        }
    }

    fn of_iri(iri: &str) -> Self {
        let place = CLASSES.iter().position(|(_, known)| *known == iri);
        place.map_or(Self::default(), |place| Self(1 << place))
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn within(self, kind: Self) -> Self {
        Self(self.0 & kind.0)
    }
}

/// What all statements say of the classes, by node.
pub(super) struct Said<'a> {
    by_node: HashMap<&'a Term, Classes>,
    document: &'a Value,
    /// What nodes with an id show anywhere in the document; filled where it is asked for.
    mentions: Option<HashMap<&'a str, Classes>>,
}

impl<'a> Said<'a> {
    pub(super) fn of(document: &'a Value, dataset: &'a Dataset) -> Self {
        let mut by_node: HashMap<&Term, Classes> = HashMap::new();
        for quad in dataset.quads.iter().filter(|quad| quad.graph.is_none()) {
            let class = Classes::of_quad(quad);
            if class != Classes::default() {
                let all = by_node.entry(&quad.subject).or_default();
                *all = all.and(class);
            }
        }
        Self {
            by_node,
            document,
            mentions: None,
        }
    }

    /// Whether the statements about `node` say of the classes of subjects what `shown` shows.
    pub(super) fn agrees_on_subject(&mut self, shown: &Value, node: &Term) -> bool {
        self.agrees(shown, node, Classes::SUBJECTS)
    }

    /// Whether the statements about `node` say of the classes of entries what `shown` shows.
    pub(super) fn agrees_on_status(&mut self, shown: &Value, node: &Term) -> bool {
        self.agrees(shown, node, Classes::STATUSES)
    }

    /// A learner may be endorsed within a badge: what is said beyond what the node shows has to
    /// be shown where the same thing is mentioned again.
    fn agrees(&mut self, shown: &Value, node: &Term, kind: Classes) -> bool {
        let said = self.by_node.get(node).copied().unwrap_or_default();
        let (shown, said) = (Classes::shown(shown).within(kind), said.within(kind));
        let hidden = said.without(shown);
        shown.without(said) == Classes::default()
            && (hidden == Classes::default() || hidden.without(self.mentioned(node)).0 == 0)
    }

    fn mentioned(&mut self, node: &Term) -> Classes {
        let Term::Iri(id) = node else {
            return Classes::default();
        };
        let document = self.document;
        let mentions = self.mentions.get_or_insert_with(|| {
            let mut all = HashMap::new();
            mention(document, &mut all);
            all
        });
        mentions.get(&**id).copied().unwrap_or_default()
    }
}

fn mention<'a>(value: &'a Value, all: &mut HashMap<&'a str, Classes>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| mention(item, all)),
        Value::Object(members) => {
            if let Some(id) = members.get("id").and_then(Value::as_str) {
                let shown = all.entry(id).or_default();
                *shown = shown.and(Classes::shown(value));
            }
            members.values().for_each(|member| mention(member, all));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::contexts::DOCUMENTS;
    use std::collections::HashSet;

    #[test]
    fn the_names_are_those_of_the_known_contexts() {
        let mut met = HashSet::new();
        for document in &DOCUMENTS {
            let value: Value = serde_json::from_str(document.text).unwrap();
            let terms = &value["@context"];
            for (name, iri) in CLASSES {
                let id = |term: &Value| term.as_str().or(term["@id"].as_str()).map(str::to_owned);
                let Some(found) = id(&terms[name]) else {
                    continue;
                };
                // One name is defined by the other.
                let found = id(&terms[&*found]).unwrap_or(found);
                assert_eq!(found, iri, "{name} in {}", document.url);
                met.insert(name);
            }
        }
        assert_eq!(met.len(), CLASSES.len());
    }

    #[test]
    fn each_class_is_of_one_kind() {
        for (place, (name, iri)) in CLASSES.into_iter().enumerate() {
            let kind = match name {
                _ if name.ends_with("Entry") => Classes::STATUSES,
                _ if name.ends_with("Credential") || name.ends_with("Presentation") => {
                    Classes::CREDENTIALS
                }
                _ => Classes::SUBJECTS,
            };
            assert!(Classes(1 << place).meet(kind), "{name}");
            assert!(Classes::of_iri(iri).meet(kind), "{name}");
        }
        let endorsement = serde_json::json!({"type": "EndorsementCredential"});
        assert_eq!(Classes::shown(&endorsement), Classes::ENDORSEMENT);
        let badge = serde_json::json!({"type": ["AchievementCredential"]});
        assert!(Classes::shown(&badge).meet(Classes::OPEN_BADGES));
    }
}
