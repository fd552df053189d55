//! Attachments, on a store.

use super::*;
use crate::organizations::FeatureSet;
use store::{Fresh, Store, Who};

fn organization() -> OrganizationRecord {
    OrganizationRecord {
        id: "o-exampleorgid".parse().unwrap(),
        root: "r-ab12".parse().unwrap(),
        management: "111122223333".parse().unwrap(),
        features: FeatureSet::All,
        enabled: vec![PolicyType::ServiceControlPolicy],
        created: 7,
    }
}

fn policy(id: &str, name: &str) -> OrganizationPolicyRecord {
    OrganizationPolicyRecord {
        id: id.parse().unwrap(),
        organization: organization().id,
        kind: PolicyType::ServiceControlPolicy,
        name: name.into(),
        description: String::new(),
        content: "{}".into(),
        version: 1,
        updated: 0,
    }
}

async fn attached(store: &Store, target: &TargetId) -> Vec<String> {
    let all = store.read("-", |tx| async move { attached_to(&tx, target, PolicyType::ServiceControlPolicy).await }).await;
    all.unwrap().iter().map(|attachment: &PolicyAttachmentRecord| attachment.policy.to_string()).collect()
}

#[tokio::test]
async fn policies_of_a_target_are_in_the_order_in_which_they_were_attached() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap();
    let who = Who { account: SHARED.into(), caller: "test".into(), at_millis: 0 };
    let (organization, target) = (organization(), TargetId::from(&organization().root));
    let (organization, target) = (&organization, &target);
    store
        .write::<_, StoreError, _>(&who, |tx| async move {
            attach_defaults(&tx, organization, target, 1).await?;
            for id in ["p-zzzzzzzz", "p-aaaaaaaa"] {
                let done = attach(&tx, &organization.id, PolicyType::ServiceControlPolicy, (&id.parse().unwrap(), target), 2).await?;
                assert_eq!(done, Stored::Done);
            }
            let again = ("p-zzzzzzzz".parse().unwrap(), target);
            assert_eq!(attach(&tx, &organization.id, PolicyType::ServiceControlPolicy, (&again.0, again.1), 3).await?, Stored::Taken);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(attached(&store, target).await, ["p-FullAWSAccess", "p-zzzzzzzz", "p-aaaaaaaa"]);
    store.write::<_, StoreError, _>(&who, |tx| async move { detach_all(&tx, target).await }).await.unwrap();
    assert!(attached(&store, target).await.is_empty());
}

#[tokio::test]
async fn a_policy_is_only_its_own_organizations() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap();
    let who = Who { account: SHARED.into(), caller: "test".into(), at_millis: 0 };
    let kept = &policy("p-examplepolicyid", "one");
    store
        .write::<_, StoreError, _>(&who, |tx| async move {
            assert_eq!(tx.insert(kept).await?, Stored::Done);
            assert_eq!(tx.insert(&policy("p-anotherpolicyid", "one")).await?, Stored::Taken, "the name");
            Ok(())
        })
        .await
        .unwrap();
    let ours = organization();
    let other = OrganizationRecord { id: "o-anotherorgid".parse().unwrap(), ..organization() };
    for (organization, is_there) in [(&ours, true), (&other, false)] {
        let found = store.read("-", |tx| async move { organization_policy(&tx, organization, &kept.id).await }).await;
        assert_eq!(found.unwrap().is_some(), is_there);
        let aws = &"p-FullAWSAccess".parse().unwrap();
        let found = store.read("-", |tx| async move { organization_policy(&tx, organization, aws).await }).await;
        assert_eq!(found.unwrap().unwrap().arn, "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess");
    }
}

#[test]
fn awss_own_policies_are_what_their_kinds_allow() {
    for policy in aws_organization_policies() {
        assert!(policy::Document::parse(policy.content).is_ok(), "{}", policy.id);
        assert_eq!(aws_organization_policy(&policy.id()), Some(policy));
        assert_eq!(default_policy(policy.kind), Some(policy));
    }
    assert_eq!(default_policy(PolicyType::TagPolicy), None);
}

#[test]
fn a_policys_arn_says_its_organization_and_kind() {
    let arn = policy("p-examplepolicyid", "one").arn("111122223333".parse().unwrap());
    assert_eq!(arn, "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid");
}
