use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;
use crate::{config::Secret, local::RootKey};

/// Answers from a script, and counts.
#[derive(Default)]
struct Double {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Commands for Double {
    async fn run(&self, command: LocalCommand, tell: Tell) -> Result<LocalAnswer, LocalError> {
        self.begun.fetch_add(1, SeqCst);
        tell(Progress { done: 1, of: 2 });
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.ended.fetch_add(1, SeqCst);
        match command {
            LocalCommand::AccountResetRoot { id } => Ok(LocalAnswer::RootReset(RootKey {
                account: id,
                access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            })),
            LocalCommand::Check => panic!("inside"),
            LocalCommand::AccountCreate { .. }
            | LocalCommand::AccountList
            | LocalCommand::AccountEmailCode { .. }
            | LocalCommand::AccountPhoneCode { .. }
            | LocalCommand::ServiceAdd { .. }
            | LocalCommand::ServiceList
            | LocalCommand::ServiceResetKey { .. }
            | LocalCommand::ServiceRemove { .. }
            | LocalCommand::TemplateAdd { .. }
            | LocalCommand::TemplateList
            | LocalCommand::TemplateRemove { .. }
            | LocalCommand::Explain { .. }
            | LocalCommand::Backup { .. }
            | LocalCommand::WhatIf { .. }
            | LocalCommand::WhoCan { .. } => Err(LocalError::new(ErrorKind::NotFound, "no")),
        }
    }
}

fn directory(parent: &Path) -> DataDir {
    let path = parent.join("data");
    let (dir, _) = DataDir::for_server(&path, None, None).unwrap();
    fs::write(dir.store(), "").unwrap();
    dir.complete().unwrap();
    dir
}

async fn never(_: DataDir) -> Result<Double, LocalError> {
    panic!("the lock was free")
}

#[tokio::test]
async fn a_command_goes_to_the_server_that_has_the_directory() {
    let temp = tempfile::tempdir().unwrap();
    let dir = directory(temp.path());
    let socket = Socket::bind(&dir).unwrap();
    assert_eq!(fs::metadata(DataDir::socket_in(dir.path())).unwrap().mode() & 0o777, 0o600);
    let commands = Arc::new(Double::default());
    let id = "123456789012".parse().unwrap();
    let heard = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&heard);
    let hears: Tell = Arc::new(move |_| {
        counts.fetch_add(1, SeqCst);
    });
    let asked = crate::local::run(dir.path(), LocalCommand::AccountResetRoot { id }, hears, never);
    let answer =
        tokio::select! { answer = asked => answer, () = socket.serve(commands, std::future::pending(), Duration::ZERO) => unreachable!() };
    let LocalAnswer::RootReset(key) = answer.unwrap() else { panic!() };
    assert_eq!(key.secret_access_key.expose(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert!(!format!("{key:?}").contains("wJalr"));
    assert_eq!(heard.load(SeqCst), 1, "how far it was came before the answer");
    drop(socket);
    assert!(!DataDir::socket_in(dir.path()).exists());
}

#[tokio::test]
async fn a_command_that_fails_or_panics_says_so_and_the_next_one_is_served() {
    let temp = tempfile::tempdir().unwrap();
    let dir = directory(temp.path());
    let socket = Socket::bind(&dir).unwrap();
    let commands = Arc::new(Double::default());
    let asked = async {
        let panicked = crate::local::run(dir.path(), LocalCommand::Check, Arc::new(|_| {}), never).await.unwrap_err();
        let missing = crate::local::run(dir.path(), LocalCommand::AccountList, Arc::new(|_| {}), never).await.unwrap_err();
        (panicked.kind, missing.kind)
    };
    let kinds =
        tokio::select! { kinds = asked => kinds, () = socket.serve(commands, std::future::pending(), Duration::ZERO) => unreachable!() };
    assert_eq!(kinds, (ErrorKind::Failed, ErrorKind::NotFound));
}

#[tokio::test]
async fn a_command_that_has_begun_is_not_cut_when_the_one_who_asked_goes_away() {
    let temp = tempfile::tempdir().unwrap();
    let dir = directory(temp.path());
    let socket = Socket::bind(&dir).unwrap();
    let commands = Arc::new(Double::default());
    let gone = async {
        let deaf: Tell = Arc::new(|_| {});
        let asked = ask(dir.path(), &LocalCommand::AccountList, &deaf);
        assert!(timeout(Duration::from_millis(50), asked).await.is_err());
    };
    socket.serve(Arc::clone(&commands), gone, Duration::from_secs(5)).await;
    assert_eq!((commands.begun.load(SeqCst), commands.ended.load(SeqCst)), (1, 1));
}

#[tokio::test]
async fn without_a_server_the_command_opens_the_store_under_the_lock() {
    let temp = tempfile::tempdir().unwrap();
    let path = directory(temp.path()).path().to_owned();
    let opened = crate::local::run(&path, LocalCommand::AccountList, Arc::new(|_| {}), async |dir: DataDir| {
        assert!(matches!(DataDir::existing(dir.path()), Err(crate::data_dir::DataDirError::Busy { .. })));
        std::mem::forget(dir);
        Ok(Double::default())
    });
    assert_eq!(opened.await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_directory_with_a_long_path_has_a_socket_too() {
    let temp = tempfile::tempdir().unwrap();
    let deep = temp.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let dir = directory(&deep);
    let socket = Socket::bind(&dir).unwrap();
    let deaf: Tell = Arc::new(|_| {});
    let asked = ask(dir.path(), &LocalCommand::AccountList, &deaf);
    let answer = tokio::select! { answer = asked => answer, () = socket.serve(Arc::new(Double::default()), std::future::pending(), Duration::ZERO) => unreachable!() };
    assert_eq!(answer.unwrap().unwrap_err().kind, ErrorKind::NotFound);
}
