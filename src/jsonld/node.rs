//! Node objects and their members (JSON-LD 1.1 API, section 5.1.2, steps 13 and 14, and
//! section 7).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Context, Definition, Name};
use super::error::{Code, Dropped, Error, Place};
use super::expand::{Extras, Found, Frame, Shape, Walk, Wrap};
use super::keyword::{Keyword, is_reserved};
use super::options::InlineTerms;
use super::rdf::Term;
use super::to_rdf::{Graph, Item, Kind, Out};

/// The node whose members are being read.
pub(super) struct Node<'n> {
    pub(super) subject: Option<Term>,
    /// What type-scoped contexts came on top of; types are expanded with it.
    pub(super) typed: &'n Arc<Context>,
    pub(super) frame: Frame<'n>,
    /// Within `@reverse`, where the node is the value.
    pub(super) reversed: bool,
    pub(super) seen: u32,
    /// Whether the expanded node would have any entry but `@graph`.
    pub(super) added: bool,
    /// Read last, since it matters whether there is anything else.
    pub(super) graphs: Vec<(&'n Value, String)>,
}

impl Walk<'_> {
    /// A node, within a graph of its own where its container says so.
    pub(super) fn node(
        &mut self,
        map: &Map<String, Value>,
        shape: Shape<'_>,
        typed: &Arc<Context>,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let wrapped = match frame.extras.wrap {
            Wrap::No => false,
            Wrap::Always => true,
            Wrap::UnlessGraph => !self.is_graph_object(map, shape, frame)?,
        };
        let before = self.quads.len();
        if wrapped {
            let name = self.name_or_blank(frame.extras.id.cloned());
            let graph = Graph::of(&name);
            let inner = Frame {
                graph: &graph,
                extras: Extras::default(),
                ..*frame
            };
            if self.members_of(map, shape, typed, &inner)?.is_none() {
                return Ok(Found::Nothing);
            }
            self.check_free(before, frame)?;
            return self.put(
                Item {
                    kind: Kind::Node,
                    term: name,
                },
                frame,
                out,
            );
        }
        let Some(subject) = self.members_of(map, shape, typed, frame)? else {
            return Ok(Found::Nothing);
        };
        if frame.property.is_none() {
            self.check_free(before, frame)?;
        }
        self.put(
            Item {
                kind: Kind::Node,
                term: subject,
            },
            frame,
            out,
        )
    }

    /// In safe mode, a node that nothing points to has to state something.
    fn check_free(&self, before: usize, frame: &Frame<'_>) -> Result<(), Error> {
        if self.quads.len() == before {
            self.drop_or_refuse(frame.place, Dropped::EmptyNode)?;
        }
        Ok(())
    }

    /// Reads a node. The outcome is its name, if that is one; nothing at all where the node
    /// comes to nothing.
    fn members_of(
        &mut self,
        map: &Map<String, Value>,
        shape: Shape<'_>,
        typed: &Arc<Context>,
        frame: &Frame<'_>,
    ) -> Result<Option<Option<Term>>, Error> {
        let before = self.quads.len();
        let own = match shape.id {
            _ if shape.has(Keyword::Nest) => self.nested_name(map, frame)?,
            Some((key, value)) => Some(self.own_name(value, frame, &frame.place.member(key))?),
            None => None,
        };
        let name = own.or_else(|| frame.extras.id.cloned());
        let named = name.is_some();
        let mut node = Node {
            subject: self.name_or_blank(name),
            typed,
            frame: *frame,
            reversed: false,
            seen: 0,
            added: false,
            graphs: Vec::new(),
        };
        self.members(&mut node, map, frame.context, frame.place)?;
        let alone = frame.place.depth == 0 && !node.added && !named;
        for (value, key) in std::mem::take(&mut node.graphs) {
            let graph = if alone {
                Graph::Default
            } else {
                Graph::of(&node.subject)
            };
            let place = frame.place.member(&key);
            let inner = free(frame, &place, &graph);
            self.element(value, &inner, &mut Out::Free)?;
            node.added = true;
        }
        if let Some(index) = frame.extras.index_name
            && node.seen & Keyword::Index.bit() == 0
        {
            self.note_index(&node, index)?;
        }
        if !named && !node.added && shape.has(Keyword::Language) {
            self.quads.truncate(before);
            return Ok(None);
        }
        Ok(Some(node.subject))
    }

    /// The value of `@id`.
    fn own_name(
        &mut self,
        value: &Value,
        frame: &Frame<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Term>, Error> {
        let Value::String(text) = value else {
            return Err(place.invalid(Code::InvalidIdValue));
        };
        self.resource(frame.context.expand(text, false, true), place)
    }

    /// The `@id` of a node where it may stand in `@nest`.
    fn nested_name(
        &mut self,
        map: &Map<String, Value>,
        frame: &Frame<'_>,
    ) -> Result<Option<Option<Term>>, Error> {
        let mut found = None;
        for (key, value) in map {
            let place = frame.place.member(key);
            match frame.context.keyword(key) {
                Some(Keyword::Id) => found = Some(self.own_name(value, frame, &place)?),
                Some(Keyword::Nest) if place.depth <= self.options.limits.depth => {
                    let context = self.nest_context(key, frame.context, &place)?;
                    let inner = Frame {
                        context: &context,
                        place: &place,
                        ..*frame
                    };
                    let single = std::slice::from_ref(value);
                    let nested = value.as_array().map_or(single, Vec::as_slice);
                    for nested in nested.iter().filter_map(Value::as_object) {
                        found = self.nested_name(nested, &inner)?.or(found);
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Whether an object expands to one with `@graph` and at most `@id` and `@index` beside it.
    fn is_graph_object(
        &self,
        map: &Map<String, Value>,
        shape: Shape<'_>,
        frame: &Frame<'_>,
    ) -> Result<bool, Error> {
        const ALLOWED: u32 = Keyword::Graph.bit()
            | Keyword::Id.bit()
            | Keyword::Index.bit()
            | Keyword::Context.bit();
        if !shape.has(Keyword::Graph) || shape.keywords & !ALLOWED != 0 {
            return Ok(false);
        }
        for (key, value) in map {
            let plain = frame.context.keyword(key).is_none();
            if plain && !self.is_dropped(key, value, frame.context, &frame.place.member(key))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the members of `map` as those of `node`.
    pub(super) fn members<'n>(
        &mut self,
        node: &mut Node<'n>,
        map: &'n Map<String, Value>,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        for (key, value) in map {
            if key == "@context" {
                continue;
            }
            let place = place.member(key);
            let definition = context.term(key).map(|definition| &**definition);
            let expanded;
            let name = match definition {
                Some(definition) => &definition.mapping,
                None => {
                    expanded = self.key(key, context, &place)?;
                    &expanded
                }
            };
            let predicate = match name {
                Name::Keyword(keyword) => {
                    self.keyword(node, *keyword, key, value, context, &place)?;
                    continue;
                }
                Name::Iri(iri) => Some(iri.clone()),
                Name::Blank(_) => {
                    let term = key.clone();
                    return Err(Error::BlankPredicate {
                        place: place.pointer(),
                        term,
                    });
                }
                other => {
                    if !self.goes_on_without(other, key, &place)? {
                        continue;
                    }
                    None
                }
            };
            node.added |= !value.is_null();
            self.property(node, key, definition, &predicate, value, context, &place)?;
        }
        Ok(())
    }

    /// What a key without a definition means.
    fn key(&self, key: &str, context: &Context, place: &Place<'_>) -> Result<Name, Error> {
        let name = context.expand(key, true, false);
        if self.options.inline_terms == InlineTerms::NoSecondNames
            && let Name::Iri(iri) = &name
            && self.processor.known_terms(iri)
        {
            let (term, iri) = (key.to_owned(), iri.to_string());
            return Err(Error::SecondName {
                place: place.pointer(),
                term,
                iri,
            });
        }
        Ok(name)
    }

    /// A key that is no IRI: one with a colon is read on, so that what is below it counts; the
    /// others are left out with all that is below them. In safe mode each is an error.
    fn goes_on_without(&self, name: &Name, key: &str, place: &Place<'_>) -> Result<bool, Error> {
        let with_colon = name.text().is_some_and(|text| text.contains(':'));
        if !self.safe {
            return Ok(with_colon);
        }
        let pointer = place.pointer();
        Err(match name.text() {
            Some(text) if with_colon => Error::RelativeIri {
                place: pointer,
                iri: text.to_owned(),
            },
            _ if is_reserved(key) => place.dropped(Dropped::Reserved),
            _ => Error::UndefinedTerm {
                place: pointer,
                term: key.to_owned(),
            },
        })
    }

    /// An `@index` has to be a string. RDF has no place for it, so that safe mode refuses it.
    pub(super) fn check_index(&self, value: &Value, place: &Place<'_>) -> Result<(), Error> {
        if !value.is_string() {
            return Err(place.invalid(Code::InvalidIndexValue));
        }
        self.drop_or_refuse(place, Dropped::Index).map(|_| ())
    }

    /// Node Map Generation, step 6.9: a node has one index at most.
    pub(super) fn note_index(&mut self, node: &Node<'_>, index: &str) -> Result<(), Error> {
        let graph = match node.frame.graph {
            Graph::Default => None,
            Graph::Named(name) => Some(name.clone()),
            Graph::Nowhere => return Ok(()),
        };
        let Some(subject) = node.subject.clone() else {
            return Ok(());
        };
        let name = (graph, subject);
        if !self.indexes.contains_key(&name) {
            let graph = name.0.as_ref().map_or(0, Term::text_len);
            self.count_text(graph + name.1.text_len() + index.len(), node.frame.place)?;
        }
        let known = self.indexes.entry(name).or_insert_with(|| index.into());
        if **known == *index {
            Ok(())
        } else {
            Err(node.frame.place.invalid(Code::ConflictingIndexes))
        }
    }
}

/// A frame for what stands by itself.
pub(super) fn free<'f>(frame: &Frame<'f>, place: &'f Place<'f>, graph: &'f Graph) -> Frame<'f> {
    Frame {
        context: frame.context,
        property: None,
        definition: None,
        graph,
        place,
        from_map: false,
        extras: Extras::default(),
    }
}

/// The frame for the values of a property of `node`.
pub(super) fn under<'f>(
    node: &'f Node<'_>,
    key: &'f str,
    definition: Option<&'f Definition>,
    context: &'f Arc<Context>,
    place: &'f Place<'f>,
) -> Frame<'f> {
    Frame {
        context,
        property: Some(key),
        definition,
        graph: node.frame.graph,
        place,
        from_map: false,
        extras: Extras::default(),
    }
}
