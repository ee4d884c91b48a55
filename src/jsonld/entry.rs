//! The entries of a context, and what each may say (JSON-LD 1.1 API, section 4.2.2, as far as no
//! other term has a part in it).

use serde_json::{Map, Value};

use super::context::{Container, Definition, Direction, Name};
use super::error::{Code, Fault};
use super::iri;
use super::keyword::Keyword;

/// What a term's entry says, whichever of the allowed forms it has.
pub(super) struct Entry<'e> {
    pub(super) term: &'e str,
    /// A string instead of an object.
    pub(super) simple: bool,
    pub(super) id: Option<&'e Value>,
    rest: Option<&'e Map<String, Value>>,
}

impl<'e> Entry<'e> {
    pub(super) fn of(term: &'e str, value: &'e Value) -> Result<Self, Fault> {
        match value {
            Value::Null | Value::String(_) => Ok(Self {
                term,
                simple: value.is_string(),
                id: Some(value),
                rest: None,
            }),
            Value::Object(rest) => Ok(Self {
                term,
                simple: false,
                id: rest.get("@id"),
                rest: Some(rest),
            }),
            _ => Err(Fault::new(Code::InvalidTermDefinition, term)),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'e Value> {
        self.rest.and_then(|rest| rest.get(key))
    }

    pub(super) fn fault(&self, code: Code) -> Fault {
        Fault::new(code, self.term)
    }

    /// The string under `key`; anything else is a fault.
    pub(super) fn text(&self, key: &str, code: Code) -> Result<Option<&'e str>, Fault> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(code)),
        }
    }
}

/// The entries of a context that are no terms.
pub(super) fn is_context_entry(key: &str) -> bool {
    matches!(
        Keyword::parse(key),
        Some(
            Keyword::Base
                | Keyword::Direction
                | Keyword::Import
                | Keyword::Language
                | Keyword::Propagate
                | Keyword::Protected
                | Keyword::Version
                | Keyword::Vocab
        )
    )
}

/// Step 4: all that may be said of `@type` is that it is a set, and that this is protected.
pub(super) fn check_type_entry(value: &Value) -> Result<(), Fault> {
    let allowed = value.as_object().is_some_and(|entries| {
        !entries.is_empty()
            && entries.iter().all(|(key, value)| match key.as_str() {
                "@container" => value == "@set",
                "@protected" => value.is_boolean(),
                _ => false,
            })
    });
    if allowed {
        Ok(())
    } else {
        Err(Fault::new(Code::KeywordRedefinition, "@type"))
    }
}

/// Step 26.
pub(super) fn check_entry_keys(entry: &Entry<'_>) -> Result<(), Fault> {
    const ALLOWED: [&str; 11] = [
        "@id",
        "@reverse",
        "@container",
        "@context",
        "@direction",
        "@index",
        "@language",
        "@nest",
        "@prefix",
        "@protected",
        "@type",
    ];
    let mut keys = entry.rest.into_iter().flat_map(Map::keys);
    match keys.find(|key| !ALLOWED.contains(&key.as_str())) {
        None => Ok(()),
        Some(_) => Err(entry.fault(Code::InvalidTermDefinition)),
    }
}

/// Whether a simple term with this mapping can stand before a colon: it ends in one of the
/// gen-delims of RFC 3986, or is a blank node identifier.
pub(super) fn ends_like_a_prefix(mapping: &Name) -> bool {
    match mapping {
        Name::Blank(_) => true,
        Name::Iri(text) | Name::Other(text) => text.ends_with([':', '/', '?', '#', '[', ']', '@']),
        Name::Null | Name::Keyword(_) => false,
    }
}

/// The containers and their combinations that the standard lists.
pub(super) fn container_of(given: &Value) -> Option<Container> {
    let single = std::slice::from_ref(given);
    let given = given.as_array().map_or(single, Vec::as_slice);
    let mut bits = 0;
    for keyword in given {
        bits |= Keyword::parse(keyword.as_str()?)?.bit();
    }
    let has = |keyword: Keyword| bits & keyword.bit() != 0;
    let without_set = Container(bits & !Keyword::Set.bit());
    let known = [
        Keyword::Graph,
        Keyword::Id,
        Keyword::Index,
        Keyword::Language,
        Keyword::List,
        Keyword::Set,
        Keyword::Type,
    ];
    let only_known = bits & !known.iter().fold(0, |bits, keyword| bits | keyword.bit()) == 0;
    let fits = match without_set.0.count_ones() {
        0 => has(Keyword::Set),
        1 => !(has(Keyword::List) && has(Keyword::Set)),
        2 => has(Keyword::Graph) && (has(Keyword::Id) || has(Keyword::Index)),
        _ => false,
    };
    (only_known && fits).then_some(Container(bits))
}

/// Steps 22 and 23.
pub(super) fn set_language(entry: &Entry<'_>, definition: &mut Definition) -> Result<(), Fault> {
    if entry.get("@type").is_some() {
        return Ok(());
    }
    definition.language = match entry.get("@language") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::String(language)) => Some(Some(language.to_lowercase().into())),
        Some(_) => return Err(entry.fault(Code::InvalidLanguageMapping)),
    };
    definition.direction = match entry.get("@direction") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => {
            let direction = value.as_str().and_then(Direction::parse);
            Some(Some(
                direction.ok_or_else(|| entry.fault(Code::InvalidBaseDirection))?,
            ))
        }
    };
    Ok(())
}

/// Step 24.
pub(super) fn set_nest(entry: &Entry<'_>, definition: &mut Definition) -> Result<(), Fault> {
    let Some(nest) = entry.text("@nest", Code::InvalidNestValue)? else {
        return Ok(());
    };
    if nest != "@nest" && Keyword::parse(nest).is_some() {
        return Err(entry.fault(Code::InvalidNestValue));
    }
    definition.nest = Some(nest.into());
    Ok(())
}

/// Step 25.
pub(super) fn set_prefix(entry: &Entry<'_>, definition: &mut Definition) -> Result<(), Fault> {
    let prefix = match entry.get("@prefix") {
        None => return Ok(()),
        Some(Value::Bool(prefix)) => *prefix,
        Some(_) => return Err(entry.fault(Code::InvalidPrefixValue)),
    };
    let keyword = matches!(definition.mapping, Name::Keyword(_));
    if entry.term.contains([':', '/']) || (prefix && (keyword || iri_less(&definition.mapping))) {
        return Err(entry.fault(Code::InvalidTermDefinition));
    }
    definition.prefix = prefix;
    Ok(())
}

/// A relative reference makes no prefix.
fn iri_less(mapping: &Name) -> bool {
    mapping
        .text()
        .is_some_and(|text| !text.starts_with("_:") && !iri::has_scheme(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_listed_combinations_of_containers_are_containers() {
        for good in [
            json!("@list"),
            json!("@set"),
            json!(["@set", "@language"]),
            json!(["@graph", "@id", "@set"]),
            json!(["@graph", "@index"]),
            json!(["@type"]),
        ] {
            assert!(container_of(&good).is_some(), "{good}");
        }
        for bad in [
            json!(null),
            json!([]),
            json!("set"),
            json!("@value"),
            json!(["@list", "@set"]),
            json!(["@id", "@index"]),
            json!(["@graph", "@list"]),
            json!(["@graph", "@id", "@index"]),
        ] {
            assert!(container_of(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn nothing_but_a_set_can_be_said_of_type() {
        assert!(check_type_entry(&json!({"@container": "@set", "@protected": true})).is_ok());
        for bad in [
            json!({}),
            json!("x"),
            json!({"@id": "@type"}),
            json!({"@container": "@list"}),
        ] {
            assert!(check_type_entry(&bad).is_err(), "{bad}");
        }
    }
}
