//! Managed policies on users, groups and roles: attached, detached, and who has one.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html>.
//! Attaching twice is no error, detaching what is not attached is one; an entity has ten at most.

use crate::boundaries::attachable;
use crate::holders::{Bounded, Holder, changing, existing, put};
use crate::lists::Lists;
use crate::page::{NextPage, Page};
use crate::policies::{found, parsed};
use crate::{Error, Iam};
use arn::{Arn, UniqueId};
use identities::{GroupName, GroupRecord, Path, PolicyPath, RoleName, RoleRecord, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, handler};
use store::{KeyPart, Read, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<AttachUserPolicy>(),
    handler::<DetachUserPolicy>(),
    handler::<ListAttachedUserPolicies>(),
    handler::<AttachGroupPolicy>(),
    handler::<DetachGroupPolicy>(),
    handler::<ListAttachedGroupPolicies>(),
    handler::<AttachRolePolicy>(),
    handler::<DetachRolePolicy>(),
    handler::<ListAttachedRolePolicies>(),
    handler::<ListEntitiesForPolicy>(),
];

/// Managed policies of one entity, at most.
const MOST: usize = 10;

async fn attach<H: Holder>(cx: &Allowed<'_, Write>, mut holder: H, policy: &PolicyArn) -> Result<(), Error> {
    let arn = attachable(cx, policy).await?;
    if holder.attached().contains(&arn) {
        return Ok(());
    }
    if holder.attached().len() >= MOST {
        return Err(Error::Quota { name: H::QUOTA, limit: MOST as u64 });
    }
    holder.attached_mut().push(arn);
    put(cx, &holder).await
}

async fn detach<H: Holder>(cx: &Allowed<'_, Write>, mut holder: H, policy: &PolicyArn) -> Result<(), Error> {
    let arn = parsed(policy)?;
    let before = holder.attached().len();
    holder.attached_mut().retain(|attached| *attached != arn);
    if holder.attached().len() == before {
        return Err(Error::NoSuchPolicy(arn.to_string()));
    }
    put(cx, &holder).await
}

/// A managed policy on something, as IAM shows it.
#[derive(Debug, Clone, Shape)]
pub(crate) struct AttachedPolicy {
    policy_name: String,
    policy_arn: Arn,
}

impl AttachedPolicy {
    /// The policy with this ARN, which ends with its name.
    pub fn of(arn: &Arn) -> Self {
        AttachedPolicy { policy_name: arn.resource_name().to_owned(), policy_arn: arn.clone() }
    }
}

/// The managed policies of an entity.
#[derive(Shape)]
struct ListAttachedPoliciesOutput {
    attached_policies: Vec<AttachedPolicy>,
    #[shape(flatten)]
    next: NextPage,
}

fn list<H: Holder>(holder: &H, prefix: &PolicyPath, page: &Page) -> Result<ListAttachedPoliciesOutput, Error> {
    let wanted = holder.attached().iter().filter(|arn| arn.path().starts_with(prefix.as_str()));
    let (attached_policies, next) =
        page.of_all(wanted.map(AttachedPolicy::of).collect(), |policy| format!("{} {}", policy.policy_name, policy.policy_arn))?;
    Ok(ListAttachedPoliciesOutput { attached_policies, next })
}

#[derive(Shape)]
struct AttachUserPolicy {
    user_name: UserName,
    policy_arn: PolicyArn,
}

impl Operation for AttachUserPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.user_name.clone())).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: UserRecord = changing(cx, &self.user_name).await?;
        attach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct DetachUserPolicy {
    user_name: UserName,
    policy_arn: PolicyArn,
}

impl Operation for DetachUserPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.user_name.clone())).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: UserRecord = changing(cx, &self.user_name).await?;
        detach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct ListAttachedUserPolicies {
    user_name: UserName,
    #[shape(default)]
    path_prefix: PolicyPath,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListAttachedUserPolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListAttachedPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAttachedPoliciesOutput, Error> {
        let holder: UserRecord = existing(cx, &self.user_name).await?;
        list(&holder, &self.path_prefix, &self.page)
    }
}

#[derive(Shape)]
struct AttachGroupPolicy {
    group_name: GroupName,
    policy_arn: PolicyArn,
}

impl Operation for AttachGroupPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: GroupRecord = changing(cx, &self.group_name).await?;
        attach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct DetachGroupPolicy {
    group_name: GroupName,
    policy_arn: PolicyArn,
}

impl Operation for DetachGroupPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: GroupRecord = changing(cx, &self.group_name).await?;
        detach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct ListAttachedGroupPolicies {
    group_name: GroupName,
    #[shape(default)]
    path_prefix: PolicyPath,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListAttachedGroupPolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListAttachedPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAttachedPoliciesOutput, Error> {
        let holder: GroupRecord = existing(cx, &self.group_name).await?;
        list(&holder, &self.path_prefix, &self.page)
    }
}

#[derive(Shape)]
struct AttachRolePolicy {
    role_name: RoleName,
    policy_arn: PolicyArn,
}

impl Operation for AttachRolePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone())).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: RoleRecord = changing(cx, &self.role_name).await?;
        attach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct DetachRolePolicy {
    role_name: RoleName,
    policy_arn: PolicyArn,
}

impl Operation for DetachRolePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone())).key("iam:PolicyARN", [&self.policy_arn.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: RoleRecord = changing(cx, &self.role_name).await?;
        detach(cx, holder, &self.policy_arn).await
    }
}

#[derive(Shape)]
struct ListAttachedRolePolicies {
    role_name: RoleName,
    #[shape(default)]
    path_prefix: PolicyPath,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListAttachedRolePolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListAttachedPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAttachedPoliciesOutput, Error> {
        let holder: RoleRecord = existing(cx, &self.role_name).await?;
        list(&holder, &self.path_prefix, &self.page)
    }
}

/// Of what kind an entity is. A policy is on none of the last two, but AWS takes the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
pub(crate) enum EntityType {
    User,
    Role,
    Group,
    LocalManagedPolicy,
    AWSManagedPolicy,
}

/// As what a policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum PolicyUsageType {
    PermissionsPolicy,
    PermissionsBoundary,
}

#[derive(Shape)]
struct ListEntitiesForPolicy {
    policy_arn: PolicyArn,
    entity_filter: Option<EntityType>,
    #[shape(default)]
    path_prefix: Path,
    policy_usage_filter: Option<PolicyUsageType>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct PolicyGroup {
    group_name: GroupName,
    group_id: UniqueId,
}

#[derive(Shape)]
struct PolicyUser {
    user_name: UserName,
    user_id: UniqueId,
}

#[derive(Shape)]
struct PolicyRole {
    role_name: RoleName,
    role_id: UniqueId,
}

#[derive(Shape)]
struct ListEntitiesForPolicyOutput {
    policy_groups: Vec<PolicyGroup>,
    policy_users: Vec<PolicyUser>,
    policy_roles: Vec<PolicyRole>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListEntitiesForPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = ListEntitiesForPolicyOutput;

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListEntitiesForPolicyOutput, Error> {
        let (arn, _) = match found(cx, &self.policy_arn).await {
            // Here IAM has other words for a policy that is not there.
            Err(Error::NoSuchPolicy(arn)) => return Err(Error::NotAttachable(arn)),
            answer => answer?,
        };
        let (prefix, of) = (arn.bytes(), |kind| self.entity_filter.is_none_or(|only| only == kind));
        let as_policy = self.policy_usage_filter != Some(PolicyUsageType::PermissionsBoundary);
        let as_boundary = self.policy_usage_filter != Some(PolicyUsageType::PermissionsPolicy);
        let here = |path: &Path| path.as_str().starts_with(self.path_prefix.as_str());
        // Who has it both ways is shown once.
        let shown = |attached: &[Arn]| as_policy && attached.contains(&arn);
        let mut lists = Lists::of(&self.page)?;
        let (mut groups, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        if of(EntityType::Group) && as_policy {
            let list = (0, GroupRecord::BY_ATTACHED.of(&arn), prefix.as_slice());
            groups.extend(lists.scan(&cx.tx, list, |group: &GroupRecord| here(&group.path)).await?);
        }
        if of(EntityType::User) && as_policy {
            let list = (1, UserRecord::BY_ATTACHED.of(&arn), prefix.as_slice());
            users.extend(lists.scan(&cx.tx, list, |user: &UserRecord| here(&user.path)).await?);
        }
        if of(EntityType::User) && as_boundary {
            let list = (2, UserRecord::BY_BOUNDARY.of(&arn), prefix.as_slice());
            users.extend(lists.scan(&cx.tx, list, |user: &UserRecord| here(&user.path) && !shown(&user.attached)).await?);
        }
        if of(EntityType::Role) && as_policy {
            let list = (3, RoleRecord::BY_ATTACHED.of(&arn), prefix.as_slice());
            roles.extend(lists.scan(&cx.tx, list, |role: &RoleRecord| here(&role.path)).await?);
        }
        if of(EntityType::Role) && as_boundary {
            let list = (4, RoleRecord::BY_BOUNDARY.of(&arn), prefix.as_slice());
            roles.extend(lists.scan(&cx.tx, list, |role: &RoleRecord| here(&role.path) && !shown(&role.attached)).await?);
        }
        Ok(ListEntitiesForPolicyOutput {
            policy_groups: groups.into_iter().map(|group| PolicyGroup { group_name: group.name, group_id: group.id }).collect(),
            policy_users: users.into_iter().map(|user| PolicyUser { user_name: user.name, user_id: user.id }).collect(),
            policy_roles: roles.into_iter().map(|role| PolicyRole { role_name: role.name, role_id: role.id }).collect(),
            next: lists.end(),
        })
    }
}
