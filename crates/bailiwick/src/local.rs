//! The commands of the one who owns the data directory: accounts, explanations, backup, check.
//!
//! A command locks the directory and does its work itself, or, where a server holds the lock, sends it to that server
//! through a Unix socket in the directory; so there is never a second writer. The protocol is one line of JSON each way, and a line before
//! the answer whenever there is something to tell of how far it is. Directory
//! (0700), socket (0600) and the user id of the other end all say that only the owner speaks here.
mod socket;

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use arn::{AccessKeyId, AccountId, Arn};
use foresight::{Abilities, Forecast, Progress, Wish};
use identities::{ServiceHost, ServiceName};
use serde::{Deserialize, Serialize};

pub use self::socket::Socket;
use crate::{
    config::Secret,
    data_dir::{DataDir, DataDirError},
};

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LocalCommand {
    /// Makes an account.
    AccountCreate {
        /// Its name.
        name: String,
        /// Its root user's e-mail address.
        email: String,
        /// Its 12 digits; made up where not given.
        id: Option<AccountId>,
    },
    /// Lists all accounts.
    AccountList,
    /// Replaces the access keys of an account's root user by a new one.
    AccountResetRoot {
        /// The account.
        id: AccountId,
    },
    /// Shows the code that an account's new e-mail address waits for.
    AccountEmailCode {
        /// The account.
        id: AccountId,
    },
    /// Shows the code that the telephone of an account's contact waits for.
    AccountPhoneCode {
        /// The account.
        id: AccountId,
    },
    /// Registers a service that calls others for its callers.
    ServiceAdd {
        /// What policies call it.
        name: ServiceName,
        /// Where it is reached; its own name, if nothing is said.
        hosts: Vec<ServiceHost>,
    },
    /// Lists the registered services.
    ServiceList,
    /// Ends a service's keys, and gives it a new one.
    ServiceResetKey {
        /// The service.
        name: ServiceName,
    },
    /// Ends a service, its keys and its delegations.
    ServiceRemove {
        /// The service.
        name: ServiceName,
    },
    /// Keeps a policy template for a product.
    TemplateAdd {
        /// What requests name it by.
        arn: Arn,
        /// Its text.
        document: String,
        /// The product's account.
        product: AccountId,
    },
    /// Lists the policy templates.
    TemplateList,
    /// Ends a policy template.
    TemplateRemove {
        /// The template.
        arn: Arn,
    },
    /// Tells all about one decision.
    Explain {
        /// The id of the request, as its answer named it.
        request_id: String,
    },
    /// Copies the store, while it is in use, to a file that does not exist yet.
    Backup {
        /// The file; absolute, since the server has another working directory.
        file: PathBuf,
    },
    /// Reads the whole store and says what is wrong with it.
    Check,
    /// Makes the recorded decisions again under changed policies.
    WhatIf {
        /// The change.
        change: Wish,
        /// Since when, in seconds before now.
        since_seconds: i64,
        /// Whose decisions; none is everybody's.
        account: Option<AccountId>,
    },
    /// Lists who can do one thing.
    WhoCan {
        /// The action.
        action: String,
        /// The resource.
        resource: String,
        /// Who owns it.
        resource_account: Option<AccountId>,
        /// The text of its policy.
        resource_policy: Option<String>,
        /// As of when, in seconds since the epoch.
        at: Option<i64>,
        /// Whose principals; none is everybody's.
        account: Option<AccountId>,
    },
}

/// A root user's new access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootKey {
    /// The account.
    pub account: AccountId,
    /// The id of the key.
    pub access_key_id: AccessKeyId,
    /// Its secret.
    #[serde(with = "exposed")]
    pub secret_access_key: Secret,
}

/// What an address or a telephone of an account waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OneTimeCode {
    /// The address or the number.
    pub to: String,
    /// The code for whoever is reached there.
    #[serde(with = "exposed")]
    pub code: Secret,
}

/// A service's new access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceKey {
    /// The service.
    pub service: ServiceName,
    /// The id of the key.
    pub access_key_id: AccessKeyId,
    /// Its secret.
    #[serde(with = "exposed")]
    pub secret_access_key: Secret,
}

/// A service as `service list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceLine {
    /// What policies call it.
    pub name: ServiceName,
    /// Where it is reached.
    pub hosts: Vec<ServiceHost>,
}

/// A policy template as `template list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateLine {
    /// What requests name it by.
    pub arn: Arn,
    /// The product's account.
    pub product: AccountId,
}

/// An account as `account list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountLine {
    /// Its 12 digits.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its root user's e-mail address.
    pub email: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LocalAnswer {
    /// To [`LocalCommand::AccountCreate`].
    AccountCreated(RootKey),
    /// To [`LocalCommand::AccountList`].
    Accounts(Vec<AccountLine>),
    /// To [`LocalCommand::AccountResetRoot`].
    RootReset(RootKey),
    /// To [`LocalCommand::AccountEmailCode`] and [`LocalCommand::AccountPhoneCode`].
    OneTimeCode(OneTimeCode),
    /// To [`LocalCommand::ServiceAdd`] and [`LocalCommand::ServiceResetKey`].
    ServiceKeyed(ServiceKey),
    /// To [`LocalCommand::ServiceList`].
    Services(Vec<ServiceLine>),
    /// To [`LocalCommand::ServiceRemove`].
    ServiceRemoved,
    /// To [`LocalCommand::TemplateAdd`].
    TemplateKept,
    /// To [`LocalCommand::TemplateList`].
    Templates(Vec<TemplateLine>),
    /// To [`LocalCommand::TemplateRemove`].
    TemplateRemoved,
    /// To [`LocalCommand::Explain`].
    Explained(serde_json::Value),
    /// To [`LocalCommand::Backup`].
    BackedUp {
        /// The size of the file, in bytes.
        bytes: u64,
        /// The store's revision that it holds.
        revision: i64,
    },
    /// To [`LocalCommand::Check`].
    Checked {
        /// How many records were read.
        records: u64,
        /// What is wrong; nothing where the store is sound.
        problems: Vec<String>,
    },
    /// To [`LocalCommand::WhatIf`].
    Foreseen(Box<Forecast>),
    /// To [`LocalCommand::WhoCan`].
    Able(Abilities),
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// The command says something that cannot be.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// What it would make exists.
    Exists,
    /// Something failed.
    Failed,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[error("{message}")]
pub struct LocalError {
    /// What it is about.
    pub kind: ErrorKind,
    /// In words, without secrets.
    pub message: String,
}

impl LocalError {
    /// An error in words.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> LocalError {
        LocalError { kind, message: message.into() }
    }
}

/// Hears how far a command is.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// Who carries commands out.
pub trait Commands: Send + Sync + 'static {
    /// Carries one out, and tells how far it is where that takes long. It is not cut off when the one who asked goes away.
    fn run(&self, command: LocalCommand, tell: Tell) -> impl Future<Output = Result<LocalAnswer, LocalError>> + Send;
}

/// How long a directory may be locked by someone who does not listen: a server that starts or stops, or another command.
const PATIENCE: Duration = Duration::from_secs(20);

/// Carries a command out: through the server that has the directory, or by opening the store.
///
/// # Errors
/// What the command answers, or why neither way was open.
pub async fn run<C: Commands>(
    path: &std::path::Path,
    command: LocalCommand,
    tell: Tell,
    open: impl AsyncFnOnce(DataDir) -> Result<C, LocalError>,
) -> Result<LocalAnswer, LocalError> {
    let failed = |error: &dyn std::fmt::Display| LocalError::new(ErrorKind::Failed, error.to_string());
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        match DataDir::existing(path) {
            Ok(dir) => return open(dir).await?.run(command, tell).await,
            Err(DataDirError::Busy { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        match socket::ask(path, &command, &tell).await {
            Ok(answer) => return answer,
            // A server that starts has no socket yet, one that stops has none any more, and another command never has one.
            Err(error) if error.is_absence() && tokio::time::Instant::now() < end => {}
            Err(error) => return Err(failed(&error)),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A secret on its way through the socket: the one place where one is written out.
mod exposed {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::config::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
