//! Walks every operation with every member filled in, and holds what each request was judged by against what AWS's Service Authorization Reference
//! says: actions, types of resources, condition keys.

use crate::facts::is_general;
use crate::filled::{SSH_KEY, parameters};
use crate::node::{Key, Node, Walked};
use operation::Api;

/// What the walk finds: one of everything, called `walk`, with tags and boundaries.
async fn furnished() -> (Node, Key, Walked) {
    let node = Node::new().await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let policy = &format!("arn:aws:iam::{}:policy/walk", node.account);
    let tag = [("Tags.member.1.Key", "walk"), ("Tags.member.1.Value", "there")];
    let make = async |action: &str, parameters: &[(&str, &str)]| {
        let said = node.ask(&node.root, action, parameters).await;
        assert_eq!(said.status, 200, "{action}: {}", said.body);
        said
    };
    make("CreatePolicy", &[&[("PolicyName", "walk"), ("PolicyDocument", document)][..], &tag].concat()).await;
    make("CreateUser", &[&[("UserName", "walk"), ("PermissionsBoundary", policy)][..], &tag].concat()).await;
    let role = [("RoleName", "walk"), ("AssumeRolePolicyDocument", trust), ("PermissionsBoundary", policy)];
    make("CreateRole", &[&role[..], &tag].concat()).await;
    make("CreateGroup", &[("GroupName", "walk")]).await;
    make("CreateInstanceProfile", &[&[("InstanceProfileName", "walk")][..], &tag].concat()).await;
    make("CreateVirtualMFADevice", &[&[("VirtualMFADeviceName", "walk")][..], &tag].concat()).await;
    make("CreateUser", &[("UserName", "administrator")]).await;
    make("AttachUserPolicy", &[("UserName", "administrator"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")]).await;
    let administrator = make("CreateAccessKey", &[("UserName", "administrator")]).await.key();
    let key = make("CreateAccessKey", &[("UserName", "walk")]).await.key().id;
    let credential = [("UserName", "walk"), ("ServiceName", "codecommit.amazonaws.com")];
    let credential = make("CreateServiceSpecificCredential", &credential).await.all("ServiceSpecificCredentialId").remove(0);
    let ssh_key = make("UploadSSHPublicKey", &[("UserName", "walk"), ("SSHPublicKeyBody", SSH_KEY)]).await.all("SSHPublicKeyId").remove(0);
    let walked = Walked { account: node.account, key, credential, ssh_key };
    (node, administrator, walked)
}

/// Whether only the registration of a security key has it. A virtual device knows nothing of it.
fn of_security_keys(key: &str) -> bool {
    key.starts_with("iam:FIDO-") || key == "iam:RegisterSecurityKey"
}

#[tokio::test]
async fn whoever_has_no_policies_is_denied_everything() {
    let (node, _, walked) = furnished().await;
    assert_eq!(node.ask(&node.root, "CreateUser", &[("UserName", "nobody")]).await.status, 200);
    let nobody = node.ask(&node.root, "CreateAccessKey", &[("UserName", "nobody")]).await.key();
    for operation in &Api::of(iam::FAMILIES).operations {
        let said = node.ask_all(&nobody, operation.name, &parameters(operation.members, &walked)).await;
        let judged = !node.checks(&said).is_empty();
        assert!(judged, "{} is judged by nothing: {}", operation.name, said.body);
        assert_eq!((said.status, said.code().as_deref()), (403, Some("AccessDenied")), "{}: {}", operation.name, said.body);
    }
}

/// Operations that AWS's model has and its reference has not yet: each is judged by its own action.
const NEWER_THAN_THE_REFERENCE: &[&str] =
    &["AcquireRole", "GetAccountProperties", "GetRoleTemplateVersion", "PutAccountProperties", "UpdateDelegationRequest"];

#[tokio::test]
async fn requests_are_judged_by_what_the_reference_says() {
    let reference = services::service("iam").unwrap();
    let (furnished, administrator, walked) = furnished().await;
    let mut wrong = Vec::new();
    for operation in &Api::of(iam::FAMILIES).operations {
        let node = furnished.copy().await;
        let said = node.ask_all(&administrator, operation.name, &parameters(operation.members, &walked)).await;
        let checks = node.checks(&said);
        let own = format!("iam:{}", operation.name);
        let mut say = |words: String| wrong.push(format!("{own}: {words}"));
        if checks.first().map(|check| check.action.as_str()) != Some(&own) {
            say(format!("its first check is {:?}, the answer {}", checks.first(), said.body));
        }
        if NEWER_THAN_THE_REFERENCE.contains(&operation.name) {
            assert!(reference.action(operation.name).is_none(), "{own} is in the reference by now");
            continue;
        }
        for check in &checks {
            let Some(action) = services::action(&check.action) else {
                say(format!("{} is no action of IAM", check.action));
                continue;
            };
            let kind = reference.type_of(&check.resource);
            let is_fitting = match kind {
                // AWS declares none for its lists, and names what they are narrowed to when it denies one.
                _ if !action.is_on_resources() => check.resource == "*" || (own.starts_with("iam:List") && check.resource.ends_with('/')),
                Some(kind) => action.resource_types().any(|on| on.name == kind.name),
                None => false,
            };
            if !is_fitting {
                let known: Vec<_> = action.resource_types().map(|on| on.name).collect();
                say(format!("{} is judged on {}, and knows {known:?}", check.action, check.resource));
            }
            let known: Vec<_> = action.keys().chain(kind.iter().flat_map(services::ResourceType::keys)).collect();
            for key in check.keys.iter().filter(|key| !is_general(key)) {
                if !known.iter().any(|known| known.covers(key)) {
                    say(format!("{} on {} knows no key {key}", check.action, check.resource));
                }
            }
            // What was filled in makes every key of the action known.
            for known in action.keys().filter(|known| check.action == own && !of_security_keys(&known.to_string())) {
                if !check.keys.iter().any(|key| known.covers(key)) {
                    say(format!("lacks the key {known}"));
                }
            }
        }
        let Some(action) = reference.action(operation.name) else { panic!("{own} is not in the reference") };
        // Whoever lacks what this one needs is not denied: the report fails.
        for other in action.needs().filter(|_| operation.name != "GenerateOrganizationsAccessReport") {
            if !checks.iter().any(|check| other == *check.action) {
                say(format!("is not judged by {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
