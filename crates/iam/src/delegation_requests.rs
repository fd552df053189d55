//! Temporary delegation: a product asks an account for access, and the account lends it for a while. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html>.
//! Only products of Amazon and of partners that AWS has taken up make such requests, from policy templates that AWS keeps for them. Here nobody
//! is taken up and no template is kept: no request can be made, so there is none, and whoever names one is told that.

use crate::page::MarkerText;
use crate::{Error, Iam};
use arn::{AccountId, Arn};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Read, Write};
use wire::{ArnText, Int, Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateDelegationRequest>(),
    handler::<GetDelegationRequest>(),
    handler::<ListDelegationRequests>(),
    handler::<AssociateDelegationRequest>(),
    handler::<UpdateDelegationRequest>(),
    handler::<AcceptDelegationRequest>(),
    handler::<RejectDelegationRequest>(),
    handler::<SendDelegationToken>(),
    handler::<GetHumanReadableSummary>(),
];

/// What a request is named by.
#[derive(Debug, Clone, Text)]
#[text(min = 16, max = 128, pattern = r"[\w-]+")]
struct RequestId(Box<str>);

impl RequestId {
    /// What naming it is judged on.
    fn target(&self, caller: &Caller) -> Target {
        caller.arn_here("iam", format_args!("delegation-request/{self}")).into()
    }

    /// That there is no such request.
    fn missing(&self) -> Error {
        Error::NoDelegationRequest(self.to_string())
    }
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

#[derive(Shape)]
struct CreateDelegationRequest {
    owner_account_id: Option<AccountNumber>,
    description: Description,
    permissions: DelegationPermission,
    request_message: Option<RequestMessage>,
    requestor_workflow_id: WorkflowId,
    redirect_url: Option<RedirectUrl>,
    notification_channel: NotificationChannel,
    session_duration: Int<300, 43_200>,
    only_send_by_owner: Option<bool>,
}

#[derive(Shape)]
struct CreateDelegationRequestOutput {
    console_deep_link: Option<String>,
    delegation_request_id: Option<String>,
}

impl Operation for CreateDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = CreateDelegationRequestOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", "delegation-request/*"))
            .key("iam:TemplateArn", &self.permissions.policy_template_arn)
            .key("iam:NotificationChannel", [&self.notification_channel])
            .key("iam:DelegationDuration", [self.session_duration.0])
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<CreateDelegationRequestOutput, Error> {
        let template = self.permissions.policy_template_arn.as_ref();
        let template = template.ok_or_else(|| Error::InvalidInput("A delegation request must name a policy template.".into()))?;
        let topic = self.notification_channel.as_str().parse::<Arn>().ok().filter(|arn| arn.service() == "sns");
        if topic.is_none() {
            return Err(Error::InvalidInput("The notification channel must be the ARN of an SNS topic.".into()));
        }
        Err(Error::InvalidInput(format!("The policy template {template} is not registered.")))
    }
}

#[derive(Shape)]
struct GetDelegationRequest {
    delegation_request_id: RequestId,
    delegation_permission_check: Option<bool>,
}

#[derive(Shape)]
struct GetDelegationRequestOutput {
    delegation_request: Option<DelegationRequest>,
    permission_check_status: Option<CheckStatus>,
    permission_check_result: Option<CheckResult>,
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

/// How far a request has come.
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

/// A request as IAM shows it.
#[derive(Shape)]
struct DelegationRequest {
    delegation_request_id: Option<RequestId>,
    owner_account_id: Option<AccountId>,
    description: Option<Description>,
    request_message: Option<RequestMessage>,
    permissions: Option<DelegationPermission>,
    permission_policy: Option<String>,
    role_permission_restriction_arns: Vec<Arn>,
    owner_id: Option<OwnerId>,
    approver_id: Option<Arn>,
    state: Option<State>,
    expiration_time: Option<Timestamp>,
    requestor_id: Option<AccountId>,
    requestor_name: Option<String>,
    create_date: Option<Timestamp>,
    session_duration: Option<i32>,
    redirect_url: Option<RedirectUrl>,
    notes: Option<Notes>,
    rejection_reason: Option<Notes>,
    only_send_by_owner: Option<bool>,
    updated_time: Option<Timestamp>,
}

impl Operation for GetDelegationRequest {
    type Service = Iam;
    type Access = Read;
    type Output = GetDelegationRequestOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<GetDelegationRequestOutput, Error> {
        Err(self.delegation_request_id.missing())
    }
}

#[derive(Shape)]
struct ListDelegationRequests {
    owner_id: Option<OwnerId>,
    marker: Option<MarkerText>,
    #[shape(default)]
    max_items: Int<1, 1000, 100>,
}

#[derive(Shape)]
struct ListDelegationRequestsOutput {
    delegation_requests: Vec<DelegationRequest>,
    marker: Option<String>,
    #[shape(name = "isTruncated")]
    is_truncated: bool,
}

impl Operation for ListDelegationRequests {
    type Service = Iam;
    type Access = Read;
    type Output = ListDelegationRequestsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything).key("iam:DelegationRequestOwner", &self.owner_id)
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<ListDelegationRequestsOutput, Error> {
        // No list was ever cut short, so no marker is one of ours.
        if self.marker.is_some() {
            return Err(Error::InvalidMarker);
        }
        Ok(ListDelegationRequestsOutput { delegation_requests: Vec::new(), marker: None, is_truncated: false })
    }
}

#[derive(Shape)]
struct AssociateDelegationRequest {
    delegation_request_id: RequestId,
}

impl Operation for AssociateDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<(), Error> {
        Err(self.delegation_request_id.missing())
    }
}

#[derive(Shape)]
struct UpdateDelegationRequest {
    delegation_request_id: RequestId,
    notes: Option<Notes>,
}

impl Operation for UpdateDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<(), Error> {
        Err(self.delegation_request_id.missing())
    }
}

#[derive(Shape)]
struct AcceptDelegationRequest {
    delegation_request_id: RequestId,
}

impl Operation for AcceptDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<(), Error> {
        Err(self.delegation_request_id.missing())
    }
}

#[derive(Shape)]
struct RejectDelegationRequest {
    delegation_request_id: RequestId,
    notes: Option<Notes>,
}

impl Operation for RejectDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<(), Error> {
        Err(self.delegation_request_id.missing())
    }
}

#[derive(Shape)]
struct SendDelegationToken {
    delegation_request_id: RequestId,
}

impl Operation for SendDelegationToken {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.delegation_request_id.target(caller))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<(), Error> {
        Err(self.delegation_request_id.missing())
    }
}

/// A language.
#[derive(Debug, Clone, Text)]
#[text(min = 2, max = 12)]
struct Locale(Box<str>);

#[derive(Shape)]
struct GetHumanReadableSummary {
    entity_arn: ArnText,
    locale: Option<Locale>,
}

#[derive(Shape)]
struct GetHumanReadableSummaryOutput {
    summary_content: Option<String>,
    locale: Option<Locale>,
    summary_state: Option<SummaryState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum SummaryState {
    Available,
    NotAvailable,
    NotSupported,
    Failed,
}

impl Operation for GetHumanReadableSummary {
    type Service = Iam;
    type Access = Read;
    type Output = GetHumanReadableSummaryOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.entity_arn.arn().map(drop).ok_or(Error::InvalidArn)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(self.entity_arn.arn().map_or(Target::Everything, Target::Arn))
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<GetHumanReadableSummaryOutput, Error> {
        let arn = self.entity_arn.arn().ok_or(Error::InvalidArn)?;
        match arn.resource().strip_prefix("delegation-request/").filter(|_| arn.service() == "iam") {
            Some(id) => Err(Error::NoDelegationRequest(id.to_owned())),
            None => Err(Error::InvalidInput("Only delegation requests can be summarized.".into())),
        }
    }
}
