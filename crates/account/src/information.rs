//! What an account is called, and how it lives. Rules:
//! <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-acct-name.html>.

use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use arn::AccountId;
use identities::{AccountStatus, MemberRecord, MemberState};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Read, SHARED, StoreError, Stored, Write};
use wire::{Kind, Node, Reader, Shape, Text};

pub(super) const OPERATIONS: Operations<Account> =
    &[handler::<GetAccountInformation>(), handler::<PutAccountName>(), handler::<GetGovCloudAccountInformation>()];

/// The name of an account.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 50, pattern = r"[ -;=?-~]+", quiet)]
pub(crate) struct AccountName(Box<str>);

/// How an account lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum AccountState {
    PendingActivation,
    Active,
    Suspended,
    Closed,
}

impl From<MemberState> for AccountState {
    fn from(state: MemberState) -> Self {
        match state {
            MemberState::PendingActivation => AccountState::PendingActivation,
            MemberState::Active => AccountState::Active,
            MemberState::Suspended | MemberState::PendingClosure => AccountState::Suspended,
            MemberState::Closed => AccountState::Closed,
        }
    }
}

/// A time in ISO 8601, which the model asks for where its protocol has numbers.
pub(crate) struct Written(i64);

impl Shape for Written {
    const KIND: Kind = Kind::Time;
    fn read(_: &Node, _: &mut Reader) -> Option<Self> {
        None // no request has one
    }
    fn write(self) -> Node {
        jiff::Timestamp::from_second(self.0).map_or(Node::Absent, |time| Node::text(time.to_string()))
    }
}

#[derive(Shape)]
#[shape(http = "POST /getAccountInformation")]
struct GetAccountInformation {
    account_id: Option<AccountNumber>,
}

#[derive(Shape)]
struct GetAccountInformationOutput {
    account_id: AccountId,
    account_name: String,
    account_created_date: Written,
    account_state: AccountState,
}

impl Operation for GetAccountInformation {
    type Service = Account;
    type Access = Read;
    type Output = GetAccountInformationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccountInformationOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?;
        let member = cx.tx.in_account(SHARED).get::<MemberRecord>(&account.id).await?;
        let state = match (member, account.status) {
            (Some(member), _) => organizations::member_state(&member, cx.now).into(),
            (None, AccountStatus::Active) => AccountState::Active,
            (None, AccountStatus::Suspended) => AccountState::Suspended,
        };
        Ok(GetAccountInformationOutput {
            account_id: account.id,
            account_name: account.name,
            account_created_date: Written(account.created),
            account_state: state,
        })
    }
}

#[derive(Shape)]
#[shape(http = "POST /putAccountName")]
struct PutAccountName {
    account_name: AccountName,
    account_id: Option<AccountNumber>,
}

impl Operation for PutAccountName {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut account = subject::<Self, _>(cx, self.account_id.as_ref()).await?;
        account.name = self.account_name.to_string();
        match cx.tx.in_account(SHARED).put(&account).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
#[shape(http = "POST /getGovCloudAccountInformation")]
struct GetGovCloudAccountInformation {
    standard_account_id: Option<AccountNumber>,
}

#[derive(Shape)]
struct GetGovCloudAccountInformationOutput {
    gov_cloud_account_id: AccountId,
    account_state: AccountState,
}

impl Operation for GetGovCloudAccountInformation {
    type Service = Account;
    type Access = Read;
    type Output = GetGovCloudAccountInformationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.standard_account_id.as_ref()))
    }

    /// There is one partition here, and no account of another is linked to any.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetGovCloudAccountInformationOutput, Error> {
        let account = subject::<Self, _>(cx, self.standard_account_id.as_ref()).await?;
        Err(Error::NotFound(format!("GovCloud Account ID not found for Standard Account - {}.", account.id)))
    }
}
