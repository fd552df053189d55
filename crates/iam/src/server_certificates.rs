//! Server certificates: what a server shows its clients, and the key to it. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html>.
//! The private key goes in and never comes out. Names are unique whatever their case; a path is part of the ARN only.

use crate::page::{NextPage, Page};
use crate::paths::{PathPrefix, Renamed};
use crate::private_keys::PrivateKey;
use crate::quotas::quota;
use crate::tagging::{self, same_exactly};
use crate::users::ListTagsOutput;
use crate::x509::{self, Validity};
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{NameKey, Path, Place, Sealed, Tag, TagKey, Tags};
use operation::{
    Allowed, Caller, Judged, Operation, Operations, Preparing, Protected, Resolved, Resource, SlowOperation, handler, slow_handler,
};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Iam> = &[
    slow_handler::<UploadServerCertificate>(),
    handler::<GetServerCertificate>(),
    handler::<ListServerCertificates>(),
    handler::<UpdateServerCertificate>(),
    handler::<DeleteServerCertificate>(),
    handler::<TagServerCertificate>(),
    handler::<UntagServerCertificate>(),
    handler::<ListServerCertificateTags>(),
];

/// A server certificate's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 128,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub(crate) struct ServerCertificateName(Box<str>);

impl KeyPart for ServerCertificateName {
    fn encode(&self, out: &mut Vec<u8>) {
        NameKey::of(self.as_str()).encode(out);
    }
}

/// A certificate in PEM.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 16384, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", quiet)]
pub(crate) struct CertificateBody(Box<str>);

/// Certificates in PEM, one after the other.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 2097152, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", quiet)]
struct CertificateChain(Box<str>);

/// A private key in PEM.
#[derive(Clone, Text)]
#[text(min = 1, max = 16384, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", sensitive)]
struct PrivateKeyText(Box<str>);

/// What lists show of a certificate.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "server-certificate", key = id, unique(by_name = name))]
pub(crate) struct ServerCertificateRecord {
    /// Never used again, also when the name is.
    pub id: UniqueId,
    /// Unique in the account.
    pub name: ServerCertificateName,
    /// Part of the ARN only.
    pub path: Path,
    /// Seconds since the epoch.
    pub uploaded: i64,
    /// When it ends, in seconds since the epoch.
    pub expires: i64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl ServerCertificateRecord {
    /// `arn:aws:iam::ACCOUNT:server-certificate/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("server-certificate{}{}", self.path, self.name))
    }
}

/// The texts of a certificate. They are apart, since they may be long and lists do not need them.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "server-certificate-content", key = id, sealed)]
pub(crate) struct ContentRecord {
    /// Whose they are.
    pub id: UniqueId,
    /// The certificate.
    pub body: CertificateBody,
    /// Those that certify it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<CertificateChain>,
    /// The private key.
    pub key: Sealed,
}

impl Protected for ServerCertificateName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let kept = tx.find(ServerCertificateRecord::BY_NAME, self).await?;
            let arn = kept
                .as_ref()
                .map_or_else(|| caller.arn_here("iam", format_args!("server-certificate/{self}")), |kept| kept.arn(caller.account));
            let resource = Resource::new(arn.as_str(), caller.account).shown_as(format!("server certificate {self}"));
            Ok(kept.iter().fold(resource, |resource, kept| resource.tagged(&kept.tags)))
        })
    }
}

/// A certificate as IAM shows it.
#[derive(Shape)]
struct ServerCertificateMetadata {
    path: Path,
    server_certificate_name: ServerCertificateName,
    server_certificate_id: UniqueId,
    arn: Arn,
    upload_date: Timestamp,
    expiration: Timestamp,
}

impl ServerCertificateMetadata {
    fn of(account: AccountId, kept: &ServerCertificateRecord) -> Self {
        ServerCertificateMetadata {
            path: kept.path.clone(),
            server_certificate_name: kept.name.clone(),
            server_certificate_id: kept.id.clone(),
            arn: kept.arn(account),
            upload_date: Timestamp(kept.uploaded),
            expiration: Timestamp(kept.expires),
        }
    }
}

/// The certificate with this name.
async fn named<M: Mode>(cx: &Allowed<'_, M>, name: &ServerCertificateName) -> Result<ServerCertificateRecord, Error> {
    cx.tx.find(ServerCertificateRecord::BY_NAME, name).await?.ok_or_else(|| Error::NoServerCertificate(name.to_string()))
}

/// Stores a certificate that was there before.
async fn put(cx: &Allowed<'_, Write>, kept: &ServerCertificateRecord) -> Result<(), Error> {
    match cx.tx.put(kept).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::ServerCertificateExists(kept.name.to_string())),
    }
}

#[derive(Shape)]
struct UploadServerCertificate {
    #[shape(default)]
    path: Path,
    server_certificate_name: ServerCertificateName,
    certificate_body: CertificateBody,
    private_key: PrivateKeyText,
    certificate_chain: Option<CertificateChain>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct UploadServerCertificateOutput {
    server_certificate_metadata: ServerCertificateMetadata,
    tags: Option<Vec<Tag>>,
}

/// What was found in an upload: when the certificate ends.
struct Examined {
    expires: i64,
}

impl SlowOperation for UploadServerCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = UploadServerCertificateOutput;
    type Prepared = Examined;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("server-certificate{}{}", self.path, self.server_certificate_name)))
            .and(!self.tags.is_empty(), "iam:TagServerCertificate")
            .request_tags(&self.tags)
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Examined, Error> {
        let (body, key, chain, now) = (self.certificate_body.clone(), self.private_key.clone(), self.certificate_chain.clone(), cx.now);
        cx.slow(move || examine(body.as_str(), key.as_str(), chain.as_ref().map(CertificateChain::as_str), now)).await?
    }

    async fn run(&self, examined: &Examined, cx: &mut Allowed<'_, Write>) -> Result<UploadServerCertificateOutput, Error> {
        quota::<ServerCertificateRecord>(cx, cx.limits().server_certificates, "ServerCertificatesPerAccount").await?;
        tagging::obey(cx, "iam:server-certificate", &self.tags).await?;
        let kept = ServerCertificateRecord {
            id: cx.new_id(IdKind::ServerCertificate)?,
            name: self.server_certificate_name.clone(),
            path: self.path.clone(),
            uploaded: cx.now,
            expires: examined.expires,
            tags: tagging::first(&self.tags, same_exactly)?,
        };
        if cx.tx.insert(&kept).await? == Stored::Taken {
            return Err(Error::ServerCertificateExists(kept.name.to_string()));
        }
        let account = cx.caller.account.to_string();
        let place = Place { kind: ContentRecord::KIND, account: &account, key: kept.id.as_str() };
        let content = ContentRecord {
            id: kept.id.clone(),
            body: CertificateBody(self.certificate_body.as_str().trim().into()),
            chain: self.certificate_chain.as_ref().map(|chain| CertificateChain(chain.as_str().trim().into())),
            key: cx.seal(&place, Zeroizing::new(self.private_key.as_str().as_bytes().to_vec()).as_slice())?,
        };
        if cx.tx.insert(&content).await? == Stored::Taken {
            return Err(StoreError::Conflict.into());
        }
        let tags = (!kept.tags.is_empty()).then(|| kept.tags.to_vec());
        Ok(UploadServerCertificateOutput { server_certificate_metadata: ServerCertificateMetadata::of(cx.caller.account, &kept), tags })
    }
}

/// Whether a server could use what is uploaded.
fn examine(body: &str, key: &str, chain: Option<&str>, now: i64) -> Result<Examined, Error> {
    let unreadable = || Error::MalformedCertificate("Unable to parse certificate. Please ensure the certificate is in PEM format.".into());
    let der = x509::one(body).ok_or_else(unreadable)?;
    let certificate = x509::read(&der).ok_or_else(unreadable)?;
    let key = PrivateKey::read(key).map_err(|_| Error::MalformedCertificate("Invalid Private Key.".into()))?;
    if !key.is_of(&certificate) {
        return Err(Error::KeyPairMismatch);
    }
    match Validity::of(&certificate, now) {
        Validity::Valid => {}
        Validity::NotYet => {
            return Err(Error::MalformedCertificate(
                "Certificate is not yet valid. The 'Not Before' date restriction on the certificate has not passed.".into(),
            ));
        }
        Validity::Expired => {
            return Err(Error::MalformedCertificate(
                "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed.".into(),
            ));
        }
    }
    if let Some(chain) = chain {
        let ders = x509::several(chain).ok_or_else(|| broken_chain(-1))?;
        let above = ders.iter().map(|der| x509::read(der)).collect::<Option<Vec<_>>>().ok_or_else(|| broken_chain(-1))?;
        x509::follow(&certificate, &above, now).map_err(broken_chain)?;
    }
    Ok(Examined { expires: x509::expires(&certificate) })
}

fn broken_chain(at: i32) -> Error {
    Error::MalformedCertificate(format!(
        "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any \
         intermediaries in order. The index within the chain of the invalid certificate is: {at}"
    ))
}

#[derive(Shape)]
struct GetServerCertificate {
    server_certificate_name: ServerCertificateName,
}

#[derive(Shape)]
struct GetServerCertificateOutput {
    server_certificate: ServerCertificate,
}

#[derive(Shape)]
struct ServerCertificate {
    server_certificate_metadata: ServerCertificateMetadata,
    certificate_body: CertificateBody,
    certificate_chain: Option<CertificateChain>,
    tags: Vec<Tag>,
}

impl Operation for GetServerCertificate {
    type Service = Iam;
    type Access = Read;
    type Output = GetServerCertificateOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.server_certificate_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetServerCertificateOutput, Error> {
        let kept = named(cx, &self.server_certificate_name).await?;
        let content = cx.tx.get::<ContentRecord>(&kept.id).await?;
        let content = content.ok_or_else(|| Error::NoServerCertificate(kept.name.to_string()))?;
        let server_certificate = ServerCertificate {
            server_certificate_metadata: ServerCertificateMetadata::of(cx.caller.account, &kept),
            certificate_body: content.body,
            certificate_chain: content.chain,
            tags: kept.tags.to_vec(),
        };
        Ok(GetServerCertificateOutput { server_certificate })
    }
}

#[derive(Shape)]
struct ListServerCertificates {
    #[shape(default)]
    path_prefix: PathPrefix,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListServerCertificatesOutput {
    server_certificate_metadata_list: Vec<ServerCertificateMetadata>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListServerCertificates {
    type Service = Iam;
    type Access = Read;
    type Output = ListServerCertificatesOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("server-certificate{}", self.path_prefix)))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListServerCertificatesOutput, Error> {
        let wanted = |kept: &ServerCertificateRecord| kept.path.as_str().starts_with(self.path_prefix.as_str());
        let page = cx.tx.scan(ServerCertificateRecord::BY_NAME.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let listed = page.records.iter().map(|kept| ServerCertificateMetadata::of(cx.caller.account, kept)).collect();
        Ok(ListServerCertificatesOutput { server_certificate_metadata_list: listed, next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateServerCertificate {
    server_certificate_name: ServerCertificateName,
    new_path: Option<Path>,
    new_server_certificate_name: Option<ServerCertificateName>,
}

impl Operation for UpdateServerCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// On the old ARN and, where it changes, on the new one.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateServerCertificate.html>.
    fn judged_by(&self, _: &Caller) -> Judged {
        let judged = Judged::on(&self.server_certificate_name);
        if self.new_path.is_none() && self.new_server_certificate_name.is_none() {
            return judged;
        }
        let (old, path, name) = (self.server_certificate_name.clone(), self.new_path.clone(), self.new_server_certificate_name.clone());
        judged.also_on(&Renamed::ServerCertificate { old, path, name })
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.server_certificate_name).await?;
        kept.path = self.new_path.clone().unwrap_or(kept.path);
        kept.name = self.new_server_certificate_name.clone().unwrap_or(kept.name);
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct DeleteServerCertificate {
    server_certificate_name: ServerCertificateName,
}

impl Operation for DeleteServerCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.server_certificate_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let kept = named(cx, &self.server_certificate_name).await?;
        cx.tx.delete::<ContentRecord>(&kept.id).await?;
        cx.tx.delete::<ServerCertificateRecord>(&kept.id).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct TagServerCertificate {
    server_certificate_name: ServerCertificateName,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagServerCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.server_certificate_name).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.server_certificate_name).await?;
        tagging::obey(cx, "iam:server-certificate", &self.tags).await?;
        tagging::add(&mut kept.tags, &self.tags, same_exactly)?;
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct UntagServerCertificate {
    server_certificate_name: ServerCertificateName,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagServerCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.server_certificate_name).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut kept = named(cx, &self.server_certificate_name).await?;
        tagging::remove(&mut kept.tags, &self.tag_keys, same_exactly);
        put(cx, &kept).await
    }
}

#[derive(Shape)]
struct ListServerCertificateTags {
    server_certificate_name: ServerCertificateName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListServerCertificateTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.server_certificate_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        let kept = named(cx, &self.server_certificate_name).await?;
        ListTagsOutput::of(&kept.tags, &self.page)
    }
}
