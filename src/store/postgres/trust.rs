//! Whom a server has to prove to be, where connections to it are secured.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::Tls;

/// TLS 1.2 and 1.3 with servers whose certificate comes from `roots` (PEM), or from the usual authorities where that
/// is empty.
///
/// # Errors
/// The authorities cannot be read.
pub(super) fn client(tls: Tls, roots: &[u8]) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3");
    if tls == Tls::Require {
        let anybody = Arc::new(Anybody(provider));
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(anybody);
        return Ok(builder.with_no_client_auth());
    }
    Ok(builder
        .with_root_certificates(authorities(roots)?)
        .with_no_client_auth())
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    if pem.is_empty() {
        return Ok(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        });
    }
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|wrong| format!("store.postgres.roots: {wrong}"))?;
        store
            .add(certificate)
            .map_err(|wrong| format!("store.postgres.roots: {wrong}"))?;
    }
    match store.is_empty() {
        true => Err("store.postgres.roots holds no certificate in PEM form".to_owned()),
        false => Ok(store),
    }
}

/// Takes every certificate: nobody who only listens understands what is said, and whoever stands between can be
/// anybody.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
