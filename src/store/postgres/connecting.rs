//! How the servers are reached: each host by itself, so that one that hangs does not keep from the next, with TLS
//! where that is asked for; and what every session is held to.

use std::future::{Future, pending, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime as Kind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::faults::{Fault, fault};
use super::{Settings, Tls, sql, trust};

/// The way to the servers.
#[derive(Clone)]
pub(super) struct Ways(Arc<Inner>);

struct Inner {
    /// One for each host.
    hosts: Vec<Config>,
    /// The one that was reached last, which is tried first.
    last: AtomicUsize,
    tls: MakeRustlsConnect,
    connect: Duration,
    session: [String; 3],
    /// How many sessions were begun for the pool.
    sessions: AtomicU64,
    /// Warnings that any server has sent.
    warnings: AtomicU64,
    /// Is told of what others say, by whom we are not.
    news: Notify,
    /// By what we are known to others.
    name: String,
}

impl Ways {
    /// # Errors
    /// The URL is not one, or the authorities cannot be read.
    pub(super) fn new(settings: &Settings, name: String) -> Result<Self, String> {
        let url: Config = settings
            .url
            .reveal()
            .parse()
            .map_err(|_| NOT_A_URL.to_owned())?;
        let hosts = hosts(&url, settings);
        if hosts.is_empty() {
            return Err(NOT_A_URL.to_owned());
        }
        let session = sql::session(
            settings.statement.as_millis(),
            settings.lock.as_millis(),
            settings.idle_in_transaction.as_millis(),
        );
        Ok(Self(Arc::new(Inner {
            hosts,
            last: AtomicUsize::new(0),
            tls: MakeRustlsConnect::new(trust::client(settings.tls, &settings.roots)?),
            connect: settings.connect,
            session,
            sessions: AtomicU64::new(0),
            warnings: AtomicU64::new(0),
            news: Notify::new(),
            name,
        })))
    }

    /// How long reaching one of the servers may take at most.
    pub(super) fn patience(&self) -> Duration {
        let hosts = u32::try_from(self.0.hosts.len()).unwrap_or(u32::MAX);
        self.0.connect.saturating_mul(hosts) + Duration::from_millis(200)
    }

    /// A pool of so many sessions, which are begun by `connect`.
    ///
    /// # Errors
    /// The settings are of no use.
    pub(super) fn pool(
        &self,
        settings: &Settings,
        connect: impl Connect + 'static,
        most: usize,
    ) -> Result<Pool, String> {
        let manager = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(Config::new(), connect, manager);
        Pool::builder(manager)
            .max_size(most)
            .runtime(Kind::Tokio1)
            .wait_timeout(Some(settings.statement))
            .create_timeout(Some(self.patience()))
            .recycle_timeout(Some(settings.connect))
            .build()
            .map_err(|error| format!("PostgreSQL: {error}"))
    }

    /// How many sessions the pool has begun so far.
    pub(super) fn sessions(&self) -> u64 {
        self.0.sessions.load(Ordering::Acquire)
    }

    /// How many warnings were heard so far, from whichever server.
    pub(super) fn warnings(&self) -> u64 {
        self.0.warnings.load(Ordering::Acquire)
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// Wakes whoever waits for news.
    pub(super) fn tell_news(&self) {
        self.0.news.notify_one();
    }

    /// A session on the first host that lets write. Where each of them hangs it does not return: whoever calls
    /// gives it so much time as [`patience`](Self::patience) says.
    pub(super) async fn open(self) -> Result<(Client, JoinHandle<()>), Error> {
        let hosts = self.0.hosts.len();
        let first = self.0.last.load(Ordering::Relaxed);
        let mut failed = None;
        for place in (0..hosts).map(|step| (first + step) % hosts) {
            match timeout(self.0.connect, self.clone().open_on(place)).await {
                Ok(Ok(session)) => {
                    self.0.last.store(place, Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(error)) => failed = Some(error),
                Err(_) => {}
            }
        }
        match failed {
            Some(error) => Err(error),
            None => pending().await,
        }
    }

    async fn open_on(self, place: usize) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, connection) = self.0.hosts[place].connect(self.0.tls.clone()).await?;
        let driven = AbortedUnlessKept(Some(tokio::spawn(drive(connection, self.clone()))));
        let [statement, lock, idle] = &self.0.session;
        let (statement, lock, idle, durable) = tokio::join!(
            biased;
            client.batch_execute(statement),
            client.batch_execute(lock),
            client.batch_execute(idle),
            client.simple_query("SHOW synchronous_commit"),
        );
        for answer in [statement, lock, idle] {
            where_known(answer)?;
        }
        // What is acknowledged has to survive the server's machine, whatever is usual in this database.
        if durable.is_ok_and(|rows| rows.iter().any(is_off)) {
            where_known(client.batch_execute("SET synchronous_commit = on").await)?;
        }
        Ok((client, driven.kept()))
    }
}

const NOT_A_URL: &str = "store.postgres.url is not a URL of PostgreSQL, such as \
     postgres://user:password@host1,host2/database";

/// A task that ends with whoever tries a connection, unless it came to one.
struct AbortedUnlessKept(Option<JoinHandle<()>>);

impl AbortedUnlessKept {
    fn kept(mut self) -> JoinHandle<()> {
        self.0.take().expect("it is taken here only")
    }
}

impl Drop for AbortedUnlessKept {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

fn is_off(message: &SimpleQueryMessage) -> bool {
    matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("off"))
}

/// What a server does not know it need not do.
fn where_known(answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(error) if fault(&error) == Fault::NotKnown => Ok(()),
        other => other,
    }
}

/// The same way, for what reads and writes on one session alone: nobody has to wait for what it finds.
pub(super) struct Aside(pub(super) Ways);

impl Connect for Aside {
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(self.0.clone().open())
    }
}

impl Connect for Ways {
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(async {
            let session = self.clone().open().await?;
            self.0.sessions.fetch_add(1, Ordering::AcqRel);
            Ok(session)
        })
    }
}

/// Carries what is said over a connection, until it ends. Requests on it hear of an error themselves.
async fn drive<S, T>(mut connection: Connection<S, T>, ways: Ways)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            AsyncMessage::Notice(notice) if notice.parsed_severity() == Some(Severity::Warning) => {
                ways.0.warnings.fetch_add(1, Ordering::AcqRel);
            }
            AsyncMessage::Notification(said) if said.payload() != ways.name() => ways.tell_news(),
            _ => {}
        }
    }
}

/// The configurations of single hosts.
fn hosts(url: &Config, settings: &Settings) -> Vec<Config> {
    let names = url.get_hosts();
    let addresses = url.get_hostaddrs();
    let ports = url.get_ports();
    (0..names.len().max(addresses.len()))
        .map(|place| {
            let mut config = base(url, settings);
            let (name, address) = (names.get(place), addresses.get(place));
            match name {
                Some(Host::Tcp(name)) => drop(config.host(name)),
                Some(Host::Unix(folder)) => drop(config.host_path(folder)),
                None => {}
            }
            if let Some(address) = address {
                config.hostaddr(*address);
            }
            if let Some(port) = ports.get(place).or(ports.first()) {
                config.port(*port);
            }
            config.ssl_mode(match settings.tls {
                Tls::Off => SslMode::Disable,
                Tls::Elsewhere if is_here(name, address) => SslMode::Disable,
                Tls::Elsewhere | Tls::Verify | Tls::Require => SslMode::Require,
            });
            config
        })
        .collect()
}

fn base(url: &Config, settings: &Settings) -> Config {
    let mut config = Config::new();
    if let Some(user) = url.get_user() {
        config.user(user);
    }
    if let Some(password) = url.get_password() {
        config.password(password);
    }
    if let Some(database) = url.get_dbname() {
        config.dbname(database);
    }
    if let Some(options) = url.get_options() {
        config.options(options);
    }
    config.application_name(url.get_application_name().unwrap_or("goodstanding"));
    config.channel_binding(url.get_channel_binding());
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.connect_timeout(settings.connect);
    config.keepalives_idle(Duration::from_secs(10));
    config.keepalives_interval(Duration::from_secs(5));
    config.keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(20));
    config
}

/// Whether nobody but this machine carries what is said.
fn is_here(name: Option<&Host>, address: Option<&IpAddr>) -> bool {
    match (address, name) {
        (Some(address), _) => address.is_loopback(),
        (None, Some(Host::Unix(_))) => true,
        (None, Some(Host::Tcp(name))) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;

    fn modes(url: &str, tls: Tls) -> Vec<SslMode> {
        let settings = Settings {
            tls,
            ..Settings::usual(Secret::new(url.into()))
        };
        let ways = Ways::new(&settings, String::new()).unwrap();
        ways.0.hosts.iter().map(Config::get_ssl_mode).collect()
    }

    #[test]
    fn what_leaves_this_machine_is_secured() {
        let url = "postgres://u:p@localhost,127.0.0.1,[::1],db.example,10.0.0.1/d?sslmode=disable";
        let (plain, secure) = (SslMode::Disable, SslMode::Require);
        assert_eq!(
            modes(url, Tls::Elsewhere),
            [plain, plain, plain, secure, secure]
        );
        assert_eq!(modes(url, Tls::Verify), [secure; 5]);
        assert_eq!(modes(url, Tls::Require), [secure; 5]);
        assert_eq!(modes(url, Tls::Off), [plain; 5]);
        // A name that stands for an address elsewhere.
        let named = "host=localhost hostaddr=10.0.0.1 user=u";
        assert_eq!(modes(named, Tls::Elsewhere), [secure]);
    }

    #[test]
    fn each_host_has_its_port_and_only_those_that_let_write_are_taken() {
        let url = "postgres://u:p@a:1,b:2,c:3/d";
        let settings = Settings::usual(Secret::new(url.into()));
        let ways = Ways::new(&settings, String::new()).unwrap();
        for (place, host) in ways.0.hosts.iter().enumerate() {
            assert_eq!(host.get_ports(), [u16::try_from(place).unwrap() + 1]);
            assert_eq!(
                host.get_target_session_attrs(),
                TargetSessionAttrs::ReadWrite
            );
            assert_eq!(host.get_hosts().len(), 1);
        }
    }

    #[test]
    fn a_url_that_is_none_is_refused_and_not_repeated() {
        for bad in [
            "",
            "http://secret",
            "postgres://user:secret@host:port",
            "secret",
        ] {
            let settings = Settings::usual(Secret::new(bad.into()));
            let refused = Ways::new(&settings, String::new()).err().unwrap();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
