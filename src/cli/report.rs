//! What a command has to say: text for people, the server's JSON for machines, errors, and one
//! exit status. Commands return it instead of printing, so that a closed pipe can stop nobody.

use std::fmt::Display;

use serde_json::Value;

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
    /// The server's answers in the order of the calls; with `--json` each becomes a line.
    pub(super) json: Vec<Value>,
    /// What went wrong, for standard error.
    pub(super) errors: Vec<CliError>,
    /// The exit status so far.
    pub(super) exit: Exit,
}

impl Report {
    /// Nothing said yet, and nothing wrong.
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
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
            for (cell, &width) in row.iter().zip(&widths) {
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

    /// Something failed; what was done before it stays said, and the exit status is 2.
    pub(super) fn fail(&mut self, error: CliError) {
        self.json.push(error.to_json());
        self.errors.push(error);
        self.worse(Exit::Unknown);
    }

    /// Raises the exit status.
    pub(super) fn worse(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    /// The answers as lines of JSON.
    pub(super) fn json_lines(&self) -> String {
        let line = |answer: &Value| harmless_json(&answer.to_string()) + "\n";
        self.json.iter().map(line).collect()
    }
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
