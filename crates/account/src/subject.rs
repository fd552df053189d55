//! Whose account a request is about: the caller's own, which it does not name; or a member's, if the caller is of the management account or of
//! the delegated administrator, and the organization, with all features, trusts this service.
//! Source: <https://docs.aws.amazon.com/accounts/latest/reference/using-orgs.html>.

use crate::{Account, Error};
use arn::AccountId;
use identities::{
    AccountRecord, DelegatedAdministratorRecord, FeatureSet, MemberRecord, OrganizationRecord, ServiceAccessRecord, organization_path,
};
use operation::{Allowed, Caller, Operation, Protected, Resolved, Resource, Service};
use store::{Mode, Read, SHARED, StoreError, Tx};
use wire::Text;

/// An account as requests name it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(pattern = r"\d{12}")]
pub(crate) struct AccountNumber(Box<str>);

/// What a request is judged on.
#[derive(Debug, Clone)]
pub(crate) struct On(Option<AccountNumber>);

/// This account; the caller's own, if none is named.
pub(crate) fn on(account: Option<&AccountNumber>) -> On {
    On(account.cloned())
}

/// The organization that an account is in.
async fn organization_of<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Option<OrganizationRecord>, StoreError> {
    let shared = tx.in_account(SHARED);
    match shared.get::<MemberRecord>(&account).await? {
        Some(member) => shared.get::<OrganizationRecord>(&member.organization).await,
        None => Ok(None),
    }
}

impl Protected for On {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let Some(named) = &self.0 else {
                return Ok(Resource::new(format!("arn:aws:account::{}:account", caller.account), caller.account));
            };
            // Whoever is in no organization is told so by the rule.
            let Some(own) = organization_of(tx, caller.account).await? else { return Ok(Resource::new("*", caller.account)) };
            // Where a caller sits lets it call: it calls as one of the owning account.
            let arn = format!("arn:aws:account::{}:account/{}/{named}", own.management, own.id);
            let mut resource = Resource::new(arn, caller.account);
            let Ok(named) = named.as_str().parse::<AccountId>() else { return Ok(resource) };
            if let Some(path) = organization_path(tx, named).await?.filter(|path| path.organization.id == own.id) {
                resource.facts.push(("account:AccountResourceOrgPaths".to_owned(), path.text()));
                let tags = organizations::account_tags(tx, named).await?;
                let tags = tags.iter().map(|tag| (format!("account:AccountResourceOrgTags/{}", tag.key), tag.value.to_string()));
                resource.facts.extend(tags);
            }
            Ok(resource)
        })
    }
}

/// The account that a request is about, if the caller may act on it by where it sits.
pub(crate) async fn subject<O: Operation<Service = Account>, M: Mode>(
    cx: &Allowed<'_, M>,
    named: Option<&AccountNumber>,
) -> Result<AccountRecord, Error> {
    let denied = |why| Error::Denied { caller: cx.caller.arn.to_string(), operation: O::NAME, why };
    let shared = cx.tx.in_account(SHARED);
    let Some(named) = named else {
        let own = shared.get::<AccountRecord>(&cx.caller.account).await?;
        return own.ok_or_else(|| denied("The account is not there."));
    };
    let not_in_one = "The account ID is used in the context of an organization, and the calling account is in none.";
    let organization = organization_of(&cx.tx, cx.caller.account).await?.ok_or_else(|| denied(not_in_one))?;
    if organization.features != FeatureSet::All {
        return Err(denied("Your organization must first enable all features."));
    }
    let service = Account::SOURCE.to_owned();
    if shared.get::<ServiceAccessRecord>((&organization.id, &service)).await?.is_none() {
        return Err(denied("Your organization must first enable trusted access with AWS Account Management."));
    }
    let is_management = organization.management == cx.caller.account;
    if !is_management && shared.get::<DelegatedAdministratorRecord>((&cx.caller.account, &service)).await?.is_none() {
        return Err(denied(
            "Only the management account and the delegated administrator of an organization can act on its member accounts.",
        ));
    }
    // What is no account and what is another organization's are told apart for nobody.
    let no_member = "The account is not a member of your organization.";
    let named: AccountId = named.as_str().parse().map_err(|_| denied(no_member))?;
    if organization.management == named {
        return Err(denied("The management account can only be managed using the standalone context from the management account."));
    }
    let member = shared.get::<MemberRecord>(&named).await?.filter(|member| member.organization == organization.id);
    let account = if member.is_some() { shared.get::<AccountRecord>(&named).await? } else { None };
    account.ok_or_else(|| denied(no_member))
}
