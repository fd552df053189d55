//! Who a record is about: CloudTrail's `userIdentity` element.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.

use arn::AccountId;

use crate::json::{bounded, write_escaped, write_text};
use crate::time;

/// Who called. Ids and ARNs are those of the caller's record; nothing here is what a caller says of itself, but where noted.
#[derive(Debug, Clone, Copy)]
pub enum UserIdentity<'a> {
    /// The account's root user, or a session that it made with GetSessionToken.
    Root {
        /// The account.
        account: AccountId,
        /// The key that signed; none for the console.
        access_key_id: Option<&'a str>,
        /// The account's alias, if it has one.
        alias: Option<&'a str>,
        /// Of temporary credentials.
        session: Option<Attributes>,
        /// The service that called for it.
        invoked_by: Option<&'a str>,
    },
    /// An IAM user, or a session that it made with GetSessionToken.
    IamUser {
        /// The unique id, `AIDA…`.
        id: &'a str,
        /// The user's ARN.
        arn: &'a str,
        /// The user's account.
        account: AccountId,
        /// The key that signed; none for the console.
        access_key_id: Option<&'a str>,
        /// The user's name.
        name: &'a str,
        /// Of temporary credentials.
        session: Option<Attributes>,
        /// The service that called for it.
        invoked_by: Option<&'a str>,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's unique id, `AROA…`.
        role_id: &'a str,
        /// The session's name.
        session_name: &'a str,
        /// The session's ARN, `arn:aws:sts::…:assumed-role/ROLE/SESSION`.
        arn: &'a str,
        /// The role's account.
        account: AccountId,
        /// The temporary key that signed.
        access_key_id: Option<&'a str>,
        /// The role.
        issuer: Issuer<'a>,
        /// When the session began, and whether with MFA.
        attributes: Attributes,
        /// The source identity, if the session has one.
        source_identity: Option<&'a str>,
        /// The provider that vouched, for sessions of AssumeRoleWithWebIdentity.
        web_identity: Option<WebIdentity<'a>>,
        /// The AWS service that called for the session.
        invoked_by: Option<&'a str>,
    },
    /// A session of GetFederationToken.
    FederatedUser {
        /// The name given to GetFederationToken.
        name: &'a str,
        /// `arn:aws:sts::…:federated-user/NAME`.
        arn: &'a str,
        /// The account.
        account: AccountId,
        /// The temporary key that signed.
        access_key_id: Option<&'a str>,
        /// The user or root that made it.
        issuer: Issuer<'a>,
        /// When the session began, and whether with MFA.
        attributes: Attributes,
        /// The service that called for it.
        invoked_by: Option<&'a str>,
    },
    /// The caller of AssumeRoleWithSAML: nobody of ours yet. Its words are the assertion's.
    SamlUser {
        /// The assertion's subject.
        subject: &'a str,
        /// The provider's name qualifier.
        name_qualifier: &'a str,
    },
    /// The caller of AssumeRoleWithWebIdentity. Its words are the token's.
    WebIdentityUser {
        /// The provider: an ARN for those that are registered, else a host name.
        provider: &'a str,
        /// The token's audience.
        audience: &'a str,
        /// The token's subject.
        subject: &'a str,
    },
    /// A principal of another account, of which this one learns no name.
    AwsAccount {
        /// Its unique id.
        principal_id: &'a str,
        /// Its account.
        account: AccountId,
    },
    /// A service that calls by itself.
    AwsService {
        /// The service, as `ec2.amazonaws.com`.
        invoked_by: &'a str,
    },
    /// Nobody that is known: an anonymous call, or one that did not authenticate.
    Unknown {
        /// The account that the call was for, if that is known.
        account: Option<AccountId>,
        /// The key id that the call named, which proves nothing.
        access_key_id: Option<&'a str>,
    },
}

/// `sessionContext.attributes`.
#[derive(Debug, Clone, Copy)]
pub struct Attributes {
    /// When the credentials were issued, in seconds since 1970.
    pub issued_at: i64,
    /// Whether with MFA.
    pub mfa: bool,
    /// Whether an organization made it root of a member, by AssumeRoot: `sessionContext.assumedRoot`.
    pub assumed_root: bool,
    /// The product that acts with rights that were lent to it: `invokedByDelegate`.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-cloudtrail.html>.
    pub delegate: Option<AccountId>,
}

/// `sessionContext.sessionIssuer`: whom a session's rights come from.
#[derive(Debug, Clone, Copy)]
pub enum Issuer<'a> {
    /// A role.
    Role {
        /// `AROA…`.
        id: &'a str,
        /// The role's IAM ARN, with its path.
        arn: &'a str,
        /// The role's account.
        account: AccountId,
        /// The role's name.
        name: &'a str,
    },
    /// A user.
    IamUser {
        /// `AIDA…`.
        id: &'a str,
        /// The user's ARN.
        arn: &'a str,
        /// The user's account.
        account: AccountId,
        /// The user's name.
        name: &'a str,
    },
    /// The root user of an account.
    Root {
        /// The account.
        account: AccountId,
    },
}

/// `sessionContext.webIdFederationData`.
#[derive(Debug, Clone, Copy)]
pub struct WebIdentity<'a> {
    /// The provider: an ARN for those that are registered.
    pub provider: &'a str,
    /// What the provider said, as (claim, value).
    pub attributes: &'a [(&'a str, &'a str)],
}

/// The longest ARN, name or id that is shown, in bytes: AWS's own bound of an ARN. Some are a client's words.
pub(crate) const LONGEST_NAME: usize = 2_048;

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_text(out, bounded(value, LONGEST_NAME));
}

fn optional(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        member(out, name, value);
    }
}

/// The twelve digits.
pub(crate) fn write_account(out: &mut Vec<u8>, account: AccountId) {
    let mut rest = account.number();
    let mut digits = [b'0'; 12];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

fn account_member(out: &mut Vec<u8>, account: AccountId) {
    out.extend_from_slice(b",\"accountId\":\"");
    write_account(out, account);
    out.push(b'"');
}

fn root_arn(out: &mut Vec<u8>, account: AccountId) {
    out.extend_from_slice(b",\"arn\":\"arn:aws:iam::");
    write_account(out, account);
    out.extend_from_slice(b":root\"");
}

/// `"principalId":"FIRST:SECOND"`, with the comma before it.
fn joined_id(out: &mut Vec<u8>, parts: &[&str]) {
    out.extend_from_slice(b",\"principalId\":\"");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        write_escaped(out, bounded(part, LONGEST_NAME));
    }
    out.push(b'"');
}

impl Attributes {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"attributes\":{\"creationDate\":\"");
        time::write_rfc3339(out, self.issued_at);
        out.extend_from_slice(b"\",\"mfaAuthenticated\":\"");
        out.extend_from_slice(if self.mfa { b"true" } else { b"false" });
        out.extend_from_slice(b"\"}");
        if self.assumed_root {
            out.extend_from_slice(b",\"assumedRoot\":\"true\"");
        }
    }

    fn write_alone(attributes: Option<Attributes>, out: &mut Vec<u8>) {
        if let Some(attributes) = attributes {
            out.extend_from_slice(b",\"sessionContext\":{");
            attributes.write(out);
            out.push(b'}');
            attributes.write_delegate(out);
        }
    }

    /// Behind the session's context.
    fn write_delegate(self, out: &mut Vec<u8>) {
        if let Some(account) = self.delegate {
            out.extend_from_slice(b",\"invokedByDelegate\":{\"accountId\":\"");
            write_account(out, account);
            out.extend_from_slice(b"\"}");
        }
    }
}

impl Issuer<'_> {
    fn write(self, out: &mut Vec<u8>) {
        let (kind, id, arn, account, name) = match self {
            Issuer::Role { id, arn, account, name } => ("Role", id, arn, account, name),
            Issuer::IamUser { id, arn, account, name } => ("IAMUser", id, arn, account, name),
            Issuer::Root { account } => {
                out.extend_from_slice(b"\"sessionIssuer\":{\"type\":\"Root\",\"principalId\":\"");
                write_account(out, account);
                out.push(b'"');
                root_arn(out, account);
                account_member(out, account);
                out.extend_from_slice(b"},");
                return;
            }
        };
        out.extend_from_slice(b"\"sessionIssuer\":{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        member(out, "principalId", id);
        member(out, "arn", arn);
        account_member(out, account);
        member(out, "userName", name);
        out.extend_from_slice(b"},");
    }
}

impl WebIdentity<'_> {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"webIdFederationData\":{\"federatedProvider\":");
        write_text(out, bounded(self.provider, LONGEST_NAME));
        out.extend_from_slice(b",\"attributes\":{");
        for (index, (claim, value)) in self.attributes.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_text(out, bounded(claim, LONGEST_NAME));
            out.push(b':');
            write_text(out, bounded(value, LONGEST_NAME));
        }
        out.extend_from_slice(b"}},");
    }
}

impl UserIdentity<'_> {
    /// Appends the element's value.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match *self {
            UserIdentity::Root { account, access_key_id, alias, session, invoked_by } => {
                out.extend_from_slice(b"{\"type\":\"Root\",\"principalId\":\"");
                write_account(out, account);
                out.push(b'"');
                root_arn(out, account);
                account_member(out, account);
                optional(out, "accessKeyId", access_key_id);
                optional(out, "userName", alias);
                Attributes::write_alone(session, out);
                optional(out, "invokedBy", invoked_by);
            }
            UserIdentity::IamUser { id, arn, account, access_key_id, name, session, invoked_by } => {
                out.extend_from_slice(b"{\"type\":\"IAMUser\"");
                member(out, "principalId", id);
                member(out, "arn", arn);
                account_member(out, account);
                optional(out, "accessKeyId", access_key_id);
                member(out, "userName", name);
                Attributes::write_alone(session, out);
                optional(out, "invokedBy", invoked_by);
            }
            UserIdentity::AssumedRole {
                role_id,
                session_name,
                arn,
                account,
                access_key_id,
                issuer,
                attributes,
                source_identity,
                web_identity,
                invoked_by,
            } => {
                out.extend_from_slice(b"{\"type\":\"AssumedRole\"");
                joined_id(out, &[role_id, session_name]);
                member(out, "arn", arn);
                account_member(out, account);
                optional(out, "accessKeyId", access_key_id);
                out.extend_from_slice(b",\"sessionContext\":{");
                issuer.write(out);
                if let Some(web_identity) = web_identity {
                    web_identity.write(out);
                }
                attributes.write(out);
                optional(out, "sourceIdentity", source_identity);
                out.push(b'}');
                attributes.write_delegate(out);
                optional(out, "invokedBy", invoked_by);
            }
            UserIdentity::FederatedUser { name, arn, account, access_key_id, issuer, attributes, invoked_by } => {
                out.extend_from_slice(b"{\"type\":\"FederatedUser\",\"principalId\":\"");
                write_account(out, account);
                out.push(b':');
                write_escaped(out, bounded(name, LONGEST_NAME));
                out.push(b'"');
                member(out, "arn", arn);
                account_member(out, account);
                optional(out, "accessKeyId", access_key_id);
                out.extend_from_slice(b",\"sessionContext\":{");
                issuer.write(out);
                attributes.write(out);
                out.push(b'}');
                optional(out, "invokedBy", invoked_by);
            }
            UserIdentity::SamlUser { subject, name_qualifier } => {
                out.extend_from_slice(b"{\"type\":\"SAMLUser\"");
                joined_id(out, &[name_qualifier, subject]);
                member(out, "userName", subject);
                member(out, "identityProvider", name_qualifier);
            }
            UserIdentity::WebIdentityUser { provider, audience, subject } => {
                out.extend_from_slice(b"{\"type\":\"WebIdentityUser\"");
                joined_id(out, &[provider, audience, subject]);
                member(out, "userName", subject);
                member(out, "identityProvider", provider);
            }
            UserIdentity::AwsAccount { principal_id, account } => {
                out.extend_from_slice(b"{\"type\":\"AWSAccount\"");
                member(out, "principalId", principal_id);
                account_member(out, account);
            }
            UserIdentity::AwsService { invoked_by } => {
                out.extend_from_slice(b"{\"type\":\"AWSService\"");
                member(out, "invokedBy", invoked_by);
            }
            UserIdentity::Unknown { account, access_key_id } => {
                out.extend_from_slice(b"{\"type\":\"Unknown\"");
                if let Some(account) = account {
                    account_member(out, account);
                }
                optional(out, "accessKeyId", access_key_id);
            }
        }
        out.push(b'}');
    }
}
