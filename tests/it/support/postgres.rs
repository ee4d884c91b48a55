//! Debian's PostgreSQL, run for a test: single servers and clusters, on free loopback ports, in folders of their
//! own, and as somebody who is not root.
//!
//! A server ends with its value, and with the process of the tests however that ends: a guardian of its own
//! waits for that. Nothing else is ever ended.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that a loaded machine does in a moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user of every database, who may do everything.
pub(crate) const USER: &str = "goodstanding";

/// Somebody who owns nothing, for servers that refuse to run as root.
const NOBODY: u32 = 65_534;

/// The folder of PostgreSQL's programs. Where it is not installed, a line says that what needs it was left out; it
/// is a failure where `GOODSTANDING_REQUIRE_INTEROP=1` is set, as continuous integration does.
pub(crate) fn programs() -> Option<&'static Path> {
    static FOUND: LazyLock<Option<PathBuf>> = LazyLock::new(find);
    FOUND.as_deref()
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("GOODSTANDING_INTEROP_POSTGRES").filter(|value| !value.is_empty());
    let on_path = env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    installed.sort();
    let found = named
        .map(PathBuf::from)
        .into_iter()
        .chain(installed.into_iter().rev())
        .chain(env::split_paths(&on_path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    if found.is_none() {
        assert!(
            env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
            "PostgreSQL is required and not installed: apt-get install postgresql"
        );
        // Written past the capture of a test's output, which hides what a passing test says.
        let line = "skipped: what needs PostgreSQL, which is not installed (`make test`)\n";
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// What a server is to be.
#[derive(Clone, Default)]
pub(crate) struct Wanted {
    /// Lines of postgresql.conf.
    pub(crate) settings: Vec<String>,
    /// A certificate and its key (PEM), for connections over TLS.
    pub(crate) certificate: Option<(String, String)>,
}

/// A server that is up, or was. Dropping it ends it.
pub(crate) struct Server {
    home: Home,
    pub(crate) port: u16,
    /// What it is called by those that it follows.
    name: String,
    running: Option<Child>,
}

impl Server {
    /// A new one, that waits for no disk and for nobody else.
    pub(crate) fn start() -> Self {
        Self::start_as(&Wanted::default())
    }

    pub(crate) fn start_as(wanted: &Wanted) -> Self {
        let home = Home::new();
        let data = home.data();
        let made = home
            .run("initdb")
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={USER}"))
            .arg(&data)
            .output();
        succeeded("initdb", made);
        if let Some((certificate, key)) = &wanted.certificate {
            home.write("server.crt", certificate);
            home.write("server.key", key);
        }
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            "unix_socket_directories = ''".to_owned(),
            "shared_buffers = 32MB".to_owned(),
            "max_connections = 60".to_owned(),
            "fsync = off".to_owned(),
            "max_wal_size = 512MB".to_owned(),
            "autovacuum_naptime = 5s".to_owned(),
        ];
        if wanted.certificate.is_some() {
            lines.push("ssl = on".to_owned());
        }
        lines.extend_from_slice(&wanted.settings);
        let conf = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        home.write(
            "postgresql.conf",
            &format!("{conf}\n{}\n", lines.join("\n")),
        );
        let mut server = Self {
            home,
            port: free_port(),
            name: "node1".to_owned(),
            running: None,
        };
        server.run();
        server
    }

    /// A standby that follows this one, called `name`, with a slot of its own.
    pub(crate) fn standby(&self, name: &str) -> Self {
        let home = Home::new();
        let copied = home
            .run("pg_basebackup")
            .args(["--checkpoint=fast", "--no-sync", "--wal-method=stream"])
            .args(["--write-recovery-conf", "--create-slot", "--slot", name])
            .arg("--dbname")
            .arg(self.conninfo(name))
            .arg("--pgdata")
            .arg(home.data())
            .output();
        succeeded("pg_basebackup", copied);
        let mut standby = Self {
            home,
            port: free_port(),
            name: name.to_owned(),
            running: None,
        };
        standby.run();
        standby
    }

    fn conninfo(&self, name: &str) -> String {
        format!(
            "host=127.0.0.1 port={} user={USER} dbname=postgres application_name={name}",
            self.port
        )
    }

    /// From now on it follows `primary`, whatever it followed before.
    pub(crate) fn follow(&self, primary: &Self) {
        let follow = primary.conninfo(&self.name);
        self.sql("postgres", "ALTER SYSTEM SET primary_slot_name = ''");
        self.sql(
            "postgres",
            &format!("ALTER SYSTEM SET primary_conninfo = '{follow}'"),
        );
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Starts it, where it is down, on the port that it had.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.home.folder.join("log")).unwrap();
        let child = self
            .home
            .run("postgres")
            .arg("-D")
            .arg(self.home.data())
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("PostgreSQL is installed");
        self.home.guard(child.id());
        self.running = Some(child);
        self.until("it is up", || {
            let mut ready = self.home.run("pg_isready");
            let ready = ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            ready.status().is_ok_and(|status| status.success())
        });
    }

    /// Ends it as a power cut of its machine would, as far as others see.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().expect("the process can be killed");
            child.wait().expect("a killed process ends");
        }
        self.home.unguard();
    }

    /// Ends it at once, with all sessions cut off.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // A shell has `kill` built in; the system may not.
            let tell = ["-c", "kill -QUIT \"$0\"", &child.id().to_string()];
            let _ = Command::new("sh").args(tell).status();
            let _ = child.wait();
        }
        self.home.unguard();
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote(true, 60)");
    }

    /// How far a standby has what its primary wrote, so that they can be compared.
    pub(crate) fn received(&self) -> u64 {
        let far = "SELECT (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::bigint";
        self.sql("postgres", far).parse().unwrap()
    }

    /// Makes a database, which nobody else uses, and says what it is called.
    pub(crate) fn database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    pub(crate) fn url(&self, database: &str) -> String {
        url(&[self], database)
    }

    /// What a statement answers, as text; it has to succeed.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        match self.try_sql(database, statement) {
            Ok(answer) => answer,
            Err(error) => panic!("{statement}: {error}\n{}", self.log()),
        }
    }

    pub(crate) fn try_sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let ran = self
            .home
            .run("psql")
            .args(["-XAtq", "-h", "127.0.0.1", "-U", USER, "-d", database])
            .args(["-p", &self.port.to_string(), "-c", statement])
            .output()
            .map_err(|error| error.to_string())?;
        match ran.status.success() {
            true => Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
        }
    }

    /// What it said since it was started last.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.folder.join("log")).unwrap_or_default()
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(
                Instant::now() < deadline,
                "not in time: {what}\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The URL of a database on several servers.
pub(crate) fn url(servers: &[&Server], database: &str) -> String {
    let hosts = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}", server.port));
    let hosts: Vec<String> = hosts.collect();
    format!("postgres://{USER}@{}/{database}", hosts.join(","))
}

/// A primary and two standbys, of which one has to have what is committed.
pub(crate) struct Cluster {
    pub(crate) primary: Server,
    pub(crate) standbys: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let names = "synchronous_standby_names = 'ANY 1 (node1, node2, node3)'";
        let settings = settings.iter().copied().chain([names]);
        let wanted = Wanted {
            settings: settings.map(str::to_owned).collect(),
            certificate: None,
        };
        let primary = Server::start_as(&wanted);
        let standbys = ["node2", "node3"].map(|name| primary.standby(name)).into();
        let cluster = Self { primary, standbys };
        cluster.primary.until("both standbys follow", || {
            let follow = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
            cluster.primary.sql("postgres", follow) == "2"
        });
        cluster
    }

    /// All of them, the first primary first.
    pub(crate) fn url(&self, database: &str) -> String {
        let servers = [&self.primary].into_iter().chain(&self.standbys);
        url(&servers.collect::<Vec<_>>(), database)
    }

    /// Ends the primary without a warning, and makes the standby the next one that has the most. The other one
    /// follows it.
    pub(crate) fn fail_over(&mut self) {
        self.primary.kill();
        let far = self.standbys.iter().map(Server::received);
        let far: Vec<u64> = far.collect();
        let next = usize::from(far[1] > far[0]);
        let next = self.standbys.remove(next);
        next.promote();
        for other in &self.standbys {
            other.follow(&next);
        }
        self.primary = next;
    }
}

/// A folder of somebody who is not root, and who keeps it.
struct Home {
    folder: PathBuf,
    guardian: Option<(Child, ChildStdin)>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("postgres").tempdir();
        let folder = folder.unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let home = Self {
            folder,
            guardian: None,
        };
        fs::create_dir(home.data()).unwrap();
        fs::set_permissions(home.data(), fs::Permissions::from_mode(0o700)).unwrap();
        give_away(&home.data());
        home
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A file in the data folder, which its owner alone reads.
    fn write(&self, name: &str, text: &str) {
        let file = self.data().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        give_away(&file);
    }

    /// One of PostgreSQL's programs, untouched by settings for it in the environment.
    fn run(&self, program: &str) -> Command {
        let program = programs().expect("it is installed").join(program);
        let mut command = match is_root() {
            false => Command::new(program),
            true => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={NOBODY}"))
                    .arg(format!("--regid={NOBODY}"))
                    .arg("--clear-groups")
                    .arg(program);
                command
            }
        };
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }

    /// From now on that process is ended when this one ends, and the folder is removed.
    fn guard(&mut self, process: u32) {
        const GUARD: &str = "cat >/dev/null; kill -QUIT \"$1\" 2>/dev/null; \
             for _ in $(seq 100); do kill -0 \"$1\" 2>/dev/null || break; sleep 0.05; done; \
             rm -rf \"$2\"";
        let mut guardian = Command::new("sh")
            .args([OsStr::new("-c"), OsStr::new(GUARD), OsStr::new("guardian")])
            .arg(process.to_string())
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let pipe = guardian.stdin.take().expect("it is piped");
        self.guardian = Some((guardian, pipe));
    }

    /// Whoever is guarded has ended.
    fn unguard(&mut self) {
        if let Some((mut guardian, _)) = self.guardian.take() {
            let _ = guardian.kill();
            let _ = guardian.wait();
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.unguard();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[track_caller]
fn succeeded(program: &str, ran: io::Result<std::process::Output>) {
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program}: {said}");
}

/// A port that is free at present, below those that the system gives to outgoing connections. Processes begin at
/// places of their own, so that two of them seldom meet.
fn free_port() -> u16 {
    const PORTS: u16 = 1_500;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap();
    (0..PORTS)
        .map(|_| 30_500 + (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a port is free")
}
