//! The composition root: the one place where real parts are chosen and put together.

mod backups;
mod demo;
#[cfg(feature = "rocksdb")]
mod doctor;
mod engines;
mod handles;
mod housekeeping;
mod local;
mod logging;
mod master_key;
#[cfg(feature = "rocksdb")]
mod migrate;
mod process;
mod signals;
mod system;
#[cfg(feature = "otel")]
mod traces;
#[cfg(not(feature = "otel"))]
#[path = "traces/none.rs"]
mod traces;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing::{info, warn};

use crate::cli::{InitArgs, InitDone, ServeArgs, Stopped, Transport};
use crate::config::{Audience, Config, EngineChoice, FILE_IN_DATA, Overrides};
use crate::http::{self, Drained, Edge, Mode, Operations, Running, Uploads};
use crate::net::{Elsewhere, SystemNames};
use crate::registry::{Actor, Change, HistoryAccess, Publisher, Registry, Settings, TokenFor};
use crate::store::durably;
use crate::time::{Clock, Ttl};

use engines::{holds_none, holds_store, lacks_store, open_engine};
use housekeeping::Housekeeping;
use master_key::Next;
use signals::Signals;
use traces::Sending;

pub use backups::Backups;
#[cfg(feature = "rocksdb")]
pub use doctor::examine;
pub use logging::FIELDS as LOG_FIELDS;
#[cfg(feature = "rocksdb")]
pub use migrate::move_store;
pub use system::{SystemClock, SystemEntropy};

/// Runs the service until the process is told to stop.
pub fn serve(args: ServeArgs) -> Result<Stopped, String> {
    let mode = if args.dev {
        Mode::Development
    } else {
        Mode::Production
    };
    process::keep_to_itself()?;
    let mut overrides = Overrides {
        file: args.config,
        listen: args.listen,
        data: args.data,
        public_url: args.public_url.map(|url| url.to_string()),
        master_key: None,
        local_origin: args.dev,
    };
    let config = Config::load(&overrides).map_err(|error| error.to_string())?;
    if args.dev && !config.listen.ip().is_loopback() {
        return Err(format!(
            "development mode takes changes without a token, so it listens on loopback only, and \
             {} is not; leave --dev out, or listen on 127.0.0.1",
            config.listen
        ));
    }
    // The port first: whoever starts a second server should hear of that, and not of a lock; and
    // where any free port will do, the origin may follow the one that was given.
    let listener = listen(config.listen, "--listen")?;
    let operations = config.operations.listen;
    let operations = operations.map(|at| listen(at, "operations.listen"));
    let operations = operations.transpose()?;
    overrides.listen = listener.local_addr().ok();
    let config = Config::load(&overrides).map_err(|error| error.to_string())?;
    logging::start(config.log.format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime cannot start: {error}"))?;
    let service = runtime.block_on(start(&config, mode, (listener, operations)))?;
    greet(&config, mode, service.running.address, args.json);
    Ok(service.run(runtime, config.drain()))
}

/// Says that it is up, and where.
fn greet(config: &Config, mode: Mode, address: SocketAddr, json: bool) {
    let url = &config.public_url;
    match mode {
        _ if json => println!(
            "{}",
            json!({ "serves": url, "listens": address.to_string() })
        ),
        Mode::Development => println!("{}", demo::what_to_try(config)),
        Mode::Production => println!("Goodstanding serves {url} on {address}"),
    }
}

fn listen(address: SocketAddr, chosen_by: &str) -> Result<std::net::TcpListener, String> {
    let listener = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| {
        format!(
            "{address} cannot be listened on: {error}; stop what listens there, or choose another \
             address with {chosen_by}"
        )
    })
}

/// A registry that is served.
struct Service {
    signals: Signals,
    running: Running,
    operations: Option<Operations>,
    housekeeping: Housekeeping,
    publisher: Publisher,
    sending: Option<Sending>,
    backups: Option<Arc<crate::backup::Backups>>,
}

async fn start(
    config: &Config,
    mode: Mode,
    (listener, operations): (std::net::TcpListener, Option<std::net::TcpListener>),
) -> Result<Service, String> {
    let signals = Signals::listen()?;
    let tls = config.tls().map_err(|error| error.to_string())?;
    let listener = TcpListener::from_std(listener).map_err(|error| error.to_string())?;
    let opening = config.clone();
    let registry = tokio::task::spawn_blocking(move || open(&opening, mode))
        .await
        .map_err(|error| error.to_string())??;
    let delay = Duration::from_millis(config.lists.publish_delay_ms);
    let publisher = Publisher::start(registry.clone(), delay)
        .map_err(|error| format!("the publisher cannot start: {error}"))?;

    let mut edge = edge(config, mode, registry)?;
    edge.tls = tls;
    edge.limits.connections = handles::connections(edge.limits.connections);
    let edge = Arc::new(edge);
    let sending = send_traces(config, &edge)?;
    let running = http::serve(edge.clone(), listener).map_err(|error| error.to_string())?;
    info!(listen = %running.address, public_url = config.public_url, "serving");
    let operations = operations.map(|listener| operate(&edge, listener));
    let operations = operations.transpose()?;
    Ok(Service {
        signals,
        running,
        operations,
        housekeeping: housekeeping::start(&edge),
        publisher,
        sending,
        backups: edge.backups.clone(),
    })
}

/// Has told of requests, commits and signatures, where that is configured.
fn send_traces(config: &Config, edge: &Edge) -> Result<Option<Sending>, String> {
    let sending = traces::start(&config.operations, edge.measured.exports.clone())?;
    if let Some(sending) = &sending {
        edge.measured.traced.by(sending.traces());
        let publishing = edge.registry.measured_publishing();
        publishing.traced.by(sending.traces());
        if let Some(writes) = edge.registry.measured_writes() {
            writes.traced.by(sending.traces());
        }
    }
    Ok(sending)
}

/// Serves metrics and health.
fn operate(edge: &Arc<Edge>, listener: std::net::TcpListener) -> Result<Operations, String> {
    let listener = TcpListener::from_std(listener).map_err(|error| error.to_string())?;
    let operations = http::operate(edge.clone(), listener).map_err(|error| error.to_string())?;
    info!(listen = %operations.address, "serving metrics and health");
    Ok(operations)
}

impl Service {
    /// Runs until the process is told to stop, and stops within this time: requests under way are
    /// answered, what waits is published, and the engine closes, in this order. Every change that
    /// was acknowledged is on the disk before, so that it does not matter how far that gets.
    fn run(self, runtime: Runtime, drain: Duration) -> Stopped {
        runtime.block_on(self.signals.told_to_stop());
        info!("stopping");
        let until = Instant::now() + drain;
        drop(self.housekeeping);
        if let Some(backups) = &self.backups {
            backups.end();
        }
        // What is left of it is for publishing.
        let drained = runtime.block_on(self.running.stop(drain.mul_f64(0.9)));
        let unpublished = self.publisher.stop(until);
        match unpublished {
            0 => info!("the publisher has published what waited"),
            count => warn!(count, "lists are left to be published at the next start"),
        }
        if let Some(backups) = &self.backups {
            backups.wait(until);
        }
        drop(self.operations);
        if let Some(sending) = &self.sending {
            sending.stop(until);
        }
        // The last to hold the registry closes the engine; work that was cut off is not waited for.
        runtime.shutdown_timeout(until.saturating_duration_since(Instant::now()));
        match (drained, unpublished) {
            (Drained::Answered, 0) => Stopped::InOrder,
            (Drained::Answered, lists) => Stopped::CutOff {
                connections: 0,
                lists,
            },
            (Drained::CutOff(connections), lists) => Stopped::CutOff { connections, lists },
        }
    }
}

/// Opens the registry, publishes what a crash left behind, and in development mode sees to it
/// that there is something to try.
fn open(config: &Config, mode: Mode) -> Result<Arc<Registry>, String> {
    // One that is made beside a store would not be that store's.
    if mode == Mode::Development && !holds_store(config) {
        master_key::make_if_missing(config)?;
    }
    let configured = config.settings();
    let opening = match mode {
        Mode::Development => Settings {
            history: HistoryAccess::Public,
            ..configured
        },
        Mode::Production => configured,
    };
    let registry = Arc::new(open_to_serve(config, opening)?);
    if !registry.takes_changes() {
        // What is told of it is the watch's affair, and so is what follows when they are taken again.
        return Ok(registry);
    }
    if let Err(problem) = registry.sign_again() {
        warn!(
            error = problem.kind(),
            "endorsements signed by a revoked key could not all be signed again"
        );
    }
    let behind = registry.catch_up().map_err(|error| error.to_string())?;
    if behind > 0 {
        warn!(
            count = behind,
            "lists were behind their changes and are published now"
        );
    }
    if mode == Mode::Development {
        demo::furnish(&registry, &config.data)?;
    }
    Ok(registry)
}

/// The settings of whoever works on a data folder without a server: nobody would publish later.
fn publishing_first(config: &Config) -> Settings {
    Settings {
        publish_before_acknowledging: true,
        ..config.settings()
    }
}

fn open_registry(config: &Config, settings: Settings, next: Next) -> Result<Registry, String> {
    let master_keys = master_key::Place::new(config, next);
    // Before the store: whoever has no key leaves no store behind.
    master_keys.look()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let engine = open_engine(config, clock.clone())?;
    let entropy = Arc::new(SystemEntropy);
    let registry = Registry::open(engine, clock, entropy, master_keys, settings);
    registry.map_err(|error| error.to_string())
}

/// As [`open_registry`]; where there is a store, and no master key for it, that is read.
fn open_to_serve(config: &Config, settings: Settings) -> Result<Registry, String> {
    let master_keys = master_key::Place::new(config, Next::Provided);
    match master_keys.look() {
        Err(lacking) if !holds_store(config) => return Err(lacking),
        _ => {}
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let engine = open_engine(config, clock.clone())?;
    let entropy = Arc::new(SystemEntropy);
    let registry = Registry::open_to_serve(engine, clock, entropy, master_keys, settings);
    registry.map_err(|error| error.to_string())
}

fn edge(config: &Config, mode: Mode, registry: Arc<Registry>) -> Result<Edge, String> {
    let policy = config.fetch_policy().map_err(|error| error.to_string())?;
    let localhost = policy.did_localhost();
    let names = Arc::new(SystemNames::default());
    let elsewhere = Elsewhere::new(policy, names, Arc::new(SystemClock))
        .map_err(|error| format!("fetch.extra_roots: {error}"))?;
    let backups = backups::in_background(config, &registry)?;
    Ok(Edge {
        registry,
        outside: Arc::new(elsewhere),
        providers: config.providers().map_err(|error| error.to_string())?,
        localhost,
        mode,
        status_by_credential_is_public: config.access.status_by_credential == Audience::Public,
        cache: config.cache_policy(),
        limits: config.limits(),
        tls: None,
        service: config.service.clone(),
        backups,
        uploads: Uploads::default(),
        measured: Arc::default(),
    })
}

/// Prepares a data folder: the master key, an empty store, and the operator's first token.
pub fn init(args: InitArgs) -> Result<InitDone, String> {
    process::keep_to_itself()?;
    let public_url = args.public_url.map(|url| url.to_string());
    let config = Config::load(&Overrides {
        data: Some(args.data.clone()),
        public_url,
        master_key: args.master_key,
        ..Overrides::default()
    })
    .map_err(|error| error.to_string())?;
    holds_none(&config)?;
    let failed =
        |error: std::io::Error| format!("{} cannot be prepared: {error}", args.data.display());
    durably::make_folder(&config.data).map_err(failed)?;
    master_key::make_if_missing(&config)?;
    let settings = config.data.join(FILE_IN_DATA);
    match settings.exists() {
        false => durably::write(&settings, &settings_file(&config)).map_err(failed)?,
        true => remembers(&config)?,
    }
    let registry = open_registry(&config, publishing_first(&config), Next::Provided)?;
    let operator = Change::by(Actor::operator());
    let made = registry
        .make_token(
            &operator,
            &TokenFor::OPERATOR,
            Ttl::from_seconds(90 * 24 * 3600),
        )
        .map_err(|error| error.to_string())?;
    Ok(InitDone {
        master_key_path: config.master_key_file(),
        data: args.data,
        token: made.token.to_string(),
        expires: made.expires,
    })
}

/// What whoever runs it wrote into the folder before stays, and has to say what a server needs to know.
fn remembers(config: &Config) -> Result<(), String> {
    let alone = Config::load(&Overrides {
        data: Some(config.data.clone()),
        ..Overrides::default()
    });
    let alone = alone.map_err(|error| error.to_string())?;
    if alone.public_url != config.public_url {
        return Err(format!(
            "{} is there already, and does not say public_url = {:?}: write it there",
            config.data.join(FILE_IN_DATA).display(),
            config.public_url
        ));
    }
    Ok(())
}

/// What has to be remembered of how a folder was prepared.
fn settings_file(config: &Config) -> String {
    let mut lines = vec![
        "# Written by `goodstanding init`; config/default.toml explains every key.".to_owned(),
        format!("public_url = {:?}", config.public_url),
    ];
    if !config.master_key.file.as_os_str().is_empty() {
        let file = std::path::absolute(&config.master_key.file)
            .unwrap_or_else(|_| config.master_key.file.clone());
        lines.push(format!(
            "\n[master_key]\nfile = {:?}",
            file.display().to_string()
        ));
    }
    // Not the URL itself, which has a password in it.
    if config.store.engine == EngineChoice::Postgres {
        lines.push("\n[store]\nengine = \"postgres\"".to_owned());
        let url = &config.store.postgres.url_file;
        if !url.as_os_str().is_empty() {
            let url = std::path::absolute(url).unwrap_or_else(|_| url.clone());
            lines.push(format!(
                "\n[store.postgres]\nurl_file = {:?}",
                url.display().to_string()
            ));
        }
    }
    lines.join("\n") + "\n"
}

/// Without RocksDB no store outlives its process.
#[cfg(not(feature = "rocksdb"))]
pub fn examine(
    _: crate::cli::DoctorArgs,
    _: &mut dyn FnMut(u64, Option<u64>, &str),
) -> Result<Vec<crate::cli::Finding>, String> {
    Err("this program was built without RocksDB, and leaves nothing to examine".into())
}

/// Without RocksDB there is nothing to move a store from or to.
#[cfg(not(feature = "rocksdb"))]
pub fn move_store(
    _: &crate::cli::MigrateArgs,
    _: &mut dyn FnMut(u64, Option<u64>, &str),
) -> Result<serde_json::Value, String> {
    Err("this program was built without RocksDB, and has no store to move".into())
}

/// A way into a data folder without a server, as its operator.
pub fn open_local(data: &Path) -> Result<Box<dyn Transport>, String> {
    process::keep_to_itself()?;
    let overrides = Overrides {
        data: Some(data.to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(&overrides).map_err(|error| error.to_string())?;
    if lacks_store(&config) {
        let data = data.display();
        return Err(format!(
            "{data} holds no registry; `goodstanding init --data {data}` makes one"
        ));
    }
    let registry = Arc::new(open_registry(
        &config,
        publishing_first(&config),
        Next::Made,
    )?);
    registry.catch_up().map_err(|error| error.to_string())?;
    let edge = edge(&config, Mode::Production, registry)?;
    Ok(Box::new(local::Local::new(edge)))
}
