//! Whose things a request means that names no user: the caller's own.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>.

use crate::Error;
use crate::names::ExistingUserName;
use identities::{Owner, UserName, UserRecord};
use operation::{Allowed, Caller, Target};
use store::{Mode, Tx};

/// What a request with an optional user name is judged on.
pub(crate) fn target<N: Clone + Into<ExistingUserName>>(caller: &Caller, named: Option<&N>) -> Target {
    match named_or_own(caller, named) {
        Some(name) => (&name).into(),
        None => caller.arn.clone().into(),
    }
}

/// The name that a request gives, else the caller's own, if it is a user.
pub(crate) fn named_or_own<N: Clone + Into<ExistingUserName>>(caller: &Caller, named: Option<&N>) -> Option<ExistingUserName> {
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
        Whose::find(&cx.tx, cx.caller, named).await
    }

    /// The same, before a rule runs.
    pub(crate) async fn find<M: Mode, N: Clone + Into<ExistingUserName>>(
        tx: &Tx<M>,
        caller: &Caller,
        named: Option<&N>,
    ) -> Result<Self, Error> {
        let Some(name) = named_or_own(caller, named) else {
            return if caller.is_root() { Ok(Whose::Root) } else { Err(Error::MustNameUser) };
        };
        tx.find(UserRecord::BY_NAME, &name).await?.map(Whose::User).ok_or_else(|| Error::no_user(&name))
    }

    /// The user's name. Root has none.
    pub(crate) fn user_name(&self) -> Option<UserName> {
        match self {
            Whose::User(user) => Some(user.name.clone()),
            Whose::Root => None,
        }
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
