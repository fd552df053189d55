//! SAML providers. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html>.
//! What the metadata document says is read when it comes in; the document itself comes back as it was sent. Private keys, which encrypted
//! assertions are opened with, go in and never come out; there are two at most, so that one can take the place of the other.

use crate::ids::saml_id;
use crate::page::Page;
use crate::private_keys::PrivateKey;
use crate::providers::{ProviderArn, all};
use crate::quotas::quota;
use crate::saml_metadata::{KEYS, Metadata, Unusable};
use crate::tagging::{self, same_exactly};
use crate::users::ListTagsOutput;
use crate::{Error, Iam};
use arn::Arn;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{AssertionEncryption, Place, SamlMetadataRecord, SamlPrivateKeyRecord, SamlProviderName, SamlProviderRecord, Tag, TagKey};
use operation::{Allowed, Caller, Judged, Operation, Operations, Preparing, SlowOperation, Target, handler, slow_handler};
use store::{Mode, Read, Record, StoreError, Stored, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    slow_handler::<CreateSAMLProvider>(),
    handler::<GetSAMLProvider>(),
    handler::<ListSAMLProviders>(),
    slow_handler::<UpdateSAMLProvider>(),
    handler::<DeleteSAMLProvider>(),
    handler::<TagSAMLProvider>(),
    handler::<UntagSAMLProvider>(),
    handler::<ListSAMLProviderTags>(),
];

/// Private keys of one provider, at most.
const PRIVATE_KEYS: u64 = 2;
/// How long metadata holds that does not say it: a hundred years.
const ALWAYS: i64 = 100 * 31_557_600;

/// A metadata document.
#[derive(Debug, Clone, Text)]
#[text(min = 1000, max = 10000000, quiet)]
struct MetadataDocument(Box<str>);

/// A private key in PEM.
#[derive(Clone, Text)]
#[text(min = 1, max = 16384, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", sensitive)]
struct PrivateKeyText(Box<str>);

/// What a private key is removed by.
#[derive(Debug, Clone, Text)]
#[text(min = 22, max = 64, pattern = r"[A-Z0-9]+")]
struct PrivateKeyId(Box<str>);

/// The provider that a request names.
async fn named<M: Mode>(cx: &Allowed<'_, M>, arn: &ProviderArn) -> Result<SamlProviderRecord, Error> {
    let kept = arn.saml(&cx.tx, cx.caller.account).await?;
    kept.ok_or_else(|| Error::NoProvider(format!("Manifest not found for arn {arn}")))
}

/// Stores a record of which none has a unique index.
async fn put<R: Record>(cx: &Allowed<'_, Write>, record: &R) -> Result<(), Error> {
    match cx.tx.put(record).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// The private keys of a provider, which are few.
async fn keys<M: Mode>(cx: &Allowed<'_, M>, provider: &SamlProviderName) -> Result<Vec<SamlPrivateKeyRecord>, Error> {
    let page = cx.tx.scan(SamlPrivateKeyRecord::KEY.under(provider), None, 100, |_| true).await?;
    let mut keys = page.records;
    keys.sort_by(|one, other| (one.added, &one.id).cmp(&(other.added, &other.id)));
    Ok(keys)
}

async fn add_key(cx: &Allowed<'_, Write>, provider: &SamlProviderName, key: &PrivateKeyText) -> Result<(), Error> {
    let there = u64::try_from(keys(cx, provider).await?.len()).unwrap_or(u64::MAX);
    if there >= PRIVATE_KEYS {
        return Err(Error::LimitExceeded(format!("Private key limit of {PRIVATE_KEYS} is reached.")));
    }
    let (id, account) = (saml_id(cx, "SAMLPK")?, cx.caller.account.to_string());
    let place = Place { kind: SamlPrivateKeyRecord::KIND, account: &account, key: &format!("{provider} {id}") };
    let key = cx.seal(&place, key.as_str().as_bytes())?;
    match cx.tx.insert(&SamlPrivateKeyRecord { provider: provider.clone(), id, key, added: cx.now }).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// What a request brings along, examined where it holds up nobody.
async fn examined(
    cx: &Preparing<'_>,
    document: Option<&MetadataDocument>,
    key: Option<&PrivateKeyText>,
) -> Result<Option<Metadata>, Error> {
    let (document, key, now) = (document.cloned(), key.cloned(), cx.now);
    cx.slow(move || {
        if let Some(key) = &key
            && !matches!(PrivateKey::read(key.as_str()), Ok(PrivateKey::Rsa { .. }))
        {
            return Err(Error::InvalidInput("The private key must be an unencrypted RSA key in PEM format.".into()));
        }
        document.map(|document| Metadata::read(document.as_str(), now)).transpose().map_err(|unusable| match unusable {
            Unusable::TooManyKeys => Error::Quota { name: "KeysPerSAMLProvider", limit: u64::try_from(KEYS).unwrap_or(u64::MAX) },
            Unusable::Unreadable | Unusable::Expired | Unusable::NoKey => Error::InvalidInput(unusable.to_string()),
        })
    })
    .await?
}

/// The certificates as they are kept.
fn encoded(metadata: &Metadata) -> Vec<String> {
    metadata.certificates.iter().map(|der| BASE64_STANDARD.encode(der)).collect()
}

#[derive(Shape)]
struct CreateSAMLProvider {
    #[shape(name = "SAMLMetadataDocument")]
    document: MetadataDocument,
    name: SamlProviderName,
    #[shape(max = 50)]
    tags: Vec<Tag>,
    assertion_encryption_mode: Option<AssertionEncryption>,
    add_private_key: Option<PrivateKeyText>,
}

#[derive(Shape)]
struct CreateSAMLProviderOutput {
    #[shape(name = "SAMLProviderArn")]
    arn: Arn,
    tags: Option<Vec<Tag>>,
}

impl SlowOperation for CreateSAMLProvider {
    type Service = Iam;
    type Access = Write;
    type Output = CreateSAMLProviderOutput;
    type Prepared = Option<Metadata>;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("saml-provider/{}", self.name)))
            .and(!self.tags.is_empty(), "iam:TagSAMLProvider")
            .request_tags(&self.tags)
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Option<Metadata>, Error> {
        if self.assertion_encryption_mode == Some(AssertionEncryption::Required) && self.add_private_key.is_none() {
            return Err(Error::Validation(
                "Unable to set assertion encryption mode to Required because no private key is provided.".into(),
            ));
        }
        examined(cx, Some(&self.document), self.add_private_key.as_ref()).await
    }

    async fn run(&self, metadata: &Option<Metadata>, cx: &mut Allowed<'_, Write>) -> Result<CreateSAMLProviderOutput, Error> {
        let metadata = metadata.as_ref().ok_or(StoreError::Conflict)?;
        quota::<SamlProviderRecord>(cx, cx.limits().saml_providers, "SAMLProvidersPerAccount").await?;
        tagging::obey(cx, "iam:saml-provider", &self.tags).await?;
        let kept = SamlProviderRecord {
            name: self.name.clone(),
            uuid: saml_id(cx, "SAMLSP")?,
            issuer: metadata.issuer.clone(),
            certificates: encoded(metadata),
            valid_until: metadata.valid_until.unwrap_or(cx.now.saturating_add(ALWAYS)),
            encryption: self.assertion_encryption_mode.unwrap_or(AssertionEncryption::Allowed),
            created: cx.now,
            tags: tagging::first(&self.tags, same_exactly)?,
        };
        if cx.tx.insert(&kept).await? == Stored::Taken {
            return Err(Error::ProviderExists(format!("Provider with name {} already exists.", self.name)));
        }
        put(cx, &SamlMetadataRecord { provider: self.name.clone(), document: self.document.to_string() }).await?;
        if let Some(key) = &self.add_private_key {
            add_key(cx, &self.name, key).await?;
        }
        let tags = (!kept.tags.is_empty()).then(|| kept.tags.to_vec());
        Ok(CreateSAMLProviderOutput { arn: kept.arn(cx.caller.account), tags })
    }
}

#[derive(Shape)]
struct GetSAMLProvider {
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
}

#[derive(Shape)]
struct GetSAMLProviderOutput {
    #[shape(name = "SAMLProviderUUID")]
    uuid: String,
    #[shape(name = "SAMLMetadataDocument")]
    document: String,
    create_date: Timestamp,
    valid_until: Timestamp,
    tags: Vec<Tag>,
    assertion_encryption_mode: AssertionEncryption,
    private_key_list: Vec<SAMLPrivateKey>,
}

/// A private key, without the key.
#[derive(Shape)]
struct SAMLPrivateKey {
    key_id: String,
    timestamp: Timestamp,
}

impl Operation for GetSAMLProvider {
    type Service = Iam;
    type Access = Read;
    type Output = GetSAMLProviderOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetSAMLProviderOutput, Error> {
        let kept = named(cx, &self.arn).await?;
        let document = cx.tx.get::<SamlMetadataRecord>(&kept.name).await?.map(|metadata| metadata.document).unwrap_or_default();
        let keys = keys(cx, &kept.name).await?;
        Ok(GetSAMLProviderOutput {
            uuid: kept.uuid,
            document,
            create_date: Timestamp(kept.created),
            valid_until: Timestamp(kept.valid_until),
            tags: kept.tags.to_vec(),
            assertion_encryption_mode: kept.encryption,
            private_key_list: keys.into_iter().map(|key| SAMLPrivateKey { key_id: key.id, timestamp: Timestamp(key.added) }).collect(),
        })
    }
}

#[derive(Shape)]
struct ListSAMLProviders;

#[derive(Shape)]
struct ListSAMLProvidersOutput {
    #[shape(name = "SAMLProviderList")]
    providers: Vec<SAMLProviderListEntry>,
}

#[derive(Shape)]
struct SAMLProviderListEntry {
    arn: Arn,
    valid_until: Timestamp,
    create_date: Timestamp,
}

impl Operation for ListSAMLProviders {
    type Service = Iam;
    type Access = Read;
    type Output = ListSAMLProvidersOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListSAMLProvidersOutput, Error> {
        let shown = |kept: &SamlProviderRecord| SAMLProviderListEntry {
            arn: kept.arn(cx.caller.account),
            valid_until: Timestamp(kept.valid_until),
            create_date: Timestamp(kept.created),
        };
        Ok(ListSAMLProvidersOutput { providers: all::<SamlProviderRecord, _>(&cx.tx).await?.iter().map(shown).collect() })
    }
}

#[derive(Shape)]
struct UpdateSAMLProvider {
    #[shape(name = "SAMLMetadataDocument")]
    document: Option<MetadataDocument>,
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
    assertion_encryption_mode: Option<AssertionEncryption>,
    add_private_key: Option<PrivateKeyText>,
    remove_private_key: Option<PrivateKeyId>,
}

#[derive(Shape)]
struct UpdateSAMLProviderOutput {
    #[shape(name = "SAMLProviderArn")]
    arn: Arn,
}

impl SlowOperation for UpdateSAMLProvider {
    type Service = Iam;
    type Access = Write;
    type Output = UpdateSAMLProviderOutput;
    type Prepared = Option<Metadata>;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Option<Metadata>, Error> {
        self.arn.parsed()?;
        if self.arn.saml(&cx.tx, cx.caller.account).await?.is_none() {
            return Err(Error::NoProvider(format!("Manifest not found for arn {}", self.arn)));
        }
        let changes_keys = self.add_private_key.is_some() || self.remove_private_key.is_some();
        if self.document.is_none() && self.assertion_encryption_mode.is_none() && !changes_keys {
            let words = "Unable to update identity provider. No updates are defined for metadata or encryption assertion.";
            return Err(Error::Validation(words.into()));
        }
        if self.add_private_key.is_some() && self.remove_private_key.is_some() {
            let words = "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.";
            return Err(Error::Validation(words.into()));
        }
        examined(cx, self.document.as_ref(), self.add_private_key.as_ref()).await
    }

    async fn run(&self, metadata: &Option<Metadata>, cx: &mut Allowed<'_, Write>) -> Result<UpdateSAMLProviderOutput, Error> {
        let mut kept = named(cx, &self.arn).await?;
        if let (Some(metadata), Some(document)) = (metadata, &self.document) {
            kept.issuer = metadata.issuer.clone();
            kept.certificates = encoded(metadata);
            kept.valid_until = metadata.valid_until.unwrap_or(cx.now.saturating_add(ALWAYS));
            put(cx, &SamlMetadataRecord { provider: kept.name.clone(), document: document.to_string() }).await?;
        }
        kept.encryption = self.assertion_encryption_mode.unwrap_or(kept.encryption);
        if let Some(key) = &self.add_private_key {
            add_key(cx, &kept.name, key).await?;
        }
        if let Some(id) = &self.remove_private_key
            && !cx.tx.delete::<SamlPrivateKeyRecord>((&kept.name, &id.to_string())).await?
        {
            return Err(Error::NoProvider(format!("Private key {id} not found for arn {}", self.arn)));
        }
        if kept.encryption == AssertionEncryption::Required && keys(cx, &kept.name).await?.is_empty() {
            return Err(Error::InvalidInput(match &self.remove_private_key {
                Some(_) => "Failed to remove private key.".into(),
                None => "Failed to set assertion encryption mode to Required because no private key is present.".into(),
            }));
        }
        put(cx, &kept).await?;
        Ok(UpdateSAMLProviderOutput { arn: kept.arn(cx.caller.account) })
    }
}

#[derive(Shape)]
struct DeleteSAMLProvider {
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
}

impl Operation for DeleteSAMLProvider {
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
        let kept = named(cx, &self.arn).await?;
        for key in keys(cx, &kept.name).await? {
            cx.tx.delete::<SamlPrivateKeyRecord>((&key.provider, &key.id)).await?;
        }
        cx.tx.delete::<SamlMetadataRecord>(&kept.name).await?;
        cx.tx.delete::<SamlProviderRecord>(&kept.name).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct TagSAMLProvider {
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagSAMLProvider {
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
        tagging::obey(cx, "iam:saml-provider", &self.tags).await?;
        tagging::add(&mut kept.tags, &self.tags, same_exactly)?;
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct UntagSAMLProvider {
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagSAMLProvider {
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
struct ListSAMLProviderTags {
    #[shape(name = "SAMLProviderArn")]
    arn: ProviderArn,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListSAMLProviderTags {
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
