//! A file of the data folder is damaged, one of each kind, and the whole program is started: it refuses
//! and names what is wrong, or it says that it is not ready, or every revocation is there.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::client::Client;
use super::folder::Folder;
use super::program::program;
use super::server::Server;
use super::standing::{ISSUER, entries, list, look_up, profile, revocation};
use crate::support::files::copy_all;

const ENTRIES: usize = 30;
const REVOKED: usize = 20;

/// A folder whose server was started twice and killed in the end.
struct Story {
    folder: Folder,
    list: String,
    indexes: Vec<u64>,
}

impl Story {
    fn tell() -> Self {
        let folder = Folder::prepared();
        let server = folder.serve(&[]);
        let registry = folder.operator(&server);
        profile(&registry, ISSUER, "issuer");
        let list = list(&registry, ISSUER);
        let indexes = entries(&registry, &list, ENTRIES);
        let story = Self {
            folder,
            list,
            indexes,
        };
        story.revoke(&registry, 0..REVOKED / 2);
        server.stop().in_order();
        let mut server = story.folder.serve(&[]);
        let registry = story.folder.operator(&server);
        story.revoke(&registry, REVOKED / 2..REVOKED);
        server.kill();
        story
    }

    fn revoke(&self, registry: &Client, which: std::ops::Range<usize>) {
        for index in &self.indexes[which] {
            let path = format!("{}/updates", self.list);
            registry.post(&path, &revocation(*index)).json(200);
        }
    }

    /// What the program says when this was done to a copy of the folder.
    fn after(&self, damage: impl FnOnce(&Path)) -> String {
        let home = TempDir::new().unwrap();
        let data = home.path().join("data");
        copy_all(&self.folder.data(), &data);
        damage(&data);
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        let server = match Server::try_start(command.arg(&data)) {
            Ok(server) => server,
            Err(ended) => {
                assert_eq!(ended.status.code(), Some(2), "{ended:?}");
                assert!(!ended.err.trim().is_empty(), "it says why");
                return format!("refused: {}", ended.err.trim());
            }
        };
        let registry = Client::new(server.url(), Some(&self.folder.token));
        let ready = registry.get("/health/ready");
        let said = String::from_utf8_lossy(&ready.body).into_owned();
        let more = revocation(self.indexes[REVOKED]);
        let change = registry.post(&format!("{}/updates", self.list), &more);
        if ready.status == 503 {
            assert!(change.status >= 500, "a change is taken: {said}");
            return format!("not ready: {said}");
        }
        assert_eq!(ready.status, 200, "{said}");
        change.json(200);
        let standing = look_up(&registry, &self.list, &self.indexes);
        let revoked = standing.iter().filter(|one| one.revoked).count();
        assert_eq!(revoked, REVOKED + 1, "lost in silence: {said}");
        "ready, with everything".to_owned()
    }
}

/// A folder, how the file's name begins and ends, and what is done to it.
type Kind = (&'static str, &'static str, &'static str, fn(&Path));

#[test]
fn each_kind_of_file() {
    let story = Story::tell();
    assert_eq!(story.after(|_| {}), "ready, with everything");
    let kinds: [Kind; 13] = [
        ("store", "", ".log", flip),
        ("store", "", ".log", remove),
        ("store", "", ".sst", flip),
        ("store", "MANIFEST-", "", cut),
        ("store", "CURRENT", "", remove),
        ("store", "OPTIONS-", "", flip),
        ("store", "IDENTITY", "", remove),
        ("store", "LOG", "", cut),
        ("store", "LOCK", "", remove),
        ("anchor", "anchor", "", cut),
        ("", "anchor", "", remove),
        ("", "master.key", "", flip),
        ("", "goodstanding.toml", "", cut),
    ];
    let said = kinds.map(|(folder, begin, end, damage)| {
        let said = story.after(|data| damage(&newest(&data.join(folder), begin, end)));
        println!("{begin}{end}: {said}");
        said == "ready, with everything"
    });
    let harmless = kinds.iter().zip(said).filter(|(_, ready)| *ready);
    let harmless: Vec<_> = harmless.map(|((_, begin, ..), _)| *begin).collect();
    assert_eq!(harmless, ["OPTIONS-", "IDENTITY", "LOG", "LOCK"]);
}

/// An older copy of the store beside the present anchor, and the other way round.
#[test]
fn an_older_store_is_read_and_not_written() {
    let story = Story::tell();
    let older = TempDir::new().unwrap();
    copy_all(&story.folder.data(), older.path());
    let mut server = story.folder.serve(&[]);
    let registry = story.folder.operator(&server);
    story.revoke(&registry, REVOKED..REVOKED + 1);
    server.kill();
    let said = story.after(|data| {
        fs::remove_dir_all(data.join("store")).unwrap();
        copy_all(&older.path().join("store"), &data.join("store"));
    });
    assert!(said.starts_with("not ready"), "{said}");
    assert!(said.contains("behind-anchor"), "{said}");
}

fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 4;
    }
    fs::write(file, bytes).unwrap();
}

fn remove(file: &Path) {
    match file.is_dir() {
        true => fs::remove_dir_all(file).unwrap(),
        false => fs::remove_file(file).unwrap(),
    }
}

fn cut(file: &Path) {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 3]).unwrap();
}

/// The newest of the files with such a name.
fn newest(folder: &Path, begin: &str, end: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let newest = files
        .filter(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            name.starts_with(begin) && name.ends_with(end)
        })
        .max();
    newest.unwrap_or_else(|| panic!("no {begin}{end} in {}", folder.display()))
}
