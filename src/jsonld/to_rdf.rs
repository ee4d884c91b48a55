//! Statements as they are found (JSON-LD 1.1 API, section 8): blank nodes, lists, and where a
//! value goes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::context::Name;
use super::error::{Code, Dropped, Error, Place};
use super::expand::{Found, Frame, Walk, Wrap};
use super::rdf::{Dataset, Quad, Term};

/// The IRIs that JSON-LD brings along, each made once.
pub(super) static IRIS: LazyLock<Iris> = LazyLock::new(Iris::new);

macro_rules! iris {
    ($($name:ident $text:expr),+ $(,)?) => {
        pub(super) struct Iris { $(pub(super) $name: Arc<str>),+ }

        impl Iris {
            fn new() -> Self {
                Self { $($name: $text.into()),+ }
            }
        }
    };
}

iris! {
    rdf_type "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    rdf_first "http://www.w3.org/1999/02/22-rdf-syntax-ns#first",
    rdf_rest "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest",
    rdf_nil "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil",
    rdf_value "http://www.w3.org/1999/02/22-rdf-syntax-ns#value",
    rdf_language "http://www.w3.org/1999/02/22-rdf-syntax-ns#language",
    rdf_direction "http://www.w3.org/1999/02/22-rdf-syntax-ns#direction",
    rdf_json "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON",
    lang_string super::rdf::RDF_LANG_STRING,
    xsd_string super::rdf::XSD_STRING,
    xsd_boolean "http://www.w3.org/2001/XMLSchema#boolean",
    xsd_integer "http://www.w3.org/2001/XMLSchema#integer",
    xsd_double "http://www.w3.org/2001/XMLSchema#double",
    yes "true",
    no "false",
}

/// Where statements go.
#[derive(Debug, Clone)]
pub(super) enum Graph {
    Default,
    Named(Term),
    /// A graph whose name is no IRI: RDF cannot hold what is in it.
    Nowhere,
}

impl Graph {
    pub(super) fn of(name: &Option<Term>) -> Self {
        name.clone().map_or(Self::Nowhere, Self::Named)
    }
}

/// What a value is, once expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Value,
    List,
}

/// An expanded value; without a term where RDF cannot name it.
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) term: Option<Term>,
}

/// Who gets a value.
pub(super) enum Out<'o> {
    /// Nobody: it stands by itself.
    Free,
    /// A property of a subject.
    Statement {
        subject: &'o Option<Term>,
        predicate: &'o Option<Arc<str>>,
        /// The value is the subject instead.
        reverse: bool,
        /// Only a node can be the value, even where a reverse property within `@reverse` leads
        /// forward again.
        nodes_only: bool,
    },
    /// A list.
    List(&'o mut Vec<Option<Term>>),
}

impl Walk<'_> {
    /// Hands an item over, with what its container adds to it.
    pub(super) fn deliver(
        &mut self,
        item: Item,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let extras = &frame.extras;
        if extras.wrap != Wrap::No {
            if item.kind == Kind::List {
                let feature = "a list in a graph container".to_owned();
                return Err(Error::Unsupported {
                    place: frame.place.pointer(),
                    feature,
                });
            }
            // A value alone in a graph states nothing.
            self.drop_or_refuse(frame.place, Dropped::FreeFloating)?;
            let name = self.name_or_blank(extras.id.cloned());
            return self.put(
                Item {
                    kind: Kind::Node,
                    term: name,
                },
                frame,
                out,
            );
        }
        let adds = extras.id.is_some() || extras.kind.is_some() || extras.index.is_some();
        if adds && item.kind != Kind::Node {
            return Err(frame.place.invalid(Code::InvalidValueObject));
        }
        self.put(item, frame, out)
    }

    /// Hands an item over, with the type and the index property that its container adds to it.
    pub(super) fn put(
        &mut self,
        item: Item,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let Item { kind, term } = item;
        if let Some(added) = frame.extras.kind {
            self.state(&term, &Some(IRIS.rdf_type.clone()), added.clone(), frame)?;
        }
        if let Some((property, value)) = frame.extras.index {
            self.state(&term, property, value.clone(), frame)?;
        }
        match out {
            Out::Free => {}
            Out::List(items) => {
                self.count_text(term.as_ref().map_or(0, Term::text_len), frame.place)?;
                items.push(term);
            }
            Out::Statement {
                nodes_only: true, ..
            } if kind != Kind::Node => {
                return Err(frame.place.invalid(Code::InvalidReversePropertyValue));
            }
            Out::Statement {
                subject,
                predicate,
                reverse,
                ..
            } => {
                let subject = *subject;
                if *reverse {
                    self.state(&term, predicate, subject.clone(), frame)?;
                } else {
                    self.state(subject, predicate, term, frame)?;
                }
            }
        }
        Ok(Found::One(kind))
    }

    /// A statement, if RDF can hold it.
    pub(super) fn state(
        &mut self,
        subject: &Option<Term>,
        predicate: &Option<Arc<str>>,
        object: Option<Term>,
        frame: &Frame<'_>,
    ) -> Result<(), Error> {
        if let (Some(subject), Some(predicate), Some(object)) = (subject, predicate, object) {
            self.push(
                subject.clone(),
                predicate.clone(),
                object,
                frame.graph,
                frame.place,
            )?;
        }
        Ok(())
    }

    pub(super) fn push(
        &mut self,
        subject: Term,
        predicate: Arc<str>,
        object: Term,
        graph: &Graph,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let graph = match graph {
            Graph::Default => None,
            Graph::Named(name) => Some(name.clone()),
            Graph::Nowhere => return Ok(()),
        };
        let most = self.options.limits.quads;
        if self.quads.len() >= most {
            return Err(Error::LimitExceeded {
                place: place.pointer(),
                of: "statements",
                most,
            });
        }
        let quad = Quad {
            subject,
            predicate,
            object,
            graph,
        };
        self.count_text(quad.text_len(), place)?;
        self.quads.push(quad);
        Ok(())
    }

    /// Counts text that is kept. It may be shared here, but each statement is written with all
    /// of its texts.
    pub(super) fn count_text(&mut self, bytes: usize, place: &Place<'_>) -> Result<(), Error> {
        self.text_bytes += bytes;
        let most = self.options.limits.text_bytes;
        if self.text_bytes > most {
            return Err(Error::LimitExceeded {
                place: place.pointer(),
                of: "bytes of text in statements",
                most,
            });
        }
        Ok(())
    }

    /// The head of a list of `items` (API, section 8.4).
    pub(super) fn list(
        &mut self,
        items: Vec<Option<Term>>,
        graph: &Graph,
        place: &Place<'_>,
    ) -> Result<Option<Term>, Error> {
        let nil = Term::Iri(IRIS.rdf_nil.clone());
        let mut left = items.len();
        if left == 0 {
            return Ok(Some(nil));
        }
        let head = self.blank();
        let mut node = head.clone();
        for item in items {
            left -= 1;
            if let Some(item) = item {
                self.push(node.clone(), IRIS.rdf_first.clone(), item, graph, place)?;
            }
            let next = if left == 0 { nil.clone() } else { self.blank() };
            self.push(node, IRIS.rdf_rest.clone(), next.clone(), graph, place)?;
            node = next;
        }
        Ok(Some(head))
    }

    /// The node that a name stands for; none, or in safe mode an error, where it is no IRI.
    pub(super) fn resource(
        &mut self,
        name: Name,
        place: &Place<'_>,
    ) -> Result<Option<Term>, Error> {
        match name {
            Name::Iri(iri) => Ok(Some(Term::Iri(iri))),
            Name::Blank(label) => self.labelled(&label, place).map(Some),
            other if self.safe => Err(match other.text() {
                Some(text) => Error::RelativeIri {
                    place: place.pointer(),
                    iri: text.to_owned(),
                },
                None => place.dropped(Dropped::Reserved),
            }),
            _ => Ok(None),
        }
    }

    /// `name`, or a new blank node where there is none.
    pub(super) fn name_or_blank(&mut self, name: Option<Option<Term>>) -> Option<Term> {
        name.unwrap_or_else(|| Some(self.blank()))
    }

    /// A new blank node.
    pub(super) fn blank(&mut self) -> Term {
        self.blanks += 1;
        Term::Blank(self.blanks - 1)
    }

    fn labelled(&mut self, label: &str, place: &Place<'_>) -> Result<Term, Error> {
        if let Some(number) = self.labels.get(label) {
            return Ok(Term::Blank(*number));
        }
        self.count_text(label.len(), place)?;
        self.labels.insert(label.into(), self.blanks);
        Ok(self.blank())
    }

    /// The dataset. Outside of safe mode blank nodes may have lost all their statements; the
    /// others are then numbered anew, without gaps.
    pub(super) fn finish(mut self) -> Dataset {
        if !self.safe {
            let mut numbers = HashMap::new();
            let mut renumber = |term: &mut Term| {
                if let Term::Blank(number) = term {
                    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                    *number = *numbers.entry(*number).or_insert(next);
                }
            };
            for quad in &mut self.quads {
                renumber(&mut quad.subject);
                renumber(&mut quad.object);
                quad.graph.iter_mut().for_each(&mut renumber);
            }
            self.blanks = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        }
        Dataset {
            quads: self.quads,
            blank_count: self.blanks,
        }
    }
}
