use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;

use tempfile::TempDir;

use super::*;
use crate::lab::{DevFull, Knobs, Lab};

/// Fast enough that a test does not wait long for what happens by itself.
const QUICK: Config = Config {
    rotate_bytes: 64 << 20,
    keep_bytes: 2 << 30,
    delay: Duration::from_millis(40),
    buffer_bytes: 1 << 20,
    unauthenticated_per_source: 100,
    unauthenticated_in_all: 1_000,
};

/// Only what the test does happens.
const STILL: Config = Config { delay: Duration::from_secs(7_200), ..QUICK };

fn event(id: &str, request: &str, time: &str) -> String {
    format!(r#"{{"eventTime":"{time}","requestID":"{request}","eventID":"{id}"}}"#)
}

fn numbered(number: i64) -> String {
    event(&format!("e{number}"), &format!("r{number}"), "2026-11-24T10:00:00Z")
}

fn rows(numbers: impl IntoIterator<Item = i64>) -> Vec<(i64, String)> {
    numbers.into_iter().map(|number| (number, numbered(number))).collect()
}

/// All lines of all files, oldest first; each file must end with a whole one.
fn lines(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    // What probes for room comes and goes.
    names.retain(|name| name.extension().is_some_and(|extension| extension == "jsonl"));
    names.sort();
    let mut lines = Vec::new();
    for text in names.iter().map(|name| std::fs::read_to_string(name).unwrap()) {
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(5));
    }
}

fn lab(directory: &TempDir, config: Config) -> (Trail, Arc<Knobs>) {
    let lab = Lab::at(directory.path());
    let knobs = Arc::clone(&lab.knobs);
    (Trail::open_on(lab, config).unwrap(), knobs)
}

#[test]
fn the_event_of_a_read_is_in_a_file_by_itself_after_the_delay() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), QUICK).unwrap();
    trail.note(numbered(1));
    eventually("the note is written", || lines(directory.path()) == [numbered(1)]);
    assert_eq!(trail.counters().written, 1);
}

#[test]
fn the_event_of_a_write_is_in_a_file_when_its_call_returns() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    for number in 1..=3 {
        trail.write_through(number, &numbered(number)).unwrap();
        assert_eq!(lines(directory.path()).last(), Some(&numbered(number)));
    }
    assert_eq!(trail.counters(), Counters { written: 3, ..Counters::default() });
}

#[test]
fn many_events_of_reads_do_not_wait_for_the_delay() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(1_000));
    (0..300).for_each(|_| trail.note(&long));
    eventually("a full chunk is written early", || trail.counters().written > 200);
}

#[test]
fn the_directory_and_its_files_are_private_also_if_they_were_not() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("trail");
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = directory.join("events-0000000007.jsonl");
    std::fs::write(&file, format!("{}\n", numbered(1))).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let trail = Trail::open(&directory, Config { rotate_bytes: 10, ..STILL }).unwrap();
    trail.write_through(2, &numbered(2)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&file), mode(&directory.join("events-0000000008.jsonl"))), (0o700, 0o600, 0o600));
}

#[test]
fn a_file_is_not_made_larger_than_it_may_be() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 1_000, ..STILL }).unwrap();
    for number in 1..=50 {
        trail.write_through(number, &numbered(number)).unwrap();
    }
    let files = Disk::at(directory.path()).unwrap().list().unwrap();
    assert!(files.len() > 3 && files.iter().all(|(_, length)| *length <= 1_000), "{files:?}");
    assert!(files.iter().map(|(number, _)| *number).eq(1..=u64::try_from(files.len()).unwrap()));
    assert_eq!(lines(directory.path()), (1..=50).map(numbered).collect::<Vec<_>>());
    let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(3_000));
    trail.write_through(51, &long).unwrap();
    trail.write_through(52, &numbered(52)).unwrap();
    assert_eq!(&lines(directory.path())[50..], [long, numbered(52)], "one that is longer than a file has its own");
}

#[test]
fn the_oldest_files_are_removed_beyond_the_total_and_the_current_one_never_is() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 1_000, keep_bytes: 3_500, ..QUICK }).unwrap();
    for number in 1..=200 {
        trail.write_through(number, &numbered(number)).unwrap();
    }
    let total = || Disk::at(directory.path()).unwrap().list().unwrap().iter().map(|(_, length)| length).sum::<u64>();
    eventually("old files are removed", || total() <= 3_500);
    assert!(total() > 2_000, "and no more than had to be");
    let kept = lines(directory.path());
    assert_eq!(kept, (201 - i64::try_from(kept.len()).unwrap()..=200).map(numbered).collect::<Vec<_>>());
    drop(trail);
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 1_000, keep_bytes: 1, ..QUICK }).unwrap();
    trail.write_through(201, &numbered(201)).unwrap();
    eventually("all but the current file are removed", || Disk::at(directory.path()).unwrap().list().unwrap().len() == 1);
    sleep(QUICK.delay * 3);
    assert_eq!(lines(directory.path()).last(), Some(&numbered(201)));
}

#[test]
fn what_a_crash_left_of_a_line_is_cut_off_and_whole_lines_stay() {
    let good = format!("{}\n{}\n", numbered(1), numbered(2));
    let long = "x".repeat(600_000);
    let tails =
        ["", "{\"eventID\":\"half", "\n", "\0\0\0\0", "\0\0\n\0\n", "{}x\n{\"a\":1", "{\"a\":\n{\"b\":", "{\"closed\":true}", &*long];
    for tail in tails {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("events-0000000001.jsonl"), format!("{good}{tail}")).unwrap();
        let trail = Trail::open(directory.path(), STILL).unwrap();
        trail.write_through(3, &numbered(3)).unwrap();
        assert_eq!(lines(directory.path()), [numbered(1), numbered(2), numbered(3)], "{:?}", tail.get(..20));
    }
}

#[test]
fn a_file_of_nothing_but_a_torn_line_becomes_empty() {
    for torn in ["", "{\"a\"", "\0\0\0", "\n\n\n", "x\n"] {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("events-0000000001.jsonl"), torn).unwrap();
        let trail = Trail::open(directory.path(), STILL).unwrap();
        trail.write_through(3, &numbered(3)).unwrap();
        assert_eq!(lines(directory.path()), [numbered(3)], "{torn:?}");
    }
}

#[test]
fn writers_that_come_together_share_their_writes() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, STILL);
    knobs.slow_millis.store(2, SeqCst);
    std::thread::scope(|scope| {
        for writer in 0..64 {
            let (trail, path) = (&trail, directory.path().join("events-0000000001.jsonl"));
            scope.spawn(move || {
                for seq in writer * 10..writer * 10 + 10 {
                    trail.write_through(seq, &numbered(seq)).unwrap();
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(text.contains(&numbered(seq)), "{seq} is in the file when its call returns");
                }
            });
        }
    });
    let written = lines(directory.path());
    assert_eq!(written.len(), 640);
    assert_eq!(written.iter().collect::<HashSet<_>>().len(), 640);
    assert!(knobs.writes.load(SeqCst) <= 640 / 8, "{} writes for 640 events of 64 writers", knobs.writes.load(SeqCst));
}

#[test]
fn what_is_settled_is_on_the_disk() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, Config { rotate_bytes: 300, ..STILL });
    trail.recover(&[]).unwrap();
    for number in 1..=20 {
        trail.write_through(number, &numbered(number)).unwrap();
    }
    assert_eq!(trail.settled(), None, "the outbox may hold an older one");
    assert!(trail.needs_outbox());
    assert_eq!(trail.recover(&rows(1..=20)).unwrap(), 0, "all of it is in the files");
    assert!(!trail.needs_outbox());
    assert_eq!(trail.settled(), Some(0), "in files, but nothing is synced");
    assert_eq!(knobs.syncs.load(SeqCst), 0);
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(20));
    let files = u64::try_from(Disk::at(directory.path()).unwrap().list().unwrap().len()).unwrap();
    assert!(files >= 5);
    assert_eq!(knobs.syncs.load(SeqCst), files, "each file that was written to, once");
    trail.write_through(22, &numbered(22)).unwrap();
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(20), "21 is still to come");
    trail.write_through(21, &numbered(21)).unwrap();
    trail.close();
    assert_eq!(trail.settled(), Some(22));
}

#[test]
fn it_settles_by_itself_within_the_delay() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), QUICK).unwrap();
    trail.write_through(1, &numbered(1)).unwrap();
    trail.recover(&rows([1])).unwrap();
    eventually("it settles", || trail.settled() == Some(1));
}

#[test]
fn a_slow_sync_holds_up_neither_reads_nor_writes() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, QUICK);
    knobs.slow_sync_millis.store(3_000, SeqCst);
    trail.write_through(1, &numbered(1)).unwrap();
    sleep(Duration::from_millis(200));
    let begin = Instant::now();
    trail.write_through(2, &numbered(2)).unwrap();
    trail.note(numbered(3));
    eventually("the note is written", || lines(directory.path()).len() == 3);
    assert!(begin.elapsed() < Duration::from_secs(2));
    knobs.slow_sync_millis.store(0, SeqCst);
}

#[test]
fn a_start_brings_from_the_outbox_what_is_in_no_file() {
    let directory = TempDir::new().unwrap();
    {
        let trail = Trail::open(directory.path(), STILL).unwrap();
        for number in [1, 2, 4] {
            trail.write_through(number, &numbered(number)).unwrap();
        }
    }
    let trail = Trail::open(directory.path(), STILL).unwrap();
    assert_eq!(trail.recover(&rows(2..=5)).unwrap(), 2);
    assert_eq!(lines(directory.path()), [1, 2, 4, 3, 5].map(numbered));
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(5));
    assert_eq!(trail.recover(&rows(2..=5)).unwrap(), 0, "once is enough");
}

#[test]
fn a_start_syncs_what_the_process_before_may_have_left_unsynced() {
    let directory = TempDir::new().unwrap();
    for number in 1..=3 {
        let name = format!("events-000000000{number}.jsonl");
        std::fs::write(directory.path().join(name), format!("{}\n", numbered(number))).unwrap();
    }
    let (trail, knobs) = lab(&directory, STILL);
    assert_eq!(trail.recover(&rows(1..=3)).unwrap(), 0);
    assert_eq!(trail.settled(), Some(0));
    assert_eq!(trail.sync(), Some(3));
    assert_eq!(knobs.syncs.load(SeqCst), 2, "two files, if it ended right after it rotated");
}

#[test]
fn a_start_finds_events_of_the_outbox_in_older_files_and_behind_many_others() {
    let directory = TempDir::new().unwrap();
    {
        let trail = Trail::open(directory.path(), Config { rotate_bytes: 400_000, ..STILL }).unwrap();
        trail.write_through(1, &numbered(1)).unwrap();
        let other = event("other", "other", "2026-11-24T10:00:01Z");
        (0..12_000).for_each(|_| trail.note(&other));
    }
    assert!(Disk::at(directory.path()).unwrap().list().unwrap().len() > 1);
    let trail = Trail::open(directory.path(), STILL).unwrap();
    assert_eq!(trail.recover(&rows([1, 2])).unwrap(), 1);
    assert_eq!(lines(directory.path()).iter().filter(|line| **line == numbered(1)).count(), 1);
}

#[test]
fn a_start_does_not_read_what_is_much_older_than_the_outbox() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    let old = event("e1", "r1", "2026-11-24T09:00:00Z");
    let files: &dyn Files = &*trail.shared.files;
    (0..10_000).for_each(|_| trail.note(&old));
    trail.shared.write_notes();
    let listed = lock(&trail.shared.appender).newest_first();
    let wanted = |id: &str| {
        [Known::of(&event(id, "r", "2026-11-24T10:00:00Z")).unwrap(), Known::of(&event("new", "r", "2026-11-24T10:00:00Z")).unwrap()]
    };
    // The last block is looked through, none before it; were it of the same hour, all would be.
    assert!(search::present(files, &listed, &wanted("e1")).unwrap().contains("e1"));
    trail.note(event("e2", "r2", "2026-11-24T08:00:00Z"));
    (0..10_000).for_each(|_| trail.note(&old));
    trail.shared.write_notes();
    let listed = lock(&trail.shared.appender).newest_first();
    assert!(!search::present(files, &listed, &wanted("e2")).unwrap().contains("e2"), "an hour before");
}

#[test]
fn an_id_that_a_client_wrote_into_another_event_is_not_taken_for_the_event() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    trail.note(
        r#"{"eventTime":"2026-11-24T10:00:00Z","requestParameters":{"eventID":"e1","requestID":"r1"},"requestID":"x","eventID":"y"}"#,
    );
    assert_eq!(trail.find("r1").unwrap(), None);
    assert_eq!(trail.recover(&rows([1])).unwrap(), 1, "its event is in no file");
    assert_eq!(trail.find("r1").unwrap(), Some(numbered(1)));
}

#[test]
fn an_event_whose_caller_was_cancelled_is_brought_from_the_outbox() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    trail.recover(&rows([1])).unwrap();
    // Number 2 was committed, and its task dropped before it came here.
    trail.write_through(3, &numbered(3)).unwrap();
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(1));
    assert!(!trail.needs_outbox(), "it may only be late");
    eventually("it is missed", || trail.needs_outbox());
    assert_eq!(trail.recover(&rows(2..=3)).unwrap(), 1);
    trail.write_through(2, &numbered(2)).unwrap();
    assert_eq!(lines(directory.path()), [1, 3, 2].map(numbered), "also when it comes after all");
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(3));
}

#[test]
fn on_a_full_disk_writes_are_refused_until_there_is_room_and_no_write_is_lost() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, QUICK);
    trail.recover(&rows([1])).unwrap();
    knobs.capacity.store(numbered(1).len() as u64 + 30, SeqCst);
    assert!(trail.ready_for_writes());
    assert_eq!(trail.write_through(2, &numbered(2)), Err(Refused(io::ErrorKind::StorageFull)));
    assert!(!trail.ready_for_writes());
    assert_eq!(lines(directory.path()), [numbered(1)], "no half line stays");
    sleep(QUICK.delay * 5);
    assert!(!trail.ready_for_writes() && !trail.needs_outbox(), "nothing has changed");
    eventually("what is on the disk settles", || trail.settled() == Some(1));

    // A little room is not enough to begin again, since the next write would be refused.
    knobs.capacity.fetch_add(1_000, SeqCst);
    sleep(QUICK.delay * 5);
    assert!(!trail.ready_for_writes());

    knobs.capacity.store(0, SeqCst);
    eventually("it heals", || trail.ready_for_writes());
    assert!(trail.needs_outbox());
    assert_eq!(trail.recover(&rows([2])).unwrap(), 1);
    assert!(!trail.needs_outbox());
    eventually("it settles", || trail.settled() == Some(2));
    assert_eq!(lines(directory.path()), [numbered(1), numbered(2)]);
    assert_eq!(trail.counters().refused, 1);
}

#[test]
fn on_a_full_disk_events_of_reads_are_held_within_their_bound_then_dropped_and_counted() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, Config { buffer_bytes: 10_000, ..QUICK });
    knobs.capacity.store(1, SeqCst);
    (0..1_000).for_each(|number| trail.note(numbered(number)));
    eventually("it is noticed", || !trail.ready_for_writes());
    let dropped = trail.counters().dropped;
    assert!(dropped > 800, "{dropped}");
    sleep(QUICK.delay * 3);
    trail.note(numbered(5_000));
    assert_eq!(trail.counters().dropped, dropped + 1, "what is held counts as well");
    knobs.capacity.store(0, SeqCst);
    eventually("what was held is written", || trail.counters().written == 1_000 - dropped);
    trail.note(numbered(6_000));
    eventually("and what comes afterwards", || trail.counters().written == 1_001 - dropped);
    assert_eq!(lines(directory.path()).last(), Some(&numbered(6_000)));
    assert_eq!(lines(directory.path()).first(), Some(&numbered(0)), "the oldest are those that were held");
}

#[test]
fn half_a_line_that_could_not_even_be_cut_off_is_written_over() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, STILL);
    trail.recover(&rows([1])).unwrap();
    knobs.capacity.store(numbered(1).len() as u64 + 30, SeqCst);
    knobs.cut_fails.store(true, SeqCst);
    trail.write_through(2, &numbered(2)).unwrap_err();
    knobs.capacity.store(0, SeqCst);
    assert_eq!(trail.find("r2").unwrap(), None);
    trail.write_through(3, &numbered(3)).unwrap();
    assert_eq!(lines(directory.path()), [numbered(1), numbered(3)]);
}

#[test]
fn dev_full_refuses_as_a_full_disk_does() {
    let trail = Trail::open_on(Arc::new(DevFull), QUICK).unwrap();
    assert_eq!(trail.write_through(1, &numbered(1)), Err(Refused(io::ErrorKind::StorageFull)));
    assert!(!trail.ready_for_writes());
    trail.note(numbered(2));
    sleep(QUICK.delay * 3);
    assert!(!trail.ready_for_writes());
    assert_eq!(trail.recover(&rows([1])).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(trail.settled(), None);
}

#[test]
fn what_a_failed_sync_was_about_is_written_again_elsewhere() {
    let directory = TempDir::new().unwrap();
    let (trail, knobs) = lab(&directory, STILL);
    trail.recover(&rows([1])).unwrap();
    trail.shared.sync();
    trail.write_through(2, &numbered(2)).unwrap();
    knobs.sync_fails.store(true, SeqCst);
    trail.shared.sync();
    assert!(!trail.ready_for_writes());
    assert_eq!(trail.settled(), Some(1));
    knobs.sync_fails.store(false, SeqCst);
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(1), "the kernel forgets such an error, and the bytes with it");
    trail.shared.try_to_heal();
    assert!(trail.needs_outbox());
    assert_eq!(trail.recover(&rows([2])).unwrap(), 1);
    trail.shared.sync();
    assert_eq!(trail.settled(), Some(2));
    let second = std::fs::read_to_string(directory.path().join("events-0000000002.jsonl")).unwrap();
    assert_eq!(second.lines().collect::<Vec<_>>(), [numbered(2)]);
}

#[test]
fn all_events_since_a_moment_come_back_newest_block_first_and_no_further_than_that() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 400, ..STILL }).unwrap();
    for minute in 0..60 {
        trail.note(event(&format!("e{minute}"), "r", &format!("2026-11-24T10:{minute:02}:00Z")));
        trail.shared.write_notes();
    }
    let at = |minute: i64| 1_795_514_400 + 60 * minute;
    let ids = |since: i64| -> Vec<String> {
        let blocks: Vec<Vec<u8>> = trail.since(since).map(Result::unwrap).collect();
        let lines = blocks.iter().flat_map(|block| std::str::from_utf8(block).unwrap().lines());
        lines.map(|line| Known::of(line).unwrap().id).collect()
    };
    assert_eq!(ids(at(-60)).len(), 60, "all of them, those that were never in a file before among them");
    let late = ids(at(50));
    assert!((50..60).all(|minute| late.contains(&format!("e{minute}"))), "{late:?}");
    assert!(!late.contains(&"e20".to_owned()), "it must not read on into the past: {late:?}");
}

#[test]
fn the_events_of_a_request_are_found_newest_first_in_all_files() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 3_000, ..STILL }).unwrap();
    for number in 0..200 {
        trail.note(numbered(number));
        trail.shared.write_notes();
    }
    assert!(Disk::at(directory.path()).unwrap().list().unwrap().len() > 4);
    for number in [0, 1, 57, 198, 199] {
        assert_eq!(trail.find(&format!("r{number}")).unwrap(), Some(numbered(number)));
    }
    let again = event("again", "r5", "2026-11-24T10:00:00Z");
    trail.note(&again);
    assert_eq!(trail.find("r5").unwrap(), Some(again), "also what is buffered");
    assert_eq!(trail.find_where("r5", |line| line.contains("\"e5\"")).unwrap(), Some(numbered(5)));
    assert_eq!(trail.find("r").unwrap(), None);
    assert_eq!(trail.find("r5\"").unwrap(), None);
    assert_eq!(trail.find("").unwrap(), None);
}

#[test]
fn lines_of_any_length_are_found_wherever_blocks_end() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { buffer_bytes: 64 << 20, ..STILL }).unwrap();
    let long = |number: usize| {
        let filling = "x".repeat(number * 37_123 % 800_000);
        format!(r#"{{"a":"{filling}","requestID":"r{number}","b":"{filling}"}}"#)
    };
    (0..40).for_each(|number| trail.note(long(number)));
    for number in 0..40 {
        assert!(trail.find(&format!("r{number}")).unwrap() == Some(long(number)), "{number}");
    }
}

#[test]
fn a_file_that_is_removed_while_others_search_is_no_error() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), Config { rotate_bytes: 100, ..STILL }).unwrap();
    for number in 1..=3 {
        trail.write_through(number, &numbered(number)).unwrap();
    }
    std::fs::remove_file(directory.path().join("events-0000000001.jsonl")).unwrap();
    assert_eq!(trail.find("r1").unwrap(), None);
    assert_eq!(trail.find("r2").unwrap(), Some(numbered(2)));
}

#[test]
fn calls_that_did_not_authenticate_are_counted_and_sampled() {
    let directory = TempDir::new().unwrap();
    let config = Config { unauthenticated_per_source: 3, unauthenticated_in_all: 5, ..STILL };
    let trail = Trail::open(directory.path(), config).unwrap();
    let of = |host: u8| (0..100).filter(|_| trail.unauthenticated([192, 0, 2, host].into())).count();
    let (first, second, third) = (of(1), of(2), of(3));
    // A second may end while this runs.
    assert!((3..=6).contains(&first) && (2..=6).contains(&second) && third <= 6, "{first} {second} {third}");
    let counters = trail.counters();
    assert_eq!(counters.unauthenticated, 300);
    assert_eq!(counters.sampled_out, 300 - u64::try_from(first + second + third).unwrap());
}

#[test]
fn closing_writes_and_settles_all_that_there_is() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    trail.recover(&rows([1])).unwrap();
    trail.note(numbered(2));
    trail.write_through(2, &numbered(3)).unwrap();
    trail.close();
    assert_eq!(trail.settled(), Some(2));
    assert_eq!(lines(directory.path()), [1, 3, 2].map(numbered));
    trail.close();
}

#[test]
fn an_event_cannot_become_two_lines() {
    let directory = TempDir::new().unwrap();
    let trail = Trail::open(directory.path(), STILL).unwrap();
    trail.note("{\n\"a\": 1\n}");
    trail.write_through(1, "{}\n{}").unwrap();
    trail.close();
    assert_eq!(lines(directory.path()), ["{} {}", "{ \"a\": 1 }"]);
}

#[test]
fn a_writer_that_panics_does_not_stop_the_others() {
    struct Odd;
    impl Files for Odd {
        fn list(&self) -> io::Result<Vec<(u64, u64)>> {
            Ok(Vec::new())
        }
        fn create(&self, _: u64) -> io::Result<Arc<dyn crate::Opened>> {
            panic!("a defect in the files")
        }
        fn open(&self, _: u64) -> io::Result<Arc<dyn crate::Opened>> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn remove(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn sync_names(&self) -> io::Result<()> {
            Ok(())
        }
        fn probe(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
    }
    let trail = Trail::open_on(Arc::new(Odd), STILL).unwrap();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|seq| {
                scope.spawn({
                    let trail = &trail;
                    move || trail.write_through(seq, "{}")
                })
            })
            .collect();
        // Each panics itself or is told of the failure; none waits for ever.
        assert!(writers.into_iter().all(|writer| !matches!(writer.join(), Ok(Ok(())))));
    });
}
