//! RDF 1.1 terms, quads and datasets, as small as canonicalization at rate needs them.

use std::sync::Arc;

/// The datatype of a plain string.
pub const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
/// The datatype of a string with a language tag.
pub const RDF_LANG_STRING: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";

/// A node or a value. Texts are shared, since most of them come out of a context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    /// An absolute IRI.
    Iri(Arc<str>),
    /// A blank node, by its number within the dataset.
    Blank(u32),
    /// A value; only as an object.
    Literal(Literal),
}

impl Term {
    /// Bytes of its texts; none for a blank node.
    pub(super) fn text_len(&self) -> usize {
        match self {
            Self::Iri(iri) => iri.len(),
            Self::Blank(_) => 0,
            Self::Literal(literal) => {
                let language = literal.language.as_ref().map_or(0, |tag| tag.len());
                literal.value.len() + literal.datatype.len() + language
            }
        }
    }
}

/// A value with its datatype (RDF 1.1 Concepts, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The lexical form.
    pub value: Arc<str>,
    /// IRI of the datatype; [`RDF_LANG_STRING`] exactly where there is a language.
    pub datatype: Arc<str>,
    /// The language tag.
    pub language: Option<Arc<str>>,
}

/// One statement, in a named graph or (`None`) in the default graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quad {
    /// An IRI or a blank node.
    pub subject: Term,
    /// An IRI. (Blank predicates are not RDF and never come out of this crate.)
    pub predicate: Arc<str>,
    /// Any term.
    pub object: Term,
    /// An IRI or a blank node.
    pub graph: Option<Term>,
}

impl Quad {
    /// Bytes of the texts of its terms.
    pub(super) fn text_len(&self) -> usize {
        self.subject.text_len()
            + self.predicate.len()
            + self.object.text_len()
            + self.graph.as_ref().map_or(0, Term::text_len)
    }
}

/// Statements. Order has no meaning, and a statement that stands twice means the same as once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The statements, in the order in which they were found.
    pub quads: Vec<Quad>,
    /// How many blank nodes there are: [`Term::Blank`] holds numbers below it.
    pub blank_count: u32,
}
