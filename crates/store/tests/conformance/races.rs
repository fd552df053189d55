//! Many at once.

use super::{Refused, Tested, User, add, create, fresh, user};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Read, Record, Spent, Store, StoreError, Stored, Tx, Who};
use tokio::sync::Barrier;
use tokio::time::timeout;

/// Runs them all at once, on this task.
async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in &mut pending {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        if pending.iter().all(|(_, done)| done.is_some()) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}

pub(super) async fn of_many_that_race_for_a_name_one_wins_and_counts_hold([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let quota = 5;
    let race = (0..24).map(|i| {
        let who = &who;
        async move {
            let rule = async |tx: Tx<store::Write>| {
                if tx.count(User::KEY.all(), quota).await? == quota {
                    return Err(Refused::Taken);
                }
                create(&tx, &user(&i.to_string(), &format!("name{}", i % 8))).await
            };
            [store, other][i % 2].write(who, rule).await.is_ok()
        }
    });
    let won = all(race).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, quota);
    assert_eq!(store.read(&who.account, async |tx| tx.count(User::BY_NAME.all(), 99).await).await?, quota);
    Ok(())
}

pub(super) async fn no_update_is_lost([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    let join = (0..16).map(|i| {
        let who = &who;
        async move {
            let rule = async |tx: Tx<store::Write>| {
                let mut alice: User = tx.get(&"1".to_owned()).await?.ok_or(Refused::Taken)?;
                alice.groups.push(format!("g{i}"));
                tokio::task::yield_now().await;
                assert_eq!(tx.put(&alice).await?, Stored::Done);
                Ok::<_, Refused>(())
            };
            [store, other][i % 2].write(who, rule).await
        }
    });
    for joined in all(join).await {
        joined?;
    }
    let alice: Option<User> = store.read(&who.account, async |tx| tx.get(&"1".to_owned()).await).await?;
    assert_eq!(alice.map(|a| a.groups.len()), Some(16));
    Ok(())
}

pub(super) async fn a_dropped_rule_leaves_nothing_and_holds_up_nobody([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    let stuck = async |tx: Tx<store::Write>| {
        create(&tx, &user("1", "alice")).await?;
        tx.event("never").await?;
        std::future::pending::<Result<(), Refused>>().await
    };
    let before = async || add(store, &who, &user("0", "zoe")).await;
    let (stuck, before) = tokio::join!(timeout(Duration::from_millis(50), store.write(&who, stuck)), before());
    assert!(stuck.is_err());
    before?;
    timeout(Duration::from_secs(5), add(store, &who, &user("2", "Alice"))).await.unwrap()?;
    assert_eq!(store.read(&who.account, async |tx| tx.count(User::KEY.all(), 9).await).await?, 2);
    assert!(store.outbox(9).await?.iter().all(|(_, text)| text != "never"));
    // Nor does one that only reads.
    for _ in 0..40 {
        let stuck = store.read(&who.account, async |tx| {
            tx.count(User::KEY.all(), 9).await?;
            std::future::pending::<Result<(), StoreError>>().await
        });
        assert!(timeout(Duration::from_millis(1), stuck).await.is_err());
    }
    timeout(Duration::from_secs(5), store.read(&who.account, async |tx| tx.count(User::KEY.all(), 9).await)).await.unwrap()?;
    Ok(())
}

pub(super) async fn a_client_that_leaves_the_queue_leaves_the_others_their_commit([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    for round in 0..20 {
        let rules = (0..8).map(|i| {
            let who = &who;
            async move {
                let rule = async |tx: Tx<store::Write>| {
                    create(&tx, &user(&format!("{round}-{i}"), &format!("name{round}-{i}"))).await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok::<_, Refused>(())
                };
                // Every other one gives up, most of them before their turn.
                let patience = if i % 2 == 0 { Duration::from_secs(10) } else { Duration::from_micros(500 * i) };
                (i, timeout(patience, store.write(who, rule)).await)
            }
        });
        for (i, result) in all(rules).await {
            if i % 2 == 0 {
                result.unwrap()?;
            }
        }
    }
    Ok(())
}

pub(super) async fn transactions_across_two_accounts_meet_without_loss([store, other]: [&Store; 2]) -> Tested {
    let (a, b) = (fresh(), fresh());
    for who in [&a, &b] {
        add(store, who, &user("1", "alice")).await?;
    }
    let crossing = (0..16).map(|i| {
        let (from, to): (&Who, &Who) = if i % 2 == 0 { (&a, &b) } else { (&b, &a) };
        async move {
            let rule = async |tx: Tx<store::Write>| {
                for tx in [tx.clone(), tx.in_account(&to.account)] {
                    let mut alice: User = tx.get(&"1".to_owned()).await?.ok_or(Refused::Taken)?;
                    alice.groups.push(i.to_string());
                    assert_eq!(tx.put(&alice).await?, Stored::Done);
                }
                Ok::<_, Refused>(())
            };
            [store, other][i / 2 % 2].write(from, rule).await
        }
    });
    for crossed in all(crossing).await {
        crossed?;
    }
    for who in [&a, &b] {
        let now: Option<User> = store.read(&who.account, async |tx| tx.get(&"1".to_owned()).await).await?;
        assert_eq!(now.as_ref().map(|alice| alice.groups.len()), Some(16));
        let mut feed = store.changes_after(0, usize::from(u16::MAX)).await?;
        feed.retain(|c| c.account == who.account);
        assert_eq!(feed.len(), 17);
        let last = feed.last().map(|c| c.version.clone());
        assert_eq!(last, Some(store::Version::Value(serde_json::to_string(&now).unwrap())), "the feed ends where the present is");
    }
    Ok(())
}

pub(super) async fn a_read_sees_one_snapshot_whatever_is_written_meanwhile([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    let rule = async |tx: Tx<Read>| {
        let before = tx.count(User::KEY.all(), 9).await?;
        let seen = tx.revision().await?;
        let written = add(other, &who, &user("2", "bob")).await?;
        assert!(written.revision > seen);
        assert_eq!(tx.count(User::KEY.all(), 9).await?, before);
        assert_eq!(tx.find(User::BY_NAME, &"bob".into()).await?, None);
        assert_eq!(tx.revision().await?, seen);
        Ok::<_, Refused>(before)
    };
    assert_eq!(store.read(&who.account, rule).await?, 1);
    assert_eq!(store.read(&who.account, async |tx| tx.count(User::KEY.all(), 9).await).await?, 2);
    Ok(())
}

pub(super) async fn more_readers_than_connections_all_come_to_their_turn([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    let reads = (0..100).map(|_| async {
        let rule = async |tx: Tx<Read>| {
            tokio::time::sleep(Duration::from_millis(2)).await;
            tx.count(User::KEY.all(), 9).await
        };
        store.read(&who.account, rule).await
    });
    for read in timeout(Duration::from_secs(20), all(reads)).await.unwrap() {
        assert_eq!(read?, 1);
    }
    Ok(())
}

pub(super) async fn questions_inside_transactions_do_not_wait_for_each_other([store, _]: [&Store; 2]) -> Tested {
    let who = fresh();
    add(store, &who, &user("1", "alice")).await?;
    let count = async |tx: Tx<Read>| tx.count(User::KEY.all(), 9).await;
    let reads = (0..100).map(|_| async {
        let rule = async |tx: Tx<Read>| {
            let outer = tx.count(User::KEY.all(), 9).await?;
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, StoreError>(outer + store.read_inside(&who.account, count).await?)
        };
        store.read(&who.account, rule).await
    });
    let written = async |tx: Tx<store::Write>| {
        create(&tx, &user("2", "bob")).await?;
        Ok::<_, Refused>(store.read_inside(&who.account, count).await?)
    };
    let (reads, written) = tokio::join!(timeout(Duration::from_secs(20), all(reads)), store.write(&who, written));
    for read in reads.unwrap() {
        assert!((2..=4).contains(&read?));
    }
    assert_eq!(written?.value, 1, "it sees what is committed");
    Ok(())
}

pub(super) async fn a_paused_snapshot_is_a_later_one([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let rule = async |tx: Tx<Read>| {
        assert_eq!(tx.count(User::KEY.all(), 9).await?, 0);
        add(other, &who, &user("1", "alice")).await?;
        assert_eq!(tx.count(User::KEY.all(), 9).await?, 0);
        tx.pause();
        tx.pause();
        Ok::<_, Refused>(tx.count(User::KEY.all(), 9).await?)
    };
    assert_eq!(store.read(&who.account, rule).await?, 1);
    // Who waits for something slow, paused, takes nobody's place.
    let slow = (0..64).map(|_| async {
        let rule = async |tx: Tx<Read>| {
            tx.count(User::KEY.all(), 9).await?;
            tx.pause();
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok::<_, StoreError>(())
        };
        store.read(&who.account, rule).await
    });
    let start = std::time::Instant::now();
    for done in all(slow).await {
        done?;
    }
    assert!(start.elapsed() < Duration::from_millis(1_900), "{:?}", start.elapsed());
    Ok(())
}

pub(super) async fn a_value_is_spent_once_however_many_present_it([store, other]: [&Store; 2]) -> Tested {
    let who = fresh();
    let (fresh, barrier) = (AtomicUsize::new(0), Arc::new(Barrier::new(16)));
    let present = (0..16).map(|i| {
        let (who, fresh, barrier) = (&who, &fresh, barrier.clone());
        async move {
            barrier.wait().await;
            if [store, other][i % 2].spend("totp", &who.account, "123456", super::AT, super::AT + 90_000).await? == Spent::Fresh {
                fresh.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, StoreError>(())
        }
    });
    for presented in all(present).await {
        presented?;
    }
    assert_eq!(fresh.into_inner(), 1);
    Ok(())
}
