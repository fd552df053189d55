//! What a refused client is told, in AWS's words.
#![expect(clippy::unwrap_used, reason = "tests")]

use sigv4::{Reason, Request, read};

const DATE: (&str, &[u8]) = ("x-amz-date", b"20260102T030405Z");
const GOOD: &str =
    "AWS4-HMAC-SHA256 Credential=AKIARZPUZDIKGB2VALC4/20260102/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc";

fn reason(uri: &str, headers: &[(&str, &[u8])]) -> Reason {
    read(&Request { method: "GET", uri, headers }).unwrap_err()
}

fn of_header(authorization: &str) -> String {
    reason("/", &[DATE, ("Authorization", authorization.as_bytes())]).to_string()
}

#[test]
fn malformed_authorization_headers() {
    for (authorization, words) in [
        (
            "AWS4-HMAC-SHA256",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/sts/aws4_request, Signature=abc",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/sts/aws4_request, Signature=…",
        ),
        (
            "AWS4-HMAC-SHA256 AKIA/20200128/us-east-1/sts/aws4_request, Signature=abc",
            "'AKIA/20200128/us-east-1/sts/aws4_request' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 AKIA/20200128/us-east-1/sts/aws4_request, Signature=…'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260102/sts/aws4_request, SignedHeaders=host, Signature=abc",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/20260102/sts/aws4_request'",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260103/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=abc",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260103' != '20260102', from '20260102T030405Z'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/sts/aws4, SignedHeaders=host, Signature=abc",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'.",
        ),
        (
            "AWS4-ECDSA-P256-SHA256 Credential=a/20260102/sts/aws4_request, SignedHeaders=host, Signature=abc",
            "AWS4-ECDSA-P256-SHA256 (Signature Version 4A) is not supported here: sign with AWS4-HMAC-SHA256.",
        ),
        ("Bearer abc", "Unsupported authorization type 'Bearer': sign with AWS4-HMAC-SHA256."),
        ("AWS AKIA:abc=", "Unsupported authorization type 'AWS': sign with AWS4-HMAC-SHA256."),
        ("", "Unsupported authorization type '': sign with AWS4-HMAC-SHA256."),
        (
            "AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=abc",
            "'Credential' must be given exactly once and as it is spelled.",
        ),
        (
            "AWS4-HMAC-SHA256 credential=a, SignedHeaders=host, Signature=abc",
            "'credential' must be given exactly once and as it is spelled.",
        ),
    ] {
        assert_eq!(of_header(authorization), words);
    }
}

#[test]
fn blanks_and_commas_between_the_parts_are_free() {
    for good in [GOOD.to_owned(), GOOD.replace(", ", ","), GOOD.replace(", ", " ,  "), format!("  {GOOD},"), GOOD.replacen(' ', "   ", 1)] {
        let headers = [DATE, ("Authorization", good.as_bytes())];
        let presented = read(&Request { method: "GET", uri: "/", headers: &headers }).unwrap().unwrap();
        assert_eq!((presented.key_id, presented.scope.service), ("AKIARZPUZDIKGB2VALC4", "sts"), "{good}");
        assert_eq!(presented.signed_headers().collect::<Vec<_>>(), ["host", "x-amz-date"]);
    }
}

#[test]
fn dates() {
    let without = reason("/", &[("Authorization", GOOD.as_bytes())]);
    let words = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=";
    assert!(without.to_string().starts_with(words), "{without}");
    assert_eq!(without.s3_sentence(), "AWS authentication requires a valid Date or x-amz-date header");
    let wrong = reason("/", &[("x-amz-date", b"yesterday"), ("Authorization", GOOD.as_bytes())]);
    assert_eq!(wrong.to_string(), "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601");
}

#[test]
fn presigned_urls() {
    let query = |pairs: &[&str]| reason(&format!("/?{}", pairs.join("&")), &[]);
    let credential = "X-Amz-Credential=AKIARZPUZDIKGB2VALC4%2F20260102%2Fus-east-1%2Fs3%2Faws4_request";
    let rest = ["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Date=20260102T030405Z", "X-Amz-SignedHeaders=host", "X-Amz-Signature=abc"];
    let with = |more: &[&str]| query(&[&rest[..], more].concat());

    let missing = query(&[credential]);
    assert_eq!(
        missing.to_string(),
        "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters."
    );
    assert_eq!(
        missing.s3_sentence(),
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    );
    let twice_encoded = with(&["X-Amz-Expires=60", &credential.replace("%2F", "%252F")]);
    assert_eq!(
        twice_encoded.s3_sentence(),
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
    );
    for (expires, words) in [
        ("", "X-Amz-Expires should be a number"),
        ("1e3", "X-Amz-Expires should be a number"),
        ("%31", "X-Amz-Expires should be a number"),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("0", "X-Amz-Expires must be greater than 0"),
        (
            "604801",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ),
        (
            "99999999999999999999",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ),
    ] {
        assert_eq!(with(&[credential, &format!("X-Amz-Expires={expires}")]).to_string(), words);
    }
    let old = query(&["AWSAccessKeyId=a", "Signature=b", "Expires=1"]);
    assert_eq!(old.s3_sentence(), "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
}

#[test]
fn who_presents_nothing_is_anonymous() {
    for uri in ["/", "/?Action=GetCallerIdentity", "/?X-Amz-Date=1", "/?Signature=x", "/?AWSAccessKeyId=x", "no uri at all"] {
        let headers: [(&str, &[u8]); 3] = [DATE, ("x-amz-security-token", b"token"), ("host", b"example.com")];
        assert!(read(&Request { method: "GET", uri, headers: &headers }).unwrap().is_none(), "{uri}");
    }
}

#[test]
fn wrong_services_and_regions() {
    let headers = [DATE, ("Authorization", GOOD.as_bytes())];
    let presented = read(&Request { method: "GET", uri: "/", headers: &headers }).unwrap().unwrap();
    assert_eq!(presented.scope.require_service("iam").unwrap_err().to_string(), "Credential should be scoped to correct service: 'iam'. ");
    assert_eq!(
        presented.scope.require_region("eu-west-1").unwrap_err().to_string(),
        "Credential should be scoped to a valid region, not 'us-east-1'. "
    );
    let s3 = presented.scope.require_region("eu-west-1").unwrap_err();
    assert_eq!(s3.s3_sentence(), "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'");
    assert_eq!(s3.s3_elements(), [("Region", "eu-west-1".to_owned())]);
    assert_eq!((presented.scope.require_service("sts"), presented.scope.require_region("us-east-1")), (Ok(()), Ok(())));
}

#[test]
fn more_headers_than_anybody_sends_are_refused() {
    let headers = vec![("a", &b"b"[..]); sigv4::MOST_HEADERS + 1];
    assert_eq!(reason("/", &headers), Reason::TooManyHeaders);
}

#[test]
fn what_is_presented_prints_neither_token_nor_signature() {
    let headers: [(&str, &[u8]); 3] = [DATE, ("Authorization", GOOD.as_bytes()), ("x-amz-security-token", b"secret-token")];
    let presented = read(&Request { method: "GET", uri: "/", headers: &headers }).unwrap().unwrap();
    let printed = format!("{presented:?}");
    assert!(printed.contains("AKIARZPUZDIKGB2VALC4") && !printed.contains("secret-token") && !printed.contains("abc"), "{printed}");
}
