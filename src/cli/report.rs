//! What a command has to say: text for people, the server's JSON for machines, errors, and one
//! exit status. Commands return it instead of printing, so that a closed pipe can stop nobody.

use std::fmt::Display;

use serde_json::Value;

use super::colour::Paint;
use super::error::CliError;

/// The exit status of the process; of several answers, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub(super) enum Exit {
    /// 0: in good standing, or the change was made.
    Good = 0,
    /// 1: not in good standing.
    Not = 1,
    /// 2: not known, or an error.
    Unknown = 2,
    /// 3: a service stopped, and not all that was under way was done by then.
    CutOff = 3,
}

impl Exit {
    /// The exit status of an outcome's word. A word that is missing, or new, is not known.
    pub(super) fn of(outcome: Option<&str>) -> Self {
        match outcome {
            Some("active") => Self::Good,
            Some(
                "not-endorsed" | "revoked" | "suspended" | "expired" | "not-yet-valid"
                | "stale-digest",
            ) => Self::Not,
            _ => Self::Unknown,
        }
    }
}

/// All that a command has to say.
#[derive(Debug)]
pub(super) struct Report {
    /// Readable text for standard output.
    pub(super) text: String,
    /// The words of outcomes in the text.
    outcomes: Vec<Marked>,
    /// The server's answers in the order of the calls; with `--json` each becomes a line.
    pub(super) json: Vec<Value>,
    /// What went wrong, for standard error.
    pub(super) errors: Vec<CliError>,
    /// The exit status so far.
    pub(super) exit: Exit,
}

/// Where in the text an outcome's word stands, and what it comes to.
#[derive(Debug)]
struct Marked {
    at: usize,
    bytes: usize,
    exit: Exit,
}

impl Report {
    /// Nothing said yet, and nothing wrong.
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            outcomes: Vec::new(),
            json: Vec::new(),
            errors: Vec::new(),
            exit: Exit::Good,
        }
    }

    /// A line of text.
    pub(super) fn line(&mut self, text: impl Display) {
        self.text.push_str(&plain(&text.to_string()));
        self.text.push('\n');
    }

    /// A line that an outcome's word leads: `words` follow it at once.
    pub(super) fn outcome(&mut self, indent: &str, outcome: &str, words: impl Display) {
        self.marked(indent, outcome, Exit::of(Some(outcome)), words);
    }

    /// A line with a word in it that says how something is.
    pub(super) fn marked(&mut self, before: &str, word: &str, exit: Exit, after: impl Display) {
        let one_line = |text: &str| plain(&text.replace('\n', " "));
        let (before, word) = (one_line(before), one_line(word));
        self.text.push_str(&before);
        self.mark(&word, exit);
        self.text.push_str(&word);
        self.text.push_str(&one_line(&after.to_string()));
        self.text.push('\n');
    }

    /// Notes that `word` comes next.
    fn mark(&mut self, word: &str, exit: Exit) {
        self.outcomes.push(Marked {
            at: self.text.len(),
            bytes: word.len(),
            exit,
        });
    }

    /// Lines of a label and a value, the values aligned; a row without a value is left out.
    pub(super) fn rows(&mut self, rows: &[(&str, Option<String>)]) {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .filter_map(|(label, value)| Some(vec![(*label).to_owned(), value.clone()?]))
            .collect();
        self.table("", &rows);
    }

    /// Rows of cells in aligned columns, each line behind `indent`.
    pub(super) fn table(&mut self, indent: &str, rows: &[Vec<String>]) {
        self.columns(indent, rows, None);
    }

    /// The same, where the cells of one column are words of outcomes.
    pub(super) fn outcomes(&mut self, indent: &str, column: usize, rows: &[Vec<String>]) {
        self.columns(indent, rows, Some(column));
    }

    fn columns(&mut self, indent: &str, rows: &[Vec<String>], outcomes: Option<usize>) {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| plain(&cell.replace('\n', " ")))
                    .collect()
            })
            .collect();
        let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let lengths = cells.iter().filter_map(|row| row.get(column));
            lengths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &cells {
            let mut line = indent.to_owned();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if outcomes == Some(column) {
                    self.outcomes.push(Marked {
                        at: self.text.len() + line.len(),
                        bytes: cell.trim_end().len(),
                        exit: Exit::of(Some(cell)),
                    });
                }
                line.push_str(&format!("{cell:width$}  "));
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// A JSON document as text to be kept or piped on.
    pub(super) fn document(&mut self, value: &Value) {
        self.text.push_str(&harmless_json(&format!("{value:#}")));
        self.text.push('\n');
    }

    /// A server's answer, for `--json`.
    pub(super) fn json(&mut self, answer: Value) {
        self.json.push(answer);
    }

    /// All that another report says, after what this one says.
    pub(super) fn append(&mut self, other: Self) {
        let from = self.text.len();
        self.text.push_str(&other.text);
        let moved = other.outcomes.into_iter();
        self.outcomes.extend(moved.map(|marked| Marked {
            at: from + marked.at,
            ..marked
        }));
        self.json.extend(other.json);
        self.errors.extend(other.errors);
        self.worse(other.exit);
    }

    /// The text for standard output, its outcomes coloured where that is wanted.
    pub(super) fn painted(&self, paint: Paint) -> String {
        let (mut painted, mut done) = (String::new(), 0);
        for Marked { at, bytes, exit } in &self.outcomes {
            let end = at + bytes;
            painted.push_str(&self.text[done..*at]);
            painted.push_str(&paint.outcome(&self.text[*at..end], *exit));
            done = end;
        }
        painted.push_str(&self.text[done..]);
        painted
    }

    /// Something failed; what was done before it stays said, and the exit status is 2.
    pub(super) fn fail(&mut self, error: CliError) {
        self.errors.push(error);
        self.worse(Exit::Unknown);
    }

    /// Raises the exit status.
    pub(super) fn worse(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    /// The answers as lines of JSON.
    pub(super) fn json_lines(&self) -> String {
        self.json.iter().map(json_line).collect()
    }
}

/// One document, as a line.
pub(super) fn json_line(document: &Value) -> String {
    harmless_json(&document.to_string()) + "\n"
}

/// A member that is text.
pub(super) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

/// `LIST#INDEX` of an entry, in the words of the look-ups or of the standard; the list alone where
/// there is no index.
pub(super) fn entry_place(entry: &Value) -> Option<String> {
    let list = text(entry, "list").or_else(|| text(entry, "statusListCredential"))?;
    let index = entry.get("index").or_else(|| entry.get("statusListIndex"));
    Some(match index {
        Some(Value::String(index)) => format!("{list}#{index}"),
        Some(index) => format!("{list}#{index}"),
        None => list.to_owned(),
    })
}

/// Text for a terminal: control characters and those that turn the direction of writing could
/// make a name look like another or move the cursor, so they are replaced. Names, comments and
/// reasons are written by others.
pub(super) fn plain(text: &str) -> String {
    let dangerous = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| {
            if dangerous(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The same JSON with the control characters that JSON allows in strings written as escapes.
fn harmless_json(json: &str) -> String {
    if !json.contains(|c: char| c.is_control() && c != '\n') {
        return json.to_owned();
    }
    json.chars()
        .map(|c| match c {
            '\n' => "\n".to_owned(),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::colour::When;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_outcome_that_is_not_known_is_never_good() {
        assert_eq!(Exit::of(Some("active")), Exit::Good);
        for not in [
            "not-endorsed",
            "revoked",
            "suspended",
            "expired",
            "not-yet-valid",
            "stale-digest",
        ] {
            assert_eq!(Exit::of(Some(not)), Exit::Not, "{not}");
        }
        for unknown in [
            None,
            Some(""),
            Some("unknown"),
            Some("unreachable"),
            Some("Active"),
        ] {
            assert_eq!(Exit::of(unknown), Exit::Unknown, "{unknown:?}");
        }
    }

    #[test]
    fn columns_are_aligned_and_empty_rows_left_out() {
        let mut report = Report::new();
        report.rows(&[
            ("id", Some("x".into())),
            ("gone", None),
            ("purpose", Some("y".into())),
        ]);
        assert_eq!(report.text, "id       x\npurpose  y\n");
    }

    #[test]
    fn only_the_words_of_outcomes_are_coloured_and_stay_words_without() {
        let mut report = Report::new();
        report.outcome("", "active", ": revoked");
        let row = |name: &str, outcome: &str| vec![name.to_owned(), outcome.to_owned()];
        report.outcomes("  ", 1, &[row("revoked", "revoked"), row("é", "new")]);
        let mut whole = Report::new();
        whole.line("unknown");
        whole.append(report);
        let env = |_: &str| None;
        let coloured = whole.painted(When::Always.on(false, &env));
        assert_eq!(
            coloured,
            "unknown\n\x1b[32mactive\x1b[0m: revoked\n  revoked  \x1b[31mrevoked\x1b[0m\n  \
             é        \x1b[33mnew\x1b[0m\n"
        );
        assert_eq!(whole.painted(When::Never.on(true, &env)), whole.text);
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        let mut report = Report::new();
        report.line("a\u{1b}[2Jb\u{202e}c");
        assert_eq!(report.text, "a\u{fffd}[2Jb\u{fffd}c\n");
    }

    proptest! {
        #[test]
        fn documents_stay_the_same_documents(name in "\\PC*|[\\x00-\\u{9f}]*") {
            let value = json!({ "name": name });
            let mut report = Report::new();
            report.document(&value);
            prop_assert_eq!(&serde_json::from_str::<Value>(&report.text).unwrap(), &value);
            prop_assert!(!report.text.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
