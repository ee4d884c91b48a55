//! Which context comes into effect where (JSON-LD 1.1 API, section 5.1.2, steps 7 to 11).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Context, Scoped};
use super::error::{Code, DEFINITIONS, Error, Fault, Place};
use super::expand::{Frame, Walk};
use super::keyword::Keyword;
use super::options::InlineTerms;
use super::processor::Scope;

impl Walk<'_> {
    /// Steps 7 to 11: the context that type-scoped contexts come on top of, and the one that the
    /// members of `map` are read with.
    pub(super) fn contexts(
        &mut self,
        map: &Map<String, Value>,
        frame: &Frame<'_>,
    ) -> Result<(Arc<Context>, Arc<Context>), Error> {
        let mut active = frame.context.clone();
        if let Some(previous) = &frame.context.previous
            && !frame.from_map
            && !keeps_context(map, frame.context)
        {
            active = previous.clone();
        }
        if let Some(scoped) = frame
            .definition
            .and_then(|definition| definition.scoped.as_deref())
        {
            active = self.enter(&active, scoped, Scope::Property, frame.place)?;
        }
        if let Some((key, local)) = map.iter().find(|(key, _)| *key == "@context") {
            active = self.local(&active, local, &frame.place.member(key))?;
        }
        let typed = active.clone();
        self.enter_types(map, &typed, &mut active, frame.place)?;
        Ok((typed, active))
    }

    /// Step 11: the contexts of the node's types, in the order of their names.
    fn enter_types(
        &mut self,
        map: &Map<String, Value>,
        typed: &Arc<Context>,
        active: &mut Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let mut types = map
            .iter()
            .filter(|(key, _)| typed.keyword(key) == Some(Keyword::Type));
        let Some(first) = types.next() else {
            return Ok(());
        };
        let Some(second) = types.next() else {
            return self.enter_classes(first.1, typed, active, place);
        };
        let mut types: Vec<_> = [first, second].into_iter().chain(types).collect();
        types.sort_unstable_by_key(|(key, _)| *key);
        for (_, classes) in types {
            self.enter_classes(classes, typed, active, place)?;
        }
        Ok(())
    }

    fn enter_classes(
        &mut self,
        classes: &Value,
        typed: &Context,
        active: &mut Arc<Context>,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let single = std::slice::from_ref(classes);
        let mut scoped = classes
            .as_array()
            .map_or(single, Vec::as_slice)
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|name| Some((name, typed.term(name)?.scoped.as_deref()?)));
        let Some(first) = scoped.next() else {
            return Ok(());
        };
        let Some(second) = scoped.next() else {
            *active = self.enter(active, first.1, Scope::Type, place)?;
            return Ok(());
        };
        let mut scoped: Vec<_> = [first, second].into_iter().chain(scoped).collect();
        scoped.sort_unstable_by_key(|&(name, _)| name);
        for (_, scoped) in scoped {
            *active = self.enter(active, scoped, Scope::Type, place)?;
        }
        Ok(())
    }

    /// The scoped context `scoped` on top of `active`.
    pub(super) fn enter(
        &mut self,
        active: &Arc<Context>,
        scoped: &Scoped,
        scope: Scope,
        place: &Place<'_>,
    ) -> Result<Arc<Context>, Error> {
        let made = self.processor.scoped(
            active,
            scoped,
            scope,
            &self.options.limits,
            self.definitions,
        );
        self.accept(made, 0, place)
    }

    /// The context within an object under the alias `key` of `@nest`.
    pub(super) fn nest_context(
        &mut self,
        key: &str,
        context: &Arc<Context>,
        place: &Place<'_>,
    ) -> Result<Arc<Context>, Error> {
        let definition = context.term(key);
        match definition.and_then(|definition| definition.scoped.as_deref()) {
            None => Ok(context.clone()),
            Some(scoped) => self.enter(context, scoped, Scope::Property, place),
        }
    }

    /// The context of an `@context` member on top of `active`.
    pub(super) fn local(
        &mut self,
        active: &Arc<Context>,
        local: &Value,
        place: &Place<'_>,
    ) -> Result<Arc<Context>, Error> {
        let limits = &self.options.limits;
        match local {
            // `@propagate` inside of an array has no say, which single entries could not tell.
            Value::Array(entries) if entries.iter().all(|one| one.get("@propagate").is_none()) => {
                let mut active = active.clone();
                for (number, entry) in entries.iter().enumerate() {
                    let place = place.item(number);
                    if entry.is_array() {
                        return Err(place.invalid(Code::InvalidLocalContext));
                    }
                    active = self.local(&active, entry, &place)?;
                }
                Ok(active)
            }
            Value::String(_) => {
                let spent = self.definitions;
                let made = self.processor.by_url(active, local, limits, spent);
                self.accept(made, 0, place)
            }
            _ => {
                let text = local.to_string();
                let bytes = text.len();
                self.check_inline(bytes, place)?;
                let spent = self.definitions;
                let made = self.processor.by_text(active, local, text, limits, spent);
                self.accept(made, bytes, place)
            }
        }
    }

    /// Takes a context that comes into effect, within the limits and the rules for names.
    fn accept(
        &mut self,
        made: Result<Arc<Context>, Fault>,
        inline_bytes: usize,
        place: &Place<'_>,
    ) -> Result<Arc<Context>, Error> {
        let context = made.map_err(|fault| fault.at(place.pointer()))?;
        if let Some((term, iri)) = &context.second_name
            && self.options.inline_terms == InlineTerms::NoSecondNames
        {
            let (term, iri) = (term.to_string(), iri.to_string());
            return Err(Error::SecondName {
                place: place.pointer(),
                term,
                iri,
            });
        }
        if self.contexts.insert(context.id) {
            self.inline_bytes += inline_bytes;
            self.check_inline(0, place)?;
            self.check_definitions(&context, place)?;
            let most = self.options.limits.contexts;
            if self.contexts.len() > most {
                let place = place.pointer();
                return Err(Error::LimitExceeded {
                    place,
                    of: "different contexts",
                    most,
                });
            }
        }
        Ok(context)
    }

    /// Counts what it took to make `context`, if inline contexts had a part in it: now or for a
    /// document before, so that what is accepted does not depend on the caches.
    fn check_definitions(&mut self, context: &Context, place: &Place<'_>) -> Result<(), Error> {
        if context.inline {
            self.definitions += context.cost;
        }
        let most = self.options.limits.definitions;
        if self.definitions > most {
            return Err(Error::LimitExceeded {
                place: place.pointer(),
                of: DEFINITIONS,
                most,
            });
        }
        Ok(())
    }

    fn check_inline(&self, more: usize, place: &Place<'_>) -> Result<(), Error> {
        let most = self.options.limits.inline_bytes;
        if more > most || self.inline_bytes > most {
            let place = place.pointer();
            return Err(Error::LimitExceeded {
                place,
                of: "bytes of inline contexts",
                most,
            });
        }
        Ok(())
    }
}

/// Step 7: whether an object keeps a context that does not propagate, being a value or no more
/// than a reference.
fn keeps_context(map: &Map<String, Value>, context: &Context) -> bool {
    let mut keywords = map.keys().map(|key| context.keyword(key));
    match map.len() {
        1 => keywords.all(|one| matches!(one, Some(Keyword::Value | Keyword::Id))),
        _ => keywords.any(|one| one == Some(Keyword::Value)),
    }
}
