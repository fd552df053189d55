//! Events, observers, and values without a history.

use super::{AT, Refused, Tested, User, add, create, fresh, user};
use std::sync::{Arc, Mutex};
use store::{Changed, KeyPart, Mark, Marks, Record, Spent, Store, StoreError, Tx};

pub(super) async fn events_are_part_of_their_transaction([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let done = async |tx: Tx<store::Write>| {
        create(&tx, &user("1", "alice")).await?;
        let first = tx.event("alice was made").await?;
        Ok::<_, Refused>([first, tx.event("and told").await?])
    };
    let done = store.write(&who, done).await?;
    assert_eq!(done.value.to_vec(), done.events);
    let refused = async |tx: Tx<store::Write>| {
        tx.event("this never was").await?;
        create(&tx, &user("2", "alice")).await
    };
    assert!(matches!(store.write(&who, refused).await, Err(Refused::Taken)));
    let only_event = store.write(&who, async |tx| tx.event("nothing changed").await).await?;
    assert_eq!(only_event.events, [only_event.value]);
    let told = other.outbox(9).await?;
    assert_eq!(told.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["alice was made", "and told", "nothing changed"]);
    assert_eq!(told.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [done.events, only_event.events].concat());
    assert_eq!(other.outbox(1).await?, told[..1]);
    Ok(())
}

pub(super) async fn events_that_are_done_do_not_come_again([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let mut last = 0;
    for i in 0..1_500 {
        let event = store.write(&who, async |tx| tx.event(&format!("event {i}")).await).await?.value;
        assert!(event > last);
        last = event;
        if i % 100 == 99 {
            store.outbox_done(last - 1);
            let left: Vec<_> = store.outbox(9).await?.into_iter().map(|(seq, _)| seq).collect();
            assert_eq!(left, [last]);
        }
    }
    store.outbox_done(last);
    assert_eq!(store.outbox(9).await?, []);
    Ok(())
}

pub(super) async fn an_observer_knows_before_the_writer_is_told([store, _]: [&Store; 2]) -> Tested {
    let seen = Arc::new(Mutex::new(Vec::<Changed>::new()));
    let sees = seen.clone();
    store.set_observer(Arc::new(move |changed: &[Changed]| sees.lock().unwrap().extend_from_slice(changed)));
    let who = fresh();
    for i in 0..50 {
        let id = i.to_string();
        let done = add(store, &who, &user(&id, &format!("user{i}"))).await?;
        let expected = Changed { revision: done.revision, kind: User::KIND, account: who.account.as_str().into(), key: id.bytes() };
        assert!(seen.lock().unwrap().contains(&expected), "it was told of {i} before the writer was");
    }
    let there = fresh();
    let both = async |tx: Tx<store::Write>| {
        tx.delete::<User>(&"1".to_owned()).await?;
        create(&tx.in_account(&there.account), &user("1", "bob")).await
    };
    seen.lock().unwrap().clear();
    store.write(&who, both).await?;
    let id = |id: &str| KeyPart::bytes(id);
    let told: Vec<_> = seen.lock().unwrap().iter().map(|c| (c.account.to_string(), c.key.clone())).collect();
    assert_eq!(told, [(who.account.clone(), id("1")), (there.account.clone(), id("1"))]);
    Ok(())
}

pub(super) async fn an_observer_hears_nothing_of_what_was_undone([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let seen = Arc::new(Mutex::new(Vec::<Changed>::new()));
    let sees = seen.clone();
    store.set_observer(Arc::new(move |changed: &[Changed]| sees.lock().unwrap().extend_from_slice(changed)));
    let rules = (0..40).map(|i| {
        let who = &who;
        async move {
            let rule = async |tx: Tx<store::Write>| {
                create(&tx, &user(&i.to_string(), &format!("user{i}"))).await?;
                if i % 3 == 0 { Err(Refused::Taken) } else { Ok(()) }
            };
            store.write(who, rule).await.is_ok()
        }
    });
    let mut kept = 0;
    let mut tasks = rules.map(Box::pin).collect::<Vec<_>>();
    for task in &mut tasks {
        kept += usize::from(task.as_mut().await);
    }
    let keys: Vec<_> = seen.lock().unwrap().iter().map(|c| c.key.clone()).collect();
    assert_eq!(keys.len(), kept);
    assert!(keys.iter().all(|key| (0..40).any(|i| i % 3 != 0 && i.to_string().bytes() == *key)));
    Ok(())
}

pub(super) async fn after_an_observer_that_panics_nothing_more_is_written([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    store.set_observer(Arc::new(|_: &[Changed]| std::panic::resume_unwind(Box::new("on purpose"))));
    assert!(matches!(add(store, &who, &user("2", "bob")).await, Err(Refused::Store(StoreError::Failed(_)))));
    store.set_observer(Arc::new(|_: &[Changed]| {}));
    assert!(matches!(add(store, &who, &user("3", "carol")).await, Err(Refused::Store(StoreError::Closed))));
    assert_eq!(store.read(&who.account, async |tx| tx.count(User::KEY.all(), 9).await).await?, 2, "it was durable, and reads go on");
    Ok(())
}

pub(super) async fn marks_are_overwritten_without_a_history([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let before = store.revision().await?;
    let mark = |key: &str, value: &str| Mark { kind: "last-used", account: who.account.clone(), key: key.into(), value: value.into() };
    store.put_marks(vec![mark("b", "1"), mark("a", "1"), mark("b", "2")]).await?;
    store.put_marks(vec![mark("a", "3")]).await?;
    store.put_marks(vec![]).await?;
    assert_eq!(other.mark("last-used", &who.account, "b").await?.as_deref(), Some("2"));
    assert_eq!(other.mark("last-used", &who.account, "c").await?, None);
    assert_eq!(other.mark("other", &who.account, "b").await?, None);
    let all = Marks { kind: "last-used", account: &who.account, prefix: "" };
    let (a, b) = (("a".to_owned(), "3".to_owned()), ("b".to_owned(), "2".to_owned()));
    assert_eq!(other.marks(&all, None, 9).await?, [a.clone(), b.clone()]);
    assert_eq!(other.marks(&all, None, 1).await?, [a]);
    assert_eq!(other.marks(&all, Some("a"), 9).await?.as_slice(), std::slice::from_ref(&b));
    let some = Marks { prefix: "a", ..all };
    assert_eq!(other.marks(&some, Some("a"), 9).await?, []);
    store.remove_marks(&some).await?;
    assert_eq!(other.marks(&all, None, 9).await?, [b]);
    store.remove_marks(&Marks { account: "another", ..all }).await?;
    assert_eq!(other.mark("last-used", &who.account, "b").await?.as_deref(), Some("2"));
    assert_eq!(store.revision().await?, before, "they are no change");
    Ok(())
}

pub(super) async fn a_spent_value_can_be_spent_again_after_its_time([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let spend = async |now: i64, id: &str| store.spend("saml", &who.account, id, now, now + 100).await;
    assert_eq!(spend(AT, "a").await?, Spent::Fresh);
    assert_eq!(spend(AT + 100, "a").await?, Spent::Already);
    assert_eq!(other.spend("saml", "another", "a", AT, AT + 1).await?, Spent::Fresh);
    assert_eq!(other.spend("totp", &who.account, "a", AT, AT + 1).await?, Spent::Fresh);
    for i in 0..50 {
        assert_eq!(spend(AT + 101, &format!("b{i}")).await?, Spent::Fresh);
    }
    assert_eq!(spend(AT + 101, "a").await?, Spent::Fresh, "its time is over");
    assert_eq!(spend(AT + 102, "a").await?, Spent::Already);

    let refused = async |tx: Tx<store::Write>| {
        assert_eq!(tx.spend("saml", "c", AT, AT + 100).await?, Spent::Fresh);
        assert_eq!(tx.spend("saml", "c", AT, AT + 100).await?, Spent::Already);
        Err::<(), _>(Refused::Taken)
    };
    assert!(store.write(&who, refused).await.is_err());
    let spent = store.write(&who, async |tx| tx.spend("saml", "c", AT, AT + 100).await).await?;
    assert_eq!(spent.value, Spent::Fresh, "a refused rule has spent nothing");
    Ok::<_, StoreError>(())?;
    Ok(())
}
