//! Roles taken on for a while. Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
//! A denial says the same whether the role is missing, does not trust the caller, or the caller's own policies do not allow it.

use crate::session::{
    ArnText, Credentials, MinimumTokenSize, PolicyDescriptor, RoleSessionName, SerialNumber, SessionPolicy, TokenCode, TokenSize, issue,
    policies, second_factor, tags, whole_factor,
};
use crate::{Error, Sts};
use access::{Session, SessionOf};
use arn::Arn;
use identities::{RoleName, RoleRecord, Tag, TagKey};
use operation::{Allowed, Caller, Judged, Operation, Operations, SecondFactor, Target, handler};
use store::Read;
use wire::{Int, Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<AssumeRole>()];

/// The word that a trust policy asks of a third party.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 2, max = 1224, pattern = r"[\w+=,.@:\/-]*")]
struct ExternalId(Box<str>);

/// Who is behind a chain of roles: set once, and then for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 2, max = 64, pattern = r"[\w+=,.@-]*")]
struct SourceIdentity(Box<str>);

/// What IAM Identity Center says about whoever is behind the caller.
#[derive(Shape)]
struct ProvidedContext {
    provider_arn: Option<ArnText>,
    context_assertion: Option<ContextAssertion>,
}

/// A signed statement of a context provider's.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 4, max = 2048, sensitive)]
struct ContextAssertion(Box<str>);

#[derive(Shape)]
struct AssumeRole {
    role_arn: ArnText,
    role_session_name: RoleSessionName,
    policy_arns: Vec<PolicyDescriptor>,
    policy: Option<SessionPolicy>,
    duration_seconds: Option<Int<900, 43_200>>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
    #[shape(max = 50)]
    transitive_tag_keys: Vec<TagKey>,
    external_id: Option<ExternalId>,
    serial_number: Option<SerialNumber>,
    token_code: Option<TokenCode>,
    source_identity: Option<SourceIdentity>,
    #[shape(min = 1, max = 5)]
    provided_contexts: Option<Vec<ProvidedContext>>,
    #[shape(default)]
    minimum_session_token_size: MinimumTokenSize,
}

#[derive(Shape)]
struct AssumeRoleOutput {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
    packed_policy_size: Option<u32>,
    source_identity: Option<String>,
    #[shape(flatten)]
    size: TokenSize,
}

#[derive(Shape)]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: Arn,
}

/// The longest session of a role that a role takes on, in seconds.
const CHAINED: i64 = 3_600;
const DEFAULT: i64 = 3_600;

impl Operation for AssumeRole {
    type Service = Sts;
    type Access = Read;
    type Output = AssumeRoleOutput;

    fn well_formed(&self) -> Result<(), Error> {
        let source = self.source_identity.as_ref().map_or("", SourceIdentity::as_str);
        if self.provided_contexts.is_some() {
            return Err(Error::InvalidParameter("ProvidedContexts needs IAM Identity Center, which is not served here."));
        }
        if source.starts_with("aws:") {
            return Err(Error::Validation("SourceIdentity must not begin with \"aws:\"".into()));
        }
        whole_factor(self.serial_number.as_ref(), self.token_code.as_ref())?;
        self.arn().map(drop)
    }

    fn second_factor(&self) -> Option<SecondFactor<'_, Error>> {
        second_factor(self.serial_number.as_ref(), self.token_code.as_ref())
    }

    fn judged_by(&self, caller: &Caller) -> Judged {
        let Ok(role) = self.arn() else { return Judged::on(Target::Everything) };
        let source = self.source_identity.as_ref().map(SourceIdentity::as_str).or(caller.source_identity());
        Judged::on(Target::Trusting(role))
            .and(!self.tags.is_empty() || caller.has_transitive_tags(), "sts:TagSession")
            .and(source.is_some(), "sts:SetSourceIdentity")
            .key("sts:ExternalId", &self.external_id)
            .key("sts:RoleSessionName", [&self.role_session_name])
            .key("sts:SourceIdentity", source)
            .key("sts:DurationSeconds", self.duration_seconds.map(|seconds| seconds.0))
            .keys("sts:TransitiveTagKeys", &self.transitive_tag_keys)
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<AssumeRoleOutput, Error> {
        let arn = self.arn()?;
        let role = role(cx, &arn).await?;
        let account = arn.account_id().unwrap_or(cx.caller.account);
        let seconds = self.duration_seconds.map_or(DEFAULT.min(role.max_session_duration), |seconds| seconds.0);
        if cx.caller.is_temporary() && seconds > CHAINED {
            return Err(Error::ChainedTooLong);
        }
        if seconds > role.max_session_duration {
            return Err(Error::TooLong);
        }
        let asked = self.source_identity.as_ref().map(SourceIdentity::as_str);
        let inherited = cx.caller.source_identity();
        if asked.is_some() && inherited.is_some() && asked != inherited {
            return Err(Error::Denied { caller: cx.caller.arn.clone(), action: "sts:SetSourceIdentity", role: arn });
        }
        let (policy, managed) = policies(cx, account, self.policy.as_ref().map(SessionPolicy::as_str), &self.policy_arns).await?;
        let chain = cx.caller.session().map_or(&[][..], |session| session.tags.as_slice());
        let session = Session {
            of: SessionOf::Role { id: role.id.clone(), name: self.role_session_name.to_string() },
            issued: cx.now,
            expires: cx.now + seconds,
            policy,
            managed,
            tags: tags(chain, &self.tags, &self.transitive_tag_keys)?,
            source_identity: asked.or(inherited).map(str::to_owned),
            mfa: cx.caller.second_factor.or_else(|| shown_before(cx.caller)),
            asked_with: None,
            provider: None,
            via: None,
            delegate: None,
        };
        let narrowed = session.policy.is_some() || !session.managed.is_empty() || !session.tags.is_empty();
        let (credentials, size) = issue(cx, account, &session, self.minimum_session_token_size)?;
        Ok(AssumeRoleOutput {
            credentials,
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: format!("{}:{}", role.id, self.role_session_name),
                arn: Arn::sts(account, format_args!("assumed-role/{}/{}", role.name, self.role_session_name)),
            },
            packed_policy_size: narrowed.then(|| session.packed_percent()),
            source_identity: session.source_identity,
            size,
        })
    }
}

impl AssumeRole {
    fn arn(&self) -> Result<Arn, Error> {
        self.role_arn.arn().ok_or_else(|| Error::InvalidArn(self.role_arn.to_string()))
    }
}

/// When the caller showed a second factor for a session of its own. One that was shown for a role goes no further than that role.
fn shown_before(caller: &Caller) -> Option<i64> {
    let session = caller.session()?;
    match session.of {
        SessionOf::User { .. } => session.mfa,
        SessionOf::Key { .. } | SessionOf::Role { .. } | SessionOf::Federated { .. } | SessionOf::AssumedRoot { .. } => None,
    }
}

/// The role, which was there when the caller was judged, in the same snapshot.
async fn role(cx: &Allowed<'_, Read>, arn: &Arn) -> Result<RoleRecord, Error> {
    let denied = || Error::Denied { caller: cx.caller.arn.clone(), action: "sts:AssumeRole", role: arn.clone() };
    let name: RoleName = arn.resource().rsplit('/').next().and_then(|name| name.parse().ok()).ok_or_else(denied)?;
    let account = arn.account_id().unwrap_or(cx.caller.account);
    let role = cx.tx.in_account(&account.to_string()).find(RoleRecord::BY_NAME, &name).await?;
    role.filter(|role| role.arn(account) == *arn).ok_or_else(denied)
}
