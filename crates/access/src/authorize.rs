//! Decisions for another server: whose request did it capture, and may they do what it means? The server says what the request means (action,
//! resource, the resource's policy and tags); who asked, and what is true of them, only Bailiwick says.

use crate::Access;
use crate::authenticate::Authenticated;
use crate::decide::{Decided, Question};
use crate::facts::Surroundings;
use crate::levels::Whose;
use crate::refused::Refused;
use crate::standing::Standing;
use arn::AccountId;
use policy::{Because, Compiled, Context, Document, Facts, Kind, ParseError, PolicySet, Source, Values};
use sigv4::{Body, Payload, Presented};
use std::net::IpAddr;
use std::sync::Arc;

/// A request that another server received, as it received it, but for its body.
#[derive(Clone, Copy)]
pub struct Captured<'a> {
    /// Method, path and query, and headers.
    pub request: sigv4::Request<'a>,
    /// SHA-256 of the body, if the server has it already.
    pub payload_sha256: Option<[u8; 32]>,
    /// Where the request came from, as the server saw it.
    pub source_ip: Option<IpAddr>,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// One thing that the request would do.
#[derive(Debug, Clone, Default)]
pub struct Check<'a> {
    /// `s3:GetObject`.
    pub action: &'a str,
    /// An ARN, or `*`.
    pub resource: &'a str,
    /// Who owns the resource.
    pub resource_account: Option<AccountId>,
    /// The resource's own policy, as text.
    pub resource_policy: Option<&'a str>,
    /// Further condition keys, the resource's tags among them.
    pub context: Context,
    /// Whether the decision is to be explained.
    pub explain: bool,
}

/// Who asked, and what was decided.
pub struct Answer<'a> {
    /// Who signed, and what was presented; `None`: nobody did.
    pub caller: Option<(Authenticated<'a>, Presented<'a>)>,
    /// How whoever asked stands.
    pub standing: Arc<Standing>,
    /// What the server must still hold the body to; `None`, for an unsigned request.
    pub payload: Option<Payload>,
    /// One for each check, in their order.
    pub decisions: Vec<Decided>,
    /// The condition keys of each check, for the record.
    pub contexts: Vec<Context>,
    /// The revision of the store that was decided on, or an earlier one at which nothing that counted was different.
    pub revision: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The captured request does not authenticate.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The policy of a check's resource cannot be read.
    #[error("checks.{check}.resourcePolicy: {error}")]
    ResourcePolicy {
        /// Which check, from 0.
        check: usize,
        /// Why.
        error: ParseError,
    },
}

impl Access {
    /// Authenticates `captured` and decides each check.
    ///
    /// ```no_run
    /// # use access::{Access, Captured, Check, Unanswered};
    /// # async fn serve(access: &Access) -> Result<(), Unanswered> {
    /// let headers: [(&str, &[u8]); 2] = [("host", b"store.example.com"), ("authorization", b"AWS4-HMAC-SHA256 Credential=...")];
    /// let captured = Captured {
    ///     request: sigv4::Request { method: "GET", uri: "/reports/q1.csv", headers: &headers },
    ///     payload_sha256: None,
    ///     source_ip: None,
    ///     secure: true,
    /// };
    /// let read = Check {
    ///     action: "s3:GetObject",
    ///     resource: "arn:aws:s3:::reports/q1.csv",
    ///     resource_account: "111122223333".parse().ok(),
    ///     ..Check::default()
    /// };
    /// let answer = access.authorize(&captured, &[read]).await?;
    /// let allowed = answer.decisions.iter().all(|decision| decision.is_allowed());
    /// # let _ = allowed; Ok(()) }
    /// ```
    pub async fn authorize<'a>(&self, captured: &Captured<'a>, checks: &[Check<'_>]) -> Result<Answer<'a>, Unanswered> {
        let revision = self.store.revision().await.map_err(Refused::from)?;
        let caller = self.identify(captured).await?;
        let (standing, region) = match &caller {
            Some((caller, presented)) => (caller.standing.clone(), presented.scope.region),
            None => (Arc::new(Standing::anonymous()), "us-east-1"),
        };
        let at = Surroundings {
            now: self.clock.now(),
            source_ip: captured.source_ip,
            secure: captured.secure,
            user_agent: header(captured, "user-agent"),
            referer: header(captured, "referer"),
            region,
        };
        let mut common = standing.context(caller.as_ref().and_then(|(caller, _)| caller.credential.session()), &at);
        if let Some(acting_for) = caller.as_ref().and_then(|(caller, _)| caller.acting_for.as_ref()) {
            acting_for.put(&mut common);
        }
        let (decisions, contexts) = self.decide_all(&standing, common, checks).await?;
        let payload = caller.as_ref().map(|(caller, _)| caller.verified.payload);
        Ok(Answer { payload, caller, standing, decisions, contexts, revision })
    }

    /// Decides each check of one who stands so, and says with which condition keys. `common` are those that they share.
    pub(crate) async fn decide_all(
        &self,
        standing: &Standing,
        common: Context,
        checks: &[Check<'_>],
    ) -> Result<(Vec<Decided>, Vec<Context>), Unanswered> {
        let (mut decisions, mut contexts) = (Vec::with_capacity(checks.len()), Vec::with_capacity(checks.len()));
        let mut common = if checks.len() > 1 { Shared::Many(Arc::new(common)) } else { Shared::One(Some(common)) };
        for (index, check) in checks.iter().enumerate() {
            let mut facts = common.next();
            let levels = match check.resource_account {
                Some(account) => {
                    facts.insert("aws:ResourceAccount", account.to_string());
                    let levels = self.levels_of_owner(standing, account).await.map_err(Refused::from)?;
                    levels.say(Whose::Resource, &mut facts);
                    levels
                }
                None => standing.levels.clone(),
            };
            check.context.each(&mut |key, values| match values {
                Values::One(value) => facts.insert(key, value),
                Values::Many(values) => facts.insert_many(key, values.iter().cloned()),
            });
            let policy = match check.resource_policy {
                Some(text) => Some(self.resource_policy(text).map_err(|error| Unanswered::ResourcePolicy { check: index, error })?),
                None => None,
            };
            let question = Question {
                action: check.action,
                resource: check.resource,
                resource_account: check.resource_account,
                resource_policy: policy.as_deref(),
                resource_levels: &levels,
                facts: &facts,
            };
            let decision = standing.decide(&question);
            let explanation = check.explain.then(|| {
                let explanation = standing.explain(&question);
                // What another organization laid on its accounts is told by its kind alone.
                let is_ours = levels.organization() == standing.levels.organization();
                if is_ours { explanation } else { explanation.without(Because::ResourceControl) }
            });
            let decided = Decided::of(&decision, explanation);
            decisions.push(decided);
            contexts.push(facts);
        }
        Ok((decisions, contexts))
    }

    /// Who signed a captured request; `None`: nobody did.
    pub async fn identify<'a>(&self, captured: &Captured<'a>) -> Result<Option<(Authenticated<'a>, Presented<'a>)>, Refused> {
        let Some(presented) = sigv4::read(&captured.request)? else { return Ok(None) };
        let body = captured.payload_sha256.map_or(Body::NotSeen, Body::Hashed);
        let caller = self.authenticate(&captured.request, &presented, body).await?;
        Ok(Some((caller, presented)))
    }

    /// A resource's policy, read and compiled once for each text.
    pub fn resource_policy(&self, text: &str) -> Result<Arc<PolicySet>, ParseError> {
        if let Some(set) = self.resource_policies.get(text) {
            return Ok(set);
        }
        let compiled = Compiled::new(&Document::parse(text)?, Kind::Resource);
        let set = Arc::new(PolicySet::new(Kind::Resource, [(Source::new("resource policy"), Arc::new(compiled))]));
        self.resource_policies.insert(text.into(), set.clone());
        Ok(set)
    }
}

/// The keys that all checks of a request have in common: copied for none if there is but one check.
enum Shared {
    One(Option<Context>),
    Many(Arc<Context>),
}

impl Shared {
    fn next(&mut self) -> Context {
        match self {
            Shared::One(context) => context.take().unwrap_or_default(),
            Shared::Many(context) => Context::over(context.clone()),
        }
    }
}

fn header<'a>(captured: &Captured<'a>, name: &str) -> Option<&'a str> {
    captured.request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, value)| std::str::from_utf8(value).ok())
}
