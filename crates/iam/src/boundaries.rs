//! Permissions boundaries: the most that a user's or a role's policies can give.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.

use crate::Error;
use arn::Arn;
use identities::{PolicyRecord, customer_policy_arn, managed_policy};
use operation::{Allowed, PolicyArn};
use store::Mode;
use wire::{Shape, Text};

/// A boundary is always a managed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum BoundaryType {
    Policy,
}

/// The boundary of a user or role, as IAM shows it.
#[derive(Shape)]
pub(crate) struct AttachedPermissionsBoundary {
    permissions_boundary_type: BoundaryType,
    permissions_boundary_arn: Arn,
}

impl AttachedPermissionsBoundary {
    pub fn of(arn: Arn) -> Self {
        AttachedPermissionsBoundary { permissions_boundary_type: BoundaryType::Policy, permissions_boundary_arn: arn }
    }
}

/// The policy that is asked for as a boundary.
pub(crate) async fn boundary<M: Mode>(cx: &Allowed<'_, M>, asked: Option<&PolicyArn>) -> Result<Option<Arn>, Error> {
    let Some(asked) = asked else { return Ok(None) };
    attachable(cx, asked).await.map(Some)
}

/// A managed policy that the caller's account may attach: its own, or one of AWS's.
pub(crate) async fn attachable<M: Mode>(cx: &Allowed<'_, M>, asked: &PolicyArn) -> Result<Arn, Error> {
    let arn = asked.arn().ok_or(Error::InvalidArn)?;
    if let Some(policy) = managed_policy(&arn) {
        return if policy.is_attachable() { Ok(arn) } else { Err(Error::ServiceRolePolicy) };
    }
    let none = || Error::NotAttachable(arn.to_string());
    let (account, name) = customer_policy_arn(&arn).filter(|(account, _)| *account == cx.caller.account).ok_or_else(none)?;
    let policy = cx.tx.find(PolicyRecord::BY_NAME, &name).await?.ok_or_else(none)?;
    if policy.arn(account) == arn { Ok(arn) } else { Err(none()) }
}
