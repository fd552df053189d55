//! Roles that services of AWS made: nobody else changes what they may do.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>.

use crate::node::Node;
use arn::{IdKind, UniqueId};
use identities::{RoleRecord, Tags, TrustPolicy};
use store::{StoreError, Stored, Who};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

#[tokio::test]
async fn the_policies_of_a_service_linked_role_are_its_services() {
    let node = Node::new().await;
    for (nth, path) in (0..).zip(["/aws-service-role/ecs.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"]) {
        let name = format!("role-{nth}");
        let role = &RoleRecord {
            id: UniqueId::from_entropy(IdKind::Role, [nth; 11]),
            name: name.parse().unwrap(),
            path: path.parse().unwrap(),
            created: 0,
            description: None,
            max_session_duration: 3_600,
            trust: TrustPolicy { document: DOCUMENT.into(), pinned: Vec::new() },
            permissions_boundary: None,
            attached: vec![POLICY.parse().unwrap()],
            tags: Tags::default(),
        };
        let who = Who { account: node.account.to_string(), caller: "service".into(), at_millis: 0 };
        let done = node.store().write::<_, StoreError, _>(&who, |tx| async move { tx.insert(role).await }).await.unwrap();
        assert_eq!(done.value, Stored::Done);
        let named = ("RoleName", name.as_str());
        for (action, more) in [
            ("AttachRolePolicy", vec![("PolicyArn", POLICY)]),
            ("DetachRolePolicy", vec![("PolicyArn", POLICY)]),
            ("PutRolePolicy", vec![("PolicyName", "p"), ("PolicyDocument", DOCUMENT)]),
            ("DeleteRolePolicy", vec![("PolicyName", "p")]),
        ] {
            let said = node.ask(&node.root, action, &[vec![named], more].concat()).await;
            assert_eq!((said.status, said.code().as_deref()), (400, Some("UnmodifiableEntity")), "{action}: {}", said.body);
            let words = format!("Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS");
            assert_eq!(said.all("Message"), [words], "{action}");
        }
        let listed = node.ask(&node.root, "ListAttachedRolePolicies", &[named]).await;
        assert_eq!(listed.all("PolicyArn"), [POLICY]);
    }
}
