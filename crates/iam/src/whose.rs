//! Whose things a request means that names no user: the caller's own.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>.

use crate::Error;
use identities::{Owner, UserName, UserRecord};
use operation::{Allowed, Caller, Target};
use store::Mode;

/// What a request with an optional user name is judged on.
pub(crate) fn target(caller: &Caller, named: Option<&UserName>) -> Target {
    match named.cloned().or_else(|| caller.user_name()) {
        Some(name) => (&name).into(),
        None => caller.arn.clone().into(),
    }
}

/// Whom a request means.
pub(crate) enum Whose {
    /// A user of the caller's account.
    User(UserRecord),
    /// The account's root user, itself.
    Root,
}

impl Whose {
    /// The user named, else the caller itself.
    pub async fn of<M: Mode>(cx: &Allowed<'_, M>, named: Option<&UserName>) -> Result<Self, Error> {
        let Some(name) = named.cloned().or_else(|| cx.caller.user_name()) else {
            return if cx.caller.is_root() { Ok(Whose::Root) } else { Err(Error::MustNameUser) };
        };
        cx.tx.find(UserRecord::BY_NAME, &name).await?.map(Whose::User).ok_or_else(|| Error::no_user(&name))
    }

    /// Whose credentials are meant.
    pub fn owner(&self, caller: &Caller) -> Owner {
        let user = match self {
            Whose::User(user) => Some(user.id.clone()),
            Whose::Root => None,
        };
        Owner { account: caller.account, user }
    }
}
