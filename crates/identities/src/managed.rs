//! AWS's managed policies: there for every account, changed by nobody. `data/make_managed_policies.py` writes the files.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html#aws-managed-policies>.

use arn::{Arn, IdKind, UniqueId};
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One policy of AWS's, with the one version that it has here: its default.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::aws:policy/PATH/NAME`.
    pub arn: Arn,
    /// Made from the ARN, so that it is the same everywhere.
    pub id: UniqueId,
    /// `v3`, as AWS numbers it.
    pub version: &'static str,
    /// ISO 8601.
    pub created: &'static str,
    /// ISO 8601.
    pub updated: &'static str,
    /// The document's text.
    pub document: &'static str,
}

impl ManagedPolicy {
    /// Its name: what follows the last `/` of the ARN.
    pub fn name(&self) -> &str {
        self.arn.resource().rsplit('/').next().unwrap_or_default()
    }

    /// Its path: `/`, `/service-role/`, `/job-function/` …
    pub fn path(&self) -> &str {
        let rest = self.arn.resource().strip_prefix("policy").unwrap_or_default();
        rest.strip_suffix(self.name()).unwrap_or("/")
    }

    /// Whether customers may attach it: those of service-linked roles are for these alone.
    pub fn is_attachable(&self) -> bool {
        !self.path().starts_with("/aws-service-role/")
    }
}

#[derive(Deserialize)]
struct Line {
    arn: &'static str,
    version: &'static str,
    created: &'static str,
    updated: &'static str,
    #[serde(borrow)]
    document: &'static RawValue,
}

/// The files as they are compiled in: facts, read once, when the first of them is asked for.
static POLICIES: LazyLock<BTreeMap<Arn, ManagedPolicy>> = LazyLock::new(|| {
    let files = [
        include_str!("../data/aws-managed-policies/amazon.jsonl"),
        include_str!("../data/aws-managed-policies/aws.jsonl"),
        include_str!("../data/aws-managed-policies/others.jsonl"),
    ];
    files.into_iter().flat_map(str::lines).filter_map(read).map(|policy| (policy.arn.clone(), policy)).collect()
});

/// A line that cannot be read is left out; a test counts them.
fn read(line: &'static str) -> Option<ManagedPolicy> {
    let line: Line = serde_json::from_str(line).ok()?;
    let mut entropy = [0; 11];
    digest(&SHA256, line.arn.as_bytes()).as_ref().iter().zip(&mut entropy).for_each(|(from, to)| *to = *from);
    Some(ManagedPolicy {
        arn: line.arn.parse().ok()?,
        id: UniqueId::from_entropy(IdKind::Policy, entropy),
        version: line.version,
        created: line.created,
        updated: line.updated,
        document: line.document.get(),
    })
}

/// All of them, in the order of their ARNs.
pub fn managed_policies() -> impl Iterator<Item = &'static ManagedPolicy> {
    POLICIES.values()
}

/// The one with this ARN.
pub fn managed_policy(arn: &Arn) -> Option<&'static ManagedPolicy> {
    POLICIES.get(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_policy_that_the_engine_reads() {
        let lines = ["amazon", "aws", "others"].map(|file| {
            std::fs::read_to_string(format!("{}/data/aws-managed-policies/{file}.jsonl", env!("CARGO_MANIFEST_DIR")))
                .unwrap()
                .lines()
                .count()
        });
        assert_eq!(managed_policies().count(), lines.iter().sum::<usize>());
        for policy in managed_policies() {
            policy::Document::parse(policy.document).unwrap_or_else(|e| panic!("{}: {e}", policy.arn));
        }
    }

    #[test]
    fn the_well_known_ones_are_there() {
        for name in [
            "AdministratorAccess",
            "PowerUserAccess",
            "ReadOnlyAccess",
            "job-function/ViewOnlyAccess",
            "SecurityAudit",
            "IAMFullAccess",
            "IAMReadOnlyAccess",
            "IAMUserChangePassword",
            "AmazonS3FullAccess",
            "AmazonS3ReadOnlyAccess",
        ] {
            let arn: Arn = format!("arn:aws:iam::aws:policy/{name}").parse().unwrap();
            let policy = managed_policy(&arn).unwrap_or_else(|| panic!("{name}"));
            assert!(policy.is_attachable());
            assert_eq!(format!("{}{}", policy.path(), policy.name()), format!("/{name}"));
        }
    }
}
