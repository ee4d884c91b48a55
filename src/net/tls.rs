//! TLS for the one connection that was vetted: rustls over ureq's transport. ureq's own connector
//! trusts either the usual authorities or given ones, and a registry in a company has to trust
//! both.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use thiserror::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// The additional authorities cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootsError {
    /// Not PEM.
    #[error("the additional authorities (fetch.extra_roots) are not readable as PEM: {0}")]
    Pem(String),
    /// A certificate that cannot be an authority.
    #[error("certificate {place} of the additional authorities (fetch.extra_roots): {reason}")]
    Certificate {
        /// Which one, counted from 1.
        place: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is something, and no certificate in it.
    #[error("the additional authorities (fetch.extra_roots) hold no certificate in PEM form")]
    Empty,
}

/// What is trusted: the usual authorities and those in `extra` (PEM). TLS 1.2 and 1.3, and
/// HTTP/1.1 in it.
pub(super) fn client_config(extra: &[u8]) -> Result<Arc<ClientConfig>, RootsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let usual = roots.len();
    for (place, certificate) in CertificateDer::pem_slice_iter(extra).enumerate() {
        let certificate = certificate.map_err(|wrong| RootsError::Pem(wrong.to_string()))?;
        roots
            .add(certificate)
            .map_err(|wrong| RootsError::Certificate {
                place: place + 1,
                reason: wrong.to_string(),
            })?;
    }
    if !extra.is_empty() && roots.len() == usual {
        return Err(RootsError::Empty);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The step from a TCP connection to one that can be spoken over.
pub(super) struct Secure {
    /// What is trusted, and whom the certificate has to name; none for plain http.
    pub(super) session: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Set once the other side has proved who it is: what fails before that fails for all of its
    /// URLs.
    pub(super) connected: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Secure {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(plain) = chained else {
            return Ok(None);
        };
        let ready: Box<dyn Transport> = match &self.session {
            None => Box::new(plain),
            Some((config, name)) => {
                let mut tls = ClientConnection::new(config.clone(), name.clone())?;
                let plain: Box<dyn Transport> = Box::new(plain);
                let mut socket = TransportAdapter::new(plain, details.current_time.clone());
                socket.set_timeout(left(details));
                tls.complete_io(&mut socket)?;
                let sizes = (
                    details.config.input_buffer_size(),
                    details.config.output_buffer_size(),
                );
                Box::new(Secured {
                    stream: StreamOwned::new(tls, socket),
                    buffers: LazyBuffers::new(sizes.0, sizes.1),
                })
            }
        };
        self.connected.store(true, Ordering::SeqCst);
        Ok(Some(ready))
    }
}

/// What the TCP connection left of the time to connect.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    let now = (details.current_time)();
    if let (Duration::Exact(limit), Instant::Exact(began), Instant::Exact(now)) =
        (timeout.after, details.now, now)
    {
        let spent = now.saturating_duration_since(began);
        timeout.after = Duration::Exact(limit.saturating_sub(spent));
    }
    timeout
}

/// A connection under TLS.
struct Secured {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secure").finish_non_exhaustive()
    }
}
