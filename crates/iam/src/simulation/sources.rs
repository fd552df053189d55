//! Whose policies are simulated, which those are, and which of them are left out.

use crate::{Error, inline_policies};
use arn::{AccountId, Arn, UniqueId};
use identities::{
    GroupName, GroupRecord, PolicyName, PolicyRecord, PolicyVersionRecord, RoleName, RoleRecord, UserName, UserRecord, customer_policy_arn,
    managed_policy,
};
use operation::{Allowed, Caller, Protected, Resolved, Resource};
use std::borrow::Cow;
use store::{Mode, Read, StoreError, Tx};
use wire::{ArnText, Kind, Node, Reader, Shape, Text};

/// The user, group or role whose policies are meant, by its ARN.
#[derive(Debug, Clone)]
pub(crate) struct SourceArn(ArnText);

impl Shape for SourceArn {
    const KIND: Kind = ArnText::KIND;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        ArnText::read(node, at).map(SourceArn)
    }
    fn write(self) -> Node {
        self.0.write()
    }
}

impl SourceArn {
    /// The ARN, if it is one of a user, a group or a role.
    pub fn parsed(&self) -> Result<Arn, Error> {
        entity(self.0.as_str())
    }
}

/// The ARN of a user, a group or a role.
pub(crate) fn entity(text: &str) -> Result<Arn, Error> {
    let is_entity = |arn: &Arn| {
        arn.service() == "iam" && arn.region().is_empty() && arn.account_id().is_some() && !arn.resource_name().is_empty() && {
            matches!(arn.resource_type(), Some("user" | "group" | "role"))
        }
    };
    let unclear = || Error::InvalidInput(format!("Invalid Entity Arn: {text} does not clearly define entity type and name."));
    text.parse().ok().filter(is_entity).ok_or_else(unclear)
}

impl Protected for SourceArn {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let text = self.0.as_str();
            let Ok(arn) = self.parsed() else { return Ok(Resource::new(text, caller.account)) };
            let account = arn.account_id().unwrap_or(caller.account);
            let resource = Resource::new(text, account);
            if account != caller.account {
                return Ok(resource);
            }
            let name = arn.resource_name();
            let found = match arn.resource_type() {
                Some("user") => resolved::<UserName>(name, caller, tx).await?,
                Some("role") => resolved::<RoleName>(name, caller, tx).await?,
                _ => None,
            };
            Ok(found.filter(|found| found.arn == text).map_or(resource, |found| found.shown_as(text)))
        })
    }
}

async fn resolved<N: Protected + std::str::FromStr>(name: &str, caller: &Caller, tx: &Tx<Read>) -> Result<Option<Resource>, StoreError> {
    match name.parse::<N>() {
        Ok(name) => name.resolve(caller, tx).await.map(Some),
        Err(_) => Ok(None),
    }
}

/// Whose policies are meant.
pub(crate) enum Source {
    User(UserRecord),
    Group(GroupRecord),
    Role(RoleRecord),
}

/// One document that a source has.
pub(crate) struct Held {
    /// How a simulation names it.
    pub id: String,
    /// Its text.
    pub document: Cow<'static, str>,
}

/// Where a document comes from.
enum From<'a> {
    Inline { holder: (&'static str, &'a str), policy: &'a PolicyName },
    Managed(&'a Arn),
}

impl Source {
    /// The one with this ARN, in the caller's account.
    pub async fn find<M: Mode>(cx: &Allowed<'_, M>, given: &SourceArn) -> Result<Self, Error> {
        let arn = given.parsed()?;
        let (account, name) = (cx.caller.account, arn.resource_name());
        let none = |kind| Error::NotFound { kind, name: name.to_owned() };
        match arn.resource_type() {
            Some("user") => {
                let user = match name.parse::<UserName>() {
                    Ok(name) => cx.tx.find(UserRecord::BY_NAME, &name).await?,
                    Err(_) => None,
                };
                user.filter(|user| user.arn(account) == arn).map(Source::User).ok_or_else(|| none("user"))
            }
            Some("group") => {
                let group = match name.parse::<GroupName>() {
                    Ok(name) => cx.tx.find(GroupRecord::BY_NAME, &name).await?,
                    Err(_) => None,
                };
                group.filter(|group| group.arn(account) == arn).map(Source::Group).ok_or_else(|| none("group"))
            }
            _ => {
                let role = match name.parse::<RoleName>() {
                    Ok(name) => cx.tx.find(RoleRecord::BY_NAME, &name).await?,
                    Err(_) => None,
                };
                role.filter(|role| role.arn(account) == arn).map(Source::Role).ok_or_else(|| none("role"))
            }
        }
    }

    /// Its unique id; a group stands for whoever is in it, and has none that could ask.
    pub fn id(&self) -> Option<&UniqueId> {
        match self {
            Source::User(user) => Some(&user.id),
            Source::Role(role) => Some(&role.id),
            Source::Group(_) => None,
        }
    }

    /// The documents that give it permissions, a user's groups' among them.
    pub async fn documents<M: Mode>(&self, cx: &Allowed<'_, M>, without: &[Excluded]) -> Result<Vec<Held>, Error> {
        let mut gathering = Gathering { cx, without, held: Vec::new() };
        match self {
            Source::User(user) => {
                gathering.inline(("user", user.name.as_str()), inline_policies::all(&cx.tx, user).await?);
                gathering.managed(&user.attached).await?;
                for id in &user.groups {
                    if let Some(group) = cx.tx.get::<GroupRecord>(id).await? {
                        gathering.group(&group).await?;
                    }
                }
            }
            Source::Group(group) => gathering.group(group).await?,
            Source::Role(role) => {
                gathering.inline(("role", role.name.as_str()), inline_policies::all(&cx.tx, role).await?);
                gathering.managed(&role.attached).await?;
            }
        }
        Ok(gathering.held)
    }

    /// Its permissions boundary: `None` if it has none, no document if that is not there any more.
    pub async fn boundary<M: Mode>(&self, cx: &Allowed<'_, M>, without: &[Excluded]) -> Result<Option<Vec<Held>>, StoreError> {
        let arn = match self {
            Source::User(user) => user.permissions_boundary.as_ref(),
            Source::Role(role) => role.permissions_boundary.as_ref(),
            Source::Group(_) => None,
        };
        let excluded = without.iter().any(|excluded| excluded.is_all(PolicyIdentifierPolicyType::PermissionBoundary));
        let Some(arn) = arn.filter(|_| !excluded) else { return Ok(None) };
        let document = text_of(&cx.tx, cx.caller.account, arn).await?;
        Ok(Some(document.map(|document| Held { id: arn.resource_name().to_owned(), document }).into_iter().collect()))
    }
}

struct Gathering<'a, 'c, M: Mode> {
    cx: &'a Allowed<'c, M>,
    without: &'a [Excluded],
    held: Vec<Held>,
}

impl<M: Mode> Gathering<'_, '_, M> {
    async fn group(&mut self, group: &GroupRecord) -> Result<(), StoreError> {
        self.inline(("group", group.name.as_str()), inline_policies::all(&self.cx.tx, group).await?);
        self.managed(&group.attached).await
    }

    fn inline(&mut self, holder: (&'static str, &str), policies: Vec<identities::InlinePolicyRecord>) {
        let (kind, name) = holder;
        let policies = policies.into_iter().filter(|policy| !self.leaves_out(&From::Inline { holder, policy: &policy.name }));
        let held = policies.map(|policy| Held { id: format!("{kind}_{name}_{}", policy.name), document: policy.document.into() });
        let held: Vec<Held> = held.collect();
        self.held.extend(held);
    }

    async fn managed(&mut self, attached: &[Arn]) -> Result<(), StoreError> {
        for arn in attached {
            if self.leaves_out(&From::Managed(arn)) {
                continue;
            }
            let document = text_of(&self.cx.tx, self.cx.caller.account, arn).await?;
            self.held.extend(document.map(|document| Held { id: arn.resource_name().to_owned(), document }));
        }
        Ok(())
    }

    fn leaves_out(&self, from: &From<'_>) -> bool {
        self.without.iter().any(|excluded| excluded.is(from))
    }
}

/// The document of a managed policy's default version; `None` if there is no such policy any more.
async fn text_of<M: Mode>(tx: &Tx<M>, own: AccountId, arn: &Arn) -> Result<Option<Cow<'static, str>>, StoreError> {
    if let Some(policy) = managed_policy(arn) {
        return Ok(Some(policy.document.into()));
    }
    let Some((account, name)) = customer_policy_arn(arn).filter(|(account, _)| *account == own) else { return Ok(None) };
    let Some(policy) = tx.find(PolicyRecord::BY_NAME, &name).await?.filter(|policy| policy.arn(account) == *arn) else { return Ok(None) };
    let version = tx.get::<PolicyVersionRecord>((&policy.id, &policy.default_version)).await?;
    Ok(version.map(|version| version.document.into()))
}

/// What a simulation leaves out, as a request says it: exactly one of the three.
#[derive(Shape)]
pub(crate) struct PolicyIdentifier {
    policy_type: Option<PolicyIdentifierPolicyType>,
    policy_arn: Option<ArnText>,
    inline_policy_identifier: Option<InlinePolicyIdentifierType>,
}

/// A kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum PolicyIdentifierPolicyType {
    #[text(rename = "inline")]
    Inline,
    #[text(rename = "aws-managed")]
    AwsManaged,
    #[text(rename = "user-managed")]
    UserManaged,
    #[text(rename = "permission-boundary")]
    PermissionBoundary,
    #[text(rename = "scp")]
    Scp,
    #[text(rename = "rcp")]
    Rcp,
}

/// An inline policy, by its name and its entity's.
#[derive(Debug, Clone, Shape)]
pub(crate) struct InlinePolicyIdentifierType {
    policy_name: PolicyName,
    attachment_type: AttachmentType,
    attachment_name: AttachmentName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum AttachmentType {
    #[text(rename = "user")]
    User,
    #[text(rename = "group")]
    Group,
    #[text(rename = "role")]
    Role,
}

#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\w+=,.@-]+")]
struct AttachmentName(Box<str>);

/// What a simulation leaves out.
pub(crate) enum Excluded {
    Type(PolicyIdentifierPolicyType),
    /// What stands before and after the one `*`, if there is one; `?` is any one character.
    Arn(Box<str>, Option<Box<str>>),
    Inline(InlinePolicyIdentifierType),
}

impl PolicyIdentifier {
    /// What it means, if it means one thing. Wildcards may stand in the name of a managed policy: one `*`, any number of `?`.
    pub fn excluded(&self) -> Result<Excluded, Error> {
        match (&self.policy_type, &self.policy_arn, &self.inline_policy_identifier) {
            (Some(kind), None, None) => Ok(Excluded::Type(*kind)),
            (None, None, Some(inline)) => Ok(Excluded::Inline(inline.clone())),
            (None, Some(given), None) => {
                let wild = |text: &str| text.contains(['*', '?']);
                let arn = given.arn().filter(|arn| arn.service() == "iam" && arn.resource_type() == Some("policy"));
                let name = arn.as_ref().map_or("", Arn::resource_name);
                let head = given.as_str().strip_suffix(name).filter(|head| arn.is_some() && !wild(head));
                if head.is_none() || name.matches('*').count() > 1 {
                    return Err(Error::InvalidInput(format!("Invalid policy identifier: {given}")));
                }
                let (before, after) = match given.as_str().split_once('*') {
                    Some((before, after)) => (before, Some(after.into())),
                    None => (given.as_str(), None),
                };
                Ok(Excluded::Arn(before.into(), after))
            }
            _ => Err(Error::InvalidInput(
                "Invalid policy identifier: exactly one of PolicyType, PolicyArn or InlinePolicyIdentifier must be specified.".into(),
            )),
        }
    }
}

impl Excluded {
    /// Whether all policies of a kind are left out.
    pub fn is_all(&self, kind: PolicyIdentifierPolicyType) -> bool {
        matches!(self, Excluded::Type(left_out) if *left_out == kind)
    }

    fn is(&self, from: &From<'_>) -> bool {
        match (self, from) {
            (Excluded::Type(kind), From::Inline { .. }) => *kind == PolicyIdentifierPolicyType::Inline,
            (Excluded::Type(PolicyIdentifierPolicyType::AwsManaged), From::Managed(arn)) => arn.account() == "aws",
            (Excluded::Type(PolicyIdentifierPolicyType::UserManaged), From::Managed(arn)) => arn.account() != "aws",
            (Excluded::Type(_), From::Managed(_)) => false,
            (Excluded::Arn(before, after), From::Managed(arn)) => fits(arn.as_str(), before, after.as_deref()),
            (Excluded::Inline(inline), From::Inline { holder: (kind, name), policy }) => {
                inline.policy_name == **policy && inline.attachment_type.as_str() == *kind && inline.attachment_name.as_str() == *name
            }
            (Excluded::Arn(..), From::Inline { .. }) | (Excluded::Inline(_), From::Managed(_)) => false,
        }
    }
}

/// Whether `text` begins with `before` and ends with `after`, or, without an `after`, is `before`.
fn fits(text: &str, before: &str, after: Option<&str>) -> bool {
    let same = |one: char, other: char| one == '?' || one == other;
    let mut rest = text.chars();
    if !before.chars().all(|wanted| rest.next().is_some_and(|have| same(wanted, have))) {
        return false;
    }
    match after {
        None => rest.next().is_none(),
        Some(after) => after.chars().rev().all(|wanted| rest.next_back().is_some_and(|have| same(wanted, have))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_arn(text: &str) -> Result<Excluded, Error> {
        let policy_arn = Some(text.parse().unwrap());
        PolicyIdentifier { policy_type: None, policy_arn, inline_policy_identifier: None }.excluded()
    }

    fn leaves_out(pattern: &str, arn: &str) -> bool {
        by_arn(pattern).unwrap().is(&From::Managed(&arn.parse().unwrap()))
    }

    #[test]
    fn a_policy_is_left_out_by_its_arn_with_wildcards_in_its_name() {
        let arn = "arn:aws:iam::111122223333:policy/p/Deploy-42";
        assert!(leaves_out(arn, arn));
        assert!(leaves_out("arn:aws:iam::111122223333:policy/p/Deploy-*", arn));
        assert!(leaves_out("arn:aws:iam::111122223333:policy/p/D*y-4?", arn));
        assert!(leaves_out("arn:aws:iam::111122223333:policy/p/*", arn));
        assert!(!leaves_out("arn:aws:iam::111122223333:policy/p/Deploy-?", arn));
        assert!(!leaves_out("arn:aws:iam::111122223333:policy/p/Deploy-42*2", arn));
        assert!(!leaves_out("arn:aws:iam::111122223333:policy/Deploy-42", arn));
    }

    #[test]
    fn wildcards_elsewhere_and_other_arns_are_refused() {
        for text in [
            "arn:aws:iam::*:policy/Deploy-42",
            "arn:aws:iam::111122223333:policy/p*/Deploy-42",
            "arn:aws:iam::111122223333:policy/a*b*c",
            "arn:aws:iam::111122223333:role/worker",
            "not an arn at all, but long enough",
        ] {
            assert!(matches!(by_arn(text), Err(Error::InvalidInput(_))), "{text}");
        }
    }

    #[test]
    fn only_users_groups_and_roles_are_entities() {
        for good in ["arn:aws:iam::111122223333:user/a", "arn:aws:iam::111122223333:group/p/a", "arn:aws:iam::111122223333:role/a"] {
            assert!(entity(good).is_ok(), "{good}");
        }
        for bad in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "arn:aws:sts::111122223333:federated-user/a",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "alice",
        ] {
            let said = entity(bad).unwrap_err().to_string();
            assert_eq!(said, format!("Invalid Entity Arn: {bad} does not clearly define entity type and name."));
        }
    }
}
