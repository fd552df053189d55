//! The policy simulator: what policies would decide about actions that nobody does.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>.
//! A resource counts as having the policy that is given for it, or, if none is, as one that leaves it to its account: identity policies then decide
//! alone. The engine is the one that decides requests, and for a principal it is asked as a request would ask it: with what is true of the principal
//! and the resource by themselves, with what its organization lays on both, and with the trust policy of a role that is to be assumed. What of
//! another account has no policy here lets nobody in. What only a request could tell, the time or an address, has to be given.

mod answers;
mod asked;
mod resources;
mod sources;

use crate::documents::PolicyDocument;
use crate::page::NextPage;
use crate::{Error, Iam};
use answers::{EvaluationResult, NOT_GIVEN, Simulated};
use arn::{AccountId, Arn};
use asked::Asked;
use identities::{UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use policy::{Because, Compiled, Context, Document, Facts, Kind, Policies, PolicySet, Principal, Request, Values, explain};
use resources::Known;
use sources::{Excluded, Held, PolicyIdentifier, PolicyIdentifierPolicyType, Source, SourceArn, entity};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Marker, Read};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<SimulatePrincipalPolicy>(),
    handler::<SimulateCustomPolicy>(),
    handler::<GetContextKeysForPrincipalPolicy>(),
    handler::<GetContextKeysForCustomPolicy>(),
];

/// Statements that one page may look at, once for each action and resource. A page that would look at more ends early.
const LOOKED_AT: usize = 1_000_000;
/// Statements and resources that one page may show. A page that would show more ends early, too.
const SHOWN: usize = 50_000;

#[derive(Shape)]
struct SimulatePolicyOutput {
    evaluation_results: Vec<EvaluationResult>,
    #[shape(flatten)]
    next: NextPage,
}

#[derive(Shape)]
struct SimulatePrincipalPolicy {
    policy_source_arn: SourceArn,
    policy_input_list: Vec<PolicyDocument>,
    #[shape(max = 256)]
    policy_exclusion_list: Vec<PolicyIdentifier>,
    #[shape(flatten)]
    asked: Asked,
}

impl Operation for SimulatePrincipalPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = SimulatePolicyOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.policy_source_arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_source_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<SimulatePolicyOutput, Error> {
        let source = Source::find(cx, &self.policy_source_arn).await?;
        let without = self.policy_exclusion_list.iter().map(PolicyIdentifier::excluded).collect::<Result<Vec<Excluded>, _>>()?;
        let mut identity = Documents::new(Kind::Identity);
        identity.held(&source.documents(cx, &without).await?)?;
        identity.given("PolicyInputList", &self.policy_input_list)?;
        let mut own = Documents::new(Kind::Boundary);
        let present = source.boundary(cx, &without).await?;
        own.held(present.as_deref().unwrap_or_default())?;
        let boundary = boundary(&self.asked, present.is_some().then_some(own))?;
        let (named, id) = match &self.asked.caller_arn {
            Some(named) => (entity(named.as_str())?, user(cx, &entity(named.as_str())?).await?.map(|user| user.id)),
            None => (self.policy_source_arn.parsed()?, source.id().cloned()),
        };
        let account = cx.caller.account;
        let standing = match id {
            Some(id) => cx.access().standing_of(account, &id).await?,
            None => None,
        };
        let caller = standing.as_ref().map_or_else(|| principal(named, account), |standing| standing.principal.clone());
        let counts = |kind| !without.iter().any(|excluded| excluded.is_all(kind));
        let mut simulation = Simulation::new(&self.asked, caller, identity, boundary, Vec::new())?;
        simulation.real = Some(Real {
            facts: standing.map(|standing| standing.facts).unwrap_or_default(),
            has_resource_control: counts(PolicyIdentifierPolicyType::Rcp),
        });
        if counts(PolicyIdentifierPolicyType::Scp) {
            simulation.service_control = cx.caller.standing.levels.service_control().to_vec();
        }
        let mut resources = Vec::new();
        for resource in self.asked.resources()? {
            resources.push(Known::find(cx, resource, simulation.owner).await?);
        }
        simulation.page(&self.asked, &resources).await
    }
}

/// The user with this ARN, if it is there, in the caller's account.
async fn user(cx: &Allowed<'_, Read>, arn: &Arn) -> Result<Option<UserRecord>, Error> {
    let account = cx.caller.account;
    let Ok(name) = arn.resource_name().parse::<UserName>() else { return Ok(None) };
    Ok(cx.tx.find(UserRecord::BY_NAME, &name).await?.filter(|user| user.arn(account) == *arn))
}

#[derive(Shape)]
struct SimulateCustomPolicy {
    #[shape(required)]
    policy_input_list: Vec<PolicyDocument>,
    #[shape(max = 7)]
    ordered_organization_policy_input_list: Vec<OrderedOrganizationPolicyType>,
    #[shape(flatten)]
    asked: Asked,
}

/// The service control policies of one level, from the root of the organization on.
#[derive(Shape)]
struct OrderedOrganizationPolicyType {
    service_control_policy_input_list: Vec<PolicyDocument>,
}

impl Operation for SimulateCustomPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = SimulatePolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<SimulatePolicyOutput, Error> {
        let mut identity = Documents::new(Kind::Identity);
        identity.given("PolicyInputList", &self.policy_input_list)?;
        let account = cx.caller.account;
        let caller = match &self.asked.caller_arn {
            Some(named) => entity(named.as_str())?,
            None if self.asked.resource_policy.is_some() => {
                return Err(Error::InvalidInput("CallerArn is required if you include a ResourcePolicy.".into()));
            }
            // Only a resource's policy could tell one from another.
            None => Arn::iam(account, "user/simulated"),
        };
        let mut levels = Vec::new();
        for level in &self.ordered_organization_policy_input_list {
            let mut documents = Documents::new(Kind::ServiceControl);
            documents.given("ServiceControlPolicyInputList", &level.service_control_policy_input_list)?;
            levels.push(documents);
        }
        let boundary = boundary(&self.asked, None)?;
        let simulation = Simulation::new(&self.asked, principal(caller, account), identity, boundary, levels)?;
        simulation.page(&self.asked, &self.asked.resources()?).await
    }
}

/// The boundary that is given, in the place of the one that is there. There is one at most.
fn boundary(asked: &Asked, own: Option<Documents>) -> Result<Option<Documents>, Error> {
    match asked.permissions_boundary_policy_input_list.as_slice() {
        [] => Ok(own),
        given @ [_] => {
            let mut documents = Documents::new(Kind::Boundary);
            documents.given("PermissionsBoundaryPolicyInputList", given)?;
            Ok(Some(documents))
        }
        [_, _, ..] => Err(Error::InvalidInput("Only one permissions boundary policy may be specified.".into())),
    }
}

/// The caller that is simulated. A group stands for whoever is in it: it is nobody that a resource's policy could name.
fn principal(arn: Arn, own: AccountId) -> Principal {
    let account = arn.account_id().unwrap_or(own);
    match Principal::from_arn(arn.as_str()) {
        Ok(principal) => principal,
        Err(_) => Principal::User { arn, id: None, account },
    }
}

/// Documents of one kind, ready to decide.
struct Documents {
    kind: Kind,
    compiled: Vec<(policy::Source, Arc<Compiled>)>,
    /// How many statements they have.
    statements: usize,
}

impl Documents {
    fn new(kind: Kind) -> Self {
        Documents { kind, compiled: Vec::new(), statements: 0 }
    }

    fn add(&mut self, name: String, document: &Document) {
        self.statements += document.statements().count();
        self.compiled.push((policy::Source::new(name), Arc::new(Compiled::new(document, self.kind))));
    }

    /// Documents that are stored: they were held to the rules when they were saved.
    fn held(&mut self, held: &[Held]) -> Result<(), Error> {
        for held in held {
            self.add(held.id.clone(), &stored(held)?);
        }
        Ok(())
    }

    /// Documents that the request brings, named by their place in its list.
    fn given(&mut self, list: &str, given: &[PolicyDocument]) -> Result<(), Error> {
        for (document, nth) in given.iter().zip(1..) {
            self.add(format!("{list}.{nth}"), &brought(document, self.kind)?);
        }
        Ok(())
    }

    fn set(self) -> PolicySet {
        PolicySet::new(self.kind, self.compiled)
    }
}

/// A document that a request brings. One that IAM would not save is bad input.
fn brought(document: &PolicyDocument, kind: Kind) -> Result<Document, Error> {
    Document::saved(document.as_str(), kind).map_err(|malformed| Error::InvalidInput(malformed.to_string()))
}

fn stored(held: &Held) -> Result<Document, Error> {
    Document::parse(&held.document).map_err(|error| Error::Store(store::StoreError::Failed(Box::new(error))))
}

/// All that is asked, ready to decide.
struct Simulation {
    caller: Principal,
    identity: PolicySet,
    boundary: Option<PolicySet>,
    /// The policy that each resource counts as having.
    resource: PolicySet,
    /// Whether the request brought it.
    has_resource_policy: bool,
    service_control: Vec<Arc<PolicySet>>,
    /// The policy of what lets nobody in.
    nothing: PolicySet,
    /// Whose resources are whose ARN does not say it.
    owner: Option<AccountId>,
    facts: Context,
    statements: usize,
    /// What is so of a principal that is there; none of one that is made up.
    real: Option<Real>,
}

/// What is so of a principal that is there.
struct Real {
    /// The condition keys that are true of it whatever it asks.
    facts: Arc<Context>,
    /// Whether RCPs count.
    has_resource_control: bool,
}

/// A resource as a simulation names it.
trait Named {
    fn arn(&self) -> &str;
    /// What the store knows about it, if it was asked.
    fn known(&self) -> Option<&Known>;
}

impl Named for &str {
    fn arn(&self) -> &str {
        self
    }

    fn known(&self) -> Option<&Known> {
        None
    }
}

impl Named for Known {
    fn arn(&self) -> &str {
        &self.arn
    }

    fn known(&self) -> Option<&Known> {
        Some(self)
    }
}

impl Simulation {
    fn new(
        asked: &Asked,
        caller: Principal,
        identity: Documents,
        boundary: Option<Documents>,
        levels: Vec<Documents>,
    ) -> Result<Self, Error> {
        let mut resource = Documents::new(if asked.resource_policy.is_some() && asked.are_roles() { Kind::Trust } else { Kind::Resource });
        match &asked.resource_policy {
            Some(given) => resource.add("ResourcePolicy".into(), &brought(given, resource.kind)?),
            None => resource.add(NOT_GIVEN.into(), &left_to_the_account(&caller)?),
        }
        let all = [Some(&identity), Some(&resource), boundary.as_ref()].into_iter().flatten().chain(&levels);
        let statements = all.map(|documents| documents.statements).sum::<usize>().max(1);
        Ok(Simulation {
            caller,
            statements,
            identity: identity.set(),
            boundary: boundary.map(Documents::set),
            resource: resource.set(),
            has_resource_policy: asked.resource_policy.is_some(),
            service_control: levels.into_iter().map(|level| Arc::new(level.set())).collect(),
            owner: asked.owner()?,
            nothing: PolicySet::empty(Kind::Resource),
            facts: asked.facts(),
            real: None,
        })
    }

    /// A page of results, one for each action. Its marker is how many actions came before the next one.
    async fn page<R: Named>(&self, asked: &Asked, resources: &[R]) -> Result<SimulatePolicyOutput, Error> {
        let actions = asked.actions()?;
        asked.holds(&asked.resources()?)?;
        let too_large = || Error::InvalidInput("The simulation is too large: name fewer resources or bring fewer statements.".into());
        let cost = self.statements.saturating_mul(resources.len());
        if cost > LOOKED_AT {
            return Err(too_large());
        }
        let from = match asked.page.after()? {
            None => 0,
            Some(after) => std::str::from_utf8(after.entry()).ok().and_then(|text| text.parse().ok()).ok_or(Error::InvalidMarker)?,
        };
        let (mut results, mut looked_at, mut shown, mut next) = (Vec::new(), 0, 0, None);
        for (nth, action) in actions.into_iter().enumerate().skip(from) {
            let is_full = looked_at + cost > LOOKED_AT || shown > SHOWN;
            if results.len() == asked.page.limit() || (is_full && !results.is_empty()) {
                next = Some(Marker::after(nth.to_string().into_bytes()));
                break;
            }
            let (mut all, mut of_this) = (Vec::with_capacity(resources.len()), 0);
            for resource in resources {
                let simulated = self.simulate(action, resource.arn(), resource.known());
                of_this += 1 + simulated.shows();
                all.push(simulated);
                if of_this > SHOWN {
                    return Err(too_large());
                }
                turn().await;
            }
            (looked_at, shown) = (looked_at + cost, shown + of_this);
            results.push(EvaluationResult::of(action, &all));
        }
        Ok(SimulatePolicyOutput { evaluation_results: results, next: next.into() })
    }

    fn simulate(&self, action: &str, resource: &str, known: Option<&Known>) -> Simulated {
        let own = self.caller.account();
        let named = || resource.parse::<Arn>().ok().and_then(|arn| arn.account_id()).or(self.owner);
        // Who is made up is told nothing about resources: without its policy there is nothing that one of another account could say.
        let owner = if self.has_resource_policy || known.is_some() { named().or(own) } else { own };
        let trust = known.filter(|_| !self.has_resource_policy && policy::is_on_trust(action, resource));
        let resource_policy = match trust {
            Some(known) => known.role.as_ref().and_then(|role| role.trust.as_ref()).unwrap_or(&self.nothing),
            None if self.has_resource_policy || owner == own => &self.resource,
            None => &self.nothing,
        };
        let mut facts = Context::over(self.real.as_ref().map(|real| real.facts.clone()).unwrap_or_default());
        if let Some(known) = known {
            known.say(&mut facts);
        }
        self.facts.each(&mut |key, values| match values {
            Values::One(value) => facts.insert(key, value),
            Values::Many(values) => facts.insert_many(key, values.iter().cloned()),
        });
        let request = Request { principal: &self.caller, action, resource, resource_account: owner, facts: &facts };
        let has_resource_control = self.real.as_ref().is_some_and(|real| real.has_resource_control);
        let mut policies = Policies {
            boundary: self.boundary.as_ref(),
            resource: Some(resource_policy),
            service_control: &self.service_control,
            resource_control: known.filter(|_| has_resource_control).map_or(&[], Known::resource_control),
            ..Policies::of(&self.identity)
        };
        let mut explanation = explain(&request, &policies);
        let is_anothers = trust.is_some() && owner != own;
        if is_anothers {
            explanation.statements.retain(|statement| statement.kind != Because::Trust);
            policies.resource = None;
        }
        let missing = if policies.service_control.is_empty() && policies.resource_control.is_empty() && !is_anothers {
            explanation.missing_keys.clone()
        } else {
            // What only an organization's policies look for is not told.
            (policies.service_control, policies.resource_control) = (&[], &[]);
            explain(&request, &policies).missing_keys
        };
        Simulated::of(resource, &explanation, missing, owner != own)
    }
}

/// The policy of a resource that leaves it to the caller's account.
fn left_to_the_account(caller: &Principal) -> Result<Document, Error> {
    let account = caller.account().map(|account| account.to_string()).unwrap_or_default();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"*","Resource":"*"}}}}"#
    );
    Document::parse(&text).map_err(|error| Error::Store(store::StoreError::Failed(Box::new(error))))
}

/// Lets others on: a long simulation is many short ones.
async fn turn() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[derive(Shape)]
struct GetContextKeysForPrincipalPolicy {
    policy_source_arn: SourceArn,
    policy_input_list: Vec<PolicyDocument>,
}

#[derive(Shape)]
struct GetContextKeysForPolicyOutput {
    context_key_names: Vec<String>,
}

impl Operation for GetContextKeysForPrincipalPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetContextKeysForPolicyOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.policy_source_arn.parsed().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_source_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetContextKeysForPolicyOutput, Error> {
        let source = Source::find(cx, &self.policy_source_arn).await?;
        let held = source.documents(cx, &[]).await?;
        let held = held.iter().map(stored).chain(self.policy_input_list.iter().map(|given| brought(given, Kind::Identity)));
        keys(held)
    }
}

#[derive(Shape)]
struct GetContextKeysForCustomPolicy {
    #[shape(required)]
    policy_input_list: Vec<PolicyDocument>,
}

impl Operation for GetContextKeysForCustomPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetContextKeysForPolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<GetContextKeysForPolicyOutput, Error> {
        keys(self.policy_input_list.iter().map(|given| brought(given, Kind::Identity)))
    }
}

/// The keys that documents use, each once, as the first of them spells it.
fn keys(documents: impl IntoIterator<Item = Result<Document, Error>>) -> Result<GetContextKeysForPolicyOutput, Error> {
    let (mut seen, mut context_key_names) = (BTreeSet::new(), Vec::new());
    for document in documents {
        for key in document?.context_keys() {
            if seen.insert(key.to_lowercase()) {
                context_key_names.push(key);
            }
        }
    }
    Ok(GetContextKeysForPolicyOutput { context_key_names })
}
