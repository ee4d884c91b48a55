//! The registry that is measured: a folder that `init` made, the program over it, and what is set
//! up in it over HTTP.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, Client};
use crate::process::{Process, free_address};
use crate::tools::Tools;

/// The origin in every id.
pub(crate) const ORIGIN: &str = "https://registry.example";
/// The issuer that is there.
pub(crate) const ISSUER: &str = "issuer";
/// The accreditor that endorsed it.
pub(crate) const ACCREDITOR: &str = "accreditor";

/// Nothing is rationed, since one client here stands for many. Who is to be held is told in a row.
const SETTINGS: &str = "
[rates]
client = 0
tenant = 0
[quotas]
profiles = 0
lists = 0
lists_per_day = 0
entries_per_day = 0
credentials_per_day = 0
endorsements_per_day = 0
requests_per_day = 0
achievements = 0
client_lists_per_day = 0
client_entries_per_day = 0
";

/// A data folder with its operator's token.
pub(crate) struct Folder {
    home: TempDir,
    pub(crate) token: String,
}

/// The program over a folder. Dropping it ends it.
pub(crate) struct Service {
    pub(crate) process: Process,
    token: String,
}

/// A list of the service.
#[derive(Debug, Clone)]
pub(crate) struct List {
    /// Its URL, which nothing answers but the path of it on the service.
    pub(crate) id: String,
    pub(crate) path: String,
}

impl Folder {
    /// A fresh one, with further `settings` at the end of its configuration.
    pub(crate) fn prepared(tools: &Tools, settings: &str) -> Self {
        let home = scratch();
        let mut command = tools.goodstanding();
        command.args(["init", "--json", "--public-url", ORIGIN, "--data"]);
        let output = command.arg(home.path().join("data")).output();
        let output = output.expect("the program was built with the bench");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("init says {}", String::from_utf8_lossy(&output.stderr));
        });
        let folder = Self {
            token: told["token"].as_str().expect("init prints it").to_owned(),
            home,
        };
        let file = folder.data().join("goodstanding.toml");
        let made = std::fs::read_to_string(&file).expect("init writes it");
        std::fs::write(&file, format!("{made}{SETTINGS}{settings}")).expect("it is ours");
        folder
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Serves it.
    pub(crate) fn serve(&self, tools: &Tools) -> Service {
        Service::over(tools, &self.data(), &self.token)
    }
}

impl Service {
    /// The program over a data folder, up and ready.
    pub(crate) fn over(tools: &Tools, data: &Path, token: &str) -> Self {
        let address = free_address();
        let mut command = tools.goodstanding();
        command.args(["serve", "--listen", &address.to_string(), "--data"]);
        command.arg(data);
        Self {
            process: Process::start(&mut command, address, "Goodstanding serves "),
            token: token.to_owned(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// A client without a token.
    pub(crate) fn anybody(&self) -> Client {
        Client::new(self.address())
    }

    /// The operator.
    pub(crate) fn operator(&self) -> Client {
        self.anybody().authorised(&self.token)
    }

    /// The operator's header for `wrk`.
    pub(crate) fn authorisation(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Registers the issuer and the accreditor.
    pub(crate) fn settle(&self) -> &Self {
        let mut operator = self.operator();
        for (slug, role) in [(ISSUER, "issuer"), (ACCREDITOR, "accreditor")] {
            let body = json!({ "slug": slug, "name": slug, "roles": [role] });
            operator.json("/profiles", &body, 201);
        }
        self
    }

    /// Opens a list for revocations.
    pub(crate) fn list(&self, length: u64) -> List {
        let body = json!({ "issuer": ISSUER, "statusPurpose": "revocation", "length": length });
        List::of(&self.operator().json("/status-lists", &body, 201))
    }

    /// Gives entries out, and returns their indexes.
    pub(crate) fn entries(&self, list: &List, count: usize) -> Vec<u64> {
        let path = format!("{}/entries", list.path);
        let mut given = Vec::with_capacity(count);
        while given.len() < count {
            let body = json!({ "count": (count - given.len()).min(100_000) });
            let answer = self.operator().json(&path, &body, 200);
            let entries = answer["entries"].as_array().expect("entries");
            given.extend(entries.iter().map(index_of));
        }
        given
    }

    /// Revokes entries in one request.
    pub(crate) fn revoke(&self, list: &List, indexes: &[u64]) {
        let updates: Vec<Value> = indexes.iter().map(|index| revocation(*index)).collect();
        let path = format!("{}/updates", list.path);
        let answer = self
            .operator()
            .json(&path, &json!({ "updates": updates }), 200);
        assert_eq!(answer["applied"], indexes.len(), "{answer}");
    }

    /// Waits until the signed list shows so many entries as revoked, and returns its bits.
    pub(crate) fn published(&self, list: &List, revoked: usize) -> Vec<u8> {
        let until = Instant::now() + Duration::from_secs(120);
        let mut client = self.anybody();
        loop {
            let answer = client.get(&list.path, &[]).expect("it answers").expect(200);
            let bits = bits(&answer);
            let shown = ones(&bits);
            if shown == revoked {
                return bits;
            }
            assert!(shown < revoked, "{shown} are shown, {revoked} were revoked");
            assert!(
                Instant::now() < until,
                "only {shown} of {revoked} are shown"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Holds the signed list to showing exactly these as revoked.
    pub(crate) fn shows(&self, list: &List, revoked: &[u64]) {
        let bits = self.published(list, revoked.len());
        for index in revoked {
            assert!(is_set(&bits, *index), "{index} is not shown as revoked");
        }
    }
}

impl List {
    /// The one that an answer names.
    pub(crate) fn of(made: &Value) -> Self {
        let id = made["id"].as_str().expect("an id").to_owned();
        let path = id
            .strip_prefix(ORIGIN)
            .expect("it is hosted here")
            .to_owned();
        Self { id, path }
    }
}

/// An empty folder below cargo's target folder, which stands on a disk; a temporary folder may not.
pub(crate) fn scratch() -> TempDir {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(parent).expect("the target folder can be written");
    let folder = tempfile::Builder::new().prefix("load-").tempdir_in(parent);
    folder.expect("the target folder can be written")
}

/// The change that revokes an entry.
pub(crate) fn revocation(index: u64) -> Value {
    json!({ "index": index, "status": 1 })
}

/// The index of an entry that was given out.
pub(crate) fn index_of(entry: &Value) -> u64 {
    let text = entry["statusListIndex"].as_str().expect("an index");
    text.parse().expect("a number")
}

/// The bits of a signed list, read by base64 and gzip alone.
pub(crate) fn bits(answer: &Answer) -> Vec<u8> {
    let document: Value = serde_json::from_slice(&answer.body).expect("a credential");
    let text = document["credentialSubject"]["encodedList"].as_str();
    let text = text.and_then(|text| text.strip_prefix('u'));
    let packed = URL_SAFE_NO_PAD.decode(text.expect("a list in base64url"));
    unpacked(&packed.expect("base64url"))
}

/// What gzip packed.
pub(crate) fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(packed);
    reader.read_to_end(&mut bytes).expect("gzip");
    bytes
}

/// How many entries are set.
pub(crate) fn ones(bits: &[u8]) -> usize {
    bits.iter().map(|byte| byte.count_ones() as usize).sum()
}

/// Whether an entry is set; the first one is the highest bit.
pub(crate) fn is_set(bits: &[u8], index: u64) -> bool {
    bits[index as usize / 8] & (0x80 >> (index % 8)) != 0
}
