//! Questions as they are mostly asked: by place, about the present, in a plain form.

use std::collections::HashMap;

use super::{MOST_QUERIES, parse_index};
use crate::json::{Plain, Text};
use crate::registry::EntriesAsked;

/// The questions of a body that asks by place alone, about the present. Whatever else it says, is wrong with
/// it, or could be, is for the reader of all bodies: then this is `None`.
pub(super) fn by_place(body: &[u8]) -> Option<EntriesAsked<'_>> {
    let mut reader = Plain::new(body)?;
    let mut asked = Asked::default();
    reader.take(b'{')?;
    is_named(&mut reader, "queries")?;
    reader.take(b'[')?;
    loop {
        asked.one(&mut reader)?;
        if asked.all.len() > MOST_QUERIES {
            return None;
        }
        if reader.take(b',').is_none() {
            break;
        }
    }
    reader.take(b']')?;
    reader.take(b'}')?;
    reader.is_at_end().then_some(asked.all)
}

/// What was asked so far.
#[derive(Default)]
struct Asked<'t> {
    all: EntriesAsked<'t>,
    /// Lists by what is written of them.
    lists: HashMap<&'t str, u32>,
    /// The last one. Questions about one list mostly stand together.
    last: Option<(Text<'t>, u32)>,
}

impl<'t> Asked<'t> {
    /// Reads one question.
    fn one(&mut self, reader: &mut Plain<'t>) -> Option<()> {
        reader.take(b'{')?;
        let (list, index) = match reader.string()?.between() {
            "list" => {
                reader.take(b':')?;
                let list = self.list(reader)?;
                reader.take(b',')?;
                is_named(reader, "index")?;
                (list, index(reader)?)
            }
            "index" => {
                reader.take(b':')?;
                let index = index(reader)?;
                reader.take(b',')?;
                is_named(reader, "list")?;
                (self.list(reader)?, index)
            }
            _ => return None,
        };
        reader.take(b'}')?;
        self.all.ask(list, index);
        Some(())
    }

    /// Reads a list.
    fn list(&mut self, reader: &mut Plain<'t>) -> Option<u32> {
        if let Some((text, list)) = self.last
            && reader.again(text).is_some()
        {
            return Some(list);
        }
        let text = reader.string()?;
        let list = match self.lists.get(text.between()) {
            Some(list) => *list,
            None => {
                let list = self.all.name(text.read()?);
                self.lists.insert(text.between(), list);
                list
            }
        };
        self.last = Some((text, list));
        Some(list)
    }
}

/// Takes the name of a member, with what stands before its value.
fn is_named(reader: &mut Plain<'_>, name: &str) -> Option<()> {
    let found = reader.string()?;
    (found.between() == name).then(|| reader.take(b':'))?
}

/// Reads an index: a number, or a string of digits.
fn index(reader: &mut Plain<'_>) -> Option<u64> {
    match reader.whole_number() {
        Some(index) => Some(index),
        None => parse_index(&reader.string()?.read()?),
    }
}
