//! Central root: an organization that looks after the root users of its members.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management>.

use crate::organizations::{
    DelegatedAdministratorRecord, FeatureSet, MemberRecord, MemberState, OrganizationId, OrganizationRecord, ServiceAccessRecord,
};
use arn::{AccountId, Arn};
use serde::{Deserialize, Serialize};
use store::{Mode, Record, SHARED, StoreError, Tx};
use wire::Text;

/// The service that an organization trusts for this, and that a member administers for it.
pub const CENTRAL_ROOT_SERVICE: &str = "iam.amazonaws.com";

/// What an organization may do with its members' root users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
pub enum RootFeature {
    /// Look at their credentials, delete them, let them have a password again; new accounts have none.
    RootCredentialsManagement,
    /// Unlock their buckets and queues.
    RootSessions,
}

/// What an organization has switched on. One that never did has no record.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "central-root", key = organization)]
pub struct CentralRootRecord {
    /// Whose it is.
    pub organization: OrganizationId,
    /// In the order of switching on.
    pub features: Vec<RootFeature>,
}

/// The feature that the task of this policy belongs to; `None` if it is no task's.
pub fn root_task(policy: &Arn) -> Option<RootFeature> {
    match policy.as_str().strip_prefix("arn:aws:iam::aws:policy/root-task/")? {
        "IAMAuditRootUserCredentials" | "IAMCreateRootUserPassword" | "IAMDeleteRootUserCredentials" => {
            Some(RootFeature::RootCredentialsManagement)
        }
        "S3UnlockBucketPolicy" | "SQSUnlockQueuePolicy" => Some(RootFeature::RootSessions),
        _ => None,
    }
}

/// Whether an account may administer root users for this organization, of which it is a member: the management account, or the delegated
/// administrator.
///
/// # Errors
/// What the store says.
pub async fn is_root_administrator<M: Mode>(tx: &Tx<M>, organization: &OrganizationRecord, account: AccountId) -> Result<bool, StoreError> {
    if organization.management == account {
        return Ok(true);
    }
    let service = CENTRAL_ROOT_SERVICE.to_owned();
    let delegated = tx.in_account(SHARED).get::<DelegatedAdministratorRecord>((&account, &service)).await?;
    Ok(delegated.is_some_and(|delegated| delegated.organization == organization.id))
}

/// The organization through which `by` may now become the root user of `of`. The answer rests on both accounts' [`MemberRecord`], the
/// [`OrganizationRecord`], the [`DelegatedAdministratorRecord`] of `by`, the [`ServiceAccessRecord`] and the [`CentralRootRecord`].
///
/// # Errors
/// What the store says.
pub async fn central_root<M: Mode>(
    tx: &Tx<M>,
    by: AccountId,
    of: AccountId,
    feature: RootFeature,
) -> Result<Option<OrganizationId>, StoreError> {
    let tx = tx.in_account(SHARED);
    let (Some(administrator), Some(member)) = (tx.get::<MemberRecord>(&by).await?, tx.get::<MemberRecord>(&of).await?) else {
        return Ok(None);
    };
    if administrator.organization != member.organization || member.state != MemberState::Active {
        return Ok(None);
    }
    let Some(organization) = tx.get::<OrganizationRecord>(&member.organization).await? else { return Ok(None) };
    let trusted = tx.get::<ServiceAccessRecord>((&organization.id, &CENTRAL_ROOT_SERVICE.to_owned())).await?.is_some();
    let on = tx.get::<CentralRootRecord>(&organization.id).await?.is_some_and(|kept| kept.features.contains(&feature));
    let may = trusted && on && organization.features == FeatureSet::All && organization.management != of;
    let may = may && is_root_administrator(&tx, &organization, by).await?;
    Ok(may.then_some(organization.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_five_tasks_are_tasks() {
        let task = |name: &str| root_task(&format!("arn:aws:iam::aws:policy/{name}").parse().unwrap());
        assert_eq!(task("root-task/IAMAuditRootUserCredentials"), Some(RootFeature::RootCredentialsManagement));
        assert_eq!(task("root-task/S3UnlockBucketPolicy"), Some(RootFeature::RootSessions));
        assert_eq!(task("AdministratorAccess"), None);
        assert_eq!(task("root-task/AdministratorAccess"), None);
        assert_eq!(root_task(&"arn:aws:iam::111122223333:policy/root-task/S3UnlockBucketPolicy".parse().unwrap()), None);
    }
}
