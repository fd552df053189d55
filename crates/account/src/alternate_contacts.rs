//! Whom AWS would write to about an account's bills, operations and security.
//! Rules: <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html>.

use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Read, Record, StoreError, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Account> =
    &[handler::<GetAlternateContact>(), handler::<PutAlternateContact>(), handler::<DeleteAlternateContact>()];

/// What somebody is the contact for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum AlternateContactType {
    Billing,
    Operations,
    Security,
}

impl KeyPart for AlternateContactType {
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_string().encode(out);
    }
}

/// Who.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64, quiet)]
pub(crate) struct Name(Box<str>);

/// As what.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 50, quiet)]
pub(crate) struct Title(Box<str>);

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 254, pattern = r"[\s]*[\w+=.#|!&-]+@[\w.-]+\.[\w]+[\s]*", quiet)]
pub(crate) struct EmailAddress(Box<str>);

/// A telephone.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 25, pattern = r"[\s0-9()+-]+", quiet)]
pub(crate) struct PhoneNumber(Box<str>);

/// An alternate contact of an account, in whose partition it is.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-alternate-contact", key = kind)]
pub(crate) struct AlternateContactRecord {
    /// What for.
    pub kind: AlternateContactType,
    /// Who.
    pub name: Name,
    /// As what.
    pub title: Title,
    /// Where.
    pub email: EmailAddress,
    /// Where.
    pub phone: PhoneNumber,
}

#[derive(Shape)]
struct AlternateContact {
    name: Name,
    title: Title,
    email_address: EmailAddress,
    phone_number: PhoneNumber,
    alternate_contact_type: AlternateContactType,
}

/// How each of these is judged.
fn judged(account: Option<&AccountNumber>, kind: AlternateContactType) -> Judged {
    Judged::on(&on(account)).keys("account:AlternateContactTypes", [kind])
}

fn no_contact() -> Error {
    Error::NotFound("No contact of the inputted alternate contact type found.".to_owned())
}

#[derive(Shape)]
#[shape(http = "POST /getAlternateContact")]
struct GetAlternateContact {
    alternate_contact_type: AlternateContactType,
    account_id: Option<AccountNumber>,
}

#[derive(Shape)]
struct GetAlternateContactOutput {
    alternate_contact: AlternateContact,
}

impl Operation for GetAlternateContact {
    type Service = Account;
    type Access = Read;
    type Output = GetAlternateContactOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.account_id.as_ref(), self.alternate_contact_type)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAlternateContactOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let there = cx.tx.in_account(&account.to_string()).get::<AlternateContactRecord>(&self.alternate_contact_type).await?;
        let AlternateContactRecord { kind, name, title, email, phone } = there.ok_or_else(no_contact)?;
        let shown = AlternateContact { name, title, email_address: email, phone_number: phone, alternate_contact_type: kind };
        Ok(GetAlternateContactOutput { alternate_contact: shown })
    }
}

#[derive(Shape)]
#[shape(http = "POST /putAlternateContact")]
struct PutAlternateContact {
    name: Name,
    title: Title,
    email_address: EmailAddress,
    phone_number: PhoneNumber,
    alternate_contact_type: AlternateContactType,
    account_id: Option<AccountNumber>,
}

impl Operation for PutAlternateContact {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.account_id.as_ref(), self.alternate_contact_type)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let record = AlternateContactRecord {
            kind: self.alternate_contact_type,
            name: self.name.clone(),
            title: self.title.clone(),
            email: EmailAddress(self.email_address.as_str().trim().into()),
            phone: self.phone_number.clone(),
        };
        match cx.tx.in_account(&account.to_string()).put(&record).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
#[shape(http = "POST /deleteAlternateContact")]
struct DeleteAlternateContact {
    alternate_contact_type: AlternateContactType,
    account_id: Option<AccountNumber>,
}

impl Operation for DeleteAlternateContact {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.account_id.as_ref(), self.alternate_contact_type)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let was_there = cx.tx.in_account(&account.to_string()).delete::<AlternateContactRecord>(&self.alternate_contact_type).await?;
        if was_there { Ok(()) } else { Err(no_contact()) }
    }
}
