//! Accounts: the boundary of everything. Each has a root user, who has no record of its own: the account is its identity.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html>. Accounts are kept in the shared partition.

use crate::passwords::PasswordHash;
use arn::AccountId;
use serde::{Deserialize, Serialize};
use std::fmt;
use store::{KeyPart, Record};

/// The name that stands for an account's number in sign-in addresses: unique among all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountAlias(Box<str>);

impl AccountAlias {
    /// `text`, if it is 3 to 63 of `[a-z0-9-]`, with no hyphen first, last or twice in a row.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (3..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        fits.then(|| AccountAlias(text.into()))
    }

    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyPart for AccountAlias {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

/// Under which name the store remembers the account that it was begun with: the operator's own.
pub const FIRST_ACCOUNT: &str = "first-account";

/// The address of an account's root user: one address whatever its case, and no two accounts have one.
/// Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Email {
    fn from(address: String) -> Self {
        Email(address)
    }
}

impl From<&str> for Email {
    fn from(address: &str) -> Self {
        Email(address.to_owned())
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyPart for Email {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.to_lowercase().encode(out);
    }
}

/// Whether an account's principals are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// They are.
    Active,
    /// None is, root included.
    Suspended,
}

/// One account.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account", key = id, index(by_alias = alias, by_email = email))]
pub struct AccountRecord {
    /// Its twelve digits.
    pub id: AccountId,
    /// What the operator calls it.
    pub name: String,
    /// The root user's e-mail address.
    pub email: Email,
    /// Its alias, if it has one.
    pub alias: Option<AccountAlias>,
    /// Whether it is served.
    pub status: AccountStatus,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
    /// Whether each of its users may change their own password, whatever their policies allow: its password policy says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub users_may_change_password: bool,
    /// The root user's password, if one was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_password: Option<PasswordHash>,
    /// Since when root may set itself a password by its e-mail address, if it may, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_recovery: Option<i64>,
}

impl AccountRecord {
    /// Since when root has a password, or may have one; `None` if it may not sign in.
    pub fn root_login(&self) -> Option<i64> {
        self.root_recovery.or_else(|| self.root_password.as_ref().map(|_| self.created))
    }

    /// A new account that is served, without alias and without a root password.
    pub fn new(id: AccountId, name: impl Into<String>, email: impl Into<Email>, created: i64) -> Self {
        AccountRecord {
            id,
            name: name.into(),
            email: email.into(),
            alias: None,
            status: AccountStatus::Active,
            created,
            users_may_change_password: false,
            root_password: None,
            root_recovery: None,
        }
    }
}
