//! Walks every operation with every member filled in, and holds what each request was judged by against what AWS's Service Authorization Reference
//! says: actions, types of resources, condition keys.

use crate::filled::{Walked, parameters};
use crate::node::Node;
use operation::Api;
use serde_json::{Value, json};

/// What the walk finds: an organization, a unit, a member and an invitation, with tags.
async fn furnished() -> (Node, Walked) {
    let node = Node::new().await;
    let make = async |action: &str, parameters: Value| {
        let said = node.ask(&node.root, action, &parameters).await;
        assert_eq!(said.status, 200, "{action}: {}", said.body);
        said.body
    };
    let tags = json!([{"Key": "walk", "Value": "there"}]);
    make("CreateOrganization", json!({})).await;
    let root = make("ListRoots", json!({})).await["Roots"][0]["Id"].as_str().unwrap().to_owned();
    let unit = make("CreateOrganizationalUnit", json!({"ParentId": root, "Name": "there", "Tags": tags})).await;
    let made = make("CreateAccount", json!({"Email": "member@example.com", "AccountName": "member", "Tags": tags})).await;
    let request = &made["CreateAccountStatus"]["Id"];
    let member = make("DescribeCreateAccountStatus", json!({"CreateAccountRequestId": request})).await;
    let target = json!({"Id": "444455556666", "Type": "ACCOUNT"});
    let handshake = make("InviteAccountToOrganization", json!({"Target": target})).await;
    let content = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    let policy = json!({"Content": content, "Description": "", "Name": "walk", "Type": "SERVICE_CONTROL_POLICY", "Tags": tags});
    let policy = make("CreatePolicy", policy).await;
    let walked = Walked {
        root,
        unit: unit["OrganizationalUnit"]["Id"].as_str().unwrap().into(),
        member: member["CreateAccountStatus"]["AccountId"].as_str().unwrap().into(),
        handshake: handshake["Handshake"]["Id"].as_str().unwrap().into(),
        policy: policy["Policy"]["PolicySummary"]["Id"].as_str().unwrap().into(),
    };
    (node, walked)
}

#[tokio::test]
async fn whoever_has_no_policies_is_denied_everything() {
    let (node, walked) = furnished().await;
    for operation in &Api::of(organizations::FAMILIES).operations {
        let said = node.ask(&node.nobody, operation.name, &parameters(operation.name, operation.members, &walked)).await;
        assert!(!node.checks(&said).is_empty(), "{} is judged by nothing: {}", operation.name, said.body);
        assert_eq!((said.status, said.code()), (400, Some("AccessDeniedException")), "{}: {}", operation.name, said.body);
        let words = said.body["Message"].as_str().unwrap();
        assert!(words.contains("is not authorized to perform: organizations:"), "{}: {words}", operation.name);
    }
}

/// Whether every request has this key, whatever it asks: a key of AWS's own that tells of neither tags nor resources.
fn is_general(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("aws:") && !["aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"].iter().any(|tells| key.starts_with(tells))
}

#[tokio::test]
async fn requests_are_judged_by_what_the_reference_says() {
    let reference = services::service("organizations").unwrap();
    let (furnished, walked) = furnished().await;
    let mut wrong = Vec::new();
    for operation in &Api::of(organizations::FAMILIES).operations {
        let node = furnished.copy().await;
        let said = node.ask(&node.root, operation.name, &parameters(operation.name, operation.members, &walked)).await;
        let checks = node.checks(&said);
        let own = format!("organizations:{}", operation.name);
        let mut say = |words: String| wrong.push(format!("{own}: {words}"));
        if checks.first().map(|check| check.action.as_str()) != Some(&own) {
            say(format!("its first check is {:?}, the answer {}", checks.first(), said.body));
        }
        for check in &checks {
            let Some(action) = services::action(&check.action) else {
                say(format!("{} is no action of Organizations", check.action));
                continue;
            };
            let kind = reference.type_of(&check.resource);
            let is_fitting = match kind {
                // What is being made has no ARN yet, nor have its tags; and a type may be one of several.
                _ if !action.is_on_resources() || check.action != own => true,
                Some(kind) => action.resource_types().any(|on| on.name == kind.name),
                None => false,
            };
            if !is_fitting || (!action.is_on_resources() && check.resource != "*") {
                let known: Vec<_> = action.resource_types().map(|on| on.name).collect();
                say(format!("{} is judged on {}, and knows {known:?}", check.action, check.resource));
            }
            let known: Vec<_> = action.keys().chain(kind.iter().flat_map(services::ResourceType::keys)).collect();
            // Whatever takes tags is judged by them, though the reference has not written it of the newest action.
            let takes_tags = own.ends_with("InviteOrganizationToTransferResponsibility");
            let of_request = |key: &str| key.starts_with("aws:RequestTag/") || key == "aws:TagKeys";
            for key in check.keys.iter().filter(|key| !(is_general(key) || takes_tags && of_request(key))) {
                if !known.iter().any(|known| known.covers(key)) {
                    say(format!("{} on {} knows no key {key}", check.action, check.resource));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
