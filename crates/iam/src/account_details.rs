//! The whole of an account's users, groups, roles and policies, with their documents and how they belong together.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>.
//! One page runs over all lists. It ends early where documents are long, so that no answer grows with what an account keeps. Of AWS's policies those
//! are shown that the account uses.

use crate::attachments::{AttachedPolicy, EntityType};
use crate::boundaries::AttachedPermissionsBoundary;
use crate::documents::EncodedDocument;
use crate::holders::Holder;
use crate::instance_profiles::{InstanceProfile, InstanceProfileRecord};
use crate::lists::Lists;
use crate::page::{NextPage, Page};
use crate::policies::{Usage, time};
use crate::policy_versions::{self, PolicyVersion};
use crate::roles::RoleLastUsed;
use crate::{Error, Iam, inline_policies, trust};
use arn::{Arn, UniqueId};
use identities::managed_policies;
use identities::{GroupName, GroupRecord, ManagedPolicy, Path, PolicyName, PolicyRecord, RoleName, RoleRecord, Tag, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use std::collections::HashMap;
use store::{KeyPart, Read, StoreError};
use wire::{Shape, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<GetAccountAuthorizationDetails>()];

/// What one page may weigh before it ends early: bytes of documents, and entries that were counted.
const HEAVY: usize = 1 << 20;
/// Instance profiles shown of one role: as many as AWS lets an account have.
const PROFILES: usize = 1_000;

/// The lists, in their order.
const USERS: u8 = 0;
const GROUPS: u8 = 1;
const ROLES: u8 = 2;
const OWN: u8 = 3;
const AWS: u8 = 4;

#[derive(Shape)]
struct GetAccountAuthorizationDetails {
    filter: Vec<EntityType>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct GetAccountAuthorizationDetailsOutput {
    user_detail_list: Vec<UserDetail>,
    group_detail_list: Vec<GroupDetail>,
    role_detail_list: Vec<RoleDetail>,
    policies: Vec<ManagedPolicyDetail>,
    #[shape(flatten)]
    next: NextPage,
}

/// An inline policy.
#[derive(Shape)]
struct PolicyDetail {
    policy_name: PolicyName,
    policy_document: EncodedDocument,
}

#[derive(Shape)]
struct UserDetail {
    path: Path,
    user_name: UserName,
    user_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    user_policy_list: Vec<PolicyDetail>,
    group_list: Vec<GroupName>,
    attached_managed_policies: Vec<AttachedPolicy>,
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct GroupDetail {
    path: Path,
    group_name: GroupName,
    group_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    group_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
}

#[derive(Shape)]
struct RoleDetail {
    path: Path,
    role_name: RoleName,
    role_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    assume_role_policy_document: EncodedDocument,
    instance_profile_list: Vec<InstanceProfile>,
    role_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    tags: Vec<Tag>,
    role_last_used: RoleLastUsed,
}

#[derive(Shape)]
struct ManagedPolicyDetail {
    policy_name: String,
    policy_id: UniqueId,
    arn: Arn,
    path: String,
    default_version_id: String,
    attachment_count: i64,
    permissions_boundary_usage_count: i64,
    is_attachable: bool,
    description: Option<String>,
    create_date: Timestamp,
    update_date: Timestamp,
    policy_version_list: Vec<PolicyVersion>,
}

impl Operation for GetAccountAuthorizationDetails {
    type Service = Iam;
    type Access = Read;
    type Output = GetAccountAuthorizationDetailsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccountAuthorizationDetailsOutput, Error> {
        let wants = |kind| self.filter.is_empty() || self.filter.contains(&kind);
        let mut filling = Filling { cx, lists: Lists::of(&self.page)?, weight: 0, groups: HashMap::new() };
        let user_detail_list = if wants(EntityType::User) { filling.users().await? } else { Vec::new() };
        let group_detail_list = if wants(EntityType::Group) { filling.groups().await? } else { Vec::new() };
        let role_detail_list = if wants(EntityType::Role) { filling.roles().await? } else { Vec::new() };
        let mut policies = if wants(EntityType::LocalManagedPolicy) { filling.own_policies().await? } else { Vec::new() };
        if wants(EntityType::AWSManagedPolicy) {
            policies.extend(filling.policies_of_aws().await?);
        }
        Ok(GetAccountAuthorizationDetailsOutput {
            user_detail_list,
            group_detail_list,
            role_detail_list,
            policies,
            next: filling.lists.end(),
        })
    }
}

/// A page that is being filled.
struct Filling<'a, 'c> {
    cx: &'a Allowed<'c, Read>,
    lists: Lists,
    weight: usize,
    /// Names of groups that were looked up.
    groups: HashMap<UniqueId, GroupName>,
}

impl Filling<'_, '_> {
    /// Whether the page is heavy enough: it then ends after this place, if something was shown before.
    fn ends(&mut self, list: u8, last: Option<&[u8]>) -> bool {
        let ends = self.weight >= HEAVY;
        if ends {
            self.lists.end_after(list, last.unwrap_or_default());
        }
        ends
    }

    async fn users(&mut self) -> Result<Vec<UserDetail>, Error> {
        let users = self.lists.scan(&self.cx.tx, (USERS, UserRecord::BY_NAME.all(), &[]), |_: &UserRecord| true).await?;
        let mut shown = Vec::with_capacity(users.len());
        for user in users {
            let detail = UserDetail {
                user_policy_list: self.inline(&user).await?,
                group_list: self.group_names(&user.groups).await?,
                attached_managed_policies: user.attached.iter().map(AttachedPolicy::of).collect(),
                arn: user.arn(self.cx.caller.account),
                create_date: Timestamp(user.created),
                permissions_boundary: user.permissions_boundary.map(AttachedPermissionsBoundary::of),
                tags: user.tags.to_vec(),
                path: user.path,
                user_id: user.id,
                user_name: user.name,
            };
            let place = detail.user_name.bytes();
            shown.push(detail);
            if self.ends(USERS, Some(&place)) {
                break;
            }
        }
        Ok(shown)
    }

    async fn groups(&mut self) -> Result<Vec<GroupDetail>, Error> {
        let groups = self.lists.scan(&self.cx.tx, (GROUPS, GroupRecord::BY_NAME.all(), &[]), |_: &GroupRecord| true).await?;
        let mut shown = Vec::with_capacity(groups.len());
        for group in groups {
            let detail = GroupDetail {
                group_policy_list: self.inline(&group).await?,
                attached_managed_policies: group.attached.iter().map(AttachedPolicy::of).collect(),
                arn: group.arn(self.cx.caller.account),
                create_date: Timestamp(group.created),
                path: group.path,
                group_id: group.id,
                group_name: group.name,
            };
            let place = detail.group_name.bytes();
            shown.push(detail);
            if self.ends(GROUPS, Some(&place)) {
                break;
            }
        }
        Ok(shown)
    }

    async fn roles(&mut self) -> Result<Vec<RoleDetail>, Error> {
        let roles = self.lists.scan(&self.cx.tx, (ROLES, RoleRecord::BY_NAME.all(), &[]), |_: &RoleRecord| true).await?;
        let mut shown = Vec::with_capacity(roles.len());
        for role in roles {
            let detail = RoleDetail {
                instance_profile_list: self.profiles(&role).await?,
                role_policy_list: self.inline(&role).await?,
                assume_role_policy_document: trust::shown(&self.cx.tx, &role.trust).await?,
                role_last_used: RoleLastUsed::of(self.cx, &role).await?,
                attached_managed_policies: role.attached.iter().map(AttachedPolicy::of).collect(),
                arn: role.arn(self.cx.caller.account),
                create_date: Timestamp(role.created),
                permissions_boundary: role.permissions_boundary.map(AttachedPermissionsBoundary::of),
                tags: role.tags.to_vec(),
                path: role.path,
                role_id: role.id,
                role_name: role.name,
            };
            self.weight += role.trust.document.len();
            let place = detail.role_name.bytes();
            shown.push(detail);
            if self.ends(ROLES, Some(&place)) {
                break;
            }
        }
        Ok(shown)
    }

    async fn own_policies(&mut self) -> Result<Vec<ManagedPolicyDetail>, Error> {
        let policies = self.lists.scan(&self.cx.tx, (OWN, PolicyRecord::BY_NAME.all(), &[]), |_: &PolicyRecord| true).await?;
        let mut shown = Vec::with_capacity(policies.len());
        for policy in policies {
            let arn = policy.arn(self.cx.caller.account);
            let usage = self.usage(&arn).await?;
            let versions = policy_versions::all(&self.cx.tx, &policy).await?;
            self.weight += versions.iter().map(|version| version.document.len()).sum::<usize>();
            shown.push(ManagedPolicyDetail {
                policy_version_list: versions.iter().map(|version| PolicyVersion::whole(&policy, version)).collect(),
                policy_name: policy.name.to_string(),
                policy_id: policy.id.clone(),
                arn,
                path: policy.path.to_string(),
                default_version_id: format!("v{}", policy.default_version),
                attachment_count: number(usage.attached),
                permissions_boundary_usage_count: number(usage.bounding),
                is_attachable: true,
                description: policy.description.clone(),
                create_date: Timestamp(policy.created),
                update_date: Timestamp(policy.updated),
            });
            if self.ends(OWN, Some(&policy.name.bytes())) {
                break;
            }
        }
        Ok(shown)
    }

    async fn policies_of_aws(&mut self) -> Result<Vec<ManagedPolicyDetail>, Error> {
        let mut shown = Vec::new();
        let Some(mut last) = self.lists.turn(AWS) else { return Ok(shown) };
        for policy in managed_policies() {
            let place = policy.arn.resource().as_bytes();
            if place <= last.as_slice() || !self.is_used(&policy.arn).await? {
                continue;
            }
            if !self.lists.takes_one() {
                self.lists.end_after(AWS, &last);
                break;
            }
            let usage = self.usage(&policy.arn).await?;
            self.weight += policy.document.len();
            shown.push(of_aws(policy, usage));
            last = place.to_vec();
            if self.ends(AWS, Some(&last)) {
                break;
            }
        }
        Ok(shown)
    }

    async fn inline<H: Holder>(&mut self, holder: &H) -> Result<Vec<PolicyDetail>, StoreError> {
        let policies = inline_policies::all(&self.cx.tx, holder).await?;
        self.weight += policies.iter().map(|policy| policy.document.len()).sum::<usize>();
        let shown = |policy: identities::InlinePolicyRecord| PolicyDetail {
            policy_name: policy.name,
            policy_document: EncodedDocument(policy.document),
        };
        Ok(policies.into_iter().map(shown).collect())
    }

    async fn group_names(&mut self, ids: &[UniqueId]) -> Result<Vec<GroupName>, StoreError> {
        let mut names = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(name) = self.groups.get(id) {
                names.push(name.clone());
            } else if let Some(group) = self.cx.tx.get::<GroupRecord>(id).await? {
                names.push(group.name.clone());
                self.groups.insert(id.clone(), group.name);
            }
        }
        Ok(names)
    }

    async fn profiles(&mut self, role: &RoleRecord) -> Result<Vec<InstanceProfile>, StoreError> {
        let span = InstanceProfileRecord::BY_ROLE.of(&role.id);
        let profiles = self.cx.tx.scan::<InstanceProfileRecord>(span, None, PROFILES, |_| true).await?.records;
        let mut shown = Vec::with_capacity(profiles.len());
        for profile in &profiles {
            self.weight += role.trust.document.len(); // a profile repeats its role
            shown.push(InstanceProfile::listed(&self.cx.tx, self.cx.caller.account, profile).await?);
        }
        Ok(shown)
    }

    async fn usage(&mut self, arn: &Arn) -> Result<Usage, StoreError> {
        let usage = Usage::of(&self.cx.tx, arn).await?;
        self.weight += usage.attached + usage.bounding;
        Ok(usage)
    }

    /// Whether anything in the account has this policy.
    async fn is_used(&self, arn: &Arn) -> Result<bool, StoreError> {
        let tx = &self.cx.tx;
        Ok(tx.count(RoleRecord::BY_ATTACHED.of(arn), 1).await? > 0
            || tx.count(UserRecord::BY_ATTACHED.of(arn), 1).await? > 0
            || tx.count(GroupRecord::BY_ATTACHED.of(arn), 1).await? > 0
            || tx.count(UserRecord::BY_BOUNDARY.of(arn), 1).await? > 0
            || tx.count(RoleRecord::BY_BOUNDARY.of(arn), 1).await? > 0)
    }
}

fn of_aws(policy: &ManagedPolicy, usage: Usage) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_version_list: vec![PolicyVersion::aws(policy)],
        policy_name: policy.name().to_owned(),
        policy_id: policy.id.clone(),
        arn: policy.arn.clone(),
        path: policy.path().to_owned(),
        default_version_id: policy.version.to_owned(),
        attachment_count: number(usage.attached),
        permissions_boundary_usage_count: number(usage.bounding),
        is_attachable: policy.is_attachable(),
        description: None,
        create_date: time(policy.created),
        update_date: time(policy.updated),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
