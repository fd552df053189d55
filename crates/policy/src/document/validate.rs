//! The strict door: what AWS accepts on saving, and what it says otherwise. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>; for organizations
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html> and
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>.
//! Whether a principal exists is its service's to find out.

use std::collections::BTreeSet;

use super::read::Draft;
use super::{Document, Effect, Kind, Named, NamedBy, Operator, ParseError, Place, Principals, Spot, Statement, Texts, Version};
use crate::action::ActionPattern;
use crate::condition::is_savable;
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

impl Malformed {
    /// On saving, what could not be read is malformed too. Of permissions AWS does not say that they are no JSON.
    fn unread(error: ParseError, kind: Kind) -> Malformed {
        let message = if kind == Kind::Identity || kind == Kind::Boundary { SYNTAX } else { error.words };
        Malformed { message: message.into(), place: error.place }
    }
}

/// Which versions of the language a document may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// Any that there is, or none.
    Both,
    /// `2012-10-17` only.
    New,
}

type Valid = Result<(), Malformed>;

fn malformed(message: impl ToString, place: Place) -> Valid {
    Err(Malformed { message: message.to_string(), place })
}

/// AWS's words for what it has no better words for.
const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const NO_VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

pub(super) fn saved(draft: Result<Draft, ParseError>, kind: Kind, versions: Versions) -> Result<Document, Malformed> {
    let Draft { document: read, miscased } = draft.map_err(|error| Malformed::unread(error, kind))?;
    document(&read, miscased, kind, versions)?;
    Ok(read)
}

/// AWS looks at the whole document for one thing after the other, so that which of two faults is told does not depend on which stands first.
/// `miscased` is the place of an `Effect` that is right but for its case.
pub(super) fn document(document: &Document, miscased: Option<Place>, kind: Kind, versions: Versions) -> Valid {
    let start = Place { line: 1, column: 1 };
    let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}');
    if let Some(place) = first(document.text(), |c| !is_taken(c)) {
        return malformed(SYNTAX, place);
    }
    if let Some(id) = document.id.as_ref()
        && kind == Kind::ServiceControl
    {
        return malformed("Has prohibited field Id", id.place);
    }
    if document.statements.is_empty() {
        return malformed(SYNTAX, start);
    }
    let version = document.version;
    let each = |look: &dyn Fn(&Statement) -> Valid| document.statements.iter().try_for_each(look);
    each(&|statement| operators(statement, kind))?;
    each(&|statement| principals(statement, kind))?;
    if versions == Versions::New && version == Version::Old {
        return malformed("Policy document must be version 2012-10-17 or greater.", start);
    }
    if let Some(place) = miscased {
        return malformed(LEGACY, place);
    }
    each(&|statement| values(statement, version))?;
    each(&|statement| legacy_resources(statement, kind, version))?;
    let mut sids = BTreeSet::new();
    document.statements.iter().try_for_each(|statement| sid(statement, kind, &mut sids))?;
    each(&has_actions)?;
    each(&|statement| has_resources(statement, kind))?;
    each(&|statement| resources(statement, kind, version))?;
    each(&|statement| actions(statement, kind))
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

fn has_actions(statement: &Statement) -> Valid {
    let Texts { place, list, .. } = &statement.actions;
    if list.is_empty() { malformed("Policy statement must contain actions.", *place) } else { Ok(()) }
}

/// What a trust policy may allow.
const TRUSTED: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

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
        if !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            return malformed(format_args!("Vendor {vendor} is not valid"), *place);
        }
        // In permissions AWS takes any name; one that is no action's covers nothing.
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '_' | '-' | '.' | '/');
        if name.is_empty() || !(kind.is_of_identities() || name.chars().all(is_name)) {
            return malformed(LEGACY, *place);
        }
        let pattern = ActionPattern::new(text, true);
        if kind == Kind::Trust && !TRUSTED.iter().any(|action| pattern.covers(&action.to_ascii_lowercase())) {
            return malformed("AssumeRole policy may only specify STS AssumeRole actions.", *place);
        }
    }
    Ok(())
}

fn has_resources(statement: &Statement, kind: Kind) -> Valid {
    match (&statement.resources, kind) {
        // Some services' resource policies leave out what they stand on.
        (None, Kind::Trust | Kind::Resource) => Ok(()),
        (Some(Texts { not, place, .. }), Kind::Trust) => {
            malformed(format_args!("Has prohibited field {}Resource", if *not { "Not" } else { "" }), *place)
        }
        (None, Kind::Identity | Kind::Boundary | Kind::Session | Kind::Endpoint | Kind::ServiceControl | Kind::ResourceControl) => {
            malformed("Policy statement must contain resources.", statement.start)
        }
        (
            Some(Texts { place, list, .. }),
            Kind::Identity
            | Kind::Boundary
            | Kind::Session
            | Kind::Resource
            | Kind::Endpoint
            | Kind::ServiceControl
            | Kind::ResourceControl,
        ) => {
            if list.is_empty() {
                malformed("Policy statement must contain resources.", *place)
            } else {
                Ok(())
            }
        }
    }
}

/// The resources of a statement that are not `*`, cut into their parts.
fn parted(statement: &Statement, version: Version) -> impl Iterator<Item = (&Spot, Vec<&str>)> {
    let dollar = if version == Version::New { Dollar::Variable } else { Dollar::Plain };
    let listed = statement.resources.iter().flat_map(|resources| &resources.list).filter(|spot| &*spot.text != "*");
    listed.map(move |spot| (spot, pattern::parts(&spot.text, dollar)))
}

/// What AWS's older reader cannot take. It does not come to look at a statement in which the newer one finds a fault.
fn legacy_resources(statement: &Statement, kind: Kind, version: Version) -> Valid {
    if kind == Kind::Trust {
        return Ok(());
    }
    if kind.is_of_identities() && parted(statement, version).any(|(spot, parts)| fault(&spot.text, &parts).is_some()) {
        return Ok(());
    }
    let is_legacy = |spot: &Spot, parts: &[&str]| {
        let is_cut = parts.len() < 6 && spot.text.contains("::");
        let is_nobodys = parts.get(2).is_some_and(|service| service.is_empty());
        (kind.is_of_identities() && (is_cut || is_nobodys)) || (version == Version::New && pattern::is_broken(&spot.text))
    };
    match parted(statement, version).find(|(spot, parts)| is_legacy(spot, parts)) {
        Some((spot, _)) => malformed(LEGACY, spot.place),
        None => Ok(()),
    }
}

fn resources(statement: &Statement, kind: Kind, version: Version) -> Valid {
    for (Spot { text, place }, parts) in parted(statement, version) {
        if kind.is_of_identities() {
            if let Some(fault) = fault(text, &parts) {
                return malformed(fault, *place);
            }
            continue;
        }
        let ["arn", partition, ..] = parts.as_slice() else { return malformed(no_arn(text), *place) };
        if parts.len() < 6 {
            return malformed(no_arn(text), *place);
        }
        if !partition.contains(['*', '?']) && partition.split('-').next() != Some("aws") {
            return malformed(no_partition(partition, text), *place);
        }
    }
    Ok(())
}

fn no_arn(text: &str) -> String {
    format!("Resource {text} must be in ARN format or \"*\".")
}

fn no_partition(partition: &str, shown: &str) -> String {
    format!("Partition \"{partition}\" is not valid for resource \"{shown}\".")
}

/// What the names of IAM's own resources begin with.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Younger ones, which AWS's sentence does not name.
const MORE_IAM_PATHS: [&str; 2] = ["delegation-request/", "u2f/"];

/// What AWS has against a resource of permissions. Parts that are left out at the end stand for anything.
fn fault(text: &str, parts: &[&str]) -> Option<String> {
    let has_wildcard = |part: &str| part.contains(['*', '?']);
    let part = |at: usize| parts.get(at).copied();
    let (Some(partition), Some(first)) = (part(1), part(0)) else { return Some(no_arn(text)) };
    if partition != "aws" && !has_wildcard(partition) {
        let shown = |at: usize| part(at).filter(|part| !part.is_empty() || parts.len() > 3).unwrap_or("*");
        let shown = format!("arn:{partition}:{}:{}:{}:{}", shown(2), shown(3), shown(4), shown(5));
        return Some(no_partition(partition, &shown));
    }
    let Some(service) = part(2).filter(|service| !has_wildcard(service)) else {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".into());
    };
    if first != "arn" {
        return Some(no_arn(text));
    }
    let region = part(3).unwrap_or_default();
    match service {
        "iam" if !region.is_empty() && !has_wildcard(region) => Some(format!("IAM resource {text} cannot contain region information.")),
        "iam" => {
            let name = part(5).unwrap_or_default();
            let is_known = matches!(name, "*" | "root") || IAM_PATHS.iter().chain(&MORE_IAM_PATHS).any(|path| name.starts_with(path));
            // What is cut off is told by the older reader.
            let is_cut = parts.len() < 6 && text.contains("::");
            let paths = || IAM_PATHS.join(", ");
            (!is_known && !is_cut).then(|| format!("IAM resource path must either be \"*\", root, or start with {}.", paths()))
        }
        // Buckets have neither region nor account; what has a region has an account as well.
        "s3" if !region.is_empty() && part(4).unwrap_or_default().is_empty() => {
            Some(format!("Resource {text} can not contain region information."))
        }
        _ => None,
    }
}

/// An operator that nobody knows is taken where no key stands under it.
fn operators(statement: &Statement, kind: Kind) -> Valid {
    let is_unknown = |operator: &&Operator| !operator.keys.is_empty() && is_savable(&operator.name.text).is_none();
    match statement.conditions.iter().find(is_unknown) {
        None => Ok(()),
        Some(Operator { name, .. }) if kind.is_of_identities() => malformed(SYNTAX, name.place),
        Some(Operator { name, .. }) => malformed(format_args!("Invalid Condition type : {}.", name.text), name.place),
    }
}

/// Keys may have any name.
fn values(statement: &Statement, version: Version) -> Valid {
    for operator in &statement.conditions {
        let Some(is_savable) = is_savable(&operator.name.text) else { continue };
        let mut values = operator.keys.iter().flat_map(|key| &key.values);
        let is_broken = |value: &Spot| version == Version::New && pattern::is_broken(&value.text);
        if let Some(value) = values.find(|value| !is_savable(&value.text) || is_broken(value)) {
            return malformed(LEGACY, value.place);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
