//! Who can do one thing: every user, role and root user that policies let, with what it depends on. As of now, or of any moment that the
//! history reaches back to.

use access::{Access, Entity, Grants, Levels, Question, Standing};
use arn::{AccountId, UniqueId};
use identities::{AccountRecord, RoleRecord, UserRecord};
use policy::{Compiled, Document, Kind, PolicySet, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Marker, Read, Record, Revision, SHARED, StoreError, Tx};

/// How many records are looked at in one transaction.
const PAGE: usize = 1_000;

/// What is asked.
pub struct WhoCan<'a> {
    /// The policies.
    pub access: &'a Access,
    /// The action.
    pub action: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// Who owns it; what the ARN says, where that is not said. An ARN that names no account is then everybody's own.
    pub resource_account: Option<AccountId>,
    /// The resource's policy. A role's trust policy is known without it.
    pub resource_policy: Option<&'a str>,
    /// As of when, in seconds since the epoch; now, where it is not said.
    pub at: Option<i64>,
    /// Whose principals; none is everybody's.
    pub account: Option<AccountId>,
}

/// A principal that can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Able {
    /// Its ARN.
    pub principal: String,
    /// Whether it can whatever a request brings along.
    pub always: bool,
    /// The condition keys that it depends on.
    pub depends_on: Vec<String>,
    /// What kind of policy would decide.
    pub because: String,
    /// The document whose statement would, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The line of that statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// All that can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Abilities {
    /// The revision of the store that it was asked of.
    pub revision: Revision,
    /// How many principals there are.
    pub principals: u64,
    /// Those that can.
    pub able: Vec<Able>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// The resource's policy cannot be read.
    #[error("the resource's policy: {0}")]
    Document(String),
    /// Who asks about one account may not look into another's policies.
    #[error("the resource belongs to another account")]
    Foreign,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What belongs to the resource.
struct Resource {
    policy: Option<Arc<PolicySet>>,
    account: Option<AccountId>,
}

impl WhoCan<'_> {
    /// Asks for every principal.
    ///
    /// # Errors
    /// Where the resource's policy is none, or what the store says.
    pub async fn ask(&self) -> Result<Abilities, NotAsked> {
        let store = &self.access.store;
        let revision = match self.at {
            Some(at) => store.revision_at(at.saturating_mul(1_000).saturating_add(999)).await?,
            None => store.revision().await?,
        };
        let resource = self.resource(revision).await?;
        let mut found = Abilities { revision, principals: 0, able: Vec::new() };
        for account in self.accounts(revision).await? {
            self.of_account(revision, account, &resource, &mut found).await?;
        }
        Ok(found)
    }

    async fn resource(&self, revision: Revision) -> Result<Resource, NotAsked> {
        let arn: Option<arn::Arn> = self.resource.parse().ok();
        let account = self.resource_account.or_else(|| arn.as_ref().and_then(arn::Arn::account_id));
        if account.zip(self.account).is_some_and(|(owner, asked)| owner != asked) {
            return Err(NotAsked::Foreign);
        }
        if let Some(text) = self.resource_policy {
            let document = Document::parse(text).map_err(|error| NotAsked::Document(error.to_string()))?;
            let set =
                PolicySet::new(Kind::Resource, [(Source::new("resource policy"), Arc::new(Compiled::new(&document, Kind::Resource)))]);
            return Ok(Resource { policy: Some(Arc::new(set)), account });
        }
        let role = arn.zip(account).filter(|(arn, _)| policy::is_on_trust(self.action, arn.as_str()));
        let Some((arn, owner)) = role else { return Ok(Resource { policy: None, account }) };
        let name = arn.resource().rsplit('/').next().and_then(|name| name.parse().ok());
        let Some(name) = name else { return Ok(Resource { policy: None, account }) };
        let find = |tx: Tx<Read>| async move { tx.find(RoleRecord::BY_NAME, &name).await };
        let role = self.access.store.read_at(revision, &owner.to_string(), find).await?.filter(|role| role.arn(owner) == arn);
        Ok(Resource { policy: role.map(|role| access::compiled_trust(&role)).transpose()?.map(Arc::new), account })
    }

    async fn accounts(&self, revision: Revision) -> Result<Vec<AccountId>, StoreError> {
        if let Some(account) = self.account {
            return Ok(vec![account]);
        }
        let all = |tx: Tx<Read>| async move {
            let (mut accounts, mut after) = (Vec::new(), None);
            loop {
                let page = tx.scan(AccountRecord::KEY.all(), after.as_ref(), PAGE, |_: &AccountRecord| true).await?;
                accounts.extend(page.records.into_iter().map(|account| account.id));
                match page.next {
                    Some(next) => after = Some(next),
                    None => return Ok(accounts),
                }
            }
        };
        self.access.store.read_at(revision, SHARED, all).await
    }

    async fn of_account(
        &self,
        revision: Revision,
        account: AccountId,
        resource: &Resource,
        found: &mut Abilities,
    ) -> Result<(), StoreError> {
        let store = &self.access.store;
        let levels = store.read_at(revision, SHARED, |tx| async move { self.access.levels_in(&tx, account).await }).await?;
        let owners = match resource.account {
            Some(owner) if owner != account => {
                store.read_at(revision, SHARED, |tx| async move { self.access.levels_in(&tx, owner).await }).await?
            }
            Some(_) | None => levels.clone(),
        };
        let root = |tx: Tx<Read>| async move { self.access.grants_in(&tx, account, None).await };
        if let Some(root) = store.read_at(revision, &account.to_string(), root).await? {
            self.judge(root, (&levels, &owners), resource, found);
        } else {
            // The account is not served: nobody of it can do anything.
            return Ok(());
        }
        for pages in [Self::users, Self::roles] {
            let mut after: Option<Marker> = None;
            loop {
                let from = after.take();
                let page = |tx: Tx<Read>| async move {
                    let (ids, next) = pages(&tx, from.as_ref()).await?;
                    let mut all = Vec::with_capacity(ids.len());
                    for id in ids {
                        all.extend(self.access.grants_in(&tx, account, Some(&id)).await?);
                    }
                    Ok::<_, StoreError>((all, next))
                };
                let (all, next) = store.read_at(revision, &account.to_string(), page).await?;
                all.into_iter().for_each(|grants| self.judge(grants, (&levels, &owners), resource, found));
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn users<'t>(tx: &'t Tx<Read>, after: Option<&'t Marker>) -> Ids<'t> {
        Box::pin(async move {
            let page = tx.scan(UserRecord::KEY.all(), after, PAGE, |_: &UserRecord| true).await?;
            Ok((page.records.into_iter().map(|user| user.id).collect(), page.next))
        })
    }

    fn roles<'t>(tx: &'t Tx<Read>, after: Option<&'t Marker>) -> Ids<'t> {
        Box::pin(async move {
            let page = tx.scan(RoleRecord::KEY.all(), after, PAGE, |_: &RoleRecord| true).await?;
            Ok((page.records.into_iter().map(|role| role.id).collect(), page.next))
        })
    }

    fn judge(&self, grants: Grants, (levels, owners): (&Arc<Levels>, &Arc<Levels>), resource: &Resource, found: &mut Abilities) {
        found.principals += 1;
        let principal = grants.arn().to_string();
        let is_role = matches!(grants.entity, Entity::Role(_));
        let standing = Standing::of_holder(grants, levels.clone());
        let mut facts = policy::Context::over(standing.facts.clone());
        if let Some(account) = resource.account {
            facts.insert("aws:ResourceAccount", account.to_string());
        }
        let question = Question {
            action: self.action,
            resource: self.resource,
            resource_account: resource.account,
            resource_policy: resource.policy.as_deref(),
            resource_levels: owners,
            facts: &facts,
        };
        let could = standing.decide_in_favour(&question);
        if !could.is_allowed() {
            return;
        }
        let explanation = standing.explain(&question);
        // What a session of the role calls itself is not known either.
        let of_a_session =
            |key: &str| is_role && (key.eq_ignore_ascii_case("aws:userid") || key.to_lowercase().starts_with("aws:principaltag/"));
        let known = |key: &&String| {
            let lower = key.to_lowercase();
            !(lower.starts_with("aws:principal") || lower == "aws:userid" || lower == "aws:username") || of_a_session(key)
        };
        let depends_on: BTreeSet<String> = explanation.missing_keys.iter().filter(known).cloned().collect();
        let always = depends_on.is_empty() && standing.decide(&question).is_allowed();
        found.able.push(Able {
            principal,
            always,
            depends_on: depends_on.into_iter().collect(),
            because: could.because.as_str().to_owned(),
            source: could.by.map(|by| by.source().to_owned()),
            line: could.by.map(|by| by.start().line),
        });
    }
}

type Ids<'t> = std::pin::Pin<Box<dyn Future<Output = Result<(Vec<UniqueId>, Option<Marker>), StoreError>> + Send + 't>>;
