//! The role that Organizations has in each account of an organization with all features.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services-using_slrs.html>.

use crate::Error;
use arn::{AccountId, Arn, IdKind};
use identities::{Path, RoleRecord, Tags, TrustPolicy, managed_policy};
use operation::{Allowed, Asking};
use store::{Mode, StoreError, Write};

/// What it is called.
const NAME: &str = "AWSServiceRoleForOrganizations";

const PATH: &str = "/aws-service-role/organizations.amazonaws.com/";

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"organizations.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// One of AWS's own policies.
pub(crate) fn managed(name: &str) -> Result<Arn, Error> {
    Arn::new("aws", "iam", "", "aws", format_args!("policy/{name}")).map_err(|error| Error::Store(StoreError::Failed(Box::new(error))))
}

/// Whether the caller may have it made in its own account.
pub(crate) fn may_be_made<M: Mode>(cx: &Allowed<'_, M>) -> Result<(), Error> {
    let arn = Arn::iam(cx.caller.account, format_args!("role{PATH}{NAME}"));
    let asking = Asking { action: "iam:CreateServiceLinkedRole", resource: arn.as_str(), account: cx.caller.account };
    if cx.may(asking) { Ok(()) } else { Err(Error::DependencyDenied) }
}

/// Makes it in an account that has none.
pub(crate) async fn make(cx: &Allowed<'_, Write>, account: AccountId) -> Result<(), Error> {
    let damaged = |_: Vec<String>| Error::Store(StoreError::Conflict);
    let path: Path = PATH.parse().map_err(damaged)?;
    let policy = managed("aws-service-role/AWSOrganizationsServiceTrustPolicy")?;
    let role = RoleRecord {
        id: cx.new_id(IdKind::Role)?,
        name: NAME.parse().map_err(damaged)?,
        path,
        created: cx.now,
        description: Some(
            "Service-linked role used by AWS Organizations to enable integration of other AWS services with Organizations.".into(),
        ),
        max_session_duration: 3_600,
        trust: TrustPolicy { document: TRUST.to_owned(), pinned: Vec::new() },
        permissions_boundary: None,
        attached: managed_policy(&policy).map(|_| policy).into_iter().collect(),
        tags: Tags::default(),
    };
    // An account that was in an organization before has it still.
    let _ = cx.tx.in_account(&account.to_string()).insert(&role).await?;
    Ok(())
}
