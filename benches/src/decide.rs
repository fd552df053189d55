//! Decisions with many policies on the principal, beside cedar-policy on equal policies.

use crate::alone::nanoseconds;
use crate::report::Report;
use crate::rounds::ROUNDS;
use crate::{ALLOCATOR, Problem};
use cedar_policy::{Authorizer, Context as CedarContext, Entities, EntityUid, PolicySet as CedarSet, Request as CedarRequest};
use policy::{Compiled, Context, Document, Kind, Outcome, Policies, PolicySet, Principal, Request, Source, decide};
use stats_alloc::Region;
use std::hint::black_box;
use std::sync::Arc;

/// How many policies, and how many times faster than cedar it must be.
const SIZES: [(usize, f64); 4] = [(1, 4.0), (10, 15.0), (100, 150.0), (1_000, 1_000.0)];

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let mut first = None;
    for (size, target) in SIZES {
        let ours = ours(report, size, Shape::OtherResources)?;
        let cedar = cedar(size)?;
        let first = *first.get_or_insert(ours);
        let found = format!("{ours:.0} ns, cedar {cedar:.0} ns, {:.1} × faster", cedar / ours);
        report.line(&format!("a decision with {size} policies"), &found, &format!("≥ {target} ×"), cedar / ours >= target);
        report.line(
            &format!("flat at {size} policies that name other resources"),
            &format!("{:.2} × of with 1", ours / first),
            "≤ 1.5 ×",
            ours / first <= 1.5,
        );
    }
    for (shape, what) in [(Shape::OtherActions, "other actions"), (Shape::Wildcards, "other resources by wildcards of action and resource")]
    {
        let (one, many) = (ours(report, 1, shape)?, ours(report, 1_000, shape)?);
        report.line(
            &format!("flat at 1000 policies that name {what}"),
            &format!("{:.2} × of with 1 ({many:.0} ns)", many / one),
            "≤ 1.5 ×",
            many / one <= 1.5,
        );
    }
    organizations(report)
}

/// Five levels of an organization, each with AWS's own policy and four that deny other things.
fn levels(kind: Kind) -> Result<Vec<Arc<PolicySet>>, Problem> {
    let principal = if kind == Kind::ResourceControl { r#""Principal":"*","# } else { "" };
    let mut levels = Vec::new();
    for level in 0..5 {
        let mut documents =
            vec![format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{principal}"Action":"*","Resource":"*"}}]}}"#)];
        documents.extend((0..4).map(|nth| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[
                    {{"Effect":"Deny",{principal}"Action":["s3:Put{level}{nth}","iam:*","ec2:Run*"],"Resource":"*","Condition":{{"StringNotEquals":{{"aws:PrincipalOrgID":"o-x"}}}}}},
                    {{"Effect":"Deny",{principal}"Action":"s3:*","Resource":"arn:aws:s3:::secret-{level}-{nth}/*"}}]}}"#
            )
        }));
        let mut compiled = Vec::new();
        for (nth, text) in documents.iter().enumerate() {
            let document = Document::parse(text).map_err(|error| error.to_string())?;
            compiled.push((Source::new(format!("policy {nth} of level {level}")), Arc::new(Compiled::new(&document, kind))));
        }
        levels.push(Arc::new(PolicySet::new(kind, compiled)));
    }
    Ok(levels)
}

/// A decision in an organization, beside the same outside of one.
fn organizations(report: &mut Report) -> Result<(), Problem> {
    let document = Document::parse(&document(Shape::OtherResources, 0, true)).map_err(|error| error.to_string())?;
    let identity = PolicySet::new(Kind::Identity, [(Source::new("policy"), Arc::new(Compiled::new(&document, Kind::Identity)))]);
    let (scps, rcps) = (PolicySet::united(&levels(Kind::ServiceControl)?), PolicySet::united(&levels(Kind::ResourceControl)?));
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice")?;
    let facts = Context::new();
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::reports/q1.csv",
        resource_account: "111122223333".parse().ok(),
        facts: &facts,
    };
    let outside = Policies::of(&identity);
    let bound = Policies { service_control: &scps, ..outside };
    let bound_twice = Policies { resource_control: &rcps, ..bound };
    let time = |policies: &Policies<'_>| {
        nanoseconds(|| {
            black_box(decide(black_box(&request), policies));
        })
    };
    if decide(&request, &bound_twice).outcome != Outcome::Allowed {
        return Err("the decision is not the one that is to be timed".into());
    }
    // In turn and more than once: what slows a machine for a while slows all three.
    let mut least = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for (least, policies) in least.iter_mut().zip([&outside, &bound, &bound_twice]) {
            *least = least.min(time(policies));
        }
    }
    let [outside, one, both] = least;
    let found = format!("{:.2} × of without ({one:.0} ns)", one / outside);
    report.line("a decision under five levels of five SCPs each", &found, "≤ 1.3 ×", one / outside <= 1.3);
    let found = format!("{:.2} × of without ({both:.0} ns)", both / outside);
    report.line("the same under five levels of RCPs too", &found, "≤ 1.8 ×", both / outside <= 1.8);
    let region = Region::new(ALLOCATOR);
    for _ in 0..1_000 {
        black_box(decide(black_box(&request), &bound_twice));
    }
    let allocations = region.change().allocations;
    report.line("heap allocations in 1000 decisions under SCPs and RCPs", &allocations.to_string(), "0", allocations == 0);
    Ok(())
}

#[derive(Clone, Copy)]
enum Shape {
    OtherResources,
    OtherActions,
    Wildcards,
}

/// Only the last policy allows what is asked.
fn document(shape: Shape, nth: usize, last: bool) -> String {
    let (action, resource) = match shape {
        _ if last => ("s3:GetObject".to_owned(), "arn:aws:s3:::reports/q1.csv".to_owned()),
        Shape::OtherResources => ("s3:GetObject".to_owned(), format!("arn:aws:s3:::bucket-{nth}/file.csv")),
        Shape::OtherActions => (format!("s3:Action{nth}"), "*".to_owned()),
        Shape::Wildcards => ("s3:Get*".to_owned(), format!("arn:aws:s3:::bucket-{nth}/*")),
    };
    format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}}}"#)
}

fn ours(report: &mut Report, size: usize, shape: Shape) -> Result<f64, Problem> {
    let mut documents = Vec::with_capacity(size);
    for nth in 0..size {
        let document = Document::parse(&document(shape, nth, nth + 1 == size)).map_err(|error| error.to_string())?;
        documents.push((Source::new(format!("policy {nth}")), Arc::new(Compiled::new(&document, Kind::Identity))));
    }
    let set = PolicySet::new(Kind::Identity, documents);
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice")?;
    let facts = Context::new();
    let account = "111122223333".parse().ok();
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::reports/q1.csv",
        resource_account: account,
        facts: &facts,
    };
    let policies = Policies::of(&set);
    if decide(&request, &policies).outcome != Outcome::Allowed {
        return Err("the decision is not the one that is to be timed".into());
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..1_000 {
        black_box(decide(black_box(&request), &policies));
    }
    let allocations = region.change().allocations;
    if size == 1_000 {
        report.line("heap allocations in 1000 decisions that allow", &allocations.to_string(), "0", allocations == 0);
    }
    Ok(nanoseconds(|| {
        black_box(decide(black_box(&request), &policies));
    }))
}

fn cedar(size: usize) -> Result<f64, Problem> {
    let mut text = String::new();
    for nth in 0..size {
        let resource = if nth + 1 == size { "reports/q1.csv".to_owned() } else { format!("bucket-{nth}/file.csv") };
        text.push_str(&format!(
            "permit(principal == User::\"alice\", action == Action::\"GetObject\", resource == File::\"{resource}\");\n"
        ));
    }
    let set: CedarSet = text.parse()?;
    let uid = |text: &str| text.parse::<EntityUid>().map_err(Box::new);
    let request = CedarRequest::new(
        uid("User::\"alice\"")?,
        uid("Action::\"GetObject\"")?,
        uid("File::\"reports/q1.csv\"")?,
        CedarContext::empty(),
        None,
    )?;
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    if authorizer.is_authorized(&request, &set, &entities).decision() != cedar_policy::Decision::Allow {
        return Err("cedar does not allow what it should".into());
    }
    Ok(nanoseconds(|| {
        black_box(authorizer.is_authorized(black_box(&request), &set, &entities));
    }))
}
