//! The tables, and how they are brought up to what this program writes.

use deadpool_postgres::Object;
use tokio::time::sleep;
use tokio_postgres::Error;

use super::faults::{Fault, fault, not_understood};
use super::{ATTEMPTS, Failed, pause, sql};

/// What there is of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// All that this program needs.
    Tables,
    /// Nobody has made a store.
    Nothing,
}

/// Makes the changes that are missing where there are tables.
///
/// # Errors
/// Tables of a later version of this program, among others.
pub(super) async fn bring_up(session: &Object) -> Result<Found, Failed> {
    match version(session, sql::VERSION).await {
        Ok(Some(KNOWN)) => Ok(Found::Tables),
        Ok(Some(0) | None) => Ok(Found::Nothing),
        Ok(Some(older)) if older < KNOWN => migrate(session).await.map(|()| Found::Tables),
        Ok(Some(newer)) => Err(later(newer)),
        Err(error) if fault(&error) == Fault::NoTables => Ok(Found::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables, or the changes to them that are missing. Several replicas may at the same time.
pub(super) async fn make(session: &Object) -> Result<(), Failed> {
    for attempt in 0..ATTEMPTS {
        match make_once(session).await {
            Err(Failed::Server(error))
                if matches!(fault(&error), Fault::MadeMeanwhile | Fault::Lost) =>
            {
                sleep(pause(attempt)).await;
            }
            other => return other,
        }
    }
    make_once(session).await
}

const KNOWN: i32 = sql::MIGRATIONS.len() as i32;

async fn make_once(session: &Object) -> Result<(), Failed> {
    match session.batch_execute(sql::MAKE_SCHEMA).await {
        // It may be there all the same; what follows tells.
        Err(error) if fault(&error) == Fault::NotAllowed => {}
        other => other?,
    }
    session.batch_execute(sql::MAKE_VERSION).await?;
    session.batch_execute(sql::BEGIN_VERSIONS).await?;
    migrate(session).await
}

async fn migrate(session: &Object) -> Result<(), Failed> {
    session.batch_execute(sql::BEGIN).await?;
    let changed = change(session).await;
    match changed {
        Ok(changed) => {
            session.batch_execute("COMMIT").await?;
            if changed {
                for optional in sql::DO_NOT_COMPRESS {
                    let _ = session.batch_execute(optional).await;
                }
            }
            Ok(())
        }
        Err(failed) => {
            let _ = session.batch_execute("ROLLBACK").await;
            Err(failed)
        }
    }
}

/// Says whether there was anything to be done. The row of the version is held meanwhile.
async fn change(session: &Object) -> Result<bool, Failed> {
    let made = version(session, sql::HOLD_VERSION).await?.unwrap_or(0);
    let done = usize::try_from(made).map_err(|_| later(made))?;
    let missing = sql::MIGRATIONS.get(done..).ok_or_else(|| later(made))?;
    for statement in missing.concat() {
        session.batch_execute(statement).await?;
    }
    session.execute(sql::SET_VERSION, &[&KNOWN]).await?;
    Ok(!missing.is_empty())
}

async fn version(session: &Object, statement: &str) -> Result<Option<i32>, Error> {
    let row = session.query_opt(statement, &[]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

fn later(found: i32) -> Failed {
    not_understood(&format!(
        "the tables are of version {found}, and this program knows {KNOWN}"
    ))
    .into()
}
