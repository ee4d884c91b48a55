//! nginx over a file with the same bytes, as it is set up where it is to be fast: two workers (as many as
//! the service has here), sendfile, open files kept, no log, connections kept.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::client::{Answer, Client};
use crate::process::{Process, free_address};
use crate::service::scratch;
use crate::tools::Tools;

/// Headers that nginx writes by itself for a file.
const ITS_OWN: [&str; 8] = [
    "content-type",
    "content-length",
    "content-encoding",
    "date",
    "etag",
    "last-modified",
    "x-request-id",
    "server",
];

/// nginx over one file. Dropping it ends it.
pub(crate) struct Nginx {
    pub(crate) process: Process,
    // After the process, which reads there.
    _folder: TempDir,
}

/// The path of the file.
pub(crate) const PATH: &str = "/status-list";

impl Nginx {
    /// Over the body of this answer, with the same headers; beside it, where the service gives the same
    /// `packed`, those bytes for who takes gzip, else what gzip makes of it.
    pub(crate) fn over(tools: &Tools, answer: &Answer, packed: &[u8]) -> Self {
        let folder = scratch();
        let home = folder.path();
        let root = home.join("root");
        fs::create_dir_all(&root).expect("the folder can be written");
        let file = root.join(PATH.trim_start_matches('/'));
        fs::write(&file, &answer.body).expect("the folder can be written");
        fs::write(file.with_extension("gz"), packed).expect("the folder can be written");
        let nonce = format!("{}-{}", std::process::id(), home.display());
        let address = free_address();
        let settings = settings(home, &root, &address.to_string(), answer, &nonce);
        fs::write(home.join("nginx.conf"), settings).expect("the folder can be written");
        let mut command = tools.nginx();
        command
            .arg("-p")
            .arg(home)
            .arg("-c")
            .arg(home.join("nginx.conf"));
        command.arg("-e").arg(home.join("error.log"));
        let ours = || {
            let told = Client::new(address).get("/whose", &[]);
            told.is_ok_and(|told| told.body == nonce.as_bytes())
        };
        Self {
            process: Process::start_unheard(&mut command, address, ours),
            _folder: folder,
        }
    }
}

/// What gzip makes of bytes at its usual level.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a buffer grows");
    encoder.finish().expect("a buffer grows")
}

fn settings(home: &Path, root: &Path, address: &str, answer: &Answer, nonce: &str) -> String {
    let (home, root) = (home.display(), root.display());
    // Workers of root's would else be nobody, who may not read below a home folder.
    let user = match rustix::process::getuid().is_root() {
        true => "user root;",
        false => "",
    };
    let media = answer.header("content-type").unwrap_or("application/vc");
    let headers: String = answer
        .headers
        .iter()
        .filter(|(name, _)| !ITS_OWN.contains(&name.as_str()))
        .map(|(name, value)| format!("        add_header {name} \"{value}\";\n"))
        .collect();
    format!(
        "{user}
daemon off;
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    open_file_cache max=100 inactive=600s;
    open_file_cache_valid 600s;
    gzip_static on;
    etag on;
    default_type {media};
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen {address};
        root {root};
        location = /whose {{ return 200 \"{nonce}\"; }}
{headers}    }}
}}
"
    )
}
