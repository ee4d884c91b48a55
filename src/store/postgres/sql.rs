//! What the shared place holds, and every statement that is said to it. All of it is what every server has that
//! speaks PostgreSQL's protocol; what not all of them have is marked, and left out where it is refused.
//!
//! ```text
//! goodstanding.version  id 1 | version                 which of the changes below were made
//! goodstanding.head     id 1 | commits | seq | digest | at | tip | confirmed
//! goodstanding.log      commits | starts | tip | writes | written
//! goodstanding.rows     key | value
//! goodstanding.rows_at  id 1 | commits                 the newest group that is in the rows
//! goodstanding.lease    id 1 | holder | ends
//! ```
//!
//! `tip` is the value of the store's own head row with the group, and `writes` the group's rows as
//! `replica/bytes.rs` spells them. `commits`, `seq`, `digest` and `at` say what `tip` says, for whoever looks
//! at the head with other tools. `starts` is how many batches there were before the group. Numbers and
//! times are signed 64-bit; moments of `written` and `ends` are by the server's clock.

/// How the tables came to be what they are: each change once, in this order. The number of those that were
/// made stands in `goodstanding.version`.
pub(super) const MIGRATIONS: &[&[&str]] = &[
    &[
        "CREATE TABLE goodstanding.head (\
         id smallint PRIMARY KEY, commits bigint NOT NULL, seq bigint NOT NULL, digest bytea NOT NULL, \
         at bigint NOT NULL, tip bytea NOT NULL, confirmed bigint NOT NULL)",
        "CREATE TABLE goodstanding.log (\
         commits bigint PRIMARY KEY, starts bigint NOT NULL, tip bytea NOT NULL, writes bytea NOT NULL, \
         written timestamptz NOT NULL DEFAULT now())",
        "CREATE TABLE goodstanding.rows (key bytea PRIMARY KEY, value bytea NOT NULL)",
        "CREATE TABLE goodstanding.lease (\
         id smallint PRIMARY KEY, holder bytea NOT NULL, ends timestamptz NOT NULL)",
    ],
    &[
        "CREATE TABLE goodstanding.rows_at (id smallint PRIMARY KEY, commits bigint NOT NULL)",
        // Until then every group was written to the rows with itself.
        "INSERT INTO goodstanding.rows_at (id, commits) SELECT id, commits FROM goodstanding.head",
    ],
];

/// Refused where whoever runs the server has made the schema, and lets nobody else make one.
pub(super) const MAKE_SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS goodstanding";

pub(super) const MAKE_VERSION: &str = "CREATE TABLE IF NOT EXISTS goodstanding.version \
     (id smallint PRIMARY KEY, version integer NOT NULL)";

pub(super) const BEGIN_VERSIONS: &str =
    "INSERT INTO goodstanding.version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";

pub(super) const VERSION: &str = "SELECT version FROM goodstanding.version WHERE id = 1";

pub(super) const HOLD_VERSION: &str =
    "SELECT version FROM goodstanding.version WHERE id = 1 FOR UPDATE";

pub(super) const SET_VERSION: &str = "UPDATE goodstanding.version SET version = $1 WHERE id = 1";

/// Optional (PostgreSQL): large values are not compressed a second time.
pub(super) const DO_NOT_COMPRESS: &[&str] = &[
    "ALTER TABLE goodstanding.log ALTER COLUMN writes SET STORAGE EXTERNAL",
    "ALTER TABLE goodstanding.rows ALTER COLUMN value SET STORAGE EXTERNAL",
];

/// Whoever holds the head row is the only one who writes, so that nothing more than that is asked of the server.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

pub(super) const BEGIN_TO_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) const TIP: &str = "SELECT tip FROM goodstanding.head WHERE id = 1";

pub(super) const HOLD: &str = "SELECT tip FROM goodstanding.head WHERE id = 1 FOR UPDATE";

/// Nothing but a write after which everything before it is durable as well, on a standby too.
pub(super) const CONFIRM: &str =
    "UPDATE goodstanding.head SET confirmed = confirmed + 1 WHERE id = 1";

pub(super) const COMMITS: &str = "SELECT commits FROM goodstanding.head WHERE id = 1";

/// Groups in order, up to about so many bytes, and one at least where there is one.
pub(super) const NEWER: &str = "SELECT commits, starts, tip, writes FROM (\
         SELECT commits, starts, tip, writes, \
             sum(octet_length(writes)) OVER (ORDER BY commits) - octet_length(writes) AS before \
         FROM (SELECT commits, starts, tip, writes FROM goodstanding.log \
             WHERE commits > $1 ORDER BY commits LIMIT 256) AS newer\
     ) AS sized WHERE before < 8388608 ORDER BY commits";

/// The same of rows.
pub(super) const PAGE: &str = "SELECT key, value FROM (\
         SELECT key, value, \
             sum(octet_length(value)) OVER (ORDER BY key) - octet_length(value) AS before \
         FROM (SELECT key, value FROM goodstanding.rows \
             WHERE key > $1 ORDER BY key LIMIT 8192) AS page\
     ) AS sized WHERE before < 8388608 ORDER BY key";

pub(super) const MAKE_HEAD: &str = "INSERT INTO goodstanding.head \
     (id, commits, seq, digest, at, tip, confirmed) VALUES (1, $1, $2, $3, $4, $5, 0) \
     ON CONFLICT (id) DO NOTHING";

/// A group, and the head that it moves.
pub(super) const WRITE: &str = "WITH logged AS (\
         INSERT INTO goodstanding.log (commits, starts, tip, writes) VALUES ($1, $2, $3, $4)) \
     UPDATE goodstanding.head \
     SET commits = $1, seq = $5, digest = $6, at = $7, tip = $3 WHERE id = 1";

/// Only one brings the rows up.
pub(super) const HOLD_ROWS_AT: &str =
    "SELECT commits FROM goodstanding.rows_at WHERE id = 1 FOR UPDATE";

pub(super) const MOVE_ROWS_AT: &str = "UPDATE goodstanding.rows_at SET commits = $1 WHERE id = 1";

pub(super) const MAKE_ROWS_AT: &str = "INSERT INTO goodstanding.rows_at (id, commits) VALUES (1, $1) \
     ON CONFLICT (id) DO UPDATE SET commits = excluded.commits";

pub(super) const PUT: &str = "INSERT INTO goodstanding.rows (key, value) \
     SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";

pub(super) const DELETE: &str = "DELETE FROM goodstanding.rows WHERE key = ANY ($1::bytea[])";

/// A server that gives up waiting for its standby when a statement takes too long calls the commit done.
pub(super) const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// For reading everything, page by page, as slowly as a disk takes it.
pub(super) const READ_SLOWLY: &str = "SET LOCAL idle_in_transaction_session_timeout = 60000";

/// Optional (PostgreSQL): tells who listens that there is something new, and from whom.
pub(super) const TELL: &str = "SELECT pg_notify('goodstanding', $1)";

/// Optional, as the one before.
pub(super) const LISTEN: &str = "LISTEN goodstanding";

pub(super) const LEAD: &str = "INSERT INTO goodstanding.lease (id, holder, ends) \
     VALUES (1, $1, now() + $2::float8 * interval '1 second') \
     ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, ends = excluded.ends \
     WHERE lease.holder = excluded.holder OR lease.ends < now()";

/// The oldest of the log, up to some number of groups, that are older than so many seconds and in the rows.
pub(super) const FORGET: &str = "DELETE FROM goodstanding.log WHERE commits IN (\
         SELECT commits FROM (\
             SELECT commits, written FROM goodstanding.log ORDER BY commits LIMIT 10000) AS oldest \
         WHERE commits <= $1 AND commits <= (SELECT commits FROM goodstanding.rows_at WHERE id = 1) \
         AND written < now() - $2::float8 * interval '1 second')";

/// Optional, each: what a session is held to, in milliseconds.
pub(super) fn session(statement: u128, lock: u128, idle: u128) -> [String; 3] {
    [
        format!("SET statement_timeout = {statement}"),
        format!("SET lock_timeout = {lock}"),
        format!("SET idle_in_transaction_session_timeout = {idle}"),
    ]
}

/// What moving a store asks for.
pub(super) const VALUE: &str = "SELECT value FROM goodstanding.rows WHERE key = $1";

pub(super) const RANGE: &str = "SELECT key, value FROM goodstanding.rows \
     WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3";

pub(super) const COUNT: &str = "SELECT count(*) FROM goodstanding.rows";

pub(super) const EMPTY: &str = "DELETE FROM goodstanding.rows WHERE key >= $1 AND key < $2";

pub(super) const NO_HEAD: &str = "DELETE FROM goodstanding.head";

pub(super) const NO_LOG: &str = "DELETE FROM goodstanding.log";
