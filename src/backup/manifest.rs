//! What is in a backup: one file of JSON for each, written last, so that a backup is there when its
//! manifest is.
//!
//! Its member `check` is over all others in canonical JSON (RFC 8785): a SHA-256, by which damage is
//! noticed, or in a folder with a key an HMAC-SHA-256, so that nobody without the key can write a
//! manifest.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::sealing::{BackupKey, BackupKeyId, PieceName, hex};
use crate::ids::Seq;
use crate::json;
use crate::store::contents::Contents;
use crate::time::Timestamp;

/// The version of manifests that this program writes, and the only one that it reads.
pub(super) const VERSION: u32 = 1;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    /// The version of manifests.
    pub goodstanding_backup: u32,
    /// Its number in the folder, from 1; never used again.
    pub number: u64,
    /// When it was begun.
    #[serde(with = "moment")]
    pub made_at: Timestamp,
    /// When all of it had been read back.
    #[serde(with = "moment")]
    pub verified_at: Timestamp,
    /// The version of the program that made it.
    pub program: String,
    /// The store's id, in hexadecimal.
    pub store: String,
    /// Its epoch.
    pub epoch: u32,
    /// The version of its format.
    pub format: u32,
    /// The newest event.
    pub seq: Seq,
    /// When that was committed.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The digest chain up to and including it, in hexadecimal.
    pub digest: String,
    /// How many batches were committed.
    pub commits: u64,
    /// Origin of every id in it.
    pub public_url: String,
    /// The ids of the master keys that open its secrets, which are in no backup.
    pub master_keys: Vec<String>,
    /// Under which key its pieces are sealed, where they are.
    pub sealed_under: Option<BackupKeyId>,
    /// Its files.
    pub files: Vec<StoredFile>,
}

/// A file of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    /// What it is called there.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// The piece that holds them.
    pub piece: PieceName,
}

/// Why a manifest is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// Not one that this program writes.
    #[error("it cannot be read: {0}")]
    Form(String),
    /// Of another version.
    #[error(
        "it has version {0}, and this program reads version {VERSION}; use the one that made it"
    )]
    Version(u64),
    /// Its check does not fit.
    #[error("it was changed since it was written: its check does not fit")]
    Changed,
    /// It is sealed, and there is no key.
    #[error("it is sealed under the backup key {0}: name its file with --key")]
    KeyNeeded(BackupKeyId),
    /// It is sealed under another key.
    #[error("it is sealed under the backup key {needed}, and the one given is {given}")]
    OtherKey {
        /// The one that opens it.
        needed: BackupKeyId,
        /// The one at hand.
        given: BackupKeyId,
    },
    /// It is not sealed, where what is sealed is asked for.
    #[error(
        "it is not sealed, and a key was given: anybody could have written it. To read it all the same, \
         leave out the key"
    )]
    NotSealed,
    /// It names a file that no store has.
    #[error("it names the file {0:?}, which no store has")]
    Name(String),
}

impl Manifest {
    /// How many bytes the store had.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The bytes of its file. `key` is the one that it is sealed under.
    pub fn encode(&self, key: Option<&BackupKey>) -> Vec<u8> {
        let mut value = serde_json::to_value(self).expect("its members have string keys");
        let check = check_of(&value, key);
        value["check"] = check.into();
        let mut bytes = serde_json::to_vec_pretty(&value).expect("it is JSON already");
        bytes.push(b'\n');
        bytes
    }

    /// Reads its file. Where `key` is given, one that is sealed under it is wanted.
    ///
    /// # Errors
    /// What is not as it was written, what another key vouches for, and with a key what none does.
    pub fn decode(bytes: &[u8], key: Option<&BackupKey>) -> Result<Self, ManifestError> {
        let form = |reason: String| ManifestError::Form(reason);
        let mut value = json::parse(bytes).map_err(|error| form(error.to_string()))?;
        match value["goodstandingBackup"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => return Err(ManifestError::Version(version)),
            None => return Err(form("it is no manifest of a backup".to_owned())),
        }
        let members = value.as_object_mut();
        let check = members.and_then(|members| members.shift_remove("check"));
        let check = check.as_ref().and_then(Value::as_str).unwrap_or_default();
        let named: Option<BackupKeyId> = serde_json::from_value(value["sealedUnder"].clone())
            .map_err(|error| form(error.to_string()))?;
        let fits = match (named, key) {
            (None, None) => check == check_of(&value, None),
            (None, Some(_)) => return Err(ManifestError::NotSealed),
            (Some(needed), None) => return Err(ManifestError::KeyNeeded(needed)),
            (Some(needed), Some(key)) if needed != *key.id() => {
                let given = key.id().clone();
                return Err(ManifestError::OtherKey { needed, given });
            }
            (Some(_), Some(key)) => {
                let tag = check.strip_prefix(VOUCHED).unwrap_or_default();
                key.vouches(&canonical(&value), tag)
            }
        };
        if !fits {
            return Err(ManifestError::Changed);
        }
        let read: Self = serde_json::from_value(value).map_err(|error| form(error.to_string()))?;
        match read.files.iter().find(|file| !is_name(&file.name)) {
            Some(file) => Err(ManifestError::Name(file.name.clone())),
            None => Ok(read),
        }
    }

    /// What of a store is not as the manifest says; `None` where all is.
    pub fn differs_from(&self, held: &Contents) -> Option<String> {
        let pairs = [
            ("the store's id", self.store.clone(), hex(&held.store)),
            ("the epoch", self.epoch.to_string(), held.epoch.to_string()),
            (
                "the format",
                self.format.to_string(),
                held.format.to_string(),
            ),
            (
                "the newest event",
                self.seq.to_string(),
                held.head.seq.to_string(),
            ),
            ("its digest", self.digest.clone(), hex(&held.head.digest)),
            ("its time", self.at.to_string(), held.head.at.to_string()),
            (
                "the number of commits",
                self.commits.to_string(),
                held.commits.to_string(),
            ),
        ];
        let mut other = pairs.iter().filter(|(_, said, found)| said != found);
        let (what, said, found) = other.next()?;
        Some(format!("{what} is {found}, and the manifest says {said}"))
    }

    /// The name of its file, in the order of numbers.
    pub fn file_name(&self) -> String {
        let made = self.made_at.to_string();
        let made: String = made
            .chars()
            .take_while(|c| *c != '.')
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{:08}-{}Z.json", self.number, made.trim_end_matches('Z'))
    }
}

/// The pieces that a manifest names, whoever wrote it: none that any of them names is removed. `None`
/// where that cannot be told.
pub(super) fn pieces_named(bytes: &[u8]) -> Option<Vec<PieceName>> {
    let value = json::parse(bytes).ok()?;
    let files = value["files"].as_array()?;
    let pieces = files
        .iter()
        .map(|file| serde_json::from_value(file["piece"].clone()).ok());
    pieces.collect()
}

/// Moments as RFC 3339 writes them.
mod moment {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(moment)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

const DIGEST: &str = "sha-256:";
const VOUCHED: &str = "hmac-sha-256:";

fn check_of(value: &Value, key: Option<&BackupKey>) -> String {
    let bytes = canonical(value);
    match key {
        None => format!("{DIGEST}{}", hex(&Sha256::digest(&bytes))),
        Some(key) => format!("{VOUCHED}{}", key.vouch(&bytes)),
    }
}

fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value)
        .expect("a manifest has no number that JSON cannot write")
}

/// The number of a manifest whose file has this name.
pub(super) fn number_of(file_name: &str) -> Option<u64> {
    let (number, _) = file_name.strip_suffix(".json")?.split_once('-')?;
    number.parse().ok()
}

/// Whether a store's own file can be called that: it is written into a folder under that name.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    fn key(seed: u64) -> BackupKey {
        BackupKey::from_text(&BackupKey::generate(&SeededEntropy::new(seed))).unwrap()
    }

    fn manifest(key: Option<&BackupKey>) -> Manifest {
        let made_at: Timestamp = "2026-03-01T09:00:00.250Z".parse().unwrap();
        let file = |name: &str, byte: u8| StoredFile {
            name: name.to_owned(),
            size: u64::from(byte),
            piece: PieceName::of([byte; 32], key),
        };
        Manifest {
            goodstanding_backup: VERSION,
            number: 3,
            made_at,
            verified_at: made_at,
            program: "0.1.0".to_owned(),
            store: "11".repeat(16),
            epoch: 0,
            format: 5,
            seq: Seq(42),
            at: made_at,
            digest: "22".repeat(32),
            commits: 40,
            public_url: "https://registry.example".to_owned(),
            master_keys: vec!["33".repeat(8)],
            sealed_under: key.map(|key| key.id().clone()),
            files: vec![file("CURRENT", 1), file("000012.sst", 2)],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_with_its_key_alone() {
        let (ours, other) = (key(1), key(2));
        let plain = manifest(None);
        assert_eq!(
            Manifest::decode(&plain.encode(None), None),
            Ok(plain.clone())
        );
        // Anybody could have written it.
        let unasked = Manifest::decode(&plain.encode(None), Some(&ours));
        assert_eq!(unasked, Err(ManifestError::NotSealed));
        assert_eq!(plain.file_name(), "00000003-20260301T090000Z.json");
        assert_eq!(number_of(&plain.file_name()), Some(3));

        let sealed = manifest(Some(&ours));
        let bytes = sealed.encode(Some(&ours));
        assert_eq!(Manifest::decode(&bytes, Some(&ours)), Ok(sealed));
        let needed = ours.id().clone();
        let none = Manifest::decode(&bytes, None);
        assert_eq!(none, Err(ManifestError::KeyNeeded(needed.clone())));
        let given = other.id().clone();
        let refused = Err(ManifestError::OtherKey { needed, given });
        assert_eq!(Manifest::decode(&bytes, Some(&other)), refused);
        let mut forged: Value = serde_json::from_slice(&bytes).unwrap();
        forged["seq"] = 41.into();
        let bytes = forged.to_string().into_bytes();
        assert_eq!(
            Manifest::decode(&bytes, Some(&ours)),
            Err(ManifestError::Changed)
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let with = |member: &str, value: Value| {
            let mut changed: Value = serde_json::from_slice(&manifest(None).encode(None)).unwrap();
            changed[member] = value;
            changed["check"] = Value::Null;
            let members = changed.as_object_mut().unwrap();
            members.shift_remove("check");
            let check = check_of(&changed, None);
            changed["check"] = check.into();
            Manifest::decode(changed.to_string().as_bytes(), None)
        };
        assert!(matches!(
            Manifest::decode(b"{}", None),
            Err(ManifestError::Form(_))
        ));
        assert_eq!(
            with("goodstandingBackup", 2.into()),
            Err(ManifestError::Version(2))
        );
        assert!(matches!(
            with("more", 2.into()),
            Err(ManifestError::Form(_))
        ));
        for name in ["", "../CURRENT", "/etc/passwd", ".hidden", "a/b"] {
            let file = serde_json::json!([{ "name": name, "size": 1, "piece": "00".repeat(32) }]);
            assert_eq!(
                with("files", file),
                Err(ManifestError::Name(name.to_owned()))
            );
        }
    }

    proptest! {
        #[test]
        fn no_byte_of_what_it_says_can_be_changed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            for key in [None, Some(key(1))] {
                let written = manifest(key.as_ref());
                let mut bytes = written.encode(key.as_ref());
                let place = at.index(bytes.len());
                bytes[place] = byte;
                // White space between members says nothing.
                if let Ok(read) = Manifest::decode(&bytes, key.as_ref()) {
                    prop_assert_eq!(read, written);
                }
            }
        }
    }
}
