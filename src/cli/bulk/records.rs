//! A table cut into chunks, read as it comes. Only where its records end is looked for here; what
//! they say is the server's to read.

use std::io::{self, BufRead, Read as _};

use super::Table;

/// Records of a chunk: as many as the server decides together.
const MOST_RECORDS: u64 = 50_000;
/// Bytes of a chunk, about.
const MOST_BYTES: usize = 8 << 20;
/// Bytes of a record.
const LONGEST: u64 = 1 << 20;

/// The records of a table.
pub(super) struct Records<'a> {
    input: Box<dyn BufRead + 'a>,
    table: Table,
    /// The line that names the columns, which leads each chunk.
    header: Vec<u8>,
    /// The number of the next line.
    line: u64,
    /// Bytes read so far.
    pub(super) read: u64,
}

/// Some records, as they are sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The number of the line on which the first one begins.
    pub(super) first: u64,
    /// How many there are.
    pub(super) records: u64,
    /// Their bytes, with the line that names the columns.
    pub(super) body: Vec<u8>,
}

impl<'a> Records<'a> {
    /// Begins to read, at the record that stands on line `from` or behind it.
    pub(super) fn new(input: Box<dyn BufRead + 'a>, table: Table, from: u64) -> io::Result<Self> {
        let mut records = Self {
            input,
            table,
            header: Vec::new(),
            line: 1,
            read: 0,
        };
        if table == Table::Csv {
            while is_empty(&records.header)
                && records.record()?.is_some_and(|record| {
                    records.header = record;
                    true
                })
            {}
        }
        while records.line < from && records.record()?.is_some() {}
        Ok(records)
    }

    /// The next chunk; `None` at the end.
    pub(super) fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk {
            first: self.line,
            records: 0,
            body: self.header.clone(),
        };
        while chunk.records < MOST_RECORDS && chunk.body.len() < MOST_BYTES {
            let at = self.line;
            let Some(record) = self.record()? else { break };
            if is_empty(&record) && chunk.records == 0 {
                continue;
            }
            if chunk.records == 0 {
                chunk.first = at;
            }
            if !is_empty(&record) {
                chunk.records += 1;
            }
            chunk.body.extend(record);
        }
        Ok((chunk.records > 0).then_some(chunk))
    }

    /// The next record with the end of its line. In a table with commas a line may end within
    /// quotes, and the record goes on.
    fn record(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut record = Vec::new();
        loop {
            let room = LONGEST.saturating_sub(record.len() as u64);
            let count = self
                .input
                .by_ref()
                .take(room)
                .read_until(b'\n', &mut record)?;
            if count == 0 {
                break;
            }
            self.read += count as u64;
            self.line += 1;
            let quotes = record.iter().filter(|byte| **byte == b'"').count();
            let open = self.table == Table::Csv && quotes % 2 == 1;
            if record.last() == Some(&b'\n') && !open {
                break;
            }
        }
        if record.len() as u64 >= LONGEST {
            let words = format!("line {}: longer than {LONGEST} bytes", self.line);
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        Ok((!record.is_empty()).then_some(record))
    }
}

fn is_empty(record: &[u8]) -> bool {
    record.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str, table: Table, from: u64) -> Vec<(u64, u64, String)> {
        let input = Box::new(io::Cursor::new(text.as_bytes().to_vec()));
        let mut records = Records::new(input, table, from).unwrap();
        let mut found = Vec::new();
        while let Some(chunk) = records.chunk().unwrap() {
            let body = String::from_utf8(chunk.body).unwrap();
            found.push((chunk.first, chunk.records, body));
        }
        assert_eq!(records.read, text.len() as u64);
        found
    }

    #[test]
    fn a_chunk_of_a_table_has_its_columns_and_its_first_line() {
        let text = "index,status\n1,1\n\"2\n\",1\n\n3,1";
        let whole = chunks(text, Table::Csv, 1);
        assert_eq!(whole, [(2, 3, text.to_owned())]);
        let rest = chunks(text, Table::Csv, 5);
        assert_eq!(rest, [(6, 1, "index,status\n3,1".to_owned())]);
        assert_eq!(chunks(text, Table::Csv, 7), []);
        assert_eq!(chunks("index,status\n", Table::Csv, 1), []);
    }

    #[test]
    fn lines_are_counted_over_chunks_and_empty_ones() {
        let line = "{\"index\":1,\"status\":1}\n";
        let text = format!("\n{}{}", line.repeat(60_000), "\n\n");
        let found = chunks(&text, Table::Ndjson, 1);
        let told: Vec<_> = found
            .iter()
            .map(|(first, count, _)| (*first, *count))
            .collect();
        assert_eq!(told, [(2, 50_000), (50_002, 10_000)]);
        let found = chunks(&text, Table::Ndjson, 60_001);
        assert_eq!(found, [(60_001, 1, format!("{line}\n\n"))]);
    }

    #[test]
    fn a_line_without_an_end_is_not_read_into_memory() {
        let input = Box::new(io::BufReader::new(io::repeat(b'x')));
        let mut records = Records::new(input, Table::Ndjson, 1).unwrap();
        assert!(records.chunk().is_err());
        let input = Box::new(io::BufReader::new(io::repeat(b'"')));
        assert!(Records::new(input, Table::Csv, 1).is_err());
    }
}
