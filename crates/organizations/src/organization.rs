//! The organization itself, and its root.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org.html>.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::{Error, Organizations, deletion, ids, responsibility_transfers, service_linked_role};
use arn::{AccountId, Arn};
use identities::{
    AccountRecord, FeatureSet, JoinedMethod, MemberRecord, MemberState, OrganizationId, OrganizationRecord, ParentId, PolicyType, RootId,
    TargetId, attach_defaults,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, SHARED, StoreError, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> =
    &[handler::<CreateOrganization>(), handler::<DescribeOrganization>(), handler::<DeleteOrganization>(), handler::<ListRoots>()];

/// Whether a kind of policy binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum PolicyTypeStatus {
    /// It does.
    Enabled,
}

/// A kind of policy that is enabled.
#[derive(Shape)]
pub(crate) struct PolicyTypeSummary {
    r#type: PolicyType,
    status: PolicyTypeStatus,
}

/// An organization as it is shown.
#[derive(Shape)]
pub(crate) struct Organization {
    id: OrganizationId,
    arn: Arn,
    feature_set: FeatureSet,
    master_account_arn: Arn,
    master_account_id: AccountId,
    master_account_email: String,
    available_policy_types: Vec<PolicyTypeSummary>,
}

impl Organization {
    /// All of it. AWS keeps the member for policy types and shows service control policies there.
    pub async fn of<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord) -> Result<Self, Error> {
        let OrganizationRecord { id, management, features, .. } = organization;
        let account = cx.tx.in_account(SHARED).get::<AccountRecord>(management).await?;
        let kinds = [PolicyType::ServiceControlPolicy].into_iter().filter(|_| *features == FeatureSet::All);
        Ok(Organization {
            id: id.clone(),
            arn: Arn::organizations(*management, format_args!("organization/{id}")),
            feature_set: *features,
            master_account_arn: Arn::organizations(*management, format_args!("account/{id}/{management}")),
            master_account_id: *management,
            master_account_email: account.map(|account| account.email.to_string()).unwrap_or_default(),
            available_policy_types: kinds.map(|r#type| PolicyTypeSummary { r#type, status: PolicyTypeStatus::Enabled }).collect(),
        })
    }
}

#[derive(Shape)]
struct OrganizationOutput {
    organization: Organization,
}

#[derive(Shape)]
struct CreateOrganization {
    feature_set: Option<FeatureSet>,
}

impl Operation for CreateOrganization {
    type Service = Organizations;
    type Access = Write;
    type Output = OrganizationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<OrganizationOutput, Error> {
        let shared = cx.tx.in_account(SHARED);
        if shared.get::<MemberRecord>(&cx.caller.account).await?.is_some() {
            return Err(Error::AlreadyInOrganization);
        }
        let features = self.feature_set.unwrap_or(FeatureSet::All);
        if features == FeatureSet::All {
            service_linked_role::may_be_made(cx)?;
            service_linked_role::make(cx, cx.caller.account).await?;
        }
        let organization = loop {
            let organization = OrganizationRecord {
                id: ids::new(cx, "o-", 10)?,
                root: ids::new(cx, "r-", 4)?,
                management: cx.caller.account,
                features,
                // Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html>.
                enabled: [PolicyType::ServiceControlPolicy].into_iter().filter(|_| features == FeatureSet::All).collect(),
                created: cx.now,
            };
            if shared.insert(&organization).await? == Stored::Done {
                break organization;
            }
        };
        let member = MemberRecord {
            account: cx.caller.account,
            organization: organization.id.clone(),
            parent: ParentId::from(&organization.root),
            joined: cx.now,
            method: JoinedMethod::Invited,
            state: MemberState::Active,
            closed: None,
        };
        let stored = shared.insert(&member).await?;
        for target in [TargetId::from(&organization.root), member.account.into()] {
            attach_defaults(&cx.tx, &organization, &target, cx.now).await?;
        }
        match stored {
            Stored::Done => Ok(OrganizationOutput { organization: Organization::of(cx, &organization).await? }),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
struct DescribeOrganization {}

impl Operation for DescribeOrganization {
    type Service = Organizations;
    type Access = Read;
    type Output = OrganizationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<OrganizationOutput, Error> {
        let organization = organization(cx, Reach::Member).await?;
        Ok(OrganizationOutput { organization: Organization::of(cx, &organization).await? })
    }
}

#[derive(Shape)]
struct DeleteOrganization {}

impl Operation for DeleteOrganization {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let shared = cx.tx.in_account(SHARED);
        if shared.count(MemberRecord::BY_ORGANIZATION.of(&organization.id), 2).await? > 1 {
            return Err(Error::OrganizationNotEmpty);
        }
        if responsibility_transfers::has_some(cx, &organization).await? {
            let words = "You can't delete an organization that has a responsibility transfer under way.";
            return Err(Error::constraint("ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS", words));
        }
        deletion::forget(&shared, &organization).await?;
        shared.delete::<MemberRecord>(&organization.management).await?;
        shared.delete::<OrganizationRecord>(&organization.id).await?;
        Ok(())
    }
}

/// The root as it is shown.
#[derive(Shape)]
pub(crate) struct Root {
    id: RootId,
    arn: Arn,
    name: String,
    policy_types: Vec<PolicyTypeSummary>,
}

impl Root {
    /// The one root of this organization.
    pub fn of(organization: &OrganizationRecord) -> Self {
        let OrganizationRecord { id, root, management, enabled, .. } = organization;
        let status = PolicyTypeStatus::Enabled;
        Root {
            id: root.clone(),
            arn: Arn::organizations(*management, format_args!("root/{id}/{root}")),
            name: "Root".into(),
            policy_types: enabled.iter().map(|r#type| PolicyTypeSummary { r#type: *r#type, status }).collect(),
        }
    }
}

#[derive(Shape)]
struct ListRoots {
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListRootsOutput {
    roots: Vec<Root>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListRoots {
    type Service = Organizations;
    type Access = Read;
    type Output = ListRootsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListRootsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let (roots, next) = self.page.of_all(vec![Root::of(&organization)], |root| root.id.to_string())?;
        Ok(ListRootsOutput { roots, next })
    }
}
