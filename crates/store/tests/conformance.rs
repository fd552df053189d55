//! What every back end must do: async functions over two nodes of one store. SQLite is one node, twice. A further back end adds a
//! module to `on_every_back_end!`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

#[path = "conformance/copies.rs"]
mod copies;
#[path = "conformance/history.rs"]
mod history;
#[path = "conformance/outbox.rs"]
mod outbox;
#[path = "conformance/races.rs"]
mod races;
#[path = "conformance/records.rs"]
mod records;

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Done, Fresh, KeyPart, Kind, Record, Store, StoreError, Stored, Tx, Who, Write};

/// Unique whatever its case: its bytes are folded, so every index of it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct UserName(Box<str>);

impl KeyPart for UserName {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.to_ascii_lowercase().encode(out);
    }
}

impl From<&str> for UserName {
    fn from(s: &str) -> Self {
        UserName(s.into())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "user", key = id, unique(by_name = name), index(by_boundary = boundary, by_group = groups))]
struct User {
    id: String,
    name: UserName,
    boundary: Option<String>,
    groups: Vec<String>,
}

fn user(id: &str, name: &str) -> User {
    User { id: id.into(), name: name.into(), boundary: None, groups: vec![] }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "inline-policy", key = (user, name), index(by_age = created, by_what = (user, created, name)))]
struct InlinePolicy {
    user: String,
    name: String,
    created: u64,
    document: String,
}

/// What holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "key", key = id, unique(by_name = name), sealed)]
struct Key {
    id: String,
    name: String,
    sealed: String,
}

const KINDS: fn() -> [Kind; 3] = || [Kind::of::<User>(), Kind::of::<InlinePolicy>(), Kind::of::<Key>()];

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Tested = Result<(), Refused>;

const AT: i64 = 1_700_000_000_000;

fn who(account: &str) -> Who {
    Who { account: account.into(), caller: "arn:aws:iam::111122223333:user/admin".into(), at_millis: AT }
}

/// For an account that no other test has.
fn fresh() -> Who {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    who(&format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

async fn create(tx: &Tx<Write>, user: &User) -> Result<(), Refused> {
    match tx.insert(user).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Refused::Taken),
    }
}

async fn add(store: &Store, who: &Who, user: &User) -> Result<Done<()>, Refused> {
    store.write(who, async |tx| create(&tx, user).await).await
}

async fn replace<R: Record>(store: &Store, who: &Who, record: &R) -> Result<Done<()>, Refused> {
    let put = async |tx: Tx<Write>| match tx.put(record).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Refused::Taken),
    };
    store.write(who, put).await
}

async fn remove(store: &Store, who: &Who, id: &str) -> Result<Done<bool>, Refused> {
    let id = id.to_owned();
    store.write(who, async |tx| Ok(tx.delete::<User>(&id).await?)).await
}

macro_rules! on_every_back_end {
    ($($module:ident: $($test:ident),* $(,)?;)*) => {
        mod sqlite {
            use super::{AT, Fresh, KINDS, Store};

            fn create(dir: &std::path::Path) -> Store {
                Store::create(&dir.join("store.db"), &Fresh { key_proof: b"proof", at_millis: AT }).unwrap()
            }

            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let dir = tempfile::tempdir().unwrap();
                    let store = create(dir.path());
                    super::$module::$test([&store, &store]).await.unwrap();
                    let report = store.check(&KINDS()).await.unwrap();
                    assert!(report.is_sound(), "after all: {:?}", report.problems);
                }
            )*)*
        }
    };
}

on_every_back_end! {
    records:
        a_unique_name_is_taken_whatever_its_case_until_its_record_goes,
        what_was_taken_leaves_no_trace_and_the_rule_goes_on,
        a_transaction_reads_its_own_writes_and_an_error_undoes_them,
        entries_follow_what_a_record_says,
        a_record_that_does_not_differ_is_no_change,
        pages_are_in_order_and_survive_writes_between_them,
        a_page_ends_where_a_filter_passes_over_too_much,
        a_marker_survives_its_text_and_a_made_up_one_leaves_the_span_alone,
        a_span_holds_the_records_under_its_parts_and_no_others,
        numbers_are_in_the_order_of_numbers_and_texts_never_run_into_each_other,
        a_stored_record_that_cannot_be_read_is_an_error_not_an_absence,
        values_of_the_store_itself_are_part_of_the_transaction;
    races:
        of_many_that_race_for_a_name_one_wins_and_counts_hold,
        no_update_is_lost,
        a_dropped_rule_leaves_nothing_and_holds_up_nobody,
        a_client_that_leaves_the_queue_leaves_the_others_their_commit,
        transactions_across_two_accounts_meet_without_loss,
        a_read_sees_one_snapshot_whatever_is_written_meanwhile,
        more_readers_than_connections_all_come_to_their_turn,
        questions_inside_transactions_do_not_wait_for_each_other,
        a_paused_snapshot_is_a_later_one,
        a_value_is_spent_once_however_many_present_it;
    history:
        history_is_a_feed_of_whole_transactions_and_can_be_read_as_it_was,
        every_verb_reads_the_past_as_the_present_was_then,
        who_changed_a_record_is_told_from_the_last_change_back,
        what_was_sealed_is_erased_when_it_is_replaced_or_deleted,
        a_kind_that_becomes_sealed_erases_what_it_wrote_before,
        a_refused_rule_erases_nothing,
        forgetting_keeps_what_younger_revisions_need,
        a_moment_has_the_last_revision_until_then,
        forgetting_all_still_numbers_onwards,
        a_write_says_a_revision_that_the_feed_has_reached;
    outbox:
        events_are_part_of_their_transaction,
        events_that_are_done_do_not_come_again,
        an_observer_knows_before_the_writer_is_told,
        an_observer_hears_nothing_of_what_was_undone,
        after_an_observer_that_panics_nothing_more_is_written,
        marks_are_overwritten_without_a_history,
        a_spent_value_can_be_spent_again_after_its_time;
    copies:
        a_copy_made_while_others_write_is_whole,
        a_copy_is_never_made_over_a_file,
        a_check_finds_nothing_wrong_and_counts,
        a_closed_store_refuses_writes_and_opens_again_as_it_was;
}

/// A server spawns its requests: the futures must be `Send`.
#[tokio::test]
async fn reads_and_writes_can_be_spawned() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: b"", at_millis: AT }).unwrap();
    let store = std::sync::Arc::new(store);
    let (writes, reads) = (store.clone(), store);
    let alice = user("1", "alice");
    let written = tokio::spawn(async move { writes.write(&who("1"), async |tx| create(&tx, &alice).await).await.map(|d| d.revision) });
    assert_eq!(written.await.unwrap().unwrap(), 1);
    let found = tokio::spawn(async move { reads.read("1", async |tx| tx.find(User::BY_NAME, &"ALICE".into()).await).await });
    assert_eq!(found.await.unwrap().unwrap(), Some(user("1", "alice")));
}
