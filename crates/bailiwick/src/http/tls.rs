//! The certificate of the server, which can be loaded again while it serves.
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates cannot be read.
    #[error("the certificate file {} cannot be used: {why}", file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key cannot be read. What is in the file is never repeated.
    #[error("the TLS key file {} cannot be used: {why}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// They are readable, but not fit for a server or for each other.
    #[error("the certificate {} and the key {} do not make a server: {why}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        why: String,
    },
}

/// A certificate chain with its key: two PEM files, and what was last read from them.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// Where they cannot be read or do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let config = read(certificate, key)?;
        Ok(Tls { certificate: certificate.to_owned(), key: key.to_owned(), current: ArcSwap::from_pointee(config) })
    }

    /// Reads both files again. New connections use what is in them now; where that is no good, what was used before.
    ///
    /// # Errors
    /// As [`Tls::load`]; nothing has changed then.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(read(&self.certificate, &self.key)?));
        Ok(())
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unfit = |why: String| TlsError::Certificate { file: certificate.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unfit(error.to_string()))?;
    if chain.is_empty() {
        return Err(unfit("it holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Key { file: key.to_owned(), why: error.to_string() })?;
    let pair = |error: rustls::Error| TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), why: error.to_string() };
    // The provider is named, so that no dependency's features can choose another one.
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
