//! The address of an account's root user, and changing it: who wants another one has to show a code that only whoever owns the new address
//! should get (`bailiwick account email-code`; see `codes`). Rules:
//! <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-root-user-email.html>.

use crate::codes::{self, GOOD_FOR, Otp, PendingCode, begin_try, sealed_code};
use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use arn::AccountId;
use identities::{AccountRecord, Email, Keyring, Place, Sealed, SealingError};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{Mode, Read, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Account> = &[
    handler::<GetPrimaryEmail>(),
    handler::<StartPrimaryEmailUpdate>(),
    handler::<AcceptPrimaryEmailUpdate>(),
    handler::<GetPrimaryEmailUpdateStatus>(),
];

/// The address of a root user.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 5, max = 64, quiet)]
pub(crate) struct PrimaryEmail(Box<str>);

impl PrimaryEmail {
    /// What is behind the `@`, if it is an address: all that the model asks for is its length.
    fn domain(&self) -> Option<&str> {
        let (user, domain) = self.as_str().rsplit_once('@')?;
        let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
        let whole = plain(user) && plain(domain) && domain.split('.').count() > 1 && domain.split('.').all(|part| !part.is_empty());
        whole.then_some(domain)
    }

    fn email(&self) -> Email {
        self.as_str().into()
    }
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum UpdateStatus {
    /// The code was not shown yet.
    Pending,
    /// It was, and the address is the new one.
    Accepted,
}

/// The last change of an account's address, kept in the account's partition.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-email-update", key = account, sealed)]
pub(crate) struct EmailUpdateRecord {
    /// Whose.
    pub account: AccountId,
    /// The new address.
    pub email: Email,
    /// How far.
    pub status: UpdateStatus,
    /// Since when, in seconds since the epoch.
    pub at: i64,
    /// The code, until it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Sealed>,
}

impl EmailUpdateRecord {
    /// The code, if it can still be shown.
    fn code(&self, keyring: &Keyring, now: i64) -> Result<Option<Zeroizing<Vec<u8>>>, SealingError> {
        let (account, kind) = (self.account.to_string(), Self::KIND);
        let code = self.code.as_ref().filter(|_| self.status == UpdateStatus::Pending && now < self.at.saturating_add(GOOD_FOR));
        codes::open(keyring, &Place { kind, account: &account, key: &account }, code)
    }
}

/// The change that waits for its code, of this account; for whoever owns the data directory.
///
/// # Errors
/// What the store says; a code that does not open.
pub async fn pending_email<M: Mode>(tx: &Tx<M>, keyring: &Keyring, account: AccountId, now: i64) -> Result<Option<PendingCode>, Error> {
    let Some(update) = tx.in_account(&account.to_string()).get::<EmailUpdateRecord>(&account).await? else { return Ok(None) };
    let Some(code) = update.code(keyring, now)? else { return Ok(None) };
    Ok(Some(PendingCode::new(update.email.to_string(), &code)?))
}

/// Refuses an address that an account has, whatever its case.
async fn is_free<M: Mode>(cx: &Allowed<'_, M>, email: &Email) -> Result<(), Error> {
    let taken = cx.tx.in_account(SHARED).count(AccountRecord::BY_EMAIL.of(email), 1).await? > 0;
    if taken { Err(Error::Conflict("The email address is already in use.")) } else { Ok(()) }
}

fn judged(account: &AccountNumber, email: &PrimaryEmail) -> Judged {
    Judged::on(&on(Some(account))).key("account:EmailTargetDomain", email.domain())
}

#[derive(Shape)]
#[shape(http = "POST /getPrimaryEmail")]
struct GetPrimaryEmail {
    account_id: AccountNumber,
}

#[derive(Shape)]
struct GetPrimaryEmailOutput {
    primary_email: String,
}

impl Operation for GetPrimaryEmail {
    type Service = Account;
    type Access = Read;
    type Output = GetPrimaryEmailOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Some(&self.account_id)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetPrimaryEmailOutput, Error> {
        let account = subject::<Self, _>(cx, Some(&self.account_id)).await?;
        Ok(GetPrimaryEmailOutput { primary_email: account.email.to_string() })
    }
}

#[derive(Shape)]
struct StatusOutput {
    status: UpdateStatus,
}

#[derive(Shape)]
#[shape(http = "POST /startPrimaryEmailUpdate")]
struct StartPrimaryEmailUpdate {
    account_id: AccountNumber,
    primary_email: PrimaryEmail,
}

impl Operation for StartPrimaryEmailUpdate {
    type Service = Account;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(&self.account_id, &self.primary_email)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        let account = subject::<Self, _>(cx, Some(&self.account_id)).await?.id;
        if self.primary_email.domain().is_none() {
            return Err(Error::field("The email address is not valid."));
        }
        let email = self.primary_email.email();
        is_free(cx, &email).await?;
        let (key, kind) = (account.to_string(), EmailUpdateRecord::KIND);
        let code = sealed_code(cx, &Place { kind, account: &key, key: &key })?;
        let update = EmailUpdateRecord { account, email, status: UpdateStatus::Pending, at: cx.now, code: Some(code) };
        match cx.tx.in_account(&key).put(&update).await? {
            Stored::Done => Ok(StatusOutput { status: update.status }),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
#[shape(http = "POST /acceptPrimaryEmailUpdate")]
struct AcceptPrimaryEmailUpdate {
    account_id: AccountNumber,
    primary_email: PrimaryEmail,
    otp: Otp,
}

impl Operation for AcceptPrimaryEmailUpdate {
    type Service = Account;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(&self.account_id, &self.primary_email)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        let mut account = subject::<Self, _>(cx, Some(&self.account_id)).await?;
        let own = cx.tx.in_account(&account.id.to_string());
        let none = || Error::NotFound("No update of the primary email address is pending.".to_owned());
        let mut update = own.get::<EmailUpdateRecord>(&account.id).await?.ok_or_else(none)?;
        let code = update.code(&cx.access().keyring, cx.now)?.ok_or_else(none)?;
        let attempt = begin_try(cx, &format!("primary-email/{}", account.id))?;
        let email = self.primary_email.email();
        let same = email.as_str().eq_ignore_ascii_case(update.email.as_str());
        if !(self.otp.is(&code) && same) {
            return Err(Error::field("The one-time passcode is not valid for this email address."));
        }
        is_free(cx, &update.email).await?;
        account.email = update.email.clone();
        update = EmailUpdateRecord { status: UpdateStatus::Accepted, at: cx.now, code: None, ..update };
        if cx.tx.in_account(SHARED).put(&account).await? == Stored::Taken || own.put(&update).await? == Stored::Taken {
            return Err(Error::Store(StoreError::Conflict));
        }
        attempt.succeeded();
        Ok(StatusOutput { status: update.status })
    }
}

#[derive(Shape)]
#[shape(http = "POST /getPrimaryEmailUpdateStatus")]
struct GetPrimaryEmailUpdateStatus {
    account_id: Option<AccountNumber>,
}

#[derive(Shape)]
struct GetPrimaryEmailUpdateStatusOutput {
    status: UpdateStatus,
    updated_at: Timestamp,
}

impl Operation for GetPrimaryEmailUpdateStatus {
    type Service = Account;
    type Access = Read;
    type Output = GetPrimaryEmailUpdateStatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetPrimaryEmailUpdateStatusOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let update = cx.tx.in_account(&account.to_string()).get::<EmailUpdateRecord>(&account).await?;
        let update = update.ok_or_else(|| Error::Plain("No email update found for account".to_owned()))?;
        Ok(GetPrimaryEmailUpdateStatusOutput { status: update.status, updated_at: Timestamp(update.at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_domain() {
        let domain = |text: &str| text.parse::<PrimaryEmail>().unwrap().domain().map(str::to_owned);
        assert_eq!(domain("team@example.com").as_deref(), Some("example.com"));
        for bad in ["no address", "a@b@c.example", "@example.com", "team@", "team@local", "team@example..com", "a b@example.com"] {
            assert_eq!(domain(bad), None, "{bad}");
        }
    }
}
