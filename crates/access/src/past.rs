//! Why was that decided? A decision that the trail recorded is made again, on the policies as they were at its revision and with the condition
//! keys that it had then. Source of the form: `audit::Recorded`.

use crate::Access;
use crate::decide::Question;
use crate::epochs::Deps;
use crate::grants::{Entity, Grants};
use crate::standing::Standing;
use arn::{AccountId, Arn, UniqueId};
use audit::{Check, Identified, Keys, Parsed, Recorded, Words};
use identities::{RoleName, RoleRecord};
use policy::{Compiled, Context, Document, Explanation, Kind, PolicySet, Principal, Source};
use std::sync::Arc;
use store::{Revision, StoreError};

/// Why a recorded decision cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    /// Nothing was decided: the request did not come so far, or nothing is asked for it.
    #[error("nothing was decided for this request: {0}")]
    Undecided(String),
    /// The history does not reach back so far, or the principal cannot be told from the record.
    #[error("the principal of this request cannot be found at its revision")]
    NoPrincipal,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One check of a request, explained.
#[derive(Debug)]
pub struct Explained {
    /// What was asked.
    pub check: Check<'static>,
    /// Why the answer was what it was.
    pub explanation: Explanation,
    /// Condition keys whose values the trail cut or left out: they count as absent here.
    pub altered: Vec<String>,
}

impl Access {
    /// Explains every check of a recorded request.
    pub async fn explain_recorded(&self, event: &Parsed) -> Result<Vec<Explained>, Unexplained> {
        let Some(recorded) = event.recorded() else {
            let why = event.error_message.clone().or(event.error_code.clone()).unwrap_or_else(|| "no permission is asked for it".into());
            return Err(Unexplained::Undecided(why));
        };
        let standing = self.stood(recorded, &event.identity).await?;
        let mut all = Vec::with_capacity(recorded.checks.len());
        for check in &recorded.checks {
            let mut facts = Context::new();
            put(&mut facts, &recorded.keys);
            put(&mut facts, &check.keys);
            let policy = self.policy_of(recorded.revision, check).await?;
            let levels = match check.resource_account {
                Some(account) if standing.account != Some(account) => Arc::new(self.levels_at(recorded.revision, account).await?),
                Some(_) | None => standing.levels.clone(),
            };
            let question = Question {
                action: &check.action,
                resource: &check.resource,
                resource_account: check.resource_account,
                resource_policy: policy.as_ref(),
                resource_levels: &levels,
                facts: &facts,
            };
            let altered = recorded.keys.altered().chain(check.keys.altered()).map(str::to_owned).collect();
            all.push(Explained { check: check.clone(), explanation: standing.explain(&question), altered });
        }
        Ok(all)
    }

    /// How the principal of a recorded request stood then.
    async fn stood(&self, recorded: &Recorded<'_>, identity: &Identified) -> Result<Standing, Unexplained> {
        if identity.kind == "AWSService" {
            // A service has no policies: what let it in, or did not, stands in the checks.
            let name = identity.invoked_by.as_deref().and_then(|name| name.parse().ok()).ok_or(Unexplained::NoPrincipal)?;
            return Ok(Standing::service(&name, None, Deps::none()));
        }
        if identity.account_id.is_none() {
            return Ok(Standing::anonymous());
        }
        let account = identity.account_id.ok_or(Unexplained::NoPrincipal)?;
        let whole = identity.principal_id.as_deref().unwrap_or_default();
        let id = match identity.kind.as_str() {
            "FederatedUser" => identity.issuer_id(),
            _ => whole.split(':').next(),
        };
        // Root's id is its account's.
        let id: Option<UniqueId> = id.and_then(|id| id.parse().ok());
        let grants = self.grants_at(recorded.revision, account, id.as_ref()).await?.ok_or(Unexplained::NoPrincipal)?;
        let arn = identity.arn.as_deref().and_then(|arn| arn.parse().ok());
        let principal = principal(&grants, arn).ok_or(Unexplained::NoPrincipal)?;
        let federated = matches!(principal, Principal::Federated { .. });
        let session_policies = self.session_policies_then(recorded, account, federated).await?;
        Ok(Standing {
            deps: Deps::none(),
            arn: principal.arn().cloned(),
            account: Some(account),
            principal,
            user_id: whole.to_owned(),
            grants: Some(Arc::new(grants)),
            levels: Arc::new(self.levels_at(recorded.revision, account).await?),
            nothing: PolicySet::empty(Kind::Identity),
            session_policies,
            registered: None,
            facts: Arc::new(Context::new()),
        })
    }

    async fn session_policies_then(
        &self,
        recorded: &Recorded<'_>,
        account: AccountId,
        federated: bool,
    ) -> Result<Option<PolicySet>, Unexplained> {
        if recorded.session_policies.is_empty() {
            return Ok(federated.then(|| PolicySet::empty(Kind::Session)));
        }
        let mut documents = Vec::with_capacity(recorded.session_policies.len());
        for policy in &recorded.session_policies {
            match policy.parse::<Arn>() {
                Ok(arn) => match self.managed_at(recorded.revision, account, &arn).await? {
                    Some(policy) => documents.push(policy),
                    None => return Ok(Some(PolicySet::empty(Kind::Session))),
                },
                Err(_) => documents.push((Source::new("session policy"), Arc::new(compiled(policy, Kind::Session)?))),
            }
        }
        Ok(Some(PolicySet::new(Kind::Session, documents)))
    }

    /// The resource's policy: the one that the asker sent, or a role's trust policy as it was.
    async fn policy_of(&self, revision: Revision, check: &Check<'_>) -> Result<Option<PolicySet>, Unexplained> {
        if let Some(text) = &check.resource_policy {
            let document = Arc::new(compiled(text, Kind::Resource)?);
            return Ok(Some(PolicySet::new(Kind::Resource, [(Source::new("resource policy"), document)])));
        }
        let Some((account, arn)) = trusting(check) else { return Ok(None) };
        let Some(name) = arn.resource().rsplit('/').next().and_then(|name| name.parse::<RoleName>().ok()) else { return Ok(None) };
        let partition = account.to_string();
        let role = self.store.read_at(revision, &partition, |tx| async move { tx.find(RoleRecord::BY_NAME, &name).await }).await?;
        let role = role.filter(|role| role.arn(account) == arn);
        Ok(role.map(|role| crate::compiled_trust(&role)).transpose()?)
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

fn compiled(text: &str, kind: Kind) -> Result<Compiled, StoreError> {
    let document = Document::parse(text).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(Compiled::new(&document, kind))
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
