//! Condition keys that are true of one request. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.

use crate::standing::Standing;
use jiff::Timestamp;
use policy::Context;
use std::net::IpAddr;

/// What is known of a request besides who signed it.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// When it is judged, in seconds since the epoch.
    pub now: i64,
    /// Where it came from; never what a header claims.
    pub source_ip: Option<IpAddr>,
    /// Whether it came over TLS.
    pub secure: bool,
    /// `User-Agent`, as sent.
    pub user_agent: Option<&'a str>,
    /// `Referer`, as sent.
    pub referer: Option<&'a str>,
    /// The region in the credential scope, or `us-east-1` for services that have one endpoint for all.
    pub region: &'a str,
}

/// `2026-01-02T03:04:05Z`.
pub fn iso(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::from("1970-01-01T00:00:00Z"), |at| at.to_string())
}

impl Standing {
    /// The keys of one request, over those that are true of its principal.
    pub fn context(&self, session: Option<&crate::Session>, at: &Surroundings<'_>) -> Context {
        let mut facts = Context::over(self.facts.clone());
        facts.insert("aws:CurrentTime", iso(at.now));
        facts.insert("aws:EpochTime", at.now.to_string());
        facts.insert("aws:SecureTransport", if at.secure { "true" } else { "false" });
        facts.insert("aws:RequestedRegion", at.region);
        if let Some(ip) = at.source_ip {
            facts.insert("aws:SourceIp", ip.to_canonical().to_string());
        }
        if let Some(agent) = at.user_agent {
            facts.insert("aws:UserAgent", agent);
        }
        if let Some(referer) = at.referer {
            facts.insert("aws:Referer", referer);
        }
        if let Some(shown) = session.and_then(|session| session.mfa) {
            facts.insert("aws:MultiFactorAuthAge", at.now.saturating_sub(shown).max(0).to_string());
        }
        facts
    }
}
