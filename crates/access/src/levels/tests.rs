//! What an organization lays on its accounts, on a store that changes.

use super::*;
use crate::Question;
use identities::{
    AccountRecord, AccountStatus, FeatureSet, JoinedMethod, Keyring, MasterKey, MemberState, OrganizationId, ParentId, Purpose,
    SystemClock, SystemEntropy, attach, attach_defaults,
};
use policy::{Because, Facts, Outcome, Values};
use store::{Fresh, Store, Tx, Who, Write};

const MANAGEMENT: &str = "111122223333";
const MEMBER: &str = "444455556666";
const SIBLING: &str = "777788889999";
const ROOT: &str = "r-ab12";
const FIRST: &str = "ou-ab12-00000001";
const SECOND: &str = "ou-ab12-00000002";

struct World {
    access: Access,
    _dir: tempfile::TempDir,
}

fn organization() -> OrganizationRecord {
    OrganizationRecord {
        id: "o-exampleorgid".parse().unwrap(),
        root: ROOT.parse().unwrap(),
        management: MANAGEMENT.parse().unwrap(),
        features: FeatureSet::All,
        enabled: vec![PolicyType::ServiceControlPolicy, PolicyType::ResourceControlPolicy],
        created: 0,
    }
}

fn member(account: &str, parent: &str) -> MemberRecord {
    MemberRecord {
        account: account.parse().unwrap(),
        organization: organization().id,
        parent: parent.parse::<ParentId>().unwrap(),
        joined: 0,
        method: JoinedMethod::Created,
        state: MemberState::Active,
        closed: None,
    }
}

fn policy(id: &str, kind: PolicyType, content: &str) -> OrganizationPolicyRecord {
    OrganizationPolicyRecord {
        id: id.parse().unwrap(),
        organization: organization().id,
        kind,
        name: id.into(),
        description: String::new(),
        content: content.into(),
        version: 1,
        updated: 0,
    }
}

fn deny(action: &str, principal: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",{principal}"Action":"{action}","Resource":"*"}}}}"#)
}

impl World {
    /// root → first → member; root → second; root → sibling.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (master, entropy) = (MasterKey::new(&[7; 32]), SystemEntropy::default());
        let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap();
        let keys =
            [(1, Purpose::Records), (2, Purpose::Tokens)].map(|(n, purpose)| Keyring::new_key(n, purpose, &master, 0, &entropy).unwrap());
        let keyring = Keyring::unlock(&master, &keys).unwrap();
        let world = World { access: Access::new(Arc::new(store), keyring, Arc::new(SystemClock), Arc::new(entropy)), _dir: dir };
        world
            .change(|tx| async move {
                let organization = organization();
                let _ = tx.put(&organization).await?;
                for id in [FIRST, SECOND] {
                    let parent = ParentId::from(&organization.root);
                    let unit =
                        UnitRecord { id: id.parse().unwrap(), organization: organization.id.clone(), parent, name: id.into(), created: 0 };
                    let _ = tx.put(&unit).await?;
                }
                for (account, parent) in [(MANAGEMENT, ROOT), (MEMBER, FIRST), (SIBLING, ROOT)] {
                    let record = AccountRecord {
                        id: account.parse().unwrap(),
                        name: account.into(),
                        email: format!("{account}@example.com").into(),
                        alias: None,
                        status: AccountStatus::Active,
                        created: 0,
                        users_may_change_password: false,
                        root_password: None,
                        root_recovery: None,
                    };
                    let _ = tx.put(&record).await?;
                    let _ = tx.put(&member(account, parent)).await?;
                }
                for target in [ROOT, FIRST, SECOND, MANAGEMENT, MEMBER, SIBLING] {
                    attach_defaults(&tx, &organization, &target.parse().unwrap(), 0).await?;
                }
                Ok(())
            })
            .await;
        world
    }

    async fn change<F: Future<Output = Result<(), StoreError>> + Send>(&self, rule: impl Fn(Tx<Write>) -> F) {
        let who = Who { account: SHARED.into(), caller: "test".into(), at_millis: 0 };
        self.access.store.write(&who, rule).await.unwrap();
    }

    async fn attach(&self, policy: &OrganizationPolicyRecord, target: &str) {
        self.change(|tx| async move {
            let _ = tx.put(policy).await?;
            let organization: &OrganizationId = &policy.organization;
            let _ = attach(&tx, organization, policy.kind, (&policy.id, &target.parse().unwrap()), 0).await?;
            Ok(())
        })
        .await;
    }

    async fn root_of(&self, account: &str) -> Standing {
        let account = account.parse().unwrap();
        let grants = self.access.grants(account, None).await.unwrap().unwrap();
        Standing::long_term(grants, self.access.levels(account).await.unwrap())
    }

    /// What root of `account` is told when it asks for `action` on what `owner` owns.
    async fn told(&self, account: &str, action: &str, owner: &str) -> (Outcome, Because, Option<String>) {
        let standing = self.root_of(account).await;
        let owner = owner.parse().unwrap();
        let levels = self.access.levels_of_owner(&standing, owner).await.unwrap();
        let open = self.access.resource_policy(r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#).unwrap();
        let resource_policy = (Some(owner) != standing.account).then_some(&*open);
        let facts = &Context::new();
        let resource = "arn:aws:s3:::b/k";
        let question = Question { action, resource, resource_account: Some(owner), resource_policy, resource_levels: &levels, facts };
        let decision = standing.decide(&question);
        (decision.outcome, decision.because, decision.by.map(|by| by.source().to_owned()))
    }

    async fn outcome(&self, account: &str, action: &str) -> Outcome {
        self.told(account, action, account).await.0
    }
}

#[tokio::test]
async fn a_policy_at_any_level_binds_at_once_and_says_which_it_is() {
    let world = World::new().await;
    for (nth, target) in [ROOT, FIRST, MEMBER].into_iter().enumerate() {
        let action = format!("s3:Get{nth}");
        assert_eq!(world.outcome(MEMBER, &action).await, Outcome::Allowed);
        let policy = policy(&format!("p-0000000{nth}"), PolicyType::ServiceControlPolicy, &deny(&action, ""));
        world.attach(&policy, target).await;
        let source = format!("arn:aws:organizations::{MANAGEMENT}:policy/o-exampleorgid/service_control_policy/p-0000000{nth}");
        assert_eq!(
            world.told(MEMBER, &action, MEMBER).await,
            (Outcome::ExplicitlyDenied, Because::ServiceControl, Some(source)),
            "{target}"
        );
    }
    assert_eq!(world.outcome(SIBLING, "s3:Get0").await, Outcome::ExplicitlyDenied);
    assert_eq!(world.outcome(SIBLING, "s3:Get1").await, Outcome::Allowed);
    assert_eq!(world.outcome(MANAGEMENT, "s3:Get0").await, Outcome::Allowed);
}

#[tokio::test]
async fn another_content_binds_at_once() {
    let world = World::new().await;
    let mut policy = policy("p-00000001", PolicyType::ServiceControlPolicy, &deny("s3:GetObject", ""));
    world.attach(&policy, ROOT).await;
    assert_eq!(world.outcome(MEMBER, "s3:GetObject").await, Outcome::ExplicitlyDenied);
    (policy.version, policy.content) = (2, deny("s3:PutObject", ""));
    let policy = &policy;
    world.change(|tx| async move { tx.put(policy).await.map(|_| ()) }).await;
    assert_eq!(world.outcome(MEMBER, "s3:GetObject").await, Outcome::Allowed);
    assert_eq!(world.outcome(MEMBER, "s3:PutObject").await, Outcome::ExplicitlyDenied);
}

#[tokio::test]
async fn an_account_that_moves_obeys_its_new_parents_at_once() {
    let world = World::new().await;
    world.attach(&policy("p-00000001", PolicyType::ServiceControlPolicy, &deny("s3:One", "")), FIRST).await;
    world.attach(&policy("p-00000002", PolicyType::ServiceControlPolicy, &deny("s3:Two", "")), SECOND).await;
    assert_eq!(world.outcome(MEMBER, "s3:One").await, Outcome::ExplicitlyDenied);
    assert_eq!(world.outcome(MEMBER, "s3:Two").await, Outcome::Allowed);
    world.change(|tx| async move { tx.put(&member(MEMBER, SECOND)).await.map(|_| ()) }).await;
    assert_eq!(world.outcome(MEMBER, "s3:One").await, Outcome::Allowed);
    assert_eq!(world.outcome(MEMBER, "s3:Two").await, Outcome::ExplicitlyDenied);
    world.change(|tx| async move { tx.delete::<MemberRecord>(&MEMBER.parse().unwrap()).await.map(|_| ()) }).await;
    assert_eq!(world.outcome(MEMBER, "s3:Two").await, Outcome::Allowed);
    assert!(world.root_of(MEMBER).await.levels.organization().is_none());
}

#[tokio::test]
async fn a_level_that_nothing_is_attached_to_allows_nothing() {
    let world = World::new().await;
    world.change(|tx| async move { identities::detach_all(&tx, &FIRST.parse().unwrap()).await }).await;
    assert_eq!(world.told(MEMBER, "s3:GetObject", MEMBER).await, (Outcome::ImplicitlyDenied, Because::ResourceControl, None));
    assert_eq!(world.told(MEMBER, "ec2:RunInstances", MEMBER).await, (Outcome::ImplicitlyDenied, Because::ServiceControl, None));
}

#[tokio::test]
async fn nothing_binds_where_its_kind_is_not_enabled_or_only_the_bill_is_shared() {
    let world = World::new().await;
    world.attach(&policy("p-00000001", PolicyType::ServiceControlPolicy, &deny("s3:*", "")), ROOT).await;
    let disabled = &OrganizationRecord { enabled: Vec::new(), ..organization() };
    let billing = &OrganizationRecord { features: FeatureSet::ConsolidatedBilling, ..organization() };
    for (organization, outcome) in [(disabled, Outcome::Allowed), (&organization(), Outcome::ExplicitlyDenied), (billing, Outcome::Allowed)]
    {
        world.change(|tx| async move { tx.put(organization).await.map(|_| ()) }).await;
        assert_eq!(world.outcome(MEMBER, "s3:GetObject").await, outcome);
    }
}

#[tokio::test]
async fn rcps_bind_whoever_comes_to_a_member_and_nobody_who_comes_to_the_management_account() {
    let world = World::new().await;
    let rcp = policy("p-00000001", PolicyType::ResourceControlPolicy, &deny("s3:*", r#""Principal":"*","#));
    world.attach(&rcp, ROOT).await;
    let is_denied = |told: (Outcome, Because, Option<String>)| (told.0, told.1) == (Outcome::ExplicitlyDenied, Because::ResourceControl);
    for caller in [MEMBER, SIBLING, MANAGEMENT] {
        assert!(is_denied(world.told(caller, "s3:GetObject", MEMBER).await), "{caller}");
        assert!(!is_denied(world.told(caller, "ec2:RunInstances", MEMBER).await), "no service that RCPs bind");
        assert!(!is_denied(world.told(caller, "s3:GetObject", MANAGEMENT).await), "{caller}");
    }
}

#[tokio::test]
async fn where_an_account_stands_is_said_of_it() {
    let world = World::new().await;
    let said = |facts: &Context, key: &str| match facts.get(key) {
        Some(Values::One(one)) => vec![one.to_owned()],
        Some(Values::Many(many)) => many.iter().map(|one| one.to_string()).collect(),
        None => Vec::new(),
    };
    let member = world.root_of(MEMBER).await;
    assert_eq!(said(&member.facts, "aws:principalorgid"), ["o-exampleorgid"]);
    assert_eq!(said(&member.facts, "aws:principalorgpaths"), [format!("o-exampleorgid/{ROOT}/{FIRST}/")]);
    let manager = world.root_of(MANAGEMENT).await;
    assert_eq!(said(&manager.facts, "aws:principalorgpaths"), [format!("o-exampleorgid/{ROOT}/")]);
    let mut facts = Context::new();
    world.access.levels(MEMBER.parse().unwrap()).await.unwrap().say(Whose::Source, &mut facts);
    assert_eq!(said(&facts, "aws:sourceorgid"), ["o-exampleorgid"]);
    assert!(said(&Standing::anonymous().facts, "aws:principalorgid").is_empty());
}

#[tokio::test]
async fn accounts_under_one_parent_share_its_levels() {
    let world = World::new().await;
    world.change(|tx| async move { tx.put(&member(SIBLING, FIRST)).await.map(|_| ()) }).await;
    let (one, other) = (world.root_of(MEMBER).await.levels, world.root_of(SIBLING).await.levels);
    assert_eq!(one.service_control().len(), 3);
    for (one, other) in one.service_control().iter().zip(other.service_control()) {
        assert!(Arc::ptr_eq(one, other));
    }
}

#[tokio::test]
async fn what_bound_in_the_past_is_known_still() {
    let world = World::new().await;
    let before = world.access.store.revision().await.unwrap();
    world.attach(&policy("p-00000001", PolicyType::ServiceControlPolicy, &deny("s3:*", "")), FIRST).await;
    let after = world.access.store.revision().await.unwrap();
    world.change(|tx| async move { tx.put(&member(MEMBER, SECOND)).await.map(|_| ()) }).await;
    let sources = |levels: Levels| levels.service_control().iter().map(|set| set.sources().count()).collect::<Vec<_>>();
    let member = MEMBER.parse().unwrap();
    assert_eq!(sources(world.access.levels_at(before, member).await.unwrap()), [1, 1, 1]);
    assert_eq!(sources(world.access.levels_at(after, member).await.unwrap()), [1, 2, 1]);
}

#[tokio::test]
async fn after_a_change_at_the_root_an_account_is_looked_at_once_and_its_way_not_again() {
    let world = World::new().await;
    let member: AccountId = MEMBER.parse().unwrap();
    let before = world.access.levels(member).await.unwrap();
    world.root_of(MEMBER).await;
    world.attach(&policy("p-00000001", PolicyType::ServiceControlPolicy, &deny("s3:*", "")), ROOT).await;
    let after = world.access.levels(member).await.unwrap();
    assert!(!Arc::ptr_eq(&before, &after), "the root has another policy");
    assert!(Arc::ptr_eq(&before.way, &after.way), "the account stands where it stood");
    // What the account has by itself was loaded before the change, and what the root has after it.
    assert!(Arc::ptr_eq(&after, &world.access.levels(member).await.unwrap()));
    assert!(world.root_of(MEMBER).await.holds(&world.access));
    world.change(|tx| async move { tx.put(&self::member(MEMBER, ROOT)).await.map(|_| ()) }).await;
    let moved = world.access.levels(member).await.unwrap();
    assert!(!Arc::ptr_eq(&after.way, &moved.way), "the account was moved");
}
