//! SSH public keys: what a user opens git over SSH with. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html>. Five a user, RSA only. One user cannot have a key twice,
//! in whatever encoding; two users can have the same one. An upload is answered with the text that was sent, everything later with the key.

use crate::page::{NextPage, Page};
use crate::service_credentials::Status;
use crate::whose::{Whose, target};
use crate::{Error, Iam};
use arn::{IdKind, UniqueId};
use identities::{SealingError, SshKeyRecord, SshPublicKey, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, Stored, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<UploadSSHPublicKey>(),
    handler::<GetSSHPublicKey>(),
    handler::<ListSSHPublicKeys>(),
    handler::<UpdateSSHPublicKey>(),
    handler::<DeleteSSHPublicKey>(),
];

/// Keys of one user. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const KEYS_PER_USER: u64 = 5;
/// More than that.
const ALL: usize = 100;

/// The id of a key, as a request gives it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 20, max = 128, pattern = r"[\w]+", quiet)]
struct KeyId(Box<str>);

/// A key, as a request gives it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 16384, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", quiet)]
struct KeyMaterial(Box<str>);

/// How a key is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum Encoding {
    #[text(rename = "SSH")]
    Ssh,
    #[text(rename = "PEM")]
    Pem,
}

/// A key with its text.
#[derive(Shape)]
struct SSHPublicKey {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyId")]
    id: UniqueId,
    fingerprint: String,
    #[shape(name = "SSHPublicKeyBody")]
    body: String,
    status: Status,
    upload_date: Option<Timestamp>,
}

impl SSHPublicKey {
    fn new(key: SshKeyRecord, user_name: UserName, body: String) -> Self {
        let status = Status::of(key.active);
        SSHPublicKey { user_name, id: key.id, fingerprint: key.md5, body, status, upload_date: Some(Timestamp(key.uploaded)) }
    }
}

async fn user_named<M: Mode>(cx: &Allowed<'_, M>, name: &UserName) -> Result<UserRecord, Error> {
    cx.tx.find(UserRecord::BY_NAME, name).await?.ok_or_else(|| Error::no_user(name))
}

/// The key, if it is this user's.
async fn found<M: Mode>(cx: &Allowed<'_, M>, user: &UserRecord, id: &KeyId) -> Result<SshKeyRecord, Error> {
    let missing = || Error::NoSuchSshKey(id.to_string());
    let known: UniqueId = id.as_str().parse().map_err(|_| missing())?;
    let key = cx.tx.get::<SshKeyRecord>(&known).await?.ok_or_else(missing)?;
    if key.user == user.id { Ok(key) } else { Err(Error::SshKeyOfAnother(id.to_string())) }
}

#[derive(Shape)]
struct UploadSSHPublicKey {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyBody")]
    body: KeyMaterial,
}

#[derive(Shape)]
struct UploadSSHPublicKeyOutput {
    #[shape(name = "SSHPublicKey")]
    key: Option<SSHPublicKey>,
}

impl Operation for UploadSSHPublicKey {
    type Service = Iam;
    type Access = Write;
    type Output = UploadSSHPublicKeyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<UploadSSHPublicKeyOutput, Error> {
        let user = user_named(cx, &self.user_name).await?;
        let public = SshPublicKey::read(self.body.as_str())?;
        let sha256 = public.sha256();
        let all = cx.tx.scan(SshKeyRecord::BY_USER.of(&user.id), None, ALL, |_| true).await?;
        if all.records.iter().any(|key| key.sha256 == sha256) {
            return Err(Error::DuplicateSshKey);
        }
        if all.records.len() as u64 >= KEYS_PER_USER {
            return Err(Error::Quota { name: "SSHPublicKeysPerUser", limit: KEYS_PER_USER });
        }
        let (id, md5) = (cx.new_id(IdKind::PublicKey)?, public.md5());
        let key = SshKeyRecord { id, user: user.id, public, sha256, md5, active: true, uploaded: cx.now };
        match cx.tx.insert(&key).await? {
            Stored::Done => {}
            // An id has 85 random bits.
            Stored::Taken => return Err(SealingError::NoEntropy.into()),
        }
        Ok(UploadSSHPublicKeyOutput { key: Some(SSHPublicKey::new(key, user.name, self.body.to_string())) })
    }
}

#[derive(Shape)]
struct GetSSHPublicKey {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyId")]
    id: KeyId,
    encoding: Encoding,
}

#[derive(Shape)]
struct GetSSHPublicKeyOutput {
    #[shape(name = "SSHPublicKey")]
    key: Option<SSHPublicKey>,
}

impl Operation for GetSSHPublicKey {
    type Service = Iam;
    type Access = Read;
    type Output = GetSSHPublicKeyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetSSHPublicKeyOutput, Error> {
        let user = user_named(cx, &self.user_name).await?;
        let key = found(cx, &user, &self.id).await?;
        let body = match self.encoding {
            Encoding::Ssh => key.public.line(),
            Encoding::Pem => key.public.pem(),
        };
        Ok(GetSSHPublicKeyOutput { key: Some(SSHPublicKey::new(key, user.name, body)) })
    }
}

#[derive(Shape)]
struct ListSSHPublicKeys {
    user_name: Option<UserName>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListSSHPublicKeysOutput {
    #[shape(name = "SSHPublicKeys")]
    keys: Vec<SSHPublicKeyMetadata>,
    #[shape(flatten)]
    next: NextPage,
}

/// A key without its text.
#[derive(Shape)]
struct SSHPublicKeyMetadata {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyId")]
    id: UniqueId,
    status: Status,
    upload_date: Timestamp,
}

impl Operation for ListSSHPublicKeys {
    type Service = Iam;
    type Access = Read;
    type Output = ListSSHPublicKeysOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListSSHPublicKeysOutput, Error> {
        let Whose::User(user) = Whose::of(cx, self.user_name.as_ref()).await? else {
            return Ok(ListSSHPublicKeysOutput { keys: Vec::new(), next: None.into() });
        };
        let page = cx.tx.scan(SshKeyRecord::BY_USER.of(&user.id), self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let shown = |key: SshKeyRecord| SSHPublicKeyMetadata {
            user_name: user.name.clone(),
            id: key.id,
            status: Status::of(key.active),
            upload_date: Timestamp(key.uploaded),
        };
        Ok(ListSSHPublicKeysOutput { keys: page.records.into_iter().map(shown).collect(), next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateSSHPublicKey {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyId")]
    id: KeyId,
    status: Status,
}

impl Operation for UpdateSSHPublicKey {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let user = user_named(cx, &self.user_name).await?;
        let mut key = found(cx, &user, &self.id).await?;
        key.active = self.status.is_to_be_active()?;
        match cx.tx.put(&key).await? {
            Stored::Done => Ok(()),
            // No index of keys is unique.
            Stored::Taken => Err(Error::NoSuchSshKey(key.id.to_string())),
        }
    }
}

#[derive(Shape)]
struct DeleteSSHPublicKey {
    user_name: UserName,
    #[shape(name = "SSHPublicKeyId")]
    id: KeyId,
}

impl Operation for DeleteSSHPublicKey {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let user = user_named(cx, &self.user_name).await?;
        let key = found(cx, &user, &self.id).await?;
        cx.tx.delete::<SshKeyRecord>(&key.id).await?;
        Ok(())
    }
}
