//! Temporary delegation: a product asks an account for access, and the account lends it for a while. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html>.
//! A product is an account that the operator keeps a policy template for. What AWS tells it by SNS it reads here by `bailiwick:ListDelegationNotices`.
//! A request that no account is named in can be taken up by any that knows its id; one that is another account's is not there.

mod answering;
mod asking;
mod check;
mod reading;
mod summary;

use crate::{Error, Iam};
use arn::AccountId;
use identities::{DelegationOwner, DelegationRequestRecord, DelegationState};
use operation::{Allowed, Caller, Operations, Protected, Resolved, Resource, handler};
use policy::{Compiled, Document, Kind, PolicySet, Source};
use std::sync::Arc;
use store::{Mode, Read, SHARED, StoreError, Stored, Tx, Write};
use wire::{ArnText, Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<asking::CreateDelegationRequest>(),
    handler::<reading::GetDelegationRequest>(),
    handler::<reading::ListDelegationRequests>(),
    handler::<answering::AssociateDelegationRequest>(),
    handler::<answering::UpdateDelegationRequest>(),
    handler::<answering::AcceptDelegationRequest>(),
    handler::<answering::RejectDelegationRequest>(),
    handler::<answering::SendDelegationToken>(),
    handler::<reading::GetHumanReadableSummary>(),
];

/// What a request is named by.
#[derive(Debug, Clone, Text)]
#[text(min = 16, max = 128, pattern = r"[\w-]+")]
struct RequestId(Box<str>);

impl RequestId {
    /// That there is no such request.
    fn missing(&self) -> Error {
        Error::NoDelegationRequest(self.to_string())
    }
}

/// What the owner of a request may do with no policy that says so.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetDelegationRequest.html>.
const OWNERS: [&str; 3] = ["iam:GetDelegationRequest", "iam:GetHumanReadableSummary", "iam:UpdateDelegationRequest"];

impl Protected for RequestId {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let arn = caller.arn_here("iam", format_args!("delegation-request/{self}"));
            let mut resource = Resource::new(arn.as_str(), caller.account);
            let request = tx.in_account(SHARED).get::<DelegationRequestRecord>(&self.to_string()).await?;
            let request = request.filter(|request| is_shown_to(request, caller.account));
            let Some(owner) = request.and_then(|request| request.owner) else { return Ok(resource) };
            resource.facts.push(("iam:DelegationRequestOwner".into(), owner.arn.to_string()));
            if !is_owner(caller, &owner) {
                return Ok(resource);
            }
            let text = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Principal": { "AWS": owner.arn.as_str() }, "Action": OWNERS, "Resource": "*" }],
            })
            .to_string();
            let document = Document::parse(&text).map_err(|error| StoreError::Failed(Box::new(error)))?;
            let source = Source::new("owner of the delegation request");
            let set = PolicySet::new(Kind::Resource, [(source, Arc::new(Compiled::new(&document, Kind::Resource)))]);
            Ok(resource.with_policy(text, set))
        })
    }
}

/// Whether a request is there for an account: its own, or nobody's yet.
fn is_shown_to(request: &DelegationRequestRecord, account: AccountId) -> bool {
    request.owner_account.is_none_or(|owner| owner == account)
}

/// Whether a caller is who took a request up: itself, and not a product or a service that acts for it.
fn is_owner(caller: &Caller, owner: &DelegationOwner) -> bool {
    let is_itself = caller.session().is_none_or(|session| session.delegate.is_none() && session.via.is_none());
    is_itself && caller.arn == owner.arn && caller.standing.user_id == owner.user_id
}

/// The request that is named.
async fn found<M: Mode>(cx: &Allowed<'_, M>, id: &RequestId) -> Result<DelegationRequestRecord, Error> {
    let request = cx.tx.in_account(SHARED).get::<DelegationRequestRecord>(&id.to_string()).await?;
    request.filter(|request| is_shown_to(request, cx.caller.account)).ok_or_else(|| id.missing())
}

/// Keeps what became of a request.
async fn keep(cx: &Allowed<'_, Write>, request: &DelegationRequestRecord) -> Result<(), Error> {
    match cx.tx.in_account(SHARED).put(request).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// Refuses what a request is not in the state for.
fn must_be(request: &DelegationRequestRecord, now: i64, states: &[DelegationState]) -> Result<(), Error> {
    let state = request.state_at(now);
    if states.contains(&state) {
        return Ok(());
    }
    Err(Error::InvalidInput(format!("The delegation request {} is in the state {}.", request.id, state.as_str())))
}

/// What the product wants, in general.
#[derive(Debug, Clone, Text)]
#[text(max = 1000, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*")]
struct Description(Box<str>);

/// What it wants this time.
#[derive(Debug, Clone, Text)]
#[text(max = 200, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*")]
struct RequestMessage(Box<str>);

/// What one side tells the other.
#[derive(Debug, Clone, Text)]
#[text(max = 500, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*")]
struct Notes(Box<str>);

/// What the product calls the request.
#[derive(Debug, Clone, Text)]
#[text(min = 5, max = 400, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]+")]
struct WorkflowId(Box<str>);

/// Where the product is told of changes: an SNS topic.
#[derive(Debug, Clone, Text)]
#[text(min = 2, max = 400, pattern = r"^[a-zA-Z0-9:_.-]+$")]
struct NotificationChannel(Box<str>);

/// Where the console leads when all is done.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 255, pattern = r"^http(s?)://[a-zA-Z0-9._/-]*(\?[a-zA-Z0-9._=&-]*)?(#[a-zA-Z0-9._/-]*)?$")]
struct RedirectUrl(Box<str>);

/// The ARN of whoever a request belongs to.
#[derive(Debug, Clone, Text)]
#[text(min = 20, max = 2048, pattern = r"^[a-zA-Z0-9:/+=,.@_-]+$")]
struct OwnerId(Box<str>);

/// An account, as it is spelled here: its length is the pattern's.
#[derive(Debug, Clone, Text)]
#[text(pattern = r"\d{12}", regex = r"[0-9]{12}")]
struct AccountNumber(Box<str>);

#[derive(Debug, Clone, Text)]
#[text(min = 5, max = 256, pattern = "[ -~]+")]
struct ParameterName(Box<str>);

#[derive(Debug, Clone, Text)]
#[text(pattern = "[ -~]+")]
struct ParameterValue(Box<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum ParameterType {
    #[text(rename = "string")]
    One,
    #[text(rename = "stringList")]
    Many,
}

/// A value for a template.
#[derive(Shape)]
struct PolicyParameter {
    name: Option<ParameterName>,
    values: Vec<ParameterValue>,
    #[shape(name = "Type")]
    kind: Option<ParameterType>,
}

/// What is asked for: a template, filled in.
#[derive(Shape)]
struct DelegationPermission {
    policy_template_arn: Option<ArnText>,
    #[shape(max = 50)]
    parameters: Vec<PolicyParameter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum CheckStatus {
    Complete,
    InProgress,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum CheckResult {
    Allowed,
    Denied,
    Unsure,
}

/// How far a request has come, on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum State {
    Unassigned,
    Assigned,
    PendingApproval,
    Finalized,
    Accepted,
    Rejected,
    Expired,
}

impl From<DelegationState> for State {
    fn from(state: DelegationState) -> Self {
        match state {
            DelegationState::Unassigned => State::Unassigned,
            DelegationState::Assigned => State::Assigned,
            DelegationState::PendingApproval => State::PendingApproval,
            DelegationState::Finalized => State::Finalized,
            DelegationState::Accepted => State::Accepted,
            DelegationState::Rejected => State::Rejected,
            DelegationState::Expired => State::Expired,
        }
    }
}

/// A language.
#[derive(Debug, Clone, Text)]
#[text(min = 2, max = 12)]
struct Locale(Box<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum SummaryState {
    Available,
    NotAvailable,
    NotSupported,
    Failed,
}
