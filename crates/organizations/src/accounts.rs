//! Accounts of an organization: seen, moved, removed, closed. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts.html>.
//! A closed account is suspended at once: no credential of it is let in any more. It stays a member.

use crate::authority::{Reach, What, on, organization};
use crate::ids::AccountNumber;
use crate::page::{NextPage, Page};
use crate::units::has_place;
use crate::{Error, Organizations, tagging};
use arn::{AccountId, Arn};
use identities::{
    AccountRecord, AccountStatus, DelegatedAdministratorRecord, FeatureSet, JoinedMethod, MemberRecord, MemberState, OrganizationRecord,
    ParentId, TargetId, attach_defaults, detach_all, path_text, units_down_to,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use std::collections::HashMap;
use store::{Mode, Read, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<DescribeAccount>(),
    handler::<ListAccounts>(),
    handler::<ListAccountsForParent>(),
    handler::<MoveAccount>(),
    handler::<RemoveAccountFromOrganization>(),
    handler::<LeaveOrganization>(),
    handler::<CloseAccount>(),
];

/// How long a closed account could be opened again, in seconds: 90 days.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html>.
const REOPENABLE: i64 = 90 * 24 * 3_600;

/// What `State` says less finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum Status {
    Active,
    Suspended,
    PendingClosure,
}

impl From<MemberState> for Status {
    fn from(state: MemberState) -> Self {
        match state {
            MemberState::PendingActivation | MemberState::Active => Status::Active,
            MemberState::Suspended | MemberState::Closed => Status::Suspended,
            MemberState::PendingClosure => Status::PendingClosure,
        }
    }
}

/// An account as it is shown.
#[derive(Shape)]
pub(crate) struct Account {
    id: AccountId,
    arn: Arn,
    email: String,
    name: String,
    status: Status,
    state: MemberState,
    paths: Vec<String>,
    joined_method: JoinedMethod,
    joined_timestamp: Timestamp,
}

/// How a member lives now.
pub fn state(member: &MemberRecord, now: i64) -> MemberState {
    match (member.state, member.closed) {
        (MemberState::Suspended, Some(closed)) if closed + REOPENABLE <= now => MemberState::Closed,
        (state, _) => state,
    }
}

/// Members of one page as they are shown: most stand in few places, and each place is looked up once.
pub(crate) async fn shown<M: Mode>(
    cx: &Allowed<'_, M>,
    organization: &OrganizationRecord,
    members: &[MemberRecord],
) -> Result<Vec<Account>, Error> {
    let shared = cx.tx.in_account(SHARED);
    let (mut places, mut accounts) = (HashMap::<ParentId, String>::new(), Vec::with_capacity(members.len()));
    for member in members {
        let place = match places.get(&member.parent) {
            Some(place) => place.clone(),
            None => {
                let place = path_text(organization, &units_down_to(&shared, &member.parent).await?);
                places.entry(member.parent.clone()).or_insert(place).clone()
            }
        };
        let Some(account) = shared.get::<AccountRecord>(&member.account).await? else { continue };
        let state = state(member, cx.now);
        accounts.push(Account {
            id: account.id,
            arn: arn(organization, account.id),
            email: account.email.to_string(),
            name: account.name,
            status: state.into(),
            state,
            paths: vec![format!("{place}{}/", account.id)],
            joined_method: member.method,
            joined_timestamp: Timestamp(member.joined),
        });
    }
    Ok(accounts)
}

/// `arn:aws:organizations::MANAGEMENT:account/o-…/ACCOUNT`.
pub(crate) fn arn(organization: &OrganizationRecord, account: AccountId) -> Arn {
    Arn::organizations(organization.management, format_args!("account/{}/{account}", organization.id))
}

/// The member with this number.
pub(crate) async fn member<M: Mode>(
    cx: &Allowed<'_, M>,
    organization: &OrganizationRecord,
    account: &AccountNumber,
) -> Result<MemberRecord, Error> {
    let member = cx.tx.in_account(SHARED).get::<MemberRecord>(&account.id()?).await?;
    member.filter(|member| member.organization == organization.id).ok_or(Error::NoSuchAccount)
}

/// Stores what can be in nobody's way.
async fn put(tx: &Tx<Write>, member: &MemberRecord) -> Result<(), Error> {
    match tx.in_account(SHARED).put(member).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// Takes an account into an organization, under its root. `false`: it is in one already.
pub(crate) async fn join(
    cx: &Allowed<'_, Write>,
    organization: &OrganizationRecord,
    account: AccountId,
    method: JoinedMethod,
) -> Result<bool, Error> {
    let member = MemberRecord {
        account,
        organization: organization.id.clone(),
        parent: ParentId::from(&organization.root),
        joined: cx.now,
        method,
        state: MemberState::Active,
        closed: None,
    };
    if cx.tx.in_account(SHARED).insert(&member).await? == Stored::Taken {
        return Ok(false);
    }
    attach_defaults(&cx.tx, organization, &account.into(), cx.now).await?;
    Ok(true)
}

#[derive(Shape)]
struct DescribeAccount {
    account_id: AccountNumber,
}

#[derive(Shape)]
struct DescribeAccountOutput {
    account: Account,
}

impl Operation for DescribeAccount {
    type Service = Organizations;
    type Access = Read;
    type Output = DescribeAccountOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Account(self.account_id.to_string())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<DescribeAccountOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let member = member(cx, &organization, &self.account_id).await?;
        let account = shown(cx, &organization, &[member]).await?.pop().ok_or(Error::NoSuchAccount)?;
        Ok(DescribeAccountOutput { account })
    }
}

#[derive(Shape)]
struct ListAccounts {
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct AccountsOutput {
    accounts: Vec<Account>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListAccounts {
    type Service = Organizations;
    type Access = Read;
    type Output = AccountsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<AccountsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let span = MemberRecord::BY_ORGANIZATION.of(&organization.id);
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), |_: &MemberRecord| true).await?;
        Ok(AccountsOutput { accounts: shown(cx, &organization, &page.records).await?, next: page.next.into() })
    }
}

#[derive(Shape)]
struct ListAccountsForParent {
    parent_id: ParentId,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListAccountsForParent {
    type Service = Organizations;
    type Access = Read;
    type Output = AccountsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Place(self.parent_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<AccountsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if !has_place(cx, &organization, &self.parent_id).await? {
            return Err(Error::NoSuchParent);
        }
        let span = MemberRecord::BY_PARENT.of(&self.parent_id);
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), |_: &MemberRecord| true).await?;
        Ok(AccountsOutput { accounts: shown(cx, &organization, &page.records).await?, next: page.next.into() })
    }
}

#[derive(Shape)]
struct MoveAccount {
    account_id: AccountNumber,
    source_parent_id: ParentId,
    destination_parent_id: ParentId,
}

impl Operation for MoveAccount {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    /// On the account and on both places: who may not move into a unit does not move there.
    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Account(self.account_id.to_string())))
            .also_on(&on(Reach::Management, What::Place(self.source_parent_id.clone())))
            .also_on(&on(Reach::Management, What::Place(self.destination_parent_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut member = member(cx, &organization, &self.account_id).await?;
        if member.parent != self.source_parent_id {
            return Err(Error::NoSuchSource);
        }
        if !has_place(cx, &organization, &self.destination_parent_id).await? {
            return Err(Error::NoSuchDestination);
        }
        if self.source_parent_id == self.destination_parent_id {
            return Err(Error::DuplicateAccount);
        }
        member.parent = self.destination_parent_id.clone();
        put(&cx.tx, &member).await
    }
}

/// Lets a member go: it stands alone again, with what is in it.
pub(crate) async fn part(cx: &Allowed<'_, Write>, organization: &OrganizationRecord, member: &MemberRecord) -> Result<(), Error> {
    if member.account == organization.management {
        return Err(Error::ManagementCannotLeave);
    }
    if member.state != MemberState::Active {
        let words = "You can't remove an account that is closed.";
        return Err(Error::constraint("ACCOUNT_CANNOT_LEAVE_ORGANIZATION", words));
    }
    let shared = cx.tx.in_account(SHARED);
    if shared.count(DelegatedAdministratorRecord::KEY.under(&member.account), 1).await? > 0 {
        let words = "You can't remove an account that is a delegated administrator for a service.";
        return Err(Error::constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", words));
    }
    let target = TargetId::from(member.account);
    detach_all(&cx.tx, &target).await?;
    tagging::forget(&cx.tx, target.as_str()).await?;
    shared.delete::<MemberRecord>(&member.account).await?;
    Ok(())
}

#[derive(Shape)]
struct RemoveAccountFromOrganization {
    account_id: AccountNumber,
}

impl Operation for RemoveAccountFromOrganization {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Account(self.account_id.to_string())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let member = member(cx, &organization, &self.account_id).await?;
        part(cx, &organization, &member).await
    }
}

#[derive(Shape)]
struct LeaveOrganization {}

impl Operation for LeaveOrganization {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Member).await?;
        let member = member(cx, &organization, &cx.caller.account.into()).await?;
        part(cx, &organization, &member).await
    }
}

#[derive(Shape)]
struct CloseAccount {
    account_id: AccountNumber,
}

impl Operation for CloseAccount {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Account(self.account_id.to_string())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut member = member(cx, &organization, &self.account_id).await?;
        if member.account == organization.management {
            let words = "You can't close the management account of an organization.";
            return Err(Error::constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", words));
        }
        if organization.features != FeatureSet::All {
            let words = "The organization must have all features enabled.";
            return Err(Error::constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", words));
        }
        let shared = cx.tx.in_account(SHARED);
        let mut account = shared.get::<AccountRecord>(&member.account).await?.ok_or(Error::NoSuchAccount)?;
        if account.status == AccountStatus::Suspended || member.state != MemberState::Active {
            return Err(Error::AlreadyClosed);
        }
        account.status = AccountStatus::Suspended;
        (member.state, member.closed) = (MemberState::Suspended, Some(cx.now));
        put(&cx.tx, &member).await?;
        match shared.put(&account).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_ninety_days_ago_is_closed_for_good() {
        let member = |state, closed| MemberRecord {
            account: "444455556666".parse().unwrap(),
            organization: "o-exampleorgid".parse().unwrap(),
            parent: "r-ab12".parse().unwrap(),
            joined: 0,
            method: JoinedMethod::Created,
            state,
            closed,
        };
        assert_eq!(state(&member(MemberState::Active, None), i64::MAX), MemberState::Active);
        assert_eq!(state(&member(MemberState::Suspended, Some(10)), 10 + REOPENABLE - 1), MemberState::Suspended);
        assert_eq!(state(&member(MemberState::Suspended, Some(10)), 10 + REOPENABLE), MemberState::Closed);
    }
}
