//! OpenID Connect providers. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>.
//! One a URL; the ARN is made of the URL. Removing an audience that is not there is no error. No thumbprint is fetched:
//! where none is given there is none, and the host's certificate has to be one that is trusted anyway.

use crate::page::Page;
use crate::providers::{ProviderArn, all};
use crate::quotas::quota;
use crate::tagging::{self, same_exactly};
use crate::users::ListTagsOutput;
use crate::{Error, Iam};
use arn::Arn;
use identities::{OidcName, OidcProviderRecord, Tag, TagKey};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Mode, Read, StoreError, Stored, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateOpenIDConnectProvider>(),
    handler::<GetOpenIDConnectProvider>(),
    handler::<ListOpenIDConnectProviders>(),
    handler::<DeleteOpenIDConnectProvider>(),
    handler::<AddClientIDToOpenIDConnectProvider>(),
    handler::<RemoveClientIDFromOpenIDConnectProvider>(),
    handler::<UpdateOpenIDConnectProviderThumbprint>(),
    handler::<TagOpenIDConnectProvider>(),
    handler::<UntagOpenIDConnectProvider>(),
    handler::<ListOpenIDConnectProviderTags>(),
];

/// Audiences of one provider, at most. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const CLIENT_IDS: u64 = 100;
/// Thumbprints of one provider, at most.
const THUMBPRINTS: usize = 5;

/// An issuer.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 255)]
struct ProviderUrl(Box<str>);

/// An audience.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 255)]
struct ClientId(Box<str>);

/// SHA-1 of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 40, max = 40)]
struct Thumbprint(Box<str>);

/// The provider that a request names.
async fn named<M: Mode>(cx: &Allowed<'_, M>, arn: &ProviderArn) -> Result<OidcProviderRecord, Error> {
    let kept = arn.oidc(&cx.tx, cx.caller.account).await?;
    kept.ok_or_else(|| Error::NoProvider(format!("OpenIDConnect Provider not found for arn {arn}")))
}

async fn put(cx: &Allowed<'_, Write>, kept: &OidcProviderRecord) -> Result<(), Error> {
    match cx.tx.put(kept).await? {
        Stored::Done => Ok(()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// The thumbprints as they are kept: in small letters, and otherwise as they came.
fn thumbprints(given: &[Thumbprint]) -> Result<Vec<String>, Error> {
    if given.len() > THUMBPRINTS {
        return Err(Error::InvalidInput("Thumbprint list must contain fewer than 5 entries.".into()));
    }
    Ok(given.iter().map(|thumbprint| thumbprint.as_str().to_ascii_lowercase()).collect())
}

/// Adds an audience, unless it is there.
fn admit(client_ids: &mut Vec<String>, client_id: &ClientId) -> Result<(), Error> {
    if client_ids.iter().any(|known| known == client_id.as_str()) {
        return Ok(());
    }
    if u64::try_from(client_ids.len()).is_ok_and(|there| there >= CLIENT_IDS) {
        return Err(Error::Quota { name: "ClientIdsPerOpenIdConnectProvider", limit: CLIENT_IDS });
    }
    client_ids.push(client_id.to_string());
    Ok(())
}

#[derive(Shape)]
struct CreateOpenIDConnectProvider {
    url: ProviderUrl,
    #[shape(name = "ClientIDList")]
    client_ids: Vec<ClientId>,
    thumbprint_list: Vec<Thumbprint>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct CreateOpenIDConnectProviderOutput {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: Arn,
    tags: Option<Vec<Tag>>,
}

impl Operation for CreateOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = CreateOpenIDConnectProviderOutput;

    fn well_formed(&self) -> Result<(), Error> {
        let is_one = OidcName::of_url(self.url.as_str()).is_some();
        if is_one { Ok(()) } else { Err(Error::Validation("Invalid Open ID Connect Provider URL".into())) }
    }

    fn judged_by(&self, caller: &Caller) -> Judged {
        let name = self.url.as_str().strip_prefix("https://").unwrap_or(self.url.as_str());
        Judged::on(caller.arn_here("iam", format_args!("oidc-provider/{name}")))
            .and(!self.tags.is_empty(), "iam:TagOpenIDConnectProvider")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateOpenIDConnectProviderOutput, Error> {
        let name = OidcName::of_url(self.url.as_str()).ok_or_else(|| Error::Validation("Invalid Open ID Connect Provider URL".into()))?;
        quota::<OidcProviderRecord>(cx, cx.limits().oidc_providers, "OpenIdConnectProvidersPerAccount").await?;
        let thumbprints = thumbprints(&self.thumbprint_list)?;
        let mut client_ids = Vec::new();
        for client_id in &self.client_ids {
            admit(&mut client_ids, client_id)?;
        }
        tagging::obey(cx, "iam:oidc-provider", &self.tags).await?;
        let tags = tagging::first(&self.tags, same_exactly)?;
        let kept = OidcProviderRecord { name, client_ids, thumbprints, created: cx.now, tags };
        if cx.tx.insert(&kept).await? == Stored::Taken {
            return Err(Error::ProviderExists(format!("Provider with url {} already exists.", self.url)));
        }
        let tags = (!kept.tags.is_empty()).then(|| kept.tags.to_vec());
        Ok(CreateOpenIDConnectProviderOutput { arn: kept.arn(cx.caller.account), tags })
    }
}

#[derive(Shape)]
struct GetOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
}

#[derive(Shape)]
struct GetOpenIDConnectProviderOutput {
    url: String,
    #[shape(name = "ClientIDList")]
    client_ids: Vec<String>,
    thumbprint_list: Vec<String>,
    create_date: Timestamp,
    tags: Vec<Tag>,
}

impl Operation for GetOpenIDConnectProvider {
    type Service = Iam;
    type Access = Read;
    type Output = GetOpenIDConnectProviderOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetOpenIDConnectProviderOutput, Error> {
        let kept = named(cx, &self.arn).await?;
        Ok(GetOpenIDConnectProviderOutput {
            url: kept.name.as_str().to_owned(),
            client_ids: kept.client_ids,
            thumbprint_list: kept.thumbprints,
            create_date: Timestamp(kept.created),
            tags: kept.tags.to_vec(),
        })
    }
}

#[derive(Shape)]
struct ListOpenIDConnectProviders;

#[derive(Shape)]
struct ListOpenIDConnectProvidersOutput {
    #[shape(name = "OpenIDConnectProviderList")]
    providers: Vec<OpenIDConnectProviderListEntry>,
}

#[derive(Shape)]
struct OpenIDConnectProviderListEntry {
    arn: Arn,
}

impl Operation for ListOpenIDConnectProviders {
    type Service = Iam;
    type Access = Read;
    type Output = ListOpenIDConnectProvidersOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListOpenIDConnectProvidersOutput, Error> {
        let kept = all::<OidcProviderRecord, _>(&cx.tx).await?;
        let providers = kept.iter().map(|kept| OpenIDConnectProviderListEntry { arn: kept.arn(cx.caller.account) }).collect();
        Ok(ListOpenIDConnectProvidersOutput { providers })
    }
}

#[derive(Shape)]
struct DeleteOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
}

impl Operation for DeleteOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    /// One that is not there is an error, whatever AWS's reference says of it; AWS says so in other words than elsewhere.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let kept = self.arn.oidc(&cx.tx, cx.caller.account).await?;
        let kept = kept.ok_or_else(|| Error::NoProvider(format!("OpenId connect Provider {} cannot be found.", self.arn)))?;
        cx.tx.delete::<OidcProviderRecord>(&kept.name).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct AddClientIDToOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(name = "ClientID")]
    client_id: ClientId,
}

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.arn).await?;
        admit(&mut kept.client_ids, &self.client_id)?;
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct RemoveClientIDFromOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(name = "ClientID")]
    client_id: ClientId,
}

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.arn).await?;
        kept.client_ids.retain(|known| known != self.client_id.as_str());
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct UpdateOpenIDConnectProviderThumbprint {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(required)]
    thumbprint_list: Vec<Thumbprint>,
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.arn).await?;
        if self.thumbprint_list.is_empty() {
            return Err(Error::InvalidInput("Thumbprint list must contain at least one entry.".into()));
        }
        kept.thumbprints = thumbprints(&self.thumbprint_list)?;
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct TagOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.arn).await?;
        tagging::obey(cx, "iam:oidc-provider", &self.tags).await?;
        tagging::add(&mut kept.tags, &self.tags, same_exactly)?;
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct UntagOpenIDConnectProvider {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagOpenIDConnectProvider {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.arn).await?;
        tagging::remove(&mut kept.tags, &self.tag_keys, same_exactly);
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct ListOpenIDConnectProviderTags {
    #[shape(name = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListOpenIDConnectProviderTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        let kept = named(cx, &self.arn).await?;
        ListTagsOutput::of(&kept.tags, &self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_a_hundred_audiences_and_each_once() {
        let mut known = Vec::new();
        for nth in 0..CLIENT_IDS {
            admit(&mut known, &nth.to_string().parse().unwrap()).unwrap();
        }
        admit(&mut known, &"7".parse().unwrap()).unwrap();
        assert_eq!(known.len(), 100);
        assert!(matches!(admit(&mut known, &"other".parse().unwrap()), Err(Error::Quota { limit: 100, .. })));
    }

    #[test]
    fn thumbprints_are_five_at_most_and_kept_in_small_letters() {
        let of = |digits: &[char]| digits.iter().map(|digit| digit.to_string().repeat(40).parse().unwrap()).collect::<Vec<Thumbprint>>();
        assert_eq!(thumbprints(&of(&['A', 'x'])).unwrap(), ["a".repeat(40), "x".repeat(40)]);
        assert_eq!(thumbprints(&of(&['1', '2', '3', '4', '5'])).unwrap().len(), 5);
        assert!(thumbprints(&of(&['1', '2', '3', '4', '5', '6'])).is_err());
        assert!(thumbprints(&[]).unwrap().is_empty());
    }
}
