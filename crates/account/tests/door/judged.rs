//! Walks every operation with every member filled in, about the caller's own account and about a member's, and holds what each request was
//! judged by against what AWS's Service Authorization Reference says: actions, types of resources, condition keys.

use crate::node::{Node, Said};
use operation::{Api, ApiOperation};
use serde_json::{Map, Value, json};
use wire::{Kind, Member};

/// A node with an organization that trusts the service, and a member of it.
async fn furnished() -> (Node, String) {
    let node = Node::new().await;
    let make = async |action: &str, parameters: Value| {
        let said = node.ask(&node.root, action, &parameters).await;
        assert_eq!(said.status, 200, "{action}: {}", said.body);
        said.body
    };
    make("CreateOrganization", json!({})).await;
    make("EnableAWSServiceAccess", json!({"ServicePrincipal": "account.amazonaws.com"})).await;
    let tags = json!([{"Key": "walk", "Value": "there"}]);
    let made = make("CreateAccount", json!({"Email": "member@example.com", "AccountName": "member", "Tags": tags})).await;
    let made = make("DescribeCreateAccountStatus", json!({"CreateAccountRequestId": made["CreateAccountStatus"]["Id"]})).await;
    (node, made["CreateAccountStatus"]["AccountId"].as_str().unwrap().to_owned())
}

/// The body of a request with all of these members; the account is left out where it may be and none is given.
fn parameters(members: &'static [Member], account: Option<&str>) -> Value {
    let fields = Member::flat(members).into_iter().filter(|field| field.name != "NextToken");
    let fields = fields.filter(|field| !is_account(field.name) || account.is_some());
    Value::Object(fields.map(|field| (field.name.to_owned(), value(field.name, &field.kind, account))).collect::<Map<_, _>>())
}

fn is_account(name: &str) -> bool {
    matches!(name, "AccountId" | "StandardAccountId")
}

fn value(name: &str, kind: &'static Kind, account: Option<&str>) -> Value {
    match kind {
        Kind::Struct(_, members) => parameters(members, account),
        Kind::List(inner) => json!([value(name, inner, account)]),
        Kind::Number { min, .. } => json!(min),
        Kind::Choice(choices) => json!(choices[0]),
        Kind::Text(_) => json!(text(name, account)),
        Kind::Entries(_) | Kind::Blob | Kind::Decimal | Kind::Nothing | Kind::Bool | Kind::Time => panic!("no input has one: {name}"),
    }
}

fn text<'a>(name: &str, account: Option<&'a str>) -> &'a str {
    match name {
        _ if is_account(name) => account.unwrap(),
        "PrimaryEmail" | "EmailAddress" => "new@example.com",
        "PhoneNumber" => "+1 555 0100",
        "CountryCode" => "CH",
        "RegionName" => "eu-south-1",
        "Otp" => "ABC234",
        _ => "walk",
    }
}

async fn ask(node: &Node, key: &str, operation: &ApiOperation, account: Option<&str>) -> Said {
    let path = operation.http.and_then(|http| http.strip_prefix("POST ")).expect("every operation has its path");
    node.send(key, "account", path, "none", &parameters(operation.members, account)).await
}

/// An operation whose account has to be named is about a member only.
fn names_an_account(operation: &ApiOperation) -> bool {
    Member::flat(operation.members).iter().any(|field| is_account(field.name) && field.required)
}

#[tokio::test]
async fn whoever_has_no_policies_is_denied_everything() {
    let (node, member) = furnished().await;
    for operation in &Api::of(account::FAMILIES).operations {
        for about in [None, Some(member.as_str())] {
            if about.is_none() && names_an_account(operation) {
                continue;
            }
            let said = ask(&node, &node.nobody, operation, about).await;
            assert!(!node.checks(&said).is_empty(), "{} is judged by nothing: {}", operation.name, said.body);
            assert_eq!((said.status, said.code()), (403, Some("AccessDeniedException")), "{}: {}", operation.name, said.body);
            let words = said.body["message"].as_str().unwrap();
            assert!(words.contains("is not authorized to perform: account:"), "{}: {words}", operation.name);
        }
    }
}

/// The newest operations: the reference does not have their actions yet.
const NEWER: [&str; 3] = ["GetPrimaryEmailUpdateStatus", "SendPhoneNumberVerification", "VerifyPhoneNumber"];

#[tokio::test]
async fn requests_are_judged_by_what_the_reference_says() {
    let reference = services::service("account").unwrap();
    let (furnished, member) = furnished().await;
    let mut wrong = Vec::new();
    for operation in Api::of(account::FAMILIES).operations.iter().filter(|operation| !NEWER.contains(&operation.name)) {
        for (about, kind) in [(None, "account"), (Some(member.as_str()), "accountInOrganization")] {
            if about.is_none() && names_an_account(operation) {
                continue;
            }
            let node = furnished.copy().await;
            let said = ask(&node, &node.root, operation, about).await;
            assert!(said.status < 500 && said.status != 403, "{}: {}", operation.name, said.body);
            let own = format!("account:{}", operation.name);
            let [check] = &node.checks(&said)[..] else { panic!("{own} is judged by one action: {}", said.body) };
            let mut say = |words: String| wrong.push(format!("{own}: {words}"));
            let Some(action) = services::action(&check.action).filter(|_| check.action == own) else {
                say(format!("{} is not its action", check.action));
                continue;
            };
            let judged_on = reference.type_of(&check.resource).map(|kind| kind.name);
            if judged_on != Some(kind) || !action.resource_types().any(|on| on.name == kind) {
                say(format!("is judged on {}, which is a {judged_on:?}", check.resource));
            }
            for known in action.keys() {
                if !check.keys.iter().any(|key| known.covers(key)) {
                    say(format!("has no key {known:?}"));
                }
            }
            // The reference has these two for the whole service, and lists them at no action.
            let keys = check.keys.iter().filter(|key| key.starts_with("account:") && !key.starts_with("account:AccountResourceOrg"));
            for key in keys.filter(|key| !action.keys().any(|known| known.covers(key))) {
                say(format!("knows no key {key}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
