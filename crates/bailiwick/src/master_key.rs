//! The master key: 32 bytes under which everything that is secret in the store is sealed.
//!
//! One that Bailiwick makes says so in its text. That is how a store that is gone is told from a store that never was: a key
//! that was made for a store, without that store, is damage and no first start. A key that the operator brings may come first.
use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::config::{KeySource, keys::PREFIX};

/// Length of the key, in bytes.
pub const LENGTH: usize = 32;
/// What stands before the base64 of a key that Bailiwick made.
const MADE: &str = "bailiwick-master-key-1:";
/// A key's text is shorter than this, in bytes.
const TEXT_LIMIT: u64 = 4096;
/// How long the command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The key. Wiped when dropped, and nothing in its `Debug` form.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    made: bool,
}

impl MasterKey {
    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    /// Whether Bailiwick made it for a store.
    #[must_use]
    pub fn was_made_for_a_store(&self) -> bool {
        self.made
    }

    fn random() -> Result<MasterKey, KeyError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        SystemRandom::new().fill(bytes.as_mut()).map_err(|_| KeyError::NoRandomness)?;
        Ok(MasterKey { bytes, made: true })
    }

    fn parse(text: &str) -> Option<MasterKey> {
        let text = text.trim();
        let (made, text) = text.strip_prefix(MADE).map_or((false, text), |text| (true, text));
        let mut bytes = Zeroizing::new([0; LENGTH]);
        if !made && text.len() == LENGTH * 2 && text.is_ascii() {
            for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            }
        } else {
            // decode_slice wants room for a rough estimate of the length.
            let mut room = Zeroizing::new([0; LENGTH + 3]);
            let length = STANDARD.decode_slice(text, room.as_mut()).ok()?;
            if length != LENGTH {
                return None;
            }
            bytes.iter_mut().zip(room.iter()).for_each(|(byte, decoded)| *byte = *decoded);
        }
        Some(MasterKey { bytes, made })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(not shown)")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the master key file {} cannot be read: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be made.
    #[error("the master key file {} cannot be made: {error}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What is there is no key.
    #[error("{place} holds no master key: it must be 64 hexadecimal digits or the base64 of 32 bytes")]
    NotAKey {
        /// The file, the variable or the command.
        place: String,
    },
    /// The command failed.
    #[error("the master key command {why}")]
    Command {
        /// How. What it printed is not repeated.
        why: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a master key")]
    NoRandomness,
}

/// The key where the configuration says it is; `None` where its file does not exist.
///
/// # Errors
/// Where there is something, but no key can be read from it.
pub fn find(source: &KeySource, in_data_dir: &Path) -> Result<Option<MasterKey>, KeyError> {
    let (text, place) = match source {
        KeySource::DataDir => (read_file(in_data_dir)?, in_data_dir.display().to_string()),
        KeySource::File(file) => (read_file(file)?, file.display().to_string()),
        KeySource::Given(text) => (Some(Zeroizing::new(text.expose().to_owned())), format!("{PREFIX}MASTER_KEY")),
        KeySource::Command(command) => (Some(run(command)?), "the output of the master key command".to_owned()),
    };
    match text {
        Some(text) => MasterKey::parse(&text).map(Some).ok_or(KeyError::NotAKey { place }),
        None => Ok(None),
    }
}

/// Makes a key in the file where the configuration looks for it. Does nothing but [`find`] where a key is given otherwise.
///
/// # Errors
/// Where the file cannot be made.
pub fn make(source: &KeySource, in_data_dir: &Path) -> Result<MasterKey, KeyError> {
    let file = match source {
        KeySource::DataDir => in_data_dir,
        KeySource::File(file) => file,
        KeySource::Given(_) | KeySource::Command(_) => {
            return find(source, in_data_dir)?.ok_or(KeyError::NotAKey { place: format!("{PREFIX}MASTER_KEY") });
        }
    };
    let key = MasterKey::random()?;
    write_file(file, &key).map_err(|error| KeyError::Unwritable { file: file.to_owned(), error })?;
    Ok(key)
}

fn read_file(file: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    let unreadable = |error| KeyError::Unreadable { file: file.to_owned(), error };
    let opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if opened.metadata().is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
        tracing::warn!(file = %file.display(), "the master key file can be read by others: chmod 600 it");
    }
    let mut text = Zeroizing::new(String::new());
    opened.take(TEXT_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    Ok(Some(text))
}

/// Whole or not at all, also when the machine stops in the middle.
fn write_file(file: &Path, key: &MasterKey) -> io::Result<()> {
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let encoded = Zeroizing::new(STANDARD.encode(key.bytes()));
    let text = Zeroizing::new(format!("{MADE}{}\n", *encoded));
    let mut opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    // A umask may have taken more than others' rights.
    opened.set_permissions(fs::Permissions::from_mode(0o600))?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    fs::rename(&new, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// What the command prints. It inherits standard error, so that it can say what is wrong, and no secret of ours.
fn run(command: &str) -> Result<Zeroizing<String>, KeyError> {
    let failed = |why: String| KeyError::Command { why };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env_remove(format!("{PREFIX}ROOT_SECRET_ACCESS_KEY"))
        .env_remove(format!("{PREFIX}ROOT_PASSWORD"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let output = child.stdout.take().ok_or_else(|| failed("has no output".to_owned()))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(String::new());
        let read = output.take(TEXT_LIMIT).read_to_string(&mut text).map(|_| text);
        // Nobody listens any more once it took too long.
        let _ = sender.send(read);
    });
    let Ok(text) = receiver.recv_timeout(COMMAND_TIMEOUT) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!("took longer than {} s", COMMAND_TIMEOUT.as_secs())));
    };
    let text = text.map_err(|error| failed(format!("printed no text: {error}")))?;
    let status = child.wait().map_err(|error| failed(format!("could not be waited for: {error}")))?;
    if status.success() { Ok(text) } else { Err(failed(format!("failed ({status})"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_key_is_read_back_from_where_it_was_made_and_only_its_owner_can() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        assert_eq!(find(&KeySource::DataDir, &file).unwrap(), None);
        let made = make(&KeySource::DataDir, &file).unwrap();
        assert!(made.was_made_for_a_store());
        assert_eq!(find(&KeySource::DataDir, &file).unwrap(), Some(made));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_is_brought_is_hexadecimal_or_base64() {
        let none = Path::new("none");
        let given = |text: &str| find(&KeySource::Given(Secret::new(text.to_owned())), none);
        let hex = given(&"0f".repeat(32)).unwrap().unwrap();
        let base64 = given(&format!(" {}\n", STANDARD.encode([0x0f; 32]))).unwrap().unwrap();
        assert_eq!(hex, base64);
        assert!(!hex.was_made_for_a_store());
        for wrong in ["", "secretsecret", &"0f".repeat(31), &"0f".repeat(33), &"0g".repeat(32), &"é".repeat(32), &STANDARD.encode([1; 33])]
        {
            let error = given(wrong).unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_command_prints_the_key_or_stops_the_start() {
        let none = Path::new("none");
        let command = |text: &str| find(&KeySource::Command(text.to_owned()), none);
        assert!(command(&format!("echo {}", "ab".repeat(32))).unwrap().is_some());
        assert!(matches!(command("exit 3"), Err(KeyError::Command { .. })));
        assert!(matches!(command("echo no key"), Err(KeyError::NotAKey { .. })));
        assert!(matches!(command(&format!("echo {}; exit 1", "ab".repeat(32))), Err(KeyError::Command { .. })));
    }
}
