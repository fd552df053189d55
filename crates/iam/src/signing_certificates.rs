//! Signing certificates: X.509 certificates whose keys a user, or root, signs with. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html>.
//! Two a user; one certificate belongs to one user of an account only. The key to it never comes here.

use crate::ids::long_id;
use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::server_certificates::CertificateBody;
use crate::whose::{Whose, target};
use crate::x509::{self, Validity};
use crate::{Error, Iam};
use aws_lc_rs::digest::{SHA256, digest};
use identities::{Owner, UserName};
use operation::{Allowed, Caller, Judged, Operation, Operations, Preparing, SlowOperation, handler, slow_handler};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use store::{KeyPart, Mode, Read, Record, StoreError, Stored, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    slow_handler::<UploadSigningCertificate>(),
    handler::<ListSigningCertificates>(),
    handler::<UpdateSigningCertificate>(),
    handler::<DeleteSigningCertificate>(),
];

/// Certificates of one user, and of root. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub(crate) const CERTIFICATES_PER_USER: u64 = 2;

/// What a certificate is named by. It has no prefix that tells its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 24, max = 128, pattern = r"[\w]+")]
pub(crate) struct CertificateId(Box<str>);

impl KeyPart for CertificateId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// Whether a certificate is accepted. The model knows `Expired`, which nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is, quiet)]
pub(crate) enum Status {
    /// It is.
    Active,
    /// It is not.
    Inactive,
    /// It is not, and was made so by time.
    Expired,
}

/// A certificate of a user, or of root.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "signing-certificate", key = id, unique(by_fingerprint = fingerprint), index(by_owner = owner))]
pub(crate) struct SigningCertificateRecord {
    /// What requests name it by.
    pub id: CertificateId,
    /// Whose it is.
    pub owner: Owner,
    /// The text as it was sent.
    pub body: CertificateBody,
    /// SHA-256 of the certificate's bytes: one certificate, one owner.
    pub fingerprint: String,
    /// Whether it is accepted.
    pub active: bool,
    /// Seconds since the epoch.
    pub uploaded: i64,
}

/// A certificate as IAM shows it. Root has no name.
#[derive(Shape)]
struct SigningCertificate {
    user_name: Option<UserName>,
    certificate_id: CertificateId,
    certificate_body: CertificateBody,
    status: Status,
    upload_date: Timestamp,
}

impl SigningCertificate {
    fn of(user_name: Option<UserName>, kept: SigningCertificateRecord) -> Self {
        SigningCertificate {
            user_name,
            certificate_id: kept.id,
            certificate_body: kept.body,
            status: if kept.active { Status::Active } else { Status::Inactive },
            upload_date: Timestamp(kept.uploaded),
        }
    }
}

/// The certificate, if it is `owner`'s.
async fn found<M: Mode>(cx: &Allowed<'_, M>, id: &CertificateId, owner: &Owner) -> Result<SigningCertificateRecord, Error> {
    let kept = cx.tx.get::<SigningCertificateRecord>(id).await?;
    kept.filter(|kept| kept.owner == *owner).ok_or_else(|| Error::NoCertificate(id.to_string()))
}

#[derive(Shape)]
struct UploadSigningCertificate {
    user_name: Option<ExistingUserName>,
    certificate_body: CertificateBody,
}

#[derive(Shape)]
struct UploadSigningCertificateOutput {
    certificate: SigningCertificate,
}

impl SlowOperation for UploadSigningCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = UploadSigningCertificateOutput;
    type Prepared = String;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    /// A user that is not there is told before a certificate that is none.
    async fn prepare(&self, cx: &Preparing<'_>) -> Result<String, Error> {
        Whose::find(&cx.tx, cx.caller, self.user_name.as_ref()).await?;
        let (body, now) = (self.certificate_body.clone(), cx.now);
        cx.slow(move || examine(body.as_str(), now)).await?
    }

    async fn run(&self, fingerprint: &String, cx: &mut Allowed<'_, Write>) -> Result<UploadSigningCertificateOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let owner = whose.owner(cx.caller);
        let known = cx.tx.scan(SigningCertificateRecord::BY_FINGERPRINT.of(fingerprint), None, 1, |_| true).await?;
        match known.records.into_iter().next() {
            None => {}
            // It is shown as a new one would be; what is kept of it, its status too, stays.
            Some(kept) if kept.owner == owner => {
                let shown = SigningCertificateRecord { active: true, ..kept };
                return Ok(UploadSigningCertificateOutput { certificate: SigningCertificate::of(whose.user_name(), shown) });
            }
            Some(_) => return Err(Error::DuplicateCertificate),
        }
        let most = usize::try_from(CERTIFICATES_PER_USER).unwrap_or(usize::MAX);
        if cx.tx.count(SigningCertificateRecord::BY_OWNER.of(&owner), most).await? >= most {
            return Err(Error::Quota { name: "CertificatesPerUser", limit: CERTIFICATES_PER_USER });
        }
        let kept = SigningCertificateRecord {
            id: CertificateId(long_id(cx)?.into()),
            owner,
            body: self.certificate_body.clone(),
            fingerprint: fingerprint.clone(),
            active: true,
            uploaded: cx.now,
        };
        match cx.tx.insert(&kept).await? {
            Stored::Done => Ok(UploadSigningCertificateOutput { certificate: SigningCertificate::of(whose.user_name(), kept) }),
            // Its id has more chance in it than can come twice.
            Stored::Taken => Err(StoreError::Conflict.into()),
        }
    }
}

/// The fingerprint of a certificate that may be used, or why it may not.
fn examine(body: &str, now: i64) -> Result<String, Error> {
    let malformed = || Error::MalformedCertificate(format!("Certificate {body} is malformed."));
    let der = x509::one(body).ok_or_else(malformed)?;
    let certificate = x509::read(&der).ok_or_else(malformed)?;
    match Validity::of(&certificate, now) {
        Validity::Valid => {}
        Validity::NotYet => return Err(Error::InvalidCertificate("The certificate is not valid yet.")),
        Validity::Expired => return Err(malformed()),
    }
    if !x509::is_signed_well(&certificate) {
        return Err(Error::InvalidCertificate("The certificate must be signed with SHA-256 or better."));
    }
    Ok(digest(&SHA256, &der).as_ref().iter().fold(String::with_capacity(64), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    }))
}

#[derive(Shape)]
struct ListSigningCertificates {
    user_name: Option<ExistingUserName>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListSigningCertificatesOutput {
    certificates: Vec<SigningCertificate>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListSigningCertificates {
    type Service = Iam;
    type Access = Read;
    type Output = ListSigningCertificatesOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListSigningCertificatesOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let own = SigningCertificateRecord::BY_OWNER.of(&whose.owner(cx.caller));
        let page = cx.tx.scan(own, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let certificates = page.records.into_iter().map(|kept| SigningCertificate::of(whose.user_name(), kept)).collect();
        Ok(ListSigningCertificatesOutput { certificates, next: page.next.into() })
    }
}

#[derive(Shape)]
struct UpdateSigningCertificate {
    user_name: Option<ExistingUserName>,
    certificate_id: CertificateId,
    status: Status,
}

impl Operation for UpdateSigningCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = Whose::of(cx, self.user_name.as_ref()).await?.owner(cx.caller);
        let mut kept = found(cx, &self.certificate_id, &owner).await?;
        kept.active = match self.status {
            Status::Active => true,
            Status::Inactive => false,
            Status::Expired => {
                return Err(Error::cannot_be_set("Expired"));
            }
        };
        match cx.tx.put(&kept).await? {
            Stored::Done => Ok(()),
            // Its fingerprint has not changed.
            Stored::Taken => Err(StoreError::Conflict.into()),
        }
    }
}

#[derive(Shape)]
struct DeleteSigningCertificate {
    user_name: Option<ExistingUserName>,
    certificate_id: CertificateId,
}

impl Operation for DeleteSigningCertificate {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = Whose::of(cx, self.user_name.as_ref()).await?.owner(cx.caller);
        let kept = found(cx, &self.certificate_id, &owner).await?;
        cx.tx.delete::<SigningCertificateRecord>(&kept.id).await?;
        Ok(())
    }
}
