use crate::{JSON, QUERY, REST, shown};
use wire::query::Limits;
use wire::rest::{Pattern, find, read};
use wire::route::{Seen, Served, Unrouted, operation_of_target, service};
use wire::{Malformed, Protocol};

const STS: Protocol = Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/", repeats: true };
const TABLE: &[Served] = &[
    Served { name: "iam", scopes: &["iam"], protocol: QUERY, paths: &[] },
    Served { name: "sts", scopes: &["sts"], protocol: STS, paths: &[] },
    Served { name: "organizations", scopes: &["organizations"], protocol: JSON, paths: &[] },
    Served { name: "decisions", scopes: &["bailiwick"], protocol: REST, paths: &["POST /authorize", "POST /authorize/chunks"] },
    Served { name: "sso", scopes: &["awsssoportal"], protocol: REST, paths: &["GET /federation/credentials"] },
];

fn told(seen: Seen<'_>) -> Result<&'static str, Unrouted> {
    service(TABLE, &seen).map(|at| TABLE[at].name)
}

#[test]
fn the_scope_of_the_credential_names_the_service_whatever_else_is_said() {
    let seen = Seen {
        scope: Some("sts"),
        target: Some("AWSOrganizationsV20161128.ListRoots"),
        version: Some("2010-05-08"),
        method: "POST",
        path: "/authorize",
        uri_query: "",
    };
    assert_eq!(told(seen), Ok("sts"));
    assert_eq!(told(Seen { scope: Some("ec2"), ..seen }), Err(Unrouted::Scope));
    assert_eq!(told(Seen { scope: Some("STS"), ..seen }), Err(Unrouted::Scope));
}

#[test]
fn an_unsigned_request_is_told_by_target_then_version_then_path() {
    let seen = Seen { method: "POST", path: "/", ..Seen::default() };
    assert_eq!(
        told(Seen { target: Some("AWSOrganizationsV20161128.ListRoots"), version: Some("2010-05-08"), ..seen }),
        Ok("organizations")
    );
    assert_eq!(told(Seen { version: Some("2011-06-15"), ..seen }), Ok("sts"));
    assert_eq!(told(Seen { path: "/authorize/chunks", ..seen }), Ok("decisions"));
    assert_eq!(told(Seen { method: "GET", path: "/federation/credentials", uri_query: "role_name=r", ..seen }), Ok("sso"));
    assert_eq!(told(Seen { method: "GET", path: "/authorize", ..seen }), Err(Unrouted::Nothing));
    assert_eq!(told(Seen { target: Some("Nobody.Op"), version: Some("2010-05-08"), ..seen }), Err(Unrouted::Nothing));
    assert_eq!(told(seen), Err(Unrouted::Nothing));
}

#[test]
fn where_services_share_a_scope_the_rest_of_the_request_decides() {
    let shared: &[Served] = &[
        Served { name: "one", scopes: &["sso"], protocol: JSON, paths: &[] },
        Served { name: "two", scopes: &["sso"], protocol: REST, paths: &["GET /two"] },
    ];
    let seen = Seen { scope: Some("sso"), method: "GET", path: "/two", ..Seen::default() };
    assert_eq!(service(shared, &seen), Ok(1));
    assert_eq!(service(shared, &Seen { target: Some("AWSOrganizationsV20161128.X"), ..seen }), Ok(0));
}

#[test]
fn a_target_is_prefix_dot_operation() {
    assert_eq!(operation_of_target(&JSON, "AWSOrganizationsV20161128.ListRoots"), Some("ListRoots"));
    for target in ["AWSOrganizationsV20161128", "AWSOrganizationsV20161128.", "Other.ListRoots", "AWSOrganizationsV20161128X.ListRoots", ""]
    {
        assert_eq!(operation_of_target(&JSON, target), None, "{target}");
    }
    assert_eq!(operation_of_target(&QUERY, "X.ListRoots"), None);
}

#[test]
fn a_path_pattern_gives_its_labels_decoded() {
    let pattern = Pattern::new("PUT /analyzer/{analyzerName}/rule/{rule+}").unwrap();
    let labels = pattern.matches("PUT", "/analyzer/a%20b+c/rule/x/y", "").unwrap();
    assert_eq!(labels, [("analyzerName", "a b+c".to_owned()), ("rule", "x/y".to_owned())]);
    for (method, path) in [
        ("GET", "/analyzer/a/rule/x"),
        ("PUT", "/analyzer//rule/x"),
        ("PUT", "/analyzer/a/rule"),
        ("PUT", "/analyzer/a/rule/"),
        ("PUT", "/analyzer/%zz/rule/x"),
        ("PUT", "analyzer/a/rule/x"),
    ] {
        assert_eq!(pattern.matches(method, path, ""), None, "{path}");
    }
    assert_eq!(Pattern::new("/nothing"), None);
}

#[test]
fn the_most_literal_pattern_is_meant() {
    let patterns = ["POST /token", "POST /token?aws_iam=t", "POST /{any}"];
    assert_eq!(find(patterns, "POST", "/token", ""), Some((0, vec![])));
    assert_eq!(find(patterns, "POST", "/token", "x=1&aws_iam=t"), Some((1, vec![])));
    assert_eq!(find(patterns, "POST", "/other", "").map(|(at, _)| at), Some(2));
    assert_eq!(find(patterns, "POST", "/token/x", ""), None);
}

#[test]
fn what_is_found_is_what_matches_when_every_pattern_is_taken_apart() {
    let patterns = ["GET /", "PUT /a", "GET /a", "GET /a/{x}", "GET /a/{x}/b", "GET /a?q=1", "GET /{x+}", "GET /ab/{x}", "/a", "GET"];
    for path in ["", "/", "/a", "/a/", "/a/b", "/a/b/b", "/ab", "/ab/c", "/%61", "a"] {
        for (method, asked) in [("GET", ""), ("GET", "q=1"), ("PUT", "q=1"), ("G", ""), ("", ""), ("get", "")] {
            let taken_apart = patterns.iter().enumerate().filter_map(|(at, http)| {
                let pattern = Pattern::new(http)?;
                Some((pattern.weight(), at, pattern.matches(method, path, asked)?))
            });
            let meant = taken_apart.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, at, labels)| (at, labels));
            assert_eq!(find(patterns, method, path, asked), meant, "{method} {path} {asked}");
        }
    }
}

#[test]
fn path_query_and_body_become_one_input_without_overlap() {
    let limits = Limits::default();
    let node = read(vec![("name", "n".to_owned())], "tag=a&tag=b&tag=c&max=5", br#"{"body":{"x":1}}"#, &limits).unwrap();
    assert_eq!(shown(&node), r#"{"name":"n","max":"5","tag":["a","b","c"],"body":{"x":1}}"#);
    assert_eq!(read(vec![("name", "n".to_owned())], "name=m", b"", &limits), Err(Malformed::Duplicate("name".to_owned())));
    assert_eq!(read(vec![], "max=1", br#"{"max":2}"#, &limits), Err(Malformed::Duplicate("max".to_owned())));
    assert_eq!(read(vec![], "max=%", b"", &limits), Err(Malformed::Percent));
}
