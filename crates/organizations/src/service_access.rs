//! Trusted access: which of AWS's services may work in the organization, and which member administers one for it. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html>.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::services::is_known;
use crate::{Error, Organizations};
use identities::{DelegatedAdministratorRecord, FeatureSet, OrganizationRecord, ServiceAccessRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, Record, SHARED, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> =
    &[handler::<EnableAWSServiceAccess>(), handler::<DisableAWSServiceAccess>(), handler::<ListAWSServiceAccessForOrganization>()];

/// `sso.amazonaws.com` …
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\w+=,.@-]*")]
pub(crate) struct ServicePrincipal(Box<str>);

impl ServicePrincipal {
    /// Refuses what works with no organization.
    pub fn known(&self) -> Result<&str, Error> {
        if is_known(&self.0) {
            return Ok(&self.0);
        }
        let words = "You specified an unrecognized service principal.";
        Err(Error::InvalidInput { reason: "UNRECOGNIZED_SERVICE_PRINCIPAL", words })
    }
}

/// Refuses what only an organization with all features has.
pub(crate) fn all_features(organization: &OrganizationRecord) -> Result<(), Error> {
    if organization.features == FeatureSet::All {
        return Ok(());
    }
    Err(Error::constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "The organization must have all features enabled."))
}

/// Whether a service may work in an organization.
pub(crate) async fn is_enabled<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, service: &str) -> Result<bool, Error> {
    let key = (&organization.id, &service.to_owned());
    Ok(cx.tx.in_account(SHARED).get::<ServiceAccessRecord>(key).await?.is_some())
}

#[derive(Shape)]
struct EnableAWSServiceAccess {
    service_principal: ServicePrincipal,
}

impl Operation for EnableAWSServiceAccess {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing)).key("organizations:ServicePrincipal", [&self.service_principal])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let service = self.service_principal.known()?.to_owned();
        all_features(&organization)?;
        // Whoever enables it again changes nothing.
        let _ = cx.tx.in_account(SHARED).insert(&ServiceAccessRecord { organization: organization.id, service, enabled: cx.now }).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct DisableAWSServiceAccess {
    service_principal: ServicePrincipal,
}

impl Operation for DisableAWSServiceAccess {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing)).key("organizations:ServicePrincipal", [&self.service_principal])
    }

    /// Nobody administers what may not work.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let service = self.service_principal.known()?.to_owned();
        let shared = cx.tx.in_account(SHARED);
        shared.delete::<ServiceAccessRecord>((&organization.id, &service)).await?;
        let span = DelegatedAdministratorRecord::BY_SERVICE.of((&organization.id, &service));
        for delegated in shared.scan(span, None, 1_000, |_: &DelegatedAdministratorRecord| true).await?.records {
            shared.delete::<DelegatedAdministratorRecord>((&delegated.account, &delegated.service)).await?;
        }
        Ok(())
    }
}

#[derive(Shape)]
struct EnabledServicePrincipal {
    service_principal: String,
    date_enabled: Timestamp,
}

#[derive(Shape)]
struct ListAWSServiceAccessForOrganization {
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListAWSServiceAccessForOrganizationOutput {
    enabled_service_principals: Vec<EnabledServicePrincipal>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListAWSServiceAccessForOrganization {
    type Service = Organizations;
    type Access = Read;
    type Output = ListAWSServiceAccessForOrganizationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAWSServiceAccessForOrganizationOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let span = ServiceAccessRecord::KEY.under(&organization.id);
        let page =
            cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), |_: &ServiceAccessRecord| true).await?;
        let shown = |record: ServiceAccessRecord| EnabledServicePrincipal {
            service_principal: record.service,
            date_enabled: Timestamp(record.enabled),
        };
        let enabled_service_principals = page.records.into_iter().map(shown).collect();
        Ok(ListAWSServiceAccessForOrganizationOutput { enabled_service_principals, next: page.next.into() })
    }
}
