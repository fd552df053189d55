//! What all tagging operations share. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>.

use crate::Error;
use identities::{Tag, TagKey, Tags};
use operation::Allowed;
use store::Write;

/// Tags of one resource, at most.
const MOST: usize = 50;

/// Whether two keys of a user's or role's tags are one: case does not count.
pub(crate) fn same_whatever_case(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether two keys of any other resource's tags are one.
pub(crate) fn same_exactly(one: &str, other: &str) -> bool {
    one == other
}

/// The tags of a new resource.
pub(crate) fn first(tags: &[Tag], same: fn(&str, &str) -> bool) -> Result<Tags, Error> {
    let mut all = Tags::default();
    add(&mut all, tags, same)?;
    Ok(all)
}

/// Sets `new` on what is there.
pub(crate) fn add(all: &mut Tags, new: &[Tag], same: fn(&str, &str) -> bool) -> Result<(), Error> {
    for (nth, tag) in new.iter().enumerate() {
        if tag.key.as_str().to_lowercase().starts_with("aws:") {
            return Err(Error::InvalidInput("Tag keys cannot start with the reserved prefix \"aws:\".".into()));
        }
        if new.iter().take(nth).any(|earlier| same(earlier.key.as_str(), tag.key.as_str())) {
            let hint = if same("a", "A") { " Please note that Tag keys are case insensitive." } else { "" };
            return Err(Error::InvalidInput(format!("Duplicate tag keys found.{hint}")));
        }
    }
    all.set(new, same);
    if all.len() > MOST {
        return Err(Error::LimitExceeded("The number of tags has reached the maximum limit.".into()));
    }
    Ok(())
}

/// Refuses tags that the account's tag policies do not allow on a resource of this type. Users and roles are none that they reach.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_supported-resources-enforcement.html>.
pub(crate) async fn obey(cx: &Allowed<'_, Write>, resource_type: &'static str, tags: &[Tag]) -> Result<(), Error> {
    if tags.is_empty() {
        return Ok(());
    }
    match organizations::tag_rules(&cx.tx, cx.caller.account).await?.violated(resource_type, tags) {
        None => Ok(()),
        Some(key) => {
            Err(Error::InvalidInput(format!("The tag policy does not allow the specified value for the following tag key: '{key}'.")))
        }
    }
}

/// Takes `gone` away; a key that is not there is no error.
pub(crate) fn remove(all: &mut Tags, gone: &[TagKey], same: fn(&str, &str) -> bool) {
    all.unset(gone, same);
}
