//! How many accounts an organization may have: as many as it likes, until the operator says otherwise.
//! Source of what is counted: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.

use crate::Error;
use identities::{MemberRecord, OrganizationRecord};
use operation::Allowed;
use store::{SHARED, Write};

/// Whether the organization may have no account more.
pub(crate) async fn is_full(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<bool, Error> {
    let Some(limit) = cx.limits().accounts else { return Ok(false) };
    let at_most = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(cx.tx.in_account(SHARED).count(MemberRecord::BY_ORGANIZATION.of(&organization.id), at_most).await? >= at_most)
}

/// Refuses one more account where there are as many as the operator allows.
pub(crate) async fn accounts(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<(), Error> {
    if is_full(cx, organization).await? {
        let words = "You have exceeded the allowed number of AWS accounts.";
        return Err(Error::constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", words));
    }
    Ok(())
}
