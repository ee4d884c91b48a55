//! Processing of local contexts (JSON-LD 1.1 API, section 4.1).

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::context::{Context, Direction, NameHasher};
use super::define::Definer;
use super::error::{Code, DEFINITIONS, DEPTH, Fault};
use super::iri;
use super::options::Limits;

/// The context documents that are known, by URL.
pub(super) type Documents = HashMap<Arc<str>, Document, BuildHasherDefault<NameHasher>>;

/// A known context document.
#[derive(Debug)]
pub(super) struct Document {
    /// Unique within a processor; what contexts derived by it are cached under.
    pub(super) id: u64,
    /// The value of its `@context`.
    pub(super) local: Value,
}

/// What known documents have terms for, IRIs and keywords, with the names of those terms.
pub(super) type Named = HashMap<Arc<str>, HashSet<Arc<str>>>;

/// What context processing looks things up in.
pub(super) struct Workshop<'w> {
    pub(super) documents: &'w Documents,
    pub(super) ids: &'w AtomicU64,
    /// `None` while these are being gathered.
    pub(super) named: Option<&'w Named>,
    pub(super) limits: &'w Limits,
    /// Term definitions so far, in the contexts that were made before too.
    pub(super) spent: Cell<usize>,
    /// The most of them; [`usize::MAX`] where only known documents have a part in it.
    pub(super) definitions: usize,
}

/// The circumstances under which a local context is processed.
#[derive(Clone)]
pub(super) struct How {
    /// What relative context URLs are resolved against.
    pub(super) url: Option<Arc<str>>,
    /// The context documents that led here.
    pub(super) remote: Vec<Arc<str>>,
    /// Protected terms may be redefined: so it is in property-scoped contexts.
    pub(super) override_protected: bool,
    /// Whether the outcome holds for nested nodes too.
    pub(super) propagate: bool,
    /// False while a scoped context is only checked: a document met again is then passed over.
    pub(super) validate: bool,
    /// Whether the text stands in the document itself.
    pub(super) inline: bool,
    /// How many contexts this one is nested in.
    pub(super) depth: usize,
}

impl Workshop<'_> {
    pub(super) fn new_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// The active context that `local` makes of `active`.
    pub(super) fn process(
        &self,
        active: &Arc<Context>,
        local: &Value,
        how: &How,
    ) -> Result<Arc<Context>, Fault> {
        let before = self.spent.get();
        self.spend_copy(active)?;
        let mut context = self.step((**active).clone(), Some(active), local, how)?;
        context.cost = self.spent.get() - before;
        Ok(context.sealed(self.new_id()))
    }

    /// Counts work, in term definitions.
    pub(super) fn spend(&self, definitions: usize) -> Result<(), Fault> {
        let spent = self.spent.get() + definitions;
        self.spent.set(spent);
        let most = self.definitions;
        if spent > most {
            return Err(Fault::Limit {
                of: DEFINITIONS,
                most,
            });
        }
        Ok(())
    }

    /// Counts going through all the terms of `context` once.
    pub(super) fn spend_copy(&self, context: &Context) -> Result<(), Fault> {
        self.spend(context.terms.len() / 16)
    }

    /// As [`Workshop::process`], on a context that nobody shares yet. `before` is the same
    /// context shared, where there is one.
    pub(super) fn step(
        &self,
        mut result: Context,
        before: Option<&Arc<Context>>,
        local: &Value,
        how: &How,
    ) -> Result<Context, Fault> {
        if how.depth > self.limits.depth {
            return Err(Fault::Limit {
                of: DEPTH,
                most: self.limits.depth,
            });
        }
        let propagate = match local.get("@propagate") {
            None => how.propagate,
            Some(Value::Bool(propagate)) => *propagate,
            Some(_) => return Err(Fault::new(Code::InvalidPropagateValue, "@propagate")),
        };
        if !propagate && result.previous.is_none() {
            let before = before.cloned();
            result.previous = Some(before.unwrap_or_else(|| result.clone().sealed(self.new_id())));
        }
        result.inline |= how.inline;
        let single = std::slice::from_ref(local);
        for entry in local.as_array().map_or(single, Vec::as_slice) {
            result = match entry {
                Value::Null => cleared(&result, how.override_protected, propagate)?,
                Value::String(url) => self.document(result, url, how)?,
                Value::Object(entries) => self.entries(result, entries, how)?,
                _ => return Err(Fault::new(Code::InvalidLocalContext, entry.to_string())),
            };
        }
        Ok(result)
    }

    /// Step 5.2: a context by its URL.
    fn document(&self, result: Context, url: &str, how: &How) -> Result<Context, Fault> {
        let (url, document) = self.look_up(url, how)?;
        if how.remote.contains(url) {
            // A document that includes itself outside of a scope would never come to an end.
            return if how.validate {
                Err(Fault::new(Code::ContextOverflow, &**url))
            } else {
                Ok(result)
            };
        }
        let mut remote = how.remote.clone();
        remote.push(url.clone());
        let how = How {
            url: Some(url.clone()),
            remote,
            propagate: true,
            inline: false,
            depth: how.depth + 1,
            ..how.clone()
        };
        self.step(result, None, &document.local, &how)
    }

    /// The URL in full, and the context behind it.
    pub(super) fn look_up(
        &self,
        url: &str,
        how: &How,
    ) -> Result<(&'_ Arc<str>, &'_ Document), Fault> {
        let full = match &how.url {
            Some(base) if !iri::has_scheme(url) => Cow::Owned(iri::resolve(base, url)),
            _ => Cow::Borrowed(url),
        };
        match self.documents.get_key_value(&*full) {
            Some(found) => Ok(found),
            None => Err(Fault::Unknown {
                url: full.into_owned(),
            }),
        }
    }

    /// Steps 5.4 to 5.13: a context written out.
    fn entries(
        &self,
        mut result: Context,
        entries: &Map<String, Value>,
        how: &How,
    ) -> Result<Context, Fault> {
        check_version(entries)?;
        let merged = self.imported(entries, how)?;
        let entries = merged.as_ref().unwrap_or(entries);
        if how.remote.is_empty() {
            set_base(&mut result, entries)?;
        }
        if entries.contains_key("@vocab") {
            self.spend_copy(&result)?;
        }
        set_vocab(&mut result, entries)?;
        set_language(&mut result, entries)?;
        if !matches!(entries.get("@propagate"), None | Some(Value::Bool(_))) {
            return Err(Fault::new(Code::InvalidPropagateValue, "@propagate"));
        }
        let protected = match entries.get("@protected") {
            None => false,
            Some(Value::Bool(protected)) => *protected,
            Some(_) => return Err(Fault::new(Code::InvalidProtectedValue, "@protected")),
        };
        let mut definer = Definer::new(self, result, entries, protected, how);
        for term in entries.keys() {
            definer.define(term)?;
        }
        Ok(definer.finish())
    }

    /// Step 5.6: the entries of an imported context below those that import it.
    fn imported(
        &self,
        entries: &Map<String, Value>,
        how: &How,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        let url = match entries.get("@import") {
            None => return Ok(None),
            Some(Value::String(url)) => url,
            Some(_) => return Err(Fault::new(Code::InvalidImportValue, "@import")),
        };
        let (_, document) = self.look_up(url, how)?;
        let Value::Object(imported) = &document.local else {
            return Err(Fault::new(Code::InvalidRemoteContext, url));
        };
        if imported.contains_key("@import") {
            return Err(Fault::new(Code::InvalidContextEntry, "@import"));
        }
        let mut merged = imported.clone();
        for (key, value) in entries {
            merged.insert(key.clone(), value.clone());
        }
        merged.shift_remove("@import");
        Ok(Some(merged))
    }
}

/// Step 5.1: a null context.
fn cleared(context: &Context, override_protected: bool, propagate: bool) -> Result<Context, Fault> {
    if !override_protected
        && let Some((term, _)) = context.terms.iter().find(|(_, term)| term.protected)
    {
        return Err(Fault::new(Code::InvalidContextNullification, &**term));
    }
    let mut result = Context::initial(context.document_base.clone());
    result.inline = context.inline;
    result.second_name = context.second_name.clone();
    if !propagate {
        result.previous = context.previous.clone();
    }
    Ok(result)
}

/// Step 5.5.
fn check_version(entries: &Map<String, Value>) -> Result<(), Fault> {
    match entries.get("@version") {
        None => Ok(()),
        Some(Value::Number(version)) if version.as_f64() == Some(1.1) => Ok(()),
        Some(other) => Err(Fault::new(Code::InvalidVersionValue, other.to_string())),
    }
}

/// Step 5.7.
fn set_base(context: &mut Context, entries: &Map<String, Value>) -> Result<(), Fault> {
    match entries.get("@base") {
        None => {}
        Some(Value::Null) => context.base = None,
        Some(Value::String(base)) if iri::has_scheme(base) => {
            context.base = Some(base.as_str().into());
        }
        Some(Value::String(reference)) if context.base.is_some() => {
            let base = context
                .base
                .as_deref()
                .expect("the guard saw that there is a base");
            context.base = Some(iri::resolve(base, reference).into());
        }
        Some(other) => return Err(Fault::new(Code::InvalidBaseIri, other.to_string())),
    }
    Ok(())
}

/// Step 5.8.
fn set_vocab(context: &mut Context, entries: &Map<String, Value>) -> Result<(), Fault> {
    match entries.get("@vocab") {
        None => {}
        Some(Value::Null) => context.vocab = None,
        Some(Value::String(vocab)) => {
            context.reindex();
            let expanded = context.expand(vocab, true, true);
            let Some(text) = expanded.text().filter(|text| !text.starts_with('@')) else {
                return Err(Fault::new(Code::InvalidVocabMapping, vocab));
            };
            context.vocab = Some(text.into());
        }
        Some(other) => return Err(Fault::new(Code::InvalidVocabMapping, other.to_string())),
    }
    Ok(())
}

/// Steps 5.9 and 5.10.
fn set_language(context: &mut Context, entries: &Map<String, Value>) -> Result<(), Fault> {
    match entries.get("@language") {
        None => {}
        Some(Value::Null) => context.language = None,
        Some(Value::String(language)) => {
            context.language = Some(language.to_lowercase().into());
        }
        Some(other) => return Err(Fault::new(Code::InvalidDefaultLanguage, other.to_string())),
    }
    match entries.get("@direction") {
        None => {}
        Some(Value::Null) => context.direction = None,
        Some(value) => {
            let direction = value.as_str().and_then(Direction::parse);
            let refused = || Fault::new(Code::InvalidBaseDirection, value.to_string());
            context.direction = Some(direction.ok_or_else(refused)?);
        }
    }
    Ok(())
}
