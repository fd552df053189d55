//! Somebody whom a user vouches for. Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>.
//! With no session policy a federated user may do only what resource policies give it by its own ARN.

use crate::session::{Credentials, MinimumTokenSize, PolicyDescriptor, TokenSize, issue, policies, tags};
use crate::session_tokens::seconds;
use crate::{Error, Sts};
use access::{Session, SessionOf};
use arn::Arn;
use identities::Tag;
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::Read;
use wire::{Int, Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<GetFederationToken>()];

/// What a federated user is called.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 2, max = 32, pattern = r"[\w+=,.@-]*")]
struct FederatedUserName(Box<str>);

/// An inline session policy; here the model itself bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 2048, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+")]
struct FederationPolicy(Box<str>);

#[derive(Shape)]
struct GetFederationToken {
    name: FederatedUserName,
    policy: Option<FederationPolicy>,
    policy_arns: Vec<PolicyDescriptor>,
    duration_seconds: Option<Int<900, 129_600>>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
    #[shape(default)]
    minimum_session_token_size: MinimumTokenSize,
}

#[derive(Shape)]
struct GetFederationTokenOutput {
    credentials: Credentials,
    federated_user: FederatedUser,
    packed_policy_size: u32,
    #[shape(flatten)]
    size: TokenSize,
}

#[derive(Shape)]
struct FederatedUser {
    federated_user_id: String,
    arn: Arn,
}

impl Operation for GetFederationToken {
    type Service = Sts;
    type Access = Read;
    type Output = GetFederationTokenOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("sts", format_args!("federated-user/{}", self.name)))
            .and(!self.tags.is_empty(), "sts:TagSession")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetFederationTokenOutput, Error> {
        let account = cx.caller.account;
        let (policy, managed) = policies(cx, account, self.policy.as_ref().map(FederationPolicy::as_str), &self.policy_arns).await?;
        let session = Session {
            of: SessionOf::Federated {
                by: cx.caller.standing.grants.as_ref().and_then(|grants| grants.id()).cloned(),
                name: self.name.to_string(),
            },
            issued: cx.now,
            expires: cx.now + seconds(cx.caller, self.duration_seconds),
            policy,
            managed,
            tags: tags(&[], &self.tags, &[])?,
            source_identity: None,
            mfa: None,
            asked_with: Some(cx.caller.credential.id.clone()),
            provider: None,
            via: None,
            delegate: None,
        };
        let (credentials, size) = issue(cx, account, &session, self.minimum_session_token_size)?;
        Ok(GetFederationTokenOutput {
            credentials,
            federated_user: FederatedUser {
                federated_user_id: format!("{account}:{}", self.name),
                arn: Arn::sts(account, format_args!("federated-user/{}", self.name)),
            },
            packed_policy_size: session.packed_percent(),
            size,
        })
    }
}
