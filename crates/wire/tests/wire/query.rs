use crate::shown;
use wire::query::{Call, Limits, is_form, read};
use wire::{Malformed, Node};

fn call(body: &str) -> Result<Call, Malformed> {
    read("", format!("Action=A&{body}").as_bytes(), &Limits::default())
}
fn tree(body: &str) -> String {
    shown(&call(body).unwrap().input)
}

#[test]
fn action_and_version_are_told_apart_from_the_input() {
    let call = read("", b"Action=CreateUser&Version=2010-05-08&UserName=alice", &Limits::default()).unwrap();
    assert_eq!((call.action.as_str(), call.version()), ("CreateUser", "2010-05-08"));
    assert_eq!(shown(&call.input), r#"{"UserName":"alice"}"#);
}

#[test]
fn without_a_version_the_call_says_so_in_awss_words() {
    assert_eq!(call("UserName=alice").unwrap().version(), "NO_VERSION_SPECIFIED");
}

#[test]
fn without_an_action_there_is_no_call() {
    for body in ["", "Version=2010-05-08", "Action=", "action=ListUsers", "Action.member.1=ListUsers"] {
        assert_eq!(read("", body.as_bytes(), &Limits::default()), Err(Malformed::NoAction), "{body}");
    }
}

#[test]
fn names_with_dots_become_one_tree() {
    assert_eq!(
        tree("Tags.member.1.Key=team&Tags.member.1.Value=a%26b&Path=%2Fdev%2F"),
        r#"{"Path":"/dev/","Tags":[{"Key":"team","Value":"a&b"}]}"#
    );
    assert_eq!(tree("A.B.C=1&A.B.D=2&A.E=3"), r#"{"A":{"B":{"C":"1","D":"2"},"E":"3"}}"#);
}

#[test]
fn lists_stand_in_lists() {
    let entries = "ContextEntries.member.1.ContextKeyName=k&ContextEntries.member.1.ContextKeyValues.member.2=y&\
                   ContextEntries.member.1.ContextKeyValues.member.1=x";
    assert_eq!(tree(entries), r#"{"ContextEntries":[{"ContextKeyName":"k","ContextKeyValues":["x","y"]}]}"#);
}

#[test]
fn the_number_of_an_element_only_sorts() {
    assert_eq!(tree("A.member.10=ten&A.member.9=nine&A.member.10000=last&A.member.2=two"), r#"{"A":["two","nine","ten","last"]}"#);
    assert_eq!(tree("A.member.0=zero&A.member.1=one"), r#"{"A":["zero","one"]}"#);
}

#[test]
fn map_entries_keep_their_numbers_order() {
    assert_eq!(tree("M.entry.2.key=a&M.entry.2.value=1&M.entry.1.key=b&M.entry.1.value.X=2"), r#"{"M":{"b":{"X":"2"},"a":"1"}}"#);
}

#[test]
fn the_order_of_parameters_does_not_matter() {
    let parameters = ["A=1", "B.member.1.C=2", "B.member.2.C=3", "B-=4", "B%2B=5", "BA=6", "B.member.1.CD=7"];
    let forward = tree(&parameters.join("&"));
    let backward: Vec<&str> = parameters.iter().rev().copied().collect();
    assert_eq!(forward, tree(&backward.join("&")));
    assert_eq!(forward, r#"{"A":"1","B":[{"C":"2","CD":"7"},{"C":"3"}],"B+":"5","B-":"4","BA":"6"}"#);
}

#[test]
fn plus_and_percent_are_decoded_once() {
    assert_eq!(tree("A=a+b%2Bc%2525&B%41=%C3%A9"), r#"{"A":"a b+c%25","BA":"é"}"#);
}

#[test]
fn empty_pairs_do_not_matter_and_a_name_alone_is_an_empty_value() {
    assert_eq!(tree("&&A&B=&C==&"), r#"{"A":"","B":"","C":"="}"#);
}

#[test]
fn the_parameters_of_a_presigned_uri_are_not_input() {
    let uri =
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20200128&x-amz-expires=60";
    let call = read(uri, b"", &Limits::default()).unwrap();
    assert_eq!((call.action.as_str(), shown(&call.input).as_str()), ("GetCallerIdentity", "{}"));
}

#[test]
fn a_parameter_given_twice_is_refused_wherever_it_stands() {
    for body in [
        "UserName=a&UserName=b",
        "UserName=a&UserName=a",
        "UserName=a&username=b",
        "UserName=a&User%4Eame=b",
        "Tags.member.1.Key=a&Tags.member.1.Key=b",
        "Tags.member.1.Key=a&tags.member.1.Value=b",
        "Tags.member.1.Key=a&Tags.member.1.key=b",
        "Tags.member.1.Key=a&Tags.Member.2.Key=b",
        "Action=B",
        "action=B",
        "M.entry.1.key=a&M.entry.2.key=a",
        "X-Amz-Date=1&x-amz-date=2",
    ] {
        assert!(matches!(call(body), Err(Malformed::Duplicate(_))), "{body}: {:?}", call(body));
    }
    assert!(matches!(read("Action=A", b"Action=B", &Limits::default()), Err(Malformed::Duplicate(_))));
    assert!(matches!(read("Action=A&UserName=root", b"UserName=alice", &Limits::default()), Err(Malformed::Duplicate(_))));
}

#[test]
fn a_parameter_with_a_value_has_no_parts() {
    for body in ["A=1&A.B=2", "A.B=2&A=1", "A.member.1=1&A.member.1.B=2", "A=&A.member.1=x"] {
        assert!(matches!(call(body), Err(Malformed::Conflict(_))), "{body}");
    }
}

#[test]
fn a_list_index_is_a_number_in_its_one_spelling() {
    for index in ["01", "-1", "+1", "1e3", "x", "10001", "4294967296", "99999999999999999999999999", "%EF%BC%91"] {
        let body = format!("A.member.{index}=1");
        assert!(matches!(call(&body), Err(Malformed::Index(_))), "{body}");
    }
}

#[test]
fn what_is_neither_list_nor_map_stays_a_structure_which_no_list_takes() {
    assert_eq!(tree("A.member.1=x&A.other=y"), r#"{"A":{"member":{"1":"x"},"other":"y"}}"#);
    assert_eq!(tree("A.member=x"), r#"{"A":{"member":"x"}}"#);
}

#[test]
fn a_map_entry_is_a_key_and_a_value() {
    for body in ["M.entry.1=a", "M.entry.1.value=a", "M.entry.1.key.member.1=a", "M.entry.1.key=a&M.entry.1.more=b"] {
        assert!(matches!(call(body), Err(Malformed::Entry(_))), "{body}");
    }
}

#[test]
fn invalid_escapes_and_texts_are_refused() {
    for body in ["A=%", "A=%4", "A=%zz", "%=1", "A=%%41", "A=100%"] {
        assert_eq!(call(body), Err(Malformed::Percent), "{body}");
    }
    for body in ["A=%FF", "%C3=1", "A=%ED%A0%80", "A=%C0%AF"] {
        assert_eq!(call(body), Err(Malformed::Utf8), "{body}");
    }
    assert_eq!(read("", b"Action=A&B=\xff", &Limits::default()), Err(Malformed::Utf8));
    for body in ["=1", ".=1", "A.=1", ".A=1", "A..B=1", "A%00=1", "A%00B=1&A.B=2", "A%0A=1"] {
        assert_eq!(call(body), Err(Malformed::ParameterName), "{body}");
    }
}

#[test]
fn depth_count_and_size_have_limits() {
    let limits = Limits { bytes: 100, parameters: 3, depth: 3, index: 5 };
    let ask = |body: &str| read("", body.as_bytes(), &limits);
    assert!(ask("Action=A&A.B.C=1&D=2").is_ok());
    assert_eq!(ask("Action=A&A.B.C.D=1"), Err(Malformed::TooDeep));
    assert_eq!(ask("Action=A&B=1&C=2&D=3"), Err(Malformed::TooMany));
    assert_eq!(ask(&format!("Action=A&B={}", "x".repeat(90))), Err(Malformed::TooLarge(100)));
    assert!(matches!(ask("Action=A&A.member.6=1"), Err(Malformed::Index(_))));
}

#[test]
fn an_empty_value_is_text_until_a_type_says_otherwise() {
    assert_eq!(call("A=").unwrap().input.get("A"), &Node::text(""));
}

#[test]
fn only_forms_are_read_as_parameters() {
    assert!(is_form(None) && is_form(Some("application/x-www-form-urlencoded; charset=utf-8")));
    assert!(!is_form(Some("application/json")) && !is_form(Some("multipart/form-data; boundary=x")));
}
