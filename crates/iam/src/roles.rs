//! Roles: identities that principals take on for a while. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html>.
//! Each operation shows another part of a role: its creation neither duration nor last use, a list neither tags nor boundary nor last use.
//! Under two paths only AWS's services make roles, and nobody else changes them.

use crate::boundaries::{AttachedPermissionsBoundary, boundary};
use crate::documents::{EncodedDocument, PolicyDocument};
use crate::holders::Bounded;
use crate::instance_profiles::InstanceProfileRecord;
use crate::page::{NextPage, Page};
use crate::paths::PathPrefix;
use crate::quotas::quota;
use crate::tagging::{self, same_whatever_case};
use crate::users::ListTagsOutput;
use crate::{Error, Iam, trust};
use arn::{Arn, IdKind, UniqueId};
use identities::{InlinePolicyRecord, MaxSessionDuration, Path, RoleName, RoleRecord, Tag, TagKey};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, TRACKED, handler};
use store::{Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Int, Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateRole>(),
    handler::<GetRole>(),
    handler::<ListRoles>(),
    handler::<UpdateRole>(),
    handler::<UpdateRoleDescription>(),
    handler::<UpdateAssumeRolePolicy>(),
    handler::<DeleteRole>(),
    handler::<TagRole>(),
    handler::<UntagRole>(),
    handler::<ListRoleTags>(),
];

/// What a role's maker writes of it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 1000, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*")]
pub(crate) struct Description(Box<str>);

impl Description {
    /// What is kept of it: an empty one is none.
    pub fn kept(&self) -> Option<String> {
        Some(self.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// A role as IAM shows it.
#[derive(Shape)]
pub(crate) struct Role {
    path: Path,
    role_name: RoleName,
    role_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    assume_role_policy_document: EncodedDocument,
    description: Option<String>,
    max_session_duration: Option<MaxSessionDuration>,
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    tags: Option<Vec<Tag>>,
    role_last_used: Option<RoleLastUsed>,
    source_role_template: Option<SourceRoleTemplate>,
}

/// The template that AcquireRole made a role from. No role here has one.
#[derive(Shape)]
struct SourceRoleTemplate {
    template_arn: Arn,
    template_minor_version: i32,
}

/// When and where a role was last used: nothing of both if it never was, or too long ago.
#[derive(Shape)]
pub(crate) struct RoleLastUsed {
    last_used_date: Option<Timestamp>,
    region: Option<String>,
}

impl Role {
    /// What is shown wherever a role is shown. `tx` looks at its account.
    pub async fn bare<M: Mode>(tx: &Tx<M>, arn: Arn, role: &RoleRecord) -> Result<Self, StoreError> {
        Ok(Role {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn,
            create_date: Timestamp(role.created),
            assume_role_policy_document: trust::shown(tx, &role.trust).await?,
            description: None,
            max_session_duration: None,
            permissions_boundary: None,
            tags: None,
            role_last_used: None,
            source_role_template: None,
        })
    }

    /// What its creation shows: what was given, but neither the description nor the duration.
    pub async fn made(cx: &Allowed<'_, Write>, role: &RoleRecord) -> Result<Self, StoreError> {
        Ok(Role {
            permissions_boundary: role.permissions_boundary.clone().map(AttachedPermissionsBoundary::of),
            tags: (!role.tags.is_empty()).then(|| role.tags.to_vec()),
            ..Role::bare(&cx.tx, role.arn(cx.caller.account), role).await?
        })
    }

    /// What lists show: neither tags nor boundary nor last use.
    async fn listed(cx: &Allowed<'_, Read>, role: &RoleRecord) -> Result<Self, StoreError> {
        Ok(Role {
            description: role.description.clone(),
            max_session_duration: Some(Int(role.max_session_duration)),
            ..Role::bare(&cx.tx, role.arn(cx.caller.account), role).await?
        })
    }

    /// All that is shown of one role.
    async fn whole(cx: &Allowed<'_, Read>, role: &RoleRecord) -> Result<Self, StoreError> {
        Ok(Role {
            permissions_boundary: role.permissions_boundary.clone().map(AttachedPermissionsBoundary::of),
            tags: (!role.tags.is_empty()).then(|| role.tags.to_vec()),
            role_last_used: Some(RoleLastUsed::of(cx, role).await?),
            ..Role::listed(cx, role).await?
        })
    }
}

impl RoleLastUsed {
    /// Of a role.
    pub async fn of<M: Mode>(cx: &Allowed<'_, M>, role: &RoleRecord) -> Result<Self, StoreError> {
        let used = cx.last_used().of(&cx.access().store, role.id.as_str()).await?.filter(|used| used.at >= cx.now - TRACKED);
        let (last_used_date, region) = used.map(|used| (Timestamp(used.at), used.region)).unzip();
        Ok(RoleLastUsed { last_used_date, region })
    }
}

/// The role with this name.
pub(crate) async fn named<M: Mode>(cx: &Allowed<'_, M>, name: &RoleName) -> Result<RoleRecord, Error> {
    cx.tx.find(RoleRecord::BY_NAME, name).await?.ok_or_else(|| Error::no_role(name))
}

/// The role with this name, if its account may change it.
pub(crate) async fn changeable<M: Mode>(cx: &Allowed<'_, M>, name: &RoleName) -> Result<RoleRecord, Error> {
    let role = named(cx, name).await?;
    if reserved(&role.path).is_some() { Err(Error::Protected(role.name.to_string())) } else { Ok(role) }
}

/// The beginning of a path under which only AWS's services make roles: their own, and those of Identity Center.
pub(crate) fn reserved(path: &Path) -> Option<&'static str> {
    ["/aws-service-role/", "/aws-reserved/"].into_iter().find(|owned| path.as_str().starts_with(owned))
}

/// Stores a role whose name has not changed, so that nothing can be in its way.
pub(crate) async fn put(cx: &Allowed<'_, Write>, role: &RoleRecord) -> Result<(), Error> {
    match cx.tx.put(role).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Exists { kind: "Role", name: role.name.to_string() }),
    }
}

#[derive(Shape)]
struct CreateRole {
    #[shape(default)]
    path: Path,
    role_name: RoleName,
    assume_role_policy_document: PolicyDocument,
    description: Option<Description>,
    #[shape(default)]
    max_session_duration: MaxSessionDuration,
    permissions_boundary: Option<PolicyArn>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
pub(crate) struct RoleOutput {
    pub role: Role,
}

impl Operation for CreateRole {
    type Service = Iam;
    type Access = Write;
    type Output = RoleOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("role{}{}", self.path, self.role_name)))
            .key_there("iam:PermissionsBoundary", self.permissions_boundary.as_ref().map(|boundary| &boundary.0))
            .and(!self.tags.is_empty(), "iam:TagRole")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<RoleOutput, Error> {
        if let Some(owned) = reserved(&self.path) {
            return Err(Error::InvalidInput(format!("Path prefix '{owned}' can only be used for AWS Service linked Roles")));
        }
        quota::<RoleRecord>(cx, cx.limits().roles, "RolesPerAccount").await?;
        let role = RoleRecord {
            id: cx.new_id(IdKind::Role)?,
            name: self.role_name.clone(),
            path: self.path.clone(),
            created: cx.now,
            description: self.description.as_ref().and_then(Description::kept),
            max_session_duration: self.max_session_duration.0,
            trust: trust::saved(&cx.tx, &self.assume_role_policy_document).await?,
            permissions_boundary: boundary(cx, self.permissions_boundary.as_ref()).await?,
            attached: Vec::new(),
            tags: tagging::first(&self.tags, same_whatever_case)?,
        };
        match cx.tx.insert(&role).await? {
            Stored::Done => Ok(RoleOutput { role: Role::made(cx, &role).await? }),
            Stored::Taken => Err(Error::Exists { kind: "Role", name: role.name.to_string() }),
        }
    }
}

#[derive(Shape)]
struct GetRole {
    role_name: RoleName,
}

impl Operation for GetRole {
    type Service = Iam;
    type Access = Read;
    type Output = RoleOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<RoleOutput, Error> {
        let role = named(cx, &self.role_name).await?;
        Ok(RoleOutput { role: Role::whole(cx, &role).await? })
    }
}

#[derive(Shape)]
struct ListRoles {
    #[shape(default)]
    path_prefix: PathPrefix,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListRolesOutput {
    roles: Vec<Role>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListRoles {
    type Service = Iam;
    type Access = Read;
    type Output = ListRolesOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("role{}", self.path_prefix)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListRolesOutput, Error> {
        let wanted = |role: &RoleRecord| role.path.as_str().starts_with(self.path_prefix.as_str());
        let page = cx.tx.scan(RoleRecord::BY_NAME.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let mut roles = Vec::with_capacity(page.records.len());
        for role in &page.records {
            roles.push(Role::listed(cx, role).await?);
        }
        Ok(ListRolesOutput { roles, next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateRole {
    role_name: RoleName,
    description: Option<Description>,
    max_session_duration: Option<MaxSessionDuration>,
}

/// Nothing, but in an element of its own.
#[derive(Shape)]
struct UpdateRoleOutput {}

impl Operation for UpdateRole {
    type Service = Iam;
    type Access = Write;
    type Output = UpdateRoleOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    /// What is not given stays.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<UpdateRoleOutput, Error> {
        let mut role = describable(cx, &self.role_name).await?;
        if let Some(duration) = self.max_session_duration {
            if role.is_service_linked() {
                return Err(Error::FixedDuration(role.name.to_string()));
            }
            role.max_session_duration = duration.0;
        }
        role.description = self.description.as_ref().map_or(role.description, Description::kept);
        put(cx, &role).await.map(|()| UpdateRoleOutput {})
    }
}

#[derive(Shape)]
struct UpdateRoleDescription {
    role_name: RoleName,
    description: Description,
}

impl Operation for UpdateRoleDescription {
    type Service = Iam;
    type Access = Write;
    type Output = RoleOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<RoleOutput, Error> {
        let mut role = describable(cx, &self.role_name).await?;
        role.description = self.description.kept();
        put(cx, &role).await?;
        let shown = Role::bare(&cx.tx, role.arn(cx.caller.account), &role).await?;
        Ok(RoleOutput { role: Role { description: role.description, ..shown } })
    }
}

/// The role with this name, if its account may describe it: a service's role it may.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-service-linked-role.html>.
async fn describable(cx: &Allowed<'_, Write>, name: &RoleName) -> Result<RoleRecord, Error> {
    let role = named(cx, name).await?;
    if reserved(&role.path).is_some() && !role.is_service_linked() { Err(Error::Protected(role.name.to_string())) } else { Ok(role) }
}

#[derive(Shape)]
struct UpdateAssumeRolePolicy {
    role_name: RoleName,
    policy_document: PolicyDocument,
}

impl Operation for UpdateAssumeRolePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut role = changeable(cx, &self.role_name).await?;
        role.trust = trust::saved(&cx.tx, &self.policy_document).await?;
        put(cx, &role).await
    }
}

#[derive(Shape)]
struct DeleteRole {
    role_name: RoleName,
}

impl Operation for DeleteRole {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let role = changeable(cx, &self.role_name).await?;
        if let Some(reason) = held(cx, &role).await? {
            return Err(Error::Conflict(reason));
        }
        cx.tx.delete::<RoleRecord>(&role.id).await?;
        Ok(())
    }
}

/// What a role still holds, or what still holds it. Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>.
async fn held(cx: &Allowed<'_, Write>, role: &RoleRecord) -> Result<Option<&'static str>, Error> {
    Ok(if cx.tx.count(InlinePolicyRecord::KEY.under(&role.id), 1).await? > 0 {
        Some("Cannot delete entity, must delete policies first.")
    } else if !role.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if cx.tx.count(InstanceProfileRecord::BY_ROLE.of(&role.id), 1).await? > 0 {
        Some("Cannot delete entity, must remove roles from instance profile first.")
    } else {
        None
    })
}

#[derive(Shape)]
struct TagRole {
    role_name: RoleName,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagRole {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut role = describable(cx, &self.role_name).await?;
        tagging::add(&mut role.tags, &self.tags, same_whatever_case)?;
        put(cx, &role).await
    }
}

#[derive(Shape)]
struct UntagRole {
    role_name: RoleName,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagRole {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut role = describable(cx, &self.role_name).await?;
        tagging::remove(&mut role.tags, &self.tag_keys, same_whatever_case);
        put(cx, &role).await
    }
}

#[derive(Shape)]
struct ListRoleTags {
    role_name: RoleName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListRoleTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        let role = named(cx, &self.role_name).await?;
        ListTagsOutput::of(&role.tags, &self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_services_are_reserved_and_those_that_look_alike_are_not() {
        let of = |path: &str| reserved(&path.parse().unwrap());
        assert_eq!(of("/aws-service-role/ecs.amazonaws.com/"), Some("/aws-service-role/"));
        assert_eq!(of("/aws-reserved/sso.amazonaws.com/eu-west-1/"), Some("/aws-reserved/"));
        for path in ["/", "/service-role/", "/aws-service-roles/", "/x/aws-service-role/"] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn an_empty_description_is_none() {
        assert_eq!("".parse::<Description>().unwrap().kept(), None);
        assert_eq!(" ".parse::<Description>().unwrap().kept(), Some(" ".to_owned()));
    }
}
