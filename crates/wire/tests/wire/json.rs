use crate::shown;
use wire::json::{failure, query_failure, query_reply, read, reply};
use wire::{Failure, Malformed, Node};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_body_is_one_object() {
    assert_eq!(shown(&read(br#" {"A":[1,-2.5,null,true,{"B":"\u00e9\n"}]} "#, 100).unwrap()), r#"{"A":[1,-2.5,null,true,{"B":"é\n"}]}"#);
    for empty in ["", "  \n", "{}"] {
        assert_eq!(read(empty.as_bytes(), 100).unwrap(), Node::Map(vec![]), "{empty:?}");
    }
    for other in ["[]", "1", "null", "\"x\"", "true"] {
        assert_eq!(read(other.as_bytes(), 100), Err(Malformed::NotAnObject), "{other}");
    }
}

#[test]
fn a_member_named_twice_is_refused_at_every_depth() {
    let many: Vec<String> = (0..50).map(|n| format!("\"m{n}\":0")).collect();
    let many = format!("{{{},\"m7\":1}}", many.join(","));
    for body in [r#"{"A":1,"A":2}"#, r#"{"A":[{"B":1,"\u0042":1}]}"#, many.as_str()] {
        assert!(matches!(read(body.as_bytes(), 10_000), Err(Malformed::DuplicateKey { line: 1, .. })), "{body}");
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    assert_eq!(read(b"{\n \"A\": }", 100), Err(Malformed::Json { line: 2, column: 7 }));
    for body in [
        "{",
        "{\"A\":1,}",
        "{\"A\":1}x",
        "{'A':1}",
        "{\"A\":01}",
        "{\"A\":\"\\ud800\"}",
        "{\"A\":NaN}",
        "{\"A\":1e999}",
        "/* */{}",
        "\u{FEFF}{}",
    ] {
        assert!(matches!(read(body.as_bytes(), 100), Err(Malformed::Json { .. })), "{body}");
    }
    assert!(matches!(read(b"{\"A\":\"\xff\"}", 100), Err(Malformed::Json { .. })));
    assert_eq!(read(b"{\"A\":1}", 6), Err(Malformed::TooLarge(6)));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"A\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(nested(120).as_bytes(), 1 << 20).is_ok());
    assert!(matches!(read(nested(128).as_bytes(), 1 << 20), Err(Malformed::Json { .. })));
    assert!(matches!(read(nested(400_000).as_bytes(), 1 << 20), Err(Malformed::Json { .. })));
}

#[test]
fn numbers_beyond_64_bits_are_decimals() {
    assert_eq!(
        read(br#"{"A":9223372036854775807,"B":18446744073709551615}"#, 100).unwrap(),
        Node::Map(vec![("A".into(), Node::Number(i64::MAX)), ("B".into(), Node::Decimal(18_446_744_073_709_551_615.0))])
    );
}

#[test]
fn a_reply_is_the_output_without_what_is_absent() {
    let output = Node::Map(vec![
        ("A".into(), Node::Absent),
        ("B".into(), Node::Time(1_700_000_000)),
        ("C".into(), Node::Entries(vec![("k".into(), Node::Number(1))])),
        ("D".into(), Node::Blob(vec![0, 255])),
        ("E".into(), Node::List(vec![])),
    ]);
    assert_eq!(text(reply(&output)), r#"{"B":1700000000,"C":{"k":1},"D":"AP8=","E":[]}"#);
    assert_eq!(text(reply(&Node::Absent)), "{}");
    assert_eq!(
        text(query_reply("ListUsers", &Node::Map(vec![("Users".into(), Node::List(vec![]))]), "id")),
        r#"{"ListUsersResponse":{"ListUsersResult":{"Users":[]},"ResponseMetadata":{"RequestId":"id"}}}"#
    );
    assert_eq!(text(query_reply("DeleteUser", &Node::Absent, "id")), r#"{"DeleteUserResponse":{"ResponseMetadata":{"RequestId":"id"}}}"#);
}

#[test]
fn failures_in_json() {
    let refused = Failure::new(400, "ConstraintViolationException", "no \"more\"\u{1}")
        .with("Reason", Node::text("LIMIT"))
        .with("None", Node::Absent);
    assert_eq!(
        text(failure(&refused, "Message")),
        r#"{"__type":"ConstraintViolationException","Message":"no \"more\"\u0001","Reason":"LIMIT"}"#
    );
    assert_eq!(
        text(query_failure(&Failure::new(500, "ServiceFailure", "m"), "id")),
        r#"{"Error":{"Code":"ServiceFailure","Message":"m","Type":"Receiver"},"RequestId":"id"}"#
    );
}
