//! The commands that foresee and that look back. They change nothing, and leave an event, as reading the trail is a right.

use arn::AccountId;
use foresight::{Failed, NotAsked, NotPossible, WhatIf, WhoCan, Wish};

use super::Node;
use crate::local::{ErrorKind, LocalAnswer, LocalError, Tell};

impl Node {
    pub(super) async fn what_if(
        &self,
        change: &Wish,
        since_seconds: i64,
        account: Option<AccountId>,
        tell: Tell,
    ) -> Result<LocalAnswer, LocalError> {
        let (access, trail) = (&*self.system.access, &*self.system.trail);
        let wished = change.understood(access, None).await.map_err(|error| match error {
            NotPossible::Store(error) => error.into(),
            NotPossible::Missing(_) => LocalError::new(ErrorKind::NotFound, error.to_string()),
            NotPossible::Other(..) | NotPossible::Document(_) | NotPossible::NotEnabled(_) => {
                LocalError::new(ErrorKind::Invalid, error.to_string())
            }
        })?;
        let since = access.clock.now().saturating_sub(since_seconds);
        let asked = WhatIf { access, trail, wished: &wished, since, account };
        let forecast = asked.forecast(move |progress| tell(progress)).await.map_err(|error| match error {
            Failed::Store(error) => error.into(),
            Failed::Trail(_) => LocalError::new(ErrorKind::Failed, error.to_string()),
        })?;
        Ok(LocalAnswer::Foreseen(Box::new(forecast)))
    }

    pub(super) async fn who_can(&self, asked: &WhoCan<'_>) -> Result<LocalAnswer, LocalError> {
        let able = asked.ask().await.map_err(|error| match error {
            NotAsked::Store(error) => error.into(),
            NotAsked::Document(_) | NotAsked::Foreign => LocalError::new(ErrorKind::Invalid, error.to_string()),
        })?;
        Ok(LocalAnswer::Able(able))
    }
}
