//! A file of cases: reading it, with whatever it names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use arn::{AccountId, Arn};
use policy::{Context, Place, Principal};

use crate::account::{self, Account, Held, Managed};
use crate::case::{Asked, BECAUSE, Case, Decided, Expected, Given};
use crate::document::Policy;
use crate::node::{Members, Node, Value, Wrong};
use crate::yaml;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 256 << 20;
/// Cases that one file may hold, those made from lists of actions and resources included.
const MOST: usize = 100_000;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The file that is wrong: the one with the cases, or one that it names.
    pub file: String,
    /// Where in it; none if it could not be read at all.
    pub place: Option<Place>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some(place) => write!(f, "{}:{}:{}: {}", self.file, place.line, place.column, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// What a file turns out to be.
pub(crate) enum Content {
    Cases(Vec<Case>),
    /// A policy or an exported account, which has nothing to say on its own.
    Material,
}

/// Reads files, and those that they name no more than once.
pub(crate) struct Files {
    managed: Managed,
    accounts: HashMap<PathBuf, Rc<Account>>,
    policies: HashMap<PathBuf, Rc<Policy>>,
}

impl Files {
    pub(crate) fn new(managed: Managed) -> Files {
        Files { managed, accounts: HashMap::new(), policies: HashMap::new() }
    }

    /// Reads a file that may hold cases.
    pub(crate) fn content(&mut self, path: &Path) -> Result<Content, Bad> {
        let root = load(path)?;
        self.read(root, path)
    }

    /// What a file says that was read from this path.
    pub(crate) fn read(&mut self, root: Node, path: &Path) -> Result<Content, Bad> {
        let is_policy = root.member("Statement").is_some();
        if root.member("cases").is_none() && (is_policy || account::is_export(&root)) {
            return Ok(Content::Material);
        }
        self.cases(root, path).map(Content::Cases)
    }

    fn cases(&mut self, root: Node, path: &Path) -> Result<Vec<Case>, Bad> {
        let here = |wrong: Wrong| bad(path, wrong);
        let mut members = Members::of(root, "a file of cases").map_err(here)?;
        let mut about = About { path, accounts: Vec::new(), named: BTreeMap::new(), files: self };
        for node in members.take("accounts").map(Node::list).unwrap_or_default() {
            about.account(node)?;
        }
        let named = members.take("policies").map(|node| Members::of(node, "policies")).transpose().map_err(here)?;
        for member in named.map(Members::rest).unwrap_or_default() {
            let policy = about.written(member.node, &member.key)?;
            about.named.insert(member.key, policy);
        }
        let defaults = match members.take("defaults") {
            Some(node) => {
                let mut defaults = Members::of(node, "defaults").map_err(here)?;
                let request = defaults.take("request").map(|node| Members::of(node, "request")).transpose().map_err(here)?;
                let policies = defaults.take("policies");
                defaults.end().map_err(here)?;
                Defaults { request: request.map(Members::rest).unwrap_or_default(), policies }
            }
            None => Defaults::default(),
        };
        let cases = members.needed("cases").map_err(here)?;
        members.end().map_err(here)?;
        let place = cases.start;
        let mut read = Vec::new();
        let mut names = HashSet::new();
        for node in cases.list() {
            let place = node.start;
            about.case(node, &defaults, &mut read)?;
            let name = read.last().map(|case: &Case| case.name.clone()).unwrap_or_default();
            if !names.insert(name.clone()) {
                return Err(here(Wrong { what: format!("a case before this one is named {name:?}"), place }));
            }
            if read.len() > MOST {
                return Err(here(Wrong { what: format!("the file holds more than {MOST} cases"), place }));
            }
        }
        if read.is_empty() {
            return Err(here(Wrong { what: "there are no cases".into(), place }));
        }
        Ok(read)
    }

    fn account(&mut self, path: &Path) -> Result<Rc<Account>, Bad> {
        if let Some(account) = self.accounts.get(path) {
            return Ok(Rc::clone(account));
        }
        let root = load(path)?;
        let account = Account::read(&root, &path.display().to_string(), self.managed).map_err(|wrong| bad(path, wrong))?;
        let account = Rc::new(account);
        self.accounts.insert(path.into(), Rc::clone(&account));
        Ok(account)
    }

    fn policy(&mut self, path: &Path) -> Result<Rc<Policy>, Bad> {
        if let Some(policy) = self.policies.get(path) {
            return Ok(Rc::clone(policy));
        }
        let root = load(path)?;
        let policy = Rc::new(Policy::of(&root, path.display().to_string()).map_err(|wrong| bad(path, wrong))?);
        self.policies.insert(path.into(), Rc::clone(&policy));
        Ok(policy)
    }
}

fn bad(path: &Path, Wrong { what, place }: Wrong) -> Bad {
    Bad { file: path.display().to_string(), place: Some(place), what }
}

/// Reads a file by its ending.
fn load(path: &Path) -> Result<Node, Bad> {
    let unread = |what: String| Bad { file: path.display().to_string(), place: None, what };
    let size = std::fs::metadata(path).map_err(|error| unread(error.to_string()))?.len();
    if size > LONGEST {
        return Err(unread(format!("longer than {LONGEST} bytes")));
    }
    let text = std::fs::read(path).map_err(|error| unread(error.to_string()))?;
    let text = String::from_utf8(text).map_err(|_| unread("not UTF-8".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if is_json { Node::json(text) } else { yaml::read(text) }.map_err(|wrong| bad(path, wrong))
}

/// What cases leave out.
#[derive(Default)]
struct Defaults {
    request: Vec<crate::node::Member>,
    policies: Option<Node>,
}

/// A file of cases that is being read.
struct About<'f> {
    path: &'f Path,
    accounts: Vec<Rc<Account>>,
    named: BTreeMap<String, Rc<Policy>>,
    files: &'f mut Files,
}

impl About<'_> {
    fn here(&self, wrong: Wrong) -> Bad {
        bad(self.path, wrong)
    }

    fn wrong<T>(&self, place: Place, what: impl ToString) -> Result<T, Bad> {
        Err(self.here(Wrong { what: what.to_string(), place }))
    }

    /// A path, as seen from the file.
    fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    fn account(&mut self, node: Node) -> Result<(), Bad> {
        let place = node.start;
        let path = self.beside(&node.word("an account").map_err(|wrong| self.here(wrong))?);
        if !path.is_file() {
            return self.wrong(place, format_args!("there is no file {}", path.display()));
        }
        let account = self.files.account(&path)?;
        if self.accounts.iter().any(|other| other.id == account.id) {
            return self.wrong(place, format_args!("account {} is exported twice", account.id));
        }
        self.accounts.push(account);
        Ok(())
    }

    /// A policy: a document, a document's text, the path of a file, the name of one under `policies`, or the ARN of one of AWS's.
    fn written(&mut self, node: Node, what: &str) -> Result<Rc<Policy>, Bad> {
        let source = || format!("{}: {what}", self.path.display());
        let place = node.start;
        let text = match node.value {
            Value::Object(_) => return Policy::of(&node, source()).map(Rc::new).map_err(|wrong| self.here(wrong)),
            Value::Text(text) => text,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => {
                return self.wrong(place, format_args!("{what} is {}, not a policy", node.noun()));
            }
        };
        if text.trim_start().starts_with('{') {
            return Policy::text(&text, place, source()).map(Rc::new).map_err(|wrong| self.here(wrong));
        }
        if let Some(policy) = self.named.get(&text) {
            return Ok(Rc::clone(policy));
        }
        if text.starts_with("arn:") {
            return match (self.files.managed)(&text) {
                Some(document) => Policy::of_aws(document, &text).map(Rc::new).map_err(|wrong| self.here(wrong)),
                None => self.wrong(place, format_args!("{text} is no policy of AWS")),
            };
        }
        let path = self.beside(&text);
        if !path.is_file() {
            return self.wrong(place, format_args!("{text:?} is neither the name of a policy nor a file"));
        }
        self.files.policy(&path)
    }

    fn union(&mut self, node: Node, what: &str) -> Result<Vec<Rc<Policy>>, Bad> {
        node.list().into_iter().map(|node| self.written(node, what)).collect()
    }

    /// Levels of an organization, root first. As with every kind, an empty list applies and allows nothing.
    fn levels(&mut self, node: Node, what: &str) -> Result<Vec<Vec<Rc<Policy>>>, Bad> {
        let levels = node.list();
        if levels.is_empty() {
            return Ok(vec![Vec::new()]);
        }
        levels.into_iter().map(|level| self.union(level, what)).collect()
    }

    /// The policies that a case says, over those of the defaults, kind by kind.
    fn given(&mut self, node: Option<Node>, given: &mut Given) -> Result<(), Bad> {
        let Some(node) = node else { return Ok(()) };
        let mut members = Members::of(node, "policies").map_err(|wrong| self.here(wrong))?;
        if let Some(node) = members.take("identity") {
            given.identity = self.union(node, "identity")?;
        }
        for (kind, of) in [
            ("permissionsBoundary", &mut given.boundary as &mut Option<Vec<Rc<Policy>>>),
            ("session", &mut given.session),
            ("endpoint", &mut given.endpoint),
        ] {
            if let Some(node) = members.take(kind) {
                *of = Some(self.union(node, kind)?);
            }
        }
        if let Some(node) = members.take("resource") {
            given.resource = Some(self.written(node, "resource")?);
        }
        for (kind, of) in [("serviceControl", &mut given.service_control), ("resourceControl", &mut given.resource_control)] {
            if let Some(node) = members.take(kind) {
                *of = self.levels(node, kind)?;
            }
        }
        members.end().map_err(|wrong| self.here(wrong))
    }

    /// Reads a case, which is as many as it has actions and resources.
    fn case(&mut self, node: Node, defaults: &Defaults, read: &mut Vec<Case>) -> Result<(), Bad> {
        let place = node.start;
        let mut members = Members::of(node, "a case").map_err(|wrong| self.here(wrong))?;
        let name = members.needed("name").and_then(|node| node.word("name")).map_err(|wrong| self.here(wrong))?;
        let request = members.take("request");
        let policies = members.take("policies");
        let expect = members.needed("expect").map_err(|wrong| self.here(wrong))?;
        members.end().map_err(|wrong| self.here(wrong))?;
        let expected = expected(expect).map_err(|wrong| self.here(wrong))?;

        let mut given = Given::default();
        self.given(defaults.policies.clone(), &mut given)?;
        self.given(policies, &mut given)?;
        let wanted = Wanted::read(request, &defaults.request, place).map_err(|wrong| self.here(wrong))?;
        let held = self.held(&wanted)?;
        if let Some(held) = held.as_ref().and_then(|(account, at)| account.named(at)) {
            given.identity.splice(0..0, held.identity.iter().cloned());
            if given.boundary.is_none() {
                given.boundary = held.boundary.as_ref().map(|boundary| vec![Rc::clone(boundary)]);
            }
        }
        let is_one = wanted.actions.len() == 1 && wanted.resources.len() == 1;
        for (action, _) in &wanted.actions {
            for (resource, resource_place) in &wanted.resources {
                let mut given = given.clone();
                let role = self.role(resource);
                if given.resource.is_none() && policy::is_on_trust(action, resource) {
                    match role {
                        Some((_, Some(role))) => given.resource.clone_from(&role.trust),
                        Some((account, None)) => {
                            return self.wrong(*resource_place, format_args!("{resource} is not in the export of account {}", account.id));
                        }
                        None => {}
                    }
                }
                let of_account = held.as_ref().and_then(|(account, at)| account.named(at));
                let of_resource = self.role(resource).and_then(|(_, held)| held);
                let context = context(&wanted, resource, of_account, of_resource);
                let asked = Asked {
                    principal: wanted.principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    resource_account: wanted.resource_account,
                    context,
                };
                let name = if is_one { name.clone() } else { format!("{name} [{action} {resource}]") };
                read.push(Case { name, place, asked, given, expected: expected.clone() });
                if read.len() > MOST {
                    return self.wrong(place, format_args!("the file holds more than {MOST} cases"));
                }
            }
        }
        Ok(())
    }

    /// The account that the principal belongs to and the ARN of what holds its policies, if its account is exported.
    fn held(&self, wanted: &Wanted) -> Result<Option<(Rc<Account>, Arn)>, Bad> {
        let own = wanted.principal.account();
        let Some(account) = self.accounts.iter().find(|account| Some(account.id) == own) else { return Ok(None) };
        match account.of(&wanted.principal) {
            Ok(held) => Ok(held.map(|held| (Rc::clone(account), held.arn.clone()))),
            Err(what) => self.wrong(wanted.principal_place, what),
        }
    }

    /// A user or role of an exported account that is the resource.
    fn role(&self, resource: &str) -> Option<(&Account, Option<&Held>)> {
        let arn: Arn = resource.parse().ok()?;
        let account = self.accounts.iter().find(|account| arn.service() == "iam" && Some(account.id) == arn.account_id())?;
        Some((account, account.named(&arn)))
    }
}

fn expected(node: Node) -> Result<Expected, Wrong> {
    if let Value::Text(_) = node.value {
        return Ok(Expected { decision: Some(decided(node)?), ..Expected::default() });
    }
    let mut members = Members::of(node, "expect")?;
    let decision = decided(members.needed("decision")?)?;
    let because = match members.take("because") {
        None => None,
        Some(node) => {
            let place = node.start;
            let because = node.word("because")?;
            if !BECAUSE.iter().any(|known| known.as_str() == because) {
                let known = BECAUSE.map(policy::Because::as_str).join(", ");
                return Wrong::at(place, format_args!("because is {because:?}, which is none of {known}"));
            }
            Some(because)
        }
    };
    let statement = members.take("statement").map(|node| node.word("statement")).transpose()?;
    members.end()?;
    Ok(Expected { decision: Some(decision), because, statement })
}

fn decided(node: Node) -> Result<Decided, Wrong> {
    let place = node.start;
    let word = node.word("decision")?;
    match Decided::ALL.into_iter().find(|known| known.to_string() == word) {
        Some(decided) => Ok(decided),
        None => Wrong::at(
            place,
            format_args!("decision is {word:?}, which is none of {}", Decided::ALL.map(|known| known.to_string()).join(", ")),
        ),
    }
}

/// The request of a case, as it is written.
struct Wanted {
    principal: Principal,
    principal_place: Place,
    actions: Vec<(String, Place)>,
    resources: Vec<(String, Place)>,
    resource_account: Option<AccountId>,
    /// In their order; none takes a key away.
    context: Vec<(String, Option<Facts>)>,
}

/// The values of a context key.
enum Facts {
    One(String),
    Many(Vec<String>),
}

impl Wanted {
    fn read(node: Option<Node>, defaults: &[crate::node::Member], place: Place) -> Result<Wanted, Wrong> {
        let mut members = match node {
            Some(node) => Members::of(node, "request")?,
            None => Members::none("request"),
        };
        members.place = if members.place == (Place { line: 1, column: 1 }) { place } else { members.place };
        let default = |key: &str| defaults.iter().find(|member| member.key == key).map(|member| member.node.clone());
        let mut take = |key: &'static str| members.take(key).or_else(|| default(key).filter(|node| !matches!(node.value, Value::Null)));
        let (principal, action, resource) = (take("principal"), take("action"), take("resource"));
        let account = take("resourceAccount");
        let own_context = members.take("context");
        let lacks = |what: &str| Wrong { what: format!("request has no {what}"), place: members.place };
        let principal = principal.ok_or_else(|| lacks("principal"))?;
        let actions = words(action.ok_or_else(|| lacks("action"))?, "action")?;
        let resources = words(resource.ok_or_else(|| lacks("resource"))?, "resource")?;
        if let Some(member) =
            defaults.iter().find(|member| !["principal", "action", "resource", "resourceAccount", "context"].contains(&&*member.key))
        {
            return Wrong::at(member.place, format_args!("{:?} is no member of request", member.key));
        }
        members.end()?;
        let principal_place = principal.start;
        let principal = match Principal::from_arn(&principal.word("principal")?) {
            Ok(principal) => principal,
            Err(error) => return Wrong::at(principal_place, error),
        };
        let resource_account = match account {
            None => None,
            Some(node) => {
                let place = node.start;
                match node.word("resourceAccount")?.parse() {
                    Ok(account) => Some(account),
                    Err(error) => return Wrong::at(place, error),
                }
            }
        };
        if let Some((action, place)) = actions.iter().find(|(action, _)| !action.contains(':')) {
            return Wrong::at(*place, format_args!("{action:?} is no action: it would be written service:{action}"));
        }
        let mut context = Vec::new();
        for node in [default("context"), own_context].into_iter().flatten() {
            for member in Members::of(node, "context")?.rest() {
                let values = values(member.node, &member.key)?;
                context.push((member.key, values));
            }
        }
        Ok(Wanted { principal, principal_place, actions, resources, resource_account, context })
    }
}

/// One text, or several.
fn words(node: Node, what: &str) -> Result<Vec<(String, Place)>, Wrong> {
    let place = node.start;
    let words = node.list().into_iter().map(|node| Ok((node.start, node.word(what)?))).collect::<Result<Vec<_>, Wrong>>()?;
    if words.is_empty() {
        return Wrong::at(place, format_args!("{what} is an empty list"));
    }
    Ok(words.into_iter().map(|(place, word)| (word, place)).collect())
}

fn values(node: Node, key: &str) -> Result<Option<Facts>, Wrong> {
    match node.value {
        Value::Null => Ok(None),
        Value::List(list) => Ok(Some(Facts::Many(list.into_iter().map(|node| node.word(key)).collect::<Result<_, _>>()?))),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => node.word(key).map(|text| Some(Facts::One(text))),
    }
}

/// What is true of the principal and the resource by what they are, and over it what the case says.
fn context(wanted: &Wanted, resource: &str, held: Option<&Held>, of_resource: Option<&Held>) -> Context {
    let mut facts = Context::new();
    let principal = &wanted.principal;
    if let Some(account) = principal.account() {
        facts.insert("aws:PrincipalAccount", account.to_string());
    }
    let mut own = |kind: &str, arn: &str| {
        facts.insert("aws:PrincipalType", kind);
        facts.insert("aws:PrincipalArn", arn);
        facts.insert("aws:PrincipalIsAWSService", "false");
        facts.insert("aws:ViaAWSService", "false");
    };
    match principal {
        Principal::User { arn, .. } => {
            own("User", arn.as_str());
            facts.insert("aws:username", name(arn));
            if let Some(id) = held.and_then(|held| held.id.as_ref()) {
                facts.insert("aws:userid", id.as_str());
            }
        }
        Principal::Root { arn, account } => {
            own("Account", arn.as_str());
            facts.insert("aws:userid", account.to_string());
        }
        Principal::Session { arn, role, .. } => {
            own("AssumedRole", held.map_or(role, |held| &held.arn).as_str());
            if let Some(id) = held.and_then(|held| held.id.as_ref()).filter(|_| arn != role) {
                facts.insert("aws:userid", format!("{id}:{}", name(arn)));
            }
        }
        Principal::Federated { arn, account, .. } => {
            own("FederatedUser", arn.as_str());
            facts.insert("aws:userid", format!("{account}:{}", name(arn)));
        }
        Principal::Anonymous => {
            facts.insert("aws:PrincipalType", "Anonymous");
            facts.insert("aws:PrincipalAccount", "anonymous");
            facts.insert("aws:userid", "anonymous");
            facts.insert("aws:ViaAWSService", "false");
        }
        Principal::Service { name } => {
            facts.insert("aws:PrincipalIsAWSService", "true");
            facts.insert("aws:PrincipalServiceName", name.clone());
        }
        Principal::Provider { provider } => facts.insert("aws:FederatedProvider", provider.clone()),
    }
    for (key, value) in held.into_iter().flat_map(|held| &held.tags) {
        facts.insert(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    for (key, value) in of_resource.into_iter().flat_map(|held| &held.tags) {
        facts.insert(&format!("aws:ResourceTag/{key}"), value.as_str());
        facts.insert(&format!("iam:ResourceTag/{key}"), value.as_str());
    }
    let owner = wanted.resource_account.or_else(|| resource.parse::<Arn>().ok().and_then(|arn| arn.account_id()));
    if let Some(owner) = owner {
        facts.insert("aws:ResourceAccount", owner.to_string());
    }
    for (key, values) in &wanted.context {
        match values {
            None => facts.remove(key),
            Some(Facts::One(text)) => facts.insert(key, text.as_str()),
            Some(Facts::Many(list)) => facts.insert_many(key, list.iter().map(String::as_str)),
        }
    }
    facts
}

/// The last part of an ARN's resource.
fn name(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}
