//! Access keys: what a user, or root, signs with for long. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>.
//! Two a user. The secret is told once, when the key is made; afterwards it is only sealed in the record. Another account's key is as one
//! that is not there.

use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::whose::{Whose, target};
use crate::{Error, Iam};
use arn::{AccessKeyId, Arn};
use identities::{AccessKeyRecord, Owner, Place, SealingError, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Protected, Resolved, Resource, Used, handler};
use store::{Mode, Read, Record, SHARED, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateAccessKey>(),
    handler::<ListAccessKeys>(),
    handler::<UpdateAccessKey>(),
    handler::<DeleteAccessKey>(),
    handler::<GetAccessKeyLastUsed>(),
];

/// Keys of one user, and of root. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub(crate) const KEYS_PER_USER: u64 = 2;
/// An id has 39 random bits, so a taken one is drawn again. That so many are taken in a row says that chance is none.
const DRAWS: usize = 64;

/// Whether a key is accepted. The model knows `Expired`, which nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is, quiet)]
enum Status {
    Active,
    Inactive,
    Expired,
}

impl Status {
    fn of(key: &AccessKeyRecord) -> Self {
        if key.active { Status::Active } else { Status::Inactive }
    }
}

/// A secret access key on its way to whoever asked for it.
#[derive(Text)]
#[text(sensitive)]
struct Secret(Box<str>);

/// The key, if it is `owner`'s.
async fn found<M: Mode>(cx: &Allowed<'_, M>, id: &AccessKeyId, owner: &Owner) -> Result<AccessKeyRecord, Error> {
    let key = cx.tx.in_account(SHARED).get::<AccessKeyRecord>(id).await?;
    key.filter(|key| key.owner == *owner).ok_or_else(|| Error::NoSuchKey(id.to_string()))
}

#[derive(Shape)]
struct CreateAccessKey {
    user_name: Option<ExistingUserName>,
}

#[derive(Shape)]
struct CreateAccessKeyOutput {
    access_key: AccessKey,
}

/// A new key, with its secret. Root has no name.
#[derive(Shape)]
struct AccessKey {
    user_name: Option<UserName>,
    access_key_id: AccessKeyId,
    status: Status,
    secret_access_key: Secret,
    create_date: Timestamp,
}

impl Operation for CreateAccessKey {
    type Service = Iam;
    type Access = Write;
    type Output = CreateAccessKeyOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateAccessKeyOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let owner = whose.owner(cx.caller);
        let most = usize::try_from(KEYS_PER_USER).unwrap_or(usize::MAX);
        if cx.tx.in_account(SHARED).count(AccessKeyRecord::BY_OWNER.of(&owner), most).await? >= most {
            return Err(Error::Quota { name: "AccessKeysPerUser", limit: KEYS_PER_USER });
        }
        let secret = cx.new_secret()?;
        let key = made(cx, owner, secret.as_bytes()).await?;
        let access_key = AccessKey {
            user_name: whose.user_name(),
            status: Status::of(&key),
            access_key_id: key.id,
            secret_access_key: Secret(secret.as_str().into()),
            create_date: Timestamp(key.created),
        };
        Ok(CreateAccessKeyOutput { access_key })
    }
}

/// A new key with an id that nobody has.
async fn made(cx: &Allowed<'_, Write>, owner: Owner, secret: &[u8]) -> Result<AccessKeyRecord, Error> {
    let account = owner.account.to_string();
    for _ in 0..DRAWS {
        let id = AccessKeyId::long_term(owner.account, cx.chance()?);
        let sealed = cx.seal(&Place { kind: AccessKeyRecord::KIND, account: &account, key: id.as_str() }, secret)?;
        let key = AccessKeyRecord { id, owner: owner.clone(), secret: sealed, active: true, created: cx.now };
        match cx.tx.in_account(SHARED).insert(&key).await? {
            Stored::Done => return Ok(key),
            Stored::Taken => {}
        }
    }
    Err(SealingError::NoEntropy.into())
}

#[derive(Shape)]
struct ListAccessKeys {
    user_name: Option<ExistingUserName>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListAccessKeysOutput {
    access_key_metadata: Vec<AccessKeyMetadata>,
    #[shape(flatten)]
    next: NextPage,
}

/// A key without its secret. Root has no name.
#[derive(Shape)]
struct AccessKeyMetadata {
    user_name: Option<UserName>,
    access_key_id: AccessKeyId,
    status: Status,
    create_date: Timestamp,
}

impl Operation for ListAccessKeys {
    type Service = Iam;
    type Access = Read;
    type Output = ListAccessKeysOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAccessKeysOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let (keys, user_name) = (AccessKeyRecord::BY_OWNER.of(&whose.owner(cx.caller)), whose.user_name());
        let page = cx.tx.in_account(SHARED).scan(keys, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let shown = |key: AccessKeyRecord| AccessKeyMetadata {
            user_name: user_name.clone(),
            status: Status::of(&key),
            access_key_id: key.id,
            create_date: Timestamp(key.created),
        };
        Ok(ListAccessKeysOutput { access_key_metadata: page.records.into_iter().map(shown).collect(), next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateAccessKey {
    user_name: Option<ExistingUserName>,
    access_key_id: AccessKeyId,
    status: Status,
}

impl Operation for UpdateAccessKey {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = Whose::of(cx, self.user_name.as_ref()).await?.owner(cx.caller);
        let mut key = found(cx, &self.access_key_id, &owner).await?;
        key.active = match self.status {
            Status::Active => true,
            Status::Inactive => false,
            Status::Expired => {
                return Err(Error::InvalidInput("The status of an access key can only be set to Active or Inactive.".into()));
            }
        };
        match cx.tx.in_account(SHARED).put(&key).await? {
            Stored::Done => Ok(()),
            // No index of keys is unique.
            Stored::Taken => Err(Error::NoSuchKey(key.id.to_string())),
        }
    }
}

#[derive(Shape)]
struct DeleteAccessKey {
    user_name: Option<ExistingUserName>,
    access_key_id: AccessKeyId,
}

impl Operation for DeleteAccessKey {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = Whose::of(cx, self.user_name.as_ref()).await?.owner(cx.caller);
        let key = found(cx, &self.access_key_id, &owner).await?;
        cx.tx.in_account(SHARED).delete::<AccessKeyRecord>(&key.id).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct GetAccessKeyLastUsed {
    access_key_id: AccessKeyId,
}

#[derive(Shape)]
struct GetAccessKeyLastUsedOutput {
    user_name: Option<UserName>,
    access_key_last_used: AccessKeyLastUsed,
}

/// Of a key that was never used, service and region are `N/A`.
#[derive(Shape)]
struct AccessKeyLastUsed {
    last_used_date: Option<Timestamp>,
    service_name: String,
    region: String,
}

impl AccessKeyLastUsed {
    fn of(used: Option<Used>) -> Self {
        let (date, service_name, region) = match used {
            Some(Used { at, region, service }) => (Some(Timestamp(at)), service, region),
            None => (None, "N/A".into(), "N/A".into()),
        };
        AccessKeyLastUsed { last_used_date: date, service_name, region }
    }
}

/// A key of the caller's account, and whose it is.
async fn of_account<M>(
    tx: &Tx<M>,
    caller: &Caller,
    id: &AccessKeyId,
) -> Result<Option<(AccessKeyRecord, Option<UserRecord>)>, store::StoreError>
where
    M: Mode,
{
    let key = tx.in_account(SHARED).get::<AccessKeyRecord>(id).await?.filter(|key| key.owner.account == caller.account);
    let Some(key) = key else { return Ok(None) };
    let user = match &key.owner.user {
        Some(id) => tx.get::<UserRecord>(id).await?,
        None => None,
    };
    Ok(Some((key, user)))
}

/// A key, judged as the user whose it is. One that is not there is judged as the nameless user: who may ask only about some users is
/// denied about it as about all others.
#[derive(Clone)]
struct KeyOfSomebody(AccessKeyId);

impl Protected for KeyOfSomebody {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let resource = match of_account(tx, caller, &self.0).await? {
                Some((_, Some(user))) => Resource::new(user.arn(caller.account).as_str(), caller.account).tagged_identity(&user.tags),
                Some((_, None)) => Resource::new(Arn::iam(caller.account, "root").as_str(), caller.account),
                None => Resource::new(caller.arn_here("iam", "user/").as_str(), caller.account),
            };
            Ok(resource.shown_as(format!("access key {}", self.0)))
        })
    }
}

impl Operation for GetAccessKeyLastUsed {
    type Service = Iam;
    type Access = Read;
    type Output = GetAccessKeyLastUsedOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&KeyOfSomebody(self.access_key_id.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccessKeyLastUsedOutput, Error> {
        let found = of_account(&cx.tx, cx.caller, &self.access_key_id).await?;
        // Whether somebody else's key exists is nobody's business: IAM denies, also to who may everything.
        let nobody = || Error::KeyOfNobody { caller: cx.caller.arn.clone(), key: self.access_key_id.to_string() };
        let (key, user) = found.ok_or_else(nobody)?;
        let used = cx.last_used().of(&cx.access().store, key.id.as_str()).await?;
        Ok(GetAccessKeyLastUsedOutput { user_name: user.map(|user| user.name), access_key_last_used: AccessKeyLastUsed::of(used) })
    }
}
