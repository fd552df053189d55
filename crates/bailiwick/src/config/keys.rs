//! Every key of the configuration, in one table: options, variables, the file's keys and docs/configuration.md come from it.

/// Prefix of the environment's variables.
pub const PREFIX: &str = "BAILIWICK_";

/// What a key's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A path; a relative one is relative to where the process was started.
    Path,
    /// `true` or `false`. As an option it takes no value.
    Flag,
    /// A whole number.
    Number,
    /// A number of bytes: `1048576`, `64MiB`, `2GiB`.
    Size,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// Where a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// Option, environment and file.
    All,
    /// Environment and file. Options are visible to every user of a machine, so a secret is never one.
    NoOption,
    /// Option and environment: it says where the file is.
    NoFile,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The name in the file. The option is `--` and the name with `-` for `_`; the variable is [`PREFIX`] and the name in capitals.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The value where nothing is said, as one would write it.
    pub default: Option<&'static str>,
    /// Where it may be set.
    pub places: Places,
    /// Whether its value is never shown.
    pub secret: bool,
    /// Whether it is about the data directory or the logs, so that every command that opens the directory takes its option, not only `serve`.
    pub everywhere: bool,
    /// What it does, in one sentence or two.
    pub help: &'static str,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, default: Option<&'static str>, help: &'static str) -> Key {
        Key { name, kind, default, places: Places::All, secret: false, everywhere: false, help }
    }

    const fn everywhere(mut self) -> Key {
        self.everywhere = true;
        self
    }

    const fn secret(mut self) -> Key {
        self.secret = true;
        self.places = Places::NoOption;
        self
    }

    const fn only(mut self, places: Places) -> Key {
        self.places = places;
        self
    }

    /// The option, without its dashes.
    #[must_use]
    pub fn option(&self) -> Option<String> {
        match self.places {
            Places::All | Places::NoFile => Some(self.name.replace('_', "-")),
            Places::NoOption => None,
        }
    }

    /// The environment's variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// Whether the file may hold it.
    #[must_use]
    pub fn in_file(&self) -> bool {
        match self.places {
            Places::All | Places::NoOption => true,
            Places::NoFile => false,
        }
    }
}

macro_rules! keys {
    ($($name:ident = $key:expr;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`: see its help.")] pub const $name: Key = $key;)*
        /// The table.
        pub const KEYS: &[&Key] = &[$(&$name),*];
    };
}

keys! {
    CONFIG = Key::new("config", Kind::Path, None, "A TOML file with any of the keys below. An option wins over a variable, and a variable over the file.")
        .only(Places::NoFile)
        .everywhere();
    DATA_DIR = Key::new("data_dir", Kind::Path, Some("./data"), "The directory that holds everything: the store, its master key, the audit trail. It is made at the first start, for its owner only.").everywhere();
    LISTEN = Key::new("listen", Kind::Text, Some("127.0.0.1:7650"), "HOST:PORT to listen on. Port 0 takes a free one, which the log names. An address that is not loopback needs TLS, or `plaintext`.");
    PLAINTEXT = Key::new("plaintext", Kind::Flag, Some("false"), "Listen without TLS on an address that is not loopback, for example behind a proxy that ends TLS. Secret keys are not sent by clients, but answers hold them.");
    TLS_CERT = Key::new("tls_cert", Kind::Path, None, "PEM file with the server's certificate and its chain. Needs `tls_key`. SIGHUP reads both again.");
    TLS_KEY = Key::new("tls_key", Kind::Path, None, "PEM file with the certificate's private key.");
    MAX_CONNECTIONS = Key::new("max_connections", Kind::Number, Some("4096"), "Connections at once, from 1 to 100000; more wait in the system's queue. Each needs a file descriptor (`ulimit -n`).");
    MASTER_KEY = Key::new("master_key", Kind::Text, None, "The master key itself: 32 bytes as 64 hexadecimal digits or as base64. Whoever sets it keeps it: Bailiwick then writes no key anywhere.").secret().everywhere();
    MASTER_KEY_FILE = Key::new("master_key_file", Kind::Path, None, "The file with the master key, instead of `master.key` in the data directory. The first start makes it where it does not exist.").everywhere();
    MASTER_KEY_COMMAND = Key::new("master_key_command", Kind::Text, None, "A command, run by `sh -c` at each start, whose standard output is the master key, for example from a vault.").everywhere();
    ACCOUNT_ID = Key::new("account_id", Kind::Text, None, "The 12 digits of the first account. Read only while the store is empty, as all `root_…` keys are; drawn at random where not given.");
    ACCOUNT_ID_FILE = Key::new("account_id_file", Kind::Path, None, "A file that holds `account_id`.");
    ROOT_EMAIL = Key::new("root_email", Kind::Text, None, "The e-mail address of the first account's root user.");
    ROOT_EMAIL_FILE = Key::new("root_email_file", Kind::Path, None, "A file that holds `root_email`.");
    ROOT_PASSWORD = Key::new("root_password", Kind::Text, None, "The password of the first account's root user.").secret();
    ROOT_PASSWORD_FILE = Key::new("root_password_file", Kind::Path, None, "A file that holds `root_password`.");
    ROOT_ACCESS_KEY_ID = Key::new("root_access_key_id", Kind::Text, None, "The id of the first account's root access key: 16 to 128 letters of ASCII, digits and underscores. Needs `root_secret_access_key`.");
    ROOT_ACCESS_KEY_ID_FILE = Key::new("root_access_key_id_file", Kind::Path, None, "A file that holds `root_access_key_id`.");
    ROOT_SECRET_ACCESS_KEY = Key::new("root_secret_access_key", Kind::Text, None, "The secret of the first account's root access key: 40 characters or more without white space. Needs `root_access_key_id`.").secret();
    ROOT_SECRET_ACCESS_KEY_FILE = Key::new("root_secret_access_key_file", Kind::Path, None, "A file that holds `root_secret_access_key`.");
    LOG_FORMAT = Key::new("log_format", Kind::Choice(&["text", "json"]), Some("text"), "The form of the log on standard error: `text` or `json`, one event a line.").everywhere();
    LOG_LEVEL = Key::new("log_level", Kind::Choice(&["error", "warn", "info", "debug", "trace"]), Some("info"), "How much is logged: `error`, `warn`, `info`, `debug` or `trace`. Libraries never log more than warnings, since they do not know what is secret.").everywhere();
    TRAIL_ROTATE_SIZE = Key::new("trail_rotate_size", Kind::Size, Some("64MiB"), "When a file of the audit trail has this size, the next one begins; from 1MiB to 4GiB.");
    TRAIL_TOTAL_SIZE = Key::new("trail_total_size", Kind::Size, Some("2GiB"), "When the audit trail's files have this size together, the oldest is deleted. At least twice `trail_rotate_size`.");
    HISTORY_DAYS = Key::new("history_days", Kind::Number, Some("400"), "For how many days the store remembers past states, from which `explain` answers; from 1 to 36500.");
    QUOTA_USERS = Key::new("quota_users", Kind::Number, None, "The most users an account may have. Like the quotas after it: without a value there is no limit, and GetAccountSummary reports AWS's number.");
    QUOTA_GROUPS = Key::new("quota_groups", Kind::Number, None, "The most groups an account may have.");
    QUOTA_ROLES = Key::new("quota_roles", Kind::Number, None, "The most roles an account may have.");
    QUOTA_POLICIES = Key::new("quota_policies", Kind::Number, None, "The most customer managed policies an account may have.");
    QUOTA_INSTANCE_PROFILES = Key::new("quota_instance_profiles", Kind::Number, None, "The most instance profiles an account may have.");
    QUOTA_ACCOUNTS = Key::new("quota_accounts", Kind::Number, None, "The most accounts an organization may have. AWS allows 10 at first.");
    QUOTA_SERVER_CERTIFICATES = Key::new("quota_server_certificates", Kind::Number, None, "The most server certificates an account may have.");
    QUOTA_SAML_PROVIDERS = Key::new("quota_saml_providers", Kind::Number, None, "The most SAML identity providers an account may have. AWS allows 100.");
    QUOTA_OIDC_PROVIDERS = Key::new("quota_oidc_providers", Kind::Number, None, "The most OpenID Connect identity providers an account may have. AWS allows 100.");
}
