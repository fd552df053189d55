//! One request over HTTP, with TLS unless the server is on this machine: whoever answers in its place could let anybody in.
use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use identities::{Clock as _, SystemClock};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Settings, signing};

const PATH: &str = "/ssh-keys";
/// The longest answer, in bytes: five keys of a user, and each less than 3,000.
const LONGEST: usize = 1 << 20;
/// Where systems keep the certificates of the authorities that they trust.
const SYSTEMS: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// What came back.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Sends `body` to the endpoint, signed.
pub(super) async fn post(settings: &Settings, body: &[u8]) -> Result<Answered, String> {
    let uri: Uri = settings.endpoint.parse().map_err(|_| "not the URL of a server")?;
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
    if host.is_empty() || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err("not the URL of a server: http://HOST:PORT or https://HOST".into());
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let connect = async |port: u16| {
        let stream = TcpStream::connect((bare, uri.port_u16().unwrap_or(port))).await;
        stream.map_err(|error| error.to_string())
    };
    let authority = uri.authority().map_or(host, http::uri::Authority::as_str);
    match scheme {
        "https" => {
            let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
            let connector = TlsConnector::from(Arc::new(trusting(settings)?));
            let stream = connector.connect(name, connect(443).await?).await.map_err(|error| error.to_string())?;
            exchange(stream, settings, authority, body).await
        }
        "http" => {
            let stream = connect(80).await?;
            if !stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback()) {
                return Err("a server on another machine is asked over https only".into());
            }
            exchange(stream, settings, authority, body).await
        }
        _ => Err("not the URL of a server: http://HOST:PORT or https://HOST".into()),
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    settings: &Settings,
    host: &str,
    body: &[u8],
) -> Result<Answered, String> {
    let said = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    tokio::spawn(connection);
    let mut request = Request::post(PATH);
    for (name, value) in signing::headers(settings, host, PATH, body, SystemClock.now()) {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).map_err(|_| "the access key is none")?;
    let answer = sender.send_request(request).await.map_err(said)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Answered { status, body })
}

/// Trust in the authorities of the file that is named, else in the system's.
fn trusting(settings: &Settings) -> Result<ClientConfig, String> {
    let file = settings.ca_file.clone().or_else(|| SYSTEMS.iter().map(PathBuf::from).find(|file| file.exists()));
    let file = file.ok_or("no certificates of authorities were found: name a file with ca_file")?;
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    roots.add_parsable_certificates(read.filter_map(Result::ok));
    if roots.is_empty() {
        return Err(format!("{}: no certificate", file.display()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
