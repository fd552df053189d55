//! Switches of an account: the kind of token of the global endpoint, tokens for services outside, properties of features.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html>.
//! Nobody is given such a token yet (GetWebIdentityToken); what is kept here is whether it would be allowed. No feature that has properties is
//! here, so there are none to read, and none that could be set.

use crate::ids::uuid;
use crate::{Error, Iam};
use identities::{AccountFeaturesRecord, OutboundFederation};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Mode, Read, StoreError, Stored, Write};
use wire::{Entries, Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<SetSecurityTokenServicePreferences>(),
    handler::<EnableOutboundWebIdentityFederation>(),
    handler::<DisableOutboundWebIdentityFederation>(),
    handler::<GetOutboundWebIdentityFederationInfo>(),
    handler::<GetAccountProperties>(),
    handler::<PutAccountProperties>(),
];

/// The switches of the caller's account.
pub(crate) async fn features<M: Mode>(cx: &Allowed<'_, M>) -> Result<AccountFeaturesRecord, Error> {
    let kept = cx.tx.get::<AccountFeaturesRecord>(&cx.caller.account).await?;
    Ok(kept.unwrap_or_else(|| AccountFeaturesRecord::new(cx.caller.account)))
}

async fn put(cx: &Allowed<'_, Write>, features: &AccountFeaturesRecord) -> Result<(), Error> {
    match cx.tx.put(features).await? {
        Stored::Done => Ok(()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum TokenVersion {
    #[text(rename = "v1Token")]
    V1,
    #[text(rename = "v2Token")]
    V2,
}

#[derive(Shape)]
struct SetSecurityTokenServicePreferences {
    global_endpoint_token_version: TokenVersion,
}

impl Operation for SetSecurityTokenServicePreferences {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let token_version = match self.global_endpoint_token_version {
            TokenVersion::V1 => 1,
            TokenVersion::V2 => 2,
        };
        let features = AccountFeaturesRecord { token_version, ..features(cx).await? };
        put(cx, &features).await
    }
}

#[derive(Shape)]
struct EnableOutboundWebIdentityFederation;

#[derive(Shape)]
struct EnableOutboundWebIdentityFederationOutput {
    issuer_identifier: String,
}

impl Operation for EnableOutboundWebIdentityFederation {
    type Service = Iam;
    type Access = Write;
    type Output = EnableOutboundWebIdentityFederationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<EnableOutboundWebIdentityFederationOutput, Error> {
        let mut features = features(cx).await?;
        let outbound = match features.outbound.take() {
            Some(outbound) if outbound.enabled => return Err(Error::FeatureEnabled),
            Some(outbound) => OutboundFederation { enabled: true, ..outbound },
            None => OutboundFederation { id: uuid(cx)?, enabled: true },
        };
        let issuer_identifier = outbound.issuer();
        features.outbound = Some(outbound);
        put(cx, &features).await?;
        Ok(EnableOutboundWebIdentityFederationOutput { issuer_identifier })
    }
}

#[derive(Shape)]
struct DisableOutboundWebIdentityFederation;

impl Operation for DisableOutboundWebIdentityFederation {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut features = features(cx).await?;
        let outbound = features.outbound.take().filter(|outbound| outbound.enabled).ok_or(Error::FeatureDisabled(cx.caller.account))?;
        features.outbound = Some(OutboundFederation { enabled: false, ..outbound });
        put(cx, &features).await
    }
}

#[derive(Shape)]
struct GetOutboundWebIdentityFederationInfo;

#[derive(Shape)]
struct GetOutboundWebIdentityFederationInfoOutput {
    issuer_identifier: String,
    jwt_vending_enabled: bool,
}

impl Operation for GetOutboundWebIdentityFederationInfo {
    type Service = Iam;
    type Access = Read;
    type Output = GetOutboundWebIdentityFederationInfoOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetOutboundWebIdentityFederationInfoOutput, Error> {
        let outbound = features(cx).await?.outbound.filter(|outbound| outbound.enabled).ok_or(Error::FeatureDisabled(cx.caller.account))?;
        Ok(GetOutboundWebIdentityFederationInfoOutput { issuer_identifier: outbound.issuer(), jwt_vending_enabled: true })
    }
}

/// A property's name, `Namespace/PropertyName`.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 50, pattern = r"^[A-Za-z][A-Za-z0-9/_-]*$")]
struct PropertyKey(Box<str>);

/// A property's value.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 1024)]
struct PropertyValue(Box<str>);

#[derive(Shape)]
struct GetAccountProperties;

#[derive(Shape)]
struct GetAccountPropertiesOutput {
    properties: Entries<PropertyValue>,
}

impl Operation for GetAccountProperties {
    type Service = Iam;
    type Access = Read;
    type Output = GetAccountPropertiesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<GetAccountPropertiesOutput, Error> {
        Ok(GetAccountPropertiesOutput { properties: Entries(Vec::new()) })
    }
}

#[derive(Shape)]
struct PutAccountProperties {
    #[shape(required)]
    properties: Entries<PropertyValue>,
}

#[derive(Shape)]
struct PutAccountPropertiesOutput;

impl Operation for PutAccountProperties {
    type Service = Iam;
    type Access = Write;
    type Output = PutAccountPropertiesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<PutAccountPropertiesOutput, Error> {
        let names = self.properties.0.iter().map(|(name, _)| name.as_ref()).collect::<Vec<&str>>();
        let namespace = one_namespace(&names)?;
        Err(Error::InvalidInput(format!("There are no account properties in the namespace {namespace}.")))
    }
}

/// The namespace that all of these properties are in.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutAccountProperties.html>.
fn one_namespace<'n>(names: &[&'n str]) -> Result<&'n str, Error> {
    let mut found = None;
    for name in names {
        let refused = || Error::InvalidInput(format!("{name} is no property key: it must be Namespace/PropertyName."));
        name.parse::<PropertyKey>().map_err(|_| refused())?;
        let (namespace, property) = name.split_once('/').ok_or_else(refused)?;
        if namespace.is_empty() || property.is_empty() || property.contains('/') {
            return Err(refused());
        }
        if found.is_some_and(|other| other != namespace) {
            return Err(Error::InvalidInput("All properties of a request must be in the same namespace.".into()));
        }
        found = Some(namespace);
    }
    found.ok_or_else(|| Error::InvalidInput("A request must set at least one property.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_one_request_are_in_one_namespace() {
        assert_eq!(one_namespace(&["RoleManager/Enabled", "RoleManager/Other"]).unwrap(), "RoleManager");
        for bad in [
            &["RoleManager/Enabled", "Other/Enabled"][..],
            &["Enabled"],
            &["RoleManager/"],
            &["/Enabled"],
            &["A/B/C"],
            &["1A/B"],
            &["A/B C"],
            &[],
        ] {
            assert!(one_namespace(bad).is_err(), "{bad:?}");
        }
    }
}
