//! Properties and their containers (JSON-LD 1.1 API, section 5.1.2, steps 13.5 to 13.14).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Context, Definition, Name};
use super::error::{Code, Dropped, Error, Place};
use super::expand::{Extras, Found, Frame, Walk, Wrap};
use super::keyword::Keyword;
use super::node::{Node, under};
use super::processor::Scope;
use super::rdf::Term;
use super::to_rdf::{Item, Kind, Out};

impl Walk<'_> {
    /// The values of one property of `node`.
    #[expect(
        clippy::too_many_arguments,
        reason = "what a member is, and what it stands in"
    )]
    pub(super) fn property(
        &mut self,
        node: &Node<'_>,
        key: &str,
        definition: Option<&Definition>,
        predicate: &Option<Arc<str>>,
        value: &Value,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let frame = under(node, key, definition, context, place);
        let backwards = definition.is_some_and(|definition| definition.reverse);
        let mut out = Out::Statement {
            subject: &node.subject,
            predicate,
            reverse: node.reversed != backwards,
            nodes_only: node.reversed || backwards,
        };
        let Some(definition) = definition else {
            return self.element(value, &frame, &mut out).map(|_| ());
        };
        let container = definition.container;
        if definition.coercion == super::context::Coercion::Json {
            let term = self.json_literal(value, place)?;
            let item = Item {
                kind: Kind::Value,
                term,
            };
            return if container.has(Keyword::List) {
                let term = self.list(vec![item.term], frame.graph, place)?;
                self.put(
                    Item {
                        kind: Kind::List,
                        term,
                    },
                    &frame,
                    &mut out,
                )
                .map(|_| ())
            } else {
                self.deliver(item, &wrapping(&frame, definition), &mut out)
                    .map(|_| ())
            };
        }
        match value {
            Value::Object(map) if container.has(Keyword::Language) => {
                self.language_map(map, definition, &frame, &mut out)
            }
            Value::Object(map) if is_map(definition) => {
                self.index_map(map, definition, &frame, &mut out)
            }
            _ if container.has(Keyword::List) => self.list_container(value, &frame, &mut out),
            _ => self
                .element(value, &wrapping(&frame, definition), &mut out)
                .map(|_| ()),
        }
    }

    /// Step 13.11: whatever is under a `@list` container is a list.
    fn list_container(
        &mut self,
        value: &Value,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), Error> {
        let mut items = Vec::new();
        let term = match self.element(value, frame, &mut Out::List(&mut items))? {
            Found::Nothing => return Ok(()),
            // It was written as a list already.
            Found::One(Kind::List) => items.pop().flatten(),
            Found::One(_) | Found::Several => self.list(items, frame.graph, frame.place)?,
        };
        self.put(
            Item {
                kind: Kind::List,
                term,
            },
            frame,
            out,
        )
        .map(|_| ())
    }

    /// Step 13.7: a map from languages to texts.
    fn language_map(
        &mut self,
        map: &Map<String, Value>,
        definition: &Definition,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), Error> {
        let direction = definition.direction.unwrap_or(frame.context.direction);
        for (language, texts) in map {
            let place = frame.place.member(language);
            let none = frame.context.expand(language, true, false) == Name::Keyword(Keyword::None);
            let tag = (!none).then(|| language.to_lowercase().into());
            let single = std::slice::from_ref(texts);
            for text in texts.as_array().map_or(single, Vec::as_slice) {
                let frame = Frame {
                    place: &place,
                    ..*frame
                };
                match text {
                    Value::Null => {
                        self.drop_or_refuse(&place, Dropped::Null)?;
                    }
                    Value::String(_) => {
                        let term = self.literal(text, None, tag.clone(), direction, &frame)?;
                        self.deliver(
                            Item {
                                kind: Kind::Value,
                                term,
                            },
                            &frame,
                            out,
                        )?;
                    }
                    _ => return Err(place.invalid(Code::InvalidLanguageMapValue)),
                }
            }
        }
        Ok(())
    }

    /// Step 13.8: a map from indexes, names or types to values.
    fn index_map(
        &mut self,
        map: &Map<String, Value>,
        definition: &Definition,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), Error> {
        let container = definition.container;
        for (key, value) in map {
            let place = frame.place.member(key);
            let frame = Frame {
                place: &place,
                from_map: true,
                ..*frame
            };
            let expanded = frame.context.expand(key, true, true);
            let (mut id, mut kind, mut index, mut index_name) = (None, None, None, None);
            if expanded != Name::Keyword(Keyword::None) {
                if container.has(Keyword::Index) {
                    match &definition.index {
                        Some(property) => index = Some(self.indexed(key, property, &frame)?),
                        None => {
                            self.drop_or_refuse(&place, Dropped::Index)?;
                            index_name = Some(key.as_str());
                        }
                    }
                } else if container.has(Keyword::Id) {
                    id = Some(self.resource(frame.context.expand(key, false, true), &place)?);
                } else {
                    kind = Some(self.resource(expanded, &place)?);
                }
            }
            let extras = Extras {
                wrap: if container.has(Keyword::Graph) {
                    Wrap::UnlessGraph
                } else {
                    Wrap::No
                },
                id: id.as_ref(),
                kind: kind.as_ref(),
                index: index.as_ref().map(|(property, value)| (property, value)),
                index_name,
            };
            let context = self.map_context(key, definition, &frame)?;
            let definition = context.term(frame.property.unwrap_or_default());
            let definition = definition.map(|definition| &**definition);
            let frame = Frame {
                context: &context,
                definition,
                extras,
                ..frame
            };
            self.element(value, &frame, out)?;
        }
        Ok(())
    }

    /// Steps 13.8.2.1 to 13.8.2.3: the context for what is under one key.
    fn map_context(
        &mut self,
        key: &str,
        definition: &Definition,
        frame: &Frame<'_>,
    ) -> Result<Arc<Context>, Error> {
        let container = definition.container;
        if !container.has(Keyword::Id) && !container.has(Keyword::Type) {
            return Ok(frame.context.clone());
        }
        let context = frame.context.previous.as_ref().unwrap_or(frame.context);
        let term = container
            .has(Keyword::Type)
            .then(|| context.term(key))
            .flatten();
        match term.and_then(|term| term.scoped.as_deref()) {
            None => Ok(context.clone()),
            Some(scoped) => self.enter(context, scoped, Scope::Type, frame.place),
        }
    }

    /// Step 13.8.2.7.2: an index as the value of a property.
    fn indexed(
        &mut self,
        key: &str,
        property: &str,
        frame: &Frame<'_>,
    ) -> Result<(Option<Arc<str>>, Option<Term>), Error> {
        let context = frame.context;
        let definition = context.term(property).map(|definition| &**definition);
        let value = self.coerced(&Value::String(key.to_owned()), context, definition, frame)?;
        match context.expand(property, true, false) {
            Name::Iri(iri) => Ok((Some(iri), value.term)),
            Name::Blank(_) => {
                let term = property.to_owned();
                Err(Error::BlankPredicate {
                    place: frame.place.pointer(),
                    term,
                })
            }
            other if self.safe => {
                let iri = other.text().unwrap_or(property).to_owned();
                Err(Error::RelativeIri {
                    place: frame.place.pointer(),
                    iri,
                })
            }
            _ => Ok((None, value.term)),
        }
    }
}

/// The frame for values that each go into a graph of their own, where the container says so
/// (step 13.12).
fn wrapping<'f>(frame: &Frame<'f>, definition: &Definition) -> Frame<'f> {
    let container = definition.container;
    let always = container.has(Keyword::Graph) && !is_map(definition);
    let wrap = if always { Wrap::Always } else { Wrap::No };
    Frame {
        extras: Extras {
            wrap,
            ..Extras::default()
        },
        ..*frame
    }
}

/// Whether an object under this term is a map from indexes, names or types.
fn is_map(definition: &Definition) -> bool {
    let container = definition.container;
    container.has(Keyword::Index) || container.has(Keyword::Id) || container.has(Keyword::Type)
}
