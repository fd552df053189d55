//! The socket in the data directory, both ends.
use std::{
    fs::{self, File, Permissions},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use foresight::Progress;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use zeroize::Zeroizing;

use super::{Commands, ErrorKind, LocalAnswer, LocalCommand, LocalError, Tell};
use crate::data_dir::DataDir;

/// A line is shorter than this, in bytes: the answer to `account list` has about 150 bytes an account.
const LINE_LIMIT: u64 = 256 * 1024 * 1024;
/// A command's line is shorter than this, in bytes.
const COMMAND_LIMIT: u64 = 64 * 1024;
/// A client says its command at once.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest path that every system takes for a socket, in bytes.
const PATH_LIMIT: usize = 100;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Reply {
    Progress(Progress),
    Ok(LocalAnswer),
    Error(LocalError),
}

/// The server's end. The file is removed when the value is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    file: PathBuf,
    owner: u32,
}

impl Socket {
    /// Makes the socket. Whoever has the directory's lock may replace what an earlier server left.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn bind(dir: &DataDir) -> io::Result<Socket> {
        let file = DataDir::socket_in(dir.path());
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let (near, _held) = near(dir.path(), &file)?;
        let listener = UnixListener::bind(near)?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        let owner = fs::metadata(dir.path())?.uid();
        Ok(Socket { listener, file, owner })
    }

    /// Carries out what is asked, until `stop` is done; then what has begun is finished, but for no longer than `patience`.
    pub async fn serve<C: Commands>(&self, commands: Arc<C>, stop: impl Future<Output = ()>, patience: Duration) {
        let mut running = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.as_mut() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let allowed = stream.peer_cred().is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == 0);
                    if !allowed {
                        tracing::warn!("a command of another user was refused");
                        continue;
                    }
                    running.spawn(serve_one(stream, Arc::clone(&commands)));
                    while running.try_join_next().is_some() {}
                }
                Err(error) => {
                    tracing::warn!(%error, "a local command could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            tracing::warn!("a local command was not finished in time");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // If it stays, the next server replaces it.
        let _ = fs::remove_file(&self.file);
    }
}

async fn serve_one<C: Commands>(stream: UnixStream, commands: Arc<C>) {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading).take(COMMAND_LIMIT);
    if !matches!(timeout(COMMAND_TIMEOUT, reading.read_line(&mut line)).await, Ok(Ok(1..))) {
        return;
    }
    let reply = match serde_json::from_str::<LocalCommand>(&line) {
        Ok(command) => {
            let (told, mut hears) = mpsc::unbounded_channel();
            // One who went away does not want to hear it.
            let tell: Tell = Arc::new(move |progress| {
                let _ = told.send(progress);
            });
            // Its own task, so that a panic in it is a reply too.
            let running = tokio::spawn(async move { commands.run(command, tell).await });
            while let Some(progress) = hears.recv().await {
                let _ = say(&mut writing, &Reply::Progress(progress)).await;
            }
            match running.await {
                Ok(Ok(answer)) => Reply::Ok(answer),
                Ok(Err(error)) => Reply::Error(error),
                Err(_panicked) => Reply::Error(LocalError::new(ErrorKind::Failed, "the command failed inside; see the server's log")),
            }
        }
        Err(error) => {
            let message = format!("the server does not know this command ({error}); are command and server of the same version?");
            Reply::Error(LocalError::new(ErrorKind::Invalid, message))
        }
    };
    // One who went away has no use for the answer.
    let _ = say(&mut writing, &reply).await;
    let _ = writing.shutdown().await;
}

async fn say(writing: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut line = Zeroizing::new(serde_json::to_vec(reply)?);
    line.push(b'\n');
    writing.write_all(&line).await
}

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error("{}: the process that uses this data directory cannot be reached: {error}", path.display())]
    Unreachable { path: PathBuf, error: io::Error },
    #[error("the server broke off: {0}")]
    Broken(io::Error),
    #[error("the server's answer is not understood ({0}); are command and server of the same version?")]
    Answer(serde_json::Error),
}

impl AskError {
    /// Whether there was nobody to ask.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            AskError::Unreachable { error, .. } => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused),
            AskError::Broken(_) | AskError::Answer(_) => false,
        }
    }
}

/// Sends a command to the server that uses a directory.
pub(super) async fn ask(path: &Path, command: &LocalCommand, tell: &Tell) -> Result<Result<LocalAnswer, LocalError>, AskError> {
    let unreachable = |error| AskError::Unreachable { path: path.to_owned(), error };
    let (near, held) = near(path, &DataDir::socket_in(path)).map_err(unreachable)?;
    let stream = UnixStream::connect(near).await.map_err(unreachable)?;
    drop(held);
    let (reading, mut writing) = stream.into_split();
    let mut line = serde_json::to_vec(command).map_err(AskError::Answer)?;
    line.push(b'\n');
    writing.write_all(&line).await.map_err(AskError::Broken)?;
    let mut reading = BufReader::new(reading);
    loop {
        let mut answer = Zeroizing::new(String::new());
        let read = (&mut reading).take(LINE_LIMIT).read_line(&mut answer).await.map_err(AskError::Broken)?;
        if read == 0 {
            return Err(AskError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_str(&answer).map_err(AskError::Answer)? {
            Reply::Progress(progress) => tell(progress),
            Reply::Ok(answer) => return Ok(Ok(answer)),
            Reply::Error(error) => return Ok(Err(error)),
        }
    }
}

/// A path for the same file that is short enough for a socket: where the plain one is too long, through a handle on the directory.
fn near(dir: &Path, file: &Path) -> io::Result<(PathBuf, Option<File>)> {
    if file.as_os_str().len() <= PATH_LIMIT {
        return Ok((file.to_owned(), None));
    }
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let handle = File::open(dir)?;
    let near = Path::new("/proc/self/fd").join(handle.as_raw_fd().to_string()).join(name);
    Ok((near, Some(handle)))
}

#[cfg(test)]
mod tests;
