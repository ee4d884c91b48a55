//! Writes through the engine beside what the database does by itself with the same rows. The run is long enough
//! for the rows, which follow the log, to be written in it too.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::store::engine::Engine as _;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::lag::{change, replica, synced};
use crate::support::postgres::{Server, programs};

const CHANGES: u32 = 24_000;
const THREADS: usize = 64;

/// Of what the database does by itself. `make replicas` asks for half of it; a build that is not optimised, beside
/// other tests, for as much as shows that commits share transactions.
fn at_least() -> f64 {
    let asked = env::var("GOODSTANDING_REPLICAS_AT_LEAST").ok();
    asked.map_or(0.05, |text| text.parse().expect("a number"))
}

#[test]
fn writes_are_held_against_plain_inserts_of_the_same_rows() {
    if programs().is_none() {
        return;
    }
    let database = Server::start_as(&synced());
    let folder = TempDir::new().unwrap();
    let url = database.url("postgres");
    let engine = replica(&url, &folder, "a");
    let next = AtomicU32::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CHANGES {
                        return;
                    }
                    engine.commit(change(number)).unwrap();
                }
            });
        }
    });
    let ours = begun.elapsed();
    let groups = database.sql("postgres", "SELECT count(*) FROM goodstanding.log");
    let groups: usize = groups.parse().unwrap();
    let behind = database.sql(
        "postgres",
        "SELECT h.commits - r.commits FROM goodstanding.head h, goodstanding.rows_at r",
    );
    drop(engine);
    // Whoever reads the rows brings them up.
    drop(replica(&url, &folder, "b"));
    let rows = database.sql("postgres", "SELECT count(*) FROM goodstanding.rows");
    let plain = plain(&database, &url, groups);
    let ratio = plain.as_secs_f64() / ours.as_secs_f64();
    println!(
        "writes: {CHANGES} changes in {groups} groups, {rows} rows: {ours:?}, {behind} of them not in the \
         rows yet; plain inserts of the same \
         rows in as many transactions: {plain:?}; {ratio:.2} of their speed"
    );
    assert!(ratio >= at_least(), "{ratio:.2}");
}

/// The rows that the engine wrote, inserted in as many transactions as there were groups, and nothing else.
fn plain(database: &Server, url: &str, groups: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let carried = tokio::spawn(connection);
        let rows = client
            .query("SELECT key, value FROM goodstanding.rows ORDER BY key", &[])
            .await
            .unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        client
            .batch_execute("CREATE TABLE plain (key bytea PRIMARY KEY, value bytea NOT NULL)")
            .await
            .unwrap();
        database.sql("postgres", "CHECKPOINT");
        let put = "INSERT INTO plain SELECT * FROM unnest($1::bytea[], $2::bytea[])";
        let put = client.prepare(put).await.unwrap();
        let begun = Instant::now();
        for some in rows.chunks(rows.len().div_ceil(groups)) {
            let (keys, values): (Vec<&[u8]>, Vec<&[u8]>) = some
                .iter()
                .map(|(key, value)| (key.as_slice(), value.as_slice()))
                .unzip();
            client.execute(&put, &[&keys, &values]).await.unwrap();
        }
        let took = begun.elapsed();
        drop(client);
        carried.await.unwrap().unwrap();
        took
    })
}
