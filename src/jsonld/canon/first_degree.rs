//! Statements made ready for hashing and rendering, and Hash First Degree Quads (RDFC-1.0,
//! section 4.6).

use std::ops::Range;
use std::sync::Arc;

use super::super::nquads::{is_language_tag, push_iri, push_literal};
use super::super::rdf::{Dataset, Literal, Quad, Term};
use super::digest::{Hash, HashAlgorithm};
use super::{CanonError, Limits};

/// "No blank node", "no label". A dataset cannot number that many.
pub(super) const NONE: u32 = u32::MAX;

/// The distinct statements of a dataset. The text of each is written once, in canonical line
/// form with gaps where blank nodes stand; every later use only fills the gaps.
#[derive(Debug)]
pub(super) struct Statements {
    text: String,
    list: Vec<Statement>,
    /// Places in `list`, grouped by the blank node that they mention.
    mentions: Vec<u32>,
    /// `mentions[starts[n]..starts[n + 1]]` are those of blank node `n`.
    starts: Vec<usize>,
}

/// `text[start..object]`, the subject's gap being at its beginning, then the object's gap, then
/// `text[object..graph]`, the graph's gap, and `text[graph..end]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    start: usize,
    object: usize,
    graph: usize,
    end: usize,
    /// `<predicate>` within `text`.
    predicate: (usize, usize),
    /// Subject, object and graph name, or [`NONE`] where it is no blank node.
    pub(super) blanks: [u32; 3],
}

/// The first-degree hash of each blank node.
#[derive(Debug)]
pub(super) struct Hashes {
    /// By number; zeros where no statement mentions the blank node.
    pub(super) by_blank: Vec<Hash>,
    /// The numbers of those that are mentioned, in order of their hashes.
    sorted: Vec<u32>,
}

impl Hashes {
    /// Blank nodes of one hash, in order of the hashes.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.sorted
            .chunk_by(|&a, &b| self.by_blank[a as usize] == self.by_blank[b as usize])
    }
}

impl Statements {
    /// Writes the statements and finds who mentions whom (steps 1 and 2).
    pub(super) fn of(dataset: &Dataset, limits: &Limits) -> Result<Self, CanonError> {
        let limit = limits.bytes;
        let mut text = String::with_capacity(dataset.quads.len() * 160);
        let mut list = Vec::with_capacity(dataset.quads.len());
        let mut writer = Writer::new(&mut text, dataset.blank_count);
        for quad in &dataset.quads {
            if writer.text.len().saturating_add(quad.text_len()) > limit {
                return Err(CanonError::Bytes { limit });
            }
            list.push(writer.statement(quad)?);
        }
        list.sort_unstable_by(|a, b| a.sort_key(&text).cmp(&b.sort_key(&text)));
        list.dedup_by(|a, b| a.sort_key(&text) == b.sort_key(&text));
        let (mentions, starts) = mentions(&list, dataset.blank_count as usize);
        Ok(Self {
            text,
            list,
            mentions,
            starts,
        })
    }

    /// The distinct statements that mention a blank node.
    pub(super) fn mentioning(&self, blank: u32) -> impl ExactSizeIterator<Item = &Statement> {
        let range = self.starts[blank as usize]..self.starts[blank as usize + 1];
        self.mentions[range]
            .iter()
            .map(|&place| &self.list[place as usize])
    }

    /// `<predicate>` of a statement.
    pub(super) fn predicate(&self, statement: &Statement) -> &str {
        &self.text[statement.predicate.0..statement.predicate.1]
    }

    /// Hash First Degree Quads for every blank node that is mentioned. Each statement is hashed
    /// three times at most, so that the limit on their text bounds this too.
    pub(super) fn first_degree_hashes(&self, algorithm: HashAlgorithm) -> Hashes {
        let blanks = self.starts.len() - 1;
        let mut by_blank = vec![[0; 48]; blanks];
        let mut sorted: Vec<u32> = Vec::with_capacity(blanks);
        sorted.extend((0..blanks as u32).filter(|&blank| self.mentioning(blank).len() > 0));
        // A blank node that is alone needs no hash to be told apart.
        if sorted.len() > 1 {
            let mut lines = Lines::default();
            for &blank in &sorted {
                lines.clear();
                for statement in self.mentioning(blank) {
                    lines.add(|out| {
                        statement.render(&self.text, out, |out, other| {
                            out.extend_from_slice(if other == blank { b"_:a" } else { b"_:z" });
                        });
                    });
                }
                by_blank[blank as usize] = algorithm.hash(lines.sorted());
            }
            sorted.sort_by_key(|&blank| by_blank[blank as usize]);
        }
        Hashes { by_blank, sorted }
    }

    /// The whole document, sorted, with `_:c14nN` for each blank node of label N.
    pub(super) fn render(&self, labels: &[u32]) -> String {
        let mut lines = Lines::default();
        lines.bytes.reserve(self.text.len() + 20 * self.list.len());
        for statement in &self.list {
            lines.add(|out| {
                statement.render(&self.text, out, |out, blank| {
                    out.extend_from_slice(b"_:c14n");
                    push_number(out, labels[blank as usize]);
                });
            });
        }
        let bytes = std::mem::take(lines.sorted());
        String::from_utf8(bytes).expect("whole texts and ASCII labels are UTF-8")
    }
}

impl Statement {
    /// The blank nodes of the statement, each once.
    fn distinct_blanks(&self) -> impl Iterator<Item = u32> {
        let [subject, object, graph] = self.blanks;
        let object = if object == subject { NONE } else { object };
        let graph = if graph == subject || graph == object {
            NONE
        } else {
            graph
        };
        [subject, object, graph]
            .into_iter()
            .filter(|&blank| blank != NONE)
    }

    /// Orders statements close to their lines' final order, so that later sorts find long runs:
    /// lines that begin with an IRI come before those that begin with a blank node.
    fn sort_key<'a>(&self, text: &'a str) -> (u32, &'a [u8], [u32; 3]) {
        let [subject, ..] = self.blanks;
        (
            subject.wrapping_add(1),
            &text.as_bytes()[self.start..self.end],
            self.blanks,
        )
    }

    /// Appends the line, with `label` writing each blank node.
    fn render(&self, text: &str, out: &mut Vec<u8>, label: impl Fn(&mut Vec<u8>, u32)) {
        let text = text.as_bytes();
        let parts = [
            &text[self.start..self.object],
            &text[self.object..self.graph],
        ];
        let [subject, object, graph] = self.blanks;
        for (blank, part) in [(subject, parts[0]), (object, parts[1])] {
            if blank != NONE {
                label(out, blank);
            }
            out.extend_from_slice(part);
        }
        if graph != NONE {
            label(out, graph);
        }
        out.extend_from_slice(&text[self.graph..self.end]);
    }
}

/// Writes statements, and refuses terms that could be read in two ways.
struct Writer<'a> {
    text: &'a mut String,
    blank_count: u32,
    /// Addresses of IRIs that were found good, each in the slot that its address leads to: most
    /// IRIs come out of a context and are shared by many statements.
    checked: [usize; 64],
}

impl<'a> Writer<'a> {
    fn new(text: &'a mut String, blank_count: u32) -> Self {
        Self {
            text,
            blank_count,
            checked: [0; 64],
        }
    }

    fn statement(&mut self, quad: &Quad) -> Result<Statement, CanonError> {
        let start = self.text.len();
        let subject_blank = self.node(&quad.subject)?;
        self.text.push(' ');
        let before = self.text.len();
        self.iri(&quad.predicate)?;
        let predicate = (before, self.text.len());
        self.text.push(' ');
        let object_blank = match &quad.object {
            Term::Literal(literal) => self.literal(literal).map(|()| NONE)?,
            node => self.node(node)?,
        };
        let object = self.text.len();
        let mut graph_blank = NONE;
        if let Some(graph) = &quad.graph {
            self.text.push(' ');
            graph_blank = self.node(graph)?;
        }
        let graph = self.text.len();
        self.text.push_str(" .\n");
        let blanks = [subject_blank, object_blank, graph_blank];
        Ok(Statement {
            start,
            object,
            graph,
            end: self.text.len(),
            predicate,
            blanks,
        })
    }

    /// Appends an IRI, or leaves a gap for a blank node and returns its number.
    fn node(&mut self, node: &Term) -> Result<u32, CanonError> {
        let count = self.blank_count;
        match node {
            Term::Iri(iri) => self.iri(iri).map(|()| NONE),
            &Term::Blank(number) if number < count => Ok(number),
            &Term::Blank(number) => Err(CanonError::Blank { number, count }),
            Term::Literal(literal) => Err(CanonError::Literal {
                value: literal.value.to_string(),
            }),
        }
    }

    fn iri(&mut self, iri: &Arc<str>) -> Result<(), CanonError> {
        self.check(iri)?;
        push_iri(self.text, iri);
        Ok(())
    }

    fn literal(&mut self, literal: &Literal) -> Result<(), CanonError> {
        match &literal.language {
            Some(tag) if !is_language_tag(tag) => {
                return Err(CanonError::Language {
                    tag: tag.to_string(),
                });
            }
            Some(_) => {}
            None => self.check(&literal.datatype)?,
        }
        push_literal(self.text, literal);
        Ok(())
    }

    fn check(&mut self, iri: &Arc<str>) -> Result<(), CanonError> {
        let address = Arc::as_ptr(iri).addr();
        let slot = &mut self.checked[address / 16 % 64];
        if *slot != address {
            check_iri(iri)?;
            *slot = address;
        }
        Ok(())
    }
}

/// Lines in one buffer, to be sorted by code point; UTF-8 sorts by its bytes.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
    /// The buffer into which lines out of order are copied.
    spare: Vec<u8>,
}

impl Lines {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.ranges.push(start..self.bytes.len());
    }

    /// All lines, sorted, one after the other.
    fn sorted(&mut self) -> &mut Vec<u8> {
        let Self {
            bytes,
            ranges,
            spare,
        } = self;
        if !ranges.is_sorted_by(|a, b| bytes[a.clone()] <= bytes[b.clone()]) {
            ranges.sort_by(|a, b| bytes[a.clone()].cmp(&bytes[b.clone()]));
            spare.clear();
            spare.reserve(bytes.len());
            for range in ranges {
                spare.extend_from_slice(&bytes[range.clone()]);
            }
            std::mem::swap(bytes, spare);
        }
        bytes
    }
}

/// For each blank node the statements that mention it, each once, as one list and the places
/// where each blank node's part of it starts.
fn mentions(list: &[Statement], blank_count: usize) -> (Vec<u32>, Vec<usize>) {
    let mut ends = vec![0; blank_count + 1];
    for statement in list {
        for blank in statement.distinct_blanks() {
            ends[blank as usize + 1] += 1;
        }
    }
    for blank in 0..blank_count {
        ends[blank + 1] += ends[blank];
    }
    let starts = ends.clone();
    let mut mentions = vec![0; starts[blank_count]];
    for (place, statement) in list.iter().enumerate() {
        for blank in statement.distinct_blanks() {
            mentions[ends[blank as usize]] = place as u32;
            ends[blank as usize] += 1;
        }
    }
    (mentions, starts)
}

/// Refuses the characters with which one IRI could pass for more than one term.
fn check_iri(iri: &str) -> Result<(), CanonError> {
    // No early exit, so that the loop runs on many bytes at a time. `b | 2` maps '<' to '>' and
    // '\\' to '^'; the three from '{' to '}' are neighbours.
    let bad = iri.bytes().fold(false, |bad, b| {
        bad | (b <= b' ')
            | (b == b'"')
            | (b == b'`')
            | (b | 2 == b'>')
            | (b | 2 == b'^')
            | (b.wrapping_sub(b'{') <= 2)
    });
    if bad {
        Err(CanonError::Iri {
            iri: iri.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// Appends a number in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, number: u32) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}
