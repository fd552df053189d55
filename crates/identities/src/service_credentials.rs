//! Service-specific credentials: a user name and a password, or an API key, that one service takes and no other.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html>.

use crate::names::NameKey;
use crate::sealing::Hashed;
use arn::{AccountId, UniqueId};
use serde::{Deserialize, Serialize};
use std::fmt;
use store::{KeyPart, Record};

/// A service that takes such credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CredentialService {
    /// Git over HTTPS: user name and password.
    #[serde(rename = "codecommit.amazonaws.com")]
    CodeCommit,
    /// Keyspaces: user name and password.
    #[serde(rename = "cassandra.amazonaws.com")]
    Cassandra,
    /// Bedrock: an API key.
    #[serde(rename = "bedrock.amazonaws.com")]
    Bedrock,
    /// CloudWatch Logs: an API key.
    #[serde(rename = "logs.amazonaws.com")]
    Logs,
}

impl CredentialService {
    /// All of them.
    pub const ALL: [CredentialService; 4] =
        [CredentialService::CodeCommit, CredentialService::Cassandra, CredentialService::Bedrock, CredentialService::Logs];

    /// The service with this name, whatever its case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            CredentialService::CodeCommit => "codecommit.amazonaws.com",
            CredentialService::Cassandra => "cassandra.amazonaws.com",
            CredentialService::Bedrock => "bedrock.amazonaws.com",
            CredentialService::Logs => "logs.amazonaws.com",
        }
    }

    /// What its API keys begin with; none for one that takes a user name and a password.
    pub const fn api_key_prefix(self) -> Option<&'static str> {
        match self {
            CredentialService::CodeCommit | CredentialService::Cassandra => None,
            CredentialService::Bedrock => Some("ABSK"),
            CredentialService::Logs => Some("ACWL"),
        }
    }
}

impl fmt::Display for CredentialService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl KeyPart for CredentialService {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// What a service knows the credential by: `alice-at-111122223333`, a user's second one `alice+1-at-111122223333`. It keeps its name when
/// its user gets another one, and is found whatever its case, as users are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialName(Box<str>);

/// The longest name, in bytes: 64 of a user, a number, the account.
const LONGEST: usize = 128;
const AT: &str = "-at-";

impl CredentialName {
    /// The name of a user's credential; `nth` is 0 for the first.
    pub fn new(user: &str, nth: usize, account: AccountId) -> Self {
        let number = if nth == 0 { String::new() } else { format!("+{nth}") };
        CredentialName(format!("{user}{number}{AT}{account}").into())
    }

    /// A name as a client shows it, and the account that it says it is of: which is where it is looked for, and nothing more.
    pub fn shown(text: &str) -> Option<(Self, AccountId)> {
        let (_, account) = text.rsplit_once(AT).filter(|_| text.len() <= LONGEST)?;
        Some((CredentialName(text.into()), account.parse().ok()?))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyPart for CredentialName {
    fn encode(&self, out: &mut Vec<u8>) {
        NameKey::of(&self.0).encode(out);
    }
}

/// One credential of a user's.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "service-credential", key = id, unique(by_name = (service, name)), index(by_user = user), sealed)]
pub struct ServiceCredentialRecord {
    /// `ACCA…`
    pub id: UniqueId,
    /// Whose it is.
    pub user: UniqueId,
    /// The only service that takes it.
    pub service: CredentialService,
    /// Unique in the account and the service.
    pub name: CredentialName,
    /// The password, or the secret part of the API key: it is only compared.
    pub secret: Hashed,
    /// An inactive one is as one that is not there.
    pub active: bool,
    /// Seconds since the epoch.
    pub created: i64,
    /// From when on it is as one that is not there, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl ServiceCredentialRecord {
    /// Whether it is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_account_at_its_end() {
        let account: AccountId = "111122223333".parse().unwrap();
        assert_eq!(CredentialName::new("alice", 0, account).as_str(), "alice-at-111122223333");
        assert_eq!(CredentialName::new("alice", 1, account).as_str(), "alice+1-at-111122223333");
        for name in ["alice-at-111122223333", "x-at-999999999999-at-111122223333", "-at-111122223333"] {
            assert_eq!(CredentialName::shown(name).unwrap().1, account, "{name}");
        }
        for none in
            ["alice", "alice-at-", "alice-at-11112222333", "alice-at-111122223333 ", &format!("{}-at-111122223333", "x".repeat(128))]
        {
            assert!(CredentialName::shown(none).is_none(), "{none}");
        }
    }

    #[test]
    fn a_name_is_found_whatever_its_case() {
        let (name, _) = CredentialName::shown("Alice-at-111122223333").unwrap();
        let (other, _) = CredentialName::shown("aLICE-at-111122223333").unwrap();
        assert_eq!(KeyPart::bytes(&name), KeyPart::bytes(&other));
    }

    #[test]
    fn a_service_is_named_in_any_case_and_is_one_of_four() {
        assert_eq!(CredentialService::named("CodeCommit.amazonaws.com"), Some(CredentialService::CodeCommit));
        assert_eq!(CredentialService::named("lambda.amazonaws.com"), None);
        for service in CredentialService::ALL {
            assert_eq!(serde_json::to_string(&service).unwrap(), format!("\"{service}\""));
        }
    }
}
