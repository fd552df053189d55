//! Where a request is judged, and the only place where a permit is made.

use crate::allowed::Asking;
use crate::caller::Caller;
use crate::judged::{By, Judged, Key, Values};
use crate::system::System;
use crate::target::{Resource, Target};
use access::{Decided, Entity, Levels, Question, Standing, Whose};
use arn::{AccountId, Arn};
use identities::{RoleName, RoleRecord};
use policy::{Because, Context, Outcome};
use std::sync::Arc;
use store::{Read, StoreError, Tx};
use wire::{Common, Failure, Protocol};

/// Proof that a request was judged and allowed. Only [`judge`] makes one.
pub(crate) struct Permit {
    /// Whose resources it was judged on.
    owners: Vec<AccountId>,
}

impl Permit {
    /// Whether all that it was judged on is of `account`, and something is.
    pub(crate) fn is_on_resources_of(&self, account: AccountId) -> bool {
        !self.owners.is_empty() && self.owners.iter().all(|owner| *owner == account)
    }
}

/// What a request was judged by, for the record.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub checks: Vec<audit::Check<'static>>,
    /// The condition keys that all checks share, and those of each alone.
    pub keys: Arc<Context>,
    pub own_keys: Vec<Context>,
    pub decided: Option<(Outcome, Because, Option<audit::By<'static>>)>,
}

/// The operation that is judged.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub prefix: &'static str,
    pub name: &'static str,
    pub global: bool,
    pub protocol: &'static Protocol,
}

/// Judges a request, check by check; the first that is not allowed ends it. What was looked at so far is in `judgement` either way.
pub(crate) async fn judge(
    system: &System,
    caller: &Caller,
    subject: Subject,
    judged: Judged,
    tx: &Tx<Read>,
    judgement: &mut Judgement,
) -> Result<Permit, Failure> {
    *judgement = Judgement::default();
    let By::Policies(checks) = judged.by else {
        // What AWS asks nothing for, it asks nothing of an account's principals for. A service is none, and may know who it is.
        let is_theirs = caller.service().is_none() || subject.name == "GetCallerIdentity";
        return if is_theirs { Ok(Permit { owners: Vec::new() }) } else { Err(Common::Denied.failure(subject.protocol)) };
    };
    let mut common = caller.standing.context(caller.session(), &caller.surroundings(subject.global));
    if let Some(acting_for) = &caller.acting_for {
        acting_for.put(&mut common);
    }
    if let Some(at) = caller.second_factor {
        common.insert("aws:MultiFactorAuthPresent", "true");
        common.insert("aws:MultiFactorAuthAge", caller.origin.now.saturating_sub(at).max(0).to_string());
    }
    put(&mut common, &judged.keys);
    let common = Arc::new(common);
    judgement.keys = common.clone();
    let own = format!("{}:{}", subject.prefix, subject.name);
    let mut owners = Vec::with_capacity(checks.len());
    for check in checks {
        let action = check.action.unwrap_or(&own);
        let resource = resolve(system, caller, &check.target, tx).await.map_err(|error| unavailable(&error, subject.protocol))?;
        let levels = system.access.levels_of_owner(&caller.standing, resource.account).await;
        let levels = levels.map_err(|error| unavailable(&error, subject.protocol))?;
        let facts = of_check(Context::over(common.clone()), &resource, &levels, &check.keys);
        // A service has no policies: what it may ask of Bailiwick itself, its registration says.
        let registered = caller.standing.registered.as_ref().filter(|_| matches!(check.target, Target::Everything));
        let trust = resource.trusting.as_ref().and_then(|role| role.trust.as_ref());
        let own = resource.policy.as_deref().map(|policy| &policy.text);
        let question = Question {
            action,
            resource: &resource.arn,
            resource_account: Some(resource.account),
            resource_policy: resource
                .policy
                .as_deref()
                .map(|policy| &policy.set)
                .or(trust)
                .or(registered.map(|registered| &registered.set)),
            resource_levels: &levels,
            facts: &facts,
        };
        let decision = caller.standing.decide(&question);
        let Decided { outcome, because, by, .. } = Decided::of(&decision, None);
        judgement.own_keys.push(of_check(Context::new(), &resource, &levels, &check.keys));
        judgement.checks.push(audit::Check {
            action: action.to_owned().into(),
            resource: resource.arn.clone().into(),
            resource_account: Some(resource.account),
            outcome: outcome.as_str().into(),
            because: because.as_str().into(),
            by: by.clone(),
            keys: audit::Keys::default(),
            resource_policy: own.or_else(|| registered.map(|registered| &registered.text)).map(|text| text.clone().into()),
        });
        judgement.decided = Some((outcome, because, by));
        if !decision.is_allowed() {
            let words = policy::sentence(caller.arn.as_str(), action, Some(&resource.shown), &decision, resource.account == caller.account);
            return Err(Common::Denied.says(subject.protocol, words));
        }
        owners.push(resource.account);
    }
    Ok(Permit { owners })
}

/// Whether a caller may do one thing more than what it was judged by. What is another account's has no policy here that could allow it.
pub(crate) fn may(caller: &Caller, asking: &Asking<'_>) -> bool {
    asked(caller, asking, |standing, question| standing.decide(question).is_allowed()).unwrap_or(false)
}

/// The same, if it does not depend on condition keys that another request would bring along, or on another account's policies.
pub(crate) fn could(caller: &Caller, asking: &Asking<'_>) -> Option<bool> {
    asked(caller, asking, |standing, question| {
        let now = standing.decide(question).is_allowed();
        let at_best = standing.decide_in_favour(question).is_allowed();
        (now == at_best).then_some(now)
    })?
}

fn asked<T>(caller: &Caller, asking: &Asking<'_>, ask: impl FnOnce(&Standing, &Question<'_>) -> T) -> Option<T> {
    if asking.account != caller.account {
        return None;
    }
    let mut facts = caller.standing.context(caller.session(), &caller.surroundings(false));
    facts.insert("aws:ResourceAccount", asking.account.to_string());
    caller.standing.levels.say(Whose::Resource, &mut facts);
    let question = Question {
        action: asking.action,
        resource: asking.resource,
        resource_account: Some(asking.account),
        resource_policy: None,
        resource_levels: &caller.standing.levels,
        facts: &facts,
    };
    Some(ask(&caller.standing, &question))
}

async fn resolve(system: &System, caller: &Caller, target: &Target, tx: &Tx<Read>) -> Result<Resource, StoreError> {
    match target {
        Target::Everything => Ok(Resource::new("*", caller.account)),
        Target::Arn(arn) => Ok(Resource::new(arn.as_str(), arn.account_id().unwrap_or(caller.account))),
        Target::Kept(kept) => kept.resolve(caller, tx).await,
        Target::Trusting(arn) => trusting(system, caller, arn, tx).await,
    }
}

/// A role by its ARN, path and all, in whichever account. One that is not there trusts nobody: it is denied in the same words.
async fn trusting(system: &System, caller: &Caller, arn: &Arn, tx: &Tx<Read>) -> Result<Resource, StoreError> {
    let account = arn.account_id().unwrap_or(caller.account);
    let mut resource = Resource::new(arn.as_str(), account);
    let name = arn.resource().strip_prefix("role/").and_then(|rest| rest.rsplit('/').next()).and_then(|name| name.parse::<RoleName>().ok());
    let Some(name) = name.filter(|_| arn.service() == "iam") else { return Ok(resource) };
    let Some(role) = tx.in_account(&account.to_string()).find(RoleRecord::BY_NAME, &name).await? else { return Ok(resource) };
    if role.arn(account) != *arn {
        return Ok(resource);
    }
    let grants = system.access.grants(account, Some(&role.id)).await?;
    if let Some(Entity::Role(role)) = grants.as_ref().map(|grants| &grants.entity) {
        resource = resource.tagged_identity(&role.tags);
    }
    resource.trusting = grants;
    Ok(resource)
}

/// What goes wrong inside is told to the log, and to the caller only that it did.
pub(crate) fn unavailable(error: &StoreError, protocol: &Protocol) -> Failure {
    tracing::error!(error = error as &dyn std::error::Error, "the store failed");
    match error {
        StoreError::Full => Common::Unavailable.failure(protocol),
        StoreError::Failed(_)
        | StoreError::Unreadable(..)
        | StoreError::Conflict
        | StoreError::Forgotten
        | StoreError::Closed
        | StoreError::Exists(_) => Common::Internal.failure(protocol),
    }
}

/// The keys that one check has over those that all share.
fn of_check(mut facts: Context, resource: &Resource, levels: &Levels, keys: &[Key]) -> Context {
    facts.insert("aws:ResourceAccount", resource.account.to_string());
    levels.say(Whose::Resource, &mut facts);
    for (key, value) in &resource.facts {
        // Two tags whose keys differ by case only are one condition key with two values.
        facts.add(key, value.as_str());
    }
    put(&mut facts, keys);
    facts
}

fn put(facts: &mut Context, keys: &[Key]) {
    for Key { name, values } in keys {
        match values {
            Values::One(value) => facts.insert(name, value.as_str()),
            Values::Many(values) => facts.insert_many(name, values.iter().map(String::as_str)),
        }
    }
}

/// All keys of a context, for the record.
pub(crate) fn recorded(facts: &Context) -> audit::Keys<'_> {
    let mut keys = audit::Keys::default();
    facts.pairs(&mut |key, values| match values {
        policy::Values::One(value) => keys.one(key, value),
        policy::Values::Many(values) => keys.many(key, values.iter().map(|value| &**value)),
    });
    keys
}
