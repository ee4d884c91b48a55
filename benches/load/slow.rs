//! Ten thousand connections that drip a byte now and then, and good clients beside them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::Context;
use crate::reads::Small;
use crate::results::{Goal, Row, megabytes, quantile, time};
use crate::steady::Steady;

const SLOW: usize = 10_000;
/// Between two bytes of a connection.
const DRIP: Duration = Duration::from_secs(1);
/// Reads a second of good clients.
const READS: u32 = 400;
/// How long good clients are measured while the others are there.
const TIME: Duration = Duration::from_secs(15);
/// Goals.
const P99: Duration = Duration::from_millis(100);
const MEMORY: u64 = 512_000_000;

/// Room for good clients beside the slow ones.
const SETTINGS: &str = "
[limits]
connections = 12_000
";

/// What the slow ones came to.
#[derive(Default)]
struct Slow {
    open: AtomicUsize,
    /// Connections that the server ended.
    ended: AtomicUsize,
    /// Those that could not be opened.
    failed: AtomicUsize,
    stop: AtomicBool,
}

pub(crate) fn run(context: &mut Context) {
    let small = Small::set_up(context, SETTINGS);
    let slow = Arc::new(Slow::default());
    let steady = Steady::new();
    let address = small.service.address();
    let (alone, among, open) = thread::scope(|scope| {
        steady.start(scope, &small.service, &small.list, READS);
        let begun = Instant::now();
        thread::sleep(Duration::from_secs(4));
        let others = scope.spawn(|| drip(address, &slow));
        let until = Instant::now() + Duration::from_secs(30);
        while slow.open.load(Ordering::Relaxed) < SLOW * 99 / 100 && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
        let full = Instant::now();
        let mut open = Vec::new();
        while full.elapsed() < TIME {
            open.push(slow.open.load(Ordering::Relaxed));
            thread::sleep(Duration::from_millis(100));
        }
        steady.stop();
        slow.stop.store(true, Ordering::Relaxed);
        others.join().expect("the slow ones do not panic");
        let alone = (
            begun + Duration::from_secs(1),
            begun + Duration::from_secs(4),
        );
        (alone, (full, full + TIME), open)
    });
    // The server ends all of them at about the same time, and they come again.
    let fewest = open.iter().min().copied().unwrap_or_default();
    let open = open.iter().sum::<usize>() / open.len().max(1);
    let memory = small.service.process.memory();
    let alone = quantile(&steady.waited(alone.0, alone.1), 0.99);
    let among = steady.waited(among.0, among.1);
    let (p99, p999) = (quantile(&among, 0.99), quantile(&among, 0.999));
    context.results.row(Row {
        key: "slow",
        what: format!(
            "{SLOW} slow connections, a byte a second each ({open} open on average, {fewest} at \
             least; {} were ended by the server and came again, {} could not connect)",
            slow.ended.load(Ordering::Relaxed),
            slow.failed.load(Ordering::Relaxed),
        ),
        figure: format!(
            "good clients' p99 {}, p99.9 {} ({} without the others); resident at most {}",
            time(p99),
            time(p999),
            time(alone),
            megabytes(memory.most),
        ),
        goal: Goal::of(
            "p99 < 100 ms, memory < 512 MB",
            p99 < P99 && memory.most < MEMORY && open >= SLOW * 9 / 10,
        ),
    });
}

/// All of them on one thread.
fn drip(address: SocketAddr, slow: &Arc<Slow>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let mut tasks = Vec::with_capacity(SLOW);
        for number in 0..SLOW {
            tasks.push(tokio::spawn(one(address, number, slow.clone())));
            if number % 100 == 0 {
                // Not all in one moment: the queue of those that wait to be accepted is short.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        while !slow.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

/// A connection that comes again whenever the server has ended it.
async fn one(address: SocketAddr, number: usize, slow: Arc<Slow>) {
    // Addresses of its own for every thousand, which have ports of their own.
    let from = Ipv4Addr::new(127, 0, 2, 1 + (number / 1_000) as u8);
    loop {
        let Some(mut stream) = connected(from, address).await else {
            slow.failed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(DRIP).await;
            continue;
        };
        slow.open.fetch_add(1, Ordering::Relaxed);
        let (mut reading, mut writing) = stream.split();
        let mut byte = [0; 512];
        tokio::select! {
            () = write_slowly(&mut writing) => {}
            // A farewell, or the end.
            _ = reading.read(&mut byte) => {}
        }
        slow.open.fetch_sub(1, Ordering::Relaxed);
        slow.ended.fetch_add(1, Ordering::Relaxed);
    }
}

async fn connected(from: Ipv4Addr, address: SocketAddr) -> Option<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).ok()?;
    socket.connect(address).await.ok()
}

/// A head that never ends.
async fn write_slowly(stream: &mut (impl tokio::io::AsyncWrite + Unpin)) {
    let head = b"GET / HTTP/1.1\r\nHost: registry.example\r\nX-Slow: ";
    for byte in head.iter().chain(b"s".iter().cycle()) {
        if stream.write_all(std::slice::from_ref(byte)).await.is_err() {
            return;
        }
        tokio::time::sleep(DRIP).await;
    }
}
