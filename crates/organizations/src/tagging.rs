//! Tags of what an organization has: its root, units, accounts, policies. Keys tell cases apart.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html>.

use crate::{Error, tag_rules};
use arn::AccountId;
use identities::{OrganizationId, OrganizationRecord, Tag, TagKey, Tags};
use serde::{Deserialize, Serialize};
use store::{Mode, Record, SHARED, StoreError, Stored, Tx, Write};

/// Tags of one resource, at most.
const MOST: usize = 50;

/// The tags of one resource of an organization, by its id. Whoever deletes the resource deletes this.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization-tags", key = resource, index(by_organization = organization))]
pub(crate) struct TagsRecord {
    /// `r-…`, `ou-…`, `p-…`, `rp-…`, `rt-…`, or an account's digits.
    pub resource: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its tags.
    pub tags: Tags,
}

/// The tags of a resource.
pub(crate) async fn of<M: Mode>(tx: &Tx<M>, resource: &str) -> Result<Tags, StoreError> {
    let record = tx.in_account(SHARED).get::<TagsRecord>(&resource.to_owned()).await?;
    Ok(record.map(|record| record.tags).unwrap_or_default())
}

/// The tags that an organization gave one of its accounts.
///
/// # Errors
/// What the store says.
pub async fn account_tags<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Tags, StoreError> {
    of(tx, &account.to_string()).await
}

/// Sets `new` on the tags of a resource.
pub(crate) async fn add(tx: &Tx<Write>, organization: &OrganizationId, resource: &str, new: &[Tag]) -> Result<(), Error> {
    if new.is_empty() {
        return Ok(());
    }
    obey(tx, organization, resource, new).await?;
    let mut tags = of(tx, resource).await?;
    set(&mut tags, new)?;
    put(tx, TagsRecord { resource: resource.to_owned(), organization: organization.clone(), tags }).await
}

/// Refuses tags that the tag policies of the management account, whose these resources are, do not allow.
async fn obey(tx: &Tx<Write>, organization: &OrganizationId, resource: &str, new: &[Tag]) -> Result<(), Error> {
    let Some(organization) = tx.in_account(SHARED).get::<OrganizationRecord>(organization).await? else { return Ok(()) };
    let resource_type = match resource.split_once('-') {
        Some(("r", _)) => "organizations:root",
        Some(("ou", _)) => "organizations:ou",
        Some(("p", _)) => "organizations:policy",
        Some((_, _)) => return Ok(()),
        None => "organizations:account",
    };
    match tag_rules(tx, organization.management).await?.violated(resource_type, new) {
        None => Ok(()),
        Some(key) => {
            let words = format!("The tag policy does not allow the specified value for the following tag key: '{key}'.");
            Err(Error::constraint("TAG_POLICY_VIOLATION", words))
        }
    }
}

/// Takes keys away; a key that is not there is no error.
pub(crate) async fn remove(tx: &Tx<Write>, organization: &OrganizationId, resource: &str, gone: &[TagKey]) -> Result<(), Error> {
    let mut tags = of(tx, resource).await?;
    tags.unset(gone, |one, other| one == other);
    put(tx, TagsRecord { resource: resource.to_owned(), organization: organization.clone(), tags }).await
}

/// Forgets the tags of a resource that is gone.
pub(crate) async fn forget(tx: &Tx<Write>, resource: &str) -> Result<(), StoreError> {
    tx.in_account(SHARED).delete::<TagsRecord>(&resource.to_owned()).await.map(drop)
}

async fn put(tx: &Tx<Write>, record: TagsRecord) -> Result<(), Error> {
    let shared = tx.in_account(SHARED);
    if record.tags.is_empty() {
        shared.delete::<TagsRecord>(&record.resource).await?;
        return Ok(());
    }
    match shared.put(&record).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// Whether `new` could be the first tags of a resource.
pub(crate) fn check(new: &[Tag]) -> Result<(), Error> {
    set(&mut Tags::default(), new)
}

/// Sets `new` on tags.
pub(crate) fn set(tags: &mut Tags, new: &[Tag]) -> Result<(), Error> {
    for (nth, tag) in new.iter().enumerate() {
        if tag.key.as_str().to_lowercase().starts_with("aws:") {
            let words = "Tag keys that start with aws: are reserved for system tags.";
            return Err(Error::InvalidInput { reason: "INVALID_SYSTEM_TAGS_PARAMETER", words });
        }
        if new.iter().take(nth).any(|earlier| earlier.key == tag.key) {
            return Err(Error::InvalidInput { reason: "DUPLICATE_TAG_KEY", words: "Your request includes duplicate tag keys." });
        }
    }
    tags.set(new, |one, other| one == other);
    if tags.len() > MOST {
        return Err(Error::constraint("MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the maximum number of tags for this resource."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> Tag {
        Tag { key: key.parse().unwrap(), value: "v".parse().unwrap() }
    }

    #[test]
    fn keys_tell_cases_apart_and_come_once() {
        assert!(check(&[tag("Team"), tag("team")]).is_ok());
        assert!(matches!(check(&[tag("team"), tag("team")]), Err(Error::InvalidInput { reason: "DUPLICATE_TAG_KEY", .. })));
        assert!(matches!(check(&[tag("AWS:x")]), Err(Error::InvalidInput { reason: "INVALID_SYSTEM_TAGS_PARAMETER", .. })));
    }

    #[test]
    fn a_resource_has_fifty_tags_at_most() {
        let tags: Vec<Tag> = (0..51).map(|nth| tag(&format!("k{nth}"))).collect();
        assert!(check(tags.get(..50).unwrap()).is_ok());
        assert!(matches!(check(&tags), Err(Error::Constraint { reason: "MAX_TAG_LIMIT_EXCEEDED", .. })));
    }
}
