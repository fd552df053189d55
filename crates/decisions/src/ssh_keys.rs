//! Whose key is it that somebody offers to an SSH server? For `bailiwick ssh-keys`, which OpenSSH asks before it believes a key. The asker needs
//! `bailiwick:ListSSHKeys`, judged on `*`. It sees active keys of its own account's users.

use crate::authorize::read;
use crate::said::{Said, map};
use crate::shown::{Wrong, shown_key};
use crate::{Decisions, Error};
use access::ShownKey;
use identities::{SshKeyRecord, UserName, UserRecord};
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, Target, handler};
use serde::Deserialize;
use store::Read;
use wire::{Member, Node};

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<ListSSHKeys>()];

/// A question as it is sent: a user's keys, or a key, or a key of a user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    ssh_public_key_id: Option<String>,
    #[serde(default)]
    ssh_public_key: Option<String>,
    #[serde(default)]
    ssh_fingerprint: Option<String>,
}

/// A question, read.
struct ListSSHKeys {
    user: Option<UserName>,
    key: Option<ShownKey>,
}

/// More than one user can have.
const MOST: usize = 100;

impl Input for ListSSHKeys {
    const NAME: &'static str = "ListSSHKeys";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /ssh-keys");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Asked = read(said.body)?;
        let user = asked.user_name.map(|name| name.parse()).transpose();
        let user: Option<UserName> = user.map_err(|_| Error::Invalid("userName: not the name of a user".into()))?;
        let key = shown_key(asked.ssh_public_key_id, asked.ssh_public_key, asked.ssh_fingerprint)
            .map_err(|Wrong(member, words)| Error::Invalid(format!("{member}: {words}")))?;
        if user.is_none() && key.is_none() {
            return Err(Error::Invalid("userName, sshPublicKeyId, sshPublicKey, sshFingerprint: one of them says whose keys".into()).into());
        }
        Ok(ListSSHKeys { user, key })
    }
}

impl Operation for ListSSHKeys {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let user = match &self.user {
            Some(name) => match cx.tx.find(UserRecord::BY_NAME, name).await? {
                Some(user) => Some(user),
                None => return Ok(Said(map([("keys", Node::List(Vec::new()))]))),
            },
            None => None,
        };
        let keys = match (&self.key, &user) {
            (Some(key), _) => cx.access().ssh_keys(cx.caller.account, key).await?,
            (None, Some(user)) => cx.tx.scan(SshKeyRecord::BY_USER.of(&user.id), None, MOST, |key| key.active).await?.records,
            (None, None) => Vec::new(),
        };
        let mut shown = Vec::with_capacity(keys.len());
        for key in keys.iter().filter(|key| user.as_ref().is_none_or(|user| key.user == user.id)) {
            if let Some(user) = cx.tx.get::<UserRecord>(&key.user).await? {
                shown.push(self::shown(key, &user, cx.caller));
            }
        }
        Ok(Said(map([("keys", Node::List(shown))])))
    }
}

fn shown(key: &SshKeyRecord, user: &UserRecord, caller: &Caller) -> Node {
    map([
        ("sshPublicKeyId", Node::text(key.id.as_str())),
        ("sshPublicKey", Node::text(key.public.line())),
        ("sshFingerprint", Node::text(key.sha256.clone())),
        ("userName", Node::text(user.name.as_str())),
        ("userArn", Node::text(user.arn(caller.account).as_str())),
    ])
}
