//! The head row, held in a transaction, and what is written before it is let go.

use std::sync::atomic::Ordering;

use deadpool_postgres::Object;
use tokio::time::{sleep, timeout};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::faults::{Fault, fault, is_answer, words};
use super::{ATTEMPTS, Failed, Postgres, gone, pause, read_tip, rows, signed, sql};
use crate::store::format::Tip;
use crate::store::replica::bytes::encode_writes;
use crate::store::replica::remote::{Group, Hold, RemoteError};

/// A session with a transaction. Where nobody says how that ended, the session is closed, and the server ends it.
pub(super) struct InTransaction(Option<Object>);

impl InTransaction {
    pub(super) const fn on(session: Object) -> Self {
        Self(Some(session))
    }

    pub(super) fn session(&self) -> &Object {
        self.0
            .as_ref()
            .expect("it is taken with the transaction only")
    }

    /// Ends the transaction with nothing written; the session can be used again, unless that fails.
    pub(super) async fn give_up(mut self) {
        let Some(session) = self.0.take() else {
            return;
        };
        if session.batch_execute("ROLLBACK").await.is_err() {
            drop(Object::take(session));
        }
    }

    /// It was committed: the session can be used again.
    pub(super) fn over(mut self) {
        drop(self.0.take());
    }
}

impl Drop for InTransaction {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            drop(Object::take(session));
        }
    }
}

/// Locks the head row, in one round trip.
pub(super) async fn begin_holding(session: Object) -> Result<(Tip, InTransaction), Failed> {
    let hold = session.prepare_cached(sql::HOLD).await?;
    let transaction = InTransaction::on(session);
    let session = transaction.session();
    let (begun, row) = tokio::join!(
        biased;
        session.batch_execute(sql::BEGIN),
        session.query_opt(&hold, &[]),
    );
    let tip = match begun.and(row) {
        Ok(row) => read_tip(row).and_then(|tip| tip.ok_or_else(|| gone().into())),
        Err(error) => Err(error.into()),
    };
    match tip {
        Ok(tip) => Ok((tip, transaction)),
        Err(failed) => {
            let answered = |error: &Error| is_answer(error) && fault(error) != Fault::Gone;
            if matches!(&failed, Failed::Server(error) if answered(error)) {
                transaction.give_up().await;
            }
            Err(failed)
        }
    }
}

/// Writes the head row of a store that nobody has made, and its rows.
pub(super) async fn make_store(transaction: InTransaction, group: &Group) -> Result<(), Failed> {
    let session = transaction.session();
    let made = Written::of(group)?;
    session.batch_execute(sql::BEGIN).await?;
    let head = session
        .execute(
            sql::MAKE_HEAD,
            &[&made.ends, &made.seq, &made.digest, &made.at, &made.tip],
        )
        .await?;
    if head == 0 {
        transaction.give_up().await;
        return Ok(());
    }
    session.execute(sql::MAKE_ROWS_AT, &[&made.ends]).await?;
    rows::write(session, &group.writes).await?;
    match session.batch_execute("COMMIT").await {
        Ok(()) => {
            transaction.over();
            Ok(())
        }
        Err(error) => Err(RemoteError::Unknown(words(&error)).into()),
    }
}

/// The head row, held.
pub(super) struct Held<'a> {
    place: &'a Postgres,
    tip: Tip,
    transaction: Option<InTransaction>,
}

impl<'a> Held<'a> {
    pub(super) const fn new(place: &'a Postgres, tip: Tip, transaction: InTransaction) -> Self {
        Self {
            place,
            tip,
            transaction: Some(transaction),
        }
    }
}

impl Hold for Held<'_> {
    fn write(mut self: Box<Self>, group: &Group) -> Result<(), RemoteError> {
        let (place, tip) = (self.place, self.tip);
        let transaction = self.transaction.take().expect("it is written once");
        place
            .runtime
            .block_on(write(place, tip, transaction, group))
    }
}

/// Whoever comes next does not wait for that to be answered.
impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.place.runtime.spawn(transaction.give_up());
        }
    }
}

/// What became of a try to commit.
enum Tried {
    Committed,
    /// It lost to another transaction, and nothing was written.
    Lost(Error),
    /// Nothing was written.
    Refused(Error),
    /// Nobody knows.
    Unknown(String),
}

async fn write(
    place: &Postgres,
    tip: Tip,
    mut transaction: InTransaction,
    group: &Group,
) -> Result<(), RemoteError> {
    let written = Written::of(group)?;
    for attempt in 0.. {
        let warned = place.ways.warnings();
        let tells = place.tells.load(Ordering::Acquire);
        let told = tells.then(|| place.ways.name());
        let patience = place.settings.statement;
        let tried = match timeout(patience, written.put_down(&transaction, told)).await {
            Ok(Tried::Committed) if place.ways.warnings() != warned => {
                Tried::Unknown("PostgreSQL gave up waiting for its standby".to_owned())
            }
            Ok(tried) => tried,
            Err(_) => Tried::Unknown("PostgreSQL does not answer in time".to_owned()),
        };
        match tried {
            Tried::Committed => {
                transaction.over();
                if place.following.is_behind(written.writes.len()) {
                    place.rows_follow_soon();
                }
                return Ok(());
            }
            Tried::Lost(error) if attempt < ATTEMPTS => {
                transaction = again(transaction, tip, &error, attempt).await?;
            }
            Tried::Lost(error) | Tried::Refused(error) => {
                match fault(&error) {
                    Fault::Gone => place.leave(),
                    _ => transaction.give_up().await,
                }
                return Err(RemoteError::Away(words(&error)));
            }
            Tried::Unknown(words) => {
                drop(transaction);
                place.leave();
                return Err(RemoteError::Unknown(words));
            }
        }
    }
    unreachable!("attempts are counted without an end")
}

/// Holds the head row anew, where it is still as it was.
async fn again(
    mut transaction: InTransaction,
    tip: Tip,
    lost: &Error,
    attempt: u32,
) -> Result<InTransaction, RemoteError> {
    let session = transaction.0.take().expect("it is not over");
    if let Err(error) = session.batch_execute("ROLLBACK").await {
        drop(Object::take(session));
        return Err(RemoteError::Away(words(&error)));
    }
    sleep(pause(attempt)).await;
    let (now, transaction) = begin_holding(session).await.map_err(RemoteError::from)?;
    if now != tip {
        transaction.give_up().await;
        return Err(RemoteError::Away(words(lost)));
    }
    Ok(transaction)
}

/// A group as the statements take it.
struct Written<'a> {
    ends: i64,
    starts: i64,
    seq: i64,
    at: i64,
    digest: &'a [u8],
    tip: Vec<u8>,
    writes: Vec<u8>,
}

impl<'a> Written<'a> {
    fn of(group: &'a Group) -> Result<Self, RemoteError> {
        Ok(Self {
            ends: signed(group.tip.commits)?,
            starts: signed(group.after)?,
            seq: signed(group.tip.head.seq.0)?,
            at: group.tip.head.at.millis(),
            digest: &group.tip.head.digest,
            tip: group.tip.encode(),
            writes: encode_writes(&group.writes),
        })
    }

    /// Everything of it, with COMMIT behind it, in one round trip. Where a statement fails, those behind it fail as
    /// well, and nothing is written.
    async fn put_down(&self, transaction: &InTransaction, told: Option<&str>) -> Tried {
        let session = transaction.session();
        let prepared = async {
            let write = session.prepare_cached(sql::WRITE).await?;
            let tell = match told {
                Some(name) => Some((session.prepare_cached(sql::TELL).await?, name)),
                None => None,
            };
            Ok::<_, Error>((write, tell))
        };
        // Nothing was sent that writes.
        let (write, tell) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => return refused(error),
        };
        let group: [&(dyn ToSql + Sync); 7] = [
            &self.ends,
            &self.starts,
            &self.tip,
            &self.writes,
            &self.seq,
            &self.digest,
            &self.at,
        ];
        let (written, told, committed) = tokio::join!(
            biased;
            session.execute(&write, &group),
            async {
                match &tell {
                    Some((tell, name)) => session.execute(tell, &[name]).await,
                    None => Ok(0),
                }
            },
            session.batch_execute(sql::COMMIT),
        );
        for answer in [written, told] {
            match answer {
                Ok(_) => {}
                Err(error) if is_answer(&error) => return refused(error),
                Err(error) => return Tried::Unknown(words(&error)),
            }
        }
        match committed {
            Ok(()) => Tried::Committed,
            Err(error) if fault(&error) == Fault::Lost => Tried::Lost(error),
            Err(error) => Tried::Unknown(words(&error)),
        }
    }
}

fn refused(error: Error) -> Tried {
    match fault(&error) {
        Fault::Lost => Tried::Lost(error),
        _ => Tried::Refused(error),
    }
}
