//! Rules against members that are signed, yet hidden from a reader of the JSON: under an IRI
//! instead of a term, under another name, or in another place. RDF makes them equal to the member
//! that the reader looks for, so that a proof stays good while the reader sees no end of validity
//! or no status. Applied to everything that is signed or verified.
//!
//! Together with [`InlineTerms::NoSecondNames`](crate::jsonld::InlineTerms), which sees through
//! scoped contexts, these rules leave one way to say a thing: the context's own term, where the
//! data model puts it.

mod checked;
mod classes;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::pointer_step;
use crate::jsonld::rdf::{Dataset, Quad, Term};

use self::checked::{CHECKED, Kind, SCOPE, STATUS, SUBJECT};
use self::classes::{Classes, Said};

/// How many status entries a credential may have. Each is looked for among all statements, and
/// asked for at its list.
pub const MAX_STATUS_ENTRIES: usize = 32;

/// Terms whose value is JSON that says nothing in RDF but itself: `@json` in the known contexts,
/// and nothing else there. Names in it are its own.
const JSON_TERMS: [&str; 3] = ["jsonSchema", "_sd", "jwk"];

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
    /// An inline context makes a term that turns its statement round, so that it is about what
    /// stands in its place.
    #[error(
        "at {place:?}: the context makes {term:?} say something of its value; @reverse is refused"
    )]
    Reverse {
        /// Where the inline context stands.
        place: String,
        /// The term.
        term: String,
    },
    /// More status entries than are looked at.
    #[error(
        "at \"/credentialStatus\": {count} status entries; no more than {MAX_STATUS_ENTRIES} are \
         looked at"
    )]
    TooManyStatuses {
        /// How many there are.
        count: usize,
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
    // Where a context of the document's own stands, a term may be anything.
    check_names_in(document, has_inline_context(document))
}

/// As [`check_names`], with its errors, of the document without its own member `left_out`.
pub fn check_names_beside(document: &Value, left_out: &str) -> Result<(), MemberError> {
    let all = || document.as_object().into_iter().flatten();
    let members = || all().filter(|(name, _)| *name != left_out);
    let inline = members().any(|(name, member)| is_inline_or_holds(name, member));
    members().try_for_each(|(name, member)| check_member(name, member, inline))
}

fn check_names_in(value: &Value, inline: bool) -> Result<(), MemberError> {
    match value {
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            check_names_in(item, inline).map_err(|error| error.inside(&index.to_string()))
        }),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(name, member)| check_member(name, member, inline)),
        _ => Ok(()),
    }
}

fn check_member(name: &str, member: &Value, inline: bool) -> Result<(), MemberError> {
    match name {
        "@context" => check_context(member),
        name if !inline && JSON_TERMS.contains(&name) => Ok(()),
        _ => check_name(name).and_then(|()| check_names_in(member, inline)),
    }
    .map_err(|error| error.inside(name))
}

fn has_inline_context(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_inline_context),
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| is_inline_or_holds(name, member)),
        _ => false,
    }
}

fn is_inline_or_holds(name: &str, member: &Value) -> bool {
    match (name, member) {
        ("@context", Value::Array(contexts)) => contexts.iter().any(|context| !context.is_string()),
        ("@context", context) => !context.is_string(),
        _ => has_inline_context(member),
    }
}

/// Checks that the statements say of issuer, subjects, status and dates of the credential exactly
/// what its JSON shows at its top, and that the classes that decide something are shown where,
/// and only where, they are said.
///
/// `dataset` holds the statements of `credential`, whose names have been checked.
///
/// # Errors
/// [`MemberError::Differs`] for the first member that is said otherwise, elsewhere or more often;
/// [`MemberError::BlankId`]; [`MemberError::TooManyStatuses`].
pub fn check_statements(credential: &Value, dataset: &Dataset) -> Result<(), MemberError> {
    let Some(members) = credential.as_object() else {
        return Ok(());
    };
    let count = each(members.get("credentialStatus")).count();
    if count > MAX_STATUS_ENTRIES {
        return Err(MemberError::TooManyStatuses { count });
    }
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
    let classes = Classes::shown(credential);
    if classes.of_credentials() != Classes::said(about.iter().copied()).of_credentials() {
        return Err(differs(pointer_step("type"), "type"));
    }
    for &(name, iri, kind, only_of) in &CHECKED {
        if !only_of.is_none_or(|only_of| classes.meet(only_of)) {
            continue;
        }
        let shown = Shown::of(members.get(name), kind);
        let said = about
            .iter()
            .filter(|quad| &*quad.predicate == iri)
            .map(|quad| &quad.object);
        if !shown.is_some_and(|shown| shown.equals(said)) {
            return Err(differs(pointer_step(name), name));
        }
    }
    let mut said = Said::of(credential, dataset);
    for (place, subject, node) in nodes(members, "credentialSubject", SUBJECT, &about) {
        if !said.agrees_on_subject(subject, &node) {
            return Err(differs(format!("{place}/type"), "type"));
        }
        if classes.meet(Classes::ENDORSEMENT) {
            check_scope(&place, subject, &node, dataset)?;
        }
    }
    for (place, status, node) in nodes(members, "credentialStatus", STATUS, &about) {
        if !said.agrees_on_status(status, &node) {
            return Err(differs(format!("{place}/type"), "type"));
        }
        check_status(&place, status, &node, dataset)?;
    }
    Ok(())
}

/// The nodes that stand in a member of the top, each with its place and as the statements `about`
/// the top know it. Nodes without an id are met there in the order in which they stand.
fn nodes<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    iri: &str,
    about: &[&Quad],
) -> Vec<(String, &'a Value, Term)> {
    let mut nameless = about
        .iter()
        .filter(|quad| &*quad.predicate == iri && matches!(quad.object, Term::Blank(_)))
        .map(|quad| quad.object.clone());
    each(members.get(name))
        .filter_map(|(step, node)| {
            let id = node.as_str().or_else(|| node.get("id")?.as_str());
            let term = match id {
                Some(id) => Term::Iri(id.into()),
                None => nameless.next()?,
            };
            Some((format!("/{name}{step}"), node, term))
        })
        .collect()
}

/// The members that lead from a status entry to a bit.
const STATUS_MEMBERS: [&str; 3] = ["statusPurpose", "statusListIndex", "statusListCredential"];

fn check_name(name: &str) -> Result<(), MemberError> {
    let is_keyword = name.starts_with('@');
    if matches!(name, "@value" | "@language" | "@direction") || !is_keyword && !name.contains(':') {
        return Ok(());
    }
    let (place, member) = (String::new(), name.to_owned());
    match is_keyword {
        true => Err(MemberError::Keyword { place, member }),
        false => Err(MemberError::NotATerm { place, member }),
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
    if definition.get("@reverse").is_some() {
        return Err(MemberError::Reverse {
            place: String::new(),
            term: term.to_owned(),
        });
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
/// to. Nodes further down are always pointed to, since `@included`, `@graph` and `@reverse` are
/// refused.
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
fn check_status(
    place: &str,
    status: &Value,
    node: &Term,
    dataset: &Dataset,
) -> Result<(), MemberError> {
    let about: Vec<&Quad> = dataset
        .quads
        .iter()
        .filter(|quad| quad.graph.is_none() && quad.subject == *node)
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

/// What an endorsement covers of its subject is said of the subject, wherever in the document the
/// subject is mentioned. A member of that name which says something else is nobody's scope.
fn check_scope(
    place: &str,
    subject: &Value,
    node: &Term,
    dataset: &Dataset,
) -> Result<(), MemberError> {
    let scopes = dataset
        .quads
        .iter()
        .filter(|quad| quad.graph.is_none() && quad.subject == *node && &*quad.predicate == SCOPE);
    let mut scopes = scopes.map(|quad| &quad.object).peekable();
    let shown = Shown::of(subject.get("endorsementScope"), Kind::Node);
    if scopes.peek().is_some() && !shown.is_some_and(|shown| shown.equals(scopes)) {
        return Err(differs(
            format!("{place}/endorsementScope"),
            "endorsementScope",
        ));
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
            | Self::Reverse { place, .. }
            | Self::Differs { place, .. } => place.insert_str(0, &pointer_step(name)),
            Self::TooManyStatuses { .. } | Self::BlankId { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests;
