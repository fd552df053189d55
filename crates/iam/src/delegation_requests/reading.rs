//! What a request is, which there are, and what one asks for in words.

use super::check::checked;
use super::summary::{boundaries, summary};
use super::{
    CheckResult, CheckStatus, DelegationPermission, Locale, OwnerId, ParameterType, PolicyParameter, RequestId, State, SummaryState, found,
};
use crate::page::{NextPage, Page};
use crate::{Error, Iam};
use arn::{AccountId, Arn};
use identities::DelegationRequestRecord;
use operation::{Allowed, Caller, Judged, Operation, Target};
use store::{Read, SHARED};
use wire::{ArnText, Shape, Timestamp};

/// A request as IAM shows it.
#[derive(Shape)]
pub(super) struct DelegationRequest {
    delegation_request_id: Option<String>,
    owner_account_id: Option<AccountId>,
    description: Option<String>,
    request_message: Option<String>,
    permissions: Option<DelegationPermission>,
    permission_policy: Option<String>,
    role_permission_restriction_arns: Vec<Arn>,
    owner_id: Option<String>,
    approver_id: Option<Arn>,
    state: Option<State>,
    expiration_time: Option<Timestamp>,
    requestor_id: Option<AccountId>,
    requestor_name: Option<String>,
    create_date: Option<Timestamp>,
    session_duration: Option<i64>,
    redirect_url: Option<String>,
    notes: Option<String>,
    rejection_reason: Option<String>,
    only_send_by_owner: Option<bool>,
    updated_time: Option<Timestamp>,
}

impl DelegationRequest {
    fn new(request: DelegationRequestRecord, now: i64) -> Self {
        let parameter = |parameter: identities::DelegationParameter| PolicyParameter {
            name: parameter.name.parse().ok(),
            values: parameter.values.iter().filter_map(|value| value.parse().ok()).collect(),
            kind: Some(if parameter.is_list { ParameterType::Many } else { ParameterType::One }),
        };
        DelegationRequest {
            state: Some(request.state_at(now).into()),
            delegation_request_id: Some(request.id),
            owner_account_id: request.owner_account,
            description: Some(request.description),
            request_message: request.request_message,
            permissions: Some(DelegationPermission {
                policy_template_arn: request.template.as_str().parse().ok(),
                parameters: request.parameters.into_iter().map(parameter).collect(),
            }),
            role_permission_restriction_arns: boundaries(&request.policy),
            permission_policy: Some(request.policy),
            owner_id: request.owner.map(|owner| owner.arn.to_string()),
            approver_id: request.approver.map(|approver| approver.arn),
            expiration_time: Some(Timestamp(request.expires)),
            requestor_id: Some(request.requestor),
            requestor_name: Some(request.requestor_name),
            create_date: Some(Timestamp(request.created)),
            session_duration: Some(request.session_duration),
            redirect_url: request.redirect_url,
            notes: request.notes,
            rejection_reason: request.rejection_reason,
            only_send_by_owner: Some(request.only_send_by_owner),
            updated_time: Some(Timestamp(request.updated)),
        }
    }
}

#[derive(Shape)]
pub(super) struct GetDelegationRequest {
    delegation_request_id: RequestId,
    delegation_permission_check: Option<bool>,
}

#[derive(Shape)]
pub(super) struct GetDelegationRequestOutput {
    delegation_request: Option<DelegationRequest>,
    permission_check_status: Option<CheckStatus>,
    permission_check_result: Option<CheckResult>,
}

impl Operation for GetDelegationRequest {
    type Service = Iam;
    type Access = Read;
    type Output = GetDelegationRequestOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetDelegationRequestOutput, Error> {
        let request = found(cx, &self.delegation_request_id).await?;
        let check = (self.delegation_permission_check == Some(true)).then(|| checked(cx, &request.policy));
        Ok(GetDelegationRequestOutput {
            delegation_request: Some(DelegationRequest::new(request, cx.now)),
            permission_check_status: check.map(|_| CheckStatus::Complete),
            permission_check_result: check,
        })
    }
}

#[derive(Shape)]
pub(super) struct ListDelegationRequests {
    owner_id: Option<OwnerId>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
pub(super) struct ListDelegationRequestsOutput {
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

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListDelegationRequestsOutput, Error> {
        let wanted = |request: &DelegationRequestRecord| match (&self.owner_id, &request.owner) {
            (None, _) => true,
            (Some(id), Some(owner)) => owner.arn.as_str() == id.as_str(),
            (Some(_), None) => false,
        };
        let span = DelegationRequestRecord::BY_OWNER.of(&cx.caller.account);
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let marker = NextPage::from(page.next).into_marker();
        Ok(ListDelegationRequestsOutput {
            delegation_requests: page.records.into_iter().map(|request| DelegationRequest::new(request, cx.now)).collect(),
            is_truncated: marker.is_some(),
            marker,
        })
    }
}

#[derive(Shape)]
pub(super) struct GetHumanReadableSummary {
    entity_arn: ArnText,
    locale: Option<Locale>,
}

#[derive(Shape)]
pub(super) struct GetHumanReadableSummaryOutput {
    summary_content: Option<String>,
    locale: Option<Locale>,
    summary_state: Option<SummaryState>,
}

impl GetHumanReadableSummary {
    /// The request that is named, if it is one of `account`'s.
    fn request(&self, account: AccountId) -> Option<RequestId> {
        let arn = self.entity_arn.arn().filter(|arn| arn.service() == "iam" && arn.account_id() == Some(account))?;
        arn.resource().strip_prefix("delegation-request/")?.parse().ok()
    }
}

impl Operation for GetHumanReadableSummary {
    type Service = Iam;
    type Access = Read;
    type Output = GetHumanReadableSummaryOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.entity_arn.arn().map(drop).ok_or(Error::InvalidArn)
    }

    fn judged_by(&self, caller: &Caller) -> Judged {
        match self.request(caller.account) {
            Some(id) => Judged::on(&id),
            None => Judged::on(self.entity_arn.arn().map_or(Target::Everything, Target::Arn)),
        }
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetHumanReadableSummaryOutput, Error> {
        let arn = self.entity_arn.arn().ok_or(Error::InvalidArn)?;
        let Some(id) = self.request(cx.caller.account) else {
            return Err(match arn.resource().strip_prefix("delegation-request/").filter(|_| arn.service() == "iam") {
                Some(id) => Error::NoDelegationRequest(id.to_owned()),
                None => Error::InvalidInput("Only delegation requests can be summarized.".into()),
            });
        };
        let request = found(cx, &id).await?;
        let locale = self.locale.clone().or_else(|| "en".parse().ok());
        // The words are English's: none is better than some that look like another language's.
        let is_spoken = locale.as_ref().is_some_and(|locale| locale.as_str().to_ascii_lowercase().starts_with("en"));
        Ok(GetHumanReadableSummaryOutput {
            summary_content: is_spoken.then(|| summary(&request)),
            locale,
            summary_state: Some(if is_spoken { SummaryState::Available } else { SummaryState::NotSupported }),
        })
    }
}
