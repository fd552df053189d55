use super::*;

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn answer(text: &str) -> serde_json::Value {
    let answer = line(7, text.as_bytes()).unwrap();
    assert!(!answer.text.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer.is_bad, value.get("error").is_some(), "{value}");
    assert_eq!(answer.is_bad, value.get("decision").is_none(), "{value}");
    value
}

fn case(request: &str, policies: &str) -> serde_json::Value {
    answer(&format!(r#"{{"name":"n","request":{request},"policies":{policies}}}"#))
}

const GET: &str = r#"{"principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}"#;

#[test]
fn a_missing_kind_does_not_apply_and_an_empty_list_allows_nothing() {
    let with = |rest: &str| case(GET, &format!(r#"{{"identity":[{ALLOW}]{rest}}}"#))["decision"].clone();
    assert_eq!(with(""), "Allowed");
    for kind in ["permissionsBoundary", "session", "endpoint", "serviceControl", "resourceControl"] {
        assert_eq!(with(&format!(r#","{kind}":[]"#)), "ImplicitlyDenied", "{kind}");
        assert_eq!(with(&format!(r#","{kind}":null"#)), "Allowed", "{kind}");
    }
    for kind in ["serviceControl", "resourceControl"] {
        assert_eq!(with(&format!(r#","{kind}":[[]]"#)), "ImplicitlyDenied", "{kind}");
        assert_eq!(with(&format!(r#","{kind}":[[{ALLOW}],[]]"#)), "ImplicitlyDenied", "{kind}");
        assert_eq!(with(&format!(r#","{kind}":[[{ALLOW}],[{ALLOW},{ALLOW}]]"#)), "Allowed", "{kind}");
    }
    assert_eq!(with(r#","resource":null"#), "Allowed");
    assert_eq!(case(GET, "{}")["decision"], "ImplicitlyDenied");
    assert_eq!(case(GET, "null")["decision"], "ImplicitlyDenied");
}

#[test]
fn the_name_comes_back_even_with_an_error() {
    assert_eq!(case(GET, "{}")["name"], "n");
    assert_eq!(case("{}", "{}")["name"], "n");
    assert_eq!(answer("{}")["name"], serde_json::Value::Null);
}

#[test]
fn a_bad_line_is_told_with_its_place() {
    let error = |text: &str| answer(text)["error"].as_str().unwrap().to_owned();
    let cases = [
        ("{", "line 7 column"),
        ("[]", "a case is a list, not an object at line 7 column 1"),
        (r#"{"name":1}"#, "name is a number, not a string at line 7 column 9"),
        (r#"{"name":"n","extra":1,"request":{}}"#, "request has no principal at line 7 column 33"),
        (r#"{"name":"n","name":"m"}"#, "\"name\" stands twice in one object at line 7 column 13"),
    ];
    for (text, wanted) in cases {
        assert!(error(text).contains(wanted), "{}", error(text));
    }
    let unknown = format!(r#"{{"request":{GET},"polices":{{}}}}"#);
    assert!(error(&unknown).starts_with("\"polices\" is no member of a case at line 7 column "), "{}", error(&unknown));
    let bad = format!(r#"{{"request":{GET},"policies":{{"identity":[{ALLOW},{{"Statement":{{"Effect":"allow","Action":"*"}}}}]}}}}"#);
    let column = bad.find(r#""allow""#).unwrap() + 1;
    assert_eq!(error(&bad), format!("identity[1]: Effect is neither \"Allow\" nor \"Deny\" at line 7 column {column}"));
    assert_eq!(line(3, b"\xff{}").unwrap().text, r#"{"name":null,"error":"not UTF-8 at line 3 column 1"}"#);
}

#[test]
fn wrong_types_and_unknown_members_are_errors() {
    let requests = [
        r#"{"principal":"alice","action":"s3:GetObject","resource":"*"}"#,
        r#"{"principal":"arn:aws:iam::111122223333:group/g","action":"s3:GetObject","resource":"*"}"#,
        r#"{"principal":["anonymous"],"action":"s3:GetObject","resource":"*"}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject"}"#,
        r#"{"principal":"anonymous","resource":"*"}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","resourceAccount":"1"}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","resourceAccount":111122223333}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","region":"x"}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","context":[]}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","context":{"a":null}}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","context":{"a":{"b":"c"}}}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","context":{"a":[["c"]]}}"#,
        r#"{"principal":"anonymous","action":"s3:GetObject","resource":"*","context":{"a":"b","a":"c"}}"#,
    ];
    for request in requests {
        assert!(case(request, "{}").get("error").is_some(), "{request}");
    }
    for policies in
        ["[]", r#"{"identity":{}}"#, r#"{"identity":[1]}"#, r#"{"resource":[]}"#, r#"{"serviceControl":[{}]}"#, r#"{"boundary":[]}"#]
    {
        assert!(case(GET, policies).get("error").is_some(), "{policies}");
    }
}

#[test]
fn numbers_and_booleans_of_the_context_count_as_they_are_written() {
    let with = |value: &str, operator: &str, wanted: &str| {
        let request =
            format!(r#"{{"principal":"arn:aws:iam::111122223333:user/alice","action":"a:b","resource":"*","context":{{"k":{value}}}}}"#);
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"{operator}":{{"K":"{wanted}"}}}}}}"#);
        case(&request, &format!(r#"{{"identity":[{{"Version":"2012-10-17","Statement":{statement}}}]}}"#))["decision"] == "Allowed"
    };
    assert!(with("1.50", "StringEquals", "1.50"));
    assert!(with("1e3", "StringEquals", "1e3"));
    assert!(with("true", "Bool", "TRUE"));
    assert!(with("[true,2,\"x\"]", "ForAnyValue:StringEquals", "2"));
    assert!(!with("[\"x\"]", "StringEquals", "x"));
}

#[test]
fn assuming_a_role_follows_the_trust_policy() {
    let request =
        r#"{"principal":"arn:aws:iam::111122223333:user/alice","action":"sts:AssumeRole","resource":"arn:aws:iam::111122223333:role/r"}"#;
    let trust = |principal: &str, identity: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}"#);
        let policies = format!(r#"{{"identity":[{identity}],"resource":{{"Version":"2012-10-17","Statement":[{statement}]}}}}"#);
        let answer = case(request, &policies);
        (answer["decision"].as_str().unwrap().to_owned(), answer["explanation"]["because"].as_str().unwrap().to_owned())
    };
    assert_eq!(trust("arn:aws:iam::111122223333:user/alice", ""), ("Allowed".into(), "trust".into()));
    assert_eq!(trust("111122223333", ""), ("ImplicitlyDenied".into(), "identity".into()));
    assert_eq!(trust("111122223333", ALLOW), ("Allowed".into(), "identity".into()));
    assert_eq!(trust("arn:aws:iam::111122223333:user/bob", ALLOW), ("ImplicitlyDenied".into(), "trust".into()));
    assert_eq!(case(request, &format!(r#"{{"identity":[{ALLOW}]}}"#))["decision"], "ImplicitlyDenied");
}

#[test]
fn an_explanation_names_documents_statements_and_places() {
    let document = r#"{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
    let answer = case(GET, &format!(r#"{{"identity":[{ALLOW},{document}]}}"#));
    assert_eq!(answer["decision"], "ExplicitlyDenied");
    let matched = &answer["explanation"]["statements"][1];
    let wanted =
        r#"{"kind":"identity","source":"identity[1]","index":0,"sid":"S","effect":"Deny","line":1,"column":37,"endLine":1,"endColumn":95}"#;
    assert_eq!(*matched, serde_json::from_str::<serde_json::Value>(wanted).unwrap());
    assert_eq!(document.get(36..94).unwrap(), r#"{"Sid":"S","Effect":"Deny","Action":"s3:*","Resource":"*"}"#);
}

#[test]
fn blank_lines_have_no_answer() {
    assert_eq!(line(1, b""), None);
    assert_eq!(line(1, b" \r\n"), None);
}
