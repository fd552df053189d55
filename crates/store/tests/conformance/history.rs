//! Every version: the feed, the past, what is erased and what is forgotten.

use super::{AT, InlinePolicy, Key, Refused, Tested, User, add, create, fresh, remove, replace, user};
use serde::{Deserialize, Serialize};
use store::{Change, Marker, Read, Record, Revision, Store, StoreError, Tx, Version, Who};

async fn feed_of(store: &Store, who: &Who) -> Result<Vec<Change>, StoreError> {
    let mut feed = store.changes_after(0, usize::MAX).await?;
    feed.retain(|c| c.account == who.account);
    Ok(feed)
}

pub(super) async fn history_is_a_feed_of_whole_transactions_and_can_be_read_as_it_was([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let two = async |tx: Tx<store::Write>| {
        create(&tx, &user("1", "alice")).await?;
        create(&tx, &user("2", "bob")).await
    };
    let first = store.write(&who, two).await?;
    let other = Who { caller: "arn:aws:iam::111122223333:root".into(), at_millis: AT + 5, ..who.clone() };
    let swap = async |tx: Tx<store::Write>| {
        let _ = tx.put(&user("1", "carol")).await?;
        tx.delete::<User>(&"2".to_owned()).await
    };
    let second = store.write(&other, swap).await?;
    assert!(first.revision < second.revision);

    let mut feed = store.changes_after(first.revision - 1, 1).await?;
    assert_eq!(feed.len(), 2, "a whole transaction, though one change was asked for");
    feed.extend(store.changes_after(first.revision, 1_000).await?);
    let value = |user: User| Version::Value(serde_json::to_string(&user).unwrap());
    let told: Vec<_> = feed.iter().map(|c| (c.revision, c.at_millis, c.by.as_str(), c.key.as_slice(), c.version.clone())).collect();
    let expected = [
        (first.revision, AT, who.caller.as_str(), &b"1\0"[..], value(user("1", "alice"))),
        (first.revision, AT, who.caller.as_str(), b"2\0", value(user("2", "bob"))),
        (second.revision, AT + 5, other.caller.as_str(), b"1\0", value(user("1", "carol"))),
        (second.revision, AT + 5, other.caller.as_str(), b"2\0", Version::Deleted),
    ];
    assert_eq!(told, expected);

    let names = async |tx: Tx<Read>| {
        let all = tx.scan(User::BY_NAME.all(), None, 9, |_| true).await?;
        Ok::<_, Refused>((
            all.records.into_iter().map(|u| u.name.0).collect::<Vec<_>>(),
            tx.find(User::BY_NAME, &"ALICE".into()).await?.is_some(),
        ))
    };
    assert_eq!(store.read_at(first.revision, &who.account, names).await?, (vec!["alice".into(), "bob".into()], true));
    assert_eq!(store.read(&who.account, names).await?, (vec!["carol".into()], false));
    Ok(())
}

/// What all verbs say of one account.
async fn picture(tx: Tx<Read>) -> Result<String, StoreError> {
    let mut said = String::new();
    for i in 0..12 {
        said += &format!("{:?};", tx.get::<User>(&i.to_string()).await?);
        said += &format!("{:?};", tx.find(User::BY_NAME, &format!("n{i}").as_str().into()).await?);
        said += &format!("{:?};", tx.count(User::BY_GROUP.of(&format!("g{}", i % 3)), 4).await?);
    }
    for limit in [1, 3, 100] {
        let mut after: Option<Marker> = None;
        loop {
            let page = tx.scan(User::BY_NAME.all(), after.as_ref(), limit, |u| u.groups.len() != 1).await?;
            said += &format!("{:?}", page.records);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let page = tx.scan(User::BY_GROUP.of(&"g1".to_owned()), None, limit, |_| true).await?;
        said += &format!("{:?} {}", page.records, page.next.is_some());
        let page = tx.scan(User::KEY.all(), Some(&Marker::after(vec![b'3', 0])), limit, |_| true).await?;
        said += &format!("{:?} {}\n", page.records, page.next.is_some());
    }
    said += &format!("{}", tx.count(User::KEY.all(), 1_000).await?);
    Ok(said)
}

pub(super) async fn every_verb_reads_the_past_as_the_present_was_then([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let mut pictures: Vec<(Revision, String)> = vec![];
    // The same on every run, and without a pattern.
    let mut dice = 7_u32;
    let mut roll = |sides: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 16) % sides
    };
    for _ in 0..120 {
        let (id, name) = (roll(12).to_string(), format!("n{}", roll(12)));
        let groups = (0..roll(4)).map(|_| format!("g{}", roll(3))).collect::<Vec<_>>();
        let (deletes, twice) = (roll(3) == 0, roll(5) == 0);
        let rule = async |tx: Tx<store::Write>| {
            if deletes {
                tx.delete::<User>(&id).await?;
            } else {
                let _ = tx.put(&User { groups: groups.clone(), ..user(&id, &name) }).await?;
            }
            if twice {
                let _ = tx.put(&user(&id, "n99")).await?;
                tx.delete::<User>(&id).await?;
            }
            Ok::<_, StoreError>(())
        };
        store.write(&who, rule).await?;
        pictures.push((store.revision().await?, store.read(&who.account, picture).await?));
    }
    for (revision, then) in pictures {
        let now = store.read_at(revision, &who.account, picture).await?;
        assert_eq!(now, then, "at {revision}");
    }
    Ok(())
}

pub(super) async fn who_changed_a_record_is_told_from_the_last_change_back([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let mut revisions = vec![add(store, &who, &user("1", "alice")).await?.revision];
    add(store, &who, &user("2", "bob")).await?;
    revisions.push(replace(store, &who, &user("1", "anna")).await?.revision);
    revisions.push(remove(store, &who, "1").await?.revision);
    let key = "1".to_owned();
    let told = store.history::<User>(&who.account, &key, 9).await?;
    assert_eq!(told.iter().map(|c| c.revision).collect::<Vec<_>>(), [revisions[2], revisions[1], revisions[0]]);
    revisions.push(add(store, &who, &user("1", "again")).await?.revision);
    revisions.push(replace(store, &who, &user("1", "and again")).await?.revision);
    let told = store.history::<User>(&who.account, &key, 9).await?;
    assert_eq!(told.iter().map(|c| c.revision).collect::<Vec<_>>(), [revisions[4], revisions[3], revisions[2], revisions[1], revisions[0]]);
    assert_eq!(told[2].version, Version::Deleted);
    let last = store.history::<User>(&who.account, &key, 1).await?;
    assert_eq!(last, told[..1]);
    assert_eq!(store.history::<User>(&who.account, &"3".to_owned(), 9).await?, []);
    Ok(())
}

pub(super) async fn what_was_sealed_is_erased_when_it_is_replaced_or_deleted([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let key = |sealed: &str| Key { id: "k".into(), name: "n".into(), sealed: sealed.into() };
    let first = replace(store, &who, &key("one")).await?.revision;
    replace(store, &who, &key("two")).await?;
    let versions = async || Ok::<_, StoreError>(feed_of(store, &who).await?.into_iter().map(|c| c.version).collect::<Vec<_>>());
    let two = Version::Value(serde_json::to_string(&key("two")).unwrap());
    assert_eq!(versions().await?, [Version::Erased, two], "what it holds now is in the feed");
    let every_way = async |tx: Tx<Read>| {
        let (id, name) = ("k".to_owned(), "n".to_owned());
        let (by_key, by_name) = (tx.scan(Key::KEY.all(), None, 9, |_| true).await?, tx.scan(Key::BY_NAME.all(), None, 9, |_| true).await?);
        Ok::<_, StoreError>([
            tx.get::<Key>(&id).await?,
            tx.find(Key::BY_NAME, &name).await?,
            by_key.records.into_iter().next(),
            by_name.records.into_iter().next(),
        ])
    };
    let now = [(); 4].map(|()| Some(key("two")));
    assert_eq!(store.read(&who.account, every_way).await?, now);
    assert_eq!(store.read_at(store.revision().await?, &who.account, every_way).await?, now);
    store.write(&who, async |tx| tx.delete::<Key>(&"k".to_owned()).await).await?;
    assert_eq!(versions().await?, [Version::Erased, Version::Erased, Version::Deleted]);
    let then = store.read_at(first, &who.account, async |tx| tx.get::<Key>(&"k".to_owned()).await).await?;
    assert_eq!(then, None, "what it held is nowhere");
    let told = store.history::<Key>(&who.account, &"k".to_owned(), 9).await?;
    assert_eq!(told.len(), 3, "but that it was, and who did it, is");
    Ok(())
}

/// As an earlier release might have kept them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "key", key = id, unique(by_name = name))]
struct OpenKey {
    id: String,
    name: String,
    sealed: String,
}

pub(super) async fn a_kind_that_becomes_sealed_erases_what_it_wrote_before([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for sealed in ["one", "two", "three"] {
        replace(store, &who, &OpenKey { id: "k".into(), name: "n".into(), sealed: sealed.into() }).await?;
    }
    let held = store.read(&who.account, async |tx| tx.get::<Key>(&"k".to_owned()).await).await?;
    assert_eq!(held.map(|key| key.sealed).as_deref(), Some("three"));
    replace(store, &who, &Key { id: "k".into(), name: "n".into(), sealed: "four".into() }).await?;
    let versions: Vec<_> = feed_of(store, &who).await?.into_iter().map(|c| c.version).collect();
    assert_eq!(versions[..3], [(); 3].map(|()| Version::Erased));
    assert!(matches!(&versions[3], Version::Value(value) if value.contains("four")));
    Ok(())
}

pub(super) async fn a_refused_rule_erases_nothing([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let key = Key { id: "k".into(), name: "n".into(), sealed: "one".into() };
    replace(store, &who, &key).await?;
    let refused = async |tx: Tx<store::Write>| {
        tx.delete::<Key>(&"k".to_owned()).await?;
        Err::<(), _>(Refused::Taken)
    };
    assert!(store.write(&who, refused).await.is_err());
    assert_eq!(store.read(&who.account, async |tx| tx.get::<Key>(&"k".to_owned()).await).await?, Some(key.clone()));
    let versions: Vec<_> = feed_of(store, &who).await?.into_iter().map(|c| c.version).collect();
    assert_eq!(versions, [Version::Value(serde_json::to_string(&key).unwrap())]);
    Ok(())
}

pub(super) async fn forgetting_keeps_what_younger_revisions_need([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let at = |at_millis: i64| Who { at_millis, ..who.clone() };
    let name_at = async |revision: Revision, id: &str| {
        let id = id.to_owned();
        let name = async |tx: Tx<Read>| Ok(tx.get::<User>(&id).await?.map(|u| u.name.0.to_string()));
        store.read_at::<_, StoreError, _>(revision, &who.account, name).await
    };
    // 1 is changed long ago, and again lately; 2 is deleted long ago; 3 is made long ago and stays.
    let first = add(store, &at(1), &user("1", "a")).await?.revision;
    add(store, &at(2), &user("2", "gone")).await?;
    add(store, &at(3), &user("3", "stays")).await?;
    replace(store, &at(4), &user("1", "b")).await?;
    let old = remove(store, &at(5), "2").await?.revision;
    let young = replace(store, &at(100), &user("4", "young")).await?.revision;
    replace(store, &at(101), &user("1", "c")).await?;
    remove(store, &at(102), "3").await?;

    let removed = store.forget_before(50).await?;
    assert_eq!(removed, 3, "1 as a, 2 and its end");
    assert_eq!(store.forget_before(50).await?, 0, "once");
    assert_eq!(name_at(old, "1").await?.as_deref(), Some("b"), "it was still so when the young ones came");
    assert_eq!(name_at(young, "1").await?.as_deref(), Some("b"));
    assert_eq!(name_at(young, "2").await?, None);
    assert_eq!(name_at(young, "3").await?.as_deref(), Some("stays"));
    assert!(matches!(name_at(first, "1").await, Err(StoreError::Forgotten)));
    let feed: Vec<_> = feed_of(store, &who).await?.iter().map(|c| c.at_millis).collect();
    assert_eq!(feed, [3, 4, 100, 101, 102]);

    // In many slices, with others writing between them.
    let many = async |tx: Tx<store::Write>| {
        for i in 0..3_000 {
            let _ = tx.put(&user("9", &format!("v{i}"))).await?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(&at(200), many).await?;
    let young = replace(store, &at(300), &user("9", "last")).await?.revision;
    let (later, meanwhile) = (at(301), user("10", "meanwhile"));
    let (removed, written) = tokio::join!(store.forget_before(250), add(store, &later, &meanwhile));
    written?;
    // All versions of 9 but the one that 300 replaced; 1 as b and c's predecessor; 3 and its end.
    assert_eq!(removed?, 2_999 + 1 + 2);
    assert_eq!(name_at(young - 1, "9").await?.as_deref(), Some("v2999"));
    assert_eq!(name_at(young, "9").await?.as_deref(), Some("last"));
    Ok(())
}

pub(super) async fn a_moment_has_the_last_revision_until_then([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let far = 4_000_000_000_000;
    let at = |at_millis: i64| Who { at_millis: far + at_millis, ..who.clone() };
    let before = store.revision().await?;
    let first = add(store, &at(10), &user("1", "a")).await?.revision;
    let second = replace(store, &at(20), &user("1", "b")).await?.revision;
    assert!(store.revision_at(far + 9).await? <= before);
    assert_eq!(store.revision_at(far + 10).await?, first);
    assert_eq!(other.revision_at(far + 19).await?, first);
    assert_eq!(other.revision_at(far + 20).await?, second);
    assert_eq!(store.revision_at(-1).await?, 0);
    Ok(())
}

pub(super) async fn forgetting_all_still_numbers_onwards([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let policy = InlinePolicy { user: "u".into(), name: "p".into(), created: 1, document: "{}".into() };
    replace(store, &who, &policy).await?;
    let gone = (&"u".to_owned(), &"p".to_owned());
    let last = store.write(&who, async |tx| tx.delete::<InlinePolicy>(gone).await).await?.revision;
    store.forget_before(i64::MAX).await?;
    let next = replace(store, &who, &policy).await?.revision;
    assert!(next > last);
    Ok(())
}

pub(super) async fn a_write_says_a_revision_that_the_feed_has_reached([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let said = async |tx: Tx<store::Write>| {
        let revision = tx.revision().await?;
        create(&tx, &user("1", "alice")).await?;
        Ok::<_, Refused>(revision)
    };
    let done = store.write(&who, said).await?;
    assert_eq!(done.value, done.revision, "a rule can know its own");
    assert!(other.revision().await? >= done.revision);
    let feed = other.changes_after(done.revision - 1, 1).await?;
    assert_eq!(feed.first().map(|c| c.revision), Some(done.revision));
    // One that changed nothing says what it saw.
    let nothing = store.write(&who, async |tx| tx.get::<User>(&"1".to_owned()).await).await?;
    assert!(nothing.revision >= done.revision);
    assert!(other.changes_after(nothing.revision, 9).await?.is_empty());
    Ok(())
}
