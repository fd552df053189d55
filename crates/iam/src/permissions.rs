//! Whose permissions policies are meant, and which these are: what reports on services look at. Boundaries, trust policies and those of
//! organizations are no permissions policies.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html>.

use crate::holders::Holder;
use crate::policies::{Managed, found};
use crate::{Error, inline_policies};
use arn::{AccountId, Arn, UniqueId};
use identities::{
    GroupRecord, InlinePolicyRecord, Path, PolicyRecord, PolicyVersionRecord, RoleName, RoleRecord, UserName, UserRecord,
    customer_policy_arn, managed_policy,
};
use operation::{Allowed, Caller, PolicyArn, Protected, Resolved, Resource};
use policy::{Compiled, Document, Kind};
use std::str::FromStr;
use store::{Mode, Names, Read, StoreError, Tx};
use wire::{ArnText, Kind as Shapes, Node, Reader, Shape, Text};

/// What has permissions policies, as answers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum EntityKind {
    User,
    Role,
    Group,
}

/// The ARN of a user, group, role or policy, as a request gives it.
#[derive(Debug, Clone)]
pub(crate) struct SubjectArn(ArnText);

impl Shape for SubjectArn {
    const KIND: Shapes = ArnText::KIND;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        ArnText::read(node, at).map(SubjectArn)
    }
    fn write(self) -> Node {
        self.0.write()
    }
}

impl SubjectArn {
    /// The one with this text.
    pub fn of(text: &str) -> Result<Self, Error> {
        text.parse().map(SubjectArn).map_err(|_| Error::InvalidArn)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn parsed(&self) -> Option<Arn> {
        self.0.arn().filter(|arn| arn.service() == "iam" && arn.region().is_empty() && !arn.resource_name().is_empty())
    }
}

/// On what it names, if that is there; what is not there is judged too.
impl Protected for SubjectArn {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let text = self.as_str();
            let Some(arn) = self.parsed() else { return Ok(Resource::new(text, caller.account)) };
            if arn.resource_type() == Some("policy") {
                return PolicyArn(self.0.clone()).resolve(caller, tx).await;
            }
            let resource = Resource::new(text, arn.account_id().unwrap_or(caller.account));
            if resource.account != caller.account {
                return Ok(resource);
            }
            let found = match arn.resource_type() {
                Some("user") => named::<UserName>(&arn, caller, tx).await?,
                Some("role") => named::<RoleName>(&arn, caller, tx).await?,
                _ => None,
            };
            Ok(found.filter(|found| found.arn == text).unwrap_or(resource).shown_as(text))
        })
    }
}

async fn named<N: Protected + FromStr>(arn: &Arn, caller: &Caller, tx: &Tx<Read>) -> Result<Option<Resource>, StoreError> {
    match arn.resource_name().parse::<N>() {
        Ok(name) => name.resolve(caller, tx).await.map(Some),
        Err(_) => Ok(None),
    }
}

/// What has permissions policies, or is one.
#[derive(Clone)]
pub(crate) enum Subject {
    User(UserRecord),
    Group(GroupRecord),
    Role(RoleRecord),
    /// A policy, whoever has it, with its document.
    Policy(Arn, Box<str>),
}

/// A policy that somebody has.
pub(crate) struct Held {
    /// Its name.
    pub name: String,
    /// Whose it is, of an inline one; its ARN, of a managed one.
    pub by: HeldBy,
    /// What it says.
    pub compiled: Compiled,
}

/// How somebody has a policy.
pub(crate) enum HeldBy {
    Inline(EntityKind, String),
    Managed(Arn),
}

impl Subject {
    /// What a request names, in the caller's account.
    pub async fn find<M: Mode>(cx: &Allowed<'_, M>, given: &SubjectArn) -> Result<Self, Error> {
        let unclear = || Error::InvalidInput(format!("Invalid ARN: {} names no user, group, role or policy.", given.as_str()));
        let arn = given.parsed().ok_or_else(unclear)?;
        let (account, name) = (cx.caller.account, arn.resource_name());
        let none = |kind| Error::NotFound { kind, name: name.to_owned() };
        match arn.resource_type() {
            Some("user") => {
                let user = of_name::<UserRecord, _>(&cx.tx, name).await?;
                user.filter(|user| user.arn(account) == arn).map(Subject::User).ok_or_else(|| none("user"))
            }
            Some("group") => {
                let group = of_name::<GroupRecord, _>(&cx.tx, name).await?;
                group.filter(|group| group.arn(account) == arn).map(Subject::Group).ok_or_else(|| none("group"))
            }
            Some("role") => {
                let role = of_name::<RoleRecord, _>(&cx.tx, name).await?;
                role.filter(|role| role.arn(account) == arn).map(Subject::Role).ok_or_else(|| none("role"))
            }
            Some("policy") => {
                let (arn, policy) = found(cx, &PolicyArn(given.0.clone())).await?;
                let document = match policy {
                    Managed::Aws(policy) => policy.document.into(),
                    Managed::Own(policy) => version(&cx.tx, &policy).await?.unwrap_or_default().into(),
                };
                Ok(Subject::Policy(arn, document))
            }
            _ => Err(unclear()),
        }
    }

    /// The policies that give it permissions, a user's groups' among them.
    pub async fn policies<M: Mode>(&self, cx: &Allowed<'_, M>) -> Result<Vec<Held>, Error> {
        let mut gathering = Gathering { tx: &cx.tx, account: cx.caller.account, held: Vec::new() };
        match self {
            Subject::User(user) => {
                gathering.inline((EntityKind::User, user.name.as_str()), inline_policies::all(&cx.tx, user).await?)?;
                gathering.managed(&user.attached).await?;
                for id in &user.groups {
                    if let Some(group) = cx.tx.get::<GroupRecord>(id).await? {
                        gathering.group(&group).await?;
                    }
                }
            }
            Subject::Group(group) => gathering.group(group).await?,
            Subject::Role(role) => {
                gathering.inline((EntityKind::Role, role.name.as_str()), inline_policies::all(&cx.tx, role).await?)?;
                gathering.managed(&role.attached).await?;
            }
            Subject::Policy(arn, document) => gathering.add(arn.resource_name(), HeldBy::Managed(arn.clone()), document)?,
        }
        Ok(gathering.held)
    }
}

/// What has this name, if it is one.
async fn of_name<H: Holder, M: Mode>(tx: &Tx<M>, name: &str) -> Result<Option<H>, StoreError>
where
    H::Name: FromStr + Send + Sync,
    for<'n> &'n H::Name: Names<H::Name>,
{
    match name.parse::<H::Name>() {
        Ok(name) => H::find(tx, &name).await,
        Err(_) => Ok(None),
    }
}

struct Gathering<'a, M: Mode> {
    tx: &'a Tx<M>,
    account: AccountId,
    held: Vec<Held>,
}

impl<M: Mode> Gathering<'_, M> {
    async fn group(&mut self, group: &GroupRecord) -> Result<(), Error> {
        self.inline((EntityKind::Group, group.name.as_str()), inline_policies::all(self.tx, group).await?)?;
        self.managed(&group.attached).await
    }

    fn inline(&mut self, (kind, holder): (EntityKind, &str), policies: Vec<InlinePolicyRecord>) -> Result<(), Error> {
        policies.iter().try_for_each(|policy| self.add(policy.name.as_str(), HeldBy::Inline(kind, holder.to_owned()), &policy.document))
    }

    async fn managed(&mut self, attached: &[Arn]) -> Result<(), Error> {
        for arn in attached {
            // What a user has twice, by itself and by a group, is one policy.
            if self.held.iter().any(|held| matches!(&held.by, HeldBy::Managed(known) if known == arn)) {
                continue;
            }
            if let Some(document) = text_of(self.tx, self.account, arn).await? {
                self.add(arn.resource_name(), HeldBy::Managed(arn.clone()), &document)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, by: HeldBy, document: &str) -> Result<(), Error> {
        // It was read before it was saved; one that does not read is damage.
        let document = Document::parse(document).map_err(|error| StoreError::Failed(Box::new(error)))?;
        self.held.push(Held { name: name.to_owned(), by, compiled: Compiled::new(&document, Kind::Identity) });
        Ok(())
    }
}

/// The document of a managed policy's default version; `None` if there is no such policy any more.
async fn text_of<M: Mode>(tx: &Tx<M>, own: AccountId, arn: &Arn) -> Result<Option<String>, StoreError> {
    if let Some(policy) = managed_policy(arn) {
        return Ok(Some(policy.document.to_owned()));
    }
    let Some((account, name)) = customer_policy_arn(arn).filter(|(account, _)| *account == own) else { return Ok(None) };
    match tx.find(PolicyRecord::BY_NAME, &name).await?.filter(|policy| policy.arn(account) == *arn) {
        Some(policy) => version(tx, &policy).await,
        None => Ok(None),
    }
}

async fn version<M: Mode>(tx: &Tx<M>, policy: &PolicyRecord) -> Result<Option<String>, StoreError> {
    let version = tx.get::<PolicyVersionRecord>((&policy.id, &policy.default_version)).await?;
    Ok(version.map(|version| version.document))
}

/// A user or role, as reports name it.
#[derive(Clone)]
pub(crate) struct Member {
    pub kind: EntityKind,
    pub id: UniqueId,
    pub name: String,
    pub path: Path,
    pub arn: Arn,
}

impl Member {
    /// A user.
    pub fn user(account: AccountId, user: &UserRecord) -> Self {
        let arn = user.arn(account);
        Member { kind: EntityKind::User, id: user.id.clone(), name: user.name.to_string(), path: user.path.clone(), arn }
    }

    /// A role.
    pub fn role(account: AccountId, role: &RoleRecord) -> Self {
        let arn = role.arn(account);
        Member { kind: EntityKind::Role, id: role.id.clone(), name: role.name.to_string(), path: role.path.clone(), arn }
    }
}
