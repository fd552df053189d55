//! What a change of policies would do to the caller's own account, and who in it can do one thing. Both read only: the trail of the account,
//! its policies, and those of its organization that bind it. `docs/foresight.md` is the guide.

use crate::authorize::read;
use crate::said::{Said, tree};
use crate::{Decisions, Error};
use ::foresight::{NotPossible, WhatIf as Asking, WhoCan as Whose, Wish};
use arn::AccountId;
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, Target, handler};
use serde::Deserialize;
use store::Read;
use wire::Member;

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<WhatIf>(), handler::<WhoCan>()];

/// How far back a forecast looks where the question does not say, in seconds: a week.
const WEEK: i64 = 7 * 86_400;

/// A change that is to be tried.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WhatIf {
    change: Wish,
    /// Seconds before now.
    #[serde(default)]
    since_seconds: Option<u32>,
}

impl Input for WhatIf {
    const NAME: &'static str = "WhatIf";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /what-if");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        read(said.body)
    }
}

impl Operation for WhatIf {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let _place = cx.one_at_a_time().ok_or(Error::Busy)?;
        let wished = self.change.understood(cx.access(), Some(cx.caller.account)).await?;
        let since = cx.now.saturating_sub(self.since_seconds.map_or(WEEK, i64::from));
        let asking = Asking { access: cx.access(), trail: cx.trail(), wished: &wished, since, account: Some(cx.caller.account) };
        Ok(Said(tree(&asking.forecast(|_| {}).await?)))
    }
}

/// One thing that somebody may be able to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WhoCan {
    action: String,
    resource: String,
    #[serde(default)]
    resource_account: Option<AccountId>,
    /// A policy as text, as the resource has it.
    #[serde(default)]
    resource_policy: Option<String>,
    /// In seconds since the epoch.
    #[serde(default)]
    at: Option<i64>,
}

impl Input for WhoCan {
    const NAME: &'static str = "WhoCan";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /who-can");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        read(said.body)
    }
}

impl Operation for WhoCan {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let _place = cx.one_at_a_time().ok_or(Error::Busy)?;
        let whose = Whose {
            access: cx.access(),
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account,
            resource_policy: self.resource_policy.as_deref(),
            at: self.at,
            account: Some(cx.caller.account),
        };
        Ok(Said(tree(&whose.ask().await?)))
    }
}

impl From<NotPossible> for Error {
    fn from(error: NotPossible) -> Self {
        match error {
            NotPossible::Store(error) => Error::Store(error),
            NotPossible::Missing(_) | NotPossible::Other(..) | NotPossible::Document(_) | NotPossible::NotEnabled(_) => {
                Error::Invalid(error.to_string())
            }
        }
    }
}

impl From<::foresight::Failed> for Error {
    fn from(error: ::foresight::Failed) -> Self {
        match error {
            ::foresight::Failed::Store(error) => Error::Store(error),
            ::foresight::Failed::Trail(error) => Error::Trail(error),
        }
    }
}

impl From<::foresight::NotAsked> for Error {
    fn from(error: ::foresight::NotAsked) -> Self {
        match error {
            ::foresight::NotAsked::Store(error) => Error::Store(error),
            ::foresight::NotAsked::Document(_) | ::foresight::NotAsked::Foreign => Error::Invalid(error.to_string()),
        }
    }
}
