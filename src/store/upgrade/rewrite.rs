//! Rows of a table whose records have another body in the newer format.

use super::ROWS_AT_ONCE;
use crate::store::engine::{Row, StoreError};
use crate::store::opening::Opening;
use crate::store::staging::Writes;

/// Rewrites all rows of one table.
pub(super) struct Rewrite {
    /// The table's name in messages.
    pub(super) table: &'static str,
    /// The table's tag.
    pub(super) tag: u8,
    /// The version of its records in the older format.
    pub(super) from: u8,
    /// The version in the newer one.
    pub(super) to: u8,
    /// The newer body of an older one, or what is wrong with that.
    pub(super) body: fn(&[u8]) -> Result<Vec<u8>, String>,
}

impl Rewrite {
    /// Rewrites the rows that have the older version; those that have the newer one already stay
    /// as they are.
    pub(super) fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError> {
        let mut from = vec![self.tag];
        while let Some(rows) = self.next(store, &mut from)? {
            let mut writes = Writes::new();
            for (key, value) in rows {
                if let [version, body @ ..] = value.as_slice()
                    && *version == self.from
                {
                    let body = (self.body)(body).map_err(|reason| self.corrupt(&reason))?;
                    writes.insert(key, Some([&[self.to], body.as_slice()].concat()));
                }
            }
            if !writes.is_empty() {
                store.write(writes)?;
            }
        }
        Ok(())
    }

    /// Every row has the newer version.
    pub(super) fn validate(&self, store: &dyn Opening) -> Result<(), StoreError> {
        let mut from = vec![self.tag];
        while let Some(rows) = self.next(store, &mut from)? {
            if let Some((_, value)) = rows.iter().find(|(_, row)| row.first() != Some(&self.to)) {
                let (found, to) = (value.first(), self.to);
                return Err(self.corrupt(&format!("a record of version {found:?}, not {to}")));
            }
        }
        Ok(())
    }

    /// The next rows from `from` on, which is moved behind them; `None` where there are no more.
    fn next(
        &self,
        store: &dyn Opening,
        from: &mut Vec<u8>,
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = store.scan(from, &[self.tag + 1], ROWS_AT_ONCE)?;
        if let Some((last, _)) = rows.last() {
            *from = [last.as_slice(), &[0]].concat();
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    fn corrupt(&self, reason: &str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            reason: format!("it cannot be brought up to the newer format: {reason}"),
        }
    }
}
