//! How a principal stands at this moment: who it is, what policies bind it, and the condition keys that are true of it.
//! Source of the keys: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable>.

use crate::Access;
use crate::epochs::Deps;
use crate::grants::{Entity, Grants};
use crate::levels::{Levels, Whose};
use crate::services::Registered;
use crate::sessions::{Session, SessionOf};
use arn::{AccountId, Arn, UniqueId};
use identities::{
    CENTRAL_ROOT_SERVICE, CentralRootRecord, DelegatedAdministratorRecord, MemberRecord, OrganizationRecord, ServiceAccessRecord, Tag,
    central_root, root_task,
};
use policy::{Compiled, Context, Document, Kind, PolicySet, Principal, Source};
use std::sync::Arc;
use store::{KeyPart, Record, SHARED, StoreError};

/// A principal with all that deciding for it needs.
pub struct Standing {
    pub(crate) deps: Deps,
    /// Who it is, for policies.
    pub principal: Principal,
    /// The caller's own ARN: a user's, a session's, root's. `None` only for whom nobody knows.
    pub arn: Option<Arn>,
    /// Its account.
    pub account: Option<AccountId>,
    /// `aws:userid`.
    pub user_id: String,
    /// What its user or role has; nothing, for whom nobody knows.
    pub grants: Option<Arc<Grants>>,
    /// What its organization lays on its account.
    pub levels: Arc<Levels>,
    /// What whoever has no grants has.
    pub(crate) nothing: PolicySet,
    /// What a session is narrowed to.
    pub session_policies: Option<PolicySet>,
    /// Its rights are somebody's who lent them for what its session policies say: nothing else grants it more.
    pub is_lent: bool,
    /// What Bailiwick lets a registered service do.
    pub registered: Option<Registered>,
    /// The condition keys that are true of it whatever it asks.
    pub facts: Arc<Context>,
}

impl Standing {
    /// Whoever did not sign.
    pub fn anonymous() -> Self {
        let mut facts = Context::new();
        facts.insert("aws:PrincipalType", "Anonymous");
        facts.insert("aws:PrincipalAccount", "anonymous");
        facts.insert("aws:userid", "anonymous");
        facts.insert("aws:ViaAWSService", "false");
        Standing {
            deps: Deps::none(),
            principal: Principal::Anonymous,
            arn: None,
            account: None,
            user_id: "anonymous".into(),
            grants: None,
            levels: Arc::new(Levels::none()),
            nothing: PolicySet::empty(Kind::Identity),
            session_policies: None,
            is_lent: false,
            registered: None,
            facts: Arc::new(facts),
        }
    }

    /// A user or root with a long-term key.
    pub(crate) fn long_term(grants: Arc<Grants>, levels: Arc<Levels>) -> Self {
        let (principal, user_id, mut facts) = whole(&grants);
        tags(&mut facts, &grants, None);
        Standing::of((grants, levels), principal, user_id, facts, None)
    }

    /// Whoever has these grants, whatever it asks with: a user or root itself, or some session of a role.
    pub fn of_holder(grants: Grants, levels: Arc<Levels>) -> Self {
        let grants = Arc::new(grants);
        let Entity::Role(role) = &grants.entity else { return Standing::long_term(grants, levels) };
        let mut facts = known(grants.account);
        facts.insert("aws:PrincipalType", "AssumedRole");
        facts.insert("aws:PrincipalArn", grants.arn().as_str());
        tags(&mut facts, &grants, None);
        let principal = Principal::Session {
            arn: Arn::sts(grants.account, format_args!("assumed-role/{}/some-session", role.name)),
            role: grants.arn().clone(),
            role_id: Some(role.id.clone()),
            account: grants.account,
            service_linked: role.is_service_linked(),
        };
        let id = role.id.to_string();
        Standing::of((grants, levels), principal, id, facts, None)
    }

    fn of(
        (grants, levels): (Arc<Grants>, Arc<Levels>),
        principal: Principal,
        user_id: String,
        mut facts: Context,
        session_policies: Option<(PolicySet, Deps)>,
    ) -> Self {
        levels.say(Whose::Principal, &mut facts);
        let mut deps = grants.deps.clone();
        deps.and(&levels.deps);
        let session_policies = session_policies.map(|(set, more)| {
            deps.and(&more);
            set
        });
        Standing {
            deps,
            arn: principal.arn().cloned().or_else(|| Some(grants.arn().clone())),
            account: Some(grants.account),
            principal,
            user_id,
            grants: Some(grants),
            levels,
            nothing: PolicySet::empty(Kind::Identity),
            session_policies,
            is_lent: false,
            registered: None,
            facts: Arc::new(facts),
        }
    }

    /// About how many bytes it holds. What it has is counted with each that has it: the cache of grants may have let go of it.
    pub(crate) fn weight(&self) -> usize {
        let session = self.session_policies.as_ref().map_or(0, PolicySet::weight);
        let registered = self.registered.as_ref().map_or(0, |registered| registered.text.len() + registered.set.weight());
        512 + session + registered + self.facts.weight() + self.grants.as_ref().map_or(0, |grants| grants.weight())
    }

    /// What its organization lays on `account`, if that is its own.
    pub(crate) fn levels_here(&self, account: AccountId) -> Option<&Arc<Levels>> {
        (self.account == Some(account)).then_some(&self.levels)
    }

    /// Whether nothing that it rests on has changed.
    pub(crate) fn holds(&self, access: &Access) -> bool {
        access.epochs.hold(&self.deps)
    }
}

/// A user or root itself.
fn whole(grants: &Grants) -> (Principal, String, Context) {
    let mut facts = known(grants.account);
    let account = grants.account;
    facts.insert("aws:PrincipalArn", grants.arn().as_str());
    match &grants.entity {
        Entity::User(user) => {
            facts.insert("aws:PrincipalType", "User");
            facts.insert("aws:userid", user.id.as_str());
            facts.insert("aws:username", user.name.as_str());
            (Principal::User { arn: grants.arn().clone(), id: Some(user.id.clone()), account }, user.id.to_string(), facts)
        }
        Entity::Root | Entity::Role(_) => {
            facts.insert("aws:PrincipalType", "Account");
            facts.insert("aws:userid", account.to_string());
            (Principal::root(account), account.to_string(), facts)
        }
    }
}

/// What is true of every principal of an account that is no service.
fn known(account: AccountId) -> Context {
    let mut facts = Context::new();
    facts.insert("aws:PrincipalAccount", account.to_string());
    facts.insert("aws:PrincipalIsAWSService", "false");
    facts.insert("aws:ViaAWSService", "false");
    facts
}

/// `aws:PrincipalTag/…`: the user's or role's own, and over them the session's.
fn tags(facts: &mut Context, grants: &Grants, session: Option<&Session>) {
    let own = match &grants.entity {
        Entity::Root => None,
        Entity::User(user) => Some(&user.tags),
        Entity::Role(role) => Some(&role.tags),
    };
    for Tag { key, value } in own.into_iter().flat_map(|tags| tags.iter()) {
        facts.insert(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    for tag in session.into_iter().flat_map(|session| &session.tags) {
        facts.insert(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
    }
}

/// What only temporary credentials have.
fn temporary(facts: &mut Context, session: &Session) {
    facts.insert("aws:TokenIssueTime", crate::facts::iso(session.issued));
    facts.insert("aws:MultiFactorAuthPresent", if session.mfa.is_some() { "true" } else { "false" });
    if let Some(identity) = &session.source_identity {
        facts.insert("aws:SourceIdentity", identity.as_str());
    }
    if let Some(provider) = &session.provider {
        facts.insert("aws:FederatedProvider", provider.as_str());
    }
}

impl Access {
    /// How a user or role stands before it asks for anything; `None` if it is not there. A role stands for a session of it whose name nobody knows.
    pub async fn standing_of(&self, account: AccountId, id: &UniqueId) -> Result<Option<Standing>, StoreError> {
        let Some(grants) = self.grants(account, Some(id)).await? else { return Ok(None) };
        let levels = self.levels(account).await?;
        let Entity::Role(role) = &grants.entity else { return Ok(Some(Standing::long_term(grants, levels))) };
        let mut facts = known(account);
        facts.insert("aws:PrincipalType", "AssumedRole");
        facts.insert("aws:PrincipalArn", grants.arn().as_str());
        tags(&mut facts, &grants, None);
        let principal = Principal::Session {
            arn: grants.arn().clone(),
            role: grants.arn().clone(),
            role_id: Some(id.clone()),
            account,
            service_linked: role.is_service_linked(),
        };
        Ok(Some(Standing::of((grants, levels), principal, id.to_string(), facts, None)))
    }

    /// How a session stands now; `None` if its role or user is gone, or the key that asked for it is.
    pub(crate) async fn session_standing(&self, account: AccountId, session: &Session) -> Result<Option<Standing>, StoreError> {
        let id = match &session.of {
            SessionOf::Role { id, .. } => Some(id),
            SessionOf::User { id } | SessionOf::Key { id } | SessionOf::Federated { by: id, .. } => id.as_ref(),
            SessionOf::AssumedRoot { .. } => None,
        };
        let Some(grants) = self.grants(account, id).await? else { return Ok(None) };
        let asker = match &session.asked_with {
            Some(key) => match self.active_key(key).await? {
                Some(deps) => Some(deps),
                None => return Ok(None),
            },
            None => None,
        };
        let policies = self.session_policies(account, session).await?;
        let levels = self.levels(account).await?;
        let mut standing = match &session.of {
            SessionOf::User { .. } => {
                let (principal, user_id, mut facts) = whole(&grants);
                tags(&mut facts, &grants, Some(session));
                temporary(&mut facts, session);
                Standing::of((grants, levels), principal, user_id, facts, policies)
            }
            SessionOf::AssumedRoot { by } => {
                let Some(lent) = self.root_is_lent(*by, account, session).await? else { return Ok(None) };
                let (principal, user_id, mut facts) = whole(&grants);
                temporary(&mut facts, session);
                // Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
                facts.insert("aws:AssumedRoot", "true");
                let mut standing = Standing::of((grants, levels), principal, user_id, facts, policies);
                standing.deps.and(&lent);
                standing
            }
            // As it is with its long-term key: nothing is true of it that is true of temporary credentials only.
            SessionOf::Key { .. } => Standing::long_term(grants, levels),
            SessionOf::Role { id, name } => {
                let Entity::Role(role) = &grants.entity else { return Ok(None) };
                let mut facts = known(account);
                let user_id = format!("{id}:{name}");
                facts.insert("aws:PrincipalType", "AssumedRole");
                facts.insert("aws:userid", user_id.as_str());
                facts.insert("aws:PrincipalArn", grants.arn().as_str());
                tags(&mut facts, &grants, Some(session));
                temporary(&mut facts, session);
                let principal = Principal::Session {
                    arn: Arn::sts(account, format_args!("assumed-role/{}/{name}", role.name)),
                    role: grants.arn().clone(),
                    role_id: Some(id.clone()),
                    account,
                    service_linked: role.is_service_linked(),
                };
                Standing::of((grants, levels), principal, user_id, facts, policies)
            }
            SessionOf::Federated { name, .. } => {
                let mut facts = known(account);
                let arn = Arn::sts(account, format_args!("federated-user/{name}"));
                let user_id = format!("{account}:{name}");
                facts.insert("aws:PrincipalType", "FederatedUser");
                facts.insert("aws:userid", user_id.as_str());
                facts.insert("aws:PrincipalArn", arn.as_str());
                tags(&mut facts, &grants, Some(session));
                temporary(&mut facts, session);
                let principal = Principal::Federated { arn, account, by: Some(grants.arn().clone()), by_id: grants.id().cloned() };
                // With no session policy a federated user has only what resource policies give it.
                // Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>.
                let policies = policies.unwrap_or_else(|| (PolicySet::empty(Kind::Session), Deps::none()));
                Standing::of((grants, levels), principal, user_id, facts, Some(policies))
            }
        };
        standing.is_lent = session.delegate.is_some();
        if let Some(asker) = asker {
            standing.deps.and(&asker);
        }
        if let Some(via) = &session.via {
            let Some(chain) = self.chain(via).await? else { return Ok(None) };
            standing.deps.and(&chain);
            standing.through(&via.services);
        }
        Ok(Some(standing))
    }

    /// What it rests on that `by` may be the root user of `account` for this session's task; `None` if it may not any more.
    async fn root_is_lent(&self, by: AccountId, account: AccountId, session: &Session) -> Result<Option<Deps>, StoreError> {
        let [task] = session.managed.as_slice() else { return Ok(None) };
        let Some(feature) = root_task(task) else { return Ok(None) };
        let mut deps = self.epochs.begin();
        // A closed account lends nothing any more, nor is it lent to.
        let Some(administrator) = self.grants(by, None).await? else { return Ok(None) };
        let lent = self.store.read_inside(SHARED, |tx| async move { central_root(&tx, by, account, feature).await }).await?;
        let Some(organization) = lent else { return Ok(None) };
        let service = CENTRAL_ROOT_SERVICE.to_owned();
        deps.on(MemberRecord::KIND, SHARED, &by.bytes());
        deps.on(MemberRecord::KIND, SHARED, &account.bytes());
        deps.on(OrganizationRecord::KIND, SHARED, &organization.bytes());
        deps.on(CentralRootRecord::KIND, SHARED, &organization.bytes());
        deps.on(ServiceAccessRecord::KIND, SHARED, &(&organization, &service).bytes());
        deps.on(DelegatedAdministratorRecord::KIND, SHARED, &(&by, &service).bytes());
        deps.and(&administrator.deps);
        Ok(Some(deps))
    }

    /// The policies that a session was given. Where one is gone, nothing is allowed.
    async fn session_policies(&self, account: AccountId, session: &Session) -> Result<Option<(PolicySet, Deps)>, StoreError> {
        if session.policy.is_none() && session.managed.is_empty() {
            return Ok(None);
        }
        let (mut documents, deps) = self.managed(account, &session.managed, Kind::Session).await?;
        if documents.len() < session.managed.len() {
            // What it denied cannot be known any more: a session that lost one of its policies may do nothing.
            return Ok(Some((PolicySet::empty(Kind::Session), deps)));
        }
        if let Some(text) = &session.policy {
            let document = Document::parse(text).map_err(|error| StoreError::Failed(Box::new(error)))?;
            documents.push((Source::new("session policy"), Arc::new(Compiled::new(&document, Kind::Session))));
        }
        Ok(Some((PolicySet::new(Kind::Session, documents), deps)))
    }
}
