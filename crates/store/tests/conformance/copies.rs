//! Copies, checks, and the end.

use super::{KINDS, Refused, Tested, User, add, create, fresh, user};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::{Record, Store, StoreError, Tx};

pub(super) async fn a_copy_made_while_others_write_is_whole([store, _]: [&Store; 2]) -> Tested {
    let dir = tempfile::tempdir().unwrap();
    let who = fresh();
    for i in 0..200 {
        add(store, &who, &user(&format!("a{i}"), &format!("a{i}"))).await?;
    }
    let (stop, next) = (AtomicBool::new(false), AtomicU32::new(0));
    let write = async || {
        while !stop.load(Ordering::Relaxed) {
            // Two records in one transaction: a copy has both, or none.
            let i = next.fetch_add(1, Ordering::Relaxed);
            let pair = async |tx: Tx<store::Write>| {
                create(&tx, &user(&format!("b{i}"), &format!("b{i}"))).await?;
                create(&tx, &user(&format!("c{i}"), &format!("c{i}"))).await
            };
            store.write(&who, pair).await?;
        }
        Ok::<_, Refused>(())
    };
    let copy = async || {
        let mut copies = vec![];
        for i in 0..4 {
            let to = dir.path().join(format!("copy{i}.db"));
            let acknowledged = add(store, &who, &user(&format!("before{i}"), &format!("before{i}"))).await?;
            store.backup(&to).await?;
            copies.push((to, acknowledged.revision, i));
        }
        stop.store(true, Ordering::Relaxed);
        Ok::<_, Refused>(copies)
    };
    let (a, b, copies) = tokio::join!(write(), write(), copy());
    a.and(b)?;
    for (file, revision, i) in copies? {
        let copy = Store::open(&file).unwrap();
        let report = copy.check(&KINDS()).await?;
        assert!(report.is_sound(), "{:?}", report.problems);
        assert!(copy.revision().await? >= revision);
        let halves = async |tx: Tx<store::Read>| {
            assert!(tx.get::<User>(&format!("before{i}")).await?.is_some(), "what was acknowledged before is in it");
            let all = tx.scan(User::KEY.all(), None, 1_000_000, |_| true).await?.records;
            let of = |letter: char| all.iter().filter_map(|u| u.id.strip_prefix(letter)).map(str::to_owned).collect::<Vec<_>>();
            Ok::<_, StoreError>((of('b').into_iter().filter(|n| !n.starts_with("efore")).collect::<Vec<_>>(), of('c')))
        };
        let (b, c) = copy.read(&who.account, halves).await?;
        assert_eq!(b, c);
        add(&copy, &who, &user("new", "new")).await?; // it is a store like any other
        assert_eq!(copy.about().id, store.about().id);
    }
    Ok(())
}

pub(super) async fn a_copy_is_never_made_over_a_file([store, _]: [&Store; 2]) -> Tested {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    std::fs::write(&there, "precious").unwrap();
    assert!(matches!(store.backup(&there).await, Err(StoreError::Exists(file)) if file == there));
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
    std::fs::write(dir.path().join("new-wal"), "of another").unwrap();
    assert!(matches!(store.backup(&dir.path().join("new")).await, Err(StoreError::Exists(file)) if file.ends_with("new-wal")));
    let nowhere = dir.path().join("no such folder").join("copy");
    assert!(matches!(store.backup(&nowhere).await, Err(StoreError::Failed(_))));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left of an attempt");
    // Of two that are made at once under one name, one is there, whole.
    add(store, &fresh(), &user("1", "alice")).await?;
    for round in 0..10 {
        let to = dir.path().join(format!("both{round}"));
        let (one, other) = tokio::join!(store.backup(&to), store.backup(&to));
        assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        assert!(Store::open(&to).unwrap().check(&KINDS()).await?.is_sound());
    }
    assert!(std::fs::read_dir(dir.path()).unwrap().all(|f| !f.unwrap().path().ends_with(".part")));
    Ok(())
}

pub(super) async fn a_check_finds_nothing_wrong_and_counts([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for i in 0..20 {
        add(store, &who, &User { groups: vec!["g".into(), "h".into()], ..user(&i.to_string(), &format!("user{i}")) }).await?;
    }
    let report = store.check(&KINDS()).await?;
    assert!(report.is_sound());
    assert_eq!((report.records, report.entries, report.changes), (20, 60, 20));
    assert!(report.unknown_kinds.is_empty());
    assert_eq!(store.check(&[]).await?.unknown_kinds, ["user"]);
    Ok(())
}

pub(super) async fn a_closed_store_refuses_writes_and_opens_again_as_it_was([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    store.close().await?;
    store.close().await?;
    assert!(matches!(add(store, &who, &user("2", "bob")).await, Err(Refused::Store(StoreError::Closed))));
    let count = store.read(&who.account, async |tx| tx.count(User::KEY.all(), 9).await).await?;
    assert_eq!(count, 1, "what was asked before is still answered");
    Ok(())
}
