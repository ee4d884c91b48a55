//! A store is moved from one engine to another, while neither is served.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{MigrateArgs, StorePlace};
use crate::store::moving::{self, Moved, Moving, Side};

/// How far it has come.
type Progress<'a> = dyn FnMut(u64, Option<u64>, &str) + 'a;

/// Moves it, and says what that came to.
pub fn move_store(args: &MigrateArgs, progress: &mut Progress<'_>) -> Result<Value, String> {
    super::process::keep_to_itself()?;
    let anchor = args.anchor.as_deref();
    let (from, to) = (side(&args.from, anchor)?, side(&args.to, anchor)?);
    let moved = moving::move_store(&from, &to, &mut |moving| {
        let Moving {
            rows,
            of,
            comparing,
        } = moving;
        let doing = if comparing { "compared" } else { "moved" };
        progress(rows, of, &format!("{rows} rows {doing}"));
    });
    moved
        .map(|moved| told(&moved))
        .map_err(|error| error.to_string())
}

fn side(place: &StorePlace, anchor: Option<&Path>) -> Result<Side, String> {
    match place {
        StorePlace::Rocksdb(folder) => Ok(Side::Folder {
            store: folder.join("store"),
            anchor: anchor.map_or_else(|| folder.join("anchor/anchor"), Path::to_owned),
        }),
        StorePlace::Postgres(settings) => database(settings.clone()),
        StorePlace::PostgresIn(file) => {
            let read = std::fs::read_to_string(file);
            let read = read.map_err(|error| format!("{}: {error}", file.display()))?;
            database(read.trim().to_owned())
        }
    }
}

#[cfg(feature = "postgres")]
fn database(url: String) -> Result<Side, String> {
    use crate::store::postgres::{Secret, Settings};
    Ok(Side::Postgres(Box::new(Settings::usual(Secret::new(url)))))
}

#[cfg(not(feature = "postgres"))]
fn database(_: String) -> Result<Side, String> {
    Err("this program was built without PostgreSQL".into())
}

fn told(moved: &Moved) -> Value {
    let tables = moved.tables.iter().map(|table| {
        let digest = table.digest.iter();
        let digest = digest.fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        json!({ "table": table.name, "rows": table.rows, "digest": digest })
    });
    json!({
        "tables": tables.collect::<Vec<_>>(),
        "head": moved.head.seq.0,
        "written": moved.written,
    })
}
