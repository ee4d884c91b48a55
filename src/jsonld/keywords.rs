//! Members of a node that are keywords (JSON-LD 1.1 API, section 5.1.2, steps 13.4 and 14).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Code, DEPTH, Dropped, Error, Place};
use super::expand::{Found, Frame, Walk};
use super::keyword::Keyword;
use super::literal::direction;
use super::node::{Node, free};
use super::to_rdf::{IRIS, Kind, Out};

impl Walk<'_> {
    /// Step 13.4.
    pub(super) fn keyword<'n>(
        &mut self,
        node: &mut Node<'n>,
        keyword: Keyword,
        key: &str,
        value: &'n Value,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        if node.reversed {
            return Err(place.invalid(Code::InvalidReversePropertyMap));
        }
        let repeatable = matches!(keyword, Keyword::Type | Keyword::Included | Keyword::Nest);
        if node.seen & keyword.bit() != 0 && !repeatable {
            return Err(place.invalid(Code::CollidingKeywords));
        }
        node.seen |= keyword.bit();
        node.added |= !matches!(
            keyword,
            Keyword::Graph | Keyword::Nest | Keyword::Language | Keyword::Direction
        );
        match keyword {
            Keyword::Id => Ok(()),
            Keyword::Type => self.types(node, value, place),
            Keyword::Graph => {
                node.graphs.push((value, key.to_owned()));
                Ok(())
            }
            Keyword::Included => {
                let graph = node.frame.graph;
                let frame = Frame {
                    context,
                    ..free(&node.frame, place, graph)
                };
                self.included(value, &frame)
            }
            Keyword::Index => {
                self.check_index(value, place)?;
                let name = value.as_str().unwrap_or_default();
                self.note_index(node, name)
            }
            Keyword::Nest => self.nest(node, key, value, context, place),
            Keyword::Reverse => self.reverse(node, value, context, place),
            Keyword::Language if !value.is_string() => {
                Err(place.invalid(Code::InvalidLanguageTaggedString))
            }
            Keyword::Language => self
                .drop_or_refuse(place, Dropped::LanguageOnly)
                .map(|_| ()),
            Keyword::Direction => {
                direction(value, place)?;
                self.drop_or_refuse(place, Dropped::Direction).map(|_| ())
            }
            Keyword::List | Keyword::Set => Err(place.invalid(Code::InvalidSetOrListObject)),
            other => Err(Error::Unsupported {
                place: place.pointer(),
                feature: format!("{} outside of a context", other.as_str()),
            }),
        }
    }

    fn types(&mut self, node: &Node<'_>, value: &Value, place: &Place<'_>) -> Result<(), Error> {
        let single = std::slice::from_ref(value);
        for name in value.as_array().map_or(single, Vec::as_slice) {
            let Value::String(text) = name else {
                return Err(place.invalid(Code::InvalidTypeValue));
            };
            let class = self.resource(node.typed.expand(text, true, true), place)?;
            if let (Some(subject), Some(class)) = (&node.subject, class) {
                let predicate = IRIS.rdf_type.clone();
                self.push(subject.clone(), predicate, class, node.frame.graph, place)?;
            }
        }
        Ok(())
    }

    /// Step 13.4.5: node objects that stand beside this one.
    fn included(&mut self, value: &Value, frame: &Frame<'_>) -> Result<(), Error> {
        let single = std::slice::from_ref(value);
        for item in value.as_array().map_or(single, Vec::as_slice) {
            match (item, self.element(item, frame, &mut Out::Free)?) {
                (Value::Object(_), Found::One(Kind::Node)) => {}
                _ => return Err(frame.place.invalid(Code::InvalidIncludedValue)),
            }
        }
        Ok(())
    }

    /// Step 14: the members of nested objects are the node's own.
    fn nest<'n>(
        &mut self,
        node: &mut Node<'n>,
        key: &str,
        value: &'n Value,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let context = self.nest_context(key, context, place)?;
        let most = self.options.limits.depth;
        if place.depth > most {
            let of = DEPTH;
            return Err(Error::LimitExceeded {
                place: place.pointer(),
                of,
                most,
            });
        }
        let single = std::slice::from_ref(value);
        for nested in value.as_array().map_or(single, Vec::as_slice) {
            let Value::Object(nested) = nested else {
                return Err(place.invalid(Code::InvalidNestValue));
            };
            if nested
                .keys()
                .any(|key| context.keyword(key) == Some(Keyword::Value))
            {
                return Err(place.invalid(Code::InvalidNestValue));
            }
            if let Some(feature) = beyond_nesting(nested, node.typed, &context) {
                return Err(Error::Unsupported {
                    place: place.pointer(),
                    feature: feature.to_owned(),
                });
            }
            self.members(node, nested, &context, place)?;
        }
        Ok(())
    }

    /// Step 13.4.13: `@reverse`, in whose members the node is the value.
    fn reverse<'n>(
        &mut self,
        node: &mut Node<'n>,
        value: &'n Value,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let Value::Object(map) = value else {
            return Err(place.invalid(Code::InvalidReverseValue));
        };
        let frame = Frame {
            context,
            place,
            ..free(&node.frame, place, node.frame.graph)
        };
        let (_, active) = self.contexts(map, &frame)?;
        node.reversed = true;
        let outcome = self.members(node, map, &active, place);
        node.reversed = false;
        outcome
    }
}

/// What the standard leaves open about nested objects, and is read in more than one way.
fn beyond_nesting(
    nested: &Map<String, Value>,
    typed: &Context,
    context: &Context,
) -> Option<&'static str> {
    let is_scoped = |class: &Value| {
        let term = class.as_str().and_then(|class| typed.term(class));
        term.is_some_and(|term| term.scoped.is_some())
    };
    for (key, value) in nested {
        let single = std::slice::from_ref(value);
        let mut values = value.as_array().map_or(single, Vec::as_slice).iter();
        match context.keyword(key) {
            Some(Keyword::Context) => return Some("@context within @nest"),
            Some(Keyword::Type) if values.any(is_scoped) => {
                return Some("a type with a context of its own within @nest");
            }
            _ => {}
        }
    }
    None
}
