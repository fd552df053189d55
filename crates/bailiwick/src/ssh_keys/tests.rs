//! Settings and lines; asking a server is in the tests from outside.
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn key(public: &str, user: &str) -> Key {
    Key { ssh_public_key_id: "APKAWALKNONEWALKNONE1".into(), ssh_public_key: public.into(), user_name: user.into() }
}

#[test]
fn a_line_is_bound_to_its_command() {
    let key = key("ssh-rsa AAAA+/==", "alice@example.com");
    assert_eq!(line(&key, None).unwrap(), "restrict ssh-rsa AAAA+/== alice@example.com");
    let bound = line(&key, Some("/bin/git \"{id}\"")).unwrap();
    assert_eq!(bound, "restrict,command=\"/bin/git \\\"APKAWALKNONEWALKNONE1\\\"\" ssh-rsa AAAA+/== alice@example.com");
}

#[test]
fn what_is_no_key_is_no_line() {
    for bad in [
        key("ssh-rsa", "a"),
        key("ssh-rsa AAAA\nssh-rsa BBBB", "a"),
        key("command=\"x\" AAAA", "a"),
        key("ssh-rsa AAAA", "a b"),
        key("ssh-rsa AAAA", "a\nb"),
    ] {
        assert_eq!(line(&bad, None), None, "{bad:?}");
    }
}

#[test]
fn a_question_names_a_key_or_a_user() {
    assert!(matches!(body(&Question::default()), Err(SshKeysError::NoQuestion)));
    assert!(matches!(body(&Question { kind: Some("ssh-rsa".into()), ..Question::default() }), Err(SshKeysError::NoQuestion)));
    let question = Question {
        fingerprint: Some("SHA256:x".into()),
        kind: Some("ssh-rsa".into()),
        key: Some("AAAA".into()),
        user: Some("alice".into()),
        ..Question::default()
    };
    assert_eq!(body(&question).unwrap(), br#"{"sshPublicKey":"ssh-rsa AAAA","userName":"alice"}"#);
}

fn file(text: &str, mode: u32) -> (tempfile::TempDir, Question) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ssh-keys.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    (dir, Question { config: Some(file), ..Question::default() })
}

const WHOLE: &str =
    "endpoint = 'https://iam.example.com/'\naccess_key_id = 'AKIA1'\nsecret_access_key = 'hunter22'\ncommand = '/bin/true {id}'\n";

fn said(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect::<Vec<_>>().into_iter()
}

#[test]
fn a_variable_wins_over_the_file_and_a_token_stays_with_its_key() {
    let (_dir, question) = file(WHOLE, 0o640);
    let from_file = settings(&question, said(&[("AWS_SESSION_TOKEN", "left-over")])).unwrap();
    assert_eq!((from_file.endpoint.as_str(), from_file.access_key_id.as_str()), ("https://iam.example.com", "AKIA1"));
    assert_eq!((from_file.secret.expose(), from_file.token.is_some()), ("hunter22", false));
    assert_eq!(from_file.command.as_deref(), Some("/bin/true {id}"));
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ASIA2"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "t"),
        ("AWS_ENDPOINT_URL", "http://[::1]:1"),
    ];
    let from_variables = settings(&question, said(&variables)).unwrap();
    assert_eq!((from_variables.endpoint.as_str(), from_variables.access_key_id.as_str()), ("http://[::1]:1", "ASIA2"));
    assert_eq!((from_variables.secret.expose(), from_variables.token.unwrap().expose()), ("s", "t"));
    assert!(matches!(settings(&question, said(&[("AWS_ACCESS_KEY_ID", "AKIA3")])), Err(SshKeysError::Missing(_))), "half a key is none");
}

#[test]
fn a_file_that_others_can_read_or_change_is_refused_and_nothing_of_it_is_told() {
    for mode in [0o644, 0o604, 0o660, 0o666] {
        let (_dir, question) = file(WHOLE, mode);
        assert!(settings(&question, said(&[])).is_err(), "{mode:o}");
    }
    for text in ["secret_access_key = hunter22", "hunter22 = 1", "secret_access_key = ['hunter22']"] {
        let (_dir, question) = file(text, 0o600);
        let error = settings(&question, said(&[])).err().unwrap().to_string();
        assert!(!error.contains("hunter22"), "{error}");
    }
}
