//! Instance profiles: what a machine is given a role by. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html>.
//! A profile is apart from its role and holds one at most; a role may be in many; who puts a role into one passes it to EC2.

use crate::page::{NextPage, Page};
use crate::paths::PathPrefix;
use crate::quotas::quota;
use crate::roles::{self, Role};
use crate::tagging::{self, same_exactly};
use crate::users::ListTagsOutput;
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{NameKey, Path, RoleName, RoleRecord, Tag, TagKey, Tags};
use operation::{Allowed, Caller, Judged, Operation, Operations, Protected, Resolved, Resource, handler};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateInstanceProfile>(),
    handler::<GetInstanceProfile>(),
    handler::<ListInstanceProfiles>(),
    handler::<DeleteInstanceProfile>(),
    handler::<AddRoleToInstanceProfile>(),
    handler::<RemoveRoleFromInstanceProfile>(),
    handler::<ListInstanceProfilesForRole>(),
    handler::<TagInstanceProfile>(),
    handler::<UntagInstanceProfile>(),
    handler::<ListInstanceProfileTags>(),
];

/// Roles of one profile, at most.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const ROLES: u64 = 1;

/// An instance profile's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 128,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub(crate) struct InstanceProfileName(Box<str>);

impl KeyPart for InstanceProfileName {
    fn encode(&self, out: &mut Vec<u8>) {
        NameKey::of(self.as_str()).encode(out);
    }
}

/// An instance profile.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "instance-profile", key = id, unique(by_name = name), index(by_role = role))]
pub(crate) struct InstanceProfileRecord {
    /// Never used again, also when the name is.
    pub id: UniqueId,
    /// Unique in the account.
    pub name: InstanceProfileName,
    /// Part of the ARN only.
    pub path: Path,
    /// Seconds since the epoch.
    pub created: i64,
    /// The role in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UniqueId>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl InstanceProfileRecord {
    /// `arn:aws:iam::ACCOUNT:instance-profile/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("instance-profile{}{}", self.path, self.name))
    }
}

impl Protected for InstanceProfileName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let profile = tx.find(InstanceProfileRecord::BY_NAME, self).await?;
            let arn = profile
                .as_ref()
                .map_or_else(|| caller.arn_here("iam", format_args!("instance-profile/{self}")), |profile| profile.arn(caller.account));
            let resource = Resource::new(arn.as_str(), caller.account).shown_as(format!("instance profile {self}"));
            Ok(profile.iter().fold(resource, |resource, profile| resource.tagged(&profile.tags)))
        })
    }
}

/// A role that is passed to a service: a denial tells its ARN, as AWS's does.
#[derive(Debug, Clone)]
struct Passed(RoleName);

impl Protected for Passed {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let mut resource = self.0.resolve(caller, tx).await?;
            // The role's tags are not there for iam:PassRole.
            // Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>.
            resource.facts.clear();
            let arn = resource.arn.clone();
            Ok(resource.shown_as(arn))
        })
    }
}

/// An instance profile as IAM shows it.
#[derive(Shape)]
pub(crate) struct InstanceProfile {
    path: Path,
    instance_profile_name: InstanceProfileName,
    instance_profile_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    roles: Vec<Role>,
    tags: Option<Vec<Tag>>,
}

impl InstanceProfile {
    /// What is shown wherever a profile is shown: all but its tags. `tx` looks at its account.
    pub async fn listed<M: Mode>(tx: &Tx<M>, account: AccountId, profile: &InstanceProfileRecord) -> Result<Self, StoreError> {
        let role = match &profile.role {
            Some(id) => tx.get::<RoleRecord>(id).await?,
            None => None,
        };
        let roles = match &role {
            Some(role) => vec![Role::bare(tx, role.arn(account), role).await?],
            None => Vec::new(),
        };
        Ok(InstanceProfile {
            path: profile.path.clone(),
            instance_profile_name: profile.name.clone(),
            instance_profile_id: profile.id.clone(),
            arn: profile.arn(account),
            create_date: Timestamp(profile.created),
            roles,
            tags: None,
        })
    }

    async fn all_listed(cx: &Allowed<'_, Read>, profiles: &[InstanceProfileRecord]) -> Result<Vec<Self>, StoreError> {
        let mut listed = Vec::with_capacity(profiles.len());
        for profile in profiles {
            listed.push(InstanceProfile::listed(&cx.tx, cx.caller.account, profile).await?);
        }
        Ok(listed)
    }
}

/// The profile with this name.
async fn named<M: Mode>(cx: &Allowed<'_, M>, name: &InstanceProfileName) -> Result<InstanceProfileRecord, Error> {
    cx.tx.find(InstanceProfileRecord::BY_NAME, name).await?.ok_or_else(|| Error::NoSuchProfile(name.to_string()))
}

/// Stores a profile whose name has not changed, so that nothing can be in its way.
async fn put(cx: &Allowed<'_, Write>, profile: &InstanceProfileRecord) -> Result<(), Error> {
    match cx.tx.put(profile).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::ProfileExists(profile.name.to_string())),
    }
}

#[derive(Shape)]
struct CreateInstanceProfile {
    instance_profile_name: InstanceProfileName,
    #[shape(default)]
    path: Path,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct InstanceProfileOutput {
    instance_profile: InstanceProfile,
}

impl Operation for CreateInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = InstanceProfileOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("instance-profile{}{}", self.path, self.instance_profile_name)))
            .and(!self.tags.is_empty(), "iam:TagInstanceProfile")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<InstanceProfileOutput, Error> {
        quota::<InstanceProfileRecord>(cx, cx.limits().instance_profiles, "InstanceProfilesPerAccount").await?;
        tagging::obey(cx, "iam:instance-profile", &self.tags).await?;
        let profile = InstanceProfileRecord {
            id: cx.new_id(IdKind::InstanceProfile)?,
            name: self.instance_profile_name.clone(),
            path: self.path.clone(),
            created: cx.now,
            role: None,
            tags: tagging::first(&self.tags, same_exactly)?,
        };
        if cx.tx.insert(&profile).await? == Stored::Taken {
            return Err(Error::ProfileExists(profile.name.to_string()));
        }
        let shown = InstanceProfile::listed(&cx.tx, cx.caller.account, &profile).await?;
        let tags = (!profile.tags.is_empty()).then(|| profile.tags.to_vec());
        Ok(InstanceProfileOutput { instance_profile: InstanceProfile { tags, ..shown } })
    }
}

#[derive(Shape)]
struct GetInstanceProfile {
    instance_profile_name: InstanceProfileName,
}

impl Operation for GetInstanceProfile {
    type Service = Iam;
    type Access = Read;
    type Output = InstanceProfileOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<InstanceProfileOutput, Error> {
        let profile = named(cx, &self.instance_profile_name).await?;
        let shown = InstanceProfile::listed(&cx.tx, cx.caller.account, &profile).await?;
        Ok(InstanceProfileOutput { instance_profile: InstanceProfile { tags: Some(profile.tags.to_vec()), ..shown } })
    }
}

#[derive(Shape)]
struct ListInstanceProfiles {
    #[shape(default)]
    path_prefix: PathPrefix,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct InstanceProfilesOutput {
    instance_profiles: Vec<InstanceProfile>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListInstanceProfiles {
    type Service = Iam;
    type Access = Read;
    type Output = InstanceProfilesOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("instance-profile{}", self.path_prefix)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<InstanceProfilesOutput, Error> {
        let wanted = |profile: &InstanceProfileRecord| profile.path.as_str().starts_with(self.path_prefix.as_str());
        let page = cx.tx.scan(InstanceProfileRecord::BY_NAME.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let instance_profiles = InstanceProfile::all_listed(cx, &page.records).await?;
        Ok(InstanceProfilesOutput { instance_profiles, next: page.next.into() })
    }
}

#[derive(Shape)]
struct DeleteInstanceProfile {
    instance_profile_name: InstanceProfileName,
}

impl Operation for DeleteInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let profile = named(cx, &self.instance_profile_name).await?;
        if profile.role.is_some() {
            return Err(Error::Conflict("Cannot delete entity, must remove roles from instance profile first."));
        }
        cx.tx.delete::<InstanceProfileRecord>(&profile.id).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct AddRoleToInstanceProfile {
    instance_profile_name: InstanceProfileName,
    role_name: RoleName,
}

impl Operation for AddRoleToInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>.
    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name)
            .and_on("iam:PassRole", &Passed(self.role_name.clone()))
            .key_there("iam:PassedToService", ["ec2.amazonaws.com"])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut profile = named(cx, &self.instance_profile_name).await?;
        let role = roles::changeable(cx, &self.role_name).await?;
        if profile.role.is_some() {
            return Err(Error::Quota { name: "InstanceSessionsPerInstanceProfile", limit: ROLES });
        }
        profile.role = Some(role.id);
        put(cx, &profile).await
    }
}

#[derive(Shape)]
struct RemoveRoleFromInstanceProfile {
    instance_profile_name: InstanceProfileName,
    role_name: RoleName,
}

impl Operation for RemoveRoleFromInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut profile = named(cx, &self.instance_profile_name).await?;
        let role = roles::changeable(cx, &self.role_name).await?;
        if profile.role.take_if(|held| *held == role.id).is_none() {
            return Err(Error::NotInProfile { role: role.name.to_string(), profile: profile.name.to_string() });
        }
        put(cx, &profile).await
    }
}

#[derive(Shape)]
struct ListInstanceProfilesForRole {
    role_name: RoleName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListInstanceProfilesForRole {
    type Service = Iam;
    type Access = Read;
    type Output = InstanceProfilesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<InstanceProfilesOutput, Error> {
        let role = roles::named(cx, &self.role_name).await?;
        let span = InstanceProfileRecord::BY_ROLE.of(&role.id);
        let page = cx.tx.scan(span, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let instance_profiles = InstanceProfile::all_listed(cx, &page.records).await?;
        Ok(InstanceProfilesOutput { instance_profiles, next: page.next.into() })
    }
}

#[derive(Shape)]
struct TagInstanceProfile {
    instance_profile_name: InstanceProfileName,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut profile = named(cx, &self.instance_profile_name).await?;
        tagging::obey(cx, "iam:instance-profile", &self.tags).await?;
        tagging::add(&mut profile.tags, &self.tags, same_exactly)?;
        put(cx, &profile).await
    }
}

#[derive(Shape)]
struct UntagInstanceProfile {
    instance_profile_name: InstanceProfileName,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagInstanceProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut profile = named(cx, &self.instance_profile_name).await?;
        tagging::remove(&mut profile.tags, &self.tag_keys, same_exactly);
        put(cx, &profile).await
    }
}

#[derive(Shape)]
struct ListInstanceProfileTags {
    instance_profile_name: InstanceProfileName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListInstanceProfileTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.instance_profile_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        let profile = named(cx, &self.instance_profile_name).await?;
        ListTagsOutput::of(&profile.tags, &self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_case_and_is_kept_as_it_was_given() {
        let (one, other): (InstanceProfileName, InstanceProfileName) = ("Web".parse().unwrap(), "wEB".parse().unwrap());
        assert_eq!(KeyPart::bytes(&one), KeyPart::bytes(&other));
        assert_eq!(one.as_str(), "Web");
    }
}
