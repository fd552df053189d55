//! Services that call: in their own name, for a resource of somebody's, or with their caller's rights.
//!
//! A service signs with a key of its own. What it acts for it says in two signed headers, `x-amz-source-arn` and `x-amz-source-account`, as AWS's
//! services say it to STS; from whoever is no service they mean nothing. A delegation is the caller's session (or the caller itself, where it
//! signed with a long-term key), sealed as every session is, with the services that it went through. It has no secret of its own: what signs is
//! an HMAC under the service's secret, so that a delegation without that secret is worth nothing, and who has the secret alone has no token.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>.

use crate::Access;
use crate::authenticate::Authenticated;
use crate::credentials::Holder;
use crate::epochs::Deps;
use crate::levels::Whose;
use crate::refused::Refused;
use crate::sessions::{Session, SessionOf, TokenError, Via};
use crate::standing::Standing;
use arn::{AccessKeyId, AccountId, Arn};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{Place, ServiceKeyRecord, ServiceName, ServiceRecord};
use policy::{Compiled, Context, Document, Facts, Kind, PolicySet, Principal, Source, Values};
use serde_json::json;
use std::sync::Arc;
use store::{KeyPart, Record, SHARED, StoreError};
use zeroize::Zeroizing;

/// What a service says that it acts for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActingFor {
    /// The resource.
    pub arn: Option<Arn>,
    /// Whose that is.
    pub account: Option<AccountId>,
    /// Where that account stands in its organization: `aws:SourceOrgID`, `aws:SourceOrgPaths`.
    place: Context,
}

impl ActingFor {
    /// Reads the two headers, which the signature of a service's request covers.
    pub(crate) fn read(request: &sigv4::Request<'_>) -> Result<Self, Refused> {
        let arn = header(request, "x-amz-source-arn")?;
        let arn: Option<Arn> = arn.map(str::parse).transpose().map_err(|_| Refused::Source("x-amz-source-arn is no ARN"))?;
        let account = header(request, "x-amz-source-account")?;
        let account = account.map(str::parse).transpose().map_err(|_| Refused::Source("x-amz-source-account is no account"))?;
        let within = arn.as_ref().and_then(Arn::account_id);
        if account.is_some() && within.is_some() && account != within {
            return Err(Refused::Source("x-amz-source-arn and x-amz-source-account name two accounts"));
        }
        Ok(ActingFor { account: account.or(within), arn, place: Context::new() })
    }

    /// `aws:SourceArn`, `aws:SourceAccount`, and what is true of that account.
    pub fn put(&self, facts: &mut Context) {
        if let Some(arn) = &self.arn {
            facts.insert("aws:SourceArn", arn.as_str());
        }
        if let Some(account) = self.account {
            facts.insert("aws:SourceAccount", account.to_string());
        }
        self.place.each(&mut |key, values| match values {
            Values::One(value) => facts.insert(key, value),
            Values::Many(values) => facts.insert_many(key, values.iter().cloned()),
        });
    }
}

fn header<'a>(request: &sigv4::Request<'a>, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut found = request.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
    let Some((_, value)) = found.next() else { return Ok(None) };
    let value = std::str::from_utf8(value).map_err(|_| Refused::Source("a header about the source is no text"))?;
    if found.next().is_some() { Err(Refused::Source("a header about the source came twice")) } else { Ok(Some(value.trim())) }
}

/// What Bailiwick itself lets a registered service do: its own policy, of the resource that Bailiwick is.
pub struct Registered {
    /// Its text, for the record.
    pub text: String,
    /// The same, compiled.
    pub set: PolicySet,
}

impl Registered {
    /// A service asks about requests that were sent to its own hosts, and may act for those who sent them; of its service-linked roles it says
    /// what they are used by.
    fn of(service: &ServiceRecord) -> Result<Self, StoreError> {
        let hosts: Vec<&str> = service.hosts.iter().map(identities::ServiceHost::as_str).collect();
        // Names and hosts were held to alphabets in which nothing has a meaning of its own.
        let text = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Asks",
                    "Effect": "Allow",
                    "Principal": { "Service": service.name.as_str() },
                    "Action": ["bailiwick:Authorize", "bailiwick:AuthorizeChunks", "bailiwick:Delegate"],
                    "Resource": "*",
                    "Condition": { "StringEquals": { "bailiwick:Host": hosts } },
                },
                {
                    "Sid": "SaysWhatItUses",
                    "Effect": "Allow",
                    "Principal": { "Service": service.name.as_str() },
                    "Action": "bailiwick:PutRoleUsage",
                    "Resource": "*",
                },
            ],
        })
        .to_string();
        let document = Document::parse(&text).map_err(|error| StoreError::Failed(Box::new(error)))?;
        let source = Source::new(format!("registration of service {}", service.name));
        let set = PolicySet::new(Kind::Resource, [(source, Arc::new(Compiled::new(&document, Kind::Resource)))]);
        Ok(Registered { text, set })
    }
}

impl Standing {
    /// A service, in its own name.
    pub(crate) fn service(name: &ServiceName, registered: Option<Registered>, deps: Deps) -> Self {
        let mut facts = Context::new();
        facts.insert("aws:PrincipalIsAWSService", "true");
        facts.insert("aws:PrincipalServiceName", name.as_str());
        facts.insert_many("aws:PrincipalServiceNamesList", [name.as_str()]);
        facts.insert("aws:ViaAWSService", "false");
        Standing {
            deps,
            principal: Principal::Service { name: name.as_str().into() },
            user_id: name.to_string(),
            registered,
            facts: Arc::new(facts),
            ..Standing::anonymous()
        }
    }

    /// Whoever this is, calling through services.
    pub(crate) fn through(&mut self, services: &[ServiceName]) {
        let mut facts = Context::over(self.facts.clone());
        facts.insert("aws:ViaAWSService", "true");
        facts.insert_many("aws:CalledVia", services.iter().map(ServiceName::as_str));
        for (key, service) in [("aws:CalledViaFirst", services.first()), ("aws:CalledViaLast", services.last())] {
            if let Some(service) = service {
                facts.insert(key, service.as_str());
            }
        }
        self.facts = Arc::new(facts);
    }
}

/// What a service gets to act for a caller with. Its secret it makes itself, of its own: see [`delegated_secret`].
pub struct Delegation {
    /// `ASIA…`
    pub access_key_id: AccessKeyId,
    /// The session token.
    pub token: Zeroizing<String>,
    /// When it ends, in seconds since the epoch.
    pub expires: i64,
}

/// Why there is no delegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDelegation {
    /// A service's own rights are not handed on.
    #[error("the request is a service's own: there is no caller to act for")]
    OfAService,
    /// The chain of services is too long.
    #[error("the request came through {LONGEST_CHAIN} services already")]
    TooLong,
    /// The caller's session is too large for the chain to fit in.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// How long a delegation lasts at most, in seconds: as long as the request that it was made for could be sent again.
const LONGEST: i64 = 900;
/// Services of one chain.
const LONGEST_CHAIN: usize = 8;

/// The secret that a delegation is signed with: whoever has not the service's own cannot make it.
pub fn delegated_secret(service_secret: &[u8], access_key_id: &AccessKeyId) -> Zeroizing<String> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, service_secret));
    context.update(b"bailiwick delegation ");
    context.update(access_key_id.as_str().as_bytes());
    Zeroizing::new(BASE64_STANDARD.encode(context.sign().as_ref()))
}

impl Access {
    /// What `service`, which signs with `key`, acts for `caller` with. It ends with the caller's own session at the latest.
    pub fn delegate(&self, caller: &Authenticated<'_>, service: &ServiceName, key: &AccessKeyId) -> Result<Delegation, NoDelegation> {
        let now = self.clock.now();
        let (account, mut session) = match &caller.credential.holder {
            Holder::Service { .. } => return Err(NoDelegation::OfAService),
            Holder::Session { account, session, .. } => (*account, (**session).clone()),
            Holder::LongTerm(owner) => {
                let of = SessionOf::Key { id: owner.user.clone() };
                let asked_with = Some(caller.credential.id.clone());
                let session = Session {
                    of,
                    issued: now,
                    expires: i64::MAX,
                    policy: None,
                    managed: Vec::new(),
                    tags: Vec::new(),
                    source_identity: None,
                    mfa: None,
                    asked_with,
                    provider: None,
                    via: None,
                    delegate: None,
                };
                (owner.account, session)
            }
        };
        let mut via = session.via.take().unwrap_or_else(|| Via { services: Vec::new(), keys: Vec::new() });
        if via.services.len() >= LONGEST_CHAIN {
            return Err(NoDelegation::TooLong);
        }
        via.services.push(service.clone());
        via.keys.push(key.clone());
        session.via = Some(via);
        session.expires = session.expires.min(now.saturating_add(LONGEST));
        let sealed = session.seal(account, 0, &self.keyring, self.entropy.as_ref())?;
        Ok(Delegation { access_key_id: sealed.access_key_id, token: sealed.token, expires: session.expires })
    }

    /// What a service says that it acts for, and where the account of that stands.
    pub(crate) async fn acting_for(&self, request: &sigv4::Request<'_>) -> Result<ActingFor, Refused> {
        let mut said = ActingFor::read(request)?;
        if let Some(account) = said.account {
            self.levels(account).await?.say(Whose::Source, &mut said.place);
        }
        Ok(said)
    }

    /// A service's key, opened; `None` if there is none with this id.
    pub(crate) async fn service_key(&self, id: &AccessKeyId) -> Result<Option<(ServiceRecord, Zeroizing<Vec<u8>>, Deps)>, StoreError> {
        let mut deps = self.epochs.begin();
        deps.on(ServiceKeyRecord::KIND, SHARED, &id.bytes());
        let found = self
            .store
            .read_inside(SHARED, |tx| async move {
                let Some(key) = tx.get::<ServiceKeyRecord>(id).await? else { return Ok(None) };
                let service = tx.get::<ServiceRecord>(&key.service).await?;
                Ok::<_, StoreError>(service.map(|service| (service, key)))
            })
            .await?;
        let Some((service, key)) = found else { return Ok(None) };
        deps.on(ServiceRecord::KIND, SHARED, &service.name.bytes());
        let place = Place { kind: ServiceKeyRecord::KIND, account: SHARED, key: id.as_str() };
        let secret = self.keyring.open(&place, &key.secret).map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Some((service, secret, deps)))
    }

    /// How a service stands now; `None` if it is not registered any more.
    pub(crate) async fn service_standing(&self, name: &ServiceName) -> Result<Option<Standing>, StoreError> {
        let mut deps = self.epochs.begin();
        deps.on(ServiceRecord::KIND, SHARED, &name.bytes());
        let record = self.store.read_inside(SHARED, |tx| async move { tx.get::<ServiceRecord>(name).await }).await?;
        record.map(|record| Ok(Standing::service(name, Some(Registered::of(&record)?), deps))).transpose()
    }

    /// What a chain of services rests on; `None` if one of them is not registered any more, or has another key now.
    pub(crate) async fn chain(&self, via: &Via) -> Result<Option<Deps>, StoreError> {
        if via.services.len() != via.keys.len() {
            return Ok(None);
        }
        let mut deps = self.epochs.begin();
        for (name, key) in via.services.iter().zip(&via.keys) {
            deps.on(ServiceRecord::KIND, SHARED, &name.bytes());
            deps.on(ServiceKeyRecord::KIND, SHARED, &key.bytes());
        }
        let all = self
            .store
            .read_inside(SHARED, |tx| async move {
                for (name, key) in via.services.iter().zip(&via.keys) {
                    let key = tx.get::<ServiceKeyRecord>(key).await?.filter(|key| key.service == *name);
                    if key.is_none() || tx.get::<ServiceRecord>(name).await?.is_none() {
                        return Ok::<_, StoreError>(false);
                    }
                }
                Ok(true)
            })
            .await?;
        Ok(all.then_some(deps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &[u8])]) -> Result<ActingFor, Refused> {
        ActingFor::read(&sigv4::Request { method: "POST", uri: "/", headers })
    }

    #[test]
    fn a_source_is_an_arn_and_the_account_that_it_belongs_to() {
        let queue = "arn:aws:sqs:us-east-1:111122223333:q";
        let said = read(&[("X-Amz-Source-Arn", queue.as_bytes())]).unwrap();
        assert_eq!((said.arn.unwrap().as_str(), said.account.unwrap().to_string()), (queue, "111122223333".to_owned()));
        let bucket: &[(&str, &[u8])] = &[("x-amz-source-arn", b"arn:aws:s3:::b"), ("x-amz-source-account", b"444455556666")];
        assert_eq!(read(bucket).unwrap().account.unwrap().to_string(), "444455556666");
        assert_eq!(read(&[]).unwrap(), ActingFor::default());
        for wrong in [
            &[("x-amz-source-arn", b"bucket".as_slice())][..],
            &[("x-amz-source-account", b"12345")],
            &[("x-amz-source-account", b"")],
            &[("x-amz-source-arn", b"arn:aws:s3:::a"), ("x-amz-source-arn", b"arn:aws:s3:::b")],
            &[("x-amz-source-arn", queue.as_bytes()), ("x-amz-source-account", b"444455556666")],
            &[("x-amz-source-arn", b"arn:aws:s3:::\xff")],
        ] {
            assert!(matches!(read(wrong), Err(Refused::Source(_))), "{wrong:?}");
        }
    }

    /// Whatever two headers say, what is read of them is what they said, and speaks of one account.
    #[test]
    fn fuzz_sources() {
        bolero::check!().with_type::<(Vec<u8>, Vec<u8>, bool)>().for_each(|(arn, account, begins)| {
            let arn = if *begins { [b"arn:aws:s:r:", account.as_slice(), b":", arn].concat() } else { arn.clone() };
            let headers: [(&str, &[u8]); 2] = [("x-amz-source-arn", &arn), ("x-amz-source-account", account)];
            if let Ok(read) = read(&headers) {
                let said = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned();
                assert_eq!(read.arn.as_ref().map(Arn::as_str), Some(said(&arn).as_str()));
                assert_eq!(read.account.map(|account| account.to_string()), Some(said(account)));
                assert!(read.arn.and_then(|arn| arn.account_id()).is_none_or(|within| Some(within) == read.account));
            }
        });
    }

    /// A registration's policy names its service and its hosts, whatever they are called, and nothing else.
    #[test]
    fn fuzz_registrations() {
        bolero::check!().with_type::<(String, String)>().for_each(|(name, host)| {
            let (Ok(name), Ok(host)) = (format!("{name}.internal").parse::<ServiceName>(), host.parse::<identities::ServiceHost>()) else {
                return;
            };
            let account = "111122223333".parse().unwrap();
            let registered = Registered::of(&ServiceRecord { name: name.clone(), account, hosts: vec![host.clone()], created: 0 }).unwrap();
            let said: serde_json::Value = serde_json::from_str(&registered.text).unwrap();
            assert_eq!(said["Statement"][0]["Principal"]["Service"], name.as_str());
            assert_eq!(said["Statement"][0]["Condition"]["StringEquals"]["bailiwick:Host"][0], host.as_str());
            assert_eq!(said["Statement"][1]["Principal"]["Service"], name.as_str());
            assert!(!registered.text.contains(['?', '$']) && registered.text.matches('*').count() == 2, "the two resources");
        });
    }

    #[test]
    fn the_secret_of_a_delegation_is_the_services_and_the_key_ids() {
        let id: AccessKeyId = "ASIARZPUZDIKGB2VALC4".parse().unwrap();
        let made = delegated_secret(b"secret", &id);
        assert_eq!(made.len(), 44);
        assert_ne!(made, delegated_secret(b"another", &id));
        assert_ne!(made, delegated_secret(b"secret", &"ASIARZPUZDIKGB2VALC5".parse().unwrap()));
    }
}
