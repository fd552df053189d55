//! Places in the tree, on a store.

use super::*;
use store::{Fresh, Store, Stored, Who};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap();
    (dir, store)
}

fn organization() -> OrganizationRecord {
    OrganizationRecord {
        id: "o-exampleorgid".parse().unwrap(),
        root: "r-ab12".parse().unwrap(),
        management: "111122223333".parse().unwrap(),
        features: FeatureSet::All,
        enabled: vec![PolicyType::ServiceControlPolicy],
        created: 0,
    }
}

fn unit(nth: usize, parent: ParentId) -> UnitRecord {
    let id = format!("ou-ab12-0000000{nth}").parse().unwrap();
    UnitRecord { id, organization: organization().id, parent, name: format!("unit {nth}"), created: 0 }
}

fn member(parent: ParentId) -> MemberRecord {
    MemberRecord {
        account: "444455556666".parse().unwrap(),
        organization: organization().id,
        parent,
        joined: 0,
        method: JoinedMethod::Invited,
        state: MemberState::Active,
        closed: None,
    }
}

async fn kept(store: &Store, units: &[UnitRecord], member: &MemberRecord) {
    let who = Who { account: SHARED.into(), caller: "test".into(), at_millis: 0 };
    let organization = &organization();
    store
        .write::<_, StoreError, _>(&who, |tx| async move {
            assert_eq!(tx.insert(organization).await?, Stored::Done);
            for unit in units {
                assert_eq!(tx.insert(unit).await?, Stored::Done);
            }
            assert_eq!(tx.insert(member).await?, Stored::Done);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_path_goes_from_the_root_down_to_the_account() {
    let (_dir, store) = store();
    let first = unit(1, (&organization().root).into());
    let second = unit(2, (&first.id).into());
    let member = member((&second.id).into());
    kept(&store, &[first, second], &member).await;
    let path = store.read("444455556666", |tx| async move { organization_path(&tx, member.account).await }).await.unwrap().unwrap();
    assert_eq!(path.text(), "o-exampleorgid/r-ab12/ou-ab12-00000001/ou-ab12-00000002/");
    let levels: Vec<String> = path.levels().iter().map(TargetId::to_string).collect();
    assert_eq!(levels, ["r-ab12", "ou-ab12-00000001", "ou-ab12-00000002", "444455556666"]);
    assert!(!path.is_management());
    let nowhere = "777788889999".parse().unwrap();
    assert!(store.read("-", |tx| async move { organization_path(&tx, nowhere).await }).await.unwrap().is_none());
}

#[tokio::test]
async fn a_place_that_leads_to_no_root_is_damage_and_no_path() {
    let (_dir, store) = store();
    let gone = unit(1, (&organization().root).into());
    let member = member((&gone.id).into());
    kept(&store, &[], &member).await;
    assert!(store.read("-", |tx| async move { organization_path(&tx, member.account).await }).await.is_err());
}

#[test]
fn policies_bind_only_where_all_features_are_on() {
    assert!(organization().has(PolicyType::ServiceControlPolicy));
    assert!(!organization().has(PolicyType::TagPolicy));
    let billing = OrganizationRecord { features: FeatureSet::ConsolidatedBilling, ..organization() };
    assert!(!billing.has(PolicyType::ServiceControlPolicy));
}
