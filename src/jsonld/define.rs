//! Term definitions (JSON-LD 1.1 API, section 4.2).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Coercion, Container, Context, Definition, Name, Scoped, compact};
use super::entry::{
    Entry, check_entry_keys, check_type_entry, container_of, ends_like_a_prefix, is_context_entry,
    set_language, set_nest, set_prefix,
};
use super::error::{Code, DEPTH, Fault};
use super::keyword::{Keyword, is_reserved};
use super::local::{How, Workshop};

/// Defines the terms of one context, each after those that it builds on.
pub(super) struct Definer<'d> {
    workshop: &'d Workshop<'d>,
    context: Context,
    entries: &'d Map<String, Value>,
    protected: bool,
    how: &'d How,
    /// False while a term is being defined: whoever meets it then goes in a circle.
    defined: HashMap<String, bool>,
    /// How many terms wait for the one being defined.
    waiting: usize,
}

impl<'d> Definer<'d> {
    pub(super) fn new(
        workshop: &'d Workshop<'d>,
        context: Context,
        entries: &'d Map<String, Value>,
        protected: bool,
        how: &'d How,
    ) -> Self {
        Self {
            workshop,
            context,
            entries,
            protected,
            how,
            defined: HashMap::new(),
            waiting: 0,
        }
    }

    pub(super) fn finish(self) -> Context {
        self.context
    }

    /// Defines `term`, unless that is done already.
    pub(super) fn define(&mut self, term: &str) -> Result<(), Fault> {
        match self.defined.get(term) {
            Some(true) => return Ok(()),
            Some(false) => return Err(Fault::new(Code::CyclicIriMapping, term)),
            None => {}
        }
        let Some((term, value)) = self.entries.get_key_value(term) else {
            return Ok(());
        };
        if is_context_entry(term) {
            return Ok(());
        }
        if term.is_empty() {
            return Err(Fault::new(Code::InvalidTermDefinition, "the empty term"));
        }
        if self.waiting > self.workshop.limits.depth {
            return Err(Fault::Limit {
                of: DEPTH,
                most: self.workshop.limits.depth,
            });
        }
        self.workshop.spend(1)?;
        self.defined.insert(term.clone(), false);
        self.waiting += 1;
        if term == "@type" {
            check_type_entry(value)?;
        } else if Keyword::parse(term).is_some() {
            return Err(Fault::new(Code::KeywordRedefinition, term));
        } else if is_reserved(term) {
            self.waiting -= 1;
            self.defined.insert(term.clone(), true);
            return Ok(());
        }
        let previous = self.remove(term);
        match self.definition(&Entry::of(term, value)?, previous.as_deref())? {
            Some(definition) => self.keep(term, definition, previous)?,
            None => self.pass_over(term, previous)?,
        }
        self.waiting -= 1;
        self.defined.insert(term.clone(), true);
        Ok(())
    }

    /// Steps 8 to 26; nothing where the term maps to a reserved name and is passed over.
    fn definition(
        &mut self,
        entry: &Entry<'_>,
        previous: Option<&Definition>,
    ) -> Result<Option<Definition>, Fault> {
        check_entry_keys(entry)?;
        let mut definition = Definition {
            mapping: Name::Null,
            prefix: false,
            protected: match entry.get("@protected") {
                None => self.protected,
                Some(Value::Bool(protected)) => *protected,
                Some(_) => return Err(entry.fault(Code::InvalidProtectedValue)),
            },
            reverse: false,
            container: Container::default(),
            coercion: self.coercion(entry)?,
            language: None,
            direction: None,
            index: None,
            nest: None,
            scoped: None,
        };
        let passed_over = if entry.get("@reverse").is_some() {
            !self.map_reverse(entry, &mut definition)?
        } else {
            !self.map(entry, &mut definition)?
        };
        if passed_over {
            return Ok(None);
        }
        self.set_container(entry, &mut definition)?;
        self.set_index(entry, &mut definition)?;
        self.set_scoped(entry, &mut definition, previous)?;
        set_language(entry, &mut definition)?;
        set_nest(entry, &mut definition)?;
        set_prefix(entry, &mut definition)?;
        Ok(Some(definition))
    }

    /// Step 12: the type mapping.
    fn coercion(&mut self, entry: &Entry<'_>) -> Result<Coercion, Fault> {
        let Some(text) = entry.text("@type", Code::InvalidTypeMapping)? else {
            return Ok(Coercion::Absent);
        };
        match self.expand(text)? {
            Name::Keyword(Keyword::Id) => Ok(Coercion::Id),
            Name::Keyword(Keyword::Vocab) => Ok(Coercion::Vocab),
            Name::Keyword(Keyword::Json) => Ok(Coercion::Json),
            Name::Keyword(Keyword::None) => Ok(Coercion::None),
            Name::Iri(datatype) => Ok(Coercion::Datatype(datatype)),
            _ => Err(entry.fault(Code::InvalidTypeMapping)),
        }
    }

    /// Step 13: a reverse property. False where the term is passed over.
    fn map_reverse(
        &mut self,
        entry: &Entry<'_>,
        definition: &mut Definition,
    ) -> Result<bool, Fault> {
        if entry.id.is_some() || entry.get("@nest").is_some() {
            return Err(entry.fault(Code::InvalidReverseProperty));
        }
        let text = entry.text("@reverse", Code::InvalidIriMapping)?;
        let text = text.expect("only an entry with @reverse is mapped here");
        if Keyword::parse(text).is_none() && is_reserved(text) {
            return Ok(false);
        }
        definition.mapping = self.expand(text)?;
        if !definition.mapping.is_resource() {
            return Err(entry.fault(Code::InvalidIriMapping));
        }
        match entry.get("@container") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text == "@set" || text == "@index" => {}
            Some(_) => return Err(entry.fault(Code::InvalidReverseProperty)),
        }
        definition.reverse = true;
        Ok(true)
    }

    /// Steps 14 to 18: the IRI mapping. False where the term is passed over.
    fn map(&mut self, entry: &Entry<'_>, definition: &mut Definition) -> Result<bool, Fault> {
        let term = entry.term;
        let inner = term.len() > 1 && term[..term.len() - 1].chars().skip(1).any(|c| c == ':');
        match entry.id {
            Some(Value::Null) => return Ok(true),
            Some(Value::String(id)) if id != term => {
                if Keyword::parse(id).is_none() && is_reserved(id) {
                    return Ok(false);
                }
                definition.mapping = self.expand(id)?;
                match &definition.mapping {
                    Name::Keyword(Keyword::Context) => {
                        return Err(entry.fault(Code::InvalidKeywordAlias));
                    }
                    Name::Keyword(_) => {}
                    mapping if mapping.is_resource() => {}
                    _ => return Err(entry.fault(Code::InvalidIriMapping)),
                }
                if inner || term.contains('/') {
                    self.defined.insert(term.to_owned(), true);
                    if self.expand(term)? != definition.mapping {
                        return Err(entry.fault(Code::InvalidIriMapping));
                    }
                } else if !term.contains(':') && entry.simple {
                    definition.prefix = ends_like_a_prefix(&definition.mapping);
                }
                return Ok(true);
            }
            None | Some(Value::String(_)) => {}
            Some(_) => return Err(entry.fault(Code::InvalidIriMapping)),
        }
        definition.mapping = self.implicit_mapping(term)?;
        let allowed = definition.mapping.is_resource() || term == "@type";
        if allowed {
            Ok(true)
        } else {
            Err(entry.fault(Code::InvalidIriMapping))
        }
    }

    /// Steps 15 to 18: what a term maps to that does not say so.
    fn implicit_mapping(&mut self, term: &str) -> Result<Name, Fault> {
        if term == "@type" {
            return Ok(Name::Keyword(Keyword::Type));
        }
        if let Some((prefix, suffix)) = compact(term) {
            if prefix != "_" && !suffix.starts_with("//") {
                self.define(prefix)?;
            }
            return match self
                .context
                .term(prefix)
                .and_then(|found| found.mapping.text())
            {
                Some(namespace) => Ok(Name::of([namespace, suffix].concat())),
                None => Ok(Name::of(term)),
            };
        }
        if term.contains('/') {
            return Ok(self.context.expand(term, true, true));
        }
        match &self.context.vocab {
            Some(vocabulary) => Ok(Name::of([vocabulary, term].concat())),
            None => Ok(Name::Other(term.into())),
        }
    }

    /// Step 19: the container mapping.
    fn set_container(&self, entry: &Entry<'_>, definition: &mut Definition) -> Result<(), Fault> {
        let given = match entry.get("@container") {
            None => return Ok(()),
            Some(Value::Null) if definition.reverse => return Ok(()),
            Some(given) => given,
        };
        let container = container_of(given);
        let container = container.ok_or_else(|| entry.fault(Code::InvalidContainerMapping))?;
        definition.container = container;
        if container.has(Keyword::Type) {
            match definition.coercion {
                Coercion::Absent => definition.coercion = Coercion::Id,
                Coercion::Id | Coercion::Vocab => {}
                _ => return Err(entry.fault(Code::InvalidTypeMapping)),
            }
        }
        Ok(())
    }

    /// Step 20: the property that an index is written as.
    fn set_index(&mut self, entry: &Entry<'_>, definition: &mut Definition) -> Result<(), Fault> {
        let Some(index) = entry.text("@index", Code::InvalidTermDefinition)? else {
            return Ok(());
        };
        let property = self.expand(index)?;
        if !definition.container.has(Keyword::Index) || !property.is_resource() {
            return Err(entry.fault(Code::InvalidTermDefinition));
        }
        definition.index = Some(index.into());
        Ok(())
    }

    /// Step 21: a scoped context is processed once, to see that it is a context at all.
    fn set_scoped(
        &mut self,
        entry: &Entry<'_>,
        definition: &mut Definition,
        previous: Option<&Definition>,
    ) -> Result<(), Fault> {
        let Some(local) = entry.get("@context") else {
            return Ok(());
        };
        let how = How {
            override_protected: true,
            propagate: true,
            validate: false,
            depth: self.how.depth + 1,
            ..self.how.clone()
        };
        // The known documents were gone through when the processor was made.
        if self.how.inline || self.workshop.named.is_none() {
            self.workshop.spend_copy(&self.context)?;
            match self.workshop.step(self.context.clone(), None, local, &how) {
                // What it names twice is held against the whole context, used or not.
                Ok(checked) => self.context.second_name = checked.second_name,
                Err(Fault::Invalid { .. }) => {
                    return Err(entry.fault(Code::InvalidScopedContext));
                }
                Err(other) => return Err(other),
            }
        }
        let (url, inline) = (&self.how.url, self.how.inline);
        // A document met again says what it said before.
        let same = previous
            .and_then(|previous| previous.scoped.as_ref())
            .filter(|scoped| {
                scoped.url == *url && scoped.inline == inline && scoped.local == *local
            });
        definition.scoped = Some(same.cloned().unwrap_or_else(|| {
            Arc::new(Scoped {
                id: self.workshop.new_id(),
                local: local.clone(),
                url: url.clone(),
                inline,
            })
        }));
        Ok(())
    }

    /// What becomes of a term whose entry says nothing: it stays as it was. A protected term is
    /// not even to be named like that.
    fn pass_over(&mut self, term: &str, previous: Option<Arc<Definition>>) -> Result<(), Fault> {
        match previous {
            Some(previous) if previous.protected && !self.how.override_protected => {
                Err(Fault::new(Code::ProtectedTermRedefinition, term))
            }
            Some(previous) => {
                self.insert(term, previous);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Steps 27 and 28: a protected term stays what it is.
    fn keep(
        &mut self,
        term: &str,
        mut definition: Definition,
        previous: Option<Arc<Definition>>,
    ) -> Result<(), Fault> {
        if let Some(previous) = previous
            && previous.protected
            && !self.how.override_protected
        {
            if !definition.says_the_same_as(&previous) {
                return Err(Fault::new(Code::ProtectedTermRedefinition, term));
            }
            definition = (*previous).clone();
        }
        self.note_second_name(term, &definition);
        self.insert(term, Arc::new(definition));
        Ok(())
    }

    fn insert(&mut self, term: &str, definition: Arc<Definition>) {
        if let (Name::Keyword(keyword), false) = (&definition.mapping, term.starts_with('@')) {
            self.context.aliases.push((term.into(), *keyword));
        }
        self.context.terms.insert(term.into(), definition);
    }

    /// Remembers the first term of a document's own that is another name than the known documents
    /// have for something, or that says the reverse under one of their names.
    fn note_second_name(&mut self, term: &str, definition: &Definition) {
        let (true, Some(named)) = (self.how.inline, self.workshop.named) else {
            return;
        };
        let second = match &definition.mapping {
            Name::Keyword(keyword) => !matches!(
                (term, keyword),
                ("id", Keyword::Id) | ("type" | "@type", Keyword::Type)
            ),
            mapping => mapping
                .text()
                .and_then(|iri| named.get(iri))
                .is_some_and(|names| definition.reverse || !names.contains(term)),
        };
        if let Some(iri) = definition.mapping.text()
            && second
        {
            self.context
                .second_name
                .get_or_insert_with(|| (term.into(), iri.into()));
        }
    }

    fn remove(&mut self, term: &str) -> Option<Arc<Definition>> {
        let previous = self.context.terms.remove(term)?;
        if matches!(previous.mapping, Name::Keyword(_)) {
            self.context.aliases.retain(|(alias, _)| &**alias != term);
        }
        Some(previous)
    }

    /// Expands a name by the terms that are there and those of this context that it needs.
    fn expand(&mut self, text: &str) -> Result<Name, Fault> {
        if Keyword::parse(text).is_none() && !is_reserved(text) {
            self.define(text)?;
            if let Some((prefix, suffix)) = compact(text)
                && prefix != "_"
                && !suffix.starts_with("//")
            {
                self.define(prefix)?;
            }
        }
        Ok(self.context.expand(text, true, false))
    }
}

impl Definition {
    /// Whether both mean the same, their protection apart.
    fn says_the_same_as(&self, other: &Self) -> bool {
        self.mapping == other.mapping
            && self.prefix == other.prefix
            && self.reverse == other.reverse
            && self.container == other.container
            && self.coercion == other.coercion
            && self.language == other.language
            && self.direction == other.direction
            && self.index == other.index
            && self.nest == other.nest
            && match (&self.scoped, &other.scoped) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one.local == other.local,
                (one, other) => one.is_none() && other.is_none(),
            }
    }
}
