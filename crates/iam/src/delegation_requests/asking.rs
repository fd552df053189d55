//! The product asks.

use super::{
    AccountNumber, DelegationPermission, Description, NotificationChannel, ParameterType, RedirectUrl, RequestMessage, WorkflowId,
};
use crate::{Error, Iam};
use arn::{AccountId, Arn};
use identities::{AccountRecord, DelegationParameter, DelegationRequestRecord, DelegationState, PolicyTemplateRecord};
use operation::{Allowed, Caller, Judged, Operation};
use policy::{Holds, Parameter, Template};
use store::{SHARED, Stored, Write};
use wire::{Int, Shape};

/// Requests of one product that are kept.
const MOST: usize = 1_000;
/// How long a request that expired is kept, in seconds.
const KEPT: i64 = 90 * 24 * 3_600;
/// Old requests that go when a new one comes.
const SWEPT: usize = 50;

#[derive(Shape)]
pub(super) struct CreateDelegationRequest {
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
pub(super) struct CreateDelegationRequestOutput {
    console_deep_link: Option<String>,
    delegation_request_id: Option<String>,
}

impl CreateDelegationRequest {
    fn parameters(&self) -> Result<Vec<DelegationParameter>, Error> {
        let whole = |parameter: &super::PolicyParameter| {
            let (Some(name), Some(kind)) = (&parameter.name, parameter.kind) else {
                return Err(Error::InvalidInput("A parameter of a policy template must have a name and a type.".into()));
            };
            Ok(DelegationParameter {
                name: name.to_string(),
                values: parameter.values.iter().map(ToString::to_string).collect(),
                is_list: kind == ParameterType::Many,
            })
        };
        self.permissions.parameters.iter().map(whole).collect()
    }
}

/// The policy that comes of a template.
fn filled(template: &PolicyTemplateRecord, parameters: &[DelegationParameter]) -> Result<String, Error> {
    let given: Vec<Parameter<'_>> = parameters
        .iter()
        .map(|parameter| Parameter {
            name: &parameter.name,
            holds: if parameter.is_list { Holds::Many } else { Holds::One },
            values: &parameter.values,
        })
        .collect();
    let policy = Template::read(&template.document).and_then(|template| template.fill(&given));
    policy.map_err(|error| Error::InvalidInput(error.to_string()))
}

/// What a product is called: its account's name, as far as the model takes it.
fn friendly(name: &str) -> String {
    let is_taken = |c: &char| matches!(c, ' '..='~' | '\u{A1}'..='\u{FF}');
    name.chars().filter(is_taken).take(30).collect()
}

/// Makes room: what expired long ago goes.
async fn sweep(cx: &Allowed<'_, Write>) -> Result<(), Error> {
    let product = cx.caller.account;
    let shared = cx.tx.in_account(SHARED);
    let now = cx.now;
    let is_old = move |request: &DelegationRequestRecord| request.expires.saturating_add(KEPT) <= now;
    let old = shared.scan(DelegationRequestRecord::BY_REQUESTOR.of(&product), None, SWEPT, is_old).await?;
    for request in old.records {
        shared.delete::<DelegationRequestRecord>(&request.id).await?;
    }
    if shared.count(DelegationRequestRecord::BY_REQUESTOR.of(&product), MOST).await? == MOST {
        return Err(Error::LimitExceeded(format!("Cannot exceed quota for DelegationRequestsPerRequestor: {MOST}")));
    }
    Ok(())
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

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateDelegationRequestOutput, Error> {
        let product = cx.caller.account;
        let shared = cx.tx.in_account(SHARED);
        let named = self.permissions.policy_template_arn.as_ref();
        let named = named.ok_or_else(|| Error::InvalidInput("A delegation request must name a policy template.".into()))?;
        let kept = match named.arn() {
            Some(arn) => shared.get::<PolicyTemplateRecord>(&arn).await?,
            None => None,
        };
        // Another product's template is as unknown as none.
        let unknown = || Error::InvalidInput(format!("The policy template {named} is not registered."));
        let template = kept.filter(|template| template.product == product).ok_or_else(unknown)?;
        let channel = self.notification_channel.as_str();
        let topic = channel.parse::<Arn>().ok().filter(|arn| arn.service() == "sns" && arn.account_id() == Some(product));
        if topic.is_none() {
            return Err(Error::InvalidInput("The notification channel must be the ARN of an SNS topic of the requestor's account.".into()));
        }
        let parameters = self.parameters()?;
        let policy = filled(&template, &parameters)?;
        sweep(cx).await?;
        let account = shared.get::<AccountRecord>(&product).await?;
        let owner_account = self.owner_account_id.as_ref().and_then(|account| account.as_str().parse::<AccountId>().ok());
        let mut request = DelegationRequestRecord {
            id: cx.new_uuid()?,
            requestor: product,
            requestor_name: friendly(account.as_ref().map_or("", |account| &account.name)),
            workflow: (product, self.requestor_workflow_id.to_string()),
            owner_account,
            owner: None,
            listed: None,
            description: self.description.to_string(),
            request_message: self.request_message.as_ref().map(ToString::to_string),
            redirect_url: self.redirect_url.as_ref().map(ToString::to_string),
            channel: channel.to_owned(),
            template: template.arn,
            parameters,
            policy,
            session_duration: self.session_duration.0,
            only_send_by_owner: self.only_send_by_owner.unwrap_or(false),
            state: DelegationState::Unassigned,
            expires: 0,
            notes: None,
            rejection_reason: None,
            created: cx.now,
            updated: cx.now,
            approver: None,
            token: None,
            traded: None,
            access_ends: None,
        };
        request.enter(DelegationState::Unassigned, cx.now);
        match shared.insert(&request).await? {
            // There is no console to lead to.
            Stored::Done => Ok(CreateDelegationRequestOutput { console_deep_link: None, delegation_request_id: Some(request.id) }),
            Stored::Taken => Err(Error::WorkflowExists(self.requestor_workflow_id.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_called_what_the_model_takes() {
        assert_eq!(friendly("Pipelines \u{7}鍵 & Söhne"), "Pipelines  & Söhne");
        assert_eq!(friendly(&"x".repeat(40)).len(), 30);
    }
}
