//! A member's root user, for one task of its organization. Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html>.
//! A denial says the same whether the account is none of the organization, or its own management account, or the feature is off.

use crate::session::{ArnText, Credentials, MinimumTokenSize, PolicyDescriptor, TokenSize, issue};
use crate::{Error, Sts};
use access::{Session, SessionOf};
use arn::{AccountId, Arn};
use identities::{RootFeature, central_root, root_task};
use operation::{Allowed, Caller, Judged, Operation, Operations, Protected, Resolved, Resource, Target, handler};
use policy::{Compiled, Document, Kind, PolicySet, Source};
use std::sync::Arc;
use store::{Read, StoreError};
use wire::{Int, Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<AssumeRoot>()];

/// An account, or its root user's ARN.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 12, max = 2048)]
struct TargetPrincipal(Box<str>);

impl TargetPrincipal {
    fn account(&self) -> Option<AccountId> {
        if let Ok(account) = self.0.parse() {
            return Some(account);
        }
        let arn: Arn = self.0.parse().ok()?;
        let account = arn.account_id()?;
        (arn == Arn::iam(account, "root")).then_some(account)
    }
}

#[derive(Shape)]
struct AssumeRoot {
    target_principal: TargetPrincipal,
    task_policy_arn: PolicyDescriptor,
    duration_seconds: Option<Int<0, 900>>,
    #[shape(default)]
    minimum_session_token_size: MinimumTokenSize,
}

#[derive(Shape)]
struct AssumeRootOutput {
    credentials: Credentials,
    source_identity: Option<String>,
    #[shape(flatten)]
    size: TokenSize,
}

/// The longest session, and the usual one, in seconds.
const DURATION: i64 = 900;

/// The task policies only deny: what they leave is root's.
const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A root user whom an organization may lend. That it may is judged like a policy of that root user's.
#[derive(Clone)]
struct RootUser {
    account: AccountId,
    feature: RootFeature,
}

impl Protected for RootUser {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a store::Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let resource = Resource::new(Arn::iam(self.account, "root").as_str(), self.account);
            if central_root(tx, caller.account, self.account, self.feature).await?.is_none() {
                return Ok(resource);
            }
            let administrator = Arn::iam(caller.account, "root");
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{administrator}"}},"Action":"sts:AssumeRoot","Resource":"*"}}]}}"#
            );
            let document = Document::parse(&text).map_err(|error| StoreError::Failed(Box::new(error)))?;
            let source = Source::new("centralized root access");
            let set = PolicySet::new(Kind::Resource, [(source, Arc::new(Compiled::new(&document, Kind::Resource)))]);
            Ok(resource.with_policy(text, set))
        })
    }
}

impl AssumeRoot {
    fn account(&self) -> Result<AccountId, Error> {
        let invalid = || Error::Validation(format!("Invalid target principal: {}", self.target_principal));
        self.target_principal.account().ok_or_else(invalid)
    }

    fn task(&self) -> Result<(Arn, RootFeature), Error> {
        let text = self.task_policy_arn.arn.as_ref();
        let missing =
            "1 validation error detected: Value null at 'taskPolicyArn.arn' failed to satisfy constraint: Member must not be null";
        let text = text.ok_or_else(|| Error::Validation(missing.into()))?;
        let arn = text.arn().ok_or_else(|| Error::InvalidArn(text.to_string()))?;
        let feature = root_task(&arn).ok_or_else(|| Error::Validation(format!("Policy {arn} is not a root task policy.")))?;
        Ok((arn, feature))
    }
}

impl Operation for AssumeRoot {
    type Service = Sts;
    type Access = Read;
    type Output = AssumeRootOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.account()?;
        self.task().map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        let (Ok(account), Ok((_, feature))) = (self.account(), self.task()) else { return Judged::on(Target::Everything) };
        let task = self.task_policy_arn.arn.as_ref().map(ArnText::as_str);
        Judged::on(&RootUser { account, feature }).key("sts:TaskPolicyArn", task)
    }

    /// A member's own policies may let it ask for its own root user: that is nobody's to lend but the organization's.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<AssumeRootOutput, Error> {
        let (account, (task, feature), by) = (self.account()?, self.task()?, cx.caller.account);
        if central_root(&cx.tx, by, account, feature).await?.is_none() {
            return Err(Error::Denied { caller: cx.caller.arn.clone(), action: "sts:AssumeRoot", role: Arn::iam(account, "root") });
        }
        let session = Session {
            of: SessionOf::AssumedRoot { by },
            issued: cx.now,
            expires: cx.now + self.duration_seconds.map_or(DURATION, |seconds| seconds.0),
            policy: Some(ALL.into()),
            managed: vec![task],
            tags: Vec::new(),
            source_identity: cx.caller.source_identity().map(str::to_owned),
            mfa: None,
            asked_with: None,
            provider: None,
            via: None,
            delegate: None,
        };
        let (credentials, size) = issue(cx, account, &session, self.minimum_session_token_size)?;
        Ok(AssumeRootOutput { credentials, source_identity: session.source_identity, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_account_or_its_root_user_and_nothing_else() {
        let account = |text: &str| text.parse::<TargetPrincipal>().unwrap().account().map(|account| account.to_string());
        assert_eq!(account("111122223333").as_deref(), Some("111122223333"));
        assert_eq!(account("arn:aws:iam::111122223333:root").as_deref(), Some("111122223333"));
        for bad in ["arn:aws:iam::111122223333:user/a", "arn:aws:sts::111122223333:root", "somebody else"] {
            assert_eq!(account(bad), None, "{bad}");
        }
    }
}
