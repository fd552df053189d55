//! Versions of managed policies: the texts, one of which counts. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html>.
//! A version never changes; there are five at most; its number never comes again. Of AWS's policies only the one that counts is here.

use crate::documents::{EncodedDocument, PolicyDocument};
use crate::page::{NextPage, Page};
use crate::policies::{Managed, changing, found, parsed, put, saved, time};
use crate::{Error, Iam};
use arn::Arn;
use identities::{ManagedPolicy, PolicyRecord, PolicyVersionRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, handler};
use store::{Mode, Read, Record, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreatePolicyVersion>(),
    handler::<GetPolicyVersion>(),
    handler::<ListPolicyVersions>(),
    handler::<SetDefaultPolicyVersion>(),
    handler::<DeletePolicyVersion>(),
];

/// Versions of one policy, at most.
const MOST: usize = 5;

/// `v1`, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(pattern = r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?")]
struct VersionId(Box<str>);

impl VersionId {
    /// Its number, if a version here could have that name.
    fn number(&self) -> Option<u64> {
        self.as_str().strip_prefix('v').and_then(|number| number.parse().ok())
    }

    fn missing(&self, arn: &Arn) -> Error {
        Error::NoSuchVersion { arn: arn.to_string(), version: self.to_string() }
    }

    /// Of a policy that is not there IAM says that its version is not.
    fn of_policy<P>(&self, found: Result<P, Error>) -> Result<P, Error> {
        match found {
            Err(Error::NoSuchPolicy(arn)) => Err(Error::NoSuchVersion { arn, version: self.to_string() }),
            answer => answer,
        }
    }
}

/// A version as IAM shows it.
#[derive(Shape)]
pub(crate) struct PolicyVersion {
    document: Option<EncodedDocument>,
    version_id: String,
    is_default_version: bool,
    create_date: Timestamp,
}

impl PolicyVersion {
    /// What lists show: no document.
    fn listed(policy: &PolicyRecord, version: &PolicyVersionRecord) -> Self {
        PolicyVersion {
            document: None,
            version_id: format!("v{}", version.number),
            is_default_version: version.number == policy.default_version,
            create_date: Timestamp(version.created),
        }
    }

    /// All that is shown of one version.
    pub fn whole(policy: &PolicyRecord, version: &PolicyVersionRecord) -> Self {
        PolicyVersion { document: Some(EncodedDocument(version.document.clone())), ..PolicyVersion::listed(policy, version) }
    }

    /// The same of the version of one of AWS's policies.
    pub fn aws(policy: &ManagedPolicy) -> Self {
        PolicyVersion {
            document: Some(EncodedDocument(policy.document.to_owned())),
            version_id: policy.version.to_owned(),
            is_default_version: true,
            create_date: time(policy.updated),
        }
    }
}

/// All versions of a policy, the newest first.
pub(crate) async fn all<M: Mode>(tx: &Tx<M>, policy: &PolicyRecord) -> Result<Vec<PolicyVersionRecord>, Error> {
    let mut versions = tx.scan(PolicyVersionRecord::KEY.under(&policy.id), None, MOST, |_| true).await?.records;
    versions.reverse();
    Ok(versions)
}

#[derive(Shape)]
struct CreatePolicyVersion {
    policy_arn: PolicyArn,
    policy_document: PolicyDocument,
    #[shape(default)]
    set_as_default: bool,
}

#[derive(Shape)]
struct PolicyVersionOutput {
    policy_version: PolicyVersion,
}

impl Operation for CreatePolicyVersion {
    type Service = Iam;
    type Access = Write;
    type Output = PolicyVersionOutput;

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<PolicyVersionOutput, Error> {
        let (_, mut policy) = changing(cx, &self.policy_arn, "iam:CreatePolicyVersion").await?;
        let document = saved(&self.policy_document)?;
        if cx.tx.count(PolicyVersionRecord::KEY.under(&policy.id), MOST).await? >= MOST {
            return Err(Error::LimitExceeded(format!(
                "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing version."
            )));
        }
        policy.latest_version += 1;
        if self.set_as_default {
            policy.default_version = policy.latest_version;
            policy.updated = cx.now;
        }
        let version = PolicyVersionRecord {
            policy: policy.id.clone(),
            number: policy.latest_version,
            document: document.text().to_owned(),
            created: cx.now,
        };
        put(cx, &policy).await?;
        match cx.tx.insert(&version).await? {
            Stored::Done => Ok(PolicyVersionOutput { policy_version: PolicyVersion::listed(&policy, &version) }),
            Stored::Taken => Err(Error::PolicyExists(policy.name.to_string())),
        }
    }
}

#[derive(Shape)]
struct GetPolicyVersion {
    policy_arn: PolicyArn,
    version_id: VersionId,
}

impl Operation for GetPolicyVersion {
    type Service = Iam;
    type Access = Read;
    type Output = PolicyVersionOutput;

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<PolicyVersionOutput, Error> {
        let policy_version = match self.version_id.of_policy(found(cx, &self.policy_arn).await)? {
            (arn, Managed::Own(policy)) => {
                let version = version(&cx.tx, &policy, &self.version_id).await?.ok_or_else(|| self.version_id.missing(&arn))?;
                PolicyVersion::whole(&policy, &version)
            }
            (_, Managed::Aws(policy)) if policy.version == self.version_id.as_str() => PolicyVersion::aws(policy),
            (arn, Managed::Aws(_)) => return Err(self.version_id.missing(&arn)),
        };
        Ok(PolicyVersionOutput { policy_version })
    }
}

/// The version of a policy with this id.
async fn version<M: Mode>(tx: &Tx<M>, policy: &PolicyRecord, id: &VersionId) -> Result<Option<PolicyVersionRecord>, Error> {
    let Some(number) = id.number() else { return Ok(None) };
    Ok(tx.get::<PolicyVersionRecord>((&policy.id, &number)).await?)
}

#[derive(Shape)]
struct ListPolicyVersions {
    policy_arn: PolicyArn,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListPolicyVersionsOutput {
    versions: Vec<PolicyVersion>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListPolicyVersions {
    type Service = Iam;
    type Access = Read;
    type Output = ListPolicyVersionsOutput;

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPolicyVersionsOutput, Error> {
        let (versions, next) = match found(cx, &self.policy_arn).await? {
            (_, Managed::Own(policy)) => {
                // Counted down, so that the newest comes first.
                let key = |version: &PolicyVersionRecord| format!("{:020}", u64::MAX - version.number);
                let (versions, next) = self.page.of_all(all(&cx.tx, &policy).await?, key)?;
                (versions.iter().map(|version| PolicyVersion::listed(&policy, version)).collect(), next)
            }
            (_, Managed::Aws(policy)) => {
                let only = PolicyVersion { document: None, ..PolicyVersion::aws(policy) };
                self.page.of_all(vec![only], |version| version.version_id.clone())?
            }
        };
        Ok(ListPolicyVersionsOutput { versions, next })
    }
}

#[derive(Shape)]
struct SetDefaultPolicyVersion {
    policy_arn: PolicyArn,
    version_id: VersionId,
}

impl Operation for SetDefaultPolicyVersion {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (arn, mut policy) = self.version_id.of_policy(changing(cx, &self.policy_arn, "iam:SetDefaultPolicyVersion").await)?;
        let version = version(&cx.tx, &policy, &self.version_id).await?.ok_or_else(|| self.version_id.missing(&arn))?;
        if policy.default_version == version.number {
            return Ok(());
        }
        policy.default_version = version.number;
        policy.updated = cx.now;
        put(cx, &policy).await
    }
}

#[derive(Shape)]
struct DeletePolicyVersion {
    policy_arn: PolicyArn,
    version_id: VersionId,
}

impl Operation for DeletePolicyVersion {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (arn, policy) = self.version_id.of_policy(changing(cx, &self.policy_arn, "iam:DeletePolicyVersion").await)?;
        let version = version(&cx.tx, &policy, &self.version_id).await?.ok_or_else(|| self.version_id.missing(&arn))?;
        if version.number == policy.default_version {
            return Err(Error::Conflict("Cannot delete the default version of a policy."));
        }
        cx.tx.delete::<PolicyVersionRecord>((&policy.id, &version.number)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_its_number() {
        let number = |text: &str| text.parse::<VersionId>().unwrap().number();
        assert_eq!((number("v1"), number("v20"), number("v1.x")), (Some(1), Some(20), None));
        assert_eq!(number("v99999999999999999999999"), None);
        for text in ["1", "v0", "v01", "v1.ä", "V1", ""] {
            assert!(text.parse::<VersionId>().is_err(), "{text}");
        }
    }
}
