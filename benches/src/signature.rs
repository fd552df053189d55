//! Verifying a signature, beside the bare hashes that it needs.

use crate::Problem;
use crate::alone::nanoseconds;
use crate::report::Report;
use crate::sign::{Key, Unsigned, headers, now};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sigv4::{Body, Request, SigningKey};
use std::hint::black_box;

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let key =
        Key { id: "AKIAIOSFODNN7EXAMPLE".into(), secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), token: Some("x".repeat(600)) };
    let body = b"Action=GetCallerIdentity&Version=2011-06-15";
    let unsigned = Unsigned {
        method: "POST",
        path: "/",
        host: "127.0.0.1:7650",
        service: "sts",
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        target: None,
        body,
    };
    let signed = headers(&unsigned, &key);
    let list: Vec<(&str, &[u8])> = signed.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = Request { method: "POST", uri: "/", headers: &list };
    let presented = sigv4::read(&request)?.ok_or("the request is signed")?;
    let scope = presented.scope;
    let day = SigningKey::derive(&key.secret, scope.date, scope.region, scope.service);
    let at = i64::try_from(now())?;
    presented.verify(&request, &day, Body::Bytes(body), at)?;
    let ours = nanoseconds(|| {
        let presented = sigv4::read(black_box(&request)).ok().flatten();
        black_box(presented.map(|presented| presented.verify(&request, &day, Body::Bytes(body), at)).is_some());
    });
    // What no verifier can do without: the body's hash, the canonical request's, and the HMAC of the string to sign.
    let canonical: usize =
        signed.iter().filter(|(name, _)| name != "authorization").map(|(name, value)| name.len() + value.len() + 2).sum::<usize>() + 150;
    let (canonical, text) = (vec![b'x'; canonical], vec![b'x'; 140]);
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32])?;
    let bare = nanoseconds(|| {
        black_box(Sha256::digest(black_box(body)));
        black_box(Sha256::digest(black_box(&canonical)));
        let mut mac = keyed.clone();
        mac.update(black_box(&text));
        black_box(mac.finalize());
    });
    report.line(
        "verifying a signature, day key cached",
        &format!("{ours:.0} ns, bare hashes {bare:.0} ns, {:.2} ×", ours / bare),
        "≤ 2 ×",
        ours / bare <= 2.0,
    );
    Ok(())
}
