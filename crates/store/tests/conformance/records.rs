//! Records, their indexes, their pages.

use super::{InlinePolicy, Refused, Tested, User, UserName, add, create, fresh, remove, replace, user};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Marker, Page, Read, Record, Store, StoreError, Stored, Tx, Who};

pub(super) async fn a_unique_name_is_taken_whatever_its_case_until_its_record_goes([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "Alice")).await?;
    assert!(matches!(add(store, &who, &user("2", "ALICE")).await, Err(Refused::Taken)));
    assert!(matches!(add(store, &who, &user("1", "bob")).await, Err(Refused::Taken)), "its key is taken too");
    add(store, &fresh(), &user("1", "Alice")).await?; // another account
    let found = store.read(&who.account, async |tx| tx.find(User::BY_NAME, &"aLiCe".into()).await).await?;
    assert_eq!(found, Some(user("1", "Alice")));
    assert!(remove(store, &who, "1").await?.value);
    assert!(!remove(store, &who, "1").await?.value, "it was gone");
    add(store, &who, &user("2", "ALICE")).await?;
    Ok(())
}

pub(super) async fn what_was_taken_leaves_no_trace_and_the_rule_goes_on([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    let rule = async |tx: Tx<store::Write>| {
        let mut second = user("2", "alice");
        second.groups = vec!["admins".into()];
        assert_eq!(tx.insert(&second).await?, Stored::Taken);
        assert_eq!(tx.count(User::BY_GROUP.all(), 9).await?, 0);
        assert_eq!(tx.get::<User>(&"2".to_owned()).await?, None);
        second.name = "bob".into();
        create(&tx, &second).await?;
        second.name = "Alice".into();
        second.groups = vec!["others".into()];
        assert_eq!(tx.put(&second).await?, Stored::Taken, "a rename");
        assert_eq!(tx.count(User::BY_GROUP.of(&"admins".to_owned()), 9).await?, 1);
        assert_eq!(tx.count(User::BY_GROUP.of(&"others".to_owned()), 9).await?, 0);
        Ok::<_, Refused>(())
    };
    store.write(&who, rule).await?;
    let names = store.read(&who.account, async |tx| tx.scan(User::BY_NAME.all(), None, 9, |_| true).await).await?;
    assert_eq!(names.records.iter().map(|u| &*u.name.0).collect::<Vec<_>>(), ["alice", "bob"]);
    let feed = store.changes_after(0, 100).await?;
    assert_eq!(feed.iter().filter(|c| c.account == who.account).count(), 2, "what was taken is no change");
    Ok(())
}

pub(super) async fn a_transaction_reads_its_own_writes_and_an_error_undoes_them([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("0", "zoe")).await?;
    let rule = async |tx: Tx<store::Write>| {
        create(&tx, &user("1", "alice")).await?;
        assert!(tx.get::<User>(&"1".to_owned()).await?.is_some());
        assert_eq!(tx.find(User::BY_NAME, &"alice".into()).await?, Some(user("1", "alice")));
        assert_eq!(tx.put(&User { boundary: Some("b".into()), ..user("1", "anna") }).await?, Stored::Done);
        assert_eq!(tx.get::<User>(&"1".to_owned()).await?.map(|u| u.name), Some("anna".into()), "not what was seen before");
        assert_eq!(tx.find(User::BY_NAME, &"alice".into()).await?, None);
        assert!(tx.delete::<User>(&"0".to_owned()).await?);
        assert_eq!(tx.get::<User>(&"0".to_owned()).await?, None);
        assert_eq!(tx.scan(User::KEY.all(), None, 9, |_| true).await?.records.len(), 1);
        assert_eq!(tx.count(User::BY_NAME.all(), 9).await?, 1);
        Err::<(), _>(Refused::Taken)
    };
    let before = store.revision().await?;
    assert!(matches!(store.write(&who, rule).await, Err(Refused::Taken)));
    assert_eq!(store.revision().await?, before);
    let now = store.read(&who.account, async |tx| tx.scan(User::KEY.all(), None, 9, |_| true).await).await?;
    assert_eq!(now.records, [user("0", "zoe")]);
    Ok(())
}

pub(super) async fn entries_follow_what_a_record_says([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let mut alice = User { boundary: Some("b1".into()), groups: vec!["g1".into(), "g2".into(), "g2".into()], ..user("1", "alice") };
    add(store, &who, &alice).await?;
    (alice.boundary, alice.groups) = (None, vec!["g2".into(), "g3".into()]);
    replace(store, &who, &alice).await?;
    let counts = async |tx: Tx<Read>| {
        Ok::<_, Refused>([
            tx.count(User::BY_BOUNDARY.all(), 9).await?,
            tx.count(User::BY_GROUP.of(&"g1".to_owned()), 9).await?,
            tx.count(User::BY_GROUP.of(&"g2".to_owned()), 9).await?,
            tx.count(User::BY_GROUP.all(), 9).await?,
            tx.count(User::BY_GROUP.all(), 1).await?,
        ])
    };
    assert_eq!(store.read(&who.account, counts).await?, [0, 0, 1, 2, 1]);
    remove(store, &who, "1").await?;
    assert_eq!(store.read(&who.account, counts).await?, [0; 5]);
    Ok(())
}

pub(super) async fn a_record_that_does_not_differ_is_no_change([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let first = add(store, &who, &user("1", "alice")).await?;
    replace(store, &who, &user("1", "alice")).await?;
    let feed = store.changes_after(first.revision, 10).await?;
    assert!(feed.iter().all(|c| c.account != who.account));
    Ok(())
}

async fn policy(store: &Store, who: &Who, user: &str, name: &str, created: u64) -> Tested {
    let policy = InlinePolicy { user: user.into(), name: name.into(), created, document: "{}".into() };
    replace(store, who, &policy).await.map(drop)
}

pub(super) async fn pages_are_in_order_and_survive_writes_between_them([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for i in [40, 20, 300, 10, 0] {
        policy(store, &who, "u1", &format!("p{i}"), i).await?;
        policy(store, &who, "u10", &format!("p{i}"), i).await?;
    }
    let of_u1 = async |tx: Tx<Read>, after: Option<Marker>| {
        tx.scan(InlinePolicy::KEY.under(&"u1".to_owned()), after.as_ref(), 2, |p| p.created > 0).await
    };
    let created = |page: &Page<InlinePolicy>| page.records.iter().map(|p| p.created).collect::<Vec<_>>();
    let first = store.read(&who.account, async |tx| of_u1(tx, None).await).await?;
    assert_eq!(created(&first), [10, 20]);
    let gone = (&"u1".to_owned(), &"p20".to_owned());
    store.write(&who, async |tx| tx.delete::<InlinePolicy>(gone).await).await?;
    policy(store, &who, "u1", "p15", 15).await?;
    policy(store, &who, "u1", "p35", 35).await?;
    let second = store.read(&who.account, async |tx| of_u1(tx, first.next.clone()).await).await?;
    assert_eq!(created(&second), [300, 35], "by text, and nothing is skipped or told twice");
    let third = store.read(&who.account, async |tx| of_u1(tx, second.next.clone()).await).await?;
    assert_eq!((created(&third), third.next), (vec![40], None));
    let by_age = async |tx: Tx<Read>| tx.scan(InlinePolicy::BY_AGE.all(), None, 99, |p| p.user == "u1").await;
    assert_eq!(created(&store.read(&who.account, by_age).await?), [0, 10, 15, 35, 40, 300], "by number");
    Ok(())
}

pub(super) async fn a_page_ends_where_a_filter_passes_over_too_much([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    const MANY: usize = 12_000;
    let load = async |tx: Tx<store::Write>| {
        for i in 0..MANY {
            create(&tx, &user(&i.to_string(), &format!("user{i:05}"))).await?;
        }
        Ok::<_, Refused>(())
    };
    store.write(&who, load).await?;
    let last: UserName = format!("user{:05}", MANY - 1).as_str().into();
    let (mut after, mut pages, mut found) = (None, 0, vec![]);
    loop {
        let next = async |tx: Tx<Read>| tx.scan(User::BY_NAME.all(), after.as_ref(), 10, |u| u.name == last).await;
        let page = store.read(&who.account, next).await?;
        pages += 1;
        found.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found.len(), pages), (1, 2), "one call looks at about 10,000");
    assert_eq!(store.read(&who.account, async |tx| tx.count(User::BY_NAME.all(), 11_000).await).await?, 11_000);
    Ok(())
}

pub(super) async fn a_marker_survives_its_text_and_a_made_up_one_leaves_the_span_alone([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for i in 0..5 {
        policy(store, &who, "u1", &format!("p{i}"), i).await?;
        policy(store, &who, "u2", &format!("p{i}"), i).await?;
    }
    let from = async |after: Option<Marker>| {
        let next = async |tx: Tx<Read>| tx.scan(InlinePolicy::KEY.under(&"u2".to_owned()), after.as_ref(), 2, |_| true).await;
        store.read::<_, StoreError, _>(&who.account, next).await
    };
    let first = from(None).await?;
    let text = first.next.unwrap().to_string();
    assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{text}");
    let second = from(Some(text.parse().unwrap())).await?;
    assert_eq!(second.records.iter().map(|p| p.created).collect::<Vec<_>>(), [2, 3]);
    let before = Marker::after((&"u1".to_owned(), &"p0".to_owned()).bytes());
    assert!(from(Some(before)).await?.records.iter().all(|p| p.user == "u2"));
    assert!(from(Some(Marker::after(vec![255; 9]))).await?.records.is_empty());
    for made_up in ["", "=", "%00", "ä", "a b"] {
        assert!(made_up.parse::<Marker>().is_err() || made_up.is_empty(), "{made_up}");
    }
    Ok(())
}

pub(super) async fn a_span_holds_the_records_under_its_parts_and_no_others([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for (user, name, created) in [("u", "a", 1), ("u", "b", 1), ("u", "c", 2), ("u1", "a", 1), ("", "a", 1), ("u\0", "a", 1)] {
        policy(store, &who, user, name, created).await?;
    }
    let u = &"u".to_owned();
    let counts = async |tx: Tx<Read>| {
        Ok::<_, StoreError>([
            tx.count(InlinePolicy::BY_WHAT.under(u), 9).await?,
            tx.count(InlinePolicy::BY_WHAT.under_both(u, &1), 9).await?,
            tx.count(InlinePolicy::BY_WHAT.of((u, &1, &"a".to_owned())), 9).await?,
            tx.count(InlinePolicy::KEY.under(&String::new()), 9).await?,
            tx.count(InlinePolicy::KEY.all(), 9).await?,
        ])
    };
    assert_eq!(store.read(&who.account, counts).await?, [3, 2, 1, 1, 6]);
    let found = async |tx: Tx<Read>| tx.find(InlinePolicy::KEY, (u, &"c".to_owned())).await;
    assert_eq!(store.read(&who.account, found).await?.map(|p| p.created), Some(2), "keys are a unique index");
    Ok(())
}

pub(super) async fn numbers_are_in_the_order_of_numbers_and_texts_never_run_into_each_other(_: [&Store; 2]) -> Tested {
    let unsigned = [0_u64, 1, 9, 255, 256, 65_535, 1 << 40, u64::MAX - 1, u64::MAX];
    assert!(unsigned.windows(2).all(|w| w[0].bytes() < w[1].bytes()));
    let signed = [i64::MIN, -65_536, -1, 0, 1, 255, 256, i64::MAX];
    assert!(signed.windows(2).all(|w| w[0].bytes() < w[1].bytes()));
    let texts = ["", "\0", "\0\0", "a", "a\0", "a\0b", "aa", "b"];
    assert!(texts.windows(2).all(|w| KeyPart::bytes(w[0]) < KeyPart::bytes(w[1])));
    let pairs = [("", "ab"), ("a", "b"), ("a\0", "b"), ("a\0b", ""), ("ab", "")];
    for (i, one) in pairs.iter().enumerate() {
        for other in &pairs[i + 1..] {
            assert_ne!(one.bytes(), other.bytes());
        }
    }
    assert!((false, 1_u32).bytes() < (true, 0_u32).bytes());
    Ok(())
}

/// What an earlier release may have written in the place of `User`.
#[derive(Serialize, Deserialize, Record)]
#[record(kind = "user", key = id)]
struct OtherUser {
    id: String,
    something: u32,
}

pub(super) async fn a_stored_record_that_cannot_be_read_is_an_error_not_an_absence([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    replace(store, &who, &OtherUser { id: "1".into(), something: 1 }).await?;
    let read = store.read(&who.account, async |tx| tx.get::<User>(&"1".to_owned()).await).await;
    assert!(matches!(read, Err(StoreError::Unreadable("user", _))));
    let scanned = store.read(&who.account, async |tx| tx.scan(User::KEY.all(), None, 9, |_| true).await).await;
    assert!(matches!(scanned, Err(StoreError::Unreadable("user", _))));
    let other = async |tx: Tx<store::Write>| tx.delete::<OtherUser>(&"1".to_owned()).await;
    store.write(&who, other).await?;
    Ok(())
}

pub(super) async fn values_of_the_store_itself_are_part_of_the_transaction([store, other]: [&Store; 2]) -> Tested {
    assert_eq!(store.key_proof().await?.as_deref(), Some(&b"proof"[..]));
    assert_eq!(store.about().created_millis, super::AT);
    assert_eq!(store.about().id.len(), 32);
    let refused = async |tx: Tx<store::Write>| {
        tx.set_meta("lock", b"1").await?;
        Err::<(), _>(Refused::Taken)
    };
    assert!(store.write(&fresh(), refused).await.is_err());
    assert_eq!(other.meta("lock").await?, None);
    store.write(&fresh(), async |tx| tx.set_meta("lock", b"2").await).await?;
    assert_eq!(other.meta("lock").await?.as_deref(), Some(&b"2"[..]));
    Ok(())
}
