//! Groups: users who share policies. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html>.
//! Who is in a group, the users say: so that a user's policies are found from the user alone. A group is never a principal and is in no group.

use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::paths::{PathPrefix, Renamed};
use crate::quotas::quota;
use crate::users::{self, User};
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{GroupName, GroupRecord, InlinePolicyRecord, Path, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, Record, Stored, Write};
use wire::{Shape, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateGroup>(),
    handler::<GetGroup>(),
    handler::<ListGroups>(),
    handler::<UpdateGroup>(),
    handler::<DeleteGroup>(),
    handler::<AddUserToGroup>(),
    handler::<RemoveUserFromGroup>(),
    handler::<ListGroupsForUser>(),
];

/// Groups that one user may be in. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub(crate) const GROUPS_PER_USER: u64 = 10;

/// A group as IAM shows it.
#[derive(Shape)]
pub(crate) struct Group {
    path: Path,
    group_name: GroupName,
    group_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
}

impl Group {
    /// What every answer shows of a group.
    pub(crate) fn of(account: AccountId, group: &GroupRecord) -> Self {
        Group {
            path: group.path.clone(),
            group_name: group.name.clone(),
            group_id: group.id.clone(),
            arn: group.arn(account),
            create_date: Timestamp(group.created),
        }
    }
}

/// The group of that name.
async fn found<M: Mode>(cx: &Allowed<'_, M>, name: &GroupName) -> Result<GroupRecord, Error> {
    cx.tx.find(GroupRecord::BY_NAME, name).await?.ok_or_else(|| Error::no_group(name))
}

/// The user of that name.
async fn member<M: Mode>(cx: &Allowed<'_, M>, name: &ExistingUserName) -> Result<UserRecord, Error> {
    cx.tx.find(UserRecord::BY_NAME, name).await?.ok_or_else(|| Error::no_user(name))
}

#[derive(Shape)]
struct CreateGroup {
    #[shape(default)]
    path: Path,
    group_name: GroupName,
}

#[derive(Shape)]
struct CreateGroupOutput {
    group: Group,
}

impl Operation for CreateGroup {
    type Service = Iam;
    type Access = Write;
    type Output = CreateGroupOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("group{}{}", self.path, self.group_name)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateGroupOutput, Error> {
        quota::<GroupRecord>(cx, cx.limits().groups, "GroupsPerAccount").await?;
        let group = GroupRecord {
            id: cx.new_id(IdKind::Group)?,
            name: self.group_name.clone(),
            path: self.path.clone(),
            created: cx.now,
            attached: Vec::new(),
        };
        match cx.tx.insert(&group).await? {
            Stored::Done => Ok(CreateGroupOutput { group: Group::of(cx.caller.account, &group) }),
            Stored::Taken => Err(Error::Exists { kind: "Group", name: group.name.to_string() }),
        }
    }
}

#[derive(Shape)]
struct GetGroup {
    group_name: GroupName,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct GetGroupOutput {
    group: Group,
    users: Vec<User>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for GetGroup {
    type Service = Iam;
    type Access = Read;
    type Output = GetGroupOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetGroupOutput, Error> {
        let (group, account) = (found(cx, &self.group_name).await?, cx.caller.account);
        let members = UserRecord::BY_GROUP.of(&group.id);
        let page = cx.tx.scan(members, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let users = User::list(cx, &page.records).await?;
        Ok(GetGroupOutput { group: Group::of(account, &group), users, next: page.next.into() })
    }
}

#[derive(Shape)]
struct ListGroups {
    #[shape(default)]
    path_prefix: PathPrefix,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListGroupsOutput {
    groups: Vec<Group>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListGroups {
    type Service = Iam;
    type Access = Read;
    type Output = ListGroupsOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("group{}", self.path_prefix)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListGroupsOutput, Error> {
        let wanted = |group: &GroupRecord| group.path.as_str().starts_with(self.path_prefix.as_str());
        let page = cx.tx.scan(GroupRecord::BY_NAME.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let groups = page.records.iter().map(|group| Group::of(cx.caller.account, group)).collect();
        Ok(ListGroupsOutput { groups, next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateGroup {
    group_name: GroupName,
    new_path: Option<Path>,
    new_group_name: Option<GroupName>,
}

impl Operation for UpdateGroup {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// On the old ARN and, where it changes, on the new one.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups_manage_rename.html>.
    fn judged_by(&self, _: &Caller) -> Judged {
        let judged = Judged::on(&self.group_name);
        if self.new_path.is_none() && self.new_group_name.is_none() {
            return judged;
        }
        let (old, path, name) = (self.group_name.clone(), self.new_path.clone(), self.new_group_name.clone());
        judged.also_on(&Renamed::Group { old, path, name })
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut group = found(cx, &self.group_name).await?;
        group.path = self.new_path.clone().unwrap_or(group.path);
        group.name = self.new_group_name.clone().unwrap_or(group.name);
        match cx.tx.put(&group).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Exists { kind: "Group", name: group.name.to_string() }),
        }
    }
}

#[derive(Shape)]
struct DeleteGroup {
    group_name: GroupName,
}

impl Operation for DeleteGroup {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let group = found(cx, &self.group_name).await?;
        if let Some(reason) = held(cx, &group).await? {
            return Err(Error::Conflict(reason));
        }
        cx.tx.delete::<GroupRecord>(&group.id).await?;
        Ok(())
    }
}

/// What is still in a group. Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html>.
async fn held(cx: &Allowed<'_, Write>, group: &GroupRecord) -> Result<Option<&'static str>, Error> {
    Ok(if cx.tx.count(InlinePolicyRecord::KEY.under(&group.id), 1).await? > 0 {
        Some("Cannot delete entity, must delete policies first.")
    } else if !group.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if cx.tx.count(UserRecord::BY_GROUP.of(&group.id), 1).await? > 0 {
        Some("Cannot delete entity, must remove users from group first.")
    } else {
        None
    })
}

#[derive(Shape)]
struct AddUserToGroup {
    group_name: GroupName,
    user_name: ExistingUserName,
}

impl Operation for AddUserToGroup {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// On the group, whoever the user is: the right to fill a group is the right to give what it has.
    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = member(cx, &self.user_name).await?;
        let group = found(cx, &self.group_name).await?;
        // Who is in it already is in it still: that is no error.
        if user.groups.contains(&group.id) {
            return Ok(());
        }
        if u64::try_from(user.groups.len()).is_ok_and(|groups| groups >= GROUPS_PER_USER) {
            return Err(Error::Quota { name: "GroupsPerUser", limit: GROUPS_PER_USER });
        }
        user.groups.push(group.id);
        users::put(cx, &user).await
    }
}

#[derive(Shape)]
struct RemoveUserFromGroup {
    group_name: GroupName,
    user_name: ExistingUserName,
}

impl Operation for RemoveUserFromGroup {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    /// Removing who is not in it is no error.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = member(cx, &self.user_name).await?;
        let group = found(cx, &self.group_name).await?;
        user.groups.retain(|id| *id != group.id);
        users::put(cx, &user).await
    }
}

#[derive(Shape)]
struct ListGroupsForUser {
    user_name: ExistingUserName,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListGroupsForUserOutput {
    groups: Vec<Group>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListGroupsForUser {
    type Service = Iam;
    type Access = Read;
    type Output = ListGroupsForUserOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListGroupsForUserOutput, Error> {
        let user = member(cx, &self.user_name).await?;
        let mut groups = Vec::with_capacity(user.groups.len());
        for id in &user.groups {
            groups.extend(cx.tx.get::<GroupRecord>(id).await?);
        }
        let (groups, next) = self.page.of_all(groups, |group| group.name.as_str().to_ascii_lowercase())?;
        Ok(ListGroupsForUserOutput { groups: groups.iter().map(|group| Group::of(cx.caller.account, group)).collect(), next })
    }
}
