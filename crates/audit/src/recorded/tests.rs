use super::*;
use crate::{Event, EventId, EventType, UserIdentity};

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn decision() -> Recorded<'static> {
    let mut keys = Keys::default();
    keys.one("aws:SourceIp", "203.0.113.9");
    keys.many("aws:TagKeys", ["a", "b"]);
    keys.many("aws:PrincipalOrgPaths", Vec::<String>::new());
    let mut own = Keys::default();
    own.one("s3:prefix", "quote \" and ü");
    let by = By { source: "inline policy p of user alice".into(), statement: 2, sid: Some("NotThat".into()), line: 14 };
    let check = Check {
        action: "s3:GetObject".into(),
        resource: "arn:aws:s3:::b/k".into(),
        resource_account: Some("999999999999".parse().unwrap()),
        outcome: "ExplicitlyDenied".into(),
        because: "identity".into(),
        by: None,
        keys: own,
        resource_policy: Some(r#"{"Statement":[]}"#.into()),
    };
    Recorded {
        revision: 4_711,
        outcome: "ExplicitlyDenied".into(),
        because: "identity".into(),
        by: Some(by.clone()),
        asked_by: Some("arn:aws:iam::111122223333:user/store".into()),
        keys,
        checks: vec![
            check.clone(),
            Check { by: Some(By { sid: None, ..by }), keys: Keys::default(), resource_policy: None, resource_account: None, ..check },
        ],
        session_policies: vec![r#"{"Statement":[]}"#.into(), "arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
    }
}

fn line(recorded: Option<&Recorded<'_>>) -> String {
    let identity = UserIdentity::AssumedRole {
        role_id: "AROAEXAMPLE",
        session_name: "ci",
        arn: "arn:aws:sts::111122223333:assumed-role/deploy/ci",
        account: account(),
        access_key_id: Some("ASIARZPUZDIKGB2VALC4"),
        issuer: crate::Issuer::Role { id: "AROAEXAMPLE", arn: "arn:aws:iam::111122223333:role/deploy", account: account(), name: "deploy" },
        attributes: crate::Attributes { issued_at: 0, mfa: false, assumed_root: false, delegate: None },
        source_identity: None,
        web_identity: None,
        invoked_by: None,
    };
    Event {
        identity,
        at: 0,
        source: "bailiwick",
        name: "Authorize",
        region: "us-east-1",
        source_address: "203.0.113.9",
        user_agent: None,
        error: Some(("AccessDenied", "no")),
        request: None,
        response: None,
        additional: &[],
        recorded,
        request_id: "the-request",
        event_id: EventId::from_entropy([7; 16]),
        read_only: true,
        resources: &[],
        event_type: EventType::ApiCall,
        recipient: Some(account()),
        shared_id: None,
        tls: None,
    }
    .text()
}

#[test]
fn a_decision_reads_back_as_it_was_written() {
    let parsed = parse(&line(Some(&decision()))).unwrap();
    assert_eq!(parsed.recorded(), Some(&decision()));
    assert_eq!(parsed.recorded().unwrap().keys.altered().count(), 0);
}

#[test]
fn a_line_reads_back_with_who_when_and_what() {
    let parsed = parse(&line(None)).unwrap();
    assert_eq!(parsed.event_id, EventId::from_entropy([7; 16]).to_string());
    assert_eq!((parsed.request_id.as_str(), parsed.account), ("the-request", Some(account())));
    assert_eq!(
        (parsed.event_time.as_str(), parsed.event_source.as_str(), parsed.event_name.as_str()),
        ("1970-01-01T00:00:00Z", "bailiwick", "Authorize")
    );
    assert_eq!((parsed.error_code.as_deref(), parsed.error_message.as_deref()), (Some("AccessDenied"), Some("no")));
    assert_eq!((parsed.identity.kind.as_str(), parsed.identity.principal_id.as_deref()), ("AssumedRole", Some("AROAEXAMPLE:ci")));
    assert_eq!(parsed.identity.issuer(), Some("arn:aws:iam::111122223333:role/deploy"));
    assert_eq!(parsed.recorded(), None);
}

#[test]
fn what_is_not_an_event_is_refused() {
    for line in ["", "{", "null", "[]", r#"{"eventID":"x"}"#, "\0\0\0\0"] {
        assert!(parse(line).is_err(), "{line:?}");
    }
}

#[test]
fn a_key_whose_value_is_cut_or_hidden_says_so() {
    let long = "é".repeat(3_000);
    let mut recorded = Recorded::default();
    recorded.keys.one("aws:UserAgent", &*long);
    recorded.keys.many("x:Urls", ["https://h/?X-Amz-Signature=abc", "fine"]);
    recorded.keys.one("aws:username", "alice");
    let read = parse(&line(Some(&recorded))).unwrap();
    let keys = &read.recorded().unwrap().keys;
    assert_eq!(keys.altered().collect::<Vec<_>>(), ["aws:UserAgent", "x:Urls"]);
    assert!(line(Some(&recorded)).len() < 2_500);
}

#[test]
fn texts_of_clients_in_a_decision_cannot_leave_their_line() {
    let mut recorded = Recorded { because: "\u{202e}ytitnedi".into(), ..Recorded::default() };
    recorded.keys.one("a\nb", "\u{1b}[2Jx\u{7f}\u{85}\n");
    let line = line(Some(&recorded));
    assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
    assert_eq!(parse(&line).unwrap().recorded(), Some(&recorded));
}
