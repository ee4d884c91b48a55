//! The rows, which follow the log.
//!
//! A change is durable once its group stands in the log, and nobody waits for more. What the log says of the rows is
//! written to them a moment later, many groups at once and each row once, by whichever replica leads. Until then a
//! group stays in the log, however old it is; and whoever reads the rows brings them up first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::{sleep, timeout};

use super::faults::{Fault, fault, no_connection, not_understood, words};
use super::hold::InTransaction;
use super::{ATTEMPTS, Failed, newer, pause, read_group, signed, sql, unsigned};
use crate::store::replica::remote::{Group, Newer, RemoteError};
use crate::store::staging::Writes;

/// After so many bytes in the log the rows follow at once, and not only every now and then.
const SOON: u64 = 4 << 20;

/// What brings the rows up, one task at a time.
///
/// It has a session of its own, on which nothing has to be waited for first: what it reads and what it writes is on
/// one server, in one order.
pub(super) struct Following(Arc<State>);

struct State {
    /// The session.
    pool: Pool,
    patience: Duration,
    runs: AtomicBool,
    fails: AtomicBool,
    /// Bytes that were added to the log since it ran.
    behind: AtomicU64,
}

impl Following {
    /// On the one session of this pool, each portion within that time.
    pub(super) fn on(pool: Pool, patience: Duration) -> Self {
        Self(Arc::new(State {
            pool,
            patience,
            runs: AtomicBool::new(false),
            fails: AtomicBool::new(false),
            behind: AtomicU64::new(0),
        }))
    }

    /// So much is in the log now; `true` where the rows had better follow.
    pub(super) fn is_behind(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.behind.fetch_add(bytes, Ordering::Relaxed) >= SOON
    }

    /// What brings the rows up to the log by itself; `None` where that is being done.
    pub(super) fn run(&self) -> Option<impl Future<Output = ()> + use<>> {
        if self.0.runs.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.0.behind.store(0, Ordering::Relaxed);
        let state = self.0.clone();
        Some(async move {
            let followed = state.all().await;
            state.runs.store(false, Ordering::Release);
            state.note(followed);
        })
    }

    /// Brings the rows up to where the log is now.
    pub(super) async fn catch_up(&self) -> Result<(), RemoteError> {
        self.0.all().await
    }
}

impl State {
    async fn all(&self) -> Result<(), RemoteError> {
        let mut attempt = 0;
        loop {
            let session = self.pool.get().await;
            let session = session.map_err(|error| no_connection(&error))?;
            let followed = timeout(self.patience, follow(session)).await;
            let Ok(followed) = followed else {
                return Err(RemoteError::Away(
                    "PostgreSQL does not answer in time".into(),
                ));
            };
            match followed {
                Ok(Followed::Portion) => attempt = 0,
                Ok(Followed::All) => return Ok(()),
                Err(Failed::Known(error)) => return Err(error),
                Err(Failed::Server(error)) => match fault(&error) {
                    Fault::NoTables => return Ok(()),
                    // It lost to another one, or its server went away since it was asked last.
                    Fault::Lost | Fault::Gone if attempt < ATTEMPTS => {
                        sleep(pause(attempt)).await;
                        attempt += 1;
                    }
                    _ => return Err(RemoteError::Away(words(&error))),
                },
            }
        }
    }

    /// Says it once when it begins to fail: whoever leads tries again every second.
    fn note(&self, followed: Result<(), RemoteError>) {
        let failed_before = self.fails.swap(followed.is_err(), Ordering::AcqRel);
        if let Err(error) = followed
            && !failed_before
        {
            tracing::warn!(engine = %error, "the rows do not follow the log, which grows until they do");
        }
    }
}

/// How far the rows came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// There may be more in the log.
    Portion,
    /// There was no more.
    All,
}

/// Writes to the rows what the next groups of the log say, in one transaction. To do that twice does no harm.
pub(super) async fn follow(session: Object) -> Result<Followed, Failed> {
    let transaction = InTransaction::on(session);
    match follow_in(transaction.session()).await {
        Ok(Followed::Portion) => {
            transaction.session().batch_execute("COMMIT").await?;
            transaction.over();
            Ok(Followed::Portion)
        }
        other => {
            transaction.give_up().await;
            other
        }
    }
}

async fn follow_in(session: &Object) -> Result<Followed, Failed> {
    session.batch_execute(sql::BEGIN).await?;
    let at = session.query_opt(sql::HOLD_ROWS_AT, &[]).await?;
    let Some(at) = at else {
        return Ok(Followed::All);
    };
    let at: i64 = at.try_get(0)?;
    let log = session.prepare_cached(sql::NEWER).await?;
    let groups = session.query(&log, &[&at]).await?;
    let groups: Result<Vec<Group>, Failed> = groups.iter().map(read_group).collect();
    let groups = groups?;
    let Some(last) = groups.last() else {
        return Ok(Followed::All);
    };
    let now = signed(last.tip.commits)?;
    let Newer::Groups(groups) = newer(Some(now), unsigned(at)?, groups)? else {
        let words = format!("the rows hold what was written up to {at}, and the log begins later");
        return Err(not_understood(&words).into());
    };
    // In their order: what is said last of a row stays.
    let writes: Writes = groups.into_iter().flat_map(|group| group.writes).collect();
    write(session, &writes).await?;
    session.execute(sql::MOVE_ROWS_AT, &[&now]).await?;
    Ok(Followed::Portion)
}

/// Puts and removes these.
pub(super) async fn write(session: &Object, writes: &Writes) -> Result<(), Failed> {
    let put = writes.iter();
    let put = put.filter_map(|(key, value)| Some((key.as_slice(), value.as_deref()?)));
    let (keys, values): (Vec<&[u8]>, Vec<&[u8]>) = put.unzip();
    let removed = writes.iter().filter(|(_, value)| value.is_none());
    let removed: Vec<&[u8]> = removed.map(|(key, _)| key.as_slice()).collect();
    let put = session.prepare_cached(sql::PUT).await?;
    session.execute(&put, &[&keys, &values]).await?;
    if !removed.is_empty() {
        let delete = session.prepare_cached(sql::DELETE).await?;
        session.execute(&delete, &[&removed]).await?;
    }
    Ok(())
}
