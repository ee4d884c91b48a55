//! How fresh what is published of lists is.

use super::text::{count, duration};
use super::{Chart, MOST_ROWS, Row, Tone, share};

/// How fresh what is published of one list is. Lengths of time are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// How the list is called.
    pub name: String,
    /// What is published; `None` where nothing is.
    pub published: Option<Publication>,
    /// For how long it has been behind a change; `None` where it shows every change.
    pub behind: Option<u64>,
    /// For how long a copy of it may be used.
    pub ttl: u64,
}

/// What is published of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// How long ago it was signed.
    pub age: u64,
    /// For how long it holds in all; `None` where it says nothing of it.
    pub holds: Option<u64>,
}

/// What a chart of freshness says, in the language of the page.
#[derive(Debug, Clone, Copy)]
pub struct FreshnessWords<'a> {
    /// The title.
    pub title: &'a str,
    /// What leads to the table.
    pub table: &'a str,
    /// The head of the column of names.
    pub list: &'a str,
    /// Of the age of what is published.
    pub age: &'a str,
    /// Of for how long it holds still.
    pub left: &'a str,
    /// Of for how long a copy may be used.
    pub ttl: &'a str,
    /// Of what shows every change.
    pub current: &'a str,
    /// Of what is behind a change, by less than the publish delay.
    pub due: &'a str,
    /// Of what is behind by more than that.
    pub behind: &'a str,
    /// Of what holds no longer.
    pub ended: &'a str,
    /// Of what was never signed.
    pub never: &'a str,
    /// Where there are no lists.
    pub none: &'a str,
    /// What lists are called, where they are counted.
    pub lists: &'a str,
    /// Between thousands.
    pub apart: char,
}

/// How the publication of a list stands. Worse is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    Current,
    Due,
    Behind,
    Ended,
    Never,
}

impl Stands {
    const ALL: [Self; 5] = [
        Self::Current,
        Self::Due,
        Self::Behind,
        Self::Ended,
        Self::Never,
    ];

    const fn tone(self) -> Tone {
        match self {
            Self::Current => Tone::Good,
            Self::Due => Tone::Wait,
            Self::Behind | Self::Ended => Tone::Bad,
            Self::Never => Tone::Unknown,
        }
    }

    const fn words<'a>(self, words: &FreshnessWords<'a>) -> &'a str {
        match self {
            Self::Current => words.current,
            Self::Due => words.due,
            Self::Behind => words.behind,
            Self::Ended => words.ended,
            Self::Never => words.never,
        }
    }
}

impl Freshness {
    fn stands(&self, publish_delay: u64) -> Stands {
        let Some(published) = self.published else {
            return Stands::Never;
        };
        match self.behind {
            _ if published.holds.is_some_and(|holds| published.age >= holds) => Stands::Ended,
            Some(behind) if behind > publish_delay => Stands::Behind,
            Some(_) => Stands::Due,
            None => Stands::Current,
        }
    }

    /// For how long it holds still.
    fn left(&self) -> Option<u64> {
        let published = self.published?;
        Some(published.holds?.saturating_sub(published.age))
    }

    fn row(&self, publish_delay: u64, words: &FreshnessWords<'_>) -> Row {
        let stands = self.stands(publish_delay);
        let part = match self.published {
            // How much of the time is over for which it holds; of its copies where it has no end.
            Some(Publication { age, holds }) => share(age, holds.unwrap_or(self.ttl)),
            None => 1.0,
        };
        let mut says = stands.words(words).to_owned();
        match (stands, self.behind, self.left()) {
            (Stands::Behind | Stands::Due, Some(behind), _) => {
                says = format!("{says}: {}", duration(behind));
            }
            (Stands::Current, _, Some(left)) => {
                says = format!("{says} · {} {}", words.left, duration(left));
            }
            _ => {}
        }
        Row {
            name: self.name.clone(),
            stretches: vec![(stands.tone(), part)],
            says,
        }
    }

    fn cells(&self, publish_delay: u64, words: &FreshnessWords<'_>) -> Vec<String> {
        let time = |time: Option<u64>| time.map_or_else(|| "–".to_owned(), duration);
        vec![
            self.name.clone(),
            self.stands(publish_delay).words(words).to_owned(),
            time(self.published.map(|published| published.age)),
            time(self.left()),
            duration(self.ttl),
            time(self.behind),
        ]
    }
}

/// The chart of these lists; of many, of how many stand how. A list that is behind for longer than
/// `publish_delay` milliseconds should not be. `id` tells it from other charts on the page.
pub fn freshness(
    id: &str,
    lists: &[Freshness],
    publish_delay: u64,
    words: &FreshnessWords<'_>,
) -> String {
    let counted = |stands: Stands| {
        let such = lists
            .iter()
            .filter(|list| list.stands(publish_delay) == stands);
        such.count() as u64
    };
    let seen = Stands::ALL.map(|stands| (stands, counted(stands)));
    let seen: Vec<(Stands, u64)> = seen.into_iter().filter(|(_, lists)| *lists > 0).collect();
    let says = |(stands, lists): &(Stands, u64)| {
        format!("{}: {}", stands.words(words), count(*lists, words.apart))
    };
    let description = match seen.is_empty() {
        true => words.none.to_owned(),
        false => seen.iter().map(says).collect::<Vec<_>>().join(", "),
    };
    let is_grouped = lists.len() > MOST_ROWS;
    let group = |(stands, some): &(Stands, u64)| Row {
        name: stands.words(words).to_owned(),
        stretches: vec![(stands.tone(), share(*some, lists.len() as u64))],
        says: format!("{} {}", count(*some, words.apart), words.lists),
    };
    let rows: Vec<Row> = match is_grouped {
        true => seen.iter().map(group).collect(),
        false => lists
            .iter()
            .map(|list| list.row(publish_delay, words))
            .collect(),
    };
    let cells = match is_grouped {
        true => rows
            .iter()
            .map(|row| vec![row.name.clone(), row.says.clone()])
            .collect(),
        false => lists
            .iter()
            .map(|list| list.cells(publish_delay, words))
            .collect(),
    };
    let chart = Chart {
        title: words.title,
        description,
        rows,
        legend: seen
            .iter()
            .map(|(stands, _)| (stands.tone(), stands.words(words)))
            .collect(),
        table_title: words.table,
        heads: match is_grouped {
            true => vec![words.current, words.lists],
            false => vec![
                words.list,
                words.current,
                words.age,
                words.left,
                words.ttl,
                words.behind,
            ],
        },
        cells,
    };
    chart.html(id)
}
