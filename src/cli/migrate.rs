//! `goodstanding migrate`: a store is moved from one engine to another.

use std::path::PathBuf;
use std::str::FromStr;

use super::error::CliError;
use super::progress::Shows;
use super::report::{Report, text};
use clap::Args;

/// Move a store from one engine to another
///
/// Neither side is served meanwhile. What is moved to is no store until all of it stands and every table is the
/// same on both sides. A move that was broken off is begun again with the same words: what is there already
/// is read and left alone. So a large store can be moved from a backup of it while it is served, and
/// once more, of what changed since, when it no longer is.
///
/// The master key is not moved: who serves the store needs the same one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding migrate --from rocksdb:/var/lib/goodstanding --to postgres://goodstanding@db/registry
  goodstanding migrate --from postgres:@/etc/goodstanding/database --to rocksdb:/srv/registry

A place is rocksdb:DIR, a data folder; postgres:SETTINGS, a URL or words such as host=db dbname=registry; or
postgres:@FILE, a file with one of these, so that no password is seen among the arguments.")]
pub(super) struct Migrate {
    /// Where the store is
    #[arg(long, value_name = "PLACE")]
    from: StorePlace,
    /// Where it is to be
    #[arg(long, value_name = "PLACE")]
    to: StorePlace,
    /// The anchor of the store in a folder, where it is not in that folder
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
}

/// What is moved where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrateArgs {
    /// Where the store is.
    pub from: StorePlace,
    /// Where it is to be.
    pub to: StorePlace,
    /// The anchor's file of the folder, where it is not in that.
    pub anchor: Option<PathBuf>,
}

/// Where a store can be.
#[derive(Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A data folder, with RocksDB.
    Rocksdb(PathBuf),
    /// A database of PostgreSQL: a URL, or words of its own.
    Postgres(String),
    /// The same, in a file.
    PostgresIn(PathBuf),
}

/// There may be a password in it.
impl std::fmt::Debug for StorePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rocksdb(folder) => f.debug_tuple("Rocksdb").field(folder).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
            Self::PostgresIn(file) => f.debug_tuple("PostgresIn").field(file).finish(),
        }
    }
}

impl FromStr for StorePlace {
    type Err = String;

    fn from_str(place: &str) -> Result<Self, String> {
        let after = |name| place.strip_prefix(name).filter(|rest| !rest.is_empty());
        if let Some(folder) = after("rocksdb:") {
            return Ok(Self::Rocksdb(folder.into()));
        }
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            return Ok(Self::Postgres(place.to_owned()));
        }
        match after("postgres:").map(|rest| (rest, rest.strip_prefix('@'))) {
            Some((_, Some(""))) | None => Err(
                "a store is at rocksdb:DIR, postgres://…, postgres:SETTINGS or postgres:@FILE"
                    .to_owned(),
            ),
            Some((_, Some(file))) => Ok(Self::PostgresIn(file.into())),
            Some((settings, None)) => Ok(Self::Postgres(settings.to_owned())),
        }
    }
}

impl Migrate {
    pub(super) fn run(
        self,
        move_store: &super::MoveStore<'_>,
        shows: &Shows,
    ) -> Result<Report, CliError> {
        let args = MigrateArgs {
            from: self.from,
            to: self.to,
            anchor: self.anchor,
        };
        let mut progress = shows.begin("opening both stores");
        let moved = move_store(&args, &mut |done, total, words| {
            progress.at(done, total, words);
        });
        drop(progress);
        let moved = moved.map_err(CliError::Failed)?;
        let mut report = Report::new();
        let tables = moved["tables"].as_array().into_iter().flatten();
        let tables: Vec<_> = tables
            .map(|table| {
                let of = |member| text(table, member).unwrap_or_default();
                let digest = of("digest").chars().take(16).collect();
                vec![of("table").to_owned(), table["rows"].to_string(), digest]
            })
            .collect();
        report.table("", &tables);
        report.line(format!(
            "The store stands at event {}; every table is the same on both sides ({} rows were written). The \
             master key was not moved.",
            moved["head"], moved["written"]
        ));
        report.json.push(moved);
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_and_no_password_is_shown() {
        let read = |place: &str| place.parse::<StorePlace>();
        assert_eq!(
            read("rocksdb:/data"),
            Ok(StorePlace::Rocksdb("/data".into()))
        );
        let url = "postgres://me:secret@db:5432/registry";
        assert_eq!(read(url), Ok(StorePlace::Postgres(url.into())));
        let words = StorePlace::Postgres("host=db dbname=registry".into());
        assert_eq!(read("postgres:host=db dbname=registry"), Ok(words));
        assert_eq!(
            read("postgres:@/etc/db"),
            Ok(StorePlace::PostgresIn("/etc/db".into()))
        );
        for wrong in [
            "",
            "rocksdb:",
            "postgres:",
            "postgres:@",
            "mysql://db",
            "/data",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", read(url)).contains("secret"));
    }
}
