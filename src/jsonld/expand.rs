//! Expansion (JSON-LD 1.1 API, section 5.1), without an expanded document in between: each value
//! becomes statements where it stands. What the standard's two algorithms would drop between them
//! is dropped here too, or, in safe mode, refused.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Context, Definition, Name, NameHasher};
use super::error::{Code, DEPTH, Dropped, Error, Place};
use super::keyword::Keyword;
use super::options::{Mode, Options};
use super::processor::{Processor, Scope};
use super::rdf::{Dataset, Quad, Term};
use super::to_rdf::{Graph, Item, Kind, Out};

/// The way through one document.
pub(super) struct Walk<'w> {
    pub(super) processor: &'w Processor,
    pub(super) options: &'w Options<'w>,
    pub(super) safe: bool,
    pub(super) quads: Vec<Quad>,
    pub(super) labels: HashMap<Box<str>, u32>,
    pub(super) blanks: u32,
    /// The `@index` of each node that has one, which no second one may contradict.
    pub(super) indexes: HashMap<(Option<Term>, Term), Box<str>>,
    /// The contexts that came into effect.
    pub(super) contexts: HashSet<u64, BuildHasherDefault<NameHasher>>,
    pub(super) inline_bytes: usize,
    /// Term definitions that inline contexts took.
    pub(super) definitions: usize,
    /// Bytes of the texts in `quads`, and of those that are kept elsewhere.
    pub(super) text_bytes: usize,
}

/// What a value is expanded under.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f> {
    pub(super) context: &'f Arc<Context>,
    /// The active property; none at the top, and in `@graph` and `@included`.
    pub(super) property: Option<&'f str>,
    /// What the context says of it.
    pub(super) definition: Option<&'f Definition>,
    pub(super) graph: &'f Graph,
    pub(super) place: &'f Place<'f>,
    pub(super) from_map: bool,
    pub(super) extras: Extras<'f>,
}

/// What a container adds to each value in it.
#[derive(Clone, Copy, Default)]
pub(super) struct Extras<'f> {
    pub(super) wrap: Wrap,
    /// The key of an `@id` map; `Some(None)` where that is no IRI.
    pub(super) id: Option<&'f Option<Term>>,
    /// The key of a `@type` map.
    pub(super) kind: Option<&'f Option<Term>>,
    /// The property and the value that the key of an `@index` map stands for.
    pub(super) index: Option<(&'f Option<Arc<str>>, &'f Option<Term>)>,
    /// The key of an `@index` map.
    pub(super) index_name: Option<&'f str>,
}

/// Whether a value goes into a graph of its own.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Wrap {
    #[default]
    No,
    Always,
    /// Unless it is a graph object already.
    UnlessGraph,
}

/// What a value turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    One(Kind),
    Several,
}

/// The keywords among an object's members.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape<'v> {
    pub(super) keywords: u32,
    pub(super) id: Option<(&'v str, &'v Value)>,
}

impl<'v> Shape<'v> {
    fn of(map: &'v Map<String, Value>, context: &Context) -> Self {
        let mut shape = Self::default();
        for (key, value) in map {
            if let Some(keyword) = context.keyword(key) {
                shape.keywords |= keyword.bit();
                if keyword == Keyword::Id {
                    shape.id = Some((key, value));
                }
            }
        }
        shape
    }

    pub(super) const fn has(&self, keyword: Keyword) -> bool {
        self.keywords & keyword.bit() != 0
    }
}

impl<'w> Walk<'w> {
    pub(super) fn new(processor: &'w Processor, options: &'w Options<'w>) -> Self {
        Self {
            processor,
            options,
            safe: options.mode == Mode::Safe,
            quads: Vec::with_capacity(128),
            labels: HashMap::new(),
            blanks: 0,
            indexes: HashMap::new(),
            contexts: HashSet::with_capacity_and_hasher(32, BuildHasherDefault::default()),
            inline_bytes: 0,
            definitions: 0,
            text_bytes: 0,
        }
    }

    /// The whole document.
    pub(super) fn document(
        mut self,
        document: &Value,
        mut root: Arc<Context>,
    ) -> Result<Dataset, Error> {
        if let Some(context) = self.options.expand_context {
            let context = context.get("@context").unwrap_or(context);
            root = self.local(&root, context, &Place::ROOT)?;
        }
        let frame = Frame {
            context: &root,
            property: None,
            definition: None,
            graph: &Graph::Default,
            place: &Place::ROOT,
            from_map: false,
            extras: Extras::default(),
        };
        self.element(document, &frame, &mut Out::Free)?;
        Ok(self.finish())
    }

    /// Expands `value` and hands what comes of it to `out`.
    pub(super) fn element(
        &mut self,
        value: &Value,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let most = self.options.limits.depth;
        if frame.place.depth > most {
            return Err(Error::LimitExceeded {
                place: frame.place.pointer(),
                of: DEPTH,
                most,
            });
        }
        match value {
            Value::Null => self.drop_or_refuse(frame.place, Dropped::Null),
            Value::Array(items) => self.array(items, frame, out),
            Value::Object(map) => self.object(map, frame, out),
            scalar => self.scalar(scalar, frame, out),
        }
    }

    /// Nothing, or in safe mode an error.
    pub(super) fn drop_or_refuse(&self, place: &Place<'_>, what: Dropped) -> Result<Found, Error> {
        if self.safe {
            Err(place.dropped(what))
        } else {
            Ok(Found::Nothing)
        }
    }

    fn array(
        &mut self,
        items: &[Value],
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let in_list = frame
            .definition
            .is_some_and(|definition| definition.container.has(Keyword::List));
        for (number, item) in items.iter().enumerate() {
            let place = frame.place.item(number);
            let frame = Frame {
                place: &place,
                ..*frame
            };
            let Out::List(list) = &mut *out else {
                self.element(item, &frame, out)?;
                continue;
            };
            let mut inner = Vec::new();
            let found = self.element(item, &frame, &mut Out::List(&mut inner))?;
            if found == Found::Several {
                if !in_list {
                    // The letter of the standard flattens it, and most make it a list.
                    let feature = "an array within @list, outside of a list container".to_owned();
                    let place = place.pointer();
                    return Err(Error::Unsupported { place, feature });
                }
                // An array in a list is a list of its own.
                inner = vec![self.list(inner, frame.graph, &place)?];
            }
            list.append(&mut inner);
        }
        Ok(Found::Several)
    }

    fn scalar(
        &mut self,
        value: &Value,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let Some(property) = frame.property else {
            return self.drop_or_refuse(frame.place, Dropped::FreeFloating);
        };
        let scoped = frame
            .definition
            .and_then(|definition| definition.scoped.as_deref());
        let Some(scoped) = scoped else {
            let item = self.coerced(value, frame.context, frame.definition, frame)?;
            return self.deliver(item, frame, out);
        };
        let context = self.enter(frame.context, scoped, Scope::Property, frame.place)?;
        let definition = context.term(property).map(|definition| &**definition);
        let item = self.coerced(value, &context, definition, frame)?;
        self.deliver(item, frame, out)
    }

    fn object(
        &mut self,
        map: &Map<String, Value>,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let (typed, active) = self.contexts(map, frame)?;
        let definition = match frame.property {
            Some(property) if !Arc::ptr_eq(&active, frame.context) => {
                active.term(property).map(|definition| &**definition)
            }
            _ => frame.definition,
        };
        let frame = Frame {
            context: &active,
            definition,
            ..*frame
        };
        let shape = Shape::of(map, &active);
        if shape.has(Keyword::Value) {
            self.value_object(map, &typed, &frame, out)
        } else if shape.has(Keyword::List) || shape.has(Keyword::Set) {
            self.set_or_list(map, &frame, out)
        } else {
            self.node(map, shape, &typed, &frame, out)
        }
    }

    /// Steps 13.4.11, 13.4.12 and 17: `{"@list": …}` and `{"@set": …}`.
    fn set_or_list(
        &mut self,
        map: &Map<String, Value>,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let mut content = None;
        for (key, value) in map {
            let place = frame.place.member(key);
            match frame.context.keyword(key) {
                Some(Keyword::Context) => {}
                Some(Keyword::Index) => self.check_index(value, &place)?,
                Some(keyword @ (Keyword::List | Keyword::Set)) if content.is_none() => {
                    content = Some((keyword, value, place));
                }
                Some(_) => return Err(place.invalid(Code::InvalidSetOrListObject)),
                None if self.is_dropped(key, value, frame.context, &place)? => {}
                None => return Err(place.invalid(Code::InvalidSetOrListObject)),
            }
        }
        let (keyword, value, place) = content.expect("the caller saw @list or @set");
        let inner = Frame {
            place: &place,
            from_map: false,
            ..*frame
        };
        if keyword == Keyword::Set {
            self.element(value, &inner, out)?;
            return Ok(Found::Several);
        }
        if frame.property.is_none() {
            return self.drop_or_refuse(frame.place, Dropped::FreeFloating);
        }
        let mut items = Vec::new();
        let inner = Frame {
            extras: Extras::default(),
            ..inner
        };
        self.element(value, &inner, &mut Out::List(&mut items))?;
        let term = self.list(items, frame.graph, frame.place)?;
        self.deliver(
            Item {
                kind: Kind::List,
                term,
            },
            frame,
            out,
        )
    }

    /// Whether a member that is no keyword would be left out of the expanded document. In safe
    /// mode that is an error.
    pub(super) fn is_dropped(
        &self,
        key: &str,
        value: &Value,
        context: &Context,
        place: &Place<'_>,
    ) -> Result<bool, Error> {
        let means_nothing = match context.expand(key, true, false) {
            Name::Null => true,
            Name::Other(text) => !text.contains(':'),
            _ => false,
        };
        if self.safe && means_nothing {
            return Err(Error::UndefinedTerm {
                place: place.pointer(),
                term: key.to_owned(),
            });
        }
        Ok(means_nothing || value.is_null())
    }
}
