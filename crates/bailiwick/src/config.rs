//! Configuration: an option wins over a variable of the environment, that over the file named by `--config`, that over the default.
//!
//! [`keys::KEYS`] is the table that options, variables, the file's keys and docs/configuration.md come from. Whatever is
//! unknown or wrong stops the start, all of it told at once, and no message repeats a secret.
mod first;
pub mod keys;
mod layers;
mod secret;
mod values;

use std::{collections::BTreeMap, ffi::OsString, fmt, io, net::SocketAddr, path::PathBuf};

pub use self::{
    first::{FirstAccount, Named},
    layers::Source,
    secret::Secret,
    values::Listen,
};
use self::{
    keys::{KEYS, Key, Kind},
    layers::Layers,
    values::Values,
};

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable that no key has.
    #[error("{name}: there is no such setting{}", hint(name))]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A key in the file that does not exist, or may not stand in a file.
    #[error("{}, line {line}: {key}: there is no such key", file.display())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A file cannot be read.
    #[error("{}: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not TOML.
    #[error("{}, line {line}: {why}", file.display())]
    NotToml {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// A value that the key does not take.
    #[error("{by}{}: {why}", Shown(value))]
    Invalid {
        /// Who set it.
        by: Box<Source>,
        /// The value, where it is no secret.
        value: Option<String>,
        /// What is wrong with it.
        why: String,
    },
    /// What stands in the file that a value names is not what the key takes.
    #[error("{by}: {}: {why}", file.display())]
    InvalidFile {
        /// Who named the file.
        by: Box<Source>,
        /// The file.
        file: PathBuf,
        /// What is wrong with what it holds.
        why: String,
    },
    /// One thing said twice.
    #[error("{one} and {other}: only one of them can be set")]
    Twice {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// A key that makes no sense without another one.
    #[error("{given} needs {} too", missing.name)]
    Half {
        /// Who set the one.
        given: String,
        /// The one that is missing.
        missing: &'static Key,
    },
    /// Secrets would cross a network in the clear.
    #[error("{listen} is not a loopback address: give `tls_cert` and `tls_key`, or say `plaintext` if something in front ends TLS")]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
}

/// `: "value"`, or nothing.
struct Shown<'a>(&'a Option<String>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, ": {value:?}"),
            None => Ok(()),
        }
    }
}

/// Kubernetes makes such variables up for a Service named `bailiwick`, and nobody who sees them knows why.
fn hint(name: &str) -> &'static str {
    if name.contains("_SERVICE_") || name.starts_with("BAILIWICK_PORT") {
        " (Kubernetes sets it for a Service of that name: say `enableServiceLinks: false` in the pod)"
    } else {
        ""
    }
}

/// All that is wrong with a configuration, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// Where the master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `master.key` in the data directory.
    DataDir,
    /// A file elsewhere.
    File(PathBuf),
    /// Given as a text.
    Given(Secret),
    /// What a command prints.
    Command(String),
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The two files of a TLS server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate and chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// The audit trail's sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailSizes {
    /// Where a file ends.
    pub rotate: u64,
    /// Where the oldest file goes.
    pub total: u64,
}

/// The most of each that an account may have; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Users.
    pub users: Option<u32>,
    /// Groups.
    pub groups: Option<u32>,
    /// Roles.
    pub roles: Option<u32>,
    /// Customer managed policies.
    pub policies: Option<u32>,
    /// Instance profiles.
    pub instance_profiles: Option<u32>,
    /// Accounts, of one organization.
    pub accounts: Option<u32>,
    /// Server certificates.
    pub server_certificates: Option<u32>,
    /// SAML identity providers.
    pub saml_providers: Option<u32>,
    /// OpenID Connect identity providers.
    pub oidc_providers: Option<u32>,
}

/// The configuration, every value parsed.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where to listen.
    pub listen: Listen,
    /// Whether a listen address that is not loopback does without TLS.
    pub plaintext: bool,
    /// TLS.
    pub tls: Option<TlsFiles>,
    /// Connections at once.
    pub max_connections: usize,
    /// The master key.
    pub master_key: KeySource,
    /// The log's form.
    pub log_format: LogFormat,
    /// How much is logged.
    pub log_level: tracing::Level,
    /// The audit trail.
    pub trail: TrailSizes,
    /// For how many days the past is kept.
    pub history_days: u32,
    /// Limits of accounts.
    pub quotas: Quotas,
    first: first::Settings,
    shown: Vec<Line>,
}

/// A key as `config check` shows it.
#[derive(Debug, Clone)]
struct Line {
    key: &'static Key,
    value: Option<String>,
    source: Source,
}

impl Config {
    /// Reads options, environment and file.
    ///
    /// # Errors
    /// Everything that is wrong, not just the first.
    pub fn read(
        options: &BTreeMap<&'static str, String>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Config, ConfigErrors> {
        let mut errors = Vec::new();
        let layers = Layers::read(options, environment, &mut errors);
        let config = parse(&layers, &mut errors);
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            _ => Err(ConfigErrors(errors)),
        }
    }

    /// The addresses to listen on.
    ///
    /// # Errors
    /// Where there is none, or one is not loopback and secrets would cross a network in the clear.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, ConfigError> {
        let addresses = self.listen.resolve()?;
        let open = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback());
        match open {
            Some(listen) if self.tls.is_none() && !self.plaintext => Err(ConfigError::NotLoopback { listen: *listen }),
            Some(_) | None => Ok(addresses),
        }
    }

    /// How long the store's history is kept.
    #[must_use]
    pub fn history(&self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.history_days) * 86_400)
    }

    /// Whether the first account's root key is said, so that nobody needs to be shown one.
    #[must_use]
    pub fn names_root_key(&self) -> bool {
        self.first.names_key()
    }

    /// What is said about the first account. Only where the store is empty is an error in it a reason to stop.
    ///
    /// # Errors
    /// Where a value is wrong or its file cannot be read.
    pub fn first_account(&self) -> Result<FirstAccount, ConfigError> {
        self.first.read()
    }
}

/// The effective configuration in the file's form, without secrets, each line with who set it.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { key, value, source } in &self.shown {
            match (value, source) {
                (None, Source::Default) => writeln!(f, "# {} is not set", key.name)?,
                (None, source) => writeln!(f, "# {} is set and not shown ({source})", key.name)?,
                (Some(value), source) if key.in_file() => writeln!(f, "{} = {value} # {source}", key.name)?,
                (Some(value), source) => writeln!(f, "# {} = {value} ({source})", key.name)?,
            }
        }
        Ok(())
    }
}

fn shown(layers: &Layers) -> Vec<Line> {
    let line = |key: &&'static Key| {
        let (text, source) = match (layers.get(key), key.default) {
            (Some(given), _) => (Some(given.value.expose()), given.source.clone()),
            (None, default) => (default, Source::Default),
        };
        let value = text.filter(|_| !key.secret).map(|text| match key.kind {
            Kind::Number | Kind::Flag => text.to_owned(),
            Kind::Text | Kind::Path | Kind::Size | Kind::Choice(_) => toml::Value::String(text.to_owned()).to_string(),
        });
        Line { key, value, source }
    };
    KEYS.iter().map(line).collect()
}

fn parse(layers: &Layers, errors: &mut Vec<ConfigError>) -> Option<Config> {
    let first = first::Settings::new(layers, errors);
    let mut values = Values { layers, errors };
    values.path(&keys::CONFIG);
    let data_dir = values.path(&keys::DATA_DIR);
    let listen = values.parsed(&keys::LISTEN, Listen::parse);
    let plaintext = values.flag(&keys::PLAINTEXT);
    let tls = match (values.path(&keys::TLS_CERT), values.path(&keys::TLS_KEY)) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            values.half(&keys::TLS_CERT, &keys::TLS_KEY);
            None
        }
        (None, Some(_)) => {
            values.half(&keys::TLS_KEY, &keys::TLS_CERT);
            None
        }
    };
    let max_connections = values.number(&keys::MAX_CONNECTIONS, 1, 100_000);
    let master_key = master_key(&mut values);
    let log_format = values.choice(&keys::LOG_FORMAT, &[LogFormat::Text, LogFormat::Json]);
    let log_level = values.choice(
        &keys::LOG_LEVEL,
        &[tracing::Level::ERROR, tracing::Level::WARN, tracing::Level::INFO, tracing::Level::DEBUG, tracing::Level::TRACE],
    );
    let rotate = values.size(&keys::TRAIL_ROTATE_SIZE, 1 << 20, 4 << 30);
    let total = values.size(&keys::TRAIL_TOTAL_SIZE, rotate.unwrap_or(1 << 20) * 2, 1 << 50);
    let history_days = values.number(&keys::HISTORY_DAYS, 1, 36_500);
    let mut quota = |key| values.number(key, 0, u32::MAX);
    let quotas = Quotas {
        users: quota(&keys::QUOTA_USERS),
        groups: quota(&keys::QUOTA_GROUPS),
        roles: quota(&keys::QUOTA_ROLES),
        policies: quota(&keys::QUOTA_POLICIES),
        instance_profiles: quota(&keys::QUOTA_INSTANCE_PROFILES),
        accounts: quota(&keys::QUOTA_ACCOUNTS),
        server_certificates: quota(&keys::QUOTA_SERVER_CERTIFICATES),
        saml_providers: quota(&keys::QUOTA_SAML_PROVIDERS),
        oidc_providers: quota(&keys::QUOTA_OIDC_PROVIDERS),
    };
    Some(Config {
        data_dir: data_dir?,
        listen: listen?,
        plaintext: plaintext?,
        tls,
        max_connections: usize::try_from(max_connections?).ok()?,
        master_key,
        log_format: log_format?,
        log_level: log_level?,
        trail: TrailSizes { rotate: rotate?, total: total? },
        history_days: history_days?,
        quotas,
        first,
        shown: shown(layers),
    })
}

/// One of the three places for the master key, or none.
fn master_key(values: &mut Values<'_>) -> KeySource {
    let set: Vec<&'static Key> = [&keys::MASTER_KEY, &keys::MASTER_KEY_FILE, &keys::MASTER_KEY_COMMAND]
        .into_iter()
        .filter(|key| values.layers.get(key).is_some())
        .collect();
    if let [one, other, ..] = set.as_slice() {
        values.twice(one, other);
    }
    let text = values.text(&keys::MASTER_KEY).map(|text| KeySource::Given(Secret::new(text)));
    let file = values.path(&keys::MASTER_KEY_FILE).map(KeySource::File);
    let command = values.text(&keys::MASTER_KEY_COMMAND).map(KeySource::Command);
    text.or(file).or(command).unwrap_or(KeySource::DataDir)
}

#[cfg(test)]
mod tests;
