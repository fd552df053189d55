//! The account answers: who takes a request up, who approves it, and who sends the token.

use super::{Notes, RequestId, found, is_owner, keep, must_be};
use crate::{Error, Iam};
use access::SessionOf;
use identities::{DelegationApprover, DelegationOwner, DelegationRequestRecord, DelegationState, Lender, LentTag};
use operation::{Allowed, Caller, Judged, Operation};
use store::Write;
use wire::Shape;

/// The longest access that a root user may approve, in seconds: four hours.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html>.
const LONGEST_OF_ROOT: i64 = 4 * 3_600;

/// Who approves, as it is now. Only a whole user, root or role can lend its rights: what is narrowed already would be lent wider than it is.
fn approver(caller: &Caller, request: &DelegationRequestRecord) -> Result<DelegationApprover, Error> {
    let cannot = || Error::CannotLend(caller.arn.clone());
    let grants = caller.standing.grants.as_ref().ok_or_else(cannot)?;
    if caller.is_root() && request.session_duration > LONGEST_OF_ROOT {
        return Err(Error::InvalidInput(format!("The root user can approve access of at most {LONGEST_OF_ROOT} seconds.")));
    }
    let session = caller.session();
    let lender = match session {
        None => Lender::User { id: grants.id().cloned() },
        Some(session) => {
            let is_whole = session.policy.is_none() && session.managed.is_empty() && session.via.is_none() && session.delegate.is_none();
            match &session.of {
                _ if !is_whole => return Err(cannot()),
                SessionOf::Role { id, name } => Lender::Role { id: id.clone(), session: name.clone() },
                SessionOf::User { id } => Lender::User { id: id.clone() },
                SessionOf::Key { .. } | SessionOf::AssumedRoot { .. } | SessionOf::Federated { .. } => return Err(cannot()),
            }
        }
    };
    let tags = session.into_iter().flat_map(|session| &session.tags);
    Ok(DelegationApprover {
        arn: caller.arn.clone(),
        principal: grants.arn().clone(),
        lender,
        asked_with: match session {
            None => Some(caller.credential.id.clone()),
            Some(session) => session.asked_with.clone(),
        },
        tags: tags.map(|tag| LentTag { key: tag.key.clone(), value: tag.value.clone(), transitive: tag.transitive }).collect(),
        source_identity: caller.source_identity().map(str::to_owned),
        provider: session.and_then(|session| session.provider.clone()),
    })
}

#[derive(Shape)]
pub(super) struct AssociateDelegationRequest {
    delegation_request_id: RequestId,
}

impl Operation for AssociateDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut request = found(cx, &self.delegation_request_id).await?;
        must_be(&request, cx.now, &[DelegationState::Unassigned])?;
        request.owner_account = Some(cx.caller.account);
        request.listed = Some(cx.caller.account);
        request.owner = Some(DelegationOwner { arn: cx.caller.arn.clone(), user_id: cx.caller.standing.user_id.clone() });
        request.enter(DelegationState::Assigned, cx.now);
        keep(cx, &request).await
    }
}

#[derive(Shape)]
pub(super) struct UpdateDelegationRequest {
    delegation_request_id: RequestId,
    notes: Option<Notes>,
}

impl Operation for UpdateDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut request = found(cx, &self.delegation_request_id).await?;
        must_be(&request, cx.now, &[DelegationState::Assigned, DelegationState::PendingApproval])?;
        if let Some(notes) = &self.notes {
            request.notes = Some(notes.to_string());
        }
        // Saying it again gives nobody more time.
        if request.state == DelegationState::PendingApproval {
            request.updated = cx.now;
        } else {
            request.enter(DelegationState::PendingApproval, cx.now);
        }
        keep(cx, &request).await
    }
}

#[derive(Shape)]
pub(super) struct AcceptDelegationRequest {
    delegation_request_id: RequestId,
}

impl Operation for AcceptDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut request = found(cx, &self.delegation_request_id).await?;
        must_be(&request, cx.now, &[DelegationState::Assigned, DelegationState::PendingApproval])?;
        request.approver = Some(approver(cx.caller, &request)?);
        request.enter(DelegationState::Accepted, cx.now);
        keep(cx, &request).await
    }
}

#[derive(Shape)]
pub(super) struct RejectDelegationRequest {
    delegation_request_id: RequestId,
    notes: Option<Notes>,
}

impl Operation for RejectDelegationRequest {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut request = found(cx, &self.delegation_request_id).await?;
        must_be(&request, cx.now, &[DelegationState::Assigned, DelegationState::PendingApproval, DelegationState::Accepted])?;
        request.rejection_reason = self.notes.as_ref().map(ToString::to_string);
        request.approver = None;
        request.enter(DelegationState::Rejected, cx.now);
        keep(cx, &request).await
    }
}

#[derive(Shape)]
pub(super) struct SendDelegationToken {
    delegation_request_id: RequestId,
}

impl Operation for SendDelegationToken {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.delegation_request_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut request = found(cx, &self.delegation_request_id).await?;
        must_be(&request, cx.now, &[DelegationState::Accepted])?;
        if request.only_send_by_owner && !request.owner.as_ref().is_some_and(|owner| is_owner(cx.caller, owner)) {
            return Err(Error::OnlyByOwner(cx.caller.arn.clone()));
        }
        request.enter(DelegationState::Finalized, cx.now);
        let access = cx.access();
        request.send_token(cx.now, &access.keyring, access.entropy.as_ref())?;
        keep(cx, &request).await
    }
}
