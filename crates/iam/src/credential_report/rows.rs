//! The rows of a credential report, a page of users at a time.

use crate::login_profiles::LoginProfileRecord;
use crate::password_policy::PasswordPolicyRecord;
use crate::signing_certificates::SigningCertificateRecord;
use arn::AccountId;
use identities::{AccessKeyRecord, AccountRecord, MfaDeviceRecord, Owner, UserRecord};
use operation::Outliving;
use std::fmt::Display;
use store::{Marker, Read, SHARED, StoreError, Tx};

/// Users that are read at once.
const USERS: usize = 500;
/// Access keys, and signing certificates, that a user may have.
const EACH: usize = 2;
const DAY: i64 = 24 * 60 * 60;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// Where a report has come to.
pub(super) struct Rows<'a> {
    at: &'a Outliving,
    account: AccountId,
    partition: String,
    /// Days after which a password is to be changed.
    max_age: Option<i64>,
    next: Next,
}

enum Next {
    Root,
    Users(Option<Marker>),
    Nothing,
}

/// What one user, or root, has.
struct Has {
    keys: Vec<AccessKeyRecord>,
    certificates: Vec<SigningCertificateRecord>,
    has_mfa: bool,
}

impl Has {
    async fn find(tx: &Tx<Read>, owner: &Owner) -> Result<Self, StoreError> {
        let keys = tx.in_account(SHARED).scan(AccessKeyRecord::BY_OWNER.of(owner), None, EACH, |_: &AccessKeyRecord| true).await?;
        let certificates = tx.scan(SigningCertificateRecord::BY_OWNER.of(owner), None, EACH, |_: &SigningCertificateRecord| true).await?;
        let (mut keys, mut certificates) = (keys.records, certificates.records);
        keys.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        certificates.sort_by_key(|certificate| (certificate.active, certificate.uploaded));
        let has_mfa = tx.count(MfaDeviceRecord::BY_OWNER.of(owner), 1).await? > 0;
        Ok(Has { keys, certificates, has_mfa })
    }
}

impl<'a> Rows<'a> {
    pub async fn new(at: &'a Outliving, account: AccountId) -> Result<Self, StoreError> {
        let partition = account.to_string();
        let policy = at.access.store.read(&partition, |tx| async move { tx.get::<PasswordPolicyRecord>(&account).await }).await?;
        let max_age = policy.and_then(|policy| policy.max_age);
        Ok(Rows { at, account, partition, max_age, next: Next::Root })
    }

    pub fn header(&self) -> String {
        format!("{HEADER}\n")
    }

    /// Adds some rows to `text`; `false` if there were no more.
    pub async fn more(&mut self, text: &mut String) -> Result<bool, StoreError> {
        self.at.rest().await;
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Root => {
                self.root(text).await?;
                self.next = Next::Users(None);
                Ok(true)
            }
            Next::Users(after) => {
                let next = self.users(after.as_ref(), text).await?;
                self.next = next.map_or(Next::Nothing, |next| Next::Users(Some(next)));
                Ok(true)
            }
            Next::Nothing => Ok(false),
        }
    }

    async fn root(&self, text: &mut String) -> Result<(), StoreError> {
        let account = self.account;
        let read = |tx: Tx<Read>| async move {
            let record = tx.in_account(SHARED).get::<AccountRecord>(&account).await?;
            Ok::<_, StoreError>((record, Has::find(&tx, &Owner { account, user: None }).await?))
        };
        let (record, has) = self.at.access.store.read(&self.partition, read).await?;
        let mut row = Row(text);
        row.put("<root_account>").put(format_args!("arn:aws:iam::{account}:root"));
        row.time(record.map(|record| record.created), "N/A").put("not_supported");
        let used = self.password_used(&account).await?;
        row.time(used, "no_information").put("not_supported").put("not_supported");
        self.credentials(&mut row, &has).await
    }

    async fn users(&self, after: Option<&Marker>, text: &mut String) -> Result<Option<Marker>, StoreError> {
        let account = self.account;
        let read = |tx: Tx<Read>| async move {
            let page = tx.scan(UserRecord::BY_NAME.all(), after, USERS, |_: &UserRecord| true).await?;
            let mut users = Vec::with_capacity(page.records.len());
            for user in page.records {
                let profile = tx.get::<LoginProfileRecord>(&user.id).await?;
                let has = Has::find(&tx, &Owner { account, user: Some(user.id.clone()) }).await?;
                users.push((user, profile, has));
            }
            Ok::<_, StoreError>((users, page.next))
        };
        let (users, next) = self.at.access.store.read(&self.partition, read).await?;
        for (user, profile, has) in &users {
            let mut row = Row(text);
            row.put(&user.name).put(user.arn(account)).time(Some(user.created), "N/A").put(profile.is_some());
            match profile {
                Some(profile) => {
                    row.time(self.password_used(&user.id).await?, "no_information").time(Some(profile.changed), "N/A");
                    row.time(self.max_age.map(|days| profile.changed.saturating_add(days.saturating_mul(DAY))), "N/A");
                }
                None => {
                    row.put("N/A").put("N/A").put("N/A");
                }
            }
            self.credentials(&mut row, has).await?;
        }
        Ok(next)
    }

    async fn password_used(&self, id: &impl Display) -> Result<Option<i64>, StoreError> {
        Ok(self.at.last_used.of(&self.at.access.store, &format!("password {id}")).await?.map(|used| used.at))
    }

    /// The columns that root has as users have.
    async fn credentials(&self, row: &mut Row<'_>, has: &Has) -> Result<(), StoreError> {
        row.put(has.has_mfa);
        for nth in 0..EACH {
            let Some(key) = has.keys.get(nth) else {
                row.put(false).put("N/A").put("N/A").put("N/A").put("N/A");
                continue;
            };
            row.put(key.active).time(Some(key.created), "N/A");
            match self.at.last_used.of(&self.at.access.store, key.id.as_str()).await? {
                Some(used) => row.time(Some(used.at), "N/A").put(used.region).put(used.service),
                None => row.put("N/A").put("N/A").put("N/A"),
            };
        }
        for nth in 0..EACH {
            match has.certificates.get(nth) {
                Some(certificate) => row.put(certificate.active).time(Some(certificate.uploaded), "N/A"),
                None => row.put(false).put("N/A"),
            };
        }
        row.end();
        Ok(())
    }
}

/// A row that is being written.
struct Row<'t>(&'t mut String);

impl Row<'_> {
    /// A field. A name may have a comma, and nothing else that CSV must quote.
    fn put(&mut self, value: impl Display) -> &mut Self {
        let start = self.0.len();
        // Writing to a string does not fail.
        let _ = std::fmt::Write::write_fmt(self.0, format_args!("{value},"));
        let field = self.0.get(start..self.0.len() - 1).unwrap_or_default();
        if field.contains(',') {
            let quoted = format!("\"{field}\",");
            self.0.truncate(start);
            self.0.push_str(&quoted);
        }
        self
    }

    /// A time, or `instead`.
    fn time(&mut self, seconds: Option<i64>, instead: &str) -> &mut Self {
        match seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            Some(time) => self.put(time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => self.put(instead),
        }
    }

    fn end(&mut self) {
        self.0.pop();
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_aws_writes() {
        let mut text = String::new();
        let mut row = Row(&mut text);
        row.put("alice").put(true).time(Some(1_767_323_045), "N/A").time(None, "no_information");
        row.end();
        assert_eq!(text, "alice,true,2026-01-02T03:04:05Z,no_information\n");
    }

    #[test]
    fn a_comma_in_a_name_is_quoted() {
        let mut text = String::new();
        let mut row = Row(&mut text);
        row.put("a,b").put("arn:aws:iam::111122223333:user/a,b").put(false);
        row.end();
        assert_eq!(text, "\"a,b\",\"arn:aws:iam::111122223333:user/a,b\",false\n");
    }

    #[test]
    fn every_column_has_a_name() {
        assert_eq!(HEADER.split(',').count(), 22);
        assert!(HEADER.split(',').all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')));
    }
}
