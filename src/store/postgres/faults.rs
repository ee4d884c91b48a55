//! What an error of the server means for what was asked of it.

use std::error::Error as _;

use deadpool_postgres::PoolError;
use tokio_postgres::Error;

use crate::store::engine::{Stopped, StoreError};
use crate::store::replica::remote::RemoteError;

/// What is to be done about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It lost to another transaction: the same again may succeed.
    Lost,
    /// The connection, or the server behind it, is of no use any more.
    Gone,
    /// There are no such tables.
    NoTables,
    /// The server does not know that statement or setting.
    NotKnown,
    /// Somebody else made the same thing at the same time.
    MadeMeanwhile,
    /// It may not be done.
    NotAllowed,
    /// Anything else: the server answered, and did not do it.
    Refused,
}

/// What an error is, by its SQLSTATE; one without comes from the connection.
pub(super) fn fault(error: &Error) -> Fault {
    error
        .code()
        .map_or(Fault::Gone, |code| of_state(code.code()))
}

fn of_state(code: &str) -> Fault {
    match code {
        "40001" | "40P01" => Fault::Lost,
        // It cannot be written on any more (25006), it is shut down or comes up (57P), or was cut off (08).
        "25006" => Fault::Gone,
        _ if code.starts_with("57P") || code.starts_with("08") => Fault::Gone,
        "42P01" | "3F000" => Fault::NoTables,
        "42704" | "0A000" | "42601" | "22023" | "42883" => Fault::NotKnown,
        "23505" | "42P06" | "42P07" | "42710" => Fault::MadeMeanwhile,
        "42501" => Fault::NotAllowed,
        _ => Fault::Refused,
    }
}

/// Whether the server itself answered that it did not do what was asked: then it was not done.
pub(super) fn is_answer(error: &Error) -> bool {
    error.code().is_some()
}

/// An error in words: what the server says, or what became of the connection. No value that was handed over,
/// and nothing of the URL, is part of it.
pub(super) fn words(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        return format!("PostgreSQL: {} ({})", told.message(), told.code().code());
    }
    let mut words = format!("PostgreSQL: {error}");
    let mut source = error.source();
    while let Some(reason) = source {
        words = format!("{words}: {reason}");
        source = reason.source();
    }
    words
}

/// The same of one that comes of waiting for a connection.
pub(super) fn no_connection(error: &PoolError) -> RemoteError {
    let words = match error {
        PoolError::Backend(error) => words(error),
        PoolError::Timeout(_) => "PostgreSQL: no server took a connection in time".to_owned(),
        other => format!("PostgreSQL: {other}"),
    };
    RemoteError::Away(words)
}

/// What stands there is not what this program writes.
pub(super) fn not_understood(what: &str) -> RemoteError {
    let words = format!("in PostgreSQL, {what}");
    RemoteError::Wrong(Stopped::RowsUnreadable(words))
}

pub(super) fn unreadable(error: &StoreError) -> RemoteError {
    not_understood(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_mean_what_the_manual_says() {
        for (codes, meant) in [
            (&["40001", "40P01"][..], Fault::Lost),
            (
                &["25006", "57P01", "57P02", "57P03", "08006", "08P01"],
                Fault::Gone,
            ),
            (&["42P01", "3F000"], Fault::NoTables),
            (&["0A000", "42704"], Fault::NotKnown),
            (&["23505", "42P07"], Fault::MadeMeanwhile),
            (&["42501"], Fault::NotAllowed),
            // Cancelled, no lock in time, disk full, aborted before.
            (&["57014", "55P03", "53100", "25P02"], Fault::Refused),
        ] {
            for code in codes {
                assert_eq!(of_state(code), meant, "{code}");
            }
        }
    }
}
