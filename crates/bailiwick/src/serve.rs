//! From a configuration to a server that answers, and back.
//!
//! Order of a start: the configuration is whole; the directory is new or whole, and locked; the port is ours; the key and the
//! store belong together; then, and only then, is anything served. Order of a stop: no new requests, the last answers, the
//! store's checkpoint.
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    config::{Config, ConfigError, KeySource},
    data_dir::{DataDir, DataDirError, State},
    descriptors,
    http::{Limits, Server, Tls, TlsError},
    local::{Commands, ErrorKind, LocalAnswer, LocalCommand, LocalError, RootKey, Socket, Tell},
    master_key::{self, KeyError},
    node::{Node, NodeError},
};

/// Connections that the system holds until they are accepted.
const QUEUE: u32 = 1024;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The master key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address.
    #[error("{address} cannot be listened on: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The socket for local commands.
    #[error("the socket for local commands cannot be made in {}: {error}", path.display())]
    Socket {
        /// The data directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The store and what stands on it.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The system.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, then stops gracefully.
///
/// # Errors
/// Where the start fails.
pub async fn serve(config: &Config) -> Result<(), StartError> {
    let mut stop = StopSignals::new()?;
    let addresses = config.addresses()?;
    let tls = config.tls.as_ref().map(|files| Tls::load(&files.certificate, &files.key)).transpose()?.map(Arc::new);
    let key_in_dir = DataDir::key_in(&config.data_dir);
    let key = master_key::find(&config.master_key, &key_in_dir)?;
    let key_file = key_file(config);
    let (dir, state) = DataDir::for_server(&config.data_dir, key.as_ref(), key_file.as_deref())?;
    let listener = bind(&addresses)?;
    let key = match key {
        Some(key) => key,
        None => master_key::make(&config.master_key, &key_in_dir)?,
    };
    let (node, first) = Node::open(config, &dir, state, &key).await?;
    let node = Arc::new(node);
    if state == State::First {
        dir.complete()?;
    }
    if let Some(root) = first.filter(|_| !config.names_root_key()) {
        show_once(&root)?;
    }
    let socket = Socket::bind(&dir).map_err(|error| StartError::Socket { path: dir.path().to_owned(), error })?;
    let (stopping, stopped) = watch::channel(false);
    let limits = Limits { connections: descriptors::connections(config.max_connections), ..Limits::default() };
    reload_on_hangup(tls.clone())?;
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(%address, url = %format_args!("{scheme}://{address}"), data_dir = %dir.path().display(), "serving");
    let keeping = tokio::spawn({
        let (node, history) = (Arc::clone(&node), config.history());
        async move { node.keep(history).await }
    });
    let server = Server::new(listener, tls, limits);
    let (report, (), ()) = tokio::join!(
        server.run(Arc::clone(&node), until(stopped.clone())),
        socket.serve(Arc::clone(&node), until(stopped), limits.stop),
        async {
            let name = stop.wait().await;
            tracing::info!(signal = name, "stopping");
            stopping.send_replace(true);
        },
    );
    if report.cut > 0 {
        tracing::warn!(connections = report.cut, "connections were cut, since their answers took too long");
    }
    drop(socket);
    keeping.abort();
    node.finish().await;
    tracing::info!("stopped");
    Ok(())
}

/// What can be known about a configuration without serving: that its addresses may be listened on, and that its certificate is one.
///
/// # Errors
/// What would stop a start.
pub fn check(config: &Config) -> Result<(), StartError> {
    config.addresses()?;
    config.tls.as_ref().map(|files| Tls::load(&files.certificate, &files.key)).transpose()?;
    Ok(())
}

/// Opens the store of a directory that no server uses, to carry out local commands.
///
/// # Errors
/// Where key and store do not belong together, or one cannot be read.
pub async fn open(config: &Config, dir: DataDir) -> Result<impl Commands, LocalError> {
    let failed = |error: &dyn std::fmt::Display| LocalError::new(ErrorKind::Failed, error.to_string());
    let key_in_dir = DataDir::key_in(dir.path());
    let key = master_key::find(&config.master_key, &key_in_dir).map_err(|error| failed(&error))?;
    let key = key.ok_or_else(|| {
        let key = key_file(config).unwrap_or(key_in_dir);
        failed(&DataDirError::StoreWithoutKey { store: dir.store(), key })
    })?;
    let (node, _) = Node::open(config, &dir, State::Whole, &key).await.map_err(|error| failed(&error))?;
    Ok(Locked { node, _dir: dir })
}

/// A node that holds the lock itself.
struct Locked {
    node: Node,
    _dir: DataDir,
}

impl Commands for Locked {
    async fn run(&self, command: LocalCommand, tell: Tell) -> Result<LocalAnswer, LocalError> {
        let answer = self.node.run(command, tell).await;
        self.node.finish().await;
        answer
    }
}

/// The first account's root key, once, as lines to paste into a shell.
fn show_once(root: &RootKey) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "# Account {}: its root user's access key, shown this once. Paste into a shell:", root.account)?;
    writeln!(out, "export AWS_ACCESS_KEY_ID={}", root.access_key_id)?;
    writeln!(out, "export AWS_SECRET_ACCESS_KEY={}", root.secret_access_key.expose())?;
    out.flush()
}

/// The file of the master key, where it is in one.
fn key_file(config: &Config) -> Option<PathBuf> {
    match &config.master_key {
        KeySource::DataDir => Some(DataDir::key_in(&config.data_dir)),
        KeySource::File(file) => Some(file.clone()),
        KeySource::Given(_) | KeySource::Command(_) => None,
    }
}

/// The first of the addresses that can be had.
fn bind(addresses: &[SocketAddr]) -> Result<TcpListener, StartError> {
    let mut failed = StartError::System(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        match listen(*address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = StartError::Bind { address: *address, error },
        }
    }
    Err(failed)
}

/// With a queue that holds a burst of clients; the usual one of 128 lets them wait for seconds.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that was killed can be started again at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error is the sender's end, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// SIGHUP reads the certificate again. Without one it is ignored, so that a script that sends it everywhere ends nothing.
fn reload_on_hangup(tls: Option<Arc<Tls>>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match tls.as_ref().map(|tls| tls.reload()) {
                Some(Ok(())) => tracing::info!("the certificate was read again"),
                Some(Err(error)) => tracing::error!(%error, "the certificate was not changed"),
                None => {}
            }
        }
    });
    Ok(())
}

/// SIGTERM and SIGINT, from the beginning of the start on.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn new() -> io::Result<StopSignals> {
        Ok(StopSignals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// How long the runtime waits for its threads after the last answer.
pub const RUNTIME_STOP: Duration = Duration::from_secs(1);
