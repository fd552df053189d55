//! May whoever made this request do what it means? The asker needs `bailiwick:Authorize`, judged on `*`, with the keys `bailiwick:Host`,
//! `bailiwick:Service` and `bailiwick:ResourceAccount`: so a store can be bound to its own hosts and account.

use crate::asked::{AskedCheck, AskedRequest, Claimed};
use crate::checks;
use crate::error::refused;
use crate::said::{self, Said, map};
use crate::{Decisions, Error};
use access::{Answer, Decided, Delegation};
use arn::AccountId;
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, handler};
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

impl Input for Authorize {
    const NAME: &'static str = "Authorize";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /authorize");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Asked = read(said.body)?;
        let facts = checks::facts(&asked.checks)?;
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

/// What an asker is judged by.
pub(crate) fn judged(claimed: &Claimed, accounts: BTreeSet<AccountId>) -> Judged {
    checks::on_each(accounts).key("bailiwick:Host", &claimed.host).key("bailiwick:Service", &claimed.service)
}

impl Operation for Authorize {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        judged(&self.claimed, checks::owners(&self.asked.checks, caller)).and(self.asked.delegate, "bailiwick:Delegate")
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let read = self.asked.request.read()?;
        not_for_us(cx, &self.claimed)?;
        if self.asked.delegate && cx.caller.service().is_none() {
            return Err(Error::Invalid("delegate: only a registered service acts for its callers".into()));
        }
        let checks = checks::checks(cx, &self.asked.checks, &self.facts, self.asked.explain)?;
        let captured = read.captured();
        let answer = match cx.access().authorize(&captured, &checks).await {
            Ok(answer) => answer,
            Err(unanswered) => {
                let said = refused(unanswered)?.said(read.dialect());
                cx.record_refused(&captured, &said)?;
                return Ok(said::error(said));
            }
        };
        let decisions = checks::decisions(cx, &answer, &checks, self.asked.explain)?;
        cx.note_uses(&answer, &checks);
        let delegation = if self.asked.delegate { delegation(cx, &answer)? } else { None };
        cx.record_answer(&captured, &answer, &checks, delegation.as_ref())?;
        let streaming = streaming(cx, &answer);
        Ok(Said(map([
            ("principal", said::principal(&answer)),
            ("payload", said::payload(answer.payload)),
            ("decisions", decisions),
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

/// What a server needs to verify a body that is signed chunk by chunk, if it may have it.
fn streaming(cx: &Allowed<'_, Read>, answer: &Answer<'_>) -> Node {
    let Some((caller, presented)) = &answer.caller else { return Node::Absent };
    // With the key of a delegation somebody else could act as its service does: nobody is given one.
    if caller.credential.session().is_some_and(|session| session.via.is_some()) {
        return Node::Absent;
    }
    let all_allowed = !answer.decisions.is_empty() && answer.decisions.iter().all(Decided::is_allowed);
    if !caller.verified.payload.has_signed_chunks() || !all_allowed || !checks::may(cx, answer, "bailiwick:GetStreamingKey") {
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
