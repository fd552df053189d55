//! May whoever made this request do what it means? The asker needs `bailiwick:Authorize`, judged on `*`, with the keys `bailiwick:Host`,
//! `bailiwick:Service` and `bailiwick:ResourceAccount`: so a store can be bound to its own hosts and account.

use crate::asked::{AskedCheck, AskedRequest, Claimed};
use crate::error::refused;
use crate::said::{self, Said, map};
use crate::{Decisions, Error};
use access::{Answer, Check, Decided, Delegation};
use arn::AccountId;
use operation::{Allowed, Asking, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, Target, handler};
use policy::{Outcome, Principal};
use serde::Deserialize;
use std::collections::BTreeSet;
use store::Read;
use wire::{Member, Node};

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<Authorize>()];

/// A question as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    request: AskedRequest,
    #[serde(default)]
    explain: bool,
    #[serde(default)]
    delegate: bool,
    #[serde(default)]
    checks: Vec<AskedCheck>,
}

/// A question, read.
struct Authorize {
    asked: Asked,
    claimed: Claimed,
    facts: Vec<policy::Context>,
}

/// Checks of one question.
const MOST_CHECKS: usize = 1_000;
/// Denials of larger questions carry no message: it is for a person who asks why one thing was denied.
const MOST_MESSAGES: usize = 10;

impl Input for Authorize {
    const NAME: &'static str = "Authorize";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /authorize");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Asked = read(said.body)?;
        if asked.checks.len() > MOST_CHECKS {
            return Err(Error::Invalid(format!("checks: more than {MOST_CHECKS}")).into());
        }
        let mut facts = Vec::with_capacity(asked.checks.len());
        for (nth, check) in asked.checks.iter().enumerate() {
            check.named(nth)?;
            check.policy(nth)?;
            facts.push(check.facts(nth)?);
        }
        let claimed = asked.request.read()?.claimed();
        Ok(Authorize { asked, claimed, facts })
    }
}

/// Reads a body; what is wrong with it is said with its place.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { "ValidationException" } else { "SerializationException" };
        Failure::new(400, code, error.to_string())
    })
}

/// What an asker is judged by: its right, once for each account whose resources it asks about.
pub(crate) fn judged(claimed: &Claimed, accounts: BTreeSet<AccountId>) -> Judged {
    let mut judged: Option<Judged> = None;
    for account in accounts {
        let next = match judged {
            None => Judged::on(Target::Everything),
            Some(judged) => judged.also_on(Target::Everything),
        };
        judged = Some(next.key_there("bailiwick:ResourceAccount", [account]));
    }
    judged.unwrap_or_else(|| Judged::on(Target::Everything)).key("bailiwick:Host", &claimed.host).key("bailiwick:Service", &claimed.service)
}

impl Operation for Authorize {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        let checks = &self.asked.checks;
        let own = if checks.is_empty() { Some(caller.account) } else { None };
        judged(&self.claimed, checks.iter().map(|check| check.owner().unwrap_or(caller.account)).chain(own).collect())
            .and(self.asked.delegate, "bailiwick:Delegate")
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let read = self.asked.request.read()?;
        not_for_us(cx, &self.claimed)?;
        if self.asked.delegate && cx.caller.service().is_none() {
            return Err(Error::Invalid("delegate: only a registered service acts for its callers".into()));
        }
        let mut checks = Vec::with_capacity(self.asked.checks.len());
        for (nth, (check, facts)) in self.asked.checks.iter().zip(&self.facts).enumerate() {
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
                explain: self.asked.explain,
            });
        }
        let captured = read.captured();
        let answer = match cx.access().authorize(&captured, &checks).await {
            Ok(answer) => answer,
            Err(unanswered) => {
                let said = refused(unanswered)?.said(read.dialect());
                cx.record_refused(&captured, &said)?;
                let status = Node::Number(said.status.into());
                let error = map([("code", Node::text(said.code)), ("message", Node::text(said.message)), ("status", status)]);
                return Ok(Said(map([("error", error)])));
            }
        };
        let may_explain = self.asked.explain && may(cx, &answer, "bailiwick:Explain");
        let mut decisions = Vec::with_capacity(answer.decisions.len());
        for ((decided, check), facts) in answer.decisions.iter().zip(&checks).zip(&answer.contexts) {
            let mut members = said::decision(decided);
            if self.asked.explain {
                members.push(("explanation", explained(decided, may_explain)));
            }
            if decided.outcome != Outcome::Allowed && checks.len() <= MOST_MESSAGES {
                members.push(("encodedMessage", message(cx, &answer, check, decided, facts)?));
            }
            decisions.push(map(members));
        }
        cx.note_uses(&answer, &checks);
        let delegation = if self.asked.delegate { delegation(cx, &answer)? } else { None };
        cx.record_answer(&captured, &answer, &checks, delegation.as_ref())?;
        let streaming = streaming(cx, &answer);
        Ok(Said(map([
            ("principal", said::principal(&answer)),
            ("payload", said::payload(answer.payload)),
            ("decisions", Node::List(decisions)),
            ("streaming", streaming),
            ("delegation", delegation.map_or(Node::Absent, said::delegation)),
        ])))
    }
}

/// What the asking service acts for its caller with. Where nobody signed, or anything was denied, there is nothing to act for.
fn delegation(cx: &Allowed<'_, Read>, answer: &Answer<'_>) -> Result<Option<Delegation>, Error> {
    let (Some(service), Some((caller, _))) = (cx.caller.service(), &answer.caller) else { return Ok(None) };
    if answer.decisions.is_empty() || !answer.decisions.iter().all(Decided::is_allowed) {
        return Ok(None);
    }
    let made = cx.access().delegate(caller, service, &cx.caller.credential.id);
    made.map(Some).map_err(|error| Error::Invalid(format!("delegate: {error}")))
}

/// A request that was signed for Bailiwick itself is relayed: nobody else may have the use of it.
pub(crate) fn not_for_us(cx: &Allowed<'_, Read>, claimed: &Claimed) -> Result<(), Error> {
    match &claimed.service {
        Some(service) if cx.serves(service) => {
            Err(Error::Invalid(format!("request: it is signed for {service}, which Bailiwick serves itself")))
        }
        _ => Ok(()),
    }
}

/// Whether the asker has one more right on whoever asked. It is a right on their account, so it never reaches across accounts by itself.
fn may(cx: &Allowed<'_, Read>, answer: &Answer<'_>, action: &'static str) -> bool {
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
fn message(
    cx: &Allowed<'_, Read>,
    answer: &Answer<'_>,
    check: &Check<'_>,
    decided: &Decided,
    facts: &policy::Context,
) -> Result<Node, Error> {
    let Some(account) = answer.standing.account.or(check.resource_account) else { return Ok(Node::Absent) };
    let text = crate::messages::text(&answer.standing, check.action, check.resource, decided, facts);
    Ok(said::text(cx.access().seal_message(account, &text)?))
}

/// What a server needs to verify a body that is signed chunk by chunk, if it may have it.
fn streaming(cx: &Allowed<'_, Read>, answer: &Answer<'_>) -> Node {
    let Some((caller, presented)) = &answer.caller else { return Node::Absent };
    // With the key of a delegation somebody else could act as its service does: nobody is given one.
    if caller.credential.session().is_some_and(|session| session.via.is_some()) {
        return Node::Absent;
    }
    let all_allowed = !answer.decisions.is_empty() && answer.decisions.iter().all(Decided::is_allowed);
    if !caller.verified.payload.has_signed_chunks() || !all_allowed || !may(cx, answer, "bailiwick:GetStreamingKey") {
        return Node::Absent;
    }
    let key = caller.signing_key(&presented.scope);
    let scope = &presented.scope;
    map([
        ("seedSignature", Node::text(caller.verified.signature)),
        ("signingKey", Node::text(key.expose().iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
        ("timestamp", Node::text(presented.timestamp())),
        ("scope", Node::text(format!("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service))),
        ("mode", Node::text(caller.verified.payload.word())),
    ])
}
