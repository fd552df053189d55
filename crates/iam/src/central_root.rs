//! Central root: what an organization may do with the root users of its members. It is the management account that switches it on and off;
//! who administers it reads what is on. The sessions themselves are STS's. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html>.

use crate::{Error, Iam};
use identities::{
    CENTRAL_ROOT_SERVICE, CentralRootRecord, FeatureSet, MemberRecord, OrganizationId, OrganizationRecord, RootFeature,
    ServiceAccessRecord, is_root_administrator,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Mode, Read, SHARED, StoreError, Stored, Write};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<EnableOrganizationsRootCredentialsManagement>(),
    handler::<DisableOrganizationsRootCredentialsManagement>(),
    handler::<EnableOrganizationsRootSessions>(),
    handler::<DisableOrganizationsRootSessions>(),
    handler::<ListOrganizationsFeatures>(),
];

/// Why an organization, or its caller, has no central root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCentralRoot {
    /// The account is in no organization.
    #[error("No organization is associated with your account.")]
    NoOrganization,
    /// The organization only has one bill.
    #[error("Your organization does not have all features enabled.")]
    NotAllFeatures,
    /// A member that administers nothing.
    #[error("The account is not the management account or a delegated administrator account for centralized root access.")]
    NotAdministrator,
    /// An administrator that may only read.
    #[error("The account is not the management account of the organization.")]
    NotManagement,
    /// IAM may not work in the organization.
    #[error("Trusted access is not enabled for IAM in AWS Organizations.")]
    NotTrusted,
}

impl NoCentralRoot {
    /// AWS's code.
    pub fn code(self) -> &'static str {
        match self {
            NoCentralRoot::NoOrganization => "OrganizationNotFoundException",
            NoCentralRoot::NotAllFeatures => "OrganizationNotInAllFeaturesModeException",
            NoCentralRoot::NotAdministrator => "AccountNotManagementOrDelegatedAdministratorException",
            NoCentralRoot::NotManagement => "CallerIsNotManagementAccountException",
            NoCentralRoot::NotTrusted => "ServiceAccessNotEnabledException",
        }
    }
}

/// What is on in the caller's organization.
async fn features<M: Mode>(cx: &Allowed<'_, M>, writes: bool) -> Result<CentralRootRecord, Error> {
    let shared = cx.tx.in_account(SHARED);
    let Some(member) = shared.get::<MemberRecord>(&cx.caller.account).await? else { return Err(NoCentralRoot::NoOrganization.into()) };
    let organization = shared.get::<OrganizationRecord>(&member.organization).await?;
    let organization = organization.ok_or(NoCentralRoot::NoOrganization)?;
    if !is_root_administrator(&shared, &organization, cx.caller.account).await? {
        return Err(NoCentralRoot::NotAdministrator.into());
    }
    if writes && organization.management != cx.caller.account {
        return Err(NoCentralRoot::NotManagement.into());
    }
    if organization.features != FeatureSet::All {
        return Err(NoCentralRoot::NotAllFeatures.into());
    }
    if shared.get::<ServiceAccessRecord>((&organization.id, &CENTRAL_ROOT_SERVICE.to_owned())).await?.is_none() {
        return Err(NoCentralRoot::NotTrusted.into());
    }
    let kept = shared.get::<CentralRootRecord>(&organization.id).await?;
    Ok(kept.unwrap_or(CentralRootRecord { organization: organization.id, features: Vec::new() }))
}

/// Switches a feature. One that is so already stays so.
async fn switch(cx: &Allowed<'_, Write>, feature: RootFeature, on: bool) -> Result<Features, Error> {
    let mut central = features(cx, true).await?;
    central.features.retain(|known| *known != feature);
    central.features.extend(on.then_some(feature));
    match cx.tx.in_account(SHARED).put(&central).await? {
        Stored::Done => Ok(central.into()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// What is on, as it is shown.
#[derive(Shape)]
struct Features {
    organization_id: OrganizationId,
    enabled_features: Vec<RootFeature>,
}

impl From<CentralRootRecord> for Features {
    fn from(CentralRootRecord { organization, features }: CentralRootRecord) -> Self {
        Features { organization_id: organization, enabled_features: features }
    }
}

#[derive(Shape)]
struct EnableOrganizationsRootCredentialsManagement;

impl Operation for EnableOrganizationsRootCredentialsManagement {
    type Service = Iam;
    type Access = Write;
    type Output = Features;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Features, Error> {
        switch(cx, RootFeature::RootCredentialsManagement, true).await
    }
}

#[derive(Shape)]
struct DisableOrganizationsRootCredentialsManagement;

impl Operation for DisableOrganizationsRootCredentialsManagement {
    type Service = Iam;
    type Access = Write;
    type Output = Features;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Features, Error> {
        switch(cx, RootFeature::RootCredentialsManagement, false).await
    }
}

#[derive(Shape)]
struct EnableOrganizationsRootSessions;

impl Operation for EnableOrganizationsRootSessions {
    type Service = Iam;
    type Access = Write;
    type Output = Features;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Features, Error> {
        switch(cx, RootFeature::RootSessions, true).await
    }
}

#[derive(Shape)]
struct DisableOrganizationsRootSessions;

impl Operation for DisableOrganizationsRootSessions {
    type Service = Iam;
    type Access = Write;
    type Output = Features;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Features, Error> {
        switch(cx, RootFeature::RootSessions, false).await
    }
}

#[derive(Shape)]
struct ListOrganizationsFeatures;

impl Operation for ListOrganizationsFeatures {
    type Service = Iam;
    type Access = Read;
    type Output = Features;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Features, Error> {
        Ok(features(cx, false).await?.into())
    }
}
