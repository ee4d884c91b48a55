//! Active contexts: what each term means, and what a name expands to (JSON-LD 1.1 API,
//! sections 4.1 and 5.2). A context never changes once it is shared.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use serde_json::Value;

use super::iri;
use super::keyword::{Keyword, is_reserved};

/// An active context.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// Unique within a processor; what derived contexts are cached under.
    pub(super) id: u64,
    pub(super) terms: HashMap<Arc<str>, Arc<Definition>, BuildHasherDefault<NameHasher>>,
    /// Every term that means a keyword; a handful, so that a walk beats a look-up.
    pub(super) aliases: Vec<(Arc<str>, Keyword)>,
    pub(super) base: Option<Arc<str>>,
    /// The base of the document, which a null context goes back to.
    pub(super) document_base: Option<Arc<str>>,
    pub(super) vocab: Option<Arc<str>>,
    pub(super) language: Option<Arc<str>>,
    pub(super) direction: Option<Direction>,
    /// What nested nodes go back to, where this context does not propagate.
    pub(super) previous: Option<Arc<Self>>,
    /// Whether something of it was written into a document: such a context is worth less room in
    /// the cache than one that is made of known documents alone.
    pub(super) inline: bool,
    /// What it took to make it of the context before, in term definitions.
    pub(super) cost: usize,
    /// A second name that an inline context made up for something that a known document names.
    pub(super) second_name: Option<(Arc<str>, Arc<str>)>,
}

/// What a term means (API, section 4.1.2).
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) mapping: Name,
    pub(super) prefix: bool,
    pub(super) protected: bool,
    pub(super) reverse: bool,
    pub(super) container: Container,
    pub(super) coercion: Coercion,
    pub(super) language: Option<Option<Arc<str>>>,
    pub(super) direction: Option<Option<Direction>>,
    pub(super) index: Option<Arc<str>>,
    pub(super) nest: Option<Arc<str>>,
    pub(super) scoped: Option<Arc<Scoped>>,
}

/// The type mapping of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coercion {
    Absent,
    Id,
    Vocab,
    Json,
    None,
    Datatype(Arc<str>),
}

/// A context that comes into effect with a term.
#[derive(Debug)]
pub(super) struct Scoped {
    pub(super) id: u64,
    pub(super) local: Value,
    /// What relative context URLs in it are resolved against.
    pub(super) url: Option<Arc<str>>,
    /// Whether it was written into a document.
    pub(super) inline: bool,
}

/// A base direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ltr,
    Rtl,
}

impl Direction {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "ltr" => Some(Self::Ltr),
            "rtl" => Some(Self::Rtl),
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

/// The set of keywords in a term's `@container`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Container(pub(super) u32);

impl Container {
    pub(super) const fn has(self, keyword: Keyword) -> bool {
        self.0 & keyword.bit() != 0
    }
}

/// What a name expands to. IRIs are told apart once, when they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// Nothing: decoupled by a context, or reserved.
    Null,
    Keyword(Keyword),
    /// Absolute and well formed.
    Iri(Arc<str>),
    /// A blank node identifier, `_:` included.
    Blank(Arc<str>),
    /// A relative reference, or something that RDF takes for no IRI.
    Other(Arc<str>),
}

impl Name {
    /// Sorts a text that is no keyword.
    pub(super) fn of(text: impl AsRef<str> + Into<Arc<str>>) -> Self {
        if text.as_ref().starts_with("_:") {
            Self::Blank(text.into())
        } else if iri::is_well_formed(text.as_ref()) {
            Self::Iri(text.into())
        } else {
            Self::Other(text.into())
        }
    }

    /// The text, unless it is nothing.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Keyword(keyword) => Some(keyword.as_str()),
            Self::Iri(text) | Self::Blank(text) | Self::Other(text) => Some(text),
        }
    }

    /// Whether the standard calls it an IRI or a blank node identifier, well formed or not.
    pub(super) fn is_resource(&self) -> bool {
        match self {
            Self::Iri(_) | Self::Blank(_) => true,
            Self::Other(text) => iri::has_scheme(text),
            Self::Null | Self::Keyword(_) => false,
        }
    }
}

impl Context {
    /// What a document starts with.
    pub(super) fn initial(base: Option<Arc<str>>) -> Self {
        Self {
            document_base: base.clone(),
            base,
            ..Self::default()
        }
    }

    pub(super) fn term(&self, name: &str) -> Option<&Arc<Definition>> {
        self.terms.get(name)
    }

    /// The keyword that `key` is, or is an alias of.
    pub(super) fn keyword(&self, key: &str) -> Option<Keyword> {
        if let Some(keyword) = Keyword::parse(key) {
            return Some(keyword);
        }
        self.aliases
            .iter()
            .find(|(alias, _)| &**alias == key)
            .map(|&(_, keyword)| keyword)
    }

    /// IRI expansion (API, section 5.2). With `vocab`, terms and `@vocab` count; with `document`,
    /// a relative reference is resolved against the base.
    pub(super) fn expand(&self, text: &str, vocab: bool, document: bool) -> Name {
        if let Some(keyword) = self.keyword(text) {
            return Name::Keyword(keyword);
        }
        if is_reserved(text) {
            return Name::Null;
        }
        if vocab && let Some(definition) = self.term(text) {
            return definition.mapping.clone();
        }
        if let Some((prefix, suffix)) = compact(text) {
            if prefix == "_" || suffix.starts_with("//") {
                return Name::of(text);
            }
            if let Some(definition) = self.term(prefix)
                && definition.prefix
                && let Some(namespace) = definition.mapping.text()
            {
                return Name::of([namespace, suffix].concat());
            }
            if iri::has_scheme(text) {
                return Name::of(text);
            }
        }
        match (&self.vocab, &self.base) {
            (Some(vocabulary), _) if vocab => Name::of([vocabulary, text].concat()),
            (_, Some(base)) if document => Name::of(iri::resolve(base, text)),
            _ => Name::Other(text.into()),
        }
    }

    /// Finds the aliases again after the terms changed, and takes a new id.
    pub(super) fn sealed(mut self, id: u64) -> Arc<Self> {
        self.id = id;
        self.aliases.clear();
        self.reindex();
        Arc::new(self)
    }

    /// Finds the aliases of keywords among the terms.
    pub(super) fn reindex(&mut self) {
        self.aliases = self
            .terms
            .iter()
            .filter_map(|(term, definition)| match definition.mapping {
                Name::Keyword(keyword) if !term.starts_with('@') => Some((term.clone(), keyword)),
                _ => None,
            })
            .collect();
    }
}

/// The two sides of a name with a colon that is not its first character.
pub(super) fn compact(text: &str) -> Option<(&str, &str)> {
    match text.find(':') {
        None => None,
        Some(0) => text[1..]
            .find(':')
            .map(|at| (&text[..=at], &text[at + 2..])),
        Some(at) => Some((&text[..at], &text[at + 1..])),
    }
}

/// A quick hash for names, eight bytes at a time. It does not withstand chosen names; those come
/// with inline contexts, whose size is limited.
#[derive(Debug, Default)]
pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let last = rest
                .iter()
                .fold(0, |word, &byte| word << 8 | u64::from(byte));
            self.write_u64(last);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }

    fn write_u8(&mut self, _end_of_text: u8) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(terms: &[(&str, &str, bool)]) -> Context {
        let mut context = Context::initial(Some("https://base.example/a/b".into()));
        for &(term, mapping, prefix) in terms {
            let definition = Definition {
                mapping: Keyword::parse(mapping).map_or_else(|| Name::of(mapping), Name::Keyword),
                prefix,
                protected: false,
                reverse: false,
                container: Container::default(),
                coercion: Coercion::Absent,
                language: None,
                direction: None,
                index: None,
                nest: None,
                scoped: None,
            };
            context.terms.insert(term.into(), Arc::new(definition));
        }
        context.reindex();
        context
    }

    #[test]
    fn names_expand_by_term_then_prefix_then_vocab_then_base() {
        let mut context = context(&[
            ("id", "@id", false),
            ("name", "https://schema.org/name", false),
            ("ex", "https://ex.example/", true),
            ("no", "https://ex.example/", false),
        ]);
        let of = |context: &Context, text: &str, vocab| context.expand(text, vocab, true);
        assert_eq!(of(&context, "id", false), Name::Keyword(Keyword::Id));
        assert_eq!(
            of(&context, "name", true),
            Name::of("https://schema.org/name")
        );
        assert_eq!(
            of(&context, "name", false),
            Name::of("https://base.example/a/name")
        );
        assert_eq!(
            of(&context, "ex:x", false),
            Name::of("https://ex.example/x")
        );
        assert_eq!(of(&context, "no:x", false), Name::of("no:x"));
        assert_eq!(of(&context, "ex://x", false), Name::of("ex://x"));
        assert_eq!(of(&context, "@future", true), Name::Null);
        assert_eq!(of(&context, "_:b", true), Name::Blank("_:b".into()));
        context.vocab = Some("https://v.example/".into());
        assert_eq!(
            of(&context, "other", true),
            Name::of("https://v.example/other")
        );
    }

    #[test]
    fn a_colon_at_the_start_makes_no_prefix() {
        assert_eq!(compact("a:b:c"), Some(("a", "b:c")));
        assert_eq!(compact(":b"), None);
        assert_eq!(compact(":b:c"), Some((":b", "c")));
        assert_eq!(compact("b"), None);
    }
}
