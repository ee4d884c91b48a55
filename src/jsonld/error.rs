//! Why a document cannot be turned into RDF, with the place and the name at fault.

use std::fmt;

use thiserror::Error;

/// Why a document was refused. `place` is a JSON pointer (RFC 6901) into the document; where the
/// fault is in a context document, the place where that came into effect.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// Safe mode: a member whose name means nothing. It would be dropped, and so not be signed.
    #[error("at {place:?}: no context defines {term:?}; remove it or add a context that does")]
    UndefinedTerm {
        /// Where the member stands.
        place: String,
        /// Its name.
        term: String,
    },
    /// Safe mode: an IRI that is relative, or that has characters that no IRI has.
    #[error("at {place:?}: {iri:?} is not an absolute IRI; write it in full")]
    RelativeIri {
        /// Where it stands.
        place: String,
        /// What it expands to.
        iri: String,
    },
    /// A property that is a blank node. RDF has no such thing, and this crate does not drop it.
    #[error("at {place:?}: the property {term:?} is a blank node; give it an IRI")]
    BlankPredicate {
        /// Where it stands.
        place: String,
        /// The name.
        term: String,
    },
    /// Safe mode: something else that JSON-LD drops, or that RDF cannot hold exactly.
    #[error("at {place:?}: {what} would be left out of what is signed")]
    Dropped {
        /// Where it stands.
        place: String,
        /// What it is.
        what: Dropped,
    },
    /// A second name for what a known context names already
    /// ([`InlineTerms::NoSecondNames`](super::InlineTerms::NoSecondNames)).
    #[error("at {place:?}: {term:?} is a second name for {iri:?}; use the context's own term")]
    SecondName {
        /// Where the inline context or the member stands.
        place: String,
        /// The second name.
        term: String,
        /// The IRI, or the keyword, that has a name already.
        iri: String,
    },
    /// A context that is not known here; nothing is ever fetched.
    #[error("at {place:?}: the context {url:?} is not known; contexts are never fetched")]
    UnknownContext {
        /// Where it is asked for.
        place: String,
        /// Its URL.
        url: String,
    },
    /// A context that JSON-LD does not allow.
    #[error("at {place:?}: {code}: {name:?}")]
    InvalidContext {
        /// Where the context stands or comes into effect.
        place: String,
        /// The fault, as JSON-LD names it.
        code: Code,
        /// The term, the entry or the URL at fault.
        name: String,
    },
    /// A document that JSON-LD does not allow.
    #[error("at {place:?}: {code}")]
    InvalidDocument {
        /// Where the fault is.
        place: String,
        /// The fault, as JSON-LD names it.
        code: Code,
    },
    /// Part of JSON-LD that is not supported.
    #[error("at {place:?}: {feature} is not supported")]
    Unsupported {
        /// Where it is used.
        place: String,
        /// What it is.
        feature: String,
    },
    /// The document costs more than [`Limits`](super::Limits) allow.
    #[error("at {place:?}: more than {most} {of}")]
    LimitExceeded {
        /// Where the limit was met.
        place: String,
        /// What was counted.
        of: &'static str,
        /// The most that is accepted.
        most: usize,
    },
}

impl Error {
    /// The error code of JSON-LD 1.1 (API, section 9.7.1), where the standard has one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::InvalidContext { code, .. } | Self::InvalidDocument { code, .. } => Some(*code),
            Self::UnknownContext { .. } => Some(Code::LoadingRemoteContextFailed),
            _ => None,
        }
    }
}

/// What JSON-LD drops without a word, or RDF cannot hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Dropped {
    /// JSON `null` as a value.
    #[error("a null value")]
    Null,
    /// A value that is not the value of any property.
    #[error("a value outside of any property")]
    FreeFloating,
    /// A node of which nothing is said where nothing points to it.
    #[error("an object without any property")]
    EmptyNode,
    /// A language without a value.
    #[error("an object with nothing but @language")]
    LanguageOnly,
    /// A text that is no language tag.
    #[error("a value with an ill-formed language tag")]
    Language,
    /// A name of the form of a keyword, reserved for later versions.
    #[error("a name that looks like a keyword")]
    Reserved,
    /// An index, which RDF has no place for.
    #[error("an @index")]
    Index,
    /// A direction, which RDF has no place for.
    #[error("a @direction")]
    Direction,
    /// An integer above 2^53, which readers take for a neighbour of it. (The fraction of a number
    /// is rounded to 15 digits, as JSON-LD says: that is no loss.)
    #[error("part of a number's precision")]
    Precision,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal)+) => {
        /// The error codes of JSON-LD 1.1 (API, section 9.7.1) that can be met here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is described where the standard lists it")]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// The code as the standard spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

codes! {
    CollidingKeywords "colliding keywords"
    ConflictingIndexes "conflicting indexes"
    ContextOverflow "context overflow"
    CyclicIriMapping "cyclic IRI mapping"
    InvalidBaseDirection "invalid base direction"
    InvalidBaseIri "invalid base IRI"
    InvalidContainerMapping "invalid container mapping"
    InvalidContextEntry "invalid context entry"
    InvalidContextNullification "invalid context nullification"
    InvalidDefaultLanguage "invalid default language"
    InvalidIdValue "invalid @id value"
    InvalidImportValue "invalid @import value"
    InvalidIncludedValue "invalid @included value"
    InvalidIndexValue "invalid @index value"
    InvalidIriMapping "invalid IRI mapping"
    InvalidJsonLiteral "invalid JSON literal"
    InvalidKeywordAlias "invalid keyword alias"
    InvalidLanguageMapValue "invalid language map value"
    InvalidLanguageMapping "invalid language mapping"
    InvalidLanguageTaggedString "invalid language-tagged string"
    InvalidLanguageTaggedValue "invalid language-tagged value"
    InvalidLocalContext "invalid local context"
    InvalidNestValue "invalid @nest value"
    InvalidPrefixValue "invalid @prefix value"
    InvalidPropagateValue "invalid @propagate value"
    InvalidProtectedValue "invalid @protected value"
    InvalidRemoteContext "invalid remote context"
    InvalidReverseProperty "invalid reverse property"
    InvalidReversePropertyMap "invalid reverse property map"
    InvalidReversePropertyValue "invalid reverse property value"
    InvalidReverseValue "invalid @reverse value"
    InvalidScopedContext "invalid scoped context"
    InvalidSetOrListObject "invalid set or list object"
    InvalidTermDefinition "invalid term definition"
    InvalidTypeMapping "invalid type mapping"
    InvalidTypeValue "invalid type value"
    InvalidTypedValue "invalid typed value"
    InvalidValueObject "invalid value object"
    InvalidValueObjectValue "invalid value object value"
    InvalidVersionValue "invalid @version value"
    InvalidVocabMapping "invalid vocab mapping"
    KeywordRedefinition "keyword redefinition"
    LoadingRemoteContextFailed "loading remote context failed"
    ProtectedTermRedefinition "protected term redefinition"
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault in a context, before the place in the document is known.
#[derive(Debug)]
pub(super) enum Fault {
    Invalid { code: Code, name: String },
    Unknown { url: String },
    Limit { of: &'static str, most: usize },
}

impl Fault {
    pub(super) fn new(code: Code, name: impl Into<String>) -> Self {
        Self::Invalid {
            code,
            name: name.into(),
        }
    }

    pub(super) fn at(self, place: String) -> Error {
        match self {
            Self::Invalid { code, name } => Error::InvalidContext { place, code, name },
            Self::Unknown { url } => Error::UnknownContext { place, url },
            Self::Limit { of, most } => Error::LimitExceeded { place, of, most },
        }
    }
}

/// What [`Error::LimitExceeded`] calls the nesting of objects and arrays.
pub(super) const DEPTH: &str = "levels of nesting";

/// What it calls the terms that were defined.
pub(super) const DEFINITIONS: &str = "term definitions";

/// Where in the document the work stands. Each level is on the stack of the function that went
/// down to it, so that the way is only written out when something is wrong.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
    /// How many steps below the root.
    pub(super) depth: usize,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Member(&'p str),
    Item(usize),
}

impl<'p> Place<'p> {
    pub(super) const ROOT: Place<'static> = Place {
        parent: None,
        step: Step::Root,
        depth: 0,
    };

    pub(super) fn member(&'p self, name: &'p str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Member(name),
            depth: self.depth + 1,
        }
    }

    pub(super) fn item(&'p self, number: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Item(number),
            depth: self.depth + 1,
        }
    }

    pub(super) fn pointer(&self) -> String {
        let mut text = self.parent.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Member(name) => {
                text.push('/');
                text.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Step::Item(number) => {
                text.push('/');
                text.push_str(&number.to_string());
            }
        }
        text
    }

    pub(super) fn invalid(&self, code: Code) -> Error {
        Error::InvalidDocument {
            place: self.pointer(),
            code,
        }
    }

    pub(super) fn dropped(&self, what: Dropped) -> Error {
        Error::Dropped {
            place: self.pointer(),
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_json_pointers() {
        let root = Place::ROOT;
        let (a, b);
        a = root.member("a/b~c");
        b = a.item(3);
        assert_eq!(root.pointer(), "");
        assert_eq!(b.pointer(), "/a~1b~0c/3");
        assert_eq!(b.depth, 2);
    }
}
