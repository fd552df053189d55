//! Trust policies on their way in and out. A user or role that one names is kept by its unique id: deleted and made again under its name it is
//! another one, and the document then shows the id. Accounts, sessions and services stay as they are written.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.

use crate::Error;
use crate::documents::{EncodedDocument, PolicyDocument};
use arn::{Arn, IdKind, UniqueId};
use identities::{RoleName, RoleRecord, ServiceName, ServiceRecord, TrustPolicy, UserName, UserRecord};
use policy::{Document, Kind, Place};
use serde_json::Value;
use store::{Mode, SHARED, StoreError, Tx};

/// The longest trust policy, in characters that are not white space.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const LONGEST: u64 = 2_048;

/// A trust policy that may be saved, with whom it means. `tx` looks at the role's account.
pub(crate) async fn saved<M: Mode>(tx: &Tx<M>, text: &PolicyDocument) -> Result<TrustPolicy, Error> {
    let document = text.checked(Kind::Trust)?;
    if u64::try_from(document.size()).is_ok_and(|size| size > LONGEST) {
        return Err(Error::Quota { name: "ACLSizePerRole", limit: LONGEST });
    }
    for service in services(text.as_str()) {
        if !is_service(&service) && !is_registered(tx, &service).await? {
            return Err(nobody("SERVICE", &service));
        }
    }
    let mut pinned: Vec<(Arn, UniqueId)> = Vec::new();
    for principal in document.principals() {
        let whom = means(tx, principal.text).await?.ok_or_else(|| nobody("AWS", principal.text))?;
        if let Whom::Entity(arn, id) = whom
            && pinned.iter().all(|(known, _)| *known != arn)
        {
            pinned.push((arn, id));
        }
    }
    Ok(TrustPolicy { document: document.text().to_owned(), pinned })
}

fn nobody(kind: &str, named: &str) -> Error {
    Error::MalformedDocument(format!("Invalid principal in policy: \"{kind}\":\"{named}\""))
}

/// Whom an AWS principal of a document means.
enum Whom {
    /// A user or role, named by its ARN.
    Entity(Arn, UniqueId),
    /// What is kept as it is written: everybody, an account, a session, somebody's unique id.
    AsWritten,
}

/// The grammar was checked before; what is left to find out is whether a user or role is there.
async fn means<M: Mode>(tx: &Tx<M>, text: &str) -> Result<Option<Whom>, StoreError> {
    if let Ok(id) = text.parse::<UniqueId>() {
        // Ids tell no account: those of this one are known here.
        return Ok(arn_of(tx, &id).await?.map(|_| Whom::AsWritten));
    }
    let Ok(arn) = text.parse::<Arn>() else { return Ok(Some(Whom::AsWritten)) };
    let Some(account) = arn.account_id().filter(|_| arn.partition() == "aws") else { return Ok(None) };
    if arn.service() != "iam" || arn.resource_type().is_none() {
        return Ok(Some(Whom::AsWritten));
    }
    let there = tx.in_account(&account.to_string());
    let name = arn.resource_name();
    let id = if arn.resource_type() == Some("role") {
        let Ok(name) = name.parse::<RoleName>() else { return Ok(None) };
        there.find(RoleRecord::BY_NAME, &name).await?.filter(|role| role.arn(account) == arn).map(|role| role.id)
    } else {
        let Ok(name) = name.parse::<UserName>() else { return Ok(None) };
        there.find(UserRecord::BY_NAME, &name).await?.filter(|user| user.arn(account) == arn).map(|user| user.id)
    };
    Ok(id.map(|id| Whom::Entity(arn, id)))
}

/// The ARN that the user or role with this id has now, if it is there. `tx` looks at its account.
async fn arn_of<M: Mode>(tx: &Tx<M>, id: &UniqueId) -> Result<Option<Arn>, StoreError> {
    let Ok(account) = tx.account().parse() else { return Ok(None) };
    Ok(if id.kind() == Some(IdKind::Role) {
        tx.get::<RoleRecord>(id).await?.map(|role| role.arn(account))
    } else {
        tx.get::<UserRecord>(id).await?.map(|user| user.arn(account))
    })
}

/// The services that a document names. It was checked before, so what has another shape is not there.
fn services(text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let each = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let statements = document.get("Statement").map(each).unwrap_or_default();
    let named = statements.iter().filter_map(|statement| statement.get("Principal")?.get("Service"));
    named.flat_map(each).filter_map(|service| service.as_str().map(str::to_owned)).collect()
}

/// AWS's own services are all called so. Which of these names belong to one changes with every week, so each of them is taken.
fn is_service(name: &str) -> bool {
    name.strip_suffix(".amazonaws.com").is_some_and(|service| {
        service
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
    })
}

/// Whether the operator registered a service of this name.
async fn is_registered<M: Mode>(tx: &Tx<M>, name: &str) -> Result<bool, StoreError> {
    let Ok(name) = name.parse::<ServiceName>() else { return Ok(false) };
    Ok(tx.in_account(SHARED).get::<ServiceRecord>(&name).await?.is_some())
}

/// A trust policy as it is shown: as it was sent, but for users and roles that are not called so any more. One that was renamed shows its new
/// ARN, one that is gone its id.
pub(crate) async fn shown<M: Mode>(tx: &Tx<M>, trust: &TrustPolicy) -> Result<EncodedDocument, StoreError> {
    let mut others = Vec::new();
    for (arn, id) in &trust.pinned {
        let there = tx.in_account(arn.account());
        match arn_of(&there, id).await? {
            Some(now) if now == *arn => {}
            Some(now) => others.push((arn, now.to_string())),
            None => others.push((arn, id.to_string())),
        }
    }
    Ok(EncodedDocument(renamed(&trust.document, &others)))
}

/// The document with other names for some of its principals, all else as it is written.
fn renamed(text: &str, others: &[(&Arn, String)]) -> String {
    let document = if others.is_empty() { None } else { Document::parse(text).ok() };
    let Some(document) = document else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut at = Place { line: 1, column: 1 };
    for principal in document.principals() {
        let Some((_, name)) = others.iter().find(|(arn, _)| arn.as_str() == principal.text) else { continue };
        let (before, from) = split(rest, &mut at, principal.place);
        let mut tokens = serde_json::Deserializer::from_str(from).into_iter::<String>();
        let Some(Ok(_)) = tokens.next() else { continue };
        let (token, after) = from.split_at_checked(tokens.byte_offset()).unwrap_or((from, ""));
        out.push_str(before);
        out.push_str(&Value::from(name.as_str()).to_string());
        let end = Place { line: u32::MAX, column: u32::MAX };
        let _ = split(token, &mut at, end);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Splits a text that begins at `at` before the character at `place`, and moves `at` there.
fn split<'t>(text: &'t str, at: &mut Place, place: Place) -> (&'t str, &'t str) {
    for (offset, c) in text.char_indices() {
        if *at >= place {
            return text.split_at_checked(offset).unwrap_or((text, ""));
        }
        *at = if c == '\n' { Place { line: at.line + 1, column: 1 } } else { Place { column: at.column + 1, ..*at } };
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_principals_that_changed_are_written_anew() {
        let text = "{ \"Statement\" :\n [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": [\"arn:aws:iam::111122223333:user\\/ü\",\n\t\"arn:aws:iam::111122223333:user/bob\", \"111122223333\"]},\
                    \"Action\": \"sts:AssumeRole\", \"Condition\": {\"StringEquals\": {\"aws:PrincipalArn\": \"arn:aws:iam::111122223333:user/bob\"}}}] }";
        let (one, bob): (Arn, Arn) =
            ("arn:aws:iam::111122223333:user/ü".parse().unwrap(), "arn:aws:iam::111122223333:user/bob".parse().unwrap());
        let others = [(&bob, "AIDA2".to_owned()), (&one, "AIDA1".to_owned())];
        let wanted = text.replace("\"arn:aws:iam::111122223333:user\\/ü\"", "\"AIDA1\"").replacen(
            "\"arn:aws:iam::111122223333:user/bob\"",
            "\"AIDA2\"",
            1,
        );
        assert_eq!(renamed(text, &others), wanted);
        assert_eq!(renamed(text, &[]), text);
    }

    #[test]
    fn services_are_found_wherever_they_may_stand() {
        let one = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
        assert_eq!(services(one), ["ec2.amazonaws.com"]);
        let many = r#"{"Statement": [{"Principal": {"Service": ["a.amazonaws.com", "b.c.amazonaws.com"]}}, {"Principal": "*"}, {"Principal": {"AWS": "*"}}]}"#;
        assert_eq!(services(many), ["a.amazonaws.com", "b.c.amazonaws.com"]);
    }

    #[test]
    fn services_are_awss() {
        for name in ["ec2.amazonaws.com", "ops.apigateway.amazonaws.com", "states.us-east-1.amazonaws.com"] {
            assert!(is_service(name), "{name}");
        }
        for name in [
            "nothing.example.com",
            "amazonaws.com",
            ".amazonaws.com",
            "ec2.amazonaws.com.example.com",
            "a..amazonaws.com",
            "x amazonaws.com",
        ] {
            assert!(!is_service(name), "{name}");
        }
    }
}
