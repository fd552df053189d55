//! The checks of a question and the decisions of its answer: alike for a request that was captured and a credential that was shown.

use crate::Error;
use crate::asked::AskedCheck;
use crate::said::{self, map};
use access::{Answer, Check, Decided};
use arn::AccountId;
use operation::{Allowed, Asking, Caller, Judged, Target};
use policy::{Context, Outcome, Principal};
use std::collections::BTreeSet;
use store::Read;
use wire::Node;

/// Checks of one question.
const MOST_CHECKS: usize = 1_000;
/// Denials of larger questions carry no message: it is for a person who asks why one thing was denied.
const MOST_MESSAGES: usize = 10;

/// The condition keys of each check, once all of them are well formed.
pub(crate) fn facts(asked: &[AskedCheck]) -> Result<Vec<Context>, Error> {
    if asked.len() > MOST_CHECKS {
        return Err(Error::Invalid(format!("checks: more than {MOST_CHECKS}")));
    }
    let mut facts = Vec::with_capacity(asked.len());
    for (nth, check) in asked.iter().enumerate() {
        check.named(nth)?;
        check.policy(nth)?;
        facts.push(check.facts(nth)?);
    }
    Ok(facts)
}

/// Whose resources are asked about: the asker's own, where nothing else is said.
pub(crate) fn owners(asked: &[AskedCheck], caller: &Caller) -> BTreeSet<AccountId> {
    let own = if asked.is_empty() { Some(caller.account) } else { None };
    asked.iter().map(|check| check.owner().unwrap_or(caller.account)).chain(own).collect()
}

/// What an asker is judged by: its right, once for each account whose resources it asks about.
pub(crate) fn on_each(accounts: BTreeSet<AccountId>) -> Judged {
    let mut judged: Option<Judged> = None;
    for account in accounts {
        let next = match judged {
            None => Judged::on(Target::Everything),
            Some(judged) => judged.also_on(Target::Everything),
        };
        judged = Some(next.key_there("bailiwick:ResourceAccount", [account]));
    }
    judged.unwrap_or_else(|| Judged::on(Target::Everything))
}

/// The checks as the data plane takes them.
pub(crate) fn checks<'a>(
    cx: &Allowed<'_, Read>,
    asked: &'a [AskedCheck],
    facts: &[Context],
    explain: bool,
) -> Result<Vec<Check<'a>>, Error> {
    let mut checks = Vec::with_capacity(asked.len());
    for (nth, (check, facts)) in asked.iter().zip(facts).enumerate() {
        // A service is in no account, so nothing can be taken for its own.
        let owner = match check.owner() {
            None if cx.caller.service().is_some() => {
                return Err(Error::Invalid(format!("checks.{nth}.resourceAccount: a service says whose a resource is")));
            }
            owner => owner.unwrap_or(cx.caller.account),
        };
        checks.push(Check {
            action: &check.action,
            resource: &check.resource,
            resource_account: Some(owner),
            resource_policy: check.policy(nth)?,
            context: facts.clone(),
            explain,
        });
    }
    Ok(checks)
}

/// The decisions as they are answered.
pub(crate) fn decisions(cx: &Allowed<'_, Read>, answer: &Answer<'_>, checks: &[Check<'_>], explain: bool) -> Result<Node, Error> {
    let may_explain = explain && may(cx, answer, "bailiwick:Explain");
    let mut decisions = Vec::with_capacity(answer.decisions.len());
    for ((decided, check), facts) in answer.decisions.iter().zip(checks).zip(&answer.contexts) {
        let mut members = said::decision(decided);
        if explain {
            members.push(("explanation", explained(decided, may_explain)));
        }
        if decided.outcome != Outcome::Allowed && checks.len() <= MOST_MESSAGES {
            members.push(("encodedMessage", message(cx, answer, check, decided, facts)?));
        }
        decisions.push(map(members));
    }
    Ok(Node::List(decisions))
}

/// Whether the asker has one more right on whoever asked. It is a right on their account, so it never reaches across accounts by itself.
pub(crate) fn may(cx: &Allowed<'_, Read>, answer: &Answer<'_>, action: &'static str) -> bool {
    let (Some(arn), Some(account)) = (&answer.standing.arn, answer.standing.account) else {
        // Nobody's policies are looked into when nobody asked.
        return matches!(answer.standing.principal, Principal::Anonymous);
    };
    cx.may(Asking { action, resource: arn.as_str(), account })
}

fn explained(decided: &Decided, may_explain: bool) -> Node {
    match &decided.explanation {
        Some(explanation) if may_explain => said::explanation(explanation),
        _ => said::hidden(decided),
    }
}

/// For whoever was denied to carry to whoever may know. It opens in the account of whoever was denied.
fn message(cx: &Allowed<'_, Read>, answer: &Answer<'_>, check: &Check<'_>, decided: &Decided, facts: &Context) -> Result<Node, Error> {
    let Some(account) = answer.standing.account.or(check.resource_account) else { return Ok(Node::Absent) };
    let text = crate::messages::text(&answer.standing, check.action, check.resource, decided, facts);
    Ok(said::text(cx.access().seal_message(account, &text)?))
}
