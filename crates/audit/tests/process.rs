//! What only shows in a process of its own: the umask, and a kill without warning. The tests marked as ignored are those processes; each runs
//! in a directory that a test has prepared for it, and does nothing anywhere else.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use audit::{Config, Trail};
use tempfile::TempDir;

/// This program again, running one of its ignored tests in `directory` under a umask.
fn again(test: &str, umask: &str, directory: &Path) -> Command {
    std::fs::write(directory.join("prepared"), "").unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("umask {umask}; exec \"$0\" --ignored --exact --nocapture {test}"));
    command.arg(std::env::current_exe().unwrap()).current_dir(directory).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn is_prepared() -> bool {
    Path::new("prepared").exists()
}

fn event(number: i64) -> String {
    format!(r#"{{"eventTime":"2026-11-24T10:00:00Z","requestID":"r{number}","eventID":"e{number}"}}"#)
}

#[test]
#[ignore = "a process that a test below starts"]
fn writes_two_files() {
    if is_prepared() {
        let trail = Trail::open(Path::new("trail"), Config { rotate_bytes: 10, ..Config::default() }).unwrap();
        trail.write_through(1, &event(1)).unwrap();
        trail.write_through(2, &event(2)).unwrap();
    }
}

#[test]
fn whatever_the_umask_the_directory_is_0700_and_its_files_are_0600() {
    for umask in ["0000", "0022", "0777"] {
        let directory = TempDir::new().unwrap();
        assert!(again("writes_two_files", umask, directory.path()).status().unwrap().success());
        let trail = directory.path().join("trail");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&trail), 0o700, "umask {umask}");
        for name in ["events-0000000001.jsonl", "events-0000000002.jsonl"] {
            assert_eq!(mode(&trail.join(name)), 0o600, "umask {umask}");
        }
    }
}

#[test]
#[ignore = "a process that a test below starts"]
fn writes_until_it_is_killed() {
    if is_prepared() {
        let trail = Trail::open(Path::new("trail"), Config { rotate_bytes: 100_000, ..Config::default() }).unwrap();
        for number in 1..10_000_000 {
            trail.note(format!(r#"{{"note":{number}}}"#));
            trail.write_through(number, &event(number)).unwrap();
            println!("acknowledged {number}");
        }
    }
}

#[test]
fn a_kill_without_warning_loses_no_event_whose_write_was_acknowledged() {
    let directory = TempDir::new().unwrap();
    let mut child = again("writes_until_it_is_killed", "0077", directory.path()).spawn().unwrap();
    let mut acknowledged = 0;
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    while acknowledged < 5_000 {
        let line = output.next().unwrap().unwrap();
        // The first one stands behind the test's name.
        if let Some((_, number)) = line.split_once("acknowledged ") {
            acknowledged = number.parse().unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // As a crash of the machine may leave it.
    let trail = directory.path().join("trail");
    let newest = std::fs::read_dir(&trail).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    std::fs::OpenOptions::new().append(true).open(newest).unwrap().write_all(b"{\"eventID\":\"half").unwrap();

    let rows: Vec<_> = (1..=acknowledged + 1).map(|number| (number, event(number))).collect();
    let trail = Trail::open(&trail, Config::default()).unwrap();
    // The one after the last that this test read of may have been written, or not.
    assert!(trail.recover(&rows).unwrap() <= 1);
    trail.close();
    assert_eq!(trail.settled(), Some(acknowledged + 1));
    for number in [1, 2_500, acknowledged, acknowledged + 1] {
        assert_eq!(trail.find(&format!("r{number}")).unwrap(), Some(event(number)));
    }
}
