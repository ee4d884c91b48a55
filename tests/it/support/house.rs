//! A whole registry behind HTTP on a free port of this machine, with a clock and randomness that
//! the test holds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "rocksdb")]
use goodstanding::backup::{Backups, HowBackups};
use goodstanding::entropy::SeededEntropy;
use goodstanding::http::{Edge, Limits, Mode, Operations, Running, Tls, operate, serve};
use goodstanding::net::{Elsewhere, Names, Policy};
use goodstanding::registry::{
    Actor as Who, Change, HistoryAccess, Providers, Publisher, Quotas, Registration, Registry,
    Settings,
};
use goodstanding::store::engine::{Engine, Row};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::store::tables::{ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, id_digest};
use goodstanding::time::{Clock as _, ManualClock, Timestamp, Ttl};
use goodstanding::vc::keys::MasterKey;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::client::Call;

/// The origin of every id in these tests. Nobody listens there.
pub(crate) const ORIGIN: &str = "https://registry.example";

/// When the tests begin.
pub(crate) const START: &str = "2026-03-01T09:00:00Z";

/// How a registry is to be opened.
pub(crate) struct Plan {
    clock: Arc<ManualClock>,
    engine: Arc<dyn Engine>,
    seed: u64,
    mode: Mode,
    origin: &'static str,
    at_its_address: bool,
    publish_delay: Option<Duration>,
    catches_up: bool,
    anchors: Vec<String>,
    reach: Option<(Policy, Arc<dyn Names>)>,
    lists_hold: Ttl,
    history: HistoryAccess,
    history_kept: Option<Ttl>,
    fill_floor: u8,
    quotas: Quotas,
    limits: Limits,
    tls: Option<Arc<Tls>>,
    registration: Registration,
    providers: Providers,
    #[cfg(feature = "rocksdb")]
    backups: Option<std::path::PathBuf>,
}

/// A registry that runs. Dropping it ends the server.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) operator_token: String,
    /// For what no request asks: the registry itself.
    pub(crate) registry: Arc<Registry>,
    origin: &'static str,
    edge: Arc<Edge>,
    publisher: Option<Publisher>,
    running: Option<Running>,
    runtime: Option<Runtime>,
}

impl Plan {
    /// In production mode, in memory, each list signed before its change is acknowledged.
    pub(crate) fn new() -> Self {
        let clock = clock();
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        Self::over(engine, clock)
    }

    /// As [`Plan::new`], over this engine.
    pub(crate) fn over(engine: Arc<dyn Engine>, clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            engine,
            seed: 1,
            mode: Mode::Production,
            origin: ORIGIN,
            at_its_address: false,
            publish_delay: None,
            catches_up: true,
            reach: None,
            anchors: Vec::new(),
            lists_hold: Settings::usual(ORIGIN).list_validity,
            history: Settings::usual(ORIGIN).history,
            history_kept: None,
            fill_floor: 0,
            quotas: Quotas::usual(),
            limits: limits(),
            tls: None,
            registration: Registration::Authorised,
            providers: Providers::default(),
            #[cfg(feature = "rocksdb")]
            backups: None,
        }
    }

    /// Backups can be asked for: they go into `backups` in this folder, and two are kept.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn backing_up_into(mut self, folder: &std::path::Path) -> Self {
        self.backups = Some(folder.to_owned());
        self
    }

    /// In development mode, with the origin that it has there.
    pub(crate) fn in_development(mut self) -> Self {
        self.mode = Mode::Development;
        self.history = HistoryAccess::Public;
        self.origin = "http://localhost:8080";
        self
    }

    /// Its origin is where it listens, so that others than these tests can follow its URLs.
    pub(crate) fn at_its_address(mut self) -> Self {
        self.at_its_address = true;
        self
    }

    /// Lists are signed by the publisher's thread, so long after a change.
    pub(crate) fn publishing_after(mut self, delay: Duration) -> Self {
        self.publish_delay = Some(delay);
        self
    }

    /// Without the publication with which every start makes good what a crash left behind.
    pub(crate) fn left_as_it_was(mut self) -> Self {
        self.catches_up = false;
        self
    }

    /// Random bytes other than those of the first opening.
    pub(crate) fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whom the registry trusts.
    pub(crate) fn trusting(mut self, anchors: &[&str]) -> Self {
        self.anchors = anchors.iter().map(|anchor| (*anchor).to_owned()).collect();
        self
    }

    /// Bodies may have so many bytes, bulk ones four times as many.
    pub(crate) fn taking_in(mut self, bytes: usize) -> Self {
        self.limits.body_bytes = bytes;
        self.limits.bulk_body_bytes = bytes * 4;
        self
    }

    /// Verification asks others within this policy, and finds them by these names.
    pub(crate) fn reaching(mut self, policy: Policy, names: Arc<dyn Names>) -> Self {
        self.reach = Some((policy, names));
        self
    }

    /// Signed lists hold for so long: also where those who read them look at another clock.
    pub(crate) fn lists_holding(mut self, validity: Ttl) -> Self {
        self.lists_hold = validity;
        self
    }

    /// How lists were is for everybody, unless their issuer chose otherwise.
    pub(crate) fn with_open_history(mut self) -> Self {
        self.history = HistoryAccess::Public;
        self
    }

    /// Lists are kept for so long as they were.
    pub(crate) fn keeping_history(mut self, kept: Ttl) -> Self {
        self.history_kept = Some(kept);
        self
    }

    /// An issuer fills so many percent of a list before it opens another for the same purpose.
    pub(crate) fn filling(mut self, percent: u8) -> Self {
        self.fill_floor = percent;
        self
    }

    /// With other quotas than the usual ones.
    pub(crate) fn allowing(mut self, change: impl FnOnce(&mut Quotas)) -> Self {
        change(&mut self.quotas);
        self
    }

    /// With other limits than the usual ones.
    pub(crate) fn within(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Connections are secured.
    pub(crate) fn secured(mut self, tls: Arc<Tls>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Clients are registered by these.
    pub(crate) fn registering(mut self, registration: Registration) -> Self {
        self.registration = registration;
        self
    }

    /// Tokens of these providers are taken.
    pub(crate) fn with_providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    /// Starts it.
    pub(crate) fn open(mut self) -> House {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        if self.at_its_address {
            let port = listener.local_addr().unwrap().port();
            self.origin = format!("http://localhost:{port}").leak();
        }
        let settings = Settings {
            publish_before_acknowledging: self.publish_delay.is_none(),
            trust_anchors: self.anchors,
            list_validity: self.lists_hold,
            history: self.history,
            history_kept: self.history_kept,
            fill_floor_percent: self.fill_floor,
            quotas: self.quotas,
            registration: self.registration,
            ..Settings::usual(self.origin)
        };
        let entropy = Arc::new(SeededEntropy::new(self.seed));
        let master = MasterKey::generate(&SeededEntropy::new(0));
        let (engine, clock) = (self.engine, self.clock);
        // The data key of a new store is made apart, so that what a story shows does not hang on it.
        let apart = Arc::new(SeededEntropy::new(u64::MAX));
        let first = settings.clone();
        let opened = Registry::open(engine.clone(), clock.clone(), apart, master.clone(), first);
        drop(opened.expect("the store is this origin's"));
        let registry = Registry::open(engine.clone(), clock.clone(), entropy, master, settings);
        let registry = Arc::new(registry.expect("the store is this origin's"));
        if self.catches_up {
            registry.catch_up().unwrap();
        }
        let operator = Change::by(Who::operator());
        let made = registry.make_token(
            &operator,
            &goodstanding::registry::TokenFor::OPERATOR,
            Ttl::from_seconds(30 * 86_400),
        );
        let operator_token = made.unwrap().token.to_string();
        let publisher = self
            .publish_delay
            .map(|delay| Publisher::start(registry.clone(), delay).unwrap());
        let mut edge = edge(registry.clone(), self.mode, self.limits);
        edge.providers = self.providers;
        edge.tls = self.tls;
        #[cfg(feature = "rocksdb")]
        {
            let backups = self.backups.as_deref();
            edge.backups = backups.map(|folder| backups_in(folder, &registry, clock.clone()));
        }
        if let Some((policy, names)) = self.reach {
            edge.localhost = policy.did_localhost();
            edge.outside = Arc::new(Elsewhere::new(policy, names, clock.clone()).unwrap());
        }
        let edge = Arc::new(edge);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let running = runtime
            .block_on(async { serve(edge.clone(), TcpListener::from_std(listener).unwrap()) })
            .unwrap();
        House {
            address: running.address,
            clock,
            engine,
            operator_token,
            registry,
            origin: self.origin,
            edge,
            publisher,
            running: Some(running),
            runtime: Some(runtime),
        }
    }
}

impl House {
    /// The usual registry of a test.
    pub(crate) fn open() -> Self {
        Plan::new().open()
    }

    /// A registry on RocksDB in this folder.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn on_disk(folder: &std::path::Path, clock: &Arc<ManualClock>, seed: u64) -> Self {
        use goodstanding::store::rocks::{Place, RocksEngine};
        let engine = RocksEngine::open(&Place::within(folder, [7; 16]), clock.clone());
        let engine = Arc::new(engine.expect("nobody else has it open"));
        Plan::over(engine, clock.clone()).seeded(seed).open()
    }

    /// A request by nobody in particular. `target` is a path, or a URL of this registry.
    pub(crate) fn call(&self, method: &str, target: &str) -> Call {
        let path = target.strip_prefix(self.origin).unwrap_or(target);
        Call::new(self.address, method, path)
    }

    /// The origin of every id and URL.
    pub(crate) const fn origin(&self) -> &'static str {
        self.origin
    }

    /// Opens the address for whoever runs it: metrics and health.
    pub(crate) fn opens_operations(&self) -> Operations {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let runtime = self.runtime.as_ref().expect("it runs");
        let operating =
            async { operate(self.edge.clone(), TcpListener::from_std(listener).unwrap()) };
        runtime.block_on(operating).unwrap()
    }

    /// Everything that is stored.
    pub(crate) fn store(&self) -> Vec<Row> {
        self.engine.scan(&[], &[0xff; 64], usize::MAX).unwrap()
    }

    /// What is stored of endorsements under what they endorse is what is stored of them.
    pub(crate) fn endorsements_agree(&self) {
        let read = self.engine.snapshot();
        let records = ENDORSEMENTS.scan(&*read, &[], None, usize::MAX).unwrap();
        let by_subject = ENDORSEMENTS_BY_SUBJECT.scan(&*read, &[], None, usize::MAX);
        let rows = records.into_iter();
        let mut expected: Vec<_> = rows
            .map(|(id, record)| ((id_digest(&record.subject), id), record))
            .collect();
        expected.sort_unstable_by_key(|(key, _)| *key);
        assert_eq!(by_subject.unwrap(), expected);
    }

    /// The present moment, as answers write it.
    pub(crate) fn now(&self) -> String {
        self.clock.now().to_string()
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Ttl::from_seconds(seconds));
    }
}

impl Drop for House {
    /// As the service stops: requests under way are answered, then the publisher ends. Every story
    /// leaves endorsements that agree.
    fn drop(&mut self) {
        if let (Some(runtime), Some(running)) = (self.runtime.take(), self.running.take()) {
            let _ = runtime.block_on(running.stop(Duration::from_secs(20)));
            runtime.shutdown_timeout(Duration::from_secs(20));
        }
        drop(self.publisher.take());
        if !std::thread::panicking() {
            self.endorsements_agree();
        }
    }
}

/// Makes backups of a registry.
#[cfg(feature = "rocksdb")]
fn backups_in(
    folder: &std::path::Path,
    registry: &Arc<Registry>,
    clock: Arc<ManualClock>,
) -> Arc<Backups> {
    let store = registry.clone();
    let how = HowBackups {
        folder: goodstanding::backup::Folder::at(folder.join("backups")),
        copy: folder.join("copy"),
        copy_store: Box::new(move |to| store.copy_store_to(to)),
        key: None,
        keep: Some(2),
        public_url: ORIGIN.to_owned(),
        program: "0.1.0",
        inspect: Box::new(goodstanding::store::rocks::checkpoint::inspect),
    };
    Backups::new(how, clock, Arc::new(SeededEntropy::new(5)))
}

/// A clock that stands at [`START`].
pub(crate) fn clock() -> Arc<ManualClock> {
    let start: Timestamp = START.parse().unwrap();
    Arc::new(ManualClock::new(start))
}

fn edge(registry: Arc<Registry>, mode: Mode, limits: Limits) -> Edge {
    Edge {
        mode,
        status_by_credential_is_public: mode == Mode::Development,
        limits,
        ..Edge::usual(registry)
    }
}

const fn limits() -> Limits {
    Limits {
        body_bytes: 1 << 20,
        bulk_body_bytes: 1 << 22,
        bulk_lines: 1_000_000,
        connections: 1_000,
        body: Ttl::from_seconds(30),
        feeds: 100,
        ..Limits::usual()
    }
}
