//! The same over TLS.
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bailiwick::http::{Limits, Tls, TlsError};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{GET, Running, ask, rest, short, start_with, statuses};

/// Writes a new certificate for `localhost` and its key.
fn certificate(dir: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn load(dir: &Path) -> Result<Tls, TlsError> {
    Tls::load(&dir.join("cert.pem"), &dir.join("key.pem"))
}

async fn connect(server: &Running, trusted: &CertificateDer<'static>, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), server.connect().await).await
}

#[tokio::test]
async fn requests_over_tls_are_answered_and_known_to_be_secure() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = certificate(dir.path());
    let server = start_with(Limits::default(), Some(Arc::new(load(dir.path()).unwrap()))).await;
    let mut stream = connect(&server, &trusted, b"http/1.1").await.unwrap();
    assert!(ask(&mut stream, GET).await.ends_with("GET /a?b=%2F host=x body=0 secure=true\n"));
    let stream = connect(&server, &trusted, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_readably_over_tls_too() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = certificate(dir.path());
    let server = start_with(Limits::default(), Some(Arc::new(load(dir.path()).unwrap()))).await;
    let mut stream = connect(&server, &trusted, b"http/1.1").await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n").await.unwrap();
    stream.write_all(&vec![b'a'; 10_000_000]).await.unwrap();
    assert_eq!(statuses(&rest(&mut stream).await), [413]);
}

#[tokio::test]
async fn plain_http_and_silence_on_a_tls_port_end_with_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = certificate(dir.path());
    let server = start_with(short(), Some(Arc::new(load(dir.path()).unwrap()))).await;
    let mut plain = server.connect().await;
    plain.write_all(GET.as_bytes()).await.unwrap();
    let mut sent = Vec::new();
    drop(tokio::io::AsyncReadExt::read_to_end(&mut plain, &mut sent).await);
    assert!(!sent.starts_with(b"HTTP"), "{sent:?}");
    let start = Instant::now();
    assert_eq!(rest(&mut server.connect().await).await, "");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(connect(&server, &trusted, b"http/1.1").await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_is_loaded_again_is_used_by_the_next_connection() {
    let dir = tempfile::tempdir().unwrap();
    let old = certificate(dir.path());
    let tls = Arc::new(load(dir.path()).unwrap());
    let server = start_with(Limits::default(), Some(Arc::clone(&tls))).await;
    let mut before = connect(&server, &old, b"http/1.1").await.unwrap();
    fs::write(dir.path().join("key.pem"), "no key").unwrap();
    assert!(tls.reload().is_err());
    assert!(connect(&server, &old, b"http/1.1").await.is_ok(), "a failed reload changes nothing");
    let new = certificate(dir.path());
    tls.reload().unwrap();
    assert!(connect(&server, &old, b"http/1.1").await.is_err());
    assert!(connect(&server, &new, b"http/1.1").await.is_ok());
    assert_eq!(statuses(&ask(&mut before, GET).await), [200]);
}

#[tokio::test]
async fn files_that_are_no_pair_are_refused_without_saying_what_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path());
    let other = tempfile::tempdir().unwrap();
    certificate(other.path());
    assert!(matches!(Tls::load(&dir.path().join("cert.pem"), &other.path().join("key.pem")), Err(TlsError::Pair { .. })));
    assert!(matches!(Tls::load(&dir.path().join("none.pem"), &dir.path().join("key.pem")), Err(TlsError::Certificate { .. })));
    assert!(matches!(Tls::load(&dir.path().join("key.pem"), &dir.path().join("key.pem")), Err(TlsError::Certificate { .. })));
    fs::write(dir.path().join("key.pem"), "SECRETSECRET").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("key.pem") && !error.contains("SECRETSECRET"), "{error}");
}
