//! The policy simulator: what policies would decide about actions that nobody does.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>.
//! It knows only the condition keys that it is given. A resource counts as having the policy that is given for it, or, if none is, as one that leaves
//! it to its account: identity policies then decide alone. The engine is the one that decides requests.

mod answers;
mod asked;
mod sources;

use crate::documents::PolicyDocument;
use crate::page::NextPage;
use crate::{Error, Iam};
use answers::{EvaluationResult, NOT_GIVEN, Simulated};
use arn::{AccountId, Arn};
use asked::Asked;
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use policy::{Compiled, Context, Document, Kind, Policies, PolicySet, Principal, Request, explain};
use sources::{Excluded, Held, PolicyIdentifier, Source, SourceArn, entity};
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
        let caller = match &self.asked.caller_arn {
            Some(named) => entity(named.as_str())?,
            None => self.policy_source_arn.parsed()?,
        };
        let boundary = boundary(&self.asked, present.is_some().then_some(own))?;
        Simulation::new(&self.asked, principal(caller, cx.caller.account), identity, boundary, Vec::new())?.page(&self.asked).await
    }
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
        Simulation::new(&self.asked, principal(caller, account), identity, boundary, levels)?.page(&self.asked).await
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
    owner: Option<AccountId>,
    facts: Context,
    statements: usize,
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
            facts: asked.facts(),
        })
    }

    /// A page of results, one for each action. Its marker is how many actions came before the next one.
    async fn page(&self, asked: &Asked) -> Result<SimulatePolicyOutput, Error> {
        let (actions, resources) = (asked.actions()?, asked.resources()?);
        asked.holds(&resources)?;
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
            for resource in &resources {
                let simulated = self.simulate(action, resource);
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

    fn simulate(&self, action: &str, resource: &str) -> Simulated {
        let own = self.caller.account();
        // Without its policy there is nothing that a resource of another account could say.
        let owner = match resource.parse::<Arn>().ok().and_then(|arn| arn.account_id()).or(self.owner) {
            Some(owner) if self.has_resource_policy => Some(owner),
            Some(_) | None => own,
        };
        let request = Request { principal: &self.caller, action, resource, resource_account: owner, facts: &self.facts };
        let mut policies = Policies {
            boundary: self.boundary.as_ref(),
            resource: Some(&self.resource),
            service_control: &self.service_control,
            ..Policies::of(&self.identity)
        };
        let explanation = explain(&request, &policies);
        let missing = if self.service_control.is_empty() {
            explanation.missing_keys.clone()
        } else {
            // What only service control policies look for is not told.
            policies.service_control = &[];
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
