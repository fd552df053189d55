//! `bailiwick ssh-keys`: what OpenSSH's `AuthorizedKeysCommand` runs to learn whose the key is that a client offers. It asks a running server over
//! HTTP, as a principal that may do nothing but `bailiwick:ListSSHKeys`: `sshd` runs it as a user without rights of its own, which must reach neither
//! the data directory nor its socket. `sshd` gives it no environment, so what it signs with can stand in a file.
//!
//! Each line that it prints is bound: `restrict`, and where a command is configured, that command and no other, with the key's id in it. A key that
//! two users have is nobody's, and prints nothing.
mod asking;
mod signing;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::{cli::SshKeysOptions as Question, config::Secret};

/// How long `sshd` is kept waiting. It ends a login itself after two minutes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
pub enum SshKeysError {
    /// The file cannot be used.
    #[error("{}: {why}", file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, without what is in it.
        why: String,
    },
    /// Something is said nowhere.
    #[error("{0} is said neither by a variable nor in a file named by --config")]
    Missing(&'static str),
    /// The question names no key and no user.
    #[error("--fingerprint, or --type with --key, or --user says whose keys")]
    NoQuestion,
    /// The server could not be asked.
    #[error("{endpoint}: {why}")]
    Unreachable {
        /// Who.
        endpoint: String,
        /// Why.
        why: String,
    },
    /// The server did not answer with keys.
    #[error("{endpoint} answers {status}: {words}")]
    Refused {
        /// Who.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
}

/// What the file holds.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    endpoint: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    ca_file: Option<PathBuf>,
    command: Option<String>,
}

/// Whom to ask, and as whom.
struct Settings {
    endpoint: String,
    ca_file: Option<PathBuf>,
    access_key_id: String,
    secret: Secret,
    token: Option<Secret>,
    command: Option<String>,
}

/// A key, as the server answers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    ssh_public_key_id: String,
    ssh_public_key: String,
    user_name: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

/// The lines of `authorized_keys`, one for each key.
///
/// # Errors
/// Why nobody could be asked, or what they answered.
pub async fn lines(question: &Question, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Vec<String>, SshKeysError> {
    let settings = settings(question, environment)?;
    let body = body(question)?;
    let unreachable = |why: String| SshKeysError::Unreachable { endpoint: settings.endpoint.clone(), why };
    let answer = tokio::time::timeout(PATIENCE, asking::post(&settings, &body))
        .await
        .map_err(|_| unreachable("no answer in time".into()))?
        .map_err(unreachable)?;
    if answer.status != 200 {
        let words = String::from_utf8_lossy(&answer.body).chars().filter(|c| !c.is_control()).take(500).collect();
        return Err(SshKeysError::Refused { endpoint: settings.endpoint.clone(), status: answer.status, words });
    }
    let Keys { keys } = serde_json::from_slice(&answer.body).map_err(|error| unreachable(error.to_string()))?;
    let names_one = question.fingerprint.is_some() || question.key.is_some();
    if names_one && keys.len() > 1 {
        return Ok(Vec::new());
    }
    Ok(keys.iter().filter_map(|key| line(key, settings.command.as_deref())).collect())
}

fn body(question: &Question) -> Result<Vec<u8>, SshKeysError> {
    let whole = question.kind.as_deref().zip(question.key.as_deref()).map(|(kind, key)| format!("{kind} {key}"));
    if whole.is_none() && question.fingerprint.is_none() && question.user.is_none() {
        return Err(SshKeysError::NoQuestion);
    }
    // The fingerprint is of the same key; the key itself says more.
    let fingerprint = question.fingerprint.as_deref().filter(|_| whole.is_none());
    let members = [("userName", question.user.as_deref()), ("sshPublicKey", whole.as_deref()), ("sshFingerprint", fingerprint)];
    let said: BTreeMap<&str, &str> = members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Ok(serde_json::to_vec(&said).unwrap_or_default())
}

/// One line. Nothing that a user chose is in it but a name as a comment; what does not look like a key is not printed.
fn line(key: &Key, command: Option<&str>) -> Option<String> {
    let plain = |text: &str, also: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte));
    let (kind, encoded) = key.ssh_public_key.split_once(' ')?;
    if !plain(&key.ssh_public_key_id, b"") || !plain(kind, b"-@.") || !plain(encoded, b"+/=") || !plain(&key.user_name, b"_+=,.@-") {
        return None;
    }
    let command = command.map(|command| {
        let command = command.replace("{id}", &key.ssh_public_key_id);
        format!(",command=\"{}\"", command.replace('"', "\\\""))
    });
    Some(format!("restrict{} {kind} {encoded} {}", command.unwrap_or_default(), key.user_name))
}

/// A variable wins over the file.
fn settings(question: &Question, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Settings, SshKeysError> {
    let mut said: BTreeMap<String, String> =
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let file = question.config.as_deref().map(read).transpose()?.unwrap_or_default();
    let mut either = |name: &str, file: Option<String>| said.remove(name).filter(|value| !value.is_empty()).or(file);
    let own_key = either("AWS_ACCESS_KEY_ID", None);
    // A token belongs to the key beside it.
    let token = either("AWS_SESSION_TOKEN", None).filter(|_| own_key.is_some()).map(Secret::new);
    let secret = either("AWS_SECRET_ACCESS_KEY", None).filter(|_| own_key.is_some());
    let (id, secret) = if own_key.is_some() { (own_key, secret) } else { (file.access_key_id, file.secret_access_key) };
    let endpoint = either("AWS_ENDPOINT_URL", file.endpoint).ok_or(SshKeysError::Missing("the endpoint"))?;
    Ok(Settings {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        ca_file: either("AWS_CA_BUNDLE", None).map(PathBuf::from).or(file.ca_file),
        access_key_id: id.ok_or(SshKeysError::Missing("the access key"))?,
        secret: secret.map(Secret::new).ok_or(SshKeysError::Missing("the secret access key"))?,
        token,
        command: question.command.clone().or(file.command),
    })
}

/// Reads a file that holds a secret, which nobody but its owner and its group may.
fn read(file: &Path) -> Result<File, SshKeysError> {
    let wrong = |why: String| SshKeysError::Config { file: file.to_owned(), why };
    let io = |error: io::Error| wrong(error.to_string());
    if fs::metadata(file).map_err(io)?.mode() & 0o027 != 0 {
        return Err(wrong("others than its owner and its group can read it, or others than its owner can change it".into()));
    }
    let text = Secret::new(fs::read_to_string(file).map_err(io)?);
    // The parser's own message shows the line that it stopped at.
    toml::from_str(text.expose()).map_err(|error: toml::de::Error| match error.span() {
        Some(span) => {
            wrong(format!("wrong near byte {}: endpoint, access_key_id, secret_access_key, ca_file and command are texts", span.start))
        }
        None => wrong("not TOML".into()),
    })
}

#[cfg(test)]
mod tests;
