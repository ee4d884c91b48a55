//! How full lists are.

use super::text::count;
use super::{Chart, MOST_ROWS, Row, Tone, percent, share};

/// How full one list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// How the list is called.
    pub name: String,
    /// Entries that it has room for.
    pub capacity: u64,
    /// How many of them are in use; `None` where nobody knows.
    pub used: Option<u64>,
    /// How many are set: revoked, suspended.
    pub set: u64,
}

/// What a chart of fill says, in the language of the page.
#[derive(Debug, Clone, Copy)]
pub struct FillWords<'a> {
    /// The title.
    pub title: &'a str,
    /// What leads to the table.
    pub table: &'a str,
    /// The head of the column of names.
    pub list: &'a str,
    /// Of entries that are in use.
    pub used: &'a str,
    /// Of entries that are set.
    pub set: &'a str,
    /// Of entries that are free.
    pub free: &'a str,
    /// Of what a list has room for.
    pub capacity: &'a str,
    /// Between what is in use and what there is room for.
    pub of: &'a str,
    /// Where nobody knows how many are in use.
    pub unknown: &'a str,
    /// Where there are no lists.
    pub none: &'a str,
    /// What lists are called, where they are counted.
    pub lists: &'a str,
    /// Between thousands.
    pub apart: char,
}

/// The chart of these lists; of many, of how many are how full. `id` tells it from other charts on the
/// page.
pub fn fill(id: &str, lists: &[Fill], words: &FillWords<'_>) -> String {
    let number = |number: u64| count(number, words.apart);
    let description = match lists.len() {
        0 => words.none.to_owned(),
        lists => format!("{} {}", number(lists as u64), words.lists),
    };
    let is_grouped = lists.len() > MOST_ROWS;
    let rows = match is_grouped {
        true => groups(lists, words),
        false => lists.iter().map(|list| row(list, words)).collect(),
    };
    let cells = match is_grouped {
        true => rows
            .iter()
            .map(|row| vec![row.name.clone(), row.says.clone()])
            .collect(),
        false => lists.iter().map(|list| cells(list, words)).collect(),
    };
    let chart = Chart {
        title: words.title,
        description,
        rows,
        legend: match is_grouped {
            true => Vec::new(),
            false => vec![(Tone::Bad, words.set), (Tone::Good, words.used)],
        },
        table_title: words.table,
        heads: match is_grouped {
            true => vec![words.used, words.lists],
            false => vec![
                words.list,
                words.capacity,
                words.used,
                words.set,
                words.free,
            ],
        },
        cells,
    };
    chart.html(id)
}

impl Fill {
    /// How many are set and in use. More than there is room for is what there is room for.
    fn parts(&self) -> Option<(u64, u64)> {
        let used = self.used?.min(self.capacity);
        Some((self.set.min(used), used))
    }
}

fn row(list: &Fill, words: &FillWords<'_>) -> Row {
    let number = |number: u64| count(number, words.apart);
    let capacity = number(list.capacity);
    let (stretches, says) = match list.parts() {
        None => {
            let set = list.set.min(list.capacity);
            let stretches = vec![
                (Tone::Bad, share(set, list.capacity)),
                (Tone::Unknown, share(list.capacity - set, list.capacity)),
            ];
            (stretches, words.unknown.to_owned())
        }
        Some((set, used)) => {
            let part = percent(share(used, list.capacity));
            let stretches = vec![
                (Tone::Bad, share(set, list.capacity)),
                (Tone::Good, share(used - set, list.capacity)),
            ];
            let used = number(used);
            (
                stretches,
                format!("{used} {} {capacity} ({part} %)", words.of),
            )
        }
    };
    Row {
        name: list.name.clone(),
        stretches,
        says,
    }
}

fn cells(list: &Fill, words: &FillWords<'_>) -> Vec<String> {
    let number = |number: u64| count(number, words.apart);
    let (used, free) = match list.parts() {
        Some((_, used)) => (number(used), number(list.capacity - used)),
        None => (words.unknown.to_owned(), words.unknown.to_owned()),
    };
    let (capacity, set) = (number(list.capacity), number(list.set));
    vec![list.name.clone(), capacity, used, set, free]
}

/// Lists by how full they are, in tenths.
fn groups(lists: &[Fill], words: &FillWords<'_>) -> Vec<Row> {
    let (mut tenths, mut unknown) = ([0_u64; 10], 0_u64);
    for list in lists {
        match list.parts() {
            None => unknown += 1,
            Some((_, used)) => {
                // A list that is full is in the last tenth.
                let tenth = (share(used, list.capacity) * 10.0) as usize;
                tenths[tenth.min(9)] += 1;
            }
        }
    }
    let all = lists.len() as u64;
    let row = |name: String, tone, lists: u64| Row {
        name,
        stretches: vec![(tone, share(lists, all))],
        says: format!("{} {}", count(lists, words.apart), words.lists),
    };
    let mut rows: Vec<Row> = tenths
        .iter()
        .enumerate()
        .map(|(tenth, lists)| {
            let tone = if tenth == 9 { Tone::Wait } else { Tone::Good };
            row(
                format!("{}–{} %", tenth * 10, tenth * 10 + 10),
                tone,
                *lists,
            )
        })
        .collect();
    if unknown > 0 {
        rows.push(row(words.unknown.to_owned(), Tone::Unknown, unknown));
    }
    rows
}
