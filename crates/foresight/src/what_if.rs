//! What a change would do: every recorded decision is made twice, with the policies as they are and with those that are supposed, and what
//! comes out otherwise is counted. What other changes did since a request was recorded is not laid to this one.

use crate::replay::{self, Wanted};
use crate::tally::{Effect, Line, Missing, Tally, Turned};
use crate::wish::Wished;
use access::{Access, Decided, Setting, World, iso, recorded_facts};
use arn::AccountId;
use audit::{Check, Parsed, Recorded, Trail};
use policy::{Because, Context, Facts};
use serde::{Deserialize, Serialize};
use std::io;
use store::StoreError;

/// What is asked.
pub struct WhatIf<'a> {
    /// The policies as they are.
    pub access: &'a Access,
    /// What was decided.
    pub trail: &'a Trail,
    /// What is supposed.
    pub wished: &'a Wished,
    /// Since when, in seconds since the epoch.
    pub since: i64,
    /// Whose decisions; none is everybody's.
    pub account: Option<AccountId>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes of the trail that are done.
    pub done: u64,
    /// Bytes that there are at most.
    pub of: u64,
}

/// What would come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Since when, as RFC 3339.
    pub since: String,
    /// How many recorded checks were made again.
    pub checks: u64,
    /// How many of them the change concerns.
    pub concerned: u64,
    /// How many would no longer be allowed.
    pub lost: u64,
    /// How many would be.
    pub gained: u64,
    /// How many come out otherwise today than when they were recorded, without this change.
    pub otherwise_already: u64,
    /// How many could not be made again: their principal is gone.
    pub without_principal: u64,
    /// Who would lose or gain what.
    pub lines: Vec<Line>,
    /// Keys that the change asks for and that requests which it concerns were recorded without: those count as without them.
    pub missing_keys: Vec<Missing>,
}

/// Why there is no forecast.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The trail cannot be read.
    #[error("the trail cannot be read: {0}")]
    Trail(#[from] io::Error),
}

/// The two worlds, and the count.
struct Comparing<'a> {
    now: World<'a>,
    then: World<'a>,
    wished: &'a Wished,
    /// Whose decisions are asked about.
    account: Option<AccountId>,
    tally: Tally,
    forecast: Forecast,
}

impl WhatIf<'_> {
    /// Makes all recorded decisions again. Memory is bounded, however many there are.
    ///
    /// # Errors
    /// What store and trail say.
    pub async fn forecast(&self, mut tell: impl FnMut(Progress) + Send) -> Result<Forecast, Failed> {
        let blocks = self.trail.since(self.since);
        let of = blocks.length();
        let since = iso(self.since);
        let mut read = replay::read(blocks, Wanted { since: since.clone(), account: self.account });
        let mut comparing = Comparing {
            now: World::now(self.access),
            then: World::supposing(self.access, &self.wished.supposed),
            wished: self.wished,
            account: self.account,
            tally: Tally::default(),
            forecast: Forecast {
                since,
                checks: 0,
                concerned: 0,
                lost: 0,
                gained: 0,
                otherwise_already: 0,
                without_principal: 0,
                lines: Vec::new(),
                missing_keys: Vec::new(),
            },
        };
        let mut done = 0;
        while let Some(batch) = read.recv().await {
            let batch = batch?;
            for event in &batch.events {
                comparing.event(event).await?;
            }
            done += batch.bytes;
            tell(Progress { done, of });
        }
        let mut forecast = comparing.forecast;
        (forecast.lines, forecast.missing_keys) = comparing.tally.lines();
        Ok(forecast)
    }
}

impl Comparing<'_> {
    async fn event(&mut self, event: &Parsed) -> Result<(), StoreError> {
        let Some(recorded) = event.recorded() else { return Ok(()) };
        for check in &recorded.checks {
            self.check(event, recorded, check).await?;
        }
        Ok(())
    }

    async fn check(&mut self, event: &Parsed, recorded: &Recorded<'_>, check: &Check<'_>) -> Result<(), StoreError> {
        self.forecast.checks += 1;
        let Some(now) = self.now.setting(&event.identity, recorded, check).await? else {
            self.forecast.without_principal += 1;
            return Ok(());
        };
        let facts = recorded_facts(recorded, check);
        let is = decided(&now, check, &facts);
        if is.outcome.as_str() != check.outcome {
            self.forecast.otherwise_already += 1;
        }
        let Some(then) = self.then.setting(&event.identity, recorded, check).await?.filter(|then| then.is_supposed) else {
            return Ok(());
        };
        self.forecast.concerned += 1;
        self.note_missing(&then, check, &facts);
        let would = decided(&then, check, &facts);
        let effect = match (is.is_allowed(), would.is_allowed()) {
            (true, false) => Effect::Lost,
            (false, true) => Effect::Gained,
            (true, true) | (false, false) => return Ok(()),
        };
        match effect {
            Effect::Lost => self.forecast.lost += 1,
            Effect::Gained => self.forecast.gained += 1,
        }
        let standing = now.standing();
        let principal = match (&standing.grants, &standing.arn) {
            (Some(grants), _) => grants.arn().as_str(),
            (None, Some(arn)) => arn.as_str(),
            (None, None) => event.identity.invoked_by.as_deref().unwrap_or("anonymous"),
        };
        self.tally.count(Turned {
            effect,
            principal,
            action: &check.action,
            resource: &check.resource,
            time: &event.event_time,
            request_id: &event.request_id,
            because: would.because.as_str(),
            by: would.by.filter(|_| self.may_be_told(would.because, check)),
        });
        Ok(())
    }

    /// Who asks about one account is not told which statement of another's policy decided.
    fn may_be_told(&self, because: Because, check: &Check<'_>) -> bool {
        let of_the_resource = matches!(because, Because::Resource | Because::Trust | Because::ResourceControl);
        !of_the_resource || self.account.is_none() || check.resource_account == self.account
    }

    /// The keys that the change asks for here, and that this request was recorded without.
    fn note_missing(&mut self, then: &Setting, check: &Check<'_>, facts: &Context) {
        let lacks = |key: &String| facts.get(&key.to_lowercase()).is_none();
        if !self.wished.keys.iter().any(lacks) {
            return;
        }
        let explanation = then.standing().explain(&then.question(check, facts));
        let asked = |key: &&String| self.wished.keys.iter().any(|wished| wished.eq_ignore_ascii_case(key));
        explanation.missing_keys.iter().filter(asked).for_each(|key| self.tally.lacks(key));
    }
}

fn decided(setting: &Setting, check: &Check<'_>, facts: &Context) -> Decided {
    Decided::of(&setting.standing().decide(&setting.question(check, facts)), None)
}
