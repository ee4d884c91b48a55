//! What a person gives to `verify` beside the document: keys to be trusted, and documents for when
//! nobody is to be asked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use url::Url;

use super::context::{parse_json, read_from};
use super::error::CliError;
use crate::vc::keys::PublicKeyError;
use crate::vc::verifying::VerifyingKey;
use crate::verify::{Given, PinnedKey};

/// So many documents are read; each can be as large as a document may be.
const MOST_DOCUMENTS: usize = 256;

/// Reads each `CONTROLLER=KEY`.
pub(super) fn pinned_keys(pins: &[String]) -> Result<Vec<PinnedKey>, CliError> {
    pins.iter().map(|pin| pinned_key(pin)).collect()
}

/// Reads each `FILE`, `FOLDER` or `URL=FILE`.
pub(super) fn given_documents(named: &[String]) -> Result<Given, CliError> {
    let mut given = Given::default();
    let mut count = 0;
    for text in named {
        let (url, path) = document(text);
        for path in files(Path::new(path))? {
            count += 1;
            if count > MOST_DOCUMENTS {
                let reason = format!("at most {MOST_DOCUMENTS} documents are read");
                return Err(CliError::Usage(format!("--document {text}: {reason}")));
            }
            let place = path.display().to_string();
            let bytes = read_from(&mut io::empty(), &place)?;
            given
                .add(url, bytes)
                .map_err(|refused| CliError::Usage(format!("--document {place}: {refused}")))?;
        }
    }
    Ok(given)
}

fn pinned_key(pin: &str) -> Result<PinnedKey, CliError> {
    let refused = |reason: String| CliError::Usage(format!("--pin {pin}: {reason}"));
    // Ids have '=' in their queries; a Multikey has none.
    let (controller, key) = pin
        .rsplit_once('=')
        .filter(|(controller, _)| Url::parse(controller).is_ok())
        .ok_or_else(|| {
            refused("the issuer's id, '=' and a key are needed: did:web:a.example=z6Mk...".into())
        })?;
    let unusable = |error: PublicKeyError| refused(format!("no usable key: {error}"));
    let file = Path::new(key).exists();
    let key = match VerifyingKey::from_multikey(key) {
        Err(_) if file => key_in(key)?.map_err(unusable)?,
        read => read.map_err(unusable)?,
    };
    Ok(PinnedKey {
        controller: controller.to_owned(),
        method: None,
        key,
    })
}

/// The key in a file: a Multikey, a JWK, or a verification method that has one of them.
fn key_in(file: &str) -> Result<Result<VerifyingKey, PublicKeyError>, CliError> {
    let bytes = read_from(&mut io::empty(), file)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(VerifyingKey::from_multikey(text));
    }
    let document = parse_json(&bytes, file)?;
    let multikey = document.get("publicKeyMultibase").and_then(Value::as_str);
    Ok(match multikey {
        Some(multikey) => VerifyingKey::from_multikey(multikey),
        None => VerifyingKey::from_jwk(document.get("publicKeyJwk").unwrap_or(&document)),
    })
}

/// The URL of a document, where one is given with it, and its path.
fn document(text: &str) -> (Option<&str>, &str) {
    let is_id = |id: &str| id.contains("://") || id.starts_with("did:");
    match text.rsplit_once('=') {
        Some((url, path)) if is_id(url) => (Some(url), path),
        _ => (None, text),
    }
}

/// The file itself, or the files in a folder by their names, without those that are hidden.
fn files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|failed| CliError::Unreadable {
        place: path.display().to_string(),
        reason: failed.to_string(),
    })?;
    let shown = |path: &PathBuf| {
        let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
        path.is_file() && !path.file_name().is_some_and(hidden)
    };
    let paths = entries.iter().map(fs::DirEntry::path);
    let mut paths: Vec<PathBuf> = paths.filter(shown).collect();
    paths.sort();
    Ok(paths)
}
