//! Paths: what lists are narrowed by, and what a rename makes of an ARN.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names>.

use identities::{GroupName, GroupRecord, UserName, UserRecord};
use operation::{Caller, Protected, Resolved, Resource};
use store::{Read, Tx};
use wire::Text;

/// What a list may be narrowed to: a plain string prefix of paths.
#[derive(Debug, Clone, Text)]
#[text(min = 1, max = 512, pattern = r"\u002F[\u0021-\u007F]*")]
pub(crate) struct PathPrefix(Box<str>);

impl Default for PathPrefix {
    fn default() -> Self {
        PathPrefix("/".into())
    }
}

/// What something is called after a rename that keeps its path, which only its record knows.
#[derive(Debug, Clone)]
pub(crate) enum Renamed {
    User { old: UserName, new: UserName },
    Group { old: GroupName, new: GroupName },
}

impl Renamed {
    pub fn user(old: &UserName, new: &UserName) -> operation::Target {
        (&Renamed::User { old: old.clone(), new: new.clone() }).into()
    }

    pub fn group(old: &GroupName, new: &GroupName) -> operation::Target {
        (&Renamed::Group { old: old.clone(), new: new.clone() }).into()
    }
}

impl Protected for Renamed {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let (kind, path, new) = match self {
                Renamed::User { old, new } => ("user", tx.find(UserRecord::BY_NAME, old).await?.map(|user| user.path), new.as_str()),
                Renamed::Group { old, new } => ("group", tx.find(GroupRecord::BY_NAME, old).await?.map(|group| group.path), new.as_str()),
            };
            let arn = caller.arn_here("iam", format_args!("{kind}{}{new}", path.unwrap_or_default()));
            Ok(Resource::new(arn.as_str(), caller.account).shown_as(format!("{kind} {new}")))
        })
    }
}
