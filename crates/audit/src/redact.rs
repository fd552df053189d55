//! What never reaches the trail. This is the one table: members of requests and answers by name, and parameters inside of URLs.
//!
//! A name is compared whatever its case, so the model's `SecretAccessKey`, the record's `secretAccessKey` and a URL's `SECRETACCESSKEY` are
//! one. Source of the members: the AWS service models, and CloudTrail's rule that passwords, keys, codes and tokens are not logged.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in the place of a value that is not shown; CloudTrail's own words.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// What happens to a member of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is shown.
    Keep,
    /// Its name is shown, its value is not.
    Hide,
    /// It is left out, name and all.
    LeaveOut,
}

/// The longest name of the table.
const LONGEST: usize = 32;

/// The fate of a member, or of a parameter of a URL.
pub fn fate(name: &str) -> Fate {
    let mut buffer = [0; LONGEST];
    let Some(lower) = buffer.get_mut(..name.len()) else { return of_suffix(name) };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        // Passwords and long-term secrets of IAM.
        b"password" | b"newpassword" | b"oldpassword" | b"servicepassword" | b"servicecredentialsecret" => Fate::LeaveOut,
        b"secretaccesskey" | b"privatekey" | b"addprivatekey" | b"base32stringseed" | b"qrcodepng" => Fate::LeaveOut,
        // One-time codes.
        b"authenticationcode1" | b"authenticationcode2" | b"tokencode" | b"mfacode" | b"otp" => Fate::LeaveOut,
        // Tokens of sessions and of identity providers.
        b"sessiontoken" | b"sessionkey" | b"samlassertion" | b"samlresponse" | b"webidentitytoken" | b"signintoken" | b"tradeintoken"
        | b"exchangetoken" => Fate::LeaveOut,
        b"x-amz-security-token" | b"x-amz-signature" | b"signature" | b"authorization" | b"cookie" => Fate::Hide,
        // Identity Center's OIDC and sign-in.
        b"clientsecret" | b"client_secret" | b"accesstoken" | b"access_token" | b"refreshtoken" | b"refresh_token" => Fate::Hide,
        b"idtoken" | b"id_token" | b"devicecode" | b"device_code" | b"codeverifier" | b"code_verifier" => Fate::Hide,
        b"assertion" | b"subjecttoken" | b"subject_token" | b"actortoken" | b"actor_token" | b"bearertoken" => Fate::Hide,
        // What a policy on passwords is about is no password.
        b"allowuserstochangepassword" => Fate::Keep,
        _ => of_suffix(name),
    }
}

/// The net below the table: a member that nobody has listed yet, but whose name says what it is.
fn of_suffix(name: &str) -> Fate {
    const TELLING: [&str; 4] = ["password", "secret", "privatekey", "secretaccesskey"];
    let ends_with = |suffix: &&str| {
        let start = name.len().checked_sub(suffix.len());
        start.and_then(|start| name.as_bytes().get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    };
    if TELLING.iter().any(ends_with) { Fate::Hide } else { Fate::Keep }
}

/// Headers that are secrets, in lower case; in a canonical request they stand as `name:value`.
const HEADERS: [&str; 4] = ["x-amz-security-token", "x-amz-signature", "authorization", "cookie"];

/// How far before a `=` its name may begin: longer ones are no names of the table, and the search stays linear.
const FARTHEST: usize = 128;

/// `text` with every secret hidden that it holds beside its name: in the query of a URL, also one that is encoded inside of another, in the
/// canonical request that an error's message shows, in an `Authorization` header, as a member of JSON, and in a message about a value that
/// was refused. Texts without any come back as they are.
pub fn text(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    // Up to here the text is in `clean`, or is known to have nothing to hide.
    let mut done = 0;
    let mut at = 0;
    while let Some(next) = memchr::memchr3(b'=', b':', b'%', text.as_bytes().get(at..).unwrap_or_default()).map(|found| at + found) {
        at = next + 1;
        let Some(secret) = assigned(text, next) else { continue };
        // What is hidden already may contain further separators.
        if secret.start >= done && !secret.is_empty() {
            clean.push_str(text.get(done..secret.start).unwrap_or_default());
            clean.push_str(HIDDEN);
            done = secret.end;
            at = at.max(done);
        }
    }
    let clean = if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(clean + text.get(done..).unwrap_or_default()) };
    private_keys(refused_values(clean))
}

/// PEM's private keys, also where another thing was asked for: whoever sends one in a certificate's place must not find it in a record.
/// One that does not end is hidden to the end of the text.
fn private_keys(text: Cow<'_, str>) -> Cow<'_, str> {
    const BEGIN: &str = "-----BEGIN ";
    const KIND: &str = "PRIVATE KEY-----";
    if memchr::memmem::find(text.as_bytes(), KIND.as_bytes()).is_none() {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((before, begun)) = rest.split_once(BEGIN) {
        clean.push_str(before);
        // What a block is stands on its first line.
        let label = begun.get(..begun.find("-----").unwrap_or(begun.len())).unwrap_or_default();
        if !label.ends_with("PRIVATE KEY") {
            clean.push_str(BEGIN);
            rest = begun;
            continue;
        }
        clean.push_str(HIDDEN);
        let inside = begun.get(label.len()..).and_then(|inside| inside.strip_prefix("-----")).unwrap_or_default();
        rest = inside.split_once("-----END ").and_then(|(_, end)| end.split_once("-----")).map_or("", |(_, after)| after);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// Where the value is that the separator at `at` gives to a secret name.
fn assigned(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let after = |separator: &str| {
        text.get(at..).and_then(|rest| rest.get(..separator.len())).is_some_and(|start| start.eq_ignore_ascii_case(separator))
    };
    if after("=") {
        return ends_in_secret_name(before, &["session"]).then(|| value(text, at + 1, false));
    }
    if after(":") {
        return match before.bytes().next_back() {
            // What these names end in; ARNs have colons too, and are many.
            Some(b'n' | b'e' | b'N' | b'E') => header(text, at),
            Some(b'"' | b' ') => member(text, at),
            _ => None,
        };
    }
    for separator in ["%3d", "%253d"] {
        if after(separator) {
            return ends_in_secret_name(before, &["session"]).then(|| value(text, at + separator.len(), true));
        }
    }
    None
}

/// Where the value is of a header that is a secret, if that is what the colon at `at` ends.
fn header(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let header = HEADERS.iter().find(|header| ends_with(before, header))?;
    if before.len().checked_sub(header.len() + 1).is_some_and(|byte| is_of_name(before, byte)) {
        return None;
    }
    let start = at + 1;
    let rest = text.get(start..)?;
    // A token has no spaces in it, while a cookie or a scheme with its credentials does.
    let length = if header.starts_with("x-") { value(text, start, false).len() } else { rest.find('\n').unwrap_or(rest.len()) };
    Some(start..start + length)
}

/// Where the value is of a member of JSON that is a secret, if that is what the colon at `at` ends.
fn member(text: &str, at: usize) -> Option<Range<usize>> {
    let unquoted = text.get(..at)?.trim_end().strip_suffix('"')?;
    let unquoted = unquoted.strip_suffix('\\').unwrap_or(unquoted);
    let name = plain_name(unquoted);
    let whole = unquoted.strip_suffix(name)?.ends_with('"');
    (whole && fate(name) != Fate::Keep).then(|| value(text, at + 1, false))
}

fn ends_with(text: &str, end: &str) -> bool {
    let tail = text.len().checked_sub(end.len()).and_then(|start| text.as_bytes().get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

fn is_of_name(text: &str, byte: usize) -> bool {
    text.as_bytes().get(byte).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The name at the end of `text`, without its encoding if it has one.
fn plain_name(text: &str) -> &str {
    let name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    text.get(text.trim_end_matches(name).len()..).unwrap_or_default()
}

/// Whether `text` ends in the name of a secret, of which any part may be percent-encoded, once or several times.
fn ends_in_secret_name(text: &str, and: &[&str]) -> bool {
    let mut near = [0; FARTHEST];
    let bytes = text.as_bytes();
    let start = bytes.len().saturating_sub(FARTHEST);
    let tail = bytes.get(start..).unwrap_or_default();
    let mut length = tail.len();
    near.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    while let Some(shorter) = near.get_mut(..length).and_then(decode) {
        length = shorter;
    }
    let of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let decoded = near.get(..length).unwrap_or_default();
    let name = decoded.get(length - decoded.iter().rev().take_while(of_name).count()..).unwrap_or_default();
    std::str::from_utf8(name).is_ok_and(|name| fate(name) != Fate::Keep || and.iter().any(|other| name.eq_ignore_ascii_case(other)))
}

/// Decodes every `%XX` once, in place, and says how many bytes are left; none if there was none.
fn decode(bytes: &mut [u8]) -> Option<usize> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let (mut from, mut to, mut changed) = (0, 0, false);
    while let Some(byte) = bytes.get(from).copied() {
        let pair = (byte == b'%').then(|| Some(digit(bytes.get(from + 1))? * 16 + digit(bytes.get(from + 2))?)).flatten();
        let decoded = pair.and_then(|pair| u8::try_from(pair).ok());
        if let Some(place) = bytes.get_mut(to) {
            *place = decoded.unwrap_or(byte);
        }
        changed |= decoded.is_some();
        from += if decoded.is_some() { 3 } else { 1 };
        to += 1;
    }
    changed.then_some(to)
}

/// The extent of the value that begins at `start`: rather too much than too little.
fn value(text: &str, start: usize, encoded: bool) -> Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches(' ').len();
    let rest = rest.get(blank..).unwrap_or_default();
    let start = start + blank;
    for quote in ["\"", "\\\""] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let begin = start + quote.len();
            return begin..begin + quoted_length(quoted, quote);
        }
    }
    let ends = |character: char| character.is_whitespace() || matches!(character, '&' | '"' | '<' | '>');
    let mut length = rest.find(ends).unwrap_or(rest.len());
    if encoded {
        for separator in ["%26", "%2526"] {
            length = rest.find(separator).map_or(length, |end| end.min(length));
        }
    }
    start..start + length
}

/// How long a quoted value is: up to its closing quote that is not itself escaped.
fn quoted_length(quoted: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(end) = quoted.get(from..).and_then(|rest| rest.find(quote)).map(|found| from + found) {
        let backslashes = quoted.get(..end).unwrap_or_default().bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return end;
        }
        from = end + quote.len();
    }
    quoted.len()
}

/// AWS's words for a value that breaks a constraint repeat it: `Value 'abc' at 'password' failed to satisfy constraint`.
fn refused_values(text: Cow<'_, str>) -> Cow<'_, str> {
    const BEFORE: &str = "Value '";
    const BETWEEN: &str = "' at '";
    if memchr::memchr(b'\'', text.as_bytes()).is_none() || !text.contains(BETWEEN) {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((head, tail)) = rest.split_once(BETWEEN) {
        let path = tail.split('\'').next().unwrap_or_default();
        let name = path.rsplit('.').next().unwrap_or_default();
        match head.split_once(BEFORE).filter(|_| fate(name) != Fate::Keep) {
            Some((words, _)) => {
                clean.push_str(words);
                clean.push_str(BEFORE);
                clean.push_str(HIDDEN);
            }
            None => clean.push_str(head),
        }
        clean.push_str(BETWEEN);
        rest = tail;
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests;
