//! The examples of AWS's own pages, with their signatures.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>, `sigv4-query-string-auth.html` beside it,
//! and the ListUsers example of the IAM guide.
#![expect(clippy::unwrap_used, reason = "tests")]

use sigv4::{Body, Payload, Reason, Request, SigningKey, read};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// 2013-05-24T00:00:00Z.
const THEN: i64 = 1_369_353_600;

fn verify(method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8], secret: &str, now: i64) -> Result<Payload, Reason> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request = Request { method, uri, headers: &headers };
    let presented = read(&request)?.unwrap();
    let key = SigningKey::derive(secret, presented.scope.date, presented.scope.region, presented.scope.service);
    presented.verify(&request, &key, Body::Bytes(body), now).map(|verified| verified.payload)
}

fn s3(method: &str, uri: &str, signed: &str, signature: &str, more: &[(&str, &str)], body: &[u8]) -> Result<Payload, Reason> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed},Signature={signature}"
    );
    let mut headers = vec![("Host", "examplebucket.s3.amazonaws.com"), ("Authorization", &authorization)];
    headers.extend(more);
    verify(method, uri, &headers, body, SECRET, THEN)
}

#[test]
fn s3_get_object_with_a_range() {
    let headers = [("Range", "bytes=0-9"), ("x-amz-content-sha256", NOTHING), ("x-amz-date", "20130524T000000Z")];
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    assert!(s3("GET", "/test.txt", "host;range;x-amz-content-sha256;x-amz-date", signature, &headers, b"").is_ok());
}

#[test]
fn s3_put_object_dated_by_date() {
    let headers = [
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ];
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    let signed = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    assert!(s3("PUT", "/test%24file.text", signed, signature, &headers, b"Welcome to Amazon S3.").is_ok());
    let swapped = s3("PUT", "/test%24file.text", signed, signature, &headers, b"Welcome to Amazon S4.");
    assert!(matches!(swapped, Err(Reason::ContentHash { .. })));
}

#[test]
fn s3_get_bucket_lifecycle_a_parameter_without_a_value() {
    let headers = [("x-amz-content-sha256", NOTHING), ("x-amz-date", "20130524T000000Z")];
    let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    assert!(s3("GET", "/?lifecycle", "host;x-amz-content-sha256;x-amz-date", signature, &headers, b"").is_ok());
}

#[test]
fn s3_list_objects() {
    let headers = [("x-amz-content-sha256", NOTHING), ("x-amz-date", "20130524T000000Z")];
    let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    assert!(s3("GET", "/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date", signature, &headers, b"").is_ok());
    assert!(
        s3("GET", "/?prefix=J&max-keys=2", "host;x-amz-content-sha256;x-amz-date", signature, &headers, b"").is_ok(),
        "in another order"
    );
}

#[test]
fn s3_presigned_get() {
    let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let headers = [("host", "examplebucket.s3.amazonaws.com")];
    assert_eq!(verify("GET", uri, &headers, b"", SECRET, THEN + 86_400), Ok(Payload::Unsigned));
    let expired = verify("GET", uri, &headers, b"", SECRET, THEN + 86_401);
    assert_eq!(expired, Err(Reason::Expired { at: THEN, now: THEN + 86_401, lifetime: 86_400, asked: 86_400 }));
    assert_eq!(verify("GET", &uri.replace("%2F", "/"), &headers, b"", SECRET, THEN), Ok(Payload::Unsigned), "slashes need no encoding");
}
