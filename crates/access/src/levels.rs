//! What an organization lays on an account: the service and resource control policies of every level from the root down to it, and the
//! condition keys that say where it stands. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html>.
//! Whether a principal or an action is bound at all, the policy crate says. Nothing here is asked of the store for a decision: levels are
//! part of how a principal stands, and what has not changed is not read again. Levels of equal content are one.

use crate::Access;
use crate::epochs::Deps;
use crate::grants::compile;
use crate::standing::Standing;
use crate::supposed::{NOTHING, Supposed};
use arn::AccountId;
use identities::{
    MemberRecord, OrganizationPolicy, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord, PolicyAttachmentRecord,
    PolicyType, TargetId, UnitRecord, attached_to, organization_path, organization_policy,
};
use policy::{Context, Kind, PolicySet, Source};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use store::{KeyPart, Read, Record, Revision, SHARED, StoreError, Tx};

/// What binds an account from above.
pub struct Levels {
    pub(crate) deps: Deps,
    way: Arc<Way>,
    service_control: Control,
    resource_control: Control,
    /// Whether any of it is only supposed to be so.
    pub(crate) is_supposed: bool,
}

/// Levels of one kind of policy.
#[derive(Default)]
struct Control {
    /// Root first.
    levels: Box<[Arc<PolicySet>]>,
    /// The same for deciding: as few as can be.
    united: Arc<[Arc<PolicySet>]>,
}

/// The way from the root down to an account. It changes seldom, and what is attached on it often: a change at the root concerns every account,
/// and is no reason to look for all of them again.
struct Way {
    deps: Deps,
    /// None of an account that no organization knows.
    place: Option<Place>,
}

/// Where an account stands.
struct Place {
    organization: OrganizationRecord,
    path: Box<str>,
    /// What policies can be attached to: the root, each unit, the account.
    targets: Box<[TargetId]>,
    is_management: bool,
}

impl Way {
    /// About how many bytes it holds.
    fn weight(&self) -> usize {
        let place = |place: &Place| 256 + place.path.len() + place.targets.iter().map(|target| 16 + target.as_str().len()).sum::<usize>();
        128 + self.deps.weight() + self.place.as_ref().map_or(0, place)
    }
}

/// What is attached to one root, unit or account.
pub(crate) struct Level {
    deps: Deps,
    service_control: Named,
    resource_control: Named,
    is_supposed: bool,
}

/// A set, and the versions of policies that it is made of. What those say never changes; what is only supposed has no name.
#[derive(Clone)]
struct Named {
    name: Option<Arc<str>>,
    set: Arc<PolicySet>,
}

/// Whose place a condition key tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// `aws:PrincipalOrgID`, `aws:PrincipalOrgPaths`.
    Principal,
    /// `aws:ResourceOrgID`, `aws:ResourceOrgPaths`.
    Resource,
    /// `aws:SourceOrgID`, `aws:SourceOrgPaths`: of the account for whose resource a service acts.
    Source,
}

impl Levels {
    /// Of whom no organization knows.
    pub fn none() -> Self {
        Levels {
            deps: Deps::none(),
            way: Arc::new(Way { deps: Deps::none(), place: None }),
            service_control: Control::default(),
            resource_control: Control::default(),
            is_supposed: false,
        }
    }

    /// The SCPs that bind the account's principals, root first; none, where none apply.
    pub fn service_control(&self) -> &[Arc<PolicySet>] {
        &self.service_control.levels
    }

    /// The RCPs that bind whoever comes to the account's resources, root first; none, where none apply.
    pub fn resource_control(&self) -> &[Arc<PolicySet>] {
        &self.resource_control.levels
    }

    /// The SCPs, to decide by: they decide as the levels do.
    pub(crate) fn united_service_control(&self) -> &[Arc<PolicySet>] {
        &self.service_control.united
    }

    /// The RCPs, to decide by.
    pub(crate) fn united_resource_control(&self) -> &[Arc<PolicySet>] {
        &self.resource_control.united
    }

    /// The id of the account's organization, if it is in one.
    pub fn organization(&self) -> Option<&str> {
        self.way.place.as_ref().map(|place| place.organization.id.as_str())
    }

    /// Says where the account stands. Source:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths>.
    pub fn say(&self, whose: Whose, facts: &mut Context) {
        let (id, paths) = match whose {
            Whose::Principal => ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths"),
            Whose::Resource => ("aws:ResourceOrgID", "aws:ResourceOrgPaths"),
            Whose::Source => ("aws:SourceOrgID", "aws:SourceOrgPaths"),
        };
        if let Some(place) = &self.way.place {
            facts.insert(id, place.organization.id.as_str());
            facts.insert_many(paths, [place.path.clone()]);
        }
    }

    /// About how many bytes it holds; the sets are shared.
    pub(crate) fn weight(&self) -> usize {
        256 + self.way.weight() + 8 * (self.service_control().len() + self.resource_control().len()) + self.deps.weight()
    }
}

impl Level {
    /// About how many bytes it holds; the sets are shared.
    pub(crate) fn weight(&self) -> usize {
        let name = |named: &Named| named.name.as_ref().map_or(0, |name| name.len());
        256 + name(&self.service_control) + name(&self.resource_control) + self.deps.weight()
    }
}

impl Access {
    /// What binds `account` from above now.
    pub async fn levels(&self, account: AccountId) -> Result<Arc<Levels>, StoreError> {
        let known = self.levels.get(&account);
        if let Some(levels) = known.as_ref().filter(|levels| self.epochs.hold(&levels.deps)) {
            return Ok(levels.clone());
        }
        let way = known.map(|levels| levels.way.clone()).filter(|way| self.epochs.hold(&way.deps));
        let begun = self.epochs.begin();
        let climb = |tx| async move {
            let climb = Climb { access: self, tx, begun, is_present: true, supposed: &NOTHING };
            match way {
                Some(way) => climb.along(way).await,
                None => climb.levels(account).await,
            }
        };
        let levels = Arc::new(self.store.read_inside(SHARED, climb).await?);
        self.levels.insert(account, levels.clone());
        Ok(levels)
    }

    /// What binds the account that owns what `standing` asks for: its own, or another.
    pub async fn levels_of_owner(&self, standing: &Standing, owner: AccountId) -> Result<Arc<Levels>, StoreError> {
        match standing.levels_here(owner) {
            Some(levels) => Ok(levels.clone()),
            None => self.levels(owner).await,
        }
    }

    /// What bound `account` from above after `revision`.
    pub(crate) async fn levels_at(&self, revision: Revision, account: AccountId) -> Result<Levels, StoreError> {
        let climb = |tx| async move {
            Climb { access: self, tx, begun: Deps::none(), is_present: false, supposed: &NOTHING }.levels(account).await
        };
        self.store.read_at(revision, SHARED, climb).await
    }

    /// What binds `account` from above in a snapshot, of whatever time.
    pub async fn levels_in(&self, tx: &Tx<Read>, account: AccountId) -> Result<Arc<Levels>, StoreError> {
        let tx = tx.in_account(SHARED);
        let climb = Climb { access: self, tx, begun: Deps::none(), is_present: false, supposed: &NOTHING };
        Ok(Arc::new(climb.levels(account).await?))
    }

    /// What would bind `account` from above.
    pub(crate) async fn levels_supposed(&self, supposed: &Supposed, account: AccountId) -> Result<Levels, StoreError> {
        let climb = |tx| async move { Climb { access: self, tx, begun: Deps::none(), is_present: false, supposed }.levels(account).await };
        self.store.read_inside(SHARED, climb).await
    }
}

/// How levels are gathered from one snapshot.
struct Climb<'a> {
    access: &'a Access,
    tx: Tx<Read>,
    /// From before the snapshot was opened: what is read from it is never taken for newer than it is.
    begun: Deps,
    /// Of the past, and of what is only supposed, nothing is kept.
    is_present: bool,
    /// What is laid over what is read.
    supposed: &'a Supposed,
}

impl Climb<'_> {
    async fn levels(&self, account: AccountId) -> Result<Levels, StoreError> {
        let mut deps = self.begun.clone();
        deps.on(MemberRecord::KIND, SHARED, &account.bytes());
        let path = organization_path(&self.tx, account).await?;
        let place = path.map(|path| {
            deps.on(OrganizationRecord::KIND, SHARED, &path.organization.id.bytes());
            path.units.iter().for_each(|unit| deps.on(UnitRecord::KIND, SHARED, &unit.id.bytes()));
            Place {
                path: path.text().into(),
                targets: path.levels().into(),
                is_management: path.is_management(),
                organization: path.organization,
            }
        });
        self.along(Arc::new(Way { deps, place })).await
    }

    /// What is attached on the way.
    async fn along(&self, way: Arc<Way>) -> Result<Levels, StoreError> {
        let mut deps = way.deps.clone();
        let Some(place) = &way.place else { return Ok(Levels { deps, way, ..Levels::none() }) };
        // The management account is in the organization, and nothing of it binds it.
        let binds = |kind| !place.is_management && place.organization.has(kind);
        let (has_scps, has_rcps) = (binds(PolicyType::ServiceControlPolicy), binds(PolicyType::ResourceControlPolicy));
        let (mut service_control, mut resource_control) = (Vec::new(), Vec::new());
        let mut is_supposed = false;
        for target in place.targets.iter().filter(|_| has_scps || has_rcps) {
            let level = self.level(&place.organization, target).await?;
            deps.and(&level.deps);
            is_supposed |= level.is_supposed;
            service_control.extend(has_scps.then(|| level.service_control.clone()));
            resource_control.extend(has_rcps.then(|| level.resource_control.clone()));
        }
        let (service_control, resource_control) = (self.control(service_control), self.control(resource_control));
        Ok(Levels { deps, way, service_control, resource_control, is_supposed })
    }

    /// Levels, united once for all accounts that have the same.
    fn control(&self, levels: Vec<Named>) -> Control {
        let names: Option<Vec<&str>> = levels.iter().map(|level| level.name.as_deref()).collect();
        let name = names.map(|names| names.join("; "));
        let levels: Box<[Arc<PolicySet>]> = levels.into_iter().map(|level| level.set).collect();
        let known = &self.access.organization.united;
        let united = name.as_deref().and_then(|name| known.get(name));
        let united = united.unwrap_or_else(|| PolicySet::united(&levels).into());
        if let Some(name) = name {
            known.insert(name.into(), united.clone());
        }
        Control { levels, united }
    }

    async fn level(&self, organization: &OrganizationRecord, target: &TargetId) -> Result<Arc<Level>, StoreError> {
        if self.is_present
            && let Some(level) = self.access.organization.levels.get(target).filter(|level| self.access.epochs.hold(&level.deps))
        {
            return Ok(level);
        }
        let mut deps = self.begun.clone();
        deps.on(PolicyAttachmentRecord::KIND, SHARED, &target.bytes());
        let (service_control, scps_supposed) =
            self.set(organization, (target, PolicyType::ServiceControlPolicy, Kind::ServiceControl), &mut deps).await?;
        let (resource_control, rcps_supposed) =
            self.set(organization, (target, PolicyType::ResourceControlPolicy, Kind::ResourceControl), &mut deps).await?;
        let is_supposed = scps_supposed || rcps_supposed;
        let level = Arc::new(Level { deps, service_control, resource_control, is_supposed });
        if self.is_present {
            self.access.organization.levels.insert(target.clone(), level.clone());
        }
        Ok(level)
    }

    /// The union of the policies of one kind that are attached to one target. A version of a policy never changes, so neither does a set
    /// that is named by its versions. Says whether any of it is only supposed.
    async fn set(
        &self,
        organization: &OrganizationRecord,
        (target, kind, used_as): (&TargetId, PolicyType, Kind),
        deps: &mut Deps,
    ) -> Result<(Named, bool), StoreError> {
        let mut attached: Vec<OrganizationPolicyId> =
            attached_to(&self.tx, target, kind).await?.into_iter().map(|attachment| attachment.policy).collect();
        let mut is_supposed = false;
        for (policy, is_attached) in self.supposed.controls(target, kind) {
            attached.retain(|held| held != policy);
            attached.extend(is_attached.then(|| policy.clone()));
            is_supposed = true;
        }
        let (mut named, mut policies) = (kind.as_str().to_owned(), Vec::new());
        for id in attached {
            deps.on(OrganizationPolicyRecord::KIND, SHARED, &id.bytes());
            let policy = organization_policy(&self.tx, organization, &id).await?;
            let Some(policy) = self.supposed_text(policy, &id, organization, &mut is_supposed) else { continue };
            // Writing to a String cannot fail. AWS's policies are named by id alone, and are the same everywhere.
            let _ = write!(named, " {}@{}", policy.id, policy.version);
            policies.push(policy);
        }
        if is_supposed {
            let documents = policies.into_iter().map(|policy| Ok((Source::new(policy.arn), Arc::new(compile(&policy.content, used_as)?))));
            let documents = documents.collect::<Result<Vec<_>, StoreError>>()?;
            return Ok((Named { name: None, set: Arc::new(PolicySet::new(used_as, documents)) }, true));
        }
        let (sets, name) = (&self.access.organization.sets, Some(Arc::<str>::from(named.as_str())));
        if let Some(set) = sets.get(named.as_str()) {
            return Ok((Named { name, set }, false));
        }
        let mut documents = Vec::with_capacity(policies.len());
        for policy in policies {
            let key = (Box::<str>::from(policy.id.as_str()), policy.version);
            let known = self.access.organization.documents.get(&key);
            let compiled = match known {
                Some(compiled) => compiled,
                None => {
                    let compiled = Arc::new(compile(&policy.content, used_as)?);
                    self.access.organization.documents.insert(key, compiled.clone());
                    compiled
                }
            };
            documents.push((Source::new(policy.arn), compiled));
        }
        let set = Arc::new(PolicySet::new(used_as, documents));
        sets.insert(named.into(), set.clone());
        Ok((Named { name, set }, false))
    }

    /// A policy with the text that it would have.
    fn supposed_text(
        &self,
        policy: Option<OrganizationPolicy>,
        id: &OrganizationPolicyId,
        organization: &OrganizationRecord,
        is_supposed: &mut bool,
    ) -> Option<OrganizationPolicy> {
        let Some(text) = self.supposed.control_text(id) else { return policy };
        *is_supposed = true;
        let arn = policy.map_or_else(|| id.to_string(), |policy| policy.arn);
        Some(OrganizationPolicy { id: id.clone(), arn, content: Cow::Owned(text.to_owned()), version: 0, updated: organization.created })
    }
}

#[cfg(test)]
mod tests;
