//! An account as GetAccountAuthorizationDetails tells it and aws-cli or boto3 prints it.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>.
//! Members that this does not need may be there: AWS adds some from time to time.

use std::collections::HashMap;
use std::rc::Rc;

use arn::{AccountId, Arn, UniqueId};
use policy::Principal;

use crate::document::Policy;
use crate::node::{Node, Value, Wrong};

/// AWS's own policies, by ARN: an export need not hold them.
pub(crate) type Managed = fn(&str) -> Option<&'static str>;

/// The lists of an export.
const LISTS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

/// The users and roles of one account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    file: String,
    /// By kind and name in lower case: `user/alice`.
    held: HashMap<String, Held>,
}

/// What a user or role has.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) arn: Arn,
    pub(crate) id: Option<UniqueId>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) identity: Vec<Rc<Policy>>,
    pub(crate) boundary: Option<Rc<Policy>>,
    /// A role's.
    pub(crate) trust: Option<Rc<Policy>>,
}

/// True of what an export looks like.
pub(crate) fn is_export(node: &Node) -> bool {
    LISTS.iter().any(|list| node.member(list).is_some_and(|node| matches!(node.value, Value::List(_))))
}

impl Account {
    pub(crate) fn read(root: &Node, file: &str, managed: Managed) -> Result<Account, Wrong> {
        if !is_export(root) {
            return Wrong::at(root.start, format_args!("an account has none of {}", LISTS.join(", ")));
        }
        if root.member("IsTruncated").is_some_and(|node| matches!(node.value, Value::Bool(true))) {
            return Wrong::at(root.start, "this is one page of several (IsTruncated): export the whole account");
        }
        let mut reader = Reader { file, managed, policies: HashMap::new() };
        for node in items(root, "Policies") {
            reader.managed_policy(node)?;
        }
        let mut groups = HashMap::new();
        for node in items(root, "GroupDetailList") {
            let name = text(node, "GroupName")?;
            let policies = reader.own(node, "group", name, "GroupPolicyList")?;
            groups.insert(name.to_lowercase(), policies);
        }
        let mut held = HashMap::new();
        let mut id = None;
        for (list, kind, name, own) in
            [("UserDetailList", "user", "UserName", "UserPolicyList"), ("RoleDetailList", "role", "RoleName", "RolePolicyList")]
        {
            for node in items(root, list) {
                let name = text(node, name)?;
                let mut one = reader.held(node, kind, name, own)?;
                for group in items(node, "GroupList") {
                    match &group.value {
                        Value::Text(group_name) => match groups.get(&group_name.to_lowercase()) {
                            Some(policies) => one.identity.extend(policies.iter().cloned()),
                            None => return Wrong::at(group.start, format_args!("the group {group_name} is not in the export")),
                        },
                        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                            return Wrong::at(group.start, format_args!("a group's name is {}", group.noun()));
                        }
                    }
                }
                id = id.or_else(|| one.arn.account_id());
                held.insert(format!("{kind}/{}", name.to_lowercase()), one);
            }
        }
        match id {
            Some(id) => Ok(Account { id, file: file.into(), held }),
            None => Wrong::at(root.start, "the export holds no user and no role"),
        }
    }

    /// What a principal of this account has; none for its root user and for federated users of root.
    pub(crate) fn of(&self, principal: &Principal) -> Result<Option<&Held>, String> {
        let arn = match principal {
            Principal::User { arn, .. } => arn,
            Principal::Session { role, .. } => role,
            Principal::Federated { by: Some(by), .. } if by.resource() != "root" => by,
            Principal::Federated { .. }
            | Principal::Root { .. }
            | Principal::Anonymous
            | Principal::Service { .. }
            | Principal::Provider { .. } => return Ok(None),
        };
        self.named(arn).map(Some).ok_or_else(|| format!("{arn} is not in {}", self.file))
    }

    /// A user or role; the path in the ARN does not count, which sessions do not tell.
    pub(crate) fn named(&self, arn: &Arn) -> Option<&Held> {
        let (kind, rest) = arn.resource().split_once('/')?;
        let name = rest.rsplit('/').next().unwrap_or(rest);
        self.held.get(&format!("{kind}/{}", name.to_lowercase()))
    }
}

/// The items of a list; none where there is no list.
fn items<'n>(node: &'n Node, list: &str) -> &'n [Node] {
    match node.member(list).map(|node| &node.value) {
        Some(Value::List(list)) => list,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_)) | None => &[],
    }
}

fn text<'n>(node: &'n Node, member: &str) -> Result<&'n str, Wrong> {
    match node.member(member).map(|node| &node.value) {
        Some(Value::Text(text)) => Ok(text),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_)) | None => {
            Wrong::at(node.start, format_args!("there is no {member}"))
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    managed: Managed,
    policies: HashMap<String, Rc<Policy>>,
}

impl Reader<'_> {
    fn managed_policy(&mut self, node: &Node) -> Result<(), Wrong> {
        let arn = text(node, "Arn")?;
        let is_default = |version: &&Node| version.member("IsDefaultVersion").is_some_and(|node| matches!(node.value, Value::Bool(true)));
        let Some(document) = items(node, "PolicyVersionList").iter().find(is_default).and_then(|version| version.member("Document")) else {
            return Wrong::at(node.start, format_args!("{arn} has no default version with a document"));
        };
        let policy = Policy::stored(document, self.file, arn)?;
        self.policies.insert(arn.into(), Rc::new(policy));
        Ok(())
    }

    /// A managed policy that something names.
    fn attached(&mut self, node: &Node, member: &str) -> Result<Rc<Policy>, Wrong> {
        let arn = text(node, member)?;
        if let Some(policy) = self.policies.get(arn) {
            return Ok(Rc::clone(policy));
        }
        let Some(document) = (self.managed)(arn) else {
            return Wrong::at(node.start, format_args!("the document of {arn} is not in the export"));
        };
        let policy = Rc::new(Policy::of_aws(document, arn)?);
        self.policies.insert(arn.into(), Rc::clone(&policy));
        Ok(policy)
    }

    /// Inline policies, then attached ones.
    fn own(&mut self, node: &Node, kind: &str, name: &str, list: &str) -> Result<Vec<Rc<Policy>>, Wrong> {
        let mut policies = Vec::new();
        for inline in items(node, list) {
            let Some(document) = inline.member("PolicyDocument") else {
                return Wrong::at(inline.start, "there is no PolicyDocument");
            };
            let shown = format!("{kind} {name}, inline policy {}", text(inline, "PolicyName")?);
            policies.push(Rc::new(Policy::stored(document, self.file, &shown)?));
        }
        for attached in items(node, "AttachedManagedPolicies") {
            policies.push(self.attached(attached, "PolicyArn")?);
        }
        Ok(policies)
    }

    fn held(&mut self, node: &Node, kind: &str, name: &str, own: &str) -> Result<Held, Wrong> {
        let arn = text(node, "Arn")?;
        let Ok(arn) = arn.parse() else { return Wrong::at(node.start, format_args!("{arn} is no ARN")) };
        let tags = items(node, "Tags").iter().map(|tag| Ok((text(tag, "Key")?.into(), text(tag, "Value")?.into())));
        let id = node.member(if kind == "user" { "UserId" } else { "RoleId" });
        let id = id.and_then(|node| node.clone().word("an id").ok()).and_then(|id| id.parse().ok());
        let boundary = match node.member("PermissionsBoundary") {
            Some(node) if node.member("PermissionsBoundaryArn").is_some() => Some(self.attached(node, "PermissionsBoundaryArn")?),
            Some(_) | None => None,
        };
        let trust = match node.member("AssumeRolePolicyDocument") {
            Some(document) => Some(Rc::new(Policy::stored(document, self.file, &format!("trust policy of role {name}"))?)),
            None => None,
        };
        Ok(Held { arn, id, tags: tags.collect::<Result<_, _>>()?, identity: self.own(node, kind, name, own)?, boundary, trust })
    }
}
