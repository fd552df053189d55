//! What has to hold whatever the policies are: more denies never allow, more allows never deny, order never matters, an explanation is the decision,
//! what it suggests suffices and widens nothing, and the compiled engine answers as a plain evaluator does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::wildcard_enum_match_arm, reason = "a test")]

mod reference;

use std::sync::Arc;

use policy::{
    Compiled, Context, Document, Kind, Outcome, Policies, PolicySet, Principal, Request, Source, decide, decide_in_favour, explain,
};
use proptest::prelude::*;
use proptest::sample::select;
use reference::World;
use serde_json::{Map, Value, json};

const CALLERS: [&str; 12] = [
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:user/team/bob",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/reader/s1",
    "arn:aws:sts::111122223333:assumed-role/reader/s2",
    "arn:aws:iam::111122223333:role/team/reader",
    "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    "arn:aws:sts::111122223333:federated-user/alice",
    "arn:aws:iam::444455556666:user/alice",
    "anonymous",
    "sns.amazonaws.com",
    "arn:aws:iam::111122223333:oidc-provider/token.example.com",
];

const PRINCIPALS: [(&str, &str); 15] = [
    ("AWS", "arn:aws:iam::111122223333:user/alice"),
    ("AWS", "arn:aws:iam::111122223333:user/Alice"),
    ("AWS", "arn:aws:iam::111122223333:user/team/bob"),
    ("AWS", "arn:aws:iam::111122223333:root"),
    ("AWS", "111122223333"),
    ("AWS", "arn:aws:sts::111122223333:assumed-role/reader/s1"),
    ("AWS", "arn:aws:iam::111122223333:role/reader"),
    ("AWS", "arn:aws:iam::111122223333:role/other"),
    ("AWS", "arn:aws:sts::111122223333:federated-user/alice"),
    ("AWS", "444455556666"),
    ("AWS", "*"),
    ("AWS", "arn:aws:iam::111122223333:user/*"),
    ("Service", "sns.amazonaws.com"),
    ("Federated", "arn:aws:iam::111122223333:oidc-provider/token.example.com"),
    ("CanonicalUser", "abc"),
];

const ACTIONS: [&str; 10] = [
    "s3:GetObject",
    "s3:getobject",
    "s3:GetObjectAcl",
    "s3:PutObject",
    "sqs:SendMessage",
    "kms:Decrypt",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "iam:GetUser",
    "ec2:RunInstances",
];

const ACTION_PATTERNS: [&str; 18] = [
    "*",
    "s3:*",
    "s3:Get*",
    "S3:GETOBJECT",
    "s3:GetObject",
    "s3:*Object",
    "s3:?etObject",
    "s3:G*t*t",
    "s3:PutObject",
    "sqs:*",
    "kms:*",
    "sts:*",
    "iam:Get*",
    "ec2:*",
    "*:*",
    "*:GetObject",
    "s3:",
    "GetObject",
];

const RESOURCES: [&str; 11] = [
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/x/k",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::c",
    "arn:aws:sqs:us-east-1:111122223333:q1",
    "arn:aws:sqs:us-east-1:444455556666:q1",
    "arn:aws:kms:us-east-1:111122223333:key/k",
    "arn:aws:iam::111122223333:role/target",
    "arn:aws:iam::111122223333:user/alice",
    "*",
    "thing",
];

const RESOURCE_PATTERNS: [&str; 36] = [
    "*",
    "*",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/K",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/${*}",
    "arn:aws:s3:::*",
    "arn:aws:s3:::b*k",
    "arn:aws:s3:::?/?",
    "arn:AWS:S3:::b/*",
    "arn:*:s3:::b/k",
    "arn:aws:s3:::b/${aws:username}",
    "arn:aws:s3:::b/${aws:username}/k",
    "arn:aws:s3:::${a:list}/*",
    "arn:aws:s3:::b/${x:y, 'k'}",
    "arn:aws:s3:::b/${x:y,'k'}",
    "arn:aws:s3:::b/${aws:username",
    "arn:aws:sqs:*:*:q?",
    "arn:aws:sqs:us-*:111122223333:*",
    "arn:aws:sqs:${aws:username}:111122223333:q1",
    "arn:aws:*:*:*:*",
    "arn:aws:sqs",
    "arn:aws:sqs:*",
    "arn:aws:s3",
    "arn:*",
    "arn:aws:iam::111122223333:u*",
    "arn:aws:iam::111122223333:*",
    "arn:aws:iam::111122223333:*/alice",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::111122223333:role/target",
    "arn:aws:kms:*:*:key/*",
    "arn:aws:kms:*:*:k?y/k",
    "thing",
    "",
    "arn",
    "arn:aws:sqs:us-east-1:111122223333:${$}q1",
];

const OPERATORS: [&str; 20] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "Bool",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotEquals",
    "ArnEquals",
    "ArnNotLike",
    "Null",
    "stringequals",
    "StringIs",
];

const KEYS: [&str; 7] = ["aws:username", "AWS:UserName", "a:list", "x:y", "aws:SourceIp", "aws:SourceArn", "n:n"];

const VALUES: [&str; 22] = [
    "alice",
    "ALICE",
    "a*",
    "*",
    "?lice",
    "",
    "true",
    "false",
    "5",
    "10",
    "-1",
    "10.0.0.0/8",
    "10.1.2.3",
    "10.0.0.0/40",
    "${aws:username}",
    "${x:y}",
    "${x:y, 'alice'}",
    "${*}",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::${aws:username}",
    "arn:*:s?:*:*:*",
    "k",
];

fn one_or_list(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![select(values).prop_map(Value::from), prop::collection::vec(select(values), 1..4).prop_map(|list| json!(list))]
}

fn conditions() -> impl Strategy<Value = Option<Value>> {
    let operator = (select(&["", "", "", "ForAllValues:", "ForAnyValue:"][..]), select(&OPERATORS[..]), select(&["", "", "IfExists"][..]));
    let operator = operator.prop_map(|(set, name, end)| format!("{set}{name}{end}"));
    let values = prop_oneof![3 => one_or_list(&VALUES), 1 => Just(json!([])), 1 => Just(json!([true, 5]))];
    let one = prop::collection::btree_map(operator, prop::collection::btree_map(select(&KEYS[..]), values, 1..3), 1..3);
    prop_oneof![2 => Just(None), 1 => one.prop_map(|map| Some(json!(map)))]
}

fn principals() -> impl Strategy<Value = Value> {
    let listed = prop::collection::vec(select(&PRINCIPALS[..]), 1..4).prop_map(|list| {
        let mut map = Map::new();
        for (kind, name) in list {
            map.entry(kind).or_insert_with(|| json!([])).as_array_mut().unwrap().push(name.into());
        }
        Value::Object(map)
    });
    prop_oneof![1 => Just(json!("*")), 4 => listed]
}

fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let principal = prop_oneof![1 => Just(None), 6 => (prop::bool::weighted(0.2), principals()).prop_map(Some)];
    let resource = prop_oneof![1 => Just(None), 9 => (prop::bool::weighted(0.2), one_or_list(&RESOURCE_PATTERNS)).prop_map(Some)];
    let parts =
        (prop::bool::weighted(0.25), (prop::bool::weighted(0.15), one_or_list(&ACTION_PATTERNS)), resource, principal, conditions());
    parts.prop_map(move |(deny, (not_action, action), resource, principal, condition)| {
        let mut members = Map::new();
        members.insert("Effect".into(), if deny { "Deny" } else { "Allow" }.into());
        members.insert(if not_action { "NotAction" } else { "Action" }.into(), action);
        if let Some((not, resource)) = resource {
            members.insert(if not { "NotResource" } else { "Resource" }.into(), resource);
        }
        if let Some((not, principal)) = principal.filter(|_| with_principal) {
            members.insert(if not { "NotPrincipal" } else { "Principal" }.into(), principal);
        }
        if let Some(condition) = condition {
            members.insert("Condition".into(), condition);
        }
        Value::Object(members)
    })
}

fn document(with_principal: bool) -> impl Strategy<Value = Value> {
    let version = select(&[Some("2012-10-17"), Some("2012-10-17"), Some("2012-10-17"), Some("2008-10-17"), None][..]);
    (version, prop::collection::vec(statement(with_principal), 0..4)).prop_map(|(version, statements)| {
        let mut members = Map::new();
        if let Some(version) = version {
            members.insert("Version".into(), version.into());
        }
        members.insert("Statement".into(), statements.into());
        Value::Object(members)
    })
}

fn documents(with_principal: bool) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(document(with_principal), 0..3)
}

/// Mostly absent; and where it is there, often one that lets everything through, so that the other kinds decide.
fn optional(with_principal: bool) -> impl Strategy<Value = Option<Vec<Value>>> {
    prop_oneof![4 => Just(None), 2 => Just(Some(vec![open()])), 2 => documents(with_principal).prop_map(Some)]
}

fn levels(with_principal: bool) -> impl Strategy<Value = Vec<Vec<Value>>> {
    let level = prop_oneof![3 => Just(vec![open()]), 1 => documents(with_principal)];
    prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(level, 1..3)]
}

fn open() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
}

fn context() -> impl Strategy<Value = std::collections::BTreeMap<String, Value>> {
    let key = select(&KEYS[..]).prop_map(str::to_lowercase);
    let value = prop_oneof![
        4 => select(&VALUES[..]).prop_map(Value::from),
        1 => prop::collection::vec(select(&VALUES[..]), 0..3).prop_map(|list| json!(list)),
    ];
    prop::collection::btree_map(key, value, 0..4)
}

fn world() -> impl Strategy<Value = World> {
    let request = (
        select(&CALLERS[..]),
        select(&ACTIONS[..]),
        select(&RESOURCES[..]),
        prop::option::weighted(0.3, select(&["111122223333", "444455556666"][..])),
    );
    let first = (request, context(), documents(false), optional(false), optional(false));
    let second = (prop::option::of(document(true)), optional(true), levels(false), levels(true));
    (first, second).prop_map(
        |((request, context, identity, boundary, session), (resource_policy, endpoint, service_control, resource_control))| {
            let (principal, action, resource, owner) = request;
            World {
                principal: principal.into(),
                action: action.into(),
                resource: resource.into(),
                owner: owner.map(Into::into),
                context,
                identity,
                boundary,
                session,
                resource_policy,
                endpoint,
                service_control,
                resource_control,
            }
        },
    )
}

/// The sets of a world, compiled.
struct Sets {
    identity: PolicySet,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    resource: Option<PolicySet>,
    endpoint: Option<PolicySet>,
    service_control: Vec<Arc<PolicySet>>,
    resource_control: Vec<Arc<PolicySet>>,
}

fn set(list: &[Value], kind: Kind) -> PolicySet {
    let one = |value: &Value| Arc::new(Compiled::new(&Document::parse(&value.to_string()).unwrap(), kind));
    PolicySet::new(kind, list.iter().map(|value| (Source::new("p"), one(value))))
}

fn on_resource(world: &World) -> Kind {
    if world.action.starts_with("sts:Assume") && world.resource.contains(":role/") { Kind::Trust } else { Kind::Resource }
}

impl Sets {
    fn of(world: &World) -> Sets {
        let levels = |list: &[Vec<Value>], kind| list.iter().map(|level| Arc::new(set(level, kind))).collect();
        Sets {
            identity: set(&world.identity, Kind::Identity),
            boundary: world.boundary.as_deref().map(|list| set(list, Kind::Boundary)),
            session: world.session.as_deref().map(|list| set(list, Kind::Session)),
            resource: world.resource_policy.as_ref().map(|one| set(std::slice::from_ref(one), on_resource(world))),
            endpoint: world.endpoint.as_deref().map(|list| set(list, Kind::Endpoint)),
            service_control: levels(&world.service_control, Kind::ServiceControl),
            resource_control: levels(&world.resource_control, Kind::ResourceControl),
        }
    }

    fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_ref(),
            lent: None,
            resource: self.resource.as_ref(),
            endpoint: self.endpoint.as_ref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
        }
    }
}

fn with<T>(world: &World, ask: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
    let principal = Principal::from_arn(&world.principal).unwrap();
    let facts: Context = serde_json::from_value(json!(world.context)).unwrap();
    let resource_account = world.owner.as_ref().map(|owner| owner.parse().unwrap());
    let request = Request { principal: &principal, action: &world.action, resource: &world.resource, resource_account, facts: &facts };
    ask(&request, &Sets::of(world).policies())
}

fn outcome(world: &World) -> Outcome {
    with(world, |request, policies| decide(request, policies).outcome)
}

/// Every list of documents that a world has, to be changed.
fn each_list(world: &mut World) -> Vec<&mut Vec<Value>> {
    let mut lists = vec![&mut world.identity];
    lists.extend(&mut world.boundary);
    lists.extend(&mut world.session);
    lists.extend(&mut world.endpoint);
    lists.extend(&mut world.service_control);
    lists.extend(&mut world.resource_control);
    lists
}

fn add(world: &mut World, at: usize, mut added: Value, effect: &str) {
    added["Effect"] = effect.into();
    let document = json!({"Version": "2012-10-17", "Statement": [added.clone()]});
    let mut lists = each_list(world);
    let at = at % (lists.len() + 1);
    match lists.get_mut(at) {
        Some(list) => list.push(document),
        // The resource has one policy; a Deny may come to one that had none, an Allow too.
        None => match &mut world.resource_policy {
            Some(policy) => policy["Statement"].as_array_mut().unwrap().push(added),
            None => world.resource_policy = Some(document),
        },
    }
}

/// More cases than usual; `PROPTEST_CASES` asks for still more.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), max_shrink_iters: 20_000, failure_persistence: None, ..usual }
}

/// The worlds that are drawn have to be worth deciding.
#[test]
fn every_answer_is_drawn_often() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0; 3];
    for _ in 0..1_000 {
        match outcome(&world().new_tree(&mut runner).unwrap().current()) {
            Outcome::Allowed => counts[0] += 1,
            Outcome::ImplicitlyDenied => counts[1] += 1,
            Outcome::ExplicitlyDenied => counts[2] += 1,
        }
    }
    assert!(counts.iter().all(|count| *count >= 50), "{counts:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_compiled_engine_answers_as_the_plain_one(world in world()) {
        prop_assert_eq!(outcome(&world).as_str(), world.decide());
    }

    #[test]
    fn a_deny_added_never_allows(world in world(), at in 0usize..12, added in statement(true)) {
        let mut more = world.clone();
        add(&mut more, at, added, "Deny");
        prop_assert!(outcome(&world) == Outcome::Allowed || outcome(&more) != Outcome::Allowed);
    }

    #[test]
    fn no_scp_and_no_rcp_ever_grants(world in world()) {
        let without = World { service_control: Vec::new(), resource_control: Vec::new(), ..world.clone() };
        prop_assert!(outcome(&world) != Outcome::Allowed || outcome(&without) == Outcome::Allowed);
    }

    #[test]
    fn scps_and_rcps_that_allow_everything_change_nothing(world in world(), levels in 1usize..6) {
        let without = World { service_control: Vec::new(), resource_control: Vec::new(), ..world };
        let with = World { service_control: vec![vec![open()]; levels], resource_control: vec![vec![open()]; levels], ..without.clone() };
        prop_assert_eq!(outcome(&with), outcome(&without));
    }

    #[test]
    fn united_levels_decide_as_the_levels_do(world in world()) {
        let sets = Sets::of(&world);
        let (scps, rcps) = (PolicySet::united(&sets.service_control), PolicySet::united(&sets.resource_control));
        let (one, other) = with(&world, |request, _| {
            let policies = sets.policies();
            let united = Policies { service_control: &scps, resource_control: &rcps, ..policies };
            let told = |policies: &Policies<'_>| {
                let decision = decide(request, policies);
                (decision.outcome, decision.because, decision.by.is_some())
            };
            (told(&policies), told(&united))
        });
        prop_assert_eq!(one, other);
        prop_assert!(scps.len() <= sets.service_control.len() && rcps.len() <= sets.resource_control.len());
    }

    #[test]
    fn lent_rights_are_what_they_were_lent_for_at_most(world in world(), lent in documents(false)) {
        let narrowed = |lent: &[Value]| {
            let lent = set(lent, Kind::Session);
            with(&world, |request, policies| decide(request, &Policies { lent: Some(&lent), ..*policies }).outcome)
        };
        prop_assert!(outcome(&world) == Outcome::Allowed || narrowed(&lent) != Outcome::Allowed);
        prop_assert_eq!(narrowed(&[open()]), outcome(&world));
        // Whoever it is may ask who it is.
        prop_assert!(world.action.eq_ignore_ascii_case("sts:GetCallerIdentity") || narrowed(&[]) != Outcome::Allowed);
    }

    #[test]
    fn an_allow_added_never_denies(world in world(), at in 0usize..12, added in statement(true)) {
        let mut more = world.clone();
        add(&mut more, at, added, "Allow");
        prop_assert!(outcome(&world) != Outcome::Allowed || outcome(&more) == Outcome::Allowed);
    }

    /// What fills variables stays: a resource that is not filled is not looked into. So does the caller's name: who asks is known.
    #[test]
    fn what_some_request_may_do_could_be_allowed(world in world(), kept in prop::collection::vec(any::<bool>(), 4)) {
        let mut less = world.clone();
        let mut keeps = kept.into_iter();
        less.context.retain(|key, _| ["aws:username", "x:y"].contains(&key.as_str()) || keeps.next().unwrap_or(true));
        let could = with(&less, |request, policies| decide_in_favour(request, policies).outcome);
        prop_assert!(outcome(&world) != Outcome::Allowed || could == Outcome::Allowed);
        prop_assert!(outcome(&less) != Outcome::Allowed || could == Outcome::Allowed);
    }

    #[test]
    fn order_never_matters(world in world(), turn in 0usize..5) {
        let mut other = world.clone();
        for list in each_list(&mut other) {
            list.reverse();
            for document in list.iter_mut() {
                let statements = document["Statement"].as_array_mut().map(std::mem::take).unwrap_or_default();
                if !statements.is_empty() {
                    let mut turned = statements.clone();
                    turned.rotate_left(turn % statements.len());
                    document["Statement"] = turned.into();
                }
            }
        }
        if let Some(statements) = other.resource_policy.as_mut().and_then(|policy| policy["Statement"].as_array_mut()) {
            statements.reverse();
        }
        // An emptied list of an open document has to stay what it was.
        for (list, before) in each_list(&mut other).into_iter().zip(each_list(&mut world.clone())) {
            for (document, before) in list.iter_mut().zip(before.iter().rev()) {
                if document["Statement"].is_null() || before["Statement"].is_object() {
                    document["Statement"] = before["Statement"].clone();
                }
            }
        }
        let explained = |world: &World| with(world, |request, policies| serde_json::to_value(explain(request, policies)).unwrap());
        prop_assert_eq!(outcome(&world), outcome(&other));
        prop_assert_eq!(&explained(&world)["because"], &explained(&other)["because"]);
        prop_assert_eq!(&explained(&world)["missingKeys"], &explained(&other)["missingKeys"]);
    }

    #[test]
    fn which_document_a_statement_stands_in_never_matters(world in world()) {
        let mut other = world.clone();
        for list in each_list(&mut other) {
            let apart = list.iter().flat_map(|document| {
                let statements = match &document["Statement"] {
                    Value::Array(list) => list.clone(),
                    one => vec![one.clone()],
                };
                let version = document.get("Version").cloned();
                statements.into_iter().map(move |statement| match &version {
                    Some(version) => json!({"Version": version, "Statement": statement}),
                    None => json!({"Statement": statement}),
                })
            });
            *list = apart.collect();
        }
        prop_assert_eq!(outcome(&world), outcome(&other));
    }

    #[test]
    fn an_explanation_is_the_decision(world in world()) {
        with(&world, |request, policies| {
            let decision = decide(request, policies);
            let explanation = explain(request, policies);
            prop_assert_eq!(explanation.outcome, decision.outcome);
            prop_assert_eq!(explanation.because, decision.because);
            if let Some(by) = decision.by {
                let told = explanation.statements.iter().any(|statement| statement.kind == decision.because && statement.index == by.index() && statement.effect == by.effect());
                prop_assert!(told, "{:?} is not among {:?}", by, explanation.statements);
            }
            prop_assert_eq!(decision.outcome == Outcome::ExplicitlyDenied, explanation.kinds.iter().any(|said| said.result == Outcome::ExplicitlyDenied));
            prop_assert_eq!(decision.outcome == Outcome::ImplicitlyDenied, explanation.lacking.is_some());
            Ok(())
        })?;
    }

    #[test]
    fn what_is_suggested_suffices_and_widens_nothing(world in world(), other_action in select(&ACTIONS[..]), other_resource in select(&RESOURCES[..])) {
        let explanation = with(&world, explain);
        let mut more = world.clone();
        let mut complete = true;
        for suggestion in &explanation.suggestions {
            let Some(statement) = suggestion.statement.clone() else { complete = false; continue };
            let document = json!({"Version": "2012-10-17", "Statement": [statement.clone()]});
            let level = suggestion.level.unwrap_or(0);
            match suggestion.kind.as_str() {
                "identity" => more.identity.push(document),
                "boundary" => more.boundary.get_or_insert_default().push(document),
                "session" => more.session.get_or_insert_default().push(document),
                "endpoint" => more.endpoint.get_or_insert_default().push(document),
                "serviceControl" => more.service_control[level].push(document),
                "resourceControl" => more.resource_control[level].push(document),
                // A resource has one document; its version decides how the statement is read.
                _ => match &mut more.resource_policy {
                    Some(policy) if policy["Version"] == "2012-10-17" => policy["Statement"].as_array_mut().unwrap().push(statement),
                    Some(_) => { complete = false; }
                    None => more.resource_policy = Some(document),
                },
            }
        }
        if complete && explanation.outcome == Outcome::ImplicitlyDenied {
            prop_assert_eq!(outcome(&more), Outcome::Allowed, "{:?}", explanation.suggestions);
        }
        let is_same = other_action.eq_ignore_ascii_case(&world.action) && other_resource == world.resource;
        // An action without a resource can be allowed for all resources only.
        if !is_same && on_resource(&world) == Kind::Resource && world.resource != "*" {
            let ask = |world: &World| outcome(&World { action: other_action.into(), resource: other_resource.into(), ..world.clone() });
            prop_assert_eq!(ask(&more), ask(&world));
        }
    }
}
