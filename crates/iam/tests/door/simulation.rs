//! The policy simulator beyond its plain answers.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>.

use crate::node::{Node, Said};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const USER: &str = "arn:aws:iam::111122223333:user/alice";

async fn custom(node: &Node, parameters: &[(&str, &str)]) -> Said {
    node.ask(&node.root, "SimulateCustomPolicy", parameters).await
}

async fn decided(node: &Node, parameters: &[(&str, &str)]) -> Vec<String> {
    let said = custom(node, parameters).await;
    assert_eq!(said.status, 200, "{}", said.body);
    said.all("EvalDecision")
}

#[tokio::test]
async fn every_level_of_an_organization_must_allow() {
    let node = Node::new().await;
    let levels = |first: &'static str, second: &'static str| {
        [
            ("PolicyInputList.member.1", ALL),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ActionNames.member.2", "s3:PutObject"),
            ("ResourceArns.member.1", "arn:aws:s3:::bucket/key"),
            ("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1", first),
            ("OrderedOrganizationPolicyInputList.member.2.ServiceControlPolicyInputList.member.1", second),
        ]
    };
    let said = custom(&node, &levels(ALL, READ)).await;
    assert_eq!(said.all("EvalDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(said.all("AllowedByOrganizations"), ["true", "false"]);
    assert_eq!(said.body.matches("<EvalDecisionDetails").count(), 1, "none where the organization says no: {}", said.body);
    assert_eq!(decided(&node, &levels(READ, ALL)).await, ["allowed", "implicitDeny"]);
    assert_eq!(decided(&node, &levels(ALL, ALL)).await, ["allowed", "allowed"]);
    let ids = said.all("SourcePolicyId");
    assert!(ids.iter().all(|id| id == "PolicyInputList.1"), "service control policies are not shown: {ids:?}");
}

#[tokio::test]
async fn keys_that_only_the_organization_looks_for_are_not_told_as_missing() {
    let node = Node::new().await;
    let conditioned = |key: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"x"}}}}}}]}}"#
        )
    };
    let (own, organization) = (conditioned("aws:PrincipalTag/own"), conditioned("aws:PrincipalTag/organization"));
    let said = custom(
        &node,
        &[
            ("PolicyInputList.member.1", &own),
            ("ActionNames.member.1", "s3:GetObject"),
            ("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1", &organization),
        ],
    )
    .await;
    let missing = said.all("MissingContextValues");
    assert_eq!(missing.first().map(String::as_str), Some("<member>aws:PrincipalTag/own</member>"), "{}", said.body);
}

#[tokio::test]
async fn an_action_comes_to_the_strictest_decision_of_all_resources() {
    let node = Node::new().await;
    let mixed = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::mine/*"},
        {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::mine/secret"}]}"#;
    let said = custom(
        &node,
        &[
            ("PolicyInputList.member.1", mixed),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", "arn:aws:s3:::mine/key"),
            ("ResourceArns.member.2", "arn:aws:s3:::yours/key"),
            ("ResourceArns.member.3", "arn:aws:s3:::mine/secret"),
        ],
    )
    .await;
    assert_eq!(said.all("EvalDecision"), ["explicitDeny"]);
    assert_eq!(said.all("EvalResourceDecision"), ["allowed", "implicitDeny", "explicitDeny"]);
    // The denying statement is on the second line; the allowing one did not make the whole.
    let lines = said.all("Line");
    assert_eq!(lines, ["2", "2", "1", "1", "2", "2"], "the whole, the first and the third resource: {}", said.body);
}

#[tokio::test]
async fn a_resource_whose_policy_is_not_given_leaves_it_to_its_account() {
    let node = Node::new().await;
    for (action, resource) in [
        ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/worker"),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:queue"),
        ("iam:GetRole", "arn:aws:iam::111122223333:role/worker"),
    ] {
        let asked = [("PolicyInputList.member.1", ALL), ("ActionNames.member.1", action), ("ResourceArns.member.1", resource)];
        assert_eq!(decided(&node, &asked).await, ["allowed"], "{action}");
        let asked = [("PolicyInputList.member.1", READ), ("ActionNames.member.1", action), ("ResourceArns.member.1", resource)];
        assert_eq!(decided(&node, &asked).await, ["implicitDeny"], "{action}");
    }
}

#[tokio::test]
async fn across_accounts_both_sides_are_told() {
    let node = Node::new().await;
    let queue = "arn:aws:sqs:us-east-1:444455556666:queue";
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{USER}"}},"Action":"sqs:SendMessage","Resource":"{queue}"}}]}}"#
    );
    let asked = |identity: &'static str| {
        [
            ("PolicyInputList.member.1", identity.to_owned()),
            ("ActionNames.member.1", "sqs:SendMessage".into()),
            ("ResourceArns.member.1", queue.into()),
            ("ResourcePolicy", policy.clone()),
            ("CallerArn", USER.into()),
        ]
    };
    for (identity, whole) in [(ALL, "allowed"), (READ, "implicitDeny")] {
        let parameters = asked(identity).map(|(name, value)| (name.to_owned(), value));
        let said = node.ask_all(&node.root, "SimulateCustomPolicy", &parameters).await;
        assert_eq!(said.all("EvalDecision"), [whole], "{}", said.body);
        assert!(said.body.contains(&format!("<entry><key>IAM Policy</key><value>{whole}</value></entry>")), "{}", said.body);
        assert!(said.body.contains("<entry><key>Resource Policy</key><value>allowed</value></entry>"), "{}", said.body);
    }
}

#[tokio::test]
async fn what_is_left_out_does_not_count() {
    let node = Node::new().await;
    let make = async |action: &str, parameters: &[(&str, &str)]| {
        let said = node.ask(&node.root, action, parameters).await;
        assert_eq!(said.status, 200, "{action}: {}", said.body);
    };
    make("CreatePolicy", &[("PolicyName", "put"), ("PolicyDocument", &READ.replace("Get", "Put"))]).await;
    make("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", READ)]).await;
    make("CreateUser", &[("UserName", "alice"), ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/bound")]).await;
    make("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "get"), ("PolicyDocument", READ)]).await;
    make("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::111122223333:policy/put")]).await;
    make("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")]).await;
    let asked = async |without: &[(&str, &str)]| {
        let named = [
            ("PolicySourceArn", USER),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ActionNames.member.2", "s3:PutObject"),
            ("ActionNames.member.3", "iam:GetUser"),
        ];
        let said = node.ask(&node.root, "SimulatePrincipalPolicy", &[&named[..], without].concat()).await;
        assert_eq!(said.status, 200, "{}", said.body);
        said.all("EvalDecision").iter().map(|decision| decision == "allowed").collect::<Vec<_>>()
    };
    const BOUNDARY: (&str, &str) = ("PolicyExclusionList.member.1.PolicyType", "permission-boundary");
    assert_eq!(asked(&[]).await, [true, false, false], "bounded");
    assert_eq!(asked(&[BOUNDARY]).await, [true, true, true]);
    for (member, value, allowed) in [
        ("PolicyType", "inline", [false, true, true]),
        ("PolicyType", "user-managed", [true, false, true]),
        ("PolicyType", "aws-managed", [true, true, false]),
        ("PolicyArn", "arn:aws:iam::111122223333:policy/p*", [true, false, true]),
        ("PolicyType", "scp", [true, true, true]),
    ] {
        let excluded = format!("PolicyExclusionList.member.2.{member}");
        assert_eq!(asked(&[BOUNDARY, (&excluded, value)]).await, allowed, "{value}");
    }
    let inline = [
        BOUNDARY,
        ("PolicyExclusionList.member.2.InlinePolicyIdentifier.PolicyName", "get"),
        ("PolicyExclusionList.member.2.InlinePolicyIdentifier.AttachmentType", "user"),
        ("PolicyExclusionList.member.2.InlinePolicyIdentifier.AttachmentName", "alice"),
    ];
    assert_eq!(asked(&inline).await, [false, true, true]);
    let two =
        [("PolicyExclusionList.member.1.PolicyType", "inline"), ("PolicyExclusionList.member.1.PolicyArn", "arn:aws:iam::aws:policy/x")];
    let named = [("PolicySourceArn", USER), ("ActionNames.member.1", "s3:GetObject")];
    let said = node.ask(&node.root, "SimulatePrincipalPolicy", &[named, two].concat()).await;
    assert_eq!(said.code().as_deref(), Some("InvalidInput"), "{}", said.body);
}

#[tokio::test]
async fn bad_input_is_told_as_such() {
    let node = Node::new().await;
    for (name, value) in [
        ("ActionNames.member.1", "GetObject"),
        ("ActionNames.member.1", "s3:*"),
        ("ResourceArns.member.1", "bucket"),
        ("CallerArn", "arn:aws:sts::111122223333:assumed-role/worker/session"),
        ("ResourceOwner", "somebody"),
        ("ResourceHandlingOption", "EC2-VPC-EBS"),
        ("ResourceHandlingOption", "anything"),
        ("ResourcePolicy", ALL),
        ("PermissionsBoundaryPolicyInputList.member.1", "{"),
    ] {
        let whole = [("PolicyInputList.member.1", ALL), ("ActionNames.member.1", "s3:GetObject")];
        let parameters: Vec<_> = whole.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect();
        let said = custom(&node, &parameters).await;
        assert_eq!((said.status, said.code().as_deref()), (400, Some("InvalidInput")), "{name} {value}: {}", said.body);
    }
}

#[tokio::test]
async fn a_simulation_that_would_grow_without_bounds_is_refused_or_paged() {
    let node = Node::new().await;
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let many = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![statement; 1_000].join(","));
    let resources: Vec<(String, String)> =
        (1..=40).map(|nth| (format!("ResourceArns.member.{nth}"), format!("arn:aws:s3:::bucket/{nth}"))).collect();
    let mut parameters = vec![("PolicyInputList.member.1".to_owned(), many)];
    parameters.extend((1..=3).map(|nth| (format!("ActionNames.member.{nth}"), format!("s3:Action{nth}"))));
    parameters.extend(resources);
    let said = node.ask_all(&node.root, "SimulateCustomPolicy", &parameters).await;
    assert_eq!(said.status, 200);
    assert_eq!((said.all("EvalActionName").len(), said.all("IsTruncated")), (2, vec!["true".to_owned()]));
    parameters.push(("Marker".into(), said.all("Marker").pop().unwrap()));
    let said = node.ask_all(&node.root, "SimulateCustomPolicy", &parameters).await;
    assert_eq!((said.all("EvalActionName"), said.all("IsTruncated")), (vec!["s3:Action3".to_owned()], vec!["false".to_owned()]));
    parameters.pop();
    parameters.extend((41..=60).map(|nth| (format!("ResourceArns.member.{nth}"), format!("arn:aws:s3:::bucket/{nth}"))));
    let said = node.ask_all(&node.root, "SimulateCustomPolicy", &parameters).await;
    assert_eq!(said.code().as_deref(), Some("InvalidInput"));
}
