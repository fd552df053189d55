//! Users: a person or a workload with long-term credentials of its own. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html>.
//! Names are unique whatever their case; a path is part of the ARN, not of the identity; a user that owns anything cannot be deleted.

use crate::boundaries::{AttachedPermissionsBoundary, boundary};
use crate::login_profiles::LoginProfileRecord;
use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::paths::{PathPrefix, Renamed};
use crate::quotas::quota;
use crate::signing_certificates::SigningCertificateRecord;
use crate::tagging::{self, same_whatever_case};
use crate::whose::{Whose, target};
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{
    AccessKeyRecord, AccountRecord, InlinePolicyRecord, MfaDeviceRecord, Owner, Path, ServiceCredentialRecord, SshKeyRecord, Tag, TagKey,
    Tags, UserName, UserRecord,
};
use operation::{Allowed, Caller, Judged, LastUsed, Operation, Operations, PolicyArn, handler};
use store::{Mode, Read, Record, SHARED, Stored, Write};
use wire::{Shape, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateUser>(),
    handler::<GetUser>(),
    handler::<ListUsers>(),
    handler::<UpdateUser>(),
    handler::<DeleteUser>(),
    handler::<TagUser>(),
    handler::<UntagUser>(),
    handler::<ListUserTags>(),
];

/// A user as IAM shows it.
#[derive(Shape)]
pub(crate) struct User {
    path: Path,
    user_name: UserName,
    user_id: UniqueId,
    arn: Arn,
    create_date: Timestamp,
    password_last_used: Option<Timestamp>,
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    tags: Option<Vec<Tag>>,
}

impl User {
    /// All that is shown of one user.
    pub fn whole(account: AccountId, user: &UserRecord) -> Self {
        User {
            permissions_boundary: user.permissions_boundary.clone().map(AttachedPermissionsBoundary::of),
            tags: (!user.tags.is_empty()).then(|| user.tags.to_vec()),
            ..User::listed(account, user)
        }
    }

    /// What lists show, with when its password was last used.
    async fn in_list<M: Mode>(cx: &Allowed<'_, M>, user: &UserRecord) -> Result<Self, Error> {
        let password_last_used = password_last_used(cx, Some(&user.id)).await?;
        Ok(User { password_last_used, ..User::listed(cx.caller.account, user) })
    }

    /// A page of users.
    pub async fn list<M: Mode>(cx: &Allowed<'_, M>, users: &[UserRecord]) -> Result<Vec<Self>, Error> {
        let mut listed = Vec::with_capacity(users.len());
        for user in users {
            listed.push(User::in_list(cx, user).await?);
        }
        Ok(listed)
    }

    /// What lists show of the record: neither tags nor boundary.
    fn listed(account: AccountId, user: &UserRecord) -> Self {
        User {
            path: user.path.clone(),
            user_name: user.name.clone(),
            user_id: user.id.clone(),
            arn: user.arn(account),
            create_date: Timestamp(user.created),
            password_last_used: None,
            permissions_boundary: None,
            tags: None,
        }
    }
}

#[derive(Shape)]
struct CreateUser {
    #[shape(default)]
    path: Path,
    user_name: UserName,
    permissions_boundary: Option<PolicyArn>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct CreateUserOutput {
    user: User,
}

impl Operation for CreateUser {
    type Service = Iam;
    type Access = Write;
    type Output = CreateUserOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("user{}{}", self.path, self.user_name)))
            .key_there("iam:PermissionsBoundary", self.permissions_boundary.as_ref().map(|boundary| &boundary.0))
            .and(!self.tags.is_empty(), "iam:TagUser")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateUserOutput, Error> {
        quota::<UserRecord>(cx, cx.limits().users, "UsersPerAccount").await?;
        let user = UserRecord {
            id: cx.new_id(IdKind::User)?,
            name: self.user_name.clone(),
            path: self.path.clone(),
            created: cx.now,
            permissions_boundary: boundary(cx, self.permissions_boundary.as_ref()).await?,
            groups: Vec::new(),
            attached: Vec::new(),
            tags: tagging::first(&self.tags, same_whatever_case)?,
        };
        match cx.tx.insert(&user).await? {
            Stored::Done => Ok(CreateUserOutput { user: User::whole(cx.caller.account, &user) }),
            Stored::Taken => Err(Error::Exists { kind: "User", name: user.name.to_string() }),
        }
    }
}

#[derive(Shape)]
struct GetUser {
    user_name: Option<ExistingUserName>,
}

#[derive(Shape)]
struct GetUserOutput {
    user: GotUser,
}

/// A user, or root, who has no name.
#[derive(Shape)]
pub(crate) struct GotUser {
    path: Option<Path>,
    user_name: Option<UserName>,
    user_id: String,
    arn: Arn,
    create_date: Timestamp,
    password_last_used: Option<Timestamp>,
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    tags: Option<Vec<Tag>>,
}

impl GotUser {
    fn of(user: User) -> Self {
        GotUser {
            path: Some(user.path),
            user_name: Some(user.user_name),
            user_id: user.user_id.to_string(),
            arn: user.arn,
            create_date: user.create_date,
            password_last_used: user.password_last_used,
            permissions_boundary: user.permissions_boundary,
            tags: user.tags,
        }
    }

    async fn root<M: Mode>(cx: &Allowed<'_, M>) -> Result<Self, Error> {
        let account = cx.caller.account;
        let record = cx.tx.in_account(SHARED).get::<AccountRecord>(&account).await?;
        Ok(GotUser {
            path: None,
            user_name: None,
            user_id: account.to_string(),
            arn: Arn::iam(account, "root"),
            create_date: Timestamp(record.map_or(0, |record| record.created)),
            password_last_used: password_last_used(cx, None).await?,
            permissions_boundary: None,
            tags: None,
        })
    }

    /// Whoever of the caller's account owns something, as lists show it.
    pub async fn of_owner<M: Mode>(cx: &Allowed<'_, M>, owner: &Owner) -> Result<Option<Self>, Error> {
        let Some(id) = &owner.user else { return GotUser::root(cx).await.map(Some) };
        let Some(record) = cx.tx.get::<UserRecord>(id).await? else { return Ok(None) };
        Ok(Some(GotUser::of(User::in_list(cx, &record).await?)))
    }
}

/// When a user, or root, last signed in with its password.
async fn password_last_used<M: Mode>(cx: &Allowed<'_, M>, user: Option<&UniqueId>) -> Result<Option<Timestamp>, Error> {
    let owner = Owner { account: cx.caller.account, user: user.cloned() };
    let used = cx.last_used().of(&cx.access().store, &LastUsed::password_of(&owner)).await?;
    Ok(used.map(|used| Timestamp(used.at)))
}

impl Operation for GetUser {
    type Service = Iam;
    type Access = Read;
    type Output = GetUserOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetUserOutput, Error> {
        let account = cx.caller.account;
        let user = match Whose::of(cx, self.user_name.as_ref()).await? {
            Whose::User(record) => {
                let used = password_last_used(cx, Some(&record.id)).await?;
                GotUser { password_last_used: used, ..GotUser::of(User::whole(account, &record)) }
            }
            Whose::Root => GotUser::root(cx).await?,
        };
        Ok(GetUserOutput { user })
    }
}

#[derive(Shape)]
struct ListUsers {
    #[shape(default)]
    path_prefix: PathPrefix,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListUsersOutput {
    users: Vec<User>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListUsers {
    type Service = Iam;
    type Access = Read;
    type Output = ListUsersOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("user{}", self.path_prefix)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListUsersOutput, Error> {
        let wanted = |user: &UserRecord| user.path.as_str().starts_with(self.path_prefix.as_str());
        let page = cx.tx.scan(UserRecord::BY_NAME.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let users = User::list(cx, &page.records).await?;
        Ok(ListUsersOutput { users, next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateUser {
    user_name: ExistingUserName,
    new_path: Option<Path>,
    new_user_name: Option<UserName>,
}

impl Operation for UpdateUser {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// On the old ARN and, where it changes, on the new one: who may not make a user there may not move one there.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_rename.html>.
    fn judged_by(&self, _: &Caller) -> Judged {
        let judged = Judged::on(&self.user_name);
        if self.new_path.is_none() && self.new_user_name.is_none() {
            return judged;
        }
        let (old, path, name) = (self.user_name.clone(), self.new_path.clone(), self.new_user_name.clone());
        judged.also_on(&Renamed::User { old, path, name })
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        user.path = self.new_path.clone().unwrap_or(user.path);
        user.name = self.new_user_name.clone().unwrap_or(user.name);
        match cx.tx.put(&user).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Exists { kind: "User", name: user.name.to_string() }),
        }
    }
}

#[derive(Shape)]
struct DeleteUser {
    user_name: ExistingUserName,
}

impl Operation for DeleteUser {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        if let Some(reason) = held(cx, &user).await? {
            return Err(Error::Conflict(reason));
        }
        cx.tx.delete::<UserRecord>(&user.id).await?;
        Ok(())
    }
}

/// What a user still owns. Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html>.
async fn held(cx: &Allowed<'_, Write>, user: &UserRecord) -> Result<Option<&'static str>, Error> {
    let owner = Owner { account: cx.caller.account, user: Some(user.id.clone()) };
    Ok(if cx.tx.count(InlinePolicyRecord::KEY.under(&user.id), 1).await? > 0 {
        Some("Cannot delete entity, must delete policies first.")
    } else if !user.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if cx.tx.count(MfaDeviceRecord::BY_OWNER.of(&owner), 1).await? > 0 {
        Some("Cannot delete entity, must remove tokens from principal first.")
    } else if cx.tx.in_account(SHARED).count(AccessKeyRecord::BY_OWNER.of(&owner), 1).await? > 0 {
        Some("Cannot delete entity, must delete access keys first.")
    } else if cx.tx.count(LoginProfileRecord::KEY.of(&user.id), 1).await? > 0 {
        Some("Cannot delete entity, must delete login profile first.")
    } else if cx.tx.count(SigningCertificateRecord::BY_OWNER.of(&owner), 1).await? > 0 {
        Some("Cannot delete entity, must delete certificates first.")
    } else if !user.groups.is_empty() {
        Some("Cannot delete entity, must remove users from group first.")
    } else if cx.tx.count(ServiceCredentialRecord::BY_USER.of(&user.id), 1).await? > 0
        || cx.tx.count(SshKeyRecord::BY_USER.of(&user.id), 1).await? > 0
    {
        Some("Cannot delete entity, must remove referenced objects first.")
    } else {
        None
    })
}

#[derive(Shape)]
struct TagUser {
    user_name: ExistingUserName,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagUser {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        tagging::add(&mut user.tags, &self.tags, same_whatever_case)?;
        put(cx, &user).await
    }
}

#[derive(Shape)]
struct UntagUser {
    user_name: ExistingUserName,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagUser {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        tagging::remove(&mut user.tags, &self.tag_keys, same_whatever_case);
        put(cx, &user).await
    }
}

#[derive(Shape)]
struct ListUserTags {
    user_name: ExistingUserName,
    #[shape(flatten)]
    page: Page,
}

/// The tags of one resource.
#[derive(Shape)]
pub(crate) struct ListTagsOutput {
    tags: Vec<Tag>,
    #[shape(flatten)]
    next: NextPage,
}

impl ListTagsOutput {
    /// A page of them, by key.
    pub fn of(tags: &Tags, page: &Page) -> Result<Self, Error> {
        let (tags, next) = page.of_all(tags.to_vec(), |tag| tag.key.to_string())?;
        Ok(ListTagsOutput { tags, next })
    }
}

impl Operation for ListUserTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        let user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        ListTagsOutput::of(&user.tags, &self.page)
    }
}

/// Stores a user whose name has not changed, so that nothing can be in its way.
pub(crate) async fn put(cx: &Allowed<'_, Write>, user: &UserRecord) -> Result<(), Error> {
    match cx.tx.put(user).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Exists { kind: "User", name: user.name.to_string() }),
    }
}
