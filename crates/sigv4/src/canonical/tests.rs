use std::collections::BTreeMap;

use super::*;

fn written(sent: &str, form: Form) -> Option<String> {
    let mut sink = Vec::new();
    query(&mut sink, sent, form).ok()?;
    Some(String::from_utf8(sink).unwrap())
}

/// The same as the rule says it: decode, encode, sort, join. A bare plus is the one character that stays what it is.
fn plainly(sent: &str) -> Option<String> {
    let encode = |text: &str| {
        let pieces = text.split('+').map(|text| Some(percent::decode(text)?.bytes().map(encoded).collect::<String>()));
        pieces.collect::<Option<Vec<String>>>().map(|pieces| pieces.join("+"))
    };
    let pairs =
        sent.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| Some((encode(name)?, encode(value)?)));
    let mut pairs = pairs.collect::<Option<Vec<_>>>()?;
    pairs.sort();
    Some(pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

fn encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[test]
fn queries_are_written_as_the_rule_says() {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        "A",
        "-",
        ".",
        "~",
        "+",
        "%2B",
        "%20",
        "%2F",
        "%2f",
        "%61",
        "%7E",
        "%25",
        "%C3%A9",
        "=",
        "=",
        "&",
        "&",
        "é",
        "/",
        "ab",
        "X-Amz-Date",
        ":",
    ];
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice| {
        let sent: String = choice.iter().map(|piece| PIECES[usize::from(*piece) % PIECES.len()]).collect();
        assert_eq!(written(&sent, Form::Header), plainly(&sent), "{sent}");
    });
}

#[test]
fn few_and_many_parameters_are_sorted_alike() {
    for count in [1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
        let pairs: BTreeMap<String, String> = (0..count).map(|n| (format!("k{:03}", n * 7 % count), format!("v{n}"))).collect();
        let right = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let sent = pairs.iter().rev().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        assert_eq!(written(&sent, Form::Header), Some(right));
    }
}

#[test]
fn only_the_signature_of_a_presigned_url_is_left_out() {
    let sent = "X-Amz-Signature=abc&a=1&x-amz-signature=def";
    assert_eq!(written(sent, Form::Query { expires: 60 }).as_deref(), Some("a=1&x-amz-signature=def"));
    assert_eq!(written(sent, Form::Header).as_deref(), Some("X-Amz-Signature=abc&a=1&x-amz-signature=def"));
}

#[test]
fn pieces_longer_than_the_buffer_are_hashed_in_their_order() {
    use sha2::{Digest, Sha256};
    let pieces: Vec<Vec<u8>> = [0, 1, 7, 8, 9, 3, 16, 30, 8, 1, 64, 5].iter().map(|length| (0..*length).collect()).collect();
    let mut hash = Sha256::new();
    let mut sink = Hashing::<_, 8>::new(&mut hash);
    let mut whole = Vec::new();
    for piece in &pieces {
        sink.put(piece);
        sink.byte(b'|');
        whole.extend_from_slice(piece);
        whole.push(b'|');
    }
    sink.flush();
    assert_eq!(hash.finalize(), Sha256::digest(whole));
}

#[test]
fn blanks_are_trimmed_and_collapsed() {
    let trim = |value: &[u8]| {
        let mut sink = Vec::new();
        trimmed(&mut sink, value).ok().map(|()| sink)
    };
    for (value, right) in
        [("", ""), ("a", "a"), ("  a   b\t\tc ", "a b c"), (" ", ""), ("\"a   b\"", "\"a b\""), ("a,  b", "a, b"), ("é  é", "é é")]
    {
        assert_eq!(trim(value.as_bytes()).as_deref(), Some(right.as_bytes()), "{value:?}");
    }
    for value in ["a\nb", "a\rb", "\0", "a\u{7f}", "\u{b}a"] {
        assert_eq!(trim(value.as_bytes()), None, "{value:?}");
    }
}
