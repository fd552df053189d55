//! Paths: what lists are narrowed by, and what a rename makes of an ARN.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names>.

use crate::names::ExistingUserName;
use crate::server_certificates::{ServerCertificateName, ServerCertificateRecord};
use identities::{GroupName, GroupRecord, Path, UserName, UserRecord};
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

/// What something is called after a rename. What the rename leaves as it is, the case of a name too, only the record knows.
#[derive(Debug, Clone)]
pub(crate) enum Renamed {
    User { old: ExistingUserName, path: Option<Path>, name: Option<UserName> },
    Group { old: GroupName, path: Option<Path>, name: Option<GroupName> },
    ServerCertificate { old: ServerCertificateName, path: Option<Path>, name: Option<ServerCertificateName> },
}

impl Protected for Renamed {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let (kind, path, was, old, new) = match self {
                Renamed::User { old, path, name } => {
                    let was = tx.find(UserRecord::BY_NAME, old).await?.map(|user| (user.path, user.name.to_string()));
                    ("user", path, was, old.as_str(), name.as_ref().map(UserName::as_str))
                }
                Renamed::Group { old, path, name } => {
                    let was = tx.find(GroupRecord::BY_NAME, old).await?.map(|group| (group.path, group.name.to_string()));
                    ("group", path, was, old.as_str(), name.as_ref().map(GroupName::as_str))
                }
                Renamed::ServerCertificate { old, path, name } => {
                    let was = tx.find(ServerCertificateRecord::BY_NAME, old).await?.map(|kept| (kept.path, kept.name.to_string()));
                    ("server-certificate", path, was, old.as_str(), name.as_ref().map(ServerCertificateName::as_str))
                }
            };
            let (old_path, old_name) = was.unwrap_or_else(|| (Path::default(), old.to_owned()));
            let (to, name) = (path.as_ref().unwrap_or(&old_path), new.unwrap_or(&old_name));
            let arn = caller.arn_here("iam", format_args!("{kind}{to}{name}"));
            let resource = Resource::new(arn.as_str(), caller.account);
            // The caller gave this path itself; the one that stays it is not told.
            Ok(if path.is_some() { resource } else { resource.shown_as(format!("{} {}", kind.replace('-', " "), new.unwrap_or(old))) })
        })
    }
}
