//! Whose things a request means that names no user: the caller's own.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>.

use crate::Error;
use crate::names::ExistingUserName;
use identities::{Owner, UserRecord};
use operation::{Allowed, Caller, Target};
use store::Mode;

/// What a request with an optional user name is judged on.
pub(crate) fn target<N: Clone + Into<ExistingUserName>>(caller: &Caller, named: Option<&N>) -> Target {
    match named_or_own(caller, named) {
        Some(name) => (&name).into(),
        None => caller.arn.clone().into(),
    }
}

/// The name that a request gives, else the caller's own, if it is a user.
fn named_or_own<N: Clone + Into<ExistingUserName>>(caller: &Caller, named: Option<&N>) -> Option<ExistingUserName> {
    named.cloned().map(Into::into).or_else(|| caller.user_name().map(Into::into))
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
    pub async fn of<M: Mode, N: Clone + Into<ExistingUserName>>(cx: &Allowed<'_, M>, named: Option<&N>) -> Result<Self, Error> {
        let Some(name) = named_or_own(cx.caller, named) else {
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
