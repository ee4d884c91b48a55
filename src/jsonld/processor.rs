//! The processor: known context documents, and the contexts that were made of them.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::Value;

use super::context::{Context, Name, NameHasher, Scoped};
use super::error::{Code, Error, Fault};
use super::expand::Walk;
use super::iri;
use super::local::{Document, Documents, How, Named, Workshop};
use super::options::{Limits, Options};
use super::rdf::Dataset;

/// Context documents known to a processor, each parsed and processed once and shared. Nothing is
/// ever fetched: a context that is not among them is an error that names it.
///
/// A processor is made once and used from any number of threads. Contexts that documents make of
/// the known ones, by nesting and by contexts of their own, are kept in caches of bounded size.
#[derive(Debug)]
pub struct Processor {
    documents: Documents,
    ids: AtomicU64,
    /// What some known context has a term for.
    named: Named,
    /// What a document without a base starts with.
    root: Arc<Context>,
    /// Contexts that are made of known documents alone.
    derived: Cache<(u64, u64)>,
    /// Contexts that a document had a hand in, by parent and text; apart from the others, so
    /// that made-up contexts cannot push those out.
    inline: Cache<(u64, Box<str>)>,
    derived_inline: Cache<(u64, u64)>,
}

/// How a scoped context comes into effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// By a property: for the whole value, and over protected terms.
    Property,
    /// By a type: for the one node.
    Type,
}

impl Processor {
    /// A processor that knows `documents`: pairs of an absolute URL and the JSON text behind it.
    ///
    /// # Errors
    /// [`Error::InvalidContext`] where a text is no JSON object with an `@context`, or where that
    /// is not a valid context by itself; [`Error::UnknownContext`] where it builds on a context
    /// that is not among `documents`.
    pub fn new<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut known = Documents::default();
        let ids = AtomicU64::new(1);
        for (url, text) in documents {
            let document: Option<Value> = serde_json::from_str(text).ok();
            let local = document.and_then(|mut document| {
                document
                    .as_object_mut()
                    .and_then(|members| members.shift_remove("@context"))
            });
            let Some(local) = local else {
                let fault = Fault::new(Code::InvalidRemoteContext, url);
                return Err(fault.at(String::new()));
            };
            known.insert(
                url.into(),
                Document {
                    id: ids.fetch_add(1, Ordering::Relaxed),
                    local,
                },
            );
        }
        let root = Context::initial(None).sealed(0);
        let urls = known.keys().map(|url| Value::String(url.to_string()));
        let named = Names::gather(&known, &ids, &root, urls)?;
        Ok(Self {
            documents: known,
            ids,
            named,
            root,
            derived: Cache::new(1024),
            inline: Cache::new(256),
            derived_inline: Cache::new(256),
        })
    }

    /// The same processor, for which the names in `context` count as known too. Documents write that
    /// context out, and [`InlineTerms::NoSecondNames`](super::InlineTerms::NoSecondNames) holds
    /// them to its names for things.
    ///
    /// # Errors
    /// As of [`Processor::new`], for a context that is not valid or builds on an unknown one.
    pub fn naming(mut self, context: &Value) -> Result<Self, Error> {
        let once = std::iter::once(context.clone());
        let found = Names::gather(&self.documents, &self.ids, &self.root, once)?;
        for (name, terms) in found {
            self.named.entry(name).or_default().extend(terms);
        }
        Ok(self)
    }

    /// The statements that `document` makes (JSON-LD 1.1 API, sections 5 and 8).
    ///
    /// # Errors
    /// Where the document is not valid JSON-LD, asks for an unknown context, costs more than the
    /// limits allow, or, in safe mode, holds something that RDF would not: see [`Error`].
    pub fn to_rdf(&self, document: &Value, options: &Options<'_>) -> Result<Dataset, Error> {
        let root = match options.base {
            None => self.root.clone(),
            Some(base) if iri::is_well_formed(base) => self.rooted_at(base),
            Some(base) => {
                return Err(Error::RelativeIri {
                    place: String::new(),
                    iri: base.to_owned(),
                });
            }
        };
        Walk::new(self, options).document(document, root)
    }

    /// Whether some known context document maps a term to `name`, in its scoped contexts or
    /// outside of them. `name` is an absolute IRI, or a keyword such as `@id`, for which the
    /// answer is whether it has an alias.
    pub fn known_terms(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Whether a context document of this URL is known.
    pub fn knows(&self, url: &str) -> bool {
        self.documents.contains_key(url)
    }

    /// The context that the scoped context of a term makes of `active`. `spent` counts the term
    /// definitions of the document so far; those of known documents alone are not counted, here
    /// and below.
    pub(super) fn scoped(
        &self,
        active: &Arc<Context>,
        scoped: &Scoped,
        scope: Scope,
        limits: &Limits,
        spent: usize,
    ) -> Result<Arc<Context>, Fault> {
        let (cache, spent) = if active.inline || scoped.inline {
            (&self.derived_inline, Some(spent))
        } else {
            (&self.derived, None)
        };
        let key = (active.id, scoped.id << 1 | u64::from(scope == Scope::Type));
        cache.get_or(&key, || {
            let how = How {
                url: scoped.url.clone(),
                remote: Vec::new(),
                override_protected: scope == Scope::Property,
                propagate: scope == Scope::Property,
                validate: true,
                inline: scoped.inline,
                depth: 0,
            };
            self.workshop(limits, spent)
                .process(active, &scoped.local, &how)
        })
    }

    /// The context that the known document behind `url` makes of `active`.
    pub(super) fn by_url(
        &self,
        active: &Arc<Context>,
        url: &Value,
        limits: &Limits,
        spent: usize,
    ) -> Result<Arc<Context>, Fault> {
        let how = in_document(active, false);
        let (cache, spent) = if active.inline {
            (&self.derived_inline, Some(spent))
        } else {
            (&self.derived, None)
        };
        let workshop = self.workshop(limits, spent);
        let (_, document) = workshop.look_up(url.as_str().unwrap_or_default(), &how)?;
        // Shifted like the ids of scoped contexts, from which documents' ids differ.
        cache.get_or(&(active.id, document.id << 1), || {
            workshop.process(active, url, &how)
        })
    }

    /// The context that `local`, whose compact JSON is `text`, makes of `active`.
    pub(super) fn by_text(
        &self,
        active: &Arc<Context>,
        local: &Value,
        text: String,
        limits: &Limits,
        spent: usize,
    ) -> Result<Arc<Context>, Fault> {
        self.inline.get_or(&(active.id, text.into()), || {
            self.workshop(limits, Some(spent))
                .process(active, local, &in_document(active, true))
        })
    }

    fn rooted_at(&self, base: &str) -> Arc<Context> {
        // No context has this number, so that a base is never taken for an inline context.
        let key = (u64::MAX, base.into());
        let made = self.inline.get_or(&key, || {
            let mut context = Context::initial(Some(base.into()));
            context.inline = true;
            Ok::<_, std::convert::Infallible>(
                context.sealed(self.ids.fetch_add(1, Ordering::Relaxed)),
            )
        });
        match made {
            Ok(context) => context,
        }
    }

    fn workshop<'w>(&'w self, limits: &'w Limits, spent: Option<usize>) -> Workshop<'w> {
        Workshop {
            documents: &self.documents,
            ids: &self.ids,
            named: Some(&self.named),
            limits,
            definitions: spent.map_or(usize::MAX, |_| limits.definitions),
            spent: Cell::new(spent.unwrap_or_default()),
        }
    }
}

fn in_document(active: &Context, inline: bool) -> How {
    How {
        url: active.document_base.clone(),
        remote: Vec::new(),
        override_protected: false,
        propagate: true,
        validate: true,
        inline,
        depth: 0,
    }
}

/// A map that is read without a lock and written by replacing it. Full, it starts afresh: what is
/// in use comes back at once.
#[derive(Debug)]
struct Cache<K> {
    most: usize,
    map: ArcSwap<HashMap<K, Arc<Context>, BuildHasherDefault<NameHasher>>>,
    writing: Mutex<()>,
}

impl<K: std::hash::Hash + Eq + Clone> Cache<K> {
    fn new(most: usize) -> Self {
        Self {
            most,
            map: ArcSwap::default(),
            writing: Mutex::new(()),
        }
    }

    fn get_or<E>(
        &self,
        key: &K,
        make: impl FnOnce() -> Result<Arc<Context>, E>,
    ) -> Result<Arc<Context>, E> {
        if let Some(found) = self.map.load().get(key) {
            return Ok(found.clone());
        }
        let made = make()?;
        // The lock guards no data, only the order of writers.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.map.load();
        if let Some(found) = current.get(key) {
            return Ok(found.clone());
        }
        let mut next = if current.len() < self.most {
            (**current).clone()
        } else {
            HashMap::default()
        };
        next.insert(key.clone(), made.clone());
        self.map.store(Arc::new(next));
        Ok(made)
    }
}

/// Gathers what the terms of known contexts stand for.
struct Names<'n> {
    workshop: Workshop<'n>,
    found: Named,
    /// Scoped contexts that were gone through, by URL and text: they may contain each other.
    seen: HashSet<(Option<Arc<str>>, String)>,
}

impl<'n> Names<'n> {
    fn gather(
        documents: &'n Documents,
        ids: &'n AtomicU64,
        root: &Arc<Context>,
        contexts: impl Iterator<Item = Value>,
    ) -> Result<Named, Error> {
        let limits = Limits::default();
        let workshop = Workshop {
            documents,
            ids,
            named: None,
            limits: &limits,
            spent: Cell::new(0),
            definitions: usize::MAX,
        };
        let mut names = Names {
            workshop,
            found: Named::new(),
            seen: HashSet::new(),
        };
        let how = in_document(root, false);
        for local in contexts {
            let context = names.workshop.process(root, &local, &how);
            let added = context.and_then(|context| names.add(&context));
            added.map_err(|fault| fault.at(String::new()))?;
        }
        Ok(names.found)
    }

    fn add(&mut self, context: &Arc<Context>) -> Result<(), Fault> {
        for (term, definition) in &context.terms {
            match &definition.mapping {
                Name::Keyword(_) if term.starts_with('@') => {}
                mapping => {
                    if let Some(name) = mapping.text() {
                        let terms = self.found.entry(name.into()).or_default();
                        terms.insert(term.clone());
                    }
                }
            }
            let Some(scoped) = &definition.scoped else {
                continue;
            };
            if self
                .seen
                .insert((scoped.url.clone(), scoped.local.to_string()))
            {
                let how = How {
                    url: scoped.url.clone(),
                    override_protected: true,
                    ..in_document(context, false)
                };
                let inner = self.workshop.process(context, &scoped.local, &how)?;
                self.add(&inner)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonld::canon::{self, canonicalize};
    use crate::jsonld::{Dropped, InlineTerms, Mode};
    use proptest::prelude::*;
    use serde_json::json;

    const PEOPLE: &str = r#"{"@context": {
        "@protected": true,
        "id": "@id",
        "type": "@type",
        "name": "https://p.example/name",
        "knows": {"@id": "https://p.example/knows", "@type": "@id"},
        "steps": {"@id": "https://p.example/steps", "@container": "@list"},
        "says": {"@id": "https://p.example/says", "@container": "@graph"},
        "raw": {"@id": "https://p.example/raw", "@type": "@json"},
        "Person": {"@id": "https://p.example/Person", "@context": {
            "@protected": true, "age": "https://p.example/age"}},
        "Pilot": {"@id": "https://p.example/Pilot", "@context": {
            "@protected": true, "hours": "https://p.example/hours"}}
    }}"#;

    fn people() -> Processor {
        Processor::new([("https://p.example/v1", PEOPLE)]).unwrap()
    }

    fn with_context(mut document: Value, context: Value) -> Value {
        document["@context"] = context;
        document
    }

    fn known(document: Value) -> Value {
        with_context(document, json!("https://p.example/v1"))
    }

    fn read(document: &Value, mode: Mode) -> Result<String, Error> {
        let options = Options {
            mode,
            ..Options::default()
        };
        let dataset = people().to_rdf(document, &options)?;
        Ok(canonicalize(&dataset, &canon::Options::default())
            .unwrap()
            .nquads)
    }

    #[test]
    fn two_types_that_each_have_a_scoped_context_both_count() {
        let document = known(json!({
            "id": "urn:a", "type": ["Pilot", "Person"], "age": 40, "hours": 1.5,
            "knows": {"id": "urn:b", "name": "B"}
        }));
        let integer = "<http://www.w3.org/2001/XMLSchema#integer>";
        let double = "<http://www.w3.org/2001/XMLSchema#double>";
        let class = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";
        assert_eq!(
            read(&document, Mode::Safe).unwrap(),
            format!(
                "<urn:a> {class} <https://p.example/Person> .\n\
                 <urn:a> {class} <https://p.example/Pilot> .\n\
                 <urn:a> <https://p.example/age> \"40\"^^{integer} .\n\
                 <urn:a> <https://p.example/hours> \"1.5E0\"^^{double} .\n\
                 <urn:a> <https://p.example/knows> <urn:b> .\n\
                 <urn:b> <https://p.example/name> \"B\" .\n"
            )
        );
        // A type's context ends with its node.
        let deeper = known(json!({"type": "Person", "knows": {"id": "urn:b", "age": 1}}));
        let error = read(&deeper, Mode::Safe).unwrap_err();
        let (place, term) = ("/knows/age".to_owned(), "age".to_owned());
        assert_eq!(error, Error::UndefinedTerm { place, term });
    }

    #[test]
    fn safe_mode_refuses_and_names_what_json_ld_would_drop() {
        let dropped = |place: &str, what| Error::Dropped {
            place: place.to_owned(),
            what,
        };
        let undefined = |place: &str, term: &str| {
            let (place, term) = (place.to_owned(), term.to_owned());
            Error::UndefinedTerm { place, term }
        };
        let relative = |place: &str, iri: &str| {
            let (place, iri) = (place.to_owned(), iri.to_owned());
            Error::RelativeIri { place, iri }
        };
        for (document, expected) in [
            (
                json!({"name": "A", "nick": "B"}),
                undefined("/nick", "nick"),
            ),
            (
                json!({"knows": [{"a/b": 1}]}),
                undefined("/knows/0/a~1b", "a/b"),
            ),
            (
                json!({"name": {"@value": "A", "nick": 1}}),
                undefined("/name/nick", "nick"),
            ),
            (
                json!({"name": "A", "@future": 1}),
                dropped("/@future", Dropped::Reserved),
            ),
            (json!({"id": "a", "name": "A"}), relative("/id", "a")),
            (
                json!({"id": "urn:a b", "name": "A"}),
                relative("/id", "urn:a b"),
            ),
            (json!({"knows": "you"}), relative("/knows", "you")),
            (json!({"type": "Robot"}), relative("/type", "Robot")),
            (json!({"name": null}), dropped("/name", Dropped::Null)),
            (
                json!({"name": ["A", null]}),
                dropped("/name/1", Dropped::Null),
            ),
            (
                json!({"name": {"@value": null}}),
                dropped("/name", Dropped::Null),
            ),
            (json!({"id": "urn:a"}), dropped("", Dropped::EmptyNode)),
            (json!({}), dropped("", Dropped::EmptyNode)),
            (
                json!({"says": {"id": "urn:a"}}),
                dropped("/says", Dropped::EmptyNode),
            ),
            (
                json!({"says": "urn:a"}),
                dropped("/says", Dropped::FreeFloating),
            ),
            (
                json!({"@graph": ["A"]}),
                dropped("/@graph/0", Dropped::FreeFloating),
            ),
            (
                json!({"name": {"@language": "en"}}),
                dropped("/name/@language", Dropped::LanguageOnly),
            ),
            (
                json!({"name": {"@value": "A", "@language": "a b"}}),
                dropped("/name", Dropped::Language),
            ),
            (
                json!({"name": {"@value": "A", "@direction": "ltr"}}),
                dropped("/name", Dropped::Direction),
            ),
            (
                json!({"name": {"@value": "A", "@index": "i"}}),
                dropped("/name/@index", Dropped::Index),
            ),
            (
                json!({"name": 9_007_199_254_740_993_u64}),
                dropped("/name", Dropped::Precision),
            ),
            (
                json!({"raw": [9_007_199_254_740_993_u64]}),
                dropped("/raw", Dropped::Precision),
            ),
        ] {
            let document = known(document);
            assert_eq!(read(&document, Mode::Safe), Err(expected), "{document}");
            assert!(read(&document, Mode::Standard).is_ok(), "{document}");
        }
        for fine in [
            json!({"name": "A", "knows": []}),
            json!({"name": {"@value": "A", "@language": "de-AT"}}),
            json!({"knows": {"id": "urn:a"}, "raw": null}),
            json!({"knows": {}}),
            json!({"name": 3.6666666666666665}),
        ] {
            assert!(read(&known(fine.clone()), Mode::Safe).is_ok(), "{fine}");
        }
    }

    #[test]
    fn what_is_not_supported_is_an_error_in_both_modes() {
        for document in [
            json!({"name": {"@list": [["A"], ["B"]]}}),
            json!({"says": {"@list": ["A"]}}),
            json!({"@nest": {"type": "Person"}}),
            json!({"@nest": {"@context": {}, "name": "A"}}),
            json!({"@vocab": "urn:"}),
        ] {
            let document = known(document);
            for mode in [Mode::Safe, Mode::Standard] {
                let refused = read(&document, mode);
                assert!(
                    matches!(refused, Err(Error::Unsupported { .. })),
                    "{refused:?}"
                );
            }
        }
        let blank = with_context(json!({"a": 1}), json!({"a": "_:a"}));
        for mode in [Mode::Safe, Mode::Standard] {
            let (place, term) = ("/a".to_owned(), "a".to_owned());
            assert_eq!(
                read(&blank, mode),
                Err(Error::BlankPredicate { place, term })
            );
        }
    }

    #[test]
    fn a_value_cannot_be_the_subject_of_a_reverse_property() {
        let context = json!({"r": {"@reverse": "urn:r"}});
        for body in [
            json!({"r": "A"}),
            json!({"@reverse": {"urn:p": "A"}}),
            json!({"@reverse": {"r": "A"}}),
        ] {
            let error = read(&with_context(body, context.clone()), Mode::Standard).unwrap_err();
            assert_eq!(error.code(), Some(Code::InvalidReversePropertyValue));
        }
        let body = json!({"@id": "urn:a", "@index": "1", "urn:p": {"@id": "urn:a", "@index": "2"}});
        let error = read(&body, Mode::Standard).unwrap_err();
        assert_eq!(error.code(), Some(Code::ConflictingIndexes));
    }

    #[test]
    fn contexts_come_from_the_known_documents_alone() {
        let document = with_context(json!({"name": "A"}), json!("https://p.example/v2"));
        let expected = Error::UnknownContext {
            place: "/@context".to_owned(),
            url: "https://p.example/v2".to_owned(),
        };
        assert_eq!(read(&document, Mode::Standard), Err(expected));
        let redefined = json!(["https://p.example/v1", {"name": "https://x.example/"}]);
        let document = with_context(json!({"name": "A"}), redefined);
        let error = read(&document, Mode::Standard).unwrap_err();
        assert_eq!(error.code(), Some(Code::ProtectedTermRedefinition));
        let refused = Processor::new([("https://p.example/v3", r#"{"@context": {"a": 1}}"#)]);
        assert_eq!(
            refused.unwrap_err().code(),
            Some(Code::InvalidTermDefinition)
        );
        let refused = Processor::new([("https://p.example/v3", "[]")]);
        assert_eq!(
            refused.unwrap_err().code(),
            Some(Code::InvalidRemoteContext)
        );
        let keyword = with_context(json!({}), json!({"@context": "https://x.example/"}));
        let error = read(&keyword, Mode::Standard).unwrap_err();
        assert_eq!(error.code(), Some(Code::KeywordRedefinition));
    }

    #[test]
    fn known_terms_are_those_of_scoped_contexts_too() {
        let processor = people();
        for known in [
            "https://p.example/name",
            "https://p.example/hours",
            "@id",
            "@type",
        ] {
            assert!(processor.known_terms(known), "{known}");
        }
        for unknown in ["name", "https://p.example/other", "@graph"] {
            assert!(!processor.known_terms(unknown), "{unknown}");
        }
        assert!(processor.knows("https://p.example/v1") && !processor.knows("https://p.example/"));
    }

    #[test]
    fn a_second_name_for_what_is_known_is_refused_where_asked_for() {
        let processor = people();
        let read = |context: Value, body: Value, inline_terms| {
            let context = json!(["https://p.example/v1", context]);
            let options = Options {
                inline_terms,
                ..Options::default()
            };
            processor
                .to_rdf(&with_context(body, context), &options)
                .map(|set| set.quads.len())
        };
        for (context, body) in [
            (
                json!({"alias": "https://p.example/age"}),
                json!({"name": "A", "alias": 1}),
            ),
            (json!({"alias": {"@id": "name"}}), json!({"name": "A"})),
            (json!({"me": "@id"}), json!({"name": "A"})),
            (json!({"p": "https://p.example/"}), json!({"p:age": 1})),
            (json!({"@vocab": "https://p.example/"}), json!({"age": 1})),
            (
                json!({"X": {"@id": "urn:X", "@context": {"n": "name"}}}),
                json!({"name": "A"}),
            ),
            (json!({}), json!({"https://p.example/age": 1})),
            (
                json!({"https://p.example/age": {"@id": "https://p.example/age"}}),
                json!({"https://p.example/age": 1}),
            ),
            (json!({"id2": "@id", "id": "@id"}), json!({"name": "A"})),
            (
                json!({"age": {"@reverse": "https://p.example/age"}}),
                json!({"age": {"id": "urn:b"}}),
            ),
        ] {
            let any = read(context.clone(), body.clone(), InlineTerms::Any);
            assert!(any.is_ok(), "{context}: {any:?}");
            let refused = read(context.clone(), body, InlineTerms::NoSecondNames);
            assert!(
                matches!(refused, Err(Error::SecondName { .. })),
                "{context}: {refused:?}"
            );
        }
        let own = json!({"own": "https://x.example/own"});
        assert_eq!(
            read(own, json!({"own": 1}), InlineTerms::NoSecondNames),
            Ok(1)
        );
        // What says no more than the known documents do is no second name.
        for context in [
            json!({"id": "@id", "type": "@type", "Course": "https://x.example/Course"}),
            json!({"name": "https://p.example/name"}),
            json!({"age": "https://p.example/age"}),
        ] {
            let accepted = read(
                context.clone(),
                json!({"name": "A"}),
                InlineTerms::NoSecondNames,
            );
            assert_eq!(accepted, Ok(1), "{context}");
        }
    }

    #[test]
    fn a_context_without_a_url_can_have_the_only_names_too() {
        let written = json!({
            "depth": {"@id": "https://d.example/depth", "@context": {
                "unit": "https://d.example/unit",
            }},
        });
        let processor = people().naming(&written).unwrap();
        let read = |context: Value| {
            let context = json!(["https://p.example/v1", context]);
            let options = Options {
                inline_terms: InlineTerms::NoSecondNames,
                ..Options::default()
            };
            let document = with_context(json!({"name": "A"}), context);
            processor.to_rdf(&document, &options).map(|_| ())
        };
        assert_eq!(read(written.clone()), Ok(()));
        for other in ["depth", "unit"] {
            let iri = format!("https://d.example/{other}");
            assert_eq!(read(json!({other: iri})), Ok(()));
            let refused = read(json!({"other": iri}));
            assert!(matches!(refused, Err(Error::SecondName { .. })), "{other}");
        }
        assert!(!processor.knows("https://d.example/"));
        let broken = people().naming(&json!({"a": 1}));
        assert!(matches!(broken, Err(Error::InvalidContext { .. })));
    }

    #[test]
    fn a_term_that_is_passed_over_stays_what_it_was() {
        for nothing in [json!({"@reverse": "@x"}), json!({"@id": "@x"}), json!("@x")] {
            let evil = json!(["https://p.example/v1", {"name": nothing.clone()},
                {"name": "https://evil.example/name"}]);
            let refused = read(&with_context(json!({"name": "A"}), evil), Mode::Safe);
            let code = refused.unwrap_err().code();
            assert_eq!(code, Some(Code::ProtectedTermRedefinition), "{nothing}");

            let open = json!([{"n": "urn:n", "me": "@id"}, {"n": nothing.clone(), "me": nothing}]);
            let document = with_context(json!({"me": "urn:a", "n": "A"}), open);
            assert_eq!(
                read(&document, Mode::Safe).unwrap(),
                "<urn:a> <urn:n> \"A\" .\n"
            );
        }
    }

    #[test]
    fn texts_count_in_each_statement_that_repeats_them() {
        let limit = |document: &Value| match people().to_rdf(document, &Options::default()) {
            Err(Error::LimitExceeded { of, .. }) => of,
            other => panic!("{:?}", other.map(|set| set.quads.len())),
        };
        let numbers: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
        let long = format!("urn:{}", "a".repeat(300_000));
        let document = known(json!({"id": long, "name": numbers}));
        assert_eq!(limit(&document), "bytes of text in statements");
        // Neither may the items of a list pile up before it is stated, nor labels.
        for prefix in ["urn:", "_:"] {
            let context = json!(["https://p.example/v1", {
                "p": format!("{prefix}{}:", "a".repeat(30_000)),
                "q": {"@id": "urn:q", "@container": "@list", "@type": "@id"}}]);
            let items: Vec<_> = (0..2_000).map(|number| format!("p:{number}")).collect();
            let document = with_context(json!({"q": items}), context);
            assert_eq!(limit(&document), "bytes of text in statements", "{prefix}");
        }
    }

    #[test]
    fn a_scoped_context_costs_again_wherever_it_is_processed_again() {
        let branch = |number| {
            let deep = (0..50).fold(json!({"name": "A"}), |inner, _| json!({"a": inner}));
            (format!("b{number}"), deep)
        };
        let mut terms = json!({"a": {"@id": "urn:x:a",
            "@context": vec!["https://p.example/v1"; 500]}});
        for number in 0..10 {
            terms[format!("b{number}")] = json!({"@id": format!("urn:x:{number}"),
                "@context": {format!("c{number}"): "urn:c"}});
        }
        let body: serde_json::Map<_, _> = (0..10).map(branch).collect();
        let context = json!(["https://p.example/v1", terms]);
        let document = with_context(Value::Object(body), context);
        let processor = people();
        // The second time much of it comes out of the caches.
        for _ in 0..2 {
            let refused = processor.to_rdf(&document, &Options::default());
            assert!(
                matches!(&refused, Err(Error::LimitExceeded { of, .. }) if *of == "term definitions"),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn the_cost_of_a_document_does_not_depend_on_the_caches() {
        let context = json!(["https://p.example/v1", {"x": {"@id": "urn:x",
            "@context": {"y": "urn:y", "z": "urn:z"}}}]);
        let document = with_context(json!({"x": {"y": 1, "type": "Person", "age": 1}}), context);
        let read = |processor: &Processor, definitions| {
            let limits = Limits {
                definitions,
                ..Limits::default()
            };
            let options = Options {
                limits,
                ..Options::default()
            };
            processor.to_rdf(&document, &options).is_ok()
        };
        let least = (0..100).find(|&most| read(&people(), most)).unwrap();
        let warm = people();
        assert!(read(&warm, 100));
        assert!(read(&warm, least) && !read(&warm, least - 1));
    }

    #[test]
    fn limits_hold() {
        let processor = people();
        let limits = Limits {
            depth: 20,
            quads: 5,
            contexts: 10,
            inline_bytes: 200,
            ..Limits::default()
        };
        let options = Options {
            limits,
            ..Options::default()
        };
        let of = |document: &Value| match processor.to_rdf(document, &options) {
            Err(Error::LimitExceeded { of, .. }) => of,
            other => panic!("{document}: {other:?}"),
        };
        let deep = (0..30).fold(json!({"name": "A"}), |inner, _| json!({"knows": inner}));
        assert_eq!(of(&known(deep)), "levels of nesting");
        let many: Vec<_> = (0..6).map(|number| number.to_string()).collect();
        assert_eq!(of(&known(json!({"name": many}))), "statements");
        let urls = json!(vec!["https://p.example/v1"; 11]);
        assert_eq!(
            of(&with_context(json!({"name": "A"}), urls)),
            "different contexts"
        );
        let long = json!({"x": format!("urn:{}", "x".repeat(200))});
        assert_eq!(
            of(&with_context(json!({"x": 1}), long)),
            "bytes of inline contexts"
        );
        let chain: serde_json::Map<_, _> = (0..20)
            .map(|at| (format!("t{at}"), json!(format!("t{}:", at + 1))))
            .collect();
        let limits = Limits {
            inline_bytes: 2000,
            ..limits
        };
        let options = Options {
            limits: Limits { depth: 8, ..limits },
            ..options
        };
        let chained = with_context(json!({"t0": 1}), Value::Object(chain));
        let refused = processor.to_rdf(&chained, &options);
        assert!(
            matches!(refused, Err(Error::LimitExceeded { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn the_deepest_documents_that_are_accepted_fit_on_the_stack() {
        let most = Limits::default().depth;
        let deep = (0..most - 1).fold(json!({"name": "A"}), |inner, _| json!({"knows": inner}));
        assert!(read(&known(deep), Mode::Safe).is_ok());
        let deep = (0..1_000).fold(json!({"name": "A"}), |inner, _| json!([inner]));
        let refused = read(&json!([deep]), Mode::Safe);
        assert!(
            matches!(refused, Err(Error::LimitExceeded { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn a_full_cache_starts_afresh() {
        let processor = people();
        for number in 0..600 {
            let context = json!([{"x": format!("urn:{number}")}, "https://p.example/v1"]);
            let document = with_context(json!({"type": "Person", "age": 1, "x": 1}), context);
            let dataset = processor.to_rdf(&document, &Options::default()).unwrap();
            assert!(
                dataset
                    .quads
                    .iter()
                    .any(|quad| *quad.predicate == *format!("urn:{number}"))
            );
        }
        assert!(processor.inline.map.load().len() <= 256);
        assert!(processor.derived_inline.map.load().len() <= 256);
        assert!(processor.derived.map.load().is_empty());
    }

    fn document() -> impl Strategy<Value = Value> {
        let key = prop::sample::select(vec![
            "id",
            "type",
            "name",
            "knows",
            "steps",
            "says",
            "raw",
            "age",
            "nick",
            "@graph",
            "@id",
            "@value",
            "@list",
            "@set",
            "@included",
            "@reverse",
            "@nest",
            "urn:p",
            "_:p",
            "@index",
            "@language",
            "@foo",
        ]);
        let leaf = prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(3),
            json!(1.5),
            json!("x"),
            json!("urn:x"),
            json!("_:b"),
            json!("Person"),
            json!("en"),
            json!([]),
        ]);
        leaf.prop_recursive(5, 40, 5, move |inner| {
            let members = prop::collection::vec((key.clone(), inner.clone()), 0..5);
            let object = members.prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(members.collect())
            });
            prop_oneof![3 => object, 1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array)]
        })
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter().rev();
                members
                    .map(|(key, value)| (key.clone(), reversed(value)))
                    .collect()
            }
            // The order of items does mean something in lists.
            Value::Array(items) => items.iter().map(reversed).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_safe_mode_accepts_means_the_same_in_standard_mode(body in document()) {
            let document = known(json!({"@graph": body}));
            let standard = read(&document, Mode::Standard);
            if let Ok(safe) = read(&document, Mode::Safe) {
                prop_assert_eq!(Ok(safe), standard);
            }
        }

        #[test]
        fn the_order_of_members_means_nothing(body in document()) {
            let one = known(json!({"knows": body}));
            let other = reversed(&one);
            for mode in [Mode::Safe, Mode::Standard] {
                prop_assert_eq!(read(&one, mode).ok(), read(&other, mode).ok());
            }
        }
    }
}
