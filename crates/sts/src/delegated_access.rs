//! What a product trades the token of a delegation request in for. Rules:
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetDelegatedAccessToken.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html>.
//! The session is the approver's, narrowed to the filled template. It showed no second factor, whatever the approver showed. A token is good
//! once, for the account that asked, and until the time that was asked for is over, which began when the token was sent. Whoever has
//! another's token, or none that is one, learns nothing: all are refused in the same words.

use crate::session::{Credentials, MinimumTokenSize, issue};
use crate::{Error, Sts};
use access::{Session, SessionOf, SessionTag};
use arn::Arn;
use identities::{DelegationApprover, DelegationRequestRecord, Lender, PolicyTemplateRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{SHARED, StoreError, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<GetDelegatedAccessToken>()];

/// The token that SendDelegationToken sent.
#[derive(Clone, Text)]
#[text(sensitive)]
struct TradeInToken(Box<str>);

#[derive(Shape)]
struct GetDelegatedAccessToken {
    trade_in_token: TradeInToken,
}

#[derive(Shape)]
struct GetDelegatedAccessTokenOutput {
    credentials: Credentials,
    packed_policy_size: u32,
    assumed_principal: Arn,
}

/// The session that a request lends.
fn session(request: &DelegationRequestRecord, approver: &DelegationApprover, now: i64, expires: i64) -> Session {
    Session {
        of: match &approver.lender {
            Lender::Role { id, session } => SessionOf::Role { id: id.clone(), name: session.clone() },
            Lender::User { id } => SessionOf::User { id: id.clone() },
        },
        issued: now,
        expires,
        policy: Some(request.policy.clone()),
        managed: Vec::new(),
        tags: approver
            .tags
            .iter()
            .map(|tag| SessionTag { key: tag.key.clone(), value: tag.value.clone(), transitive: tag.transitive })
            .collect(),
        source_identity: approver.source_identity.clone(),
        mfa: None,
        asked_with: approver.asked_with.clone(),
        provider: approver.provider.clone(),
        via: None,
        delegate: Some(request.requestor),
    }
}

impl Operation for GetDelegatedAccessToken {
    type Service = Sts;
    type Access = Write;
    type Output = GetDelegatedAccessTokenOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<GetDelegatedAccessTokenOutput, Error> {
        let shown = self.trade_in_token.as_str();
        let shared = cx.tx.in_account(SHARED);
        let id = DelegationRequestRecord::id_in(shown).ok_or(Error::NotTradable)?.to_owned();
        let request = shared.get::<DelegationRequestRecord>(&id).await?.filter(|request| request.requestor == cx.caller.account);
        let mut request = request.ok_or(Error::NotTradable)?;
        if !request.is_token(shown, &cx.access().keyring)? {
            return Err(Error::NotTradable);
        }
        // What the operator took away from the product ends what it asked for.
        let template = shared.get::<PolicyTemplateRecord>(&request.template).await?;
        if template.is_none_or(|template| template.product != request.requestor) {
            return Err(Error::NotTradable);
        }
        let (Some(approver), Some(owner), Some(ends)) = (request.approver.clone(), request.owner_account, request.access_ends) else {
            return Err(Error::NotTradable);
        };
        if !request.is_tradable(cx.now) {
            return Err(Error::TokenExpired);
        }
        let session = session(&request, &approver, cx.now, ends);
        let (credentials, _) = issue(cx, owner, &session, MinimumTokenSize::default())?;
        request.traded = Some(cx.now);
        if shared.put(&request).await? == Stored::Taken {
            return Err(Error::Store(StoreError::Conflict));
        }
        Ok(GetDelegatedAccessTokenOutput {
            credentials,
            packed_policy_size: session.packed_percent(),
            assumed_principal: approver.principal,
        })
    }
}
