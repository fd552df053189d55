//! Whole worlds in which a recorded decision can be made again: as the store was after a revision, as it is now, and as it would be with a
//! change. A world gives what a principal has in it, what binds its account, and what a resource says; it keeps what it has gathered.

use crate::Access;
use crate::decide::Question;
use crate::epochs::Deps;
use crate::grants::{Entity, Grants, compile};
use crate::levels::Levels;
use crate::standing::Standing;
use crate::supposed::Supposed;
use arn::{AccountId, Arn, UniqueId};
use audit::{Check, Identified, Keys, Recorded, Words};
use identities::{RoleName, RoleRecord};
use policy::{Context, Kind, PolicySet, Principal, Source};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use store::{Revision, StoreError};

/// How much of each kind a world keeps; with more, it begins anew.
const MOST_KEPT: usize = 20_000;

/// Which world.
#[derive(Clone, Copy)]
enum At<'a> {
    Revision(Revision),
    Now,
    Supposed(&'a Supposed),
}

/// A world.
pub struct World<'a> {
    access: &'a Access,
    at: At<'a>,
    grants: HashMap<(AccountId, Option<UniqueId>), Option<Arc<Grants>>>,
    levels: HashMap<AccountId, Arc<Levels>>,
    standings: HashMap<Whole, Option<Arc<Standing>>>,
    trusts: HashMap<(AccountId, Arn), Option<Arc<PolicySet>>>,
}

/// All that tells one recorded principal from another.
#[derive(PartialEq, Eq, Hash)]
struct Whole {
    kind: String,
    account: Option<AccountId>,
    principal: Option<String>,
    arn: Option<String>,
    invoked_by: Option<String>,
    is_lent: bool,
    policies: Vec<String>,
}

/// What a question rests on beside its principal, in one world.
pub struct Setting {
    standing: Arc<Standing>,
    policy: Option<Arc<PolicySet>>,
    levels: Arc<Levels>,
    /// Whether any of it is only supposed to be so.
    pub is_supposed: bool,
}

impl Setting {
    /// The principal.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The question that `check` asked.
    pub fn question<'q>(&'q self, check: &'q Check<'_>, facts: &'q Context) -> Question<'q> {
        Question {
            action: &check.action,
            resource: &check.resource,
            resource_account: check.resource_account,
            resource_policy: self.policy.as_deref(),
            resource_levels: &self.levels,
            facts,
        }
    }
}

impl<'a> World<'a> {
    fn new(access: &'a Access, at: At<'a>) -> Self {
        World { access, at, grants: HashMap::new(), levels: HashMap::new(), standings: HashMap::new(), trusts: HashMap::new() }
    }

    /// As it was after `revision`.
    pub fn past(access: &'a Access, revision: Revision) -> Self {
        World::new(access, At::Revision(revision))
    }

    /// As it is now; what changes while it is in use may be seen or not.
    pub fn now(access: &'a Access) -> Self {
        World::new(access, At::Now)
    }

    /// As it would be.
    pub fn supposing(access: &'a Access, supposed: &'a Supposed) -> Self {
        World::new(access, At::Supposed(supposed))
    }

    /// What an entity has (`None`: root); `None` if there is no such entity here, or its account is not served.
    pub async fn grants(&mut self, account: AccountId, id: Option<&UniqueId>) -> Result<Option<Arc<Grants>>, StoreError> {
        let key = (account, id.cloned());
        if let Some(kept) = self.grants.get(&key) {
            return Ok(kept.clone());
        }
        let grants = match self.at {
            At::Revision(revision) => self.access.grants_at(revision, account, id).await?.map(Arc::new),
            At::Now => self.access.grants(account, id).await?,
            At::Supposed(supposed) => self.access.grants_supposed(supposed, account, id).await?.map(Arc::new),
        };
        Ok(keep(&mut self.grants, key, grants))
    }

    /// What binds an account from above.
    pub async fn levels(&mut self, account: AccountId) -> Result<Arc<Levels>, StoreError> {
        if let Some(kept) = self.levels.get(&account) {
            return Ok(kept.clone());
        }
        let levels = match self.at {
            At::Revision(revision) => Arc::new(self.access.levels_at(revision, account).await?),
            At::Now => self.access.levels(account).await?,
            At::Supposed(supposed) => Arc::new(self.access.levels_supposed(supposed, account).await?),
        };
        Ok(keep(&mut self.levels, account, levels))
    }

    /// All that a recorded check rests on; `None` if its principal is not to be found here.
    pub async fn setting(
        &mut self,
        identity: &Identified,
        recorded: &Recorded<'_>,
        check: &Check<'_>,
    ) -> Result<Option<Setting>, StoreError> {
        let Some(standing) = self.standing(identity, recorded).await? else { return Ok(None) };
        let (policy, policy_is_supposed) = self.policy(check).await?;
        let levels = match check.resource_account {
            Some(account) if standing.account != Some(account) => self.levels(account).await?,
            Some(_) | None => standing.levels.clone(),
        };
        let grants_are_supposed = standing.grants.as_ref().is_some_and(|grants| grants.is_supposed);
        let is_supposed = policy_is_supposed || grants_are_supposed || levels.is_supposed || standing.levels.is_supposed;
        Ok(Some(Setting { is_supposed, standing, policy, levels }))
    }

    /// How a recorded principal stands here.
    async fn standing(&mut self, identity: &Identified, recorded: &Recorded<'_>) -> Result<Option<Arc<Standing>>, StoreError> {
        let whole = Whole {
            kind: identity.kind.clone(),
            account: identity.account_id,
            principal: identity.principal_id.clone(),
            arn: identity.arn.clone(),
            invoked_by: identity.invoked_by.clone(),
            is_lent: identity.invoked_by_delegate.is_some(),
            policies: recorded.session_policies.iter().map(|policy| policy.clone().into_owned()).collect(),
        };
        if let Some(kept) = self.standings.get(&whole) {
            return Ok(kept.clone());
        }
        let standing = self.stood(identity, recorded).await?.map(Arc::new);
        Ok(keep(&mut self.standings, whole, standing))
    }

    async fn stood(&mut self, identity: &Identified, recorded: &Recorded<'_>) -> Result<Option<Standing>, StoreError> {
        if identity.kind == "AWSService" {
            // A service has no policies: what let it in, or did not, stands in the checks.
            let name = identity.invoked_by.as_deref().and_then(|name| name.parse().ok());
            return Ok(name.map(|name| Standing::service(&name, None, Deps::none())));
        }
        let Some(account) = identity.account_id else { return Ok(Some(Standing::anonymous())) };
        let whole = identity.principal_id.as_deref().unwrap_or_default();
        let id = match identity.kind.as_str() {
            "FederatedUser" => identity.issuer_id(),
            _ => whole.split(':').next(),
        };
        // Root's id is its account's.
        let id: Option<UniqueId> = id.and_then(|id| id.parse().ok());
        let Some(grants) = self.grants(account, id.as_ref()).await? else { return Ok(None) };
        let arn = identity.arn.as_deref().and_then(|arn| arn.parse().ok());
        let Some(principal) = principal(&grants, arn) else { return Ok(None) };
        let federated = matches!(principal, Principal::Federated { .. });
        Ok(Some(Standing {
            deps: Deps::none(),
            arn: principal.arn().cloned(),
            account: Some(account),
            principal,
            user_id: whole.to_owned(),
            grants: Some(grants),
            levels: self.levels(account).await?,
            nothing: PolicySet::empty(Kind::Identity),
            session_policies: self.session_policies(recorded, account, federated).await?,
            is_lent: identity.invoked_by_delegate.is_some(),
            registered: None,
            facts: Arc::new(Context::new()),
        }))
    }

    async fn session_policies(
        &self,
        recorded: &Recorded<'_>,
        account: AccountId,
        federated: bool,
    ) -> Result<Option<PolicySet>, StoreError> {
        if recorded.session_policies.is_empty() {
            return Ok(federated.then(|| PolicySet::empty(Kind::Session)));
        }
        let mut documents = Vec::with_capacity(recorded.session_policies.len());
        for policy in &recorded.session_policies {
            let Ok(arn) = policy.parse::<Arn>() else {
                documents.push((Source::new("session policy"), Arc::new(compile(policy, Kind::Session)?)));
                continue;
            };
            let mut found = match self.at {
                At::Revision(revision) => self.access.managed_at(revision, account, &arn).await?.into_iter().collect(),
                At::Now | At::Supposed(_) => self.access.managed(account, std::slice::from_ref(&arn), Kind::Session).await?.0,
            };
            if let At::Supposed(supposed) = self.at
                && let Some(text) = supposed.text(&arn)
            {
                found = vec![(Source::new(arn.as_str()), Arc::new(compile(text, Kind::Session)?))];
            }
            if found.is_empty() {
                // A session that lost one of its policies may do nothing.
                return Ok(Some(PolicySet::empty(Kind::Session)));
            }
            documents.append(&mut found);
        }
        Ok(Some(PolicySet::new(Kind::Session, documents)))
    }

    /// The resource's policy: what is supposed of it, the one that the asker sent, or a role's trust policy. Says whether it is supposed.
    async fn policy(&mut self, check: &Check<'_>) -> Result<(Option<Arc<PolicySet>>, bool), StoreError> {
        if let At::Supposed(supposed) = self.at
            && let Some(policy) = supposed.resource(&check.resource)
        {
            return Ok((policy?.map(Arc::new), true));
        }
        if let Some(text) = &check.resource_policy {
            let policy = self.access.resource_policy(text).map_err(|error| StoreError::Failed(Box::new(error)))?;
            return Ok((Some(policy), false));
        }
        let Some((account, arn)) = trusting(check) else { return Ok((None, false)) };
        if let At::Supposed(supposed) = self.at
            && let Some(trust) = supposed.trust(&arn)?
        {
            return Ok((Some(Arc::new(trust)), true));
        }
        Ok((self.trust(account, arn).await?, false))
    }

    async fn trust(&mut self, account: AccountId, arn: Arn) -> Result<Option<Arc<PolicySet>>, StoreError> {
        let key = (account, arn);
        if let Some(kept) = self.trusts.get(&key) {
            return Ok(kept.clone());
        }
        let name = key.1.resource().rsplit('/').next().and_then(|name| name.parse::<RoleName>().ok());
        let Some(name) = name else { return Ok(None) };
        let partition = account.to_string();
        let store = &self.access.store;
        let find = |tx: store::Tx<store::Read>| async move { tx.find(RoleRecord::BY_NAME, &name).await };
        let role = match self.at {
            At::Revision(revision) => store.read_at(revision, &partition, find).await?,
            At::Now | At::Supposed(_) => store.read_inside(&partition, find).await?,
        };
        let trust = role.filter(|role| role.arn(account) == key.1).map(|role| crate::compiled_trust(&role)).transpose()?.map(Arc::new);
        Ok(keep(&mut self.trusts, key, trust))
    }
}

fn keep<K: Eq + Hash, V: Clone>(kept: &mut HashMap<K, V>, key: K, value: V) -> V {
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(key, value.clone());
    value
}

/// The condition keys of a recorded check. Those of which the record does not have the whole count as absent.
pub fn recorded_facts(recorded: &Recorded<'_>, check: &Check<'_>) -> Context {
    let mut facts = Context::new();
    put(&mut facts, &recorded.keys);
    put(&mut facts, &check.keys);
    facts
}

fn put(facts: &mut Context, keys: &Keys<'_>) {
    let altered: Vec<&str> = keys.altered().collect();
    for (key, words) in &keys.0 {
        if altered.contains(&&**key) {
            continue;
        }
        match words {
            Words::One(value) => facts.insert(key, &**value),
            Words::Many(values) => facts.insert_many(key, values.iter().map(|value| &**value)),
        }
    }
}

/// A check that a role's trust policy judges too.
fn trusting(check: &Check<'_>) -> Option<(AccountId, Arn)> {
    let on_trust = matches!(&*check.action, "sts:AssumeRole" | "sts:TagSession" | "sts:SetSourceIdentity");
    let arn: Arn = check.resource.parse().ok().filter(|_| on_trust)?;
    let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
    Some((check.resource_account?, arn)).filter(|_| is_role)
}

fn principal(grants: &Grants, arn: Option<Arn>) -> Option<Principal> {
    let account = grants.account;
    let federated = arn.as_ref().is_some_and(|arn| arn.service() == "sts" && arn.resource().starts_with("federated-user/"));
    match (&grants.entity, arn) {
        (_, Some(arn)) if federated => {
            Some(Principal::Federated { arn, account, by: Some(grants.arn().clone()), by_id: grants.id().cloned() })
        }
        (Entity::Root, _) => Some(Principal::root(account)),
        (Entity::User(user), _) => Some(Principal::User { arn: grants.arn().clone(), id: Some(user.id.clone()), account }),
        (Entity::Role(role), Some(arn)) => Some(Principal::Session {
            arn,
            role: grants.arn().clone(),
            role_id: Some(role.id.clone()),
            account,
            service_linked: role.is_service_linked(),
        }),
        (Entity::Role(_), None) => None,
    }
}
