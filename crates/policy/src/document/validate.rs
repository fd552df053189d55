//! The strict door: what AWS accepts on saving, and what it says otherwise. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>; for organizations
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html> and
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>.
//! Whether a principal exists is its service's to find out.

use std::collections::BTreeSet;

use super::{Document, Effect, Kind, Named, NamedBy, ParseError, Place, Principals, Spot, Statement, Texts, Version};
use crate::condition::is_readable;
use crate::pattern::{self, Dollar};

/// AWS would not save it: the message of `MalformedPolicyDocument`, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    message: String,
    place: Place,
}

impl Malformed {
    /// Where in the document.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// On saving, what could not be read is malformed too.
impl From<ParseError> for Malformed {
    fn from(error: ParseError) -> Malformed {
        // A statement without actions is told as such: AWS has a sentence for it.
        let message = if error.what == crate::document::NO_ACTIONS { "Policy statement must contain actions." } else { error.words };
        Malformed { message: message.into(), place: error.place }
    }
}

type Valid = Result<(), Malformed>;

fn malformed(message: impl ToString, place: Place) -> Valid {
    Err(Malformed { message: message.to_string(), place })
}

/// AWS's words for what it has no better words for.
const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const NO_VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

pub(super) fn document(document: &Document, kind: Kind) -> Valid {
    let start = Place { line: 1, column: 1 };
    let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}');
    if let Some(place) = first(document.text(), |c| !is_taken(c)) {
        return malformed(SYNTAX, place);
    }
    if let Some(id) = document.id.as_ref()
        && kind.is_of_principals()
    {
        return malformed("Has prohibited field Id", id.place);
    }
    if document.statements.is_empty() {
        return malformed(SYNTAX, start);
    }
    let mut sids = BTreeSet::new();
    for statement in &document.statements {
        sid(statement, kind, &mut sids)?;
        principals(statement, kind)?;
        actions(statement, kind)?;
        resources(statement, kind, document.version)?;
        conditions(statement, document.version)?;
    }
    Ok(())
}

/// The place of the first character that is wrong.
fn first(text: &str, is_wrong: impl Fn(char) -> bool) -> Option<Place> {
    let mut place = Place { line: 1, column: 1 };
    for c in text.chars() {
        if is_wrong(c) {
            return Some(place);
        }
        place = if c == '\n' { Place { line: place.line + 1, column: 1 } } else { Place { column: place.column + 1, ..place } };
    }
    None
}

/// IAM takes letters and digits and each one once; other services take more.
fn sid<'d>(statement: &'d Statement, kind: Kind, seen: &mut BTreeSet<&'d str>) -> Valid {
    let Some(Spot { text, place }) = statement.sid.as_ref().filter(|sid| !sid.text.is_empty()) else { return Ok(()) };
    let is_strict = kind.is_of_principals() || matches!(kind, Kind::Trust | Kind::ResourceControl);
    if is_strict && !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            *place,
        );
    }
    if !seen.insert(text) {
        return malformed("Statement IDs (SID) in a single policy must be unique.", *place);
    }
    Ok(())
}

fn principals(statement: &Statement, kind: Kind) -> Valid {
    let Some(element) = &statement.principals else {
        return match kind {
            Kind::Identity | Kind::Boundary | Kind::Session | Kind::ServiceControl => Ok(()),
            Kind::Trust | Kind::Resource | Kind::Endpoint | Kind::ResourceControl => {
                malformed("Missing required field Principal", statement.start)
            }
        };
    };
    match kind {
        Kind::Identity | Kind::Boundary | Kind::Session => malformed("Policy document should not specify a principal.", element.place),
        Kind::ServiceControl => {
            malformed(format_args!("Has prohibited field {}Principal", if element.not { "Not" } else { "" }), element.place)
        }
        Kind::Trust | Kind::ResourceControl if element.not => malformed("Has prohibited field NotPrincipal", element.place),
        Kind::ResourceControl if !element.everyone => malformed("Invalid principal in policy", element.place),
        Kind::ResourceControl => Ok(()),
        Kind::Trust | Kind::Resource | Kind::Endpoint => {
            // Today NotPrincipal is for Deny only.
            if element.not && statement.effect == Effect::Allow {
                return malformed("Has prohibited field NotPrincipal", element.place);
            }
            named(element, kind)
        }
    }
}

fn named(element: &Principals, kind: Kind) -> Valid {
    if element.list.is_empty() && !element.everyone {
        return malformed("Invalid principal in policy", element.place);
    }
    for Named { by, spot, .. } in &element.list {
        let (word, is_right) = match by {
            NamedBy::Aws => ("AWS", is_aws_principal(&spot.text)),
            NamedBy::Service => ("SERVICE", is_host(&spot.text)),
            NamedBy::Federated => ("FEDERATED", is_provider(&spot.text)),
            NamedBy::CanonicalUser => ("CANONICALUSER", kind != Kind::Trust && !spot.text.contains(['*', '?'])),
        };
        if !is_right {
            return malformed(format_args!("Invalid principal in policy: \"{word}\":\"{}\"", spot.text), spot.place);
        }
    }
    Ok(())
}

fn is_aws_principal(text: &str) -> bool {
    if text == "*" || text.parse::<arn::AccountId>().is_ok() || text.parse::<arn::UniqueId>().is_ok_and(|id| id.kind().is_some()) {
        return true;
    }
    let Ok(arn) = text.parse::<arn::Arn>() else { return false };
    // CloudFront's identities stand in an account of their own that is no number.
    let has_account = arn.account_id().is_some() || arn.account() == "cloudfront";
    let is_kind = match (arn.service(), arn.resource().split_once('/')) {
        ("iam", None) => arn.resource() == "root",
        ("iam", Some((kind, name))) => matches!(kind, "user" | "role") && !name.is_empty(),
        ("sts", Some(("assumed-role", name))) => name.split('/').filter(|part| !part.is_empty()).count() == 2,
        ("sts", Some((kind, name))) => kind == "federated-user" && !name.is_empty(),
        _ => false,
    };
    has_account && is_kind && arn.region().is_empty() && !text.contains(['*', '?']) && !text.contains("${")
}

fn is_host(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

fn is_provider(text: &str) -> bool {
    let is_arn = |arn: arn::Arn| arn.service() == "iam" && matches!(arn.resource_type(), Some("saml-provider" | "oidc-provider"));
    let is_known = is_host(text) || text.parse().is_ok_and(is_arn);
    is_known && !text.contains(['*', '?'])
}

fn actions(statement: &Statement, kind: Kind) -> Valid {
    let Texts { not, place, list, .. } = &statement.actions;
    match kind {
        Kind::Trust if *not => return malformed("AssumeRole policy may only specify STS AssumeRole actions.", *place),
        Kind::ResourceControl if *not => return malformed("Has prohibited field NotAction", *place),
        Kind::ResourceControl if statement.effect == Effect::Allow => return malformed(SYNTAX, statement.effect_place),
        Kind::Identity
        | Kind::Boundary
        | Kind::Session
        | Kind::Trust
        | Kind::Resource
        | Kind::Endpoint
        | Kind::ServiceControl
        | Kind::ResourceControl => {}
    }
    for Spot { text, place } in list {
        if &**text == "*" {
            match kind {
                Kind::Trust => return malformed("AssumeRole policy may only specify STS AssumeRole actions.", *place),
                Kind::ResourceControl => return malformed(SYNTAX, *place),
                Kind::Identity | Kind::Boundary | Kind::Session | Kind::Resource | Kind::Endpoint | Kind::ServiceControl => continue,
            }
        }
        let Some((vendor, name)) = text.split_once(':').filter(|(vendor, _)| !vendor.is_empty()) else {
            return malformed(NO_VENDOR, *place);
        };
        if name.contains(':') {
            return malformed("Actions/Condition can contain only one colon.", *place);
        }
        if !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return malformed(format_args!("Vendor {vendor} is not valid"), *place);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '_' | '-' | '.' | '/');
        if name.is_empty() || !name.chars().all(is_name) {
            return malformed(LEGACY, *place);
        }
        if kind == Kind::Trust && !vendor.eq_ignore_ascii_case("sts") {
            return malformed("AssumeRole policy may only specify STS AssumeRole actions.", *place);
        }
    }
    Ok(())
}

fn resources(statement: &Statement, kind: Kind, version: Version) -> Valid {
    let Some(Texts { not, place, list, .. }) = &statement.resources else {
        return match kind {
            // Some services' resource policies leave out what they stand on.
            Kind::Trust | Kind::Resource => Ok(()),
            Kind::Identity | Kind::Boundary | Kind::Session | Kind::Endpoint | Kind::ServiceControl | Kind::ResourceControl => {
                malformed("Policy statement must contain resources.", statement.start)
            }
        };
    };
    if kind == Kind::Trust {
        return malformed(format_args!("Has prohibited field {}Resource", if *not { "Not" } else { "" }), *place);
    }
    if list.is_empty() {
        return malformed("Policy statement must contain resources.", *place);
    }
    for Spot { text, place } in list {
        if &**text == "*" {
            continue;
        }
        let dollar = if version == Version::New { Dollar::Variable } else { Dollar::Plain };
        let parts = pattern::parts(text, dollar);
        let ["arn", partition, service, region, _, _] = parts.as_slice() else {
            return malformed(format_args!("Resource {text} must be in ARN format or \"*\"."), *place);
        };
        let is_partition = partition.contains(['*', '?']) || partition.split('-').next() == Some("aws");
        if !is_partition {
            return malformed(format_args!("Partition \"{partition}\" is not valid for resource \"{text}\"."), *place);
        }
        if *service == "iam" && !region.is_empty() && !region.contains(['*', '?']) {
            return malformed("IAM resource ARN cannot contain region information.", *place);
        }
        if version == Version::New && pattern::is_broken(text) {
            return malformed(LEGACY, *place);
        }
    }
    Ok(())
}

fn conditions(statement: &Statement, version: Version) -> Valid {
    for operator in &statement.conditions {
        let Some(is_readable) = is_readable(&operator.name.text) else {
            return malformed(format_args!("Invalid Condition type : {}.", operator.name.text), operator.name.place);
        };
        for key in &operator.keys {
            if !key.name.text.contains(':') {
                return malformed(NO_VENDOR, key.name.place);
            }
            if let Some(value) = key.values.iter().find(|value| !is_readable(&value.text)) {
                return malformed(SYNTAX, value.place);
            }
            if version == Version::New
                && let Some(value) = key.values.iter().find(|value| pattern::is_broken(&value.text))
            {
                return malformed(LEGACY, value.place);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
