//! What is protected. A name is resolved to its record's ARN, tags and trust policy inside the transaction in which the rule then runs, so
//! nothing changes between check and use. What is not there is judged too: who may not ask must not learn that.

use crate::caller::Caller;
use access::Grants;
use arn::{AccountId, Arn};
use identities::{
    GroupName, GroupRecord, MfaDeviceRecord, PolicyRecord, RoleName, RoleRecord, SerialNumber, Tags, UserName, UserRecord,
    customer_policy_arn,
};
use policy::PolicySet;
use std::pin::Pin;
use std::sync::Arc;
use store::{Read, StoreError, Tx};
use wire::{ArnText, Kind, Node, Reader, Shape};

/// What a check is made on.
#[derive(Clone)]
pub enum Target {
    /// `*`: the action knows no resource.
    Everything,
    /// The ARN of something that need not exist yet.
    Arn(Arn),
    /// A role by its ARN, wherever it is, judged also by its trust policy.
    Trusting(Arn),
    /// Something kept, by its name.
    Kept(Arc<dyn Protected>),
}

/// Something whose record says what it is judged as.
pub trait Protected: Send + Sync {
    /// What it is judged as, whether it is there or not.
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a>;
}

/// A resource's own policy: ready to decide, and as it is written.
pub(crate) struct OwnPolicy {
    pub set: PolicySet,
    pub text: String,
}

/// A resource to come.
pub type Resolved<'a> = Pin<Box<dyn Future<Output = Result<Resource, StoreError>> + Send + 'a>>;

/// A target, resolved.
pub struct Resource {
    /// Its ARN, or `*`.
    pub arn: String,
    /// How a denial names it: a caller that is not allowed is not told the path.
    pub shown: String,
    /// Who owns it.
    pub account: AccountId,
    /// Its condition keys.
    pub facts: Vec<(String, String)>,
    /// A role whose trust policy judges too.
    pub(crate) trusting: Option<Arc<Grants>>,
    /// The resource's own policy.
    pub(crate) policy: Option<Arc<OwnPolicy>>,
}

impl Resource {
    /// A resource of the caller's account, shown by its ARN.
    pub fn new(arn: impl Into<String>, account: AccountId) -> Self {
        let arn = arn.into();
        Resource { shown: arn.clone(), arn, account, facts: Vec::new(), trusting: None, policy: None }
    }

    /// The same, shown otherwise.
    pub fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }

    /// The same, judged also by a policy of its own.
    pub fn with_policy(mut self, text: String, set: PolicySet) -> Self {
        self.policy = Some(Arc::new(OwnPolicy { set, text }));
        self
    }

    /// The same with the tags that it has.
    pub fn tagged(self, tags: &Tags) -> Self {
        self.tagged_as("aws:ResourceTag", tags)
    }

    /// The same of a user or role: IAM knows their tags, and no others, by a second name.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_ResourceTag>.
    pub fn tagged_identity(self, tags: &Tags) -> Self {
        self.tagged(tags).tagged_as("iam:ResourceTag", tags)
    }

    fn tagged_as(mut self, key: &str, tags: &Tags) -> Self {
        self.facts.extend(tags.iter().map(|tag| (format!("{key}/{}", tag.key), tag.value.to_string())));
        self
    }
}

impl From<Arn> for Target {
    fn from(arn: Arn) -> Self {
        Target::Arn(arn)
    }
}

impl<T: Protected + Clone + 'static> From<&T> for Target {
    fn from(named: &T) -> Self {
        Target::Kept(Arc::new(named.clone()))
    }
}

impl Protected for UserName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let user = tx.find(UserRecord::BY_NAME, self).await?;
            let arn = user.as_ref().map_or_else(|| caller.arn_here("iam", format_args!("user/{self}")), |user| user.arn(caller.account));
            let resource = Resource::new(arn.as_str(), caller.account).shown_as(format!("user {self}"));
            Ok(user.iter().fold(resource, |resource, user| resource.tagged_identity(&user.tags)))
        })
    }
}

impl Protected for GroupName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let group = tx.find(GroupRecord::BY_NAME, self).await?;
            let arn =
                group.as_ref().map_or_else(|| caller.arn_here("iam", format_args!("group/{self}")), |group| group.arn(caller.account));
            Ok(Resource::new(arn.as_str(), caller.account).shown_as(format!("group {self}")))
        })
    }
}

impl Protected for RoleName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let role = tx.find(RoleRecord::BY_NAME, self).await?;
            let arn = role.as_ref().map_or_else(|| caller.arn_here("iam", format_args!("role/{self}")), |role| role.arn(caller.account));
            let resource = Resource::new(arn.as_str(), caller.account).shown_as(format!("role {self}"));
            Ok(role.iter().fold(resource, |resource, role| resource.tagged_identity(&role.tags)))
        })
    }
}

impl Protected for SerialNumber {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let device = tx.get::<MfaDeviceRecord>(self).await?;
            let serial = device.as_ref().map_or(self, |device| &device.serial);
            let arn = serial.as_str().parse::<Arn>().unwrap_or_else(|_| caller.arn_here("iam", format_args!("mfa/{serial}")));
            let resource = Resource::new(arn.as_str(), arn.account_id().unwrap_or(caller.account));
            Ok(device.iter().fold(resource, |resource, device| resource.tagged(&device.tags)))
        })
    }
}

/// A managed policy, by the ARN that the caller gave: its length is checked, its grammar is the rule's to judge, in IAM's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyArn(pub ArnText);

impl PolicyArn {
    /// The ARN, if it is one.
    pub fn arn(&self) -> Option<Arn> {
        self.0.arn()
    }
}

impl Shape for PolicyArn {
    const KIND: Kind = ArnText::KIND;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        ArnText::read(node, at).map(PolicyArn)
    }
    fn write(self) -> Node {
        self.0.write()
    }
}

impl Protected for PolicyArn {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let shown = format!("policy {}", self.0);
            let Some(arn) = self.arn() else { return Ok(Resource::new(self.0.as_str(), caller.account).shown_as(shown)) };
            // AWS's own policies are everybody's: they belong to no account that could refuse.
            let account = arn.account_id().unwrap_or(caller.account);
            let resource = Resource::new(arn.as_str(), account).shown_as(shown);
            let kept = match customer_policy_arn(&arn) {
                Some((owner, name)) if owner == caller.account => tx.find(PolicyRecord::BY_NAME, &name).await?,
                _ => None,
            };
            Ok(kept.iter().filter(|policy| policy.arn(account) == arn).fold(resource, |resource, policy| resource.tagged(&policy.tags)))
        })
    }
}
