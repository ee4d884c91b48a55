//! TLS: certificate and key from two files, which are taken over anew where they change, and sessions
//! that are resumed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};
use thiserror::Error;

/// How connections are secured.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    seen: Mutex<Seen>,
    sessions: Sessions,
    present: ArcSwap<ServerConfig>,
}

/// A certificate or key cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// One of the files is not named.
    #[error("tls.certificate and tls.key go together: name both, or none to serve without TLS")]
    OneMissing,
    /// A file cannot be read.
    #[error("{key}: {file} cannot be read: {reason}")]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file that it names.
        file: PathBuf,
        /// Why not.
        reason: std::io::Error,
    },
    /// Not a chain of certificates.
    #[error("tls.certificate: {file} holds no chain of certificates in PEM form: {reason}")]
    Certificate {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Not a private key.
    #[error("tls.key: {file} holds no private key in PEM form: {reason}")]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The two do not go together, or the key is of a kind that is not known here.
    #[error(
        "tls: the key in {key} is not that of the first certificate in {certificate}, or of no kind that is known: {reason}"
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong.
        reason: rustls::Error,
    },
}

impl TlsError {
    /// What kind of error it is, for the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OneMissing => "OneMissing",
            Self::Unreadable { .. } => "Unreadable",
            Self::Certificate { .. } => "Certificate",
            Self::Key { .. } => "Key",
            Self::Mismatch { .. } => "Mismatch",
        }
    }
}

/// What looking at the files again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Renewed {
    /// They are as they were.
    No,
    /// What they hold is in use for connections from now on.
    Yes,
}

/// What was found when the files were looked at last.
struct Seen {
    files: Files,
    /// Whether they could not be read.
    unreadable: bool,
}

/// What the two files hold.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// What lets a client come back without a whole handshake, also after the files changed: tickets, which
/// clients keep, and a cache for those that know none.
struct Sessions {
    tickets: Arc<dyn ProducesTickets>,
    cache: Arc<dyn StoresServerSessions>,
}

/// Sessions that are kept for clients without tickets.
const KEPT_SESSIONS: usize = 4_096;

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// One cannot be read, is not what it has to be, or they do not go together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files::read(certificate, key)?;
        let sessions = Sessions {
            tickets: Ticketer::new().map_err(|reason| TlsError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
                reason,
            })?,
            cache: ServerSessionMemoryCache::new(KEPT_SESSIONS),
        };
        let present = files.config((certificate, key), &sessions)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            seen: Mutex::new(Seen {
                files,
                unreadable: false,
            }),
            sessions,
            present: ArcSwap::from_pointee(present),
        })
    }

    /// Looks at the files again, and takes them over where they changed and are good. While they are not, or
    /// only one of two was replaced so far, those that were good last stay in use.
    ///
    /// # Errors
    /// They changed and cannot be used. That is told once for each change.
    pub fn look_again(&self) -> Result<Renewed, TlsError> {
        let read = Files::read(&self.certificate, &self.key);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = std::mem::replace(&mut seen.unreadable, read.is_err());
        let files = match read {
            Ok(files) if files == seen.files => return Ok(Renewed::No),
            Err(_) if known => return Ok(Renewed::No),
            read => read?,
        };
        let next = files.config((&self.certificate, &self.key), &self.sessions);
        seen.files = files;
        self.present.store(Arc::new(next?));
        Ok(Renewed::Yes)
    }

    /// What the next connection is secured with.
    pub(super) fn present(&self) -> Arc<ServerConfig> {
        self.present.load_full()
    }
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |named, file: &Path| {
            fs::read(file).map_err(|reason| TlsError::Unreadable {
                key: named,
                file: file.to_owned(),
                reason,
            })
        };
        Ok(Self {
            certificate: read("tls.certificate", certificate)?,
            key: read("tls.key", key)?,
        })
    }

    fn config(
        &self,
        (certificate, key): (&Path, &Path),
        sessions: &Sessions,
    ) -> Result<ServerConfig, TlsError> {
        let not_a_chain = |reason: String| TlsError::Certificate {
            file: certificate.to_owned(),
            reason,
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|error| not_a_chain(error.to_string()))?;
        if chain.is_empty() {
            return Err(not_a_chain("there is none".to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| TlsError::Key {
            file: key.to_owned(),
            reason: error.to_string(),
        })?;
        let provider: Arc<CryptoProvider> = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain, secret)
            });
        let mut config = config.map_err(|reason| TlsError::Mismatch {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            reason,
        })?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
        config.ticketer = sessions.tickets.clone();
        config.session_storage = sessions.cache.clone();
        Ok(config)
    }
}

/// The name of HTTP/2 in a handshake (RFC 9113 section 3.2).
pub(super) const HTTP_2: &[u8] = b"h2";

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    fn written(folder: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        renew(&certificate, &key);
        (certificate, key)
    }

    fn renew(certificate: &Path, key: &Path) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(certificate, cert.pem()).unwrap();
        fs::write(key, signing_key.serialize_pem()).unwrap();
    }

    fn refused(certificate: &Path, key: &Path) -> String {
        Tls::load(certificate, key)
            .err()
            .expect("it is refused")
            .to_string()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = written(folder.path());
        let missing = folder.path().join("missing.pem");
        assert!(refused(&missing, &key).starts_with("tls.certificate: "));
        let told = refused(&certificate, &missing);
        assert!(
            told.starts_with("tls.key: ") && told.contains("missing.pem"),
            "{told}"
        );
        let told = refused(&key, &key);
        assert!(told.contains("key.pem holds no chain"), "{told}");
        let told = refused(&certificate, &certificate);
        assert!(told.contains("chain.pem holds no private key"), "{told}");
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        let (_, foreign) = written(&other);
        let told = refused(&certificate, &foreign);
        assert!(
            told.contains("is not that of the first certificate"),
            "{told}"
        );
    }

    #[test]
    fn files_are_taken_over_when_both_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = written(folder.path());
        let tls = Tls::load(&certificate, &key).unwrap();
        let first = tls.present();
        assert_eq!(tls.look_again().unwrap(), Renewed::No);
        let (next_certificate, next_key) = {
            let next = folder.path().join("next");
            fs::create_dir(&next).unwrap();
            written(&next)
        };
        fs::rename(next_certificate, &certificate).unwrap();
        assert_eq!(tls.look_again().unwrap_err().kind(), "Mismatch");
        assert!(Arc::ptr_eq(&tls.present(), &first));
        // It is told once.
        assert_eq!(tls.look_again().unwrap(), Renewed::No);
        fs::rename(next_key, &key).unwrap();
        assert_eq!(tls.look_again().unwrap(), Renewed::Yes);
        assert!(!Arc::ptr_eq(&tls.present(), &first));
        fs::remove_file(&key).unwrap();
        assert_eq!(tls.look_again().unwrap_err().kind(), "Unreadable");
        assert_eq!(tls.look_again().unwrap(), Renewed::No);
    }
}
