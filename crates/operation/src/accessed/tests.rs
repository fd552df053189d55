use super::*;
use store::Fresh;

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn id(name: &str) -> UniqueId {
    format!("AIDA{name:X<17}").parse().unwrap()
}

fn used<'a>(entity: &'a UniqueId, (service, action): (&'a str, &'a str), at: i64) -> Access<'a> {
    Access { account: account(), entity: entity.as_str(), service, action, region: "eu-west-1", at }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap();
    (dir, store)
}

type Shown<'a> = Vec<(&'a str, i64, Vec<(&'a str, i64)>)>;

fn shown(services: &[AccessedService]) -> Shown<'_> {
    let actions = |of: &'_ AccessedService| of.actions.values().all(|when| when.at <= of.last.at);
    assert!(services.iter().all(actions));
    let shown = services.iter().map(|of| (of.service.as_str(), of.last.at, of.actions.iter().map(|(name, when)| (name.as_str(), when.at))));
    shown.map(|(service, at, actions)| (service, at, actions.collect())).collect()
}

#[tokio::test]
async fn a_use_is_shown_at_once_and_after_it_was_written() {
    let ((_dir, store), accessed, alice) = (store(), Accessed::default(), id("ALICE"));
    accessed.note(&used(&alice, ("s3", "GetObject"), 100));
    accessed.note(&used(&alice, ("S3", "putobject"), 200));
    accessed.note(&used(&alice, ("catalog", "Read"), 150));
    accessed.note(&used(&id("BOB"), ("s3", "ListBucket"), 300));
    let expected: Shown<'_> = vec![("catalog", 150, vec![("Read", 150)]), ("s3", 200, vec![("GetObject", 100), ("PutObject", 200)])];
    assert_eq!(shown(&accessed.of(&store, account(), &alice).await.unwrap()), expected);
    accessed.write(&store).await.unwrap();
    assert_eq!(shown(&accessed.of(&store, account(), &alice).await.unwrap()), expected);
    assert_eq!(shown(&Accessed::default().of(&store, account(), &alice).await.unwrap()), expected, "another node sees it too");
    accessed.note(&used(&alice, ("s3", "GetObject"), 400));
    accessed.write(&store).await.unwrap();
    let later = Accessed::default().of(&store, account(), &alice).await.unwrap();
    assert_eq!(shown(&later)[1], ("s3", 400, vec![("GetObject", 400), ("PutObject", 200)]));
    let elsewhere = "444455556666".parse().unwrap();
    assert_eq!(accessed.of(&store, elsewhere, &alice).await.unwrap(), []);
}

#[tokio::test]
async fn names_that_aws_does_not_have_and_that_no_line_can_hold_are_not_kept() {
    let ((_dir, store), accessed, alice) = (store(), Accessed::default(), id("ALICE"));
    let long = "x".repeat(LONGEST);
    for (service, action) in
        [("s3", "NoSuchAction"), ("", "nothing"), ("catalog", "two words"), ("catalog", "line\nbreak"), ("catalog", &long), ("s 3", "x")]
    {
        accessed.note(&used(&alice, (service, action), 100));
    }
    accessed.note(&Access { region: "eu west", ..used(&alice, ("s3", "GetObject"), 100) });
    assert_eq!(accessed.of(&store, account(), &alice).await.unwrap(), []);
}

#[tokio::test]
async fn what_one_entity_can_leave_behind_is_bounded() {
    let ((_dir, store), accessed, alice) = (store(), Accessed::default(), id("ALICE"));
    for round in 0..3 {
        for nth in 0..ACTIONS {
            accessed.note(&used(&alice, ("catalog", &format!("Action{round}x{nth}")), 60 * i64::from(round)));
        }
        for nth in 0..700 {
            accessed.note(&used(&alice, (&format!("service{round}x{nth}"), "Read"), 60 * i64::from(round)));
        }
        accessed.write(&store).await.unwrap();
    }
    let services = accessed.of(&store, account(), &alice).await.unwrap();
    assert_eq!(services.len(), SERVICES);
    let catalog = services.iter().find(|of| of.service == "catalog").unwrap();
    assert_eq!(catalog.actions.len(), ACTIONS);
    assert!(catalog.actions.keys().all(|name| name.starts_with("Action2")), "the latest stay");
    for nth in 0..2 * WAITING {
        accessed.note(&used(&alice, ("catalog", &format!("More{nth}")), 600));
    }
    let waiting: usize = accessed.parts.iter().map(|part| part.lock().unwrap().size).sum();
    assert_eq!(waiting, WAITING);
}

#[test]
fn the_same_minute_is_noted_once() {
    let (recent, at) = (Recent::default(), 6_000);
    let what = ["alice", "s3", "GetObject", "eu-west-1"];
    recent.is_new(None, what, at).unwrap().done();
    assert!(recent.is_new(None, what, at + 59).is_none());
    assert!(recent.is_new(None, what, at + 60).is_some());
    for other in
        [["bob", "s3", "GetObject", "eu-west-1"], ["alice", "s3", "PutObject", "eu-west-1"], ["alice", "s3G", "etObject", "eu-west-1"]]
    {
        assert!(recent.is_new(None, other, at).is_some());
    }
}

/// Each account's root user is called the same.
#[tokio::test]
async fn a_use_by_one_root_user_hides_none_by_another() {
    let ((_dir, store), accessed) = (store(), Accessed::default());
    let elsewhere = "444455556666".parse().unwrap();
    for account in [elsewhere, account()] {
        accessed.note(&Access { account, entity: ROOT, ..used(&id("NOBODY"), ("sts", "GetCallerIdentity"), 100) });
    }
    accessed.write(&store).await.unwrap();
    for account in [account(), elsewhere] {
        assert!(accessed.written_of_account(&store, account).await.unwrap().contains_key("sts"), "{account}");
    }
}

#[tokio::test]
async fn an_account_has_used_what_any_of_its_principals_used_by_pages() {
    let ((_dir, store), accessed) = (store(), Accessed::default());
    for nth in 0..1_200 {
        accessed.note(&used(&id(&format!("U{nth}")), ("s3", "GetObject"), 100 + nth));
    }
    accessed.note(&Access { entity: ROOT, ..used(&id("NOBODY"), ("iam", "ListUsers"), 70) });
    let elsewhere = "444455556666".parse().unwrap();
    accessed.note(&Access { account: elsewhere, ..used(&id("ALICE"), ("sqs", "SendMessage"), 9_000) });
    accessed.write(&store).await.unwrap();
    let last = |services: BTreeMap<String, When>| services.into_iter().map(|(service, when)| (service, when.at)).collect::<Vec<_>>();
    let of = async |account| last(accessed.written_of_account(&store, account).await.unwrap());
    assert_eq!(of(account()).await, [("iam".to_owned(), 70), ("s3".to_owned(), 1_299)]);
    assert_eq!(of(elsewhere).await, [("sqs".to_owned(), 9_000)]);
    assert_eq!(of("777788889999".parse().unwrap()).await, []);
}
