//! How a document is to be read: what may be dropped, and how much work it may cost.

use std::str::FromStr;

use super::error::Error;

/// How strictly a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Everything that JSON-LD would silently drop is an error that names it: what is signed is
    /// all that a reader of the JSON sees. The mode for credentials.
    ///
    /// An empty array is accepted, since it states nothing; JSON `null` is not.
    #[default]
    Safe,
    /// As the JSON-LD 1.1 API says: what cannot be stated in RDF is left out.
    Standard,
}

/// What becomes of `@direction`, for which RDF has no place of its own (JSON-LD 1.1 API,
/// section 9.6, `rdfDirection`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RdfDirection {
    /// It is dropped; in [`Mode::Safe`] it is therefore an error.
    #[default]
    Drop,
    /// It goes into a datatype under `https://www.w3.org/ns/i18n#`.
    I18nDatatype,
    /// The value becomes a blank node with `rdf:value`, `rdf:language` and `rdf:direction`.
    CompoundLiteral,
}

/// What a context written into the document itself may define.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InlineTerms {
    /// Anything that JSON-LD allows.
    #[default]
    Any,
    /// No second name for something that a known context document names already, be it an IRI or
    /// a keyword; neither by a term, nor by `@vocab` or a full or compact IRI as property key.
    /// A reader who goes by the well-known names then sees every statement that is made with them.
    NoSecondNames,
}

/// How much a document may cost. Each number is the most that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nested objects and arrays, in the document and in contexts.
    pub depth: usize,
    /// Statements.
    pub quads: usize,
    /// Bytes of the texts of all statements, where a text that stands in many statements counts
    /// in each. What is kept until it is stated, a list's item for one, counts then too.
    pub text_bytes: usize,
    /// Different contexts that come into effect, scoped ones and combinations included; one badge
    /// has about twenty.
    pub contexts: usize,
    /// Bytes of the different contexts that are written into the document itself, as compact
    /// JSON.
    pub inline_bytes: usize,
    /// Term definitions processed for the contexts that inline ones have a part in, again for
    /// each context that they come on top of. Contexts of known documents alone cost nothing.
    pub definitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            quads: 100_000,
            text_bytes: 32 * 1024 * 1024,
            contexts: 500,
            inline_bytes: 32 * 1024,
            definitions: 200_000,
        }
    }
}

/// How one document is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// How strictly.
    pub mode: Mode,
    /// The absolute IRI that relative ones are resolved against; without it they stay relative,
    /// which [`Mode::Safe`] refuses.
    pub base: Option<&'a str>,
    /// A context that comes before the document's own (`expandContext` in the JSON-LD API).
    pub expand_context: Option<&'a serde_json::Value>,
    /// What becomes of `@direction`.
    pub direction: RdfDirection,
    /// What inline contexts may define.
    pub inline_terms: InlineTerms,
    /// How much the document may cost.
    pub limits: Limits,
}

/// The version of JSON-LD that is spoken, as its API names it (`processingMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessingMode {
    /// `json-ld-1.1`, the only one there is.
    #[default]
    JsonLd11,
}

impl FromStr for ProcessingMode {
    type Err = Error;

    /// Reads `json-ld-1.1`; anything else, `json-ld-1.0` above all, is [`Error::Unsupported`].
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "json-ld-1.1" => Ok(Self::JsonLd11),
            other => Err(Error::Unsupported {
                place: String::new(),
                feature: format!("processing mode {other}"),
            }),
        }
    }
}
