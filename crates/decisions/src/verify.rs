//! Whose is a credential that another server was shown, and may they do what they mean? A user name and a password, an API key, an SSH key:
//! what signs nothing. The asker needs `bailiwick:VerifyCredential`, judged on `*`, with the keys `bailiwick:CredentialService`,
//! `bailiwick:CredentialAccount` and `bailiwick:ResourceAccount`: so a git server can be bound to git and to its own account.

use crate::asked::AskedCheck;
use crate::checks;
use crate::error::refused;
use crate::said::{self, Said, map};
use crate::shown::{AskedCredential, Credential, failed};
use crate::{Decisions, Error};
use access::{Asker, Dialect, Refused, Shower, Surroundings, Unverified, iso};
use identities::CredentialService;
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, Seen, Used, handler};
use serde::Deserialize;
use std::net::IpAddr;
use store::Read;
use wire::{Member, Node};

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<VerifyCredential>()];

/// A question as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    service: String,
    credential: AskedCredential,
    #[serde(default)]
    source_ip: Option<String>,
    #[serde(default)]
    secure_transport: bool,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    explain: bool,
    #[serde(default)]
    checks: Vec<AskedCheck>,
}

/// A question, read.
struct VerifyCredential {
    service: CredentialService,
    credential: Credential,
    from: From,
    explain: bool,
    checks: Vec<AskedCheck>,
    facts: Vec<policy::Context>,
}

/// Where the credential came from, as the asker saw it.
struct From {
    source_ip: Option<IpAddr>,
    secure: bool,
    user_agent: Option<String>,
    region: String,
}

impl Input for VerifyCredential {
    const NAME: &'static str = "VerifyCredential";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /verify");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Asked = serde_json::from_slice(said.body).map_err(|error| failed(&error))?;
        let service = CredentialService::named(&asked.service)
            .ok_or_else(|| Error::Invalid("service: none that users have credentials of their own for".into()))?;
        let credential = asked.credential.read(service)?;
        let source_ip = asked.source_ip.as_deref().map(str::parse).transpose();
        let source_ip = source_ip.map_err(|_| Error::Invalid("sourceIp: not an IP address".into()))?;
        let region = asked.region.unwrap_or_else(|| "us-east-1".into());
        if region.len() > 64 || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Error::Invalid("region: not the name of one".into()).into());
        }
        let facts = checks::facts(&asked.checks)?;
        let from = From { source_ip, secure: asked.secure_transport, user_agent: asked.user_agent, region };
        Ok(VerifyCredential { service, credential, from, explain: asked.explain, checks: asked.checks, facts })
    }
}

impl Operation for VerifyCredential {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        checks::on_each(checks::owners(&self.checks, caller))
            .key("bailiwick:CredentialService", [self.service])
            .key("bailiwick:CredentialAccount", self.credential.account(caller.account))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let checks = checks::checks(cx, &self.checks, &self.facts, self.explain)?;
        // All sessions of one principal are one asker.
        let id = cx.caller.standing.grants.as_ref().map_or(cx.caller.arn.as_str(), |grants| grants.arn().as_str());
        let asker = Asker { id, source_ip: self.from.source_ip };
        let shower = match cx.access().verify(self.credential.shown(self.service, cx.caller.account), asker).await {
            Ok(shower) => shower,
            Err(unverified) => return self.refuse(cx, unverified),
        };
        let at = Surroundings {
            now: cx.now,
            source_ip: self.from.source_ip,
            secure: self.from.secure,
            user_agent: self.from.user_agent.as_deref(),
            referer: None,
            region: &self.from.region,
        };
        let answer = match cx.access().authorize_shower(&shower, &at, &checks).await {
            Ok(answer) => answer,
            // Its user, or that one's account, is gone since.
            Err(unanswered) => {
                refused(unanswered)?;
                return self.refuse(cx, Unverified::Unknown);
            }
        };
        let decisions = checks::decisions(cx, &answer, &checks, self.explain)?;
        cx.note_tried(&answer, &checks, &self.from.region);
        cx.record_verified(&self.seen(), shower.id.as_str(), &answer, &checks)?;
        let used = cx.last_used().of(&cx.access().store, shower.id.as_str()).await?;
        let service = self.service.as_str().trim_end_matches(".amazonaws.com").to_owned();
        cx.last_used().note(shower.id.as_str(), Used { at: cx.now, region: self.from.region.clone(), service });
        Ok(Said(map([
            ("principal", said::principal(&answer)),
            ("credential", self.shown(&shower, used.as_ref())),
            ("decisions", decisions),
        ])))
    }
}

impl VerifyCredential {
    fn seen(&self) -> Seen<'_> {
        Seen { name: "VerifyCredentialCheck", source_ip: self.from.source_ip, user_agent: self.from.user_agent.as_deref() }
    }

    fn shown(&self, shower: &Shower, used: Option<&Used>) -> Node {
        map([
            ("id", Node::text(shower.id.as_str())),
            ("service", Node::text(self.service.as_str())),
            ("expires", said::text(shower.expires.map(iso))),
            ("lastUsed", said::text(used.map(|used| iso(used.at)))),
        ])
    }

    /// What is wrong with the credential is an answer, as with a captured request that does not authenticate.
    fn refuse(&self, cx: &Allowed<'_, Read>, unverified: Unverified) -> Result<Said, Error> {
        let said = match unverified {
            Unverified::Unknown => Refused::UnknownKey.said(Dialect::RestJson),
            Unverified::Expired => Refused::Expired.said(Dialect::RestJson),
            Unverified::TooMany => access::Said { status: 429, code: "ThrottlingException", message: unverified.to_string().into() },
            Unverified::Store(error) => return Err(error.into()),
        };
        cx.record_unverified(&self.seen(), &said)?;
        Ok(said::error(said))
    }
}
