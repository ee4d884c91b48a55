//! PostgreSQL as the place that replicas share, behind a face that blocks.
//!
//! Every statement stands in `sql`; servers that speak its protocol without being PostgreSQL can serve as well.
//! What is promised of a `Remote` is kept so:
//!
//! - **One writes at a time**: whoever locked the head row (`FOR UPDATE`), until its transaction ends. A replica
//!   that stops while it holds the row loses its session after `idle_in_transaction`.
//! - **Committed is durable**: a commit that the server calls done without having waited for its standbys, as it
//!   does with a warning where somebody cancels the wait, is `RemoteError::Unknown`. The wait has no time limit
//!   on the server; here it has.
//! - **What can be read is durable**: a group whose commit was cut off while it waited for a standby can be read
//!   on the server and may be lost with it. So the first thing that is done with every new session, and after
//!   each commit of unknown outcome, is a small write, which is acknowledged only when everything before it
//!   is on the standby too.
//! - **Away or unknown**: until COMMIT is sent nothing is written. From then on only an answer of the server
//!   itself tells, and no answer is `RemoteError::Unknown`.

mod background;
mod connecting;
mod faults;
mod hold;
mod listening;
pub(in crate::store) mod moved;
mod rows;
mod schema;
mod settings;
mod sql;
mod trust;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Error, Row as Answer};

use super::engine::{Head, Row, StoreError};
use super::format::Tip;
use super::replica::ReplicaEngine;
use super::replica::bytes::decode_writes;
use super::replica::remote::{Group, Hold, Newer, Remote, RemoteError};
use super::rocks::Place;
use crate::time::Clock;
pub use settings::{Secret, Settings, Tls};

use background::Background;
use connecting::{Aside, Ways};
use faults::{Fault, fault, no_connection, not_understood, unreadable, words};
use hold::{InTransaction, begin_holding, make_store};
use rows::Following;

/// Opens the replica whose copy and anchor are at `place`.
///
/// # Errors
/// The settings are of no use; or as for every replica.
pub fn open(
    settings: Settings,
    place: &Place,
    clock: Arc<dyn Clock>,
) -> Result<ReplicaEngine, StoreError> {
    let remote = Postgres::new(settings, place.new_id).map_err(StoreError::Unavailable)?;
    ReplicaEngine::open(place, Box::new(remote), clock)
}

/// Where the log of the shared store ends; `None` where nobody has made one.
///
/// # Errors
/// It cannot be reached, or holds what this program does not understand.
pub fn head(settings: Settings) -> Result<Option<Head>, String> {
    let remote = Postgres::new(settings, [0; 16])?;
    let tip = remote.tip().map_err(|error| error.to_string())?;
    Ok(tip.map(|tip| tip.head))
}

/// The shared place on PostgreSQL.
pub(in crate::store) struct Postgres {
    pool: Pool,
    ways: Ways,
    settings: Settings,
    /// How often a session began, or a commit was cut off; and how often that was, when everything that can be
    /// read was last known to be durable.
    doubts: AtomicU64,
    settled: AtomicU64,
    /// Whether the server passes on what is told.
    tells: AtomicBool,
    /// What brings the rows up to the log.
    following: Following,
    /// When old groups were last removed from the log.
    tidied: Mutex<Option<Instant>>,
    runtime: Background,
}

/// Connections: the head row, groups of others meanwhile, the lease, who reads all rows, and one more.
const CONNECTIONS: usize = 5;
/// How often what lost to another transaction is tried again.
const ATTEMPTS: u32 = 8;
const TIDIED_EVERY: Duration = Duration::from_secs(5);

impl Postgres {
    /// Gets ready to speak to the servers, and speaks to none yet; `name` tells this replica from others.
    ///
    /// # Errors
    /// The settings are of no use, or this machine gives no thread.
    pub(in crate::store) fn new(settings: Settings, name: [u8; 16]) -> Result<Self, String> {
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let ways = Ways::new(&settings, name)?;
        let pool = ways.pool(&settings, ways.clone(), CONNECTIONS)?;
        let aside = ways.pool(&settings, Aside(ways.clone()), 1)?;
        let following = Following::on(aside, settings.statement);
        let runtime = Background::start()?;
        runtime.spawn(listening::listen(ways.clone()));
        Ok(Self {
            pool,
            ways,
            settings,
            doubts: AtomicU64::new(1),
            settled: AtomicU64::new(0),
            tells: AtomicBool::new(false),
            following,
            tidied: Mutex::new(None),
            runtime,
        })
    }

    /// Does `work` on a session, again where it lost to another transaction, and on another session where this
    /// one broke; `None` where there is no store. It must not write what may not be written twice.
    fn ask<T>(
        &self,
        patience: Duration,
        work: impl AsyncFn(Object) -> Result<T, Failed>,
    ) -> Result<Option<T>, RemoteError> {
        self.runtime.block_on(async {
            let mut broke = false;
            for attempt in 0.. {
                let session = self.session().await?;
                let Ok(answer) = timeout(patience, work(session)).await else {
                    self.leave();
                    return Err(RemoteError::Away(
                        "PostgreSQL does not answer in time".into(),
                    ));
                };
                match answer {
                    Ok(answer) => return Ok(Some(answer)),
                    Err(Failed::Known(error)) => return Err(error),
                    Err(Failed::Server(error)) => match fault(&error) {
                        Fault::NoTables => return Ok(None),
                        Fault::Lost if attempt < ATTEMPTS => sleep(pause(attempt)).await,
                        Fault::Gone if !broke => {
                            broke = true;
                            self.leave();
                        }
                        Fault::Gone => {
                            self.leave();
                            return Err(RemoteError::Away(words(&error)));
                        }
                        _ => return Err(RemoteError::Away(words(&error))),
                    },
                }
            }
            unreachable!("attempts are counted without an end")
        })
    }

    /// A session on which everything that can be read is durable.
    async fn session(&self) -> Result<Object, RemoteError> {
        let begin = async || {
            let session = self.pool.get().await;
            session.map_err(|error| no_connection(&error))
        };
        let doubts = || self.doubts.load(Ordering::Acquire) + self.ways.sessions();
        let session = begin().await?;
        if doubts() == self.settled.load(Ordering::Acquire) {
            return Ok(session);
        }
        // One that begins while the head row is held here would wait for itself: there are two from the beginning.
        drop(begin().await?);
        let doubts = doubts();
        match timeout(self.settings.statement, self.settle(&session)).await {
            Ok(Ok(())) => {
                self.settled.store(doubts, Ordering::Release);
                Ok(session)
            }
            Ok(Err(error)) => {
                if let Failed::Server(error) = &error
                    && fault(error) == Fault::Gone
                {
                    drop(Object::take(session));
                    self.leave();
                }
                Err(error.into())
            }
            Err(_) => {
                drop(Object::take(session));
                self.leave();
                Err(RemoteError::Away(
                    "PostgreSQL does not answer in time".into(),
                ))
            }
        }
    }

    /// Brings the tables up to this program, and waits until everything that can be read is durable.
    async fn settle(&self, session: &Object) -> Result<(), Failed> {
        if schema::bring_up(session).await? == schema::Found::Nothing {
            return Ok(());
        }
        let warned = self.ways.warnings();
        session.execute(sql::CONFIRM, &[]).await?;
        if self.ways.warnings() != warned {
            let words = "PostgreSQL gave up waiting for its standby";
            return Err(RemoteError::Away(words.into()).into());
        }
        let told = session.execute(sql::TELL, &[&self.ways.name()]).await;
        self.tells.store(told.is_ok(), Ordering::Release);
        Ok(())
    }

    /// What may be read was perhaps not waited for.
    fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// Closes the sessions that nobody uses: the server behind them is gone, or does not let write.
    fn leave(&self) {
        self.doubt();
        self.pool.retain(|_, _| false);
    }

    /// Has the rows brought up to the log, while others go on.
    fn rows_follow_soon(&self) {
        if let Some(following) = self.following.run() {
            self.runtime.spawn(following);
        }
    }

    /// Brings the rows up to where the log is now.
    fn rows_follow(&self) -> Result<(), RemoteError> {
        self.runtime.block_on(self.following.catch_up())
    }

    /// A transaction in which the rows are those of one state, and stay so until it ends; `None` where there is no
    /// store.
    fn one_state(&self) -> Result<Option<(InTransaction, Tip)>, RemoteError> {
        if self.tip()?.is_none() {
            return Ok(None);
        }
        // Most of it while others go on to write, the rest while nobody does.
        self.rows_follow()?;
        let reads = self.runtime.block_on(self.session())?;
        let (_, held) = self.hold()?;
        self.rows_follow()?;
        let begun = self.runtime.block_on(async {
            let transaction = InTransaction::on(reads);
            let tip = begin_reading(&transaction).await?;
            Ok::<_, Failed>(tip.map(|tip| (transaction, tip)))
        });
        drop(held);
        Ok(begun?)
    }

    /// Removes from the log what is old, as much as is done at once.
    fn tidy(&self) -> Result<(), RemoteError> {
        let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        if tidied.is_some_and(|at| at.elapsed() < TIDIED_EVERY) {
            return Ok(());
        }
        let older = self.settings.log_kept.as_secs_f64();
        let least = signed(self.settings.log_least.max(1))?;
        self.ask(self.settings.statement, async |session: Object| {
            let commits: Option<Answer> = session.query_opt(sql::COMMITS, &[]).await?;
            let Some(commits) = commits else {
                return Ok(());
            };
            let up_to = commits.try_get::<_, i64>(0)?.saturating_sub(least);
            session.execute(sql::FORGET, &[&up_to, &older]).await?;
            Ok(())
        })?;
        *tidied = Some(Instant::now());
        Ok(())
    }
}

impl Remote for Postgres {
    fn tip(&self) -> Result<Option<Tip>, RemoteError> {
        let tip = self.ask(self.settings.statement, async |session: Object| {
            let tip = session.prepare_cached(sql::TIP).await?;
            read_tip(session.query_opt(&tip, &[]).await?)
        })?;
        Ok(tip.flatten())
    }

    fn newer(&self, commits: u64) -> Result<Newer, RemoteError> {
        let seen = signed(commits)?;
        let newer = self.ask(self.settings.statement, async |session: Object| {
            let head = session.prepare_cached(sql::COMMITS).await?;
            let log = session.prepare_cached(sql::NEWER).await?;
            // The head first: it is not ahead of the log that is read after it.
            let (head, rows) = tokio::join!(
                biased;
                session.query_opt(&head, &[]),
                async { session.query(&log, &[&seen]).await },
            );
            let head: Option<i64> = head?.map(|row| row.try_get(0)).transpose()?;
            let groups: Result<Vec<Group>, Failed> = rows?.iter().map(read_group).collect();
            Ok(newer(head, commits, groups?)?)
        })?;
        newer.ok_or_else(gone)
    }

    fn read_all(
        &self,
        portion: &mut dyn FnMut(Vec<Row>) -> Result<(), RemoteError>,
    ) -> Result<Option<Tip>, RemoteError> {
        // Not tried again: rows were handed over.
        let Some((transaction, tip)) = self.one_state()? else {
            return Ok(None);
        };
        let mut last = Vec::new();
        loop {
            let read = self.runtime.block_on(page(&transaction, &last));
            let rows = read.map_err(|error| RemoteError::Away(words(&error)))?;
            let Some((key, _)) = rows.last() else {
                break;
            };
            last.clone_from(key);
            portion(rows)?;
        }
        self.runtime.block_on(transaction.give_up());
        Ok(Some(tip))
    }

    fn make(&self, group: &Group) -> Result<(), RemoteError> {
        self.runtime.block_on(async {
            let session = self.session().await?;
            schema::make(&session).await?;
            make_store(InTransaction::on(session), group).await?;
            self.doubt();
            Ok(())
        })
    }

    fn hold(&self) -> Result<(Tip, Box<dyn Hold + '_>), RemoteError> {
        let patience = self.settings.statement + self.settings.lock;
        let held = self.ask(patience, begin_holding)?;
        let (tip, transaction) = held.ok_or_else(gone)?;
        Ok((tip, Box::new(hold::Held::new(self, tip, transaction))))
    }

    fn wait_for_news(&self, at_most: Duration) {
        self.runtime.block_on(async {
            let _ = timeout(at_most, self.ways.news()).await;
        });
    }

    fn lead(&self, for_so_long: Duration) -> Result<bool, RemoteError> {
        let leads = self.ask(self.settings.statement, async |session: Object| {
            let lead = session.prepare_cached(sql::LEAD).await?;
            let holder = self.ways.name().as_bytes();
            let taken = session
                .execute(&lead, &[&holder, &for_so_long.as_secs_f64()])
                .await?;
            Ok(taken == 1)
        })?;
        let leads = leads.unwrap_or(false);
        if leads {
            self.rows_follow_soon();
            self.tidy()?;
        }
        Ok(leads)
    }
}

/// From now on all rows are of one state, until the transaction ends.
async fn begin_reading(transaction: &InTransaction) -> Result<Option<Tip>, Failed> {
    let session = transaction.session();
    session.batch_execute(sql::BEGIN_TO_READ).await?;
    session.batch_execute(sql::READ_SLOWLY).await?;
    read_tip(session.query_opt(sql::TIP, &[]).await?)
}

/// Rows behind that key, as many as are taken at once.
async fn page(transaction: &InTransaction, last: &[u8]) -> Result<Vec<Row>, Error> {
    let session = transaction.session();
    let page = session.prepare_cached(sql::PAGE).await?;
    let rows = session.query(&page, &[&last]).await?;
    let rows = rows.iter();
    rows.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// What the log says to a replica that has seen so much, where the head said so before it was read.
fn newer(head: Option<i64>, seen: u64, groups: Vec<Group>) -> Result<Newer, RemoteError> {
    let head = unsigned(head.ok_or_else(gone)?)?;
    let mut ends = seen;
    for (place, group) in groups.iter().enumerate() {
        if group.after != ends {
            return match place {
                0 => Ok(Newer::ForgottenSince),
                _ => Err(not_understood(&format!(
                    "the log of groups has a gap after {ends}"
                ))),
            };
        }
        ends = group.tip.commits;
    }
    // A head that is behind what was seen is another history; one that is ahead of an empty log forgot it.
    match ends < head && groups.is_empty() || head < seen {
        true => Ok(Newer::ForgottenSince),
        false => Ok(Newer::Groups(groups)),
    }
}

fn read_group(row: &Answer) -> Result<Group, Failed> {
    let tip = Tip::decode(row.try_get(2)?).map_err(|error| unreadable(&error))?;
    let commits = unsigned(row.try_get(0)?)?;
    if commits != tip.commits {
        let words = format!("group {commits} says that it ends with {}", tip.commits);
        return Err(not_understood(&words).into());
    }
    let writes = decode_writes(row.try_get(3)?).map_err(|error| {
        not_understood(&format!(
            "the rows of group {commits} cannot be read: {error}"
        ))
    })?;
    Ok(Group {
        after: unsigned(row.try_get(1)?)?,
        tip,
        writes,
    })
}

fn read_tip(row: Option<Answer>) -> Result<Option<Tip>, Failed> {
    let Some(row) = row else {
        return Ok(None);
    };
    let tip = Tip::decode(row.try_get(0)?).map_err(|error| unreadable(&error))?;
    Ok(Some(tip))
}

/// There was a store, and there is none.
fn gone() -> RemoteError {
    RemoteError::Wrong(super::engine::Stopped::EmptyBesideAnchor)
}

fn signed(number: u64) -> Result<i64, RemoteError> {
    i64::try_from(number).map_err(|_| not_understood(&format!("{number} is too large a number")))
}

fn unsigned(number: i64) -> Result<u64, RemoteError> {
    u64::try_from(number).map_err(|_| not_understood(&format!("{number} is below zero")))
}

/// Longer each time: 5 ms to 160 ms.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(5 << attempt.min(5))
}

/// Why something was not done.
enum Failed {
    /// What the server or the connection says.
    Server(Error),
    /// What that means already.
    Known(RemoteError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl From<RemoteError> for Failed {
    fn from(error: RemoteError) -> Self {
        Self::Known(error)
    }
}

impl From<Failed> for RemoteError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Server(error) => Self::Away(words(&error)),
            Failed::Known(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
