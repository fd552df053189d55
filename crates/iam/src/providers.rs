//! What both kinds of identity provider share: how a request names one, and lists, which AWS does not page.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html>.

use crate::Error;
use arn::{AccountId, Arn};
use identities::{OidcName, OidcProviderRecord, SamlProviderName, SamlProviderRecord};
use operation::{Caller, Protected, Resolved, Resource};
use store::{Mode, Read, Record, StoreError, Tx};
use wire::{ArnText, Kind, Node, Reader, Shape};

/// A provider by its ARN: its length is checked, its grammar is the rule's to judge, in IAM's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderArn(ArnText);

impl Shape for ProviderArn {
    const KIND: Kind = ArnText::KIND;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        ArnText::read(node, at).map(ProviderArn)
    }
    fn write(self) -> Node {
        self.0.write()
    }
}

impl ProviderArn {
    /// The ARN, or IAM's words for what is none.
    pub fn parsed(&self) -> Result<Arn, Error> {
        let arn = self.0.arn().ok_or(Error::InvalidArn)?;
        if arn.partition() == "aws" { Ok(arn) } else { Err(Error::InvalidPartition) }
    }

    /// What follows `KIND/` in it, if it is of that kind and of this account.
    fn of_kind(&self, kind: &str, account: AccountId) -> Option<Arn> {
        let arn = self.0.arn()?;
        (arn.service() == "iam" && arn.account_id() == Some(account) && arn.resource_type() == Some(kind)).then_some(arn)
    }

    /// The OpenID Connect provider with this ARN, in the account of `tx`.
    pub async fn oidc<M: Mode>(&self, tx: &Tx<M>, account: AccountId) -> Result<Option<OidcProviderRecord>, StoreError> {
        let Some(arn) = self.of_kind("oidc-provider", account) else { return Ok(None) };
        let Some(name) = arn.resource().strip_prefix("oidc-provider/").and_then(OidcName::parse) else { return Ok(None) };
        Ok(tx.get::<OidcProviderRecord>(&name).await?.filter(|kept| kept.arn(account) == arn))
    }

    /// The SAML provider with this ARN, in the account of `tx`.
    pub async fn saml<M: Mode>(&self, tx: &Tx<M>, account: AccountId) -> Result<Option<SamlProviderRecord>, StoreError> {
        let Some(arn) = self.of_kind("saml-provider", account) else { return Ok(None) };
        let Some(name) = arn.resource().strip_prefix("saml-provider/").and_then(|name| name.parse::<SamlProviderName>().ok()) else {
            return Ok(None);
        };
        Ok(tx.get::<SamlProviderRecord>(&name).await?.filter(|kept| kept.arn(account) == arn))
    }
}

impl std::fmt::Display for ProviderArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Protected for ProviderArn {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let Some(arn) = self.0.arn() else { return Ok(Resource::new(self.0.as_str(), caller.account)) };
            let account = arn.account_id().unwrap_or(caller.account);
            let resource = Resource::new(arn.as_str(), account);
            if let Some(kept) = self.oidc(tx, caller.account).await? {
                return Ok(resource.tagged(&kept.tags));
            }
            Ok(self.saml(tx, caller.account).await?.iter().fold(resource, |resource, kept| resource.tagged(&kept.tags)))
        })
    }
}

/// Every record of a kind, by key.
pub(crate) async fn all<R: Record, M: Mode>(tx: &Tx<M>) -> Result<Vec<R>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = tx.scan(R::KEY.all(), after.as_ref(), 1_000, |_: &R| true).await?;
        found.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
