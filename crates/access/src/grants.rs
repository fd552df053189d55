//! What a user or a role has: its policies of every kind, compiled, and whom it lets in. Loaded in one snapshot, true until something that
//! it depends on changes. Source of what counts: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use crate::Access;
use crate::epochs::Deps;
use crate::supposed::{NOTHING, Supposed};
use arn::{AccountId, Arn, UniqueId};
use identities::{
    AccountRecord, AccountStatus, GroupRecord, InlinePolicyRecord, PolicyRecord, PolicyVersionRecord, RoleRecord, Tags, UserRecord,
    customer_policy_arn, managed_policy,
};
use policy::{Compiled, Document, Kind, PolicySet, Source};
use std::sync::Arc;
use store::{KeyPart, Read, Record, Revision, SHARED, StoreError, Tx};

/// The slot that every change of an account's managed policies marks, for those that rest on one that is not there.
pub(crate) const ANY_POLICY: &str = "any policy";

/// Who has it.
#[derive(Debug, Clone)]
pub enum Entity {
    /// The account's root user: everything in its account.
    Root,
    /// A user.
    User(UserRecord),
    /// A role.
    Role(RoleRecord),
}

/// The policies of a user, a role or root.
pub struct Grants {
    pub(crate) deps: Deps,
    /// Its account.
    pub account: AccountId,
    /// Who it is, as of now.
    pub entity: Entity,
    arn: Arn,
    /// Inline and attached policies, the groups' among them.
    pub identity: PolicySet,
    /// The permissions boundary. One that cannot be found allows nothing.
    pub boundary: Option<PolicySet>,
    /// A role's trust policy.
    pub trust: Option<PolicySet>,
    /// Whether any of it is only supposed to be so.
    pub(crate) is_supposed: bool,
    weight: usize,
}

impl Entity {
    /// About how many bytes its record holds.
    fn weight(&self) -> usize {
        let tags = |tags: &Tags| tags.iter().map(|tag| tag.key.as_str().len() + tag.value.as_str().len() + 64).sum::<usize>();
        let arns = |arns: &[Arn]| arns.iter().map(|arn| arn.as_str().len() + 32).sum::<usize>();
        match self {
            Entity::Root => 0,
            // The tags are held twice: in the record, and as condition keys.
            Entity::User(user) => 2 * tags(&user.tags) + arns(&user.attached) + 32 * user.groups.len(),
            Entity::Role(role) => {
                2 * tags(&role.tags)
                    + arns(&role.attached)
                    + role.trust.document.len()
                    + role.description.as_ref().map_or(0, String::len)
                    + 128 * role.trust.pinned.len()
            }
        }
    }
}

impl Grants {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// The entity's unique id; root has none.
    pub fn id(&self) -> Option<&UniqueId> {
        match &self.entity {
            Entity::Root => None,
            Entity::User(user) => Some(&user.id),
            Entity::Role(role) => Some(&role.id),
        }
    }

    /// The entity's ARN.
    pub fn arn(&self) -> &Arn {
        &self.arn
    }
}

/// How the documents of one principal are gathered, and what they depend on.
struct Gathering<'a> {
    access: &'a Access,
    tx: Tx<Read>,
    account: AccountId,
    partition: String,
    deps: Deps,
    /// What is laid over what is read.
    supposed: &'a Supposed,
    is_supposed: bool,
}

impl<'a> Gathering<'a> {
    fn new(access: &'a Access, tx: Tx<Read>, account: AccountId, deps: Deps, supposed: &'a Supposed) -> Self {
        Gathering { access, tx, account, partition: account.to_string(), deps, supposed, is_supposed: false }
    }
}

impl Access {
    /// The grants of the entity with this id (`None`: root), or `None` if there is no such entity, or its account is not served.
    pub async fn grants(&self, account: AccountId, id: Option<&UniqueId>) -> Result<Option<Arc<Grants>>, StoreError> {
        let key = (account, id.cloned());
        if let Some(grants) = self.grants.get(&key).filter(|grants| self.epochs.hold(&grants.deps)) {
            return Ok(Some(grants));
        }
        let deps = self.epochs.begin();
        let gather = |tx| async move { Gathering::new(self, tx, account, deps, &NOTHING).grants(id).await };
        let loaded = self.store.read_inside(&account.to_string(), gather).await?;
        let Some(grants) = loaded.map(Arc::new) else {
            self.grants.remove(&key);
            return Ok(None);
        };
        self.grants.insert(key, grants.clone());
        Ok(Some(grants))
    }

    /// The grants of an entity as they were after `revision`.
    pub(crate) async fn grants_at(
        &self,
        revision: Revision,
        account: AccountId,
        id: Option<&UniqueId>,
    ) -> Result<Option<Grants>, StoreError> {
        let gather = |tx| async move { Gathering::new(self, tx, account, Deps::none(), &NOTHING).grants(id).await };
        self.store.read_at(revision, &account.to_string(), gather).await
    }

    /// The grants of an entity in a snapshot, of whatever time, in its account.
    pub async fn grants_in(&self, tx: &Tx<Read>, account: AccountId, id: Option<&UniqueId>) -> Result<Option<Grants>, StoreError> {
        Gathering::new(self, tx.clone(), account, Deps::none(), &NOTHING).grants(id).await
    }

    /// The grants that an entity would have.
    pub(crate) async fn grants_supposed(
        &self,
        supposed: &Supposed,
        account: AccountId,
        id: Option<&UniqueId>,
    ) -> Result<Option<Grants>, StoreError> {
        let gather = |tx| async move { Gathering::new(self, tx, account, Deps::none(), supposed).grants(id).await };
        self.store.read_inside(&account.to_string(), gather).await
    }

    /// The compiled default version of a managed policy as it was after `revision`, for a session that was narrowed by it.
    pub(crate) async fn managed_at(
        &self,
        revision: Revision,
        account: AccountId,
        arn: &Arn,
    ) -> Result<Option<(Source, Arc<Compiled>)>, StoreError> {
        let gather = |tx| async move { Gathering::new(self, tx, account, Deps::none(), &NOTHING).managed(arn, Kind::Session).await };
        self.store.read_at(revision, &account.to_string(), gather).await
    }

    /// The compiled default version of a managed policy, with what that depends on; `None` if there is none with this ARN. A session's
    /// managed policies are looked up so.
    pub(crate) async fn managed(
        &self,
        account: AccountId,
        arns: &[Arn],
        kind: Kind,
    ) -> Result<(Vec<(Source, Arc<Compiled>)>, Deps), StoreError> {
        let deps = self.epochs.begin();
        self.store
            .read_inside(&account.to_string(), |tx| async move {
                let mut gathering = Gathering::new(self, tx, account, deps, &NOTHING);
                let mut found = Vec::with_capacity(arns.len());
                for arn in arns {
                    found.extend(gathering.managed(arn, kind).await?);
                }
                Ok((found, gathering.deps))
            })
            .await
    }
}

impl Gathering<'_> {
    async fn grants(mut self, id: Option<&UniqueId>) -> Result<Option<Grants>, StoreError> {
        self.deps.on(AccountRecord::KIND, SHARED, &self.account.bytes());
        let account = self.tx.in_account(SHARED).get::<AccountRecord>(&self.account).await?;
        let Some(account) = account.filter(|account| account.status == AccountStatus::Active) else { return Ok(None) };
        match id {
            None => Ok(Some(self.finish(Entity::Root, Vec::new(), None, None))),
            Some(id) if id.kind() == Some(arn::IdKind::Role) => self.role(id).await,
            Some(id) => self.user(id, account.users_may_change_password).await,
        }
    }

    async fn user(mut self, id: &UniqueId, may_change_password: bool) -> Result<Option<Grants>, StoreError> {
        self.deps.on(UserRecord::KIND, &self.partition, &id.bytes());
        let Some(mut user) = self.tx.get::<UserRecord>(id).await? else { return Ok(None) };
        self.suppose(id, &mut user.attached, &mut user.permissions_boundary);
        let mut documents = self.inline(id, "user", user.name.as_str()).await?;
        if may_change_password {
            documents.push(own_password()?);
        }
        for arn in &user.attached {
            documents.extend(self.managed(arn, Kind::Identity).await?);
        }
        for group in &user.groups {
            self.deps.on(GroupRecord::KIND, &self.partition, &group.bytes());
            let Some(mut group) = self.tx.get::<GroupRecord>(group).await? else { continue };
            self.is_supposed |= self.supposed.attached(&group.id, &mut group.attached);
            documents.extend(self.inline(&group.id, "group", group.name.as_str()).await?);
            for arn in &group.attached {
                documents.extend(self.managed(arn, Kind::Identity).await?);
            }
        }
        let boundary = self.boundary(user.permissions_boundary.as_ref()).await?;
        Ok(Some(self.finish(Entity::User(user), documents, boundary, None)))
    }

    async fn role(mut self, id: &UniqueId) -> Result<Option<Grants>, StoreError> {
        self.deps.on(RoleRecord::KIND, &self.partition, &id.bytes());
        let Some(mut role) = self.tx.get::<RoleRecord>(id).await? else { return Ok(None) };
        self.suppose(id, &mut role.attached, &mut role.permissions_boundary);
        let mut documents = self.inline(id, "role", role.name.as_str()).await?;
        for arn in &role.attached {
            documents.extend(self.managed(arn, Kind::Identity).await?);
        }
        let boundary = self.boundary(role.permissions_boundary.as_ref()).await?;
        let trust = match self.supposed.trust(&role.arn(self.account))? {
            Some(trust) => {
                self.is_supposed = true;
                trust
            }
            None => compiled_trust(&role)?,
        };
        Ok(Some(self.finish(Entity::Role(role), documents, boundary, Some(trust))))
    }

    fn finish(
        self,
        entity: Entity,
        documents: Vec<(Source, Arc<Compiled>)>,
        boundary: Option<PolicySet>,
        trust: Option<PolicySet>,
    ) -> Grants {
        let identity = PolicySet::new(Kind::Identity, documents);
        let sets = [Some(&identity), boundary.as_ref(), trust.as_ref()];
        let weight = 1_024 + entity.weight() + sets.into_iter().flatten().map(PolicySet::weight).sum::<usize>();
        let arn = match &entity {
            Entity::Root => Arn::iam(self.account, "root"),
            Entity::User(user) => user.arn(self.account),
            Entity::Role(role) => role.arn(self.account),
        };
        Grants { arn, deps: self.deps, account: self.account, entity, identity, boundary, trust, is_supposed: self.is_supposed, weight }
    }

    /// Lays what is supposed over what a user or a role has.
    fn suppose(&mut self, id: &UniqueId, attached: &mut Vec<Arn>, boundary: &mut Option<Arn>) {
        self.is_supposed |= self.supposed.attached(id, attached);
        if let Some(supposed) = self.supposed.boundary(id) {
            *boundary = supposed.cloned();
            self.is_supposed = true;
        }
    }

    async fn inline(&mut self, entity: &UniqueId, kind: &str, name: &str) -> Result<Vec<(Source, Arc<Compiled>)>, StoreError> {
        self.deps.on(InlinePolicyRecord::KIND, &self.partition, &entity.bytes());
        // No entity can hold more: names are few where the sum of sizes is bounded, and a page is read to its end.
        let page = self.tx.scan::<InlinePolicyRecord>(InlinePolicyRecord::KEY.under(entity), None, usize::MAX - 1, |_| true).await?;
        let supposed: Vec<(&str, Option<&str>)> = self.supposed.inline(entity).collect();
        self.is_supposed |= !supposed.is_empty();
        let kept = page.records.iter().filter(|policy| supposed.iter().all(|(name, _)| *name != policy.name.as_str()));
        let kept = kept.map(|policy| (policy.name.as_str(), &*policy.document));
        kept.chain(supposed.iter().filter_map(|(name, text)| Some((*name, (*text)?))))
            .map(|(policy, text)| {
                let source = Source::new(format!("inline policy {policy} of {kind} {name}"));
                Ok((source, Arc::new(compile(text, Kind::Identity)?)))
            })
            .collect()
    }

    /// A boundary that is not there any more is an empty one: it allows nothing.
    async fn boundary(&mut self, arn: Option<&Arn>) -> Result<Option<PolicySet>, StoreError> {
        let Some(arn) = arn else { return Ok(None) };
        Ok(Some(PolicySet::new(Kind::Boundary, self.managed(arn, Kind::Boundary).await?)))
    }

    async fn managed(&mut self, arn: &Arn, kind: Kind) -> Result<Option<(Source, Arc<Compiled>)>, StoreError> {
        let source = Source::new(arn.as_str());
        if let Some(text) = self.supposed.text(arn) {
            self.is_supposed = true;
            return Ok(Some((source, Arc::new(compile(text, kind)?))));
        }
        if let Some(policy) = managed_policy(arn) {
            return Ok(Some((source, self.access.compiled((policy.id.clone(), 0), kind, || compile(policy.document, kind))?)));
        }
        // A policy is found by its name: its path is part of the ARN, and must be the same.
        let Some((account, name)) = customer_policy_arn(arn) else { return Ok(None) };
        if account != self.account {
            return Ok(None);
        }
        let Some(policy) = self.tx.find(PolicyRecord::BY_NAME, &name).await? else {
            // It may be made again, under this name and another id: any change of a policy of the account ends what rests on this.
            self.deps.on(ANY_POLICY, &self.partition, &[]);
            return Ok(None);
        };
        self.deps.on(PolicyRecord::KIND, &self.partition, &policy.id.bytes());
        if policy.arn(account) != *arn {
            return Ok(None);
        }
        let key = (policy.id.clone(), policy.default_version);
        if let Some(compiled) = self.access.compiled_already(&key, kind) {
            return Ok(Some((source, compiled)));
        }
        let Some(version) = self.tx.get::<PolicyVersionRecord>((&policy.id, &policy.default_version)).await? else { return Ok(None) };
        Ok(Some((source, self.access.compiled(key, kind, || compile(&version.document, kind))?)))
    }
}

/// What an account whose password policy says so grants each of its users: their own password, and the rules for it. The document is
/// constant: `iam:ChangePassword` reaches nobody but its caller, and no name ever becomes part of a policy.
fn own_password() -> Result<(Source, Arc<Compiled>), StoreError> {
    const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}"#;
    Ok((Source::new("account password policy"), Arc::new(compile(DOCUMENT, Kind::Identity)?)))
}

/// A role's trust policy, its principals pinned to the ids that they had when it was saved.
pub fn compiled_trust(role: &RoleRecord) -> Result<PolicySet, StoreError> {
    let document = parse(&role.trust.document)?;
    let pinned = document.pinned(|arn| role.trust.pinned.iter().find(|(named, _)| named == arn).map(|(_, id)| id.clone()));
    let source = Source::new(format!("trust policy of role {}", role.name));
    Ok(PolicySet::new(Kind::Trust, [(source, Arc::new(Compiled::new(&pinned, Kind::Trust)))]))
}

pub(crate) fn compile(text: &str, kind: Kind) -> Result<Compiled, StoreError> {
    Ok(Compiled::new(&parse(text)?, kind))
}

/// A stored document was read before it was saved; one that does not read is damage, and nothing is decided without it.
fn parse(text: &str) -> Result<Document, StoreError> {
    Document::parse(text).map_err(|error| StoreError::Failed(Box::new(error)))
}
