//! The telephone of an account's primary contact, and showing that whoever is reached by it agrees: they show a code that only they should get
//! (`bailiwick account phone-code`; see `codes`). Another number has to be shown anew. Rules:
//! <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-primary.html>.

use crate::codes::{self, GOOD_FOR, Otp, PendingCode, begin_try, sealed_code};
use crate::contact::{ContactRecord, PhoneNumber};
use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use arn::AccountId;
use identities::{Keyring, Place, Sealed, SealingError};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{Mode, Record, StoreError, Stored, Tx, Write};
use wire::{Shape, Text};
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Account> = &[handler::<SendPhoneNumberVerification>(), handler::<VerifyPhoneNumber>()];

/// Whether somebody was reached by a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum PhoneNumberVerificationStatus {
    /// A code waits to be shown.
    Pending,
    /// It was shown.
    Verified,
    /// Nobody was asked, or did not show it in time.
    Unverified,
    /// AWS's for accounts whose telephones it does not call.
    NotSupported,
}

use PhoneNumberVerificationStatus as Status;

/// What is known of an account's telephone, kept in the account's partition.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-phone", key = account, sealed)]
pub(crate) struct PhoneRecord {
    /// Whose.
    pub account: AccountId,
    /// The number; nothing is known of another one.
    pub number: PhoneNumber,
    /// When the code was made or shown, in seconds since the epoch.
    pub at: i64,
    /// The code, until it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Sealed>,
}

impl PhoneRecord {
    /// How far the showing is, of this number.
    fn status(&self, number: &PhoneNumber, now: i64) -> Status {
        match &self.code {
            _ if self.number != *number => Status::Unverified,
            None => Status::Verified,
            Some(_) if now < self.at.saturating_add(GOOD_FOR) => Status::Pending,
            Some(_) => Status::Unverified,
        }
    }

    /// The code, if it can still be shown for this number.
    fn code(&self, keyring: &Keyring, number: &PhoneNumber, now: i64) -> Result<Option<Zeroizing<Vec<u8>>>, SealingError> {
        let (account, kind) = (self.account.to_string(), Self::KIND);
        let code = self.code.as_ref().filter(|_| self.status(number, now) == Status::Pending);
        codes::open(keyring, &Place { kind, account: &account, key: &account }, code)
    }
}

/// How far the showing of a contact's telephone is.
pub(crate) async fn phone_status<M: Mode>(tx: &Tx<M>, contact: &ContactRecord, now: i64) -> Result<Status, Error> {
    let known = tx.in_account(&contact.account.to_string()).get::<PhoneRecord>(&contact.account).await?;
    Ok(known.map_or(Status::Unverified, |known| known.status(&contact.contact.phone_number, now)))
}

/// The code that this account's telephone waits for; for whoever owns the data directory.
///
/// # Errors
/// What the store says; a code that does not open.
pub async fn pending_phone<M: Mode>(tx: &Tx<M>, keyring: &Keyring, account: AccountId, now: i64) -> Result<Option<PendingCode>, Error> {
    let own = tx.in_account(&account.to_string());
    let (Some(contact), Some(known)) = (own.get::<ContactRecord>(&account).await?, own.get::<PhoneRecord>(&account).await?) else {
        return Ok(None);
    };
    let Some(code) = known.code(keyring, &contact.contact.phone_number, now)? else { return Ok(None) };
    Ok(Some(PendingCode::new(known.number.to_string(), &code)?))
}

#[derive(Shape)]
struct StatusOutput {
    status: PhoneNumberVerificationStatus,
}

#[derive(Shape)]
#[shape(http = "POST /sendPhoneNumberVerification")]
struct SendPhoneNumberVerification {
    account_id: Option<AccountNumber>,
}

impl Operation for SendPhoneNumberVerification {
    type Service = Account;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let (key, kind) = (account.to_string(), PhoneRecord::KIND);
        let own = cx.tx.in_account(&key);
        let contact = own.get::<ContactRecord>(&account).await?;
        let contact = contact.ok_or_else(|| Error::NotFound("No contact information found.".to_owned()))?;
        let code = sealed_code(cx, &Place { kind, account: &key, key: &key })?;
        let phone = PhoneRecord { account, number: contact.contact.phone_number, at: cx.now, code: Some(code) };
        match own.put(&phone).await? {
            Stored::Done => Ok(StatusOutput { status: Status::Pending }),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
#[shape(http = "POST /verifyPhoneNumber")]
struct VerifyPhoneNumber {
    account_id: Option<AccountNumber>,
    otp: Otp,
}

impl Operation for VerifyPhoneNumber {
    type Service = Account;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let own = cx.tx.in_account(&account.to_string());
        let none = || Error::NotFound("No verification of the phone number is pending.".to_owned());
        let contact = own.get::<ContactRecord>(&account).await?.ok_or_else(none)?;
        let known = own.get::<PhoneRecord>(&account).await?.ok_or_else(none)?;
        let code = known.code(&cx.access().keyring, &contact.contact.phone_number, cx.now)?.ok_or_else(none)?;
        let attempt = begin_try(cx, &format!("phone-number/{account}"))?;
        if !self.otp.is(&code) {
            return Err(Error::field("The one-time passcode is not valid for this phone number."));
        }
        match own.put(&PhoneRecord { at: cx.now, code: None, ..known }).await? {
            Stored::Done => attempt.succeeded(),
            Stored::Taken => return Err(Error::Store(StoreError::Conflict)),
        }
        Ok(StatusOutput { status: Status::Verified })
    }
}
