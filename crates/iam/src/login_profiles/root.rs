//! Root's own login, as a session of its organization's central root sees it: whether root has a password, or may set itself one by its
//! e-mail address. Nobody sets it one. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html>.

use super::LoginProfile;
use crate::Error;
use crate::names::ExistingUserName;
use identities::AccountRecord;
use operation::{Allowed, Caller};
use store::{Mode, SHARED, StoreError, Stored, Write};
use wire::Timestamp;

/// Whether a request means root's own.
pub(super) fn is_meant<N: Clone + Into<ExistingUserName>>(caller: &Caller, named: Option<&N>) -> bool {
    named.is_none() && caller.is_assumed_root()
}

async fn account<M: Mode>(cx: &Allowed<'_, M>) -> Result<AccountRecord, Error> {
    cx.tx.in_account(SHARED).get::<AccountRecord>(&cx.caller.account).await?.ok_or(Error::Store(StoreError::Conflict))
}

async fn put(cx: &Allowed<'_, Write>, account: &AccountRecord) -> Result<(), Error> {
    match cx.tx.in_account(SHARED).put(account).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

fn shown(since: i64) -> LoginProfile {
    LoginProfile { user_name: None, create_date: Timestamp(since), password_reset_required: false }
}

fn none() -> Error {
    Error::NoLoginProfile("root".into())
}

/// What root has.
pub(super) async fn get<M: Mode>(cx: &Allowed<'_, M>) -> Result<LoginProfile, Error> {
    account(cx).await?.root_login().map(shown).ok_or_else(none)
}

/// Lets root set itself a password. A password that comes `without` its owner is none.
pub(super) async fn create(cx: &Allowed<'_, Write>, without: bool) -> Result<LoginProfile, Error> {
    let mut account = account(cx).await?;
    if !without {
        return Err(Error::InvalidInput("A password cannot be specified for the root user.".into()));
    }
    if account.root_login().is_some() {
        return Err(Error::LoginProfileExists("root".into()));
    }
    account.root_recovery = Some(cx.now);
    put(cx, &account).await?;
    Ok(shown(cx.now))
}

/// Takes root's password away, and that it may set one.
pub(super) async fn delete(cx: &Allowed<'_, Write>) -> Result<(), Error> {
    let mut account = account(cx).await?;
    if account.root_login().is_none() {
        return Err(none());
    }
    (account.root_password, account.root_recovery) = (None, None);
    put(cx, &account).await
}
