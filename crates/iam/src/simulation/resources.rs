//! What the store knows about a resource that a principal's simulation names: whose it is, its tags, a role's trust policy, and what an organization
//! lays on its owner. With it the simulation answers what the request itself would be answered.
//! Of a role of another account nothing is shown but the answer, which whoever may assume roles could find out by asking.

use crate::Error;
use access::{Entity, Grants, Levels, Whose};
use arn::{AccountId, Arn};
use identities::{PolicyRecord, RoleName, RoleRecord, UserName, UserRecord, customer_policy_arn};
use operation::{Allowed, Resource};
use policy::Context;
use std::sync::Arc;
use store::Read;

/// A resource.
pub(crate) struct Known {
    pub arn: String,
    pub owner: AccountId,
    /// The role that it is; none for other resources, and for a role that is not there.
    pub role: Option<Arc<Grants>>,
    levels: Arc<Levels>,
    /// Its tags, as condition keys.
    tags: Vec<(String, String)>,
}

impl Known {
    /// Looks a resource up. `owner` is whose it is if its ARN does not say.
    pub async fn find(cx: &Allowed<'_, Read>, text: &str, owner: Option<AccountId>) -> Result<Self, Error> {
        let own = cx.caller.account;
        let arn: Option<Arn> = text.parse().ok();
        let owner = arn.as_ref().and_then(Arn::account_id).or(owner).unwrap_or(own);
        let levels = cx.access().levels_of_owner(&cx.caller.standing, owner).await?;
        let mut known = Known { arn: text.to_owned(), owner, role: None, levels, tags: Vec::new() };
        let Some(arn) = arn.filter(|arn| arn.service() == "iam") else { return Ok(known) };
        let resource = Resource::new(text, owner);
        let resource = match arn.resource_type() {
            Some("role") => {
                known.role = role(cx, &arn, owner).await?;
                match known.role.as_ref().map(|role| &role.entity) {
                    Some(Entity::Role(role)) => resource.tagged_identity(&role.tags),
                    Some(Entity::Root | Entity::User(_)) | None => resource,
                }
            }
            Some("user") if owner == own => match arn.resource_name().parse::<UserName>() {
                Ok(name) => {
                    let user = cx.tx.find(UserRecord::BY_NAME, &name).await?.filter(|user| user.arn(own) == arn);
                    user.iter().fold(resource, |resource, user| resource.tagged_identity(&user.tags))
                }
                Err(_) => resource,
            },
            Some("policy") if owner == own => {
                let policy = match customer_policy_arn(&arn) {
                    Some((_, name)) => cx.tx.find(PolicyRecord::BY_NAME, &name).await?.filter(|policy| policy.arn(own) == arn),
                    None => None,
                };
                policy.iter().fold(resource, |resource, policy| resource.tagged(&policy.tags))
            }
            Some(_) | None => resource,
        };
        known.tags = resource.facts;
        Ok(known)
    }

    /// The RCPs that bind whoever comes to it.
    pub fn resource_control(&self) -> &[Arc<policy::PolicySet>] {
        self.levels.resource_control()
    }

    /// Adds the condition keys that it has.
    pub fn say(&self, facts: &mut Context) {
        facts.insert("aws:ResourceAccount", self.owner.to_string());
        self.levels.say(Whose::Resource, facts);
        for (key, value) in &self.tags {
            // Two tags whose keys differ by case only are one condition key with two values.
            facts.add(key, value.as_str());
        }
    }
}

/// A role by its ARN, path and all, in whichever account.
async fn role(cx: &Allowed<'_, Read>, arn: &Arn, owner: AccountId) -> Result<Option<Arc<Grants>>, Error> {
    let Ok(name) = arn.resource_name().parse::<RoleName>() else { return Ok(None) };
    let found = cx.tx.in_account(&owner.to_string()).find(RoleRecord::BY_NAME, &name).await?;
    let Some(role) = found.filter(|role| role.arn(owner) == *arn) else { return Ok(None) };
    Ok(cx.access().grants(owner, Some(&role.id)).await?)
}
