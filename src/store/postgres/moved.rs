//! A store in PostgreSQL that is moved from, or to ([`moving`](crate::store::moving)).

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row as Answer};

use super::hold::{InTransaction, make_store};
use super::{Failed, Postgres, Settings, schema, sql};
use crate::store::engine::{Read, Row, StoreError};
use crate::store::format::{FIRST_ROWS_TAG, Identity, Tip};
use crate::store::moving::{Source, Target};
use crate::store::replica::remote::{Group, RemoteError};

/// One state of the rows, which stays the same until this is dropped; others may go on to write.
pub(in crate::store) struct MovedFrom {
    transaction: InTransaction,
    place: Postgres,
}

impl MovedFrom {
    /// `None` where there is no store.
    pub(in crate::store) fn open(settings: Settings) -> Result<Option<Self>, StoreError> {
        let place = place(settings)?;
        let begun = place.one_state().map_err(|error| told(error.into()))?;
        Ok(begun.map(|(transaction, _)| Self { transaction, place }))
    }
}

/// What is being moved into.
pub(in crate::store) struct MovedTo(Postgres);

impl MovedTo {
    /// Makes the tables where there are none.
    pub(in crate::store) fn open(settings: Settings) -> Result<Self, StoreError> {
        let place = place(settings)?;
        let made = place.runtime.block_on(async {
            let session = place.session().await?;
            schema::make(&session).await
        });
        made.map_err(told)?;
        // What is replaced is compared first, with all that was acknowledged.
        place.rows_follow().map_err(|error| told(error.into()))?;
        Ok(Self(place))
    }

    fn with<T>(
        &self,
        work: impl AsyncFnOnce(Object) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let done = self.0.runtime.block_on(async {
            let session = self.0.session().await?;
            work(session).await
        });
        done.map_err(told)
    }
}

fn place(settings: Settings) -> Result<Postgres, StoreError> {
    Postgres::new(settings, *b"goodstanding mov").map_err(StoreError::Unavailable)
}

fn told(failed: Failed) -> StoreError {
    StoreError::Unavailable(RemoteError::from(failed).to_string())
}

async fn value(session: &Object, key: &[u8]) -> Result<Option<Vec<u8>>, Failed> {
    let row = session.query_opt(sql::VALUE, &[&key]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

async fn values(session: &Object, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Failed> {
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        values.push(value(session, key).await?);
    }
    Ok(values)
}

async fn range(session: &Object, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, Failed> {
    let statement = session.prepare_cached(sql::RANGE).await?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let row = |row: &Answer| Ok((row.try_get(0)?, row.try_get(1)?));
    let rows = session.query(&statement, &[&from, &to, &most]).await?;
    let rows: Result<Vec<Row>, Error> = rows.iter().map(row).collect();
    Ok(rows?)
}

impl Read for MovedFrom {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let asked = value(self.transaction.session(), key);
        self.place.runtime.block_on(asked).map_err(told)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let asked = values(self.transaction.session(), keys);
        self.place.runtime.block_on(asked).map_err(told)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let asked = range(self.transaction.session(), from, to, limit);
        self.place.runtime.block_on(asked).map_err(told)
    }
}

impl Source for MovedFrom {
    fn about(&self) -> Option<u64> {
        let counted = self.transaction.session().query_one(sql::COUNT, &[]);
        let counted = self.place.runtime.block_on(counted).ok()?;
        u64::try_from(counted.try_get::<_, i64>(0).ok()?).ok()
    }
}

impl Read for MovedTo {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(async |session| value(&session, key).await)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.with(async |session| values(&session, keys).await)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.with(async |session| range(&session, from, to, limit).await)
    }
}

impl Target for MovedTo {
    fn close(&mut self) -> Result<(), StoreError> {
        let (first, last): (&[u8], &[u8]) = (&[], &[FIRST_ROWS_TAG]);
        self.with(async |session| {
            let statements: [Statement<'_>; 3] = [
                (sql::NO_HEAD, &[]),
                (sql::NO_LOG, &[]),
                (sql::EMPTY, &[&first, &last]),
            ];
            in_one(session, &statements).await
        })
    }

    fn replace(&mut self, from: &[u8], to: &[u8], rows: &[Row]) -> Result<(), StoreError> {
        let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
        let values: Vec<&[u8]> = rows.iter().map(|(_, value)| value.as_slice()).collect();
        self.with(async |session| {
            in_one(
                session,
                &[(sql::EMPTY, &[&from, &to]), (sql::PUT, &[&keys, &values])],
            )
            .await
        })
    }

    fn open_up(&mut self, tip: &Tip, _: Identity, rows: &[Row]) -> Result<(), StoreError> {
        let writes = rows.iter().cloned();
        let group = Group {
            after: tip.commits,
            tip: *tip,
            writes: writes.map(|(key, value)| (key, Some(value))).collect(),
        };
        self.with(async |session| make_store(InTransaction::on(session), &group).await)
    }
}

/// A statement with what stands in its places.
type Statement<'a> = (&'a str, &'a [&'a (dyn ToSql + Sync)]);

/// All of them in one transaction.
async fn in_one(session: Object, statements: &[Statement<'_>]) -> Result<(), Failed> {
    let transaction = InTransaction::on(session);
    let session = transaction.session();
    session.batch_execute(sql::BEGIN).await?;
    for (statement, values) in statements {
        session.execute(*statement, values).await?;
    }
    session.batch_execute("COMMIT").await?;
    transaction.over();
    Ok(())
}
