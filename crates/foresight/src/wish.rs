//! A change as it is asked for: names and texts become the records that it would change. What the service would refuse is refused here too.

use access::{Access, Change, Supposed};
use arn::{AccountId, Arn, UniqueId};
use identities::{
    GroupName, GroupRecord, OrganizationId, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord, PolicyRecord, PolicyType,
    PolicyVersionRecord, RoleName, RoleRecord, RootId, TargetId, UnitId, UnitRecord, UserName, UserRecord, aws_organization_policy,
    customer_policy_arn, managed_policy, organization_path,
};
use policy::{Document, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Read, SHARED, StoreError, Tx};

/// A change. A policy is an ARN, an id of an organization's policy, or its text; a target is an ARN, or a root, unit or account of an
/// organization by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Wish {
    /// A policy is attached.
    Attach {
        /// Which.
        policy: String,
        /// To what.
        to: String,
    },
    /// A policy is detached.
    Detach {
        /// Which.
        policy: String,
        /// From what.
        from: String,
    },
    /// A policy gets another text, as its default version.
    Document {
        /// Which.
        policy: String,
        /// The text.
        document: String,
    },
    /// An inline policy is put, or deleted.
    Inline {
        /// The ARN of the user, group or role.
        of: String,
        /// The policy's name.
        name: String,
        /// The text; none deletes it.
        #[serde(default)]
        document: Option<String>,
    },
    /// A permissions boundary is set, or taken away.
    Boundary {
        /// The ARN of the user or role.
        of: String,
        /// The boundary's policy; none takes it away.
        #[serde(default)]
        policy: Option<String>,
    },
    /// A role trusts others.
    Trust {
        /// The role's ARN.
        role: String,
        /// The text of the trust policy.
        document: String,
    },
    /// A resource, with all that lies under it, has another policy, or none.
    Resource {
        /// The resource's ARN.
        resource: String,
        /// The text; none takes it away.
        #[serde(default)]
        document: Option<String>,
    },
}

/// A change, understood.
#[derive(Debug, Clone)]
pub struct Wished {
    /// What is supposed.
    pub supposed: Supposed,
    /// The condition keys that what is put asks for, as they are written.
    pub keys: BTreeSet<String>,
}

/// Why a change cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum NotPossible {
    /// A name stands for nothing.
    #[error("{0} was not found")]
    Missing(String),
    /// It is not what the change needs.
    #[error("{0} is not {1}")]
    Other(String, &'static str),
    /// The document would be refused.
    #[error("the document would be refused: {0}")]
    Document(String),
    /// The organization does not use policies of this type.
    #[error("policies of type {0} are not enabled in the organization: attaching one would be refused")]
    NotEnabled(&'static str),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user, group or role that was found.
struct Held {
    account: AccountId,
    id: UniqueId,
}

/// Names, looked up in one snapshot.
struct Names {
    tx: Tx<Read>,
    /// Whose names there are: what belongs to others is not found. With none, all are.
    account: Option<AccountId>,
    changes: Vec<Change>,
    keys: BTreeSet<String>,
}

impl Wish {
    /// What it means in the store as it is now, for `account`: nothing of another account is found, and an organization's targets and policies
    /// are its management account's. With none, for whoever owns the store.
    ///
    /// # Errors
    /// Where a name stands for nothing, or the service would refuse the change.
    pub async fn understood(&self, access: &Access, account: Option<AccountId>) -> Result<Wished, NotPossible> {
        access
            .store
            .read(SHARED, |tx| async move {
                let mut names = Names { tx, account, changes: Vec::new(), keys: BTreeSet::new() };
                names.understand(self).await?;
                Ok(Wished { supposed: Supposed::new(names.changes), keys: names.keys })
            })
            .await
    }
}

impl Names {
    /// Whether what `owner` has is there for whoever asks.
    fn sees(&self, owner: AccountId) -> bool {
        self.account.is_none_or(|account| account == owner)
    }

    async fn understand(&mut self, wish: &Wish) -> Result<(), NotPossible> {
        match wish {
            Wish::Attach { policy, to } => self.attach(policy, to, true).await,
            Wish::Detach { policy, from } => self.attach(policy, from, false).await,
            Wish::Document { policy, document } => self.document(policy, document).await,
            Wish::Inline { of, name, document } => {
                let of = self.holder(of).await?.id;
                let text = document.as_deref().map(|text| self.text(text, Kind::Identity)).transpose()?;
                self.changes.push(Change::Inline { of, name: name.as_str().into(), text });
                Ok(())
            }
            Wish::Boundary { of, policy } => {
                let held = self.holder(of).await?;
                if held.id.kind() == Some(arn::IdKind::Group) {
                    return Err(NotPossible::Other(of.clone(), "a user or a role: a group has no boundary"));
                }
                let policy = match policy {
                    Some(policy) => Some(self.managed(policy, held.account, Kind::Boundary).await?),
                    None => None,
                };
                self.changes.push(Change::Boundary { of: held.id, policy });
                Ok(())
            }
            Wish::Trust { role, document } => {
                let held = self.holder(role).await?;
                if held.id.kind() != Some(arn::IdKind::Role) {
                    return Err(NotPossible::Other(role.clone(), "a role"));
                }
                let of = role.parse().map_err(|_| NotPossible::Missing(role.clone()))?;
                let text = self.text(document, Kind::Trust)?;
                self.changes.push(Change::Trust { of, text });
                Ok(())
            }
            Wish::Resource { resource, document } => {
                let text = document.as_deref().map(|text| self.text(text, Kind::Resource)).transpose()?;
                self.changes.push(Change::Resource { arn: resource.as_str().into(), text });
                Ok(())
            }
        }
    }

    async fn attach(&mut self, policy: &str, to: &str, attached: bool) -> Result<(), NotPossible> {
        if to.starts_with("arn:") {
            let held = self.holder(to).await?;
            let policy = self.managed(policy, held.account, Kind::Identity).await?;
            self.changes.push(Change::Managed { of: held.id, policy, attached });
            return Ok(());
        }
        let (target, organization) = self.target(to).await?;
        let (policy, kind) = self.control(policy).await?;
        if !organization.has(kind) {
            return Err(NotPossible::NotEnabled(kind.as_str()));
        }
        self.changes.push(Change::Control { target, kind, policy, attached });
        Ok(())
    }

    async fn document(&mut self, policy: &str, document: &str) -> Result<(), NotPossible> {
        if policy.starts_with("arn:") {
            let policy: Arn = policy.parse().map_err(|_| NotPossible::Missing(policy.to_owned()))?;
            if managed_policy(&policy).is_some() {
                return Err(NotPossible::Other(policy.to_string(), "a policy that can be changed: it is AWS's"));
            }
            self.kept_text(&policy).await?;
            let text = self.text(document, Kind::Identity)?;
            self.changes.push(Change::Text { policy, text });
            return Ok(());
        }
        let (policy, kind) = self.control(policy).await?;
        if aws_organization_policy(&policy).is_some() {
            return Err(NotPossible::Other(policy.to_string(), "a policy that can be changed: it is AWS's"));
        }
        let text = self.text(document, used_as(kind)?)?;
        self.changes.push(Change::ControlText { policy, text });
        Ok(())
    }

    /// A document that the service would take; its condition keys are remembered.
    fn text(&mut self, text: &str, kind: Kind) -> Result<Arc<str>, NotPossible> {
        let document = Document::saved(text, kind).map_err(|error| NotPossible::Document(error.to_string()))?;
        self.keys.extend(document.context_keys());
        Ok(text.into())
    }

    /// A user, a group or a role by its ARN.
    async fn holder(&self, arn: &str) -> Result<Held, NotPossible> {
        let missing = || NotPossible::Missing(arn.to_owned());
        let parsed: Arn = arn.parse().map_err(|_| missing())?;
        let account = parsed.account_id().filter(|owner| parsed.service() == "iam" && self.sees(*owner)).ok_or_else(missing)?;
        let (kind, rest) = parsed.resource().split_once('/').ok_or_else(missing)?;
        let name = rest.rsplit('/').next().unwrap_or(rest);
        let tx = self.tx.in_account(&account.to_string());
        let found = match kind {
            "user" => {
                let name: UserName = name.parse().map_err(|_| missing())?;
                tx.find(UserRecord::BY_NAME, &name).await?.map(|user| (user.arn(account), user.id))
            }
            "group" => {
                let name: GroupName = name.parse().map_err(|_| missing())?;
                tx.find(GroupRecord::BY_NAME, &name).await?.map(|group| (group.arn(account), group.id))
            }
            "role" => {
                let name: RoleName = name.parse().map_err(|_| missing())?;
                tx.find(RoleRecord::BY_NAME, &name).await?.map(|role| (role.arn(account), role.id))
            }
            _ => None,
        };
        let id = found.filter(|(found, _)| *found == parsed).map(|(_, id)| id);
        Ok(Held { account, id: id.ok_or_else(missing)? })
    }

    /// A managed policy by its ARN, or a new one of `account` by its text.
    async fn managed(&mut self, policy: &str, account: AccountId, kind: Kind) -> Result<Arn, NotPossible> {
        if is_text(policy) {
            let arn = Arn::iam(account, "policy/what-if");
            let text = self.text(policy, kind)?;
            self.changes.push(Change::Text { policy: arn.clone(), text });
            return Ok(arn);
        }
        let arn: Arn = policy.parse().map_err(|_| NotPossible::Missing(policy.to_owned()))?;
        let text = self.kept_text(&arn).await?;
        self.keys.extend(Document::parse(&text).map_err(|error| NotPossible::Document(error.to_string()))?.context_keys());
        Ok(arn)
    }

    /// What a managed policy says by its default version.
    async fn kept_text(&self, arn: &Arn) -> Result<String, NotPossible> {
        if let Some(policy) = managed_policy(arn) {
            return Ok(policy.document.to_owned());
        }
        let missing = || NotPossible::Missing(arn.to_string());
        let (account, name) = customer_policy_arn(arn).filter(|(owner, _)| self.sees(*owner)).ok_or_else(missing)?;
        let tx = self.tx.in_account(&account.to_string());
        let policy = tx.find(PolicyRecord::BY_NAME, &name).await?.filter(|policy| policy.arn(account) == *arn).ok_or_else(missing)?;
        let version = tx.get::<PolicyVersionRecord>((&policy.id, &policy.default_version)).await?.ok_or_else(missing)?;
        Ok(version.document)
    }

    /// An organization's policy by its id, or a new one by its text: one that names a principal is a resource control policy.
    async fn control(&mut self, policy: &str) -> Result<(OrganizationPolicyId, PolicyType), NotPossible> {
        if is_text(policy) {
            let names_principal = Document::parse(policy).is_ok_and(|document| document.text().contains("\"Principal\""));
            let kind = if names_principal { PolicyType::ResourceControlPolicy } else { PolicyType::ServiceControlPolicy };
            let id: OrganizationPolicyId = "p-whatif00".parse().map_err(|_| NotPossible::Missing(policy.to_owned()))?;
            let text = self.text(policy, used_as(kind)?)?;
            self.changes.push(Change::ControlText { policy: id.clone(), text });
            return Ok((id, kind));
        }
        let missing = || NotPossible::Missing(policy.to_owned());
        let id: OrganizationPolicyId = policy.parse().map_err(|_| missing())?;
        if let Some(policy) = aws_organization_policy(&id) {
            return Ok((id, policy.kind));
        }
        let kept = self.tx.get::<OrganizationPolicyRecord>(&id).await?.ok_or_else(missing)?;
        self.organization(&kept.organization).await?.ok_or_else(missing)?;
        used_as(kept.kind)?;
        self.keys.extend(Document::parse(&kept.content).map_err(|error| NotPossible::Document(error.to_string()))?.context_keys());
        Ok((id, kept.kind))
    }

    /// A root, a unit or an account, with its organization.
    async fn target(&self, id: &str) -> Result<(TargetId, OrganizationRecord), NotPossible> {
        let missing = || NotPossible::Missing(id.to_owned());
        let target: TargetId = id.parse().map_err(|_| missing())?;
        let organization = if let Ok(account) = id.parse::<AccountId>() {
            organization_path(&self.tx, account).await?.map(|path| path.organization)
        } else if let Ok(unit) = id.parse::<UnitId>() {
            let unit = self.tx.get::<UnitRecord>(&unit).await?.ok_or_else(missing)?;
            self.organization(&unit.organization).await?
        } else {
            let root: RootId = id.parse().map_err(|_| missing())?;
            self.tx.find(OrganizationRecord::BY_ROOT, &root).await?
        };
        let organization = organization.filter(|organization| self.sees(organization.management)).ok_or_else(missing)?;
        Ok((target, organization))
    }

    /// An organization, for whom it is there.
    async fn organization(&self, id: &OrganizationId) -> Result<Option<OrganizationRecord>, StoreError> {
        let kept = self.tx.get::<OrganizationRecord>(id).await?;
        Ok(kept.filter(|organization| self.sees(organization.management)))
    }
}

fn is_text(policy: &str) -> bool {
    policy.trim_start().starts_with('{')
}

/// Only control policies decide about requests.
fn used_as(kind: PolicyType) -> Result<Kind, NotPossible> {
    if kind == PolicyType::ServiceControlPolicy {
        Ok(Kind::ServiceControl)
    } else if kind == PolicyType::ResourceControlPolicy {
        Ok(Kind::ResourceControl)
    } else {
        Err(NotPossible::Other(kind.as_str().to_owned(), "a type of policy that decides about requests"))
    }
}
