//! Tables as text with commas (RFC 4180), read strictly: what two readers could read differently is
//! refused, and every error names the line.
//!
//! The first line names the columns, of which each is known beforehand and stands once. A field is
//! quoted as a whole or not at all, and a quote in it is doubled. Lines end with CRLF or LF; empty
//! ones say nothing. A byte order mark at the beginning, as spreadsheets write it, is passed over.

use std::borrow::Cow;

use thiserror::Error;

/// Why a text is not a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct CsvError {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// What is wrong there, and what to do.
    pub reason: String,
}

/// A row below the one that names the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// For each known column what stands in it; `None` where the table does not have the column,
    /// or nothing stands there.
    pub fields: Vec<Option<Cow<'a, str>>>,
}

/// The columns of a table that comes in pieces, and the line at which its next piece begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    columns: Vec<usize>,
    known: usize,
    line: u64,
}

impl Columns {
    /// The rows of the next piece, which ends where a row does.
    pub fn rows<'a>(&self, piece: &'a [u8]) -> Rows<'a> {
        Rows {
            text: Text {
                rest: piece,
                line: self.line,
            },
            columns: self.columns.clone(),
            known: self.known,
        }
    }
}

/// The rows of a table, one by one. After an error there are no more.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    text: Text<'a>,
    /// For each column of the table its place among the known ones.
    columns: Vec<usize>,
    known: usize,
}

impl<'a> Rows<'a> {
    /// Begins to read: the line that names the columns, each of which is one of `known`.
    ///
    /// # Errors
    /// [`CsvError`] where there is no such line, or a column is unknown or stands twice.
    pub fn read(bytes: &'a [u8], known: &[&str]) -> Result<Self, CsvError> {
        let mut text = Text::of(bytes);
        let names = known.join(", ");
        // Of one more than there are known, one is unknown or stands twice.
        let Some((line, header, _)) = text.row(known.len() + 1)? else {
            let reason = format!("the table is empty; its first line names the columns: {names}");
            return Err(CsvError { line: 1, reason });
        };
        let mut columns = Vec::with_capacity(header.len());
        for name in &header {
            let refuse = |what: &str| {
                let reason = format!("the column {name:?} {what}; known are {names}");
                Err(CsvError { line, reason })
            };
            match known.iter().position(|known| known == name) {
                None => return refuse("is not known"),
                Some(place) if columns.contains(&place) => return refuse("stands twice"),
                Some(place) => columns.push(place),
            }
        }
        let known = known.len();
        Ok(Self {
            text,
            columns,
            known,
        })
    }

    /// Whether the table has the column at this place of the known ones.
    pub fn has(&self, known: usize) -> bool {
        self.columns.contains(&known)
    }

    /// What it takes to go on with a further piece of the table, once there are no more rows in this one.
    pub fn go_on(&self) -> Columns {
        Columns {
            columns: self.columns.clone(),
            known: self.known,
            line: self.text.line,
        }
    }

    fn next_row(&mut self) -> Result<Option<Row<'a>>, CsvError> {
        let wanted = self.columns.len();
        let Some((line, found, count)) = self.text.row(wanted)? else {
            return Ok(None);
        };
        if count != wanted {
            let reason = format!("{count} fields, and the table has {wanted} columns");
            return Err(CsvError { line, reason });
        }
        let mut fields = vec![None; self.known];
        for (place, field) in self.columns.iter().zip(found) {
            fields[*place] = Some(field).filter(|field| !field.is_empty());
        }
        Ok(Some(Row { line, fields }))
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row().transpose();
        if let Some(Err(_)) = row {
            self.text.rest = &[];
        }
        row
    }
}

/// A field as it is written for whoever opens the table in a spreadsheet: what one would take for a
/// formula has an apostrophe before it, so that it stays text.
pub fn field_for_people(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => Cow::Owned(field(&format!("'{text}")).into_owned()),
        false => field(text),
    }
}

/// A field as it is written: quoted where it has to be.
pub fn field(text: &str) -> Cow<'_, str> {
    match text.contains([',', '"', '\r', '\n']) {
        false => text.into(),
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
    }
}

/// The line on which a row begins, its first fields, and how many it has.
type Fields<'a> = (u64, Vec<Cow<'a, str>>, usize);

/// What is left to read.
#[derive(Debug, Clone)]
struct Text<'a> {
    rest: &'a [u8],
    line: u64,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes.strip_prefix(MARK).unwrap_or(bytes),
            line: 1,
        }
    }

    /// The next row that is not empty. Of its fields `most` are kept, so that a row of nothing but
    /// commas takes no memory.
    fn row(&mut self, most: usize) -> Result<Option<Fields<'a>>, CsvError> {
        while let Some(ending) = self.ending() {
            if ending == 0 {
                return Ok(None);
            }
            self.rest = &self.rest[ending..];
            self.line += 1;
        }
        let line = self.line;
        let (mut fields, mut count) = (Vec::new(), 0);
        loop {
            let field = match self.rest.strip_prefix(b"\"") {
                Some(inside) => self.quoted(inside, line)?,
                None => self.plain(line)?,
            };
            count += 1;
            if count <= most {
                fields.push(field);
            }
            match (self.rest.first(), self.ending()) {
                (Some(b','), _) => self.rest = &self.rest[1..],
                (_, Some(ending)) => {
                    self.rest = &self.rest[ending..];
                    self.line += 1;
                    return Ok(Some((line, fields, count)));
                }
                _ => {
                    return refuse(
                        line,
                        "a quoted field ends with its quote; double those in it",
                    );
                }
            }
        }
    }

    /// Length of the end of a line where one is next: 0 at the end of the text.
    fn ending(&self) -> Option<usize> {
        match self.rest {
            [] => Some(0),
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        }
    }

    fn plain(&mut self, line: u64) -> Result<Cow<'a, str>, CsvError> {
        let ends = |byte: &u8| matches!(byte, b',' | b'\n' | b'\r');
        let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(length);
        self.rest = rest;
        if rest.first() == Some(&b'\r') && self.ending().is_none() {
            return refuse(
                line,
                "a carriage return stands alone; end lines with LF or CRLF",
            );
        }
        if field.contains(&b'"') {
            return refuse(line, "a quote stands in a field that is not quoted");
        }
        utf8(field, line).map(Cow::Borrowed)
    }

    fn quoted(&mut self, inside: &'a [u8], line: u64) -> Result<Cow<'a, str>, CsvError> {
        let mut at = 0;
        let mut doubled = false;
        loop {
            let Some(found) = inside[at..].iter().position(|byte| *byte == b'"') else {
                return refuse(line, "a quoted field does not end");
            };
            at += found;
            match inside.get(at + 1) {
                Some(b'"') => {
                    doubled = true;
                    at += 2;
                }
                _ => break,
            }
        }
        let field = &inside[..at];
        self.line += field.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.rest = &inside[at + 1..];
        let field = utf8(field, line)?;
        Ok(match doubled {
            true => field.replace("\"\"", "\"").into(),
            false => field.into(),
        })
    }
}

fn utf8(bytes: &[u8], line: u64) -> Result<&str, CsvError> {
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => refuse(line, "the bytes are not UTF-8"),
    }
}

fn refuse<T>(line: u64, reason: &str) -> Result<T, CsvError> {
    let reason = reason.to_owned();
    Err(CsvError { line, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: [&str; 3] = ["index", "status", "id"];

    type Told = (u64, Vec<Option<String>>);

    fn rows(text: &[u8]) -> Result<Vec<Told>, String> {
        let rows = Rows::read(text, &KNOWN).map_err(|error| error.to_string())?;
        rows.map(|row| {
            let row = row.map_err(|error| error.to_string())?;
            let fields = row.fields.into_iter();
            Ok((row.line, fields.map(|f| f.map(Cow::into_owned)).collect()))
        })
        .collect()
    }

    fn row(line: u64, fields: [&str; 3]) -> Told {
        let fields = fields.map(|field| Some(field.to_owned()).filter(|field| !field.is_empty()));
        (line, fields.to_vec())
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = b"status,index\n1,5\n0,6\n";
        assert_eq!(
            rows(text).unwrap(),
            [row(2, ["5", "1", ""]), row(3, ["6", "0", ""])]
        );
        let rows = Rows::read(text, &KNOWN).unwrap();
        assert_eq!((rows.has(0), rows.has(2)), (true, false));
        assert_eq!(self::rows(b"index\n").unwrap(), []);
    }

    #[test]
    fn marks_line_ends_and_quotes_are_understood() {
        let text = b"\xef\xbb\xbfindex,\"id\"\r\n\r\n1,\"a,\"\"b\"\"\nc\"\r\n2,\"\"\n\n3,d";
        assert_eq!(
            rows(text).unwrap(),
            [
                row(3, ["1", "", "a,\"b\"\nc"]),
                row(5, ["2", "", ""]),
                row(7, ["3", "", "d"])
            ]
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, why) in [
            (&b""[..], "line 1: the table is empty"),
            (b"\n\n", "line 1: the table is empty"),
            (
                b"index,colour\n",
                "line 1: the column \"colour\" is not known",
            ),
            (b"Index\n", "line 1: the column \"Index\" is not known"),
            (
                b"index,index\n",
                "line 1: the column \"index\" stands twice",
            ),
            (b"index,\n", "line 1: the column \"\" is not known"),
            (
                b"index,status\n1\n",
                "line 2: 1 fields, and the table has 2 columns",
            ),
            (
                b"index\n1,2\n",
                "line 2: 2 fields, and the table has 1 columns",
            ),
            (b"index\n\"1\n", "line 2: a quoted field does not end"),
            (
                b"index\n\"1\"2\n",
                "line 2: a quoted field ends with its quote",
            ),
            (b"index\n1\"2\n", "line 2: a quote stands in a field"),
            (b"index\n1\r2\n", "line 2: a carriage return stands alone"),
            (b"index\n1\r", "line 2: a carriage return stands alone"),
            (b"index\n\xff\n", "line 2: the bytes are not UTF-8"),
            (b"index\n\n\n1,2\n", "line 4: 2 fields"),
        ] {
            let refused = rows(text).unwrap_err();
            assert!(refused.starts_with(why), "{text:?}: {refused}");
        }
    }

    #[test]
    fn a_row_of_commas_is_counted_and_not_kept() {
        let commas = vec![b','; 1 << 20];
        let (line, fields, count) = Text::of(&commas).row(4).unwrap().unwrap();
        assert_eq!((line, fields.len(), count), (1, 4, (1 << 20) + 1));
        let refused = rows(&[b"index\n".as_slice(), &commas].concat()).unwrap_err();
        assert!(refused.starts_with("line 2: 1048577 fields"), "{refused}");
        let refused = rows(&commas).unwrap_err();
        assert!(refused.contains("is not known"), "{refused}");
    }

    #[test]
    fn after_an_error_nothing_follows() {
        let mut rows = Rows::read(b"index\n1,2\n3\n", &KNOWN).unwrap();
        assert!(rows.next().unwrap().is_err());
        assert_eq!(rows.next(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            fields in prop::collection::vec(["[ -~\"\n,é]{0,12}", "[a-z]{1,3}", "[0-9]{1,3}"], 0..20),
            crlf: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut text = format!("id,index,status{end}");
            for [id, index, status] in &fields {
                text += &format!("{},{index},{status}{end}", field(id));
            }
            let read = rows(text.as_bytes()).unwrap();
            let expected: Vec<_> = fields.iter().map(|[id, index, status]| {
                row(0, [index, status, id]).1
            }).collect();
            prop_assert_eq!(read.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(
            prop::sample::select(b"index,\"\r\n1\xff\xef\xbb\xbf".to_vec()), 0..60,
        )) {
            let text = [b"index,status\n", bytes.as_slice()].concat();
            let _ = rows(&text);
            let _ = rows(&bytes);
        }
    }
}
