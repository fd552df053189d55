//! Permissions boundaries: the most that a user's or a role's policies can give.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.

use crate::holders::Bounded;
use crate::policies::parsed;
use crate::{Error, Iam, roles, users};
use arn::Arn;
use identities::{PolicyRecord, RoleName, UserName, UserRecord, customer_policy_arn, managed_policy};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, handler};
use store::{Mode, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<PutUserPermissionsBoundary>(),
    handler::<DeleteUserPermissionsBoundary>(),
    handler::<PutRolePermissionsBoundary>(),
    handler::<DeleteRolePermissionsBoundary>(),
];

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
    match attachable(cx, asked).await {
        Err(Error::NotAttachable(arn)) => Err(Error::NoSuchScope(arn)),
        answer => answer.map(Some),
    }
}

/// A managed policy that the caller's account may attach: its own, or one of AWS's.
pub(crate) async fn attachable<M: Mode>(cx: &Allowed<'_, M>, asked: &PolicyArn) -> Result<Arn, Error> {
    let arn = parsed(asked)?;
    if let Some(policy) = managed_policy(&arn) {
        return if policy.is_attachable() { Ok(arn) } else { Err(Error::ServiceRolePolicy) };
    }
    let none = || Error::NotAttachable(arn.to_string());
    let (account, name) = customer_policy_arn(&arn).filter(|(account, _)| *account == cx.caller.account).ok_or_else(none)?;
    let policy = cx.tx.find(PolicyRecord::BY_NAME, &name).await?.ok_or_else(none)?;
    if policy.arn(account) == arn { Ok(arn) } else { Err(none()) }
}

#[derive(Shape)]
struct PutUserPermissionsBoundary {
    user_name: UserName,
    permissions_boundary: PolicyArn,
}

impl Operation for PutUserPermissionsBoundary {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.permissions_boundary).map(drop)
    }

    /// The key is the boundary that is asked for, whichever there is now.
    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name).key_there("iam:PermissionsBoundary", [&self.permissions_boundary.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = user(cx, &self.user_name).await?;
        user.permissions_boundary = boundary(cx, Some(&self.permissions_boundary)).await?;
        users::put(cx, &user).await
    }
}

async fn user(cx: &Allowed<'_, Write>, name: &UserName) -> Result<UserRecord, Error> {
    cx.tx.find(UserRecord::BY_NAME, name).await?.ok_or_else(|| Error::no_user(name))
}

#[derive(Shape)]
struct DeleteUserPermissionsBoundary {
    user_name: UserName,
}

impl Operation for DeleteUserPermissionsBoundary {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.user_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut user = user(cx, &self.user_name).await?;
        if user.permissions_boundary.take().is_none() {
            return Err(Error::NoBoundary { kind: "user", name: user.name.to_string() });
        }
        users::put(cx, &user).await
    }
}

#[derive(Shape)]
struct PutRolePermissionsBoundary {
    role_name: RoleName,
    permissions_boundary: PolicyArn,
}

impl Operation for PutRolePermissionsBoundary {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.permissions_boundary).map(drop)
    }

    /// The key is the boundary that is asked for, whichever there is now.
    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name).key_there("iam:PermissionsBoundary", [&self.permissions_boundary.0])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut role = roles::changeable(cx, &self.role_name).await?;
        role.permissions_boundary = boundary(cx, Some(&self.permissions_boundary)).await?;
        roles::put(cx, &role).await
    }
}

#[derive(Shape)]
struct DeleteRolePermissionsBoundary {
    role_name: RoleName,
}

impl Operation for DeleteRolePermissionsBoundary {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut role = roles::changeable(cx, &self.role_name).await?;
        if role.permissions_boundary.take().is_none() {
            return Err(Error::NoBoundary { kind: "role", name: role.name.to_string() });
        }
        roles::put(cx, &role).await
    }
}
