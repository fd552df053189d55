//! What IAM shows of signing in: when a password was used, and security keys, which are registered there and only listed and deactivated here.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_fido.html>.

use crate::node::Node;
use identities::{MfaDeviceRecord, MfaKind, Owner, Tags};
use operation::LastUsed;
use store::{StoreError, Stored, Who};

#[tokio::test]
async fn a_password_that_was_used_is_shown_wherever_its_user_is() {
    let node = Node::new().await;
    let made = node.ask(&node.root, "CreateUser", &[("UserName", "alice")]).await;
    for (action, parameters) in [
        ("CreateUser", &[("UserName", "bob")][..]),
        ("CreateGroup", &[("GroupName", "staff")]),
        ("AddUserToGroup", &[("GroupName", "staff"), ("UserName", "alice")]),
    ] {
        assert_eq!(node.ask(&node.root, action, parameters).await.status, 200);
    }
    let ways = [("GetUser", &[("UserName", "alice")][..]), ("ListUsers", &[]), ("GetGroup", &[("GroupName", "staff")]), ("GetUser", &[])];
    for (action, parameters) in ways {
        assert!(node.ask(&node.root, action, parameters).await.all("PasswordLastUsed").is_empty(), "{action}");
    }
    let alice = Owner { account: node.account, user: Some(made.all("UserId")[0].parse().unwrap()) };
    let root = Owner { account: node.account, user: None };
    for owner in [&alice, &root] {
        node.note_use(&LastUsed::password_of(owner), 1_767_323_045);
    }
    for (action, parameters) in ways {
        assert_eq!(node.ask(&node.root, action, parameters).await.all("PasswordLastUsed"), ["2026-01-02T03:04:05Z"], "{action}");
    }
}

/// A node whose user `alice` has a security key.
async fn with_a_security_key() -> (Node, String) {
    let node = Node::new().await;
    let made = node.ask(&node.root, "CreateUser", &[("UserName", "alice")]).await;
    let serial = format!("arn:aws:iam::{}:u2f/user/alice/key-ABCDEFGHIJKLMNOP", node.account);
    let device = &MfaDeviceRecord {
        serial: serial.parse().unwrap(),
        kind: MfaKind::SecurityKey { certifications: [("FIDO".into(), "L1".into())].into() },
        owner: Some(Owner { account: node.account, user: Some(made.all("UserId")[0].parse().unwrap()) }),
        enabled: Some(1_767_323_045),
        created: 1_767_323_045,
        tags: Tags::default(),
    };
    let who = Who { account: node.account.to_string(), caller: "sign-in".into(), at_millis: 0 };
    let done = node.store().write::<_, StoreError, _>(&who, |tx| async move { tx.insert(device).await }).await.unwrap();
    assert_eq!(done.value, Stored::Done);
    (node, serial)
}

#[tokio::test]
async fn a_security_key_is_listed_and_deactivated_and_is_no_virtual_device() {
    let (node, serial) = with_a_security_key().await;
    let of_alice = [("UserName", "alice"), ("SerialNumber", serial.as_str())];
    assert_eq!(node.ask(&node.root, "ListMFADevices", &[("UserName", "alice")]).await.all("SerialNumber").concat(), serial);
    let got = node.ask(&node.root, "GetMFADevice", &of_alice).await;
    assert_eq!(
        (got.all("EnableDate"), got.all("key"), got.all("value")),
        (vec!["2026-01-02T03:04:05Z".into()], vec!["FIDO".into()], vec!["L1".into()])
    );
    assert!(node.ask(&node.root, "ListVirtualMFADevices", &[]).await.all("SerialNumber").is_empty());
    assert_eq!(node.ask(&node.root, "DeleteVirtualMFADevice", &of_alice[1..]).await.code().as_deref(), Some("NoSuchEntity"));
    let codes = [of_alice[0], of_alice[1], ("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
    assert_eq!(node.ask(&node.root, "ResyncMFADevice", &codes).await.code().as_deref(), Some("NoSuchEntity"));
    assert_eq!(node.ask(&node.root, "DeleteUser", &of_alice[..1]).await.code().as_deref(), Some("DeleteConflict"));
    assert_eq!(node.ask(&node.root, "DeactivateMFADevice", &of_alice).await.status, 200);
    assert!(node.ask(&node.root, "ListMFADevices", &[("UserName", "alice")]).await.all("SerialNumber").is_empty());
    assert_eq!(node.ask(&node.root, "EnableMFADevice", &codes).await.code().as_deref(), Some("NoSuchEntity"), "it is registered anew");
    assert_eq!(node.ask(&node.root, "DeleteUser", &of_alice[..1]).await.status, 200);
}
