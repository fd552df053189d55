//! Delegated administrators: members that administer a service for the whole organization. Being one of whichever service lets a member read
//! the organization. Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html>.

use crate::accounts::{self, Status, member};
use crate::authority::{Reach, What, on, organization};
use crate::ids::AccountNumber;
use crate::page::{NextPage, Page};
use crate::service_access::{ServicePrincipal, all_features, is_enabled};
use crate::{Error, Organizations, services};
use arn::{AccountId, Arn};
use identities::{AccountRecord, DelegatedAdministratorRecord, JoinedMethod, MemberRecord, MemberState};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{KeyPart, Marker, Read, Record, SHARED, Stored, Write};
use wire::{Shape, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<RegisterDelegatedAdministrator>(),
    handler::<DeregisterDelegatedAdministrator>(),
    handler::<ListDelegatedAdministrators>(),
    handler::<ListDelegatedServicesForAccount>(),
];

#[derive(Shape)]
struct RegisterDelegatedAdministrator {
    account_id: AccountNumber,
    service_principal: ServicePrincipal,
}

impl Operation for RegisterDelegatedAdministrator {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Account(self.account_id.to_string())))
            .key("organizations:ServicePrincipal", [&self.service_principal])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let service = self.service_principal.known()?.to_owned();
        all_features(&organization)?;
        if self.account_id.id()? == organization.management {
            let words = "You cannot register management account/yourself as delegated administrator for your organization.";
            return Err(Error::constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", words));
        }
        let member = member(cx, &organization, &self.account_id).await?;
        if member.state != MemberState::Active {
            let words = "You cannot register a suspended account as a delegated administrator.";
            return Err(Error::constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", words));
        }
        if !is_enabled(cx, &organization, &service).await? {
            let words = "You must enable service access before you delegate an administrator for this service. Call the AWS API EnableAWSServiceAccess first.";
            return Err(Error::constraint("SERVICE_ACCESS_NOT_ENABLED", words));
        }
        let (shared, most) = (cx.tx.in_account(SHARED), services::administrators(&service));
        let record = DelegatedAdministratorRecord { account: member.account, service, organization: organization.id, enabled: cx.now };
        if shared.get::<DelegatedAdministratorRecord>((&record.account, &record.service)).await?.is_some() {
            return Err(Error::AlreadyRegistered);
        }
        let span = DelegatedAdministratorRecord::BY_SERVICE.of((&record.organization, &record.service));
        if shared.count(span, most).await? >= most {
            let (reason, words) = if most == 1 {
                ("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", "The service has a delegated administrator already.")
            } else {
                (
                    "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
                    "The service has as many delegated administrators as it allows.",
                )
            };
            return Err(Error::constraint(reason, words));
        }
        match shared.insert(&record).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::AlreadyRegistered),
        }
    }
}

#[derive(Shape)]
struct DeregisterDelegatedAdministrator {
    account_id: AccountNumber,
    service_principal: ServicePrincipal,
}

impl Operation for DeregisterDelegatedAdministrator {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Account(self.account_id.to_string())))
            .key("organizations:ServicePrincipal", [&self.service_principal])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let service = self.service_principal.known()?.to_owned();
        let member = member(cx, &organization, &self.account_id).await?;
        let there = cx.tx.in_account(SHARED).delete::<DelegatedAdministratorRecord>((&member.account, &service)).await?;
        if there { Ok(()) } else { Err(Error::NotRegistered) }
    }
}

/// An administrator as it is shown.
#[derive(Shape)]
struct DelegatedAdministrator {
    id: AccountId,
    arn: Arn,
    email: String,
    name: String,
    status: Status,
    state: MemberState,
    joined_method: JoinedMethod,
    joined_timestamp: Timestamp,
    delegation_enabled_date: Timestamp,
}

#[derive(Shape)]
struct ListDelegatedAdministrators {
    service_principal: Option<ServicePrincipal>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListDelegatedAdministratorsOutput {
    delegated_administrators: Vec<DelegatedAdministrator>,
    #[shape(flatten)]
    next: NextPage,
}

impl ListDelegatedAdministrators {
    /// The administrators of one service; or every administrator once, since when it is one. Those of one account stand together in the order
    /// of keys, so what was seen is the last one only; a page ends with all that its last account has.
    async fn page(
        &self,
        cx: &Allowed<'_, Read>,
        organization: &identities::OrganizationRecord,
    ) -> Result<(Vec<DelegatedAdministratorRecord>, Option<Marker>), Error> {
        let (shared, limit, after) = (cx.tx.in_account(SHARED), self.page.limit(), self.page.after()?);
        if let Some(service) = &self.service_principal {
            let span = DelegatedAdministratorRecord::BY_SERVICE.of((&organization.id, &service.known()?.to_owned()));
            let page = shared.scan(span, after.as_ref(), limit, |_: &DelegatedAdministratorRecord| true).await?;
            return Ok((page.records, page.next));
        }
        let (mut all, mut from) = (Vec::<DelegatedAdministratorRecord>::new(), after);
        loop {
            let span = DelegatedAdministratorRecord::BY_ORGANIZATION.of(&organization.id);
            let page = shared.scan(span, from.as_ref(), 256, |_: &DelegatedAdministratorRecord| true).await?;
            for record in page.records {
                let last = all.last().map(|last| last.account);
                if last == Some(record.account) {
                    all.last_mut().into_iter().for_each(|last| last.enabled = last.enabled.min(record.enabled));
                } else if all.len() == limit {
                    // Past all services of the last account: no name of one begins with this byte.
                    let entry = last.map(|last| [organization.id.bytes(), last.bytes(), vec![255]].concat());
                    return Ok((all, entry.map(Marker::after)));
                } else {
                    all.push(record);
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok((all, None));
            }
        }
    }
}

impl Operation for ListDelegatedAdministrators {
    type Service = Organizations;
    type Access = Read;
    type Output = ListDelegatedAdministratorsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing)).key("organizations:ServicePrincipal", &self.service_principal)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListDelegatedAdministratorsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let (records, next) = self.page(cx, &organization).await?;
        let shared = cx.tx.in_account(SHARED);
        let mut shown = Vec::with_capacity(records.len());
        for record in records {
            let account = shared.get::<AccountRecord>(&record.account).await?;
            let member = shared.get::<MemberRecord>(&record.account).await?;
            let Some((account, member)) = account.zip(member) else { continue };
            let state = accounts::state(&member, cx.now);
            shown.push(DelegatedAdministrator {
                id: account.id,
                arn: accounts::arn(&organization, account.id),
                email: account.email.to_string(),
                name: account.name,
                status: state.into(),
                state,
                joined_method: member.method,
                joined_timestamp: Timestamp(member.joined),
                delegation_enabled_date: Timestamp(record.enabled),
            });
        }
        Ok(ListDelegatedAdministratorsOutput { delegated_administrators: shown, next: next.into() })
    }
}

/// A service that a member administers.
#[derive(Shape)]
struct DelegatedService {
    service_principal: String,
    delegation_enabled_date: Timestamp,
}

#[derive(Shape)]
struct ListDelegatedServicesForAccount {
    account_id: AccountNumber,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListDelegatedServicesForAccountOutput {
    delegated_services: Vec<DelegatedService>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListDelegatedServicesForAccount {
    type Service = Organizations;
    type Access = Read;
    type Output = ListDelegatedServicesForAccountOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Account(self.account_id.to_string())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListDelegatedServicesForAccountOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let member = member(cx, &organization, &self.account_id).await?;
        let shared = cx.tx.in_account(SHARED);
        let span = || DelegatedAdministratorRecord::KEY.under(&member.account);
        if shared.count(span(), 1).await? == 0 {
            return Err(Error::NotRegistered);
        }
        let page = shared.scan(span(), self.page.after()?.as_ref(), self.page.limit(), |_: &DelegatedAdministratorRecord| true).await?;
        let shown = |record: DelegatedAdministratorRecord| DelegatedService {
            service_principal: record.service,
            delegation_enabled_date: Timestamp(record.enabled),
        };
        Ok(ListDelegatedServicesForAccountOutput {
            delegated_services: page.records.into_iter().map(shown).collect(),
            next: page.next.into(),
        })
    }
}
