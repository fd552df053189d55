//! Service-specific credentials: a user name and a password, or an API key, that one service takes. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html>. Two for each user and service. The secret is
//! told once, when it is made or reset; the record has a hash of it. A credential keeps the name that it began with, whatever its user is
//! called later.

use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::whose::{Whose, named_or_own, target};
use crate::{Error, Iam};
use arn::{AccountId, IdKind, UniqueId};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{CredentialName, CredentialService, Hashed, Place, SealingError, ServiceCredentialRecord, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Protected, Resolved, Resource, handler};
use store::{Marker, Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Int, Shape, Text, Timestamp};
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreateServiceSpecificCredential>(),
    handler::<ListServiceSpecificCredentials>(),
    handler::<ResetServiceSpecificCredential>(),
    handler::<UpdateServiceSpecificCredential>(),
    handler::<DeleteServiceSpecificCredential>(),
];

/// Credentials of one user for one service. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const CREDENTIALS_PER_SERVICE: usize = 2;
/// More than a user can have for all services.
const ALL: usize = 100;
/// Numbers that are tried for a name that nobody has: another user may be called what this one's second credential would be.
const NUMBERS: usize = 1_000;
const DAY: i64 = 86_400;

/// Whether a credential is accepted. `Expired` is what time makes of it; nobody can set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is, quiet)]
pub(crate) enum Status {
    Active,
    Inactive,
    Expired,
}

impl Status {
    /// Of what is switched on or off.
    pub fn of(active: bool) -> Self {
        if active { Status::Active } else { Status::Inactive }
    }

    /// What it is to be switched to.
    pub fn is_to_be_active(self) -> Result<bool, Error> {
        match self {
            Status::Active => Ok(true),
            Status::Inactive => Ok(false),
            Status::Expired => Err(Error::cannot_be_set("Expired")),
        }
    }

    fn of_credential(credential: &ServiceCredentialRecord, now: i64) -> Self {
        if credential.is_expired(now) { Status::Expired } else { Status::of(credential.active) }
    }
}

/// The id of a credential, as a request gives it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 20, max = 128, pattern = r"[\w]+", quiet)]
struct CredentialId(Box<str>);

/// The name of a service, as a request gives it: whether there is such a service is looked at after the user.
#[derive(Debug, Clone)]
struct ServiceName(String);

impl Shape for ServiceName {
    const KIND: wire::Kind = String::KIND;
    fn read(node: &wire::Node, at: &mut wire::Reader) -> Option<Self> {
        String::read(node, at).map(ServiceName)
    }
    fn write(self) -> wire::Node {
        self.0.write()
    }
}

impl ServiceName {
    fn service(&self) -> Result<CredentialService, Error> {
        CredentialService::named(&self.0).ok_or_else(|| Error::NoSuchService(self.0.clone()))
    }

    /// As policies see it: spelled as the service spells itself, so that no other spelling slips past a condition.
    fn key(&self) -> &str {
        match CredentialService::named(&self.0) {
            Some(service) => service.as_str(),
            None => &self.0,
        }
    }
}

/// A password or an API key on its way to whoever asked for it.
#[derive(Text)]
#[text(sensitive)]
struct Secret(Box<str>);

const SERVICE_NAME: &str = "iam:ServiceSpecificCredentialServiceName";

/// A credential of a user's, judged as that user, with its service as a condition key. Of one that is not there the service is not known.
#[derive(Debug, Clone)]
struct CredentialOf {
    user_name: Option<ExistingUserName>,
    id: CredentialId,
}

impl Protected for CredentialOf {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let Some(name) = named_or_own(caller, self.user_name.as_ref()) else {
                return Ok(Resource::new(caller.arn.as_str(), caller.account));
            };
            let mut resource = name.resolve(caller, tx).await?;
            let user = tx.find(UserRecord::BY_NAME, &name).await?;
            let credential = kept(tx, &self.id).await?.filter(|credential| user.is_some_and(|user| user.id == credential.user));
            resource.facts.extend(credential.map(|credential| (SERVICE_NAME.to_owned(), credential.service.to_string())));
            Ok(resource)
        })
    }
}

async fn kept<M: Mode>(tx: &Tx<M>, id: &CredentialId) -> Result<Option<ServiceCredentialRecord>, StoreError> {
    match id.as_str().parse::<UniqueId>() {
        Ok(id) => tx.get::<ServiceCredentialRecord>(&id).await,
        Err(_) => Ok(None),
    }
}

/// The credential with its user, who is the one that is named, else the caller. Root is asked too, and has none.
async fn found<M: Mode>(
    cx: &Allowed<'_, M>,
    name: Option<&UserName>,
    id: &CredentialId,
) -> Result<(UserRecord, ServiceCredentialRecord), Error> {
    let missing = || Error::NoSuchCredential(id.to_string());
    let Whose::User(user) = Whose::of(cx, name).await? else { return Err(missing()) };
    let credential = kept(&cx.tx, id).await?.ok_or_else(missing)?;
    if credential.user != user.id {
        return Err(Error::CredentialOfAnother { user: user.name.to_string(), id: id.to_string() });
    }
    Ok((user, credential))
}

/// A new password: 360 random bits in base64, as long as AWS's are.
fn password<M: Mode>(cx: &Allowed<'_, M>) -> Result<Zeroizing<String>, SealingError> {
    let mut bytes = Zeroizing::new([0; 45]);
    cx.access().entropy.fill(bytes.as_mut())?;
    Ok(Zeroizing::new(BASE64_STANDARD.encode(bytes.as_ref())))
}

fn hashed<M: Mode>(cx: &Allowed<'_, M>, id: &UniqueId, password: &str) -> Result<Hashed, SealingError> {
    let place = Place { kind: ServiceCredentialRecord::KIND, account: &cx.caller.account.to_string(), key: id.as_str() };
    cx.access().keyring.hash(&place, password.as_bytes())
}

/// A credential with its secret.
#[derive(Shape)]
struct ServiceSpecificCredential {
    create_date: Timestamp,
    expiration_date: Option<Timestamp>,
    service_name: String,
    service_user_name: Option<String>,
    service_password: Option<Secret>,
    service_credential_alias: Option<String>,
    service_credential_secret: Option<Secret>,
    service_specific_credential_id: UniqueId,
    user_name: UserName,
    status: Status,
}

impl ServiceSpecificCredential {
    /// An API key is its service's mark, and alias and secret in base64.
    fn new(credential: ServiceCredentialRecord, user: UserName, password: &str, now: i64) -> Self {
        let name = credential.name.as_str();
        let key = credential.service.api_key_prefix().map(|prefix| {
            let both = Zeroizing::new(format!("{name}:{password}"));
            Secret(format!("{prefix}{}", BASE64_STANDARD.encode(both.as_bytes())).into())
        });
        let names = ServiceSpecificCredentialMetadata::new(&credential, user, now);
        ServiceSpecificCredential {
            create_date: names.create_date,
            expiration_date: names.expiration_date,
            service_name: names.service_name,
            service_user_name: names.service_user_name,
            service_password: key.is_none().then(|| Secret(password.into())),
            service_credential_alias: names.service_credential_alias,
            service_credential_secret: key,
            service_specific_credential_id: names.service_specific_credential_id,
            user_name: names.user_name,
            status: names.status,
        }
    }
}

/// A credential without its secret.
#[derive(Shape)]
struct ServiceSpecificCredentialMetadata {
    user_name: UserName,
    status: Status,
    service_user_name: Option<String>,
    service_credential_alias: Option<String>,
    create_date: Timestamp,
    expiration_date: Option<Timestamp>,
    service_specific_credential_id: UniqueId,
    service_name: String,
}

impl ServiceSpecificCredentialMetadata {
    fn new(credential: &ServiceCredentialRecord, user_name: UserName, now: i64) -> Self {
        let name = credential.name.as_str().to_owned();
        let (service_user_name, service_credential_alias) = match credential.service.api_key_prefix() {
            None => (Some(name), None),
            Some(_) => (None, Some(name)),
        };
        ServiceSpecificCredentialMetadata {
            user_name,
            status: Status::of_credential(credential, now),
            service_user_name,
            service_credential_alias,
            create_date: Timestamp(credential.created),
            expiration_date: credential.expires.map(Timestamp),
            service_specific_credential_id: credential.id.clone(),
            service_name: credential.service.to_string(),
        }
    }
}

#[derive(Shape)]
struct CreateServiceSpecificCredential {
    user_name: UserName,
    service_name: ServiceName,
    credential_age_days: Option<Int<1, 36600, 1>>,
}

#[derive(Shape)]
struct CreateServiceSpecificCredentialOutput {
    service_specific_credential: ServiceSpecificCredential,
}

impl Operation for CreateServiceSpecificCredential {
    type Service = Iam;
    type Access = Write;
    type Output = CreateServiceSpecificCredentialOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
            .key(SERVICE_NAME, [self.service_name.key()])
            .key("iam:ServiceSpecificCredentialAgeDays", self.credential_age_days.as_ref().map(|days| days.0))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<CreateServiceSpecificCredentialOutput, Error> {
        let user = cx.tx.find(UserRecord::BY_NAME, &self.user_name).await?.ok_or_else(|| Error::no_user(&self.user_name))?;
        let service = self.service_name.service()?;
        let all = cx.tx.scan(ServiceCredentialRecord::BY_USER.of(&user.id), None, ALL, |of| of.service == service).await?;
        if all.records.len() >= CREDENTIALS_PER_SERVICE {
            return Err(Error::Quota { name: "ContextSpecificCredentialsPerUserPerContext", limit: 2 });
        }
        let (id, password) = (cx.new_id(IdKind::ServiceCredential)?, password(cx)?);
        let credential = ServiceCredentialRecord {
            name: free_name(cx, &user, service, cx.caller.account).await?,
            secret: hashed(cx, &id, &password)?,
            id,
            user: user.id,
            service,
            active: true,
            created: cx.now,
            expires: self.credential_age_days.as_ref().map(|days| cx.now.saturating_add(days.0.saturating_mul(DAY))),
        };
        match cx.tx.insert(&credential).await? {
            Stored::Done => {}
            // An id has 85 random bits.
            Stored::Taken => return Err(SealingError::NoEntropy.into()),
        }
        let service_specific_credential = ServiceSpecificCredential::new(credential, user.name, &password, cx.now);
        Ok(CreateServiceSpecificCredentialOutput { service_specific_credential })
    }
}

/// The first name in the user's row that no credential for this service has: one that was deleted leaves its number free, and whoever had this
/// user's name before may still hold one.
async fn free_name(
    cx: &Allowed<'_, Write>,
    user: &UserRecord,
    service: CredentialService,
    account: AccountId,
) -> Result<CredentialName, Error> {
    for nth in 0..NUMBERS {
        let name = CredentialName::new(user.name.as_str(), nth, account);
        if cx.tx.find(ServiceCredentialRecord::BY_NAME, (&service, &name)).await?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::Quota { name: "ContextSpecificCredentialsPerUserPerContext", limit: 2 })
}

#[derive(Shape)]
struct ListServiceSpecificCredentials {
    user_name: Option<UserName>,
    service_name: Option<ServiceName>,
    all_users: Option<bool>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListServiceSpecificCredentialsOutput {
    service_specific_credentials: Vec<ServiceSpecificCredentialMetadata>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListServiceSpecificCredentials {
    type Service = Iam;
    type Access = Read;
    type Output = ListServiceSpecificCredentialsOutput;

    /// All users' on what every list of users is judged on: a right on some users is none on all.
    fn judged_by(&self, caller: &Caller) -> Judged {
        if self.all_users == Some(true) {
            Judged::on(caller.arn_here("iam", "user/"))
        } else {
            Judged::on(target(caller, self.user_name.as_ref()))
        }
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListServiceSpecificCredentialsOutput, Error> {
        if self.all_users != Some(true) {
            let Whose::User(user) = Whose::of(cx, self.user_name.as_ref()).await? else {
                self.service()?;
                return Ok(ListServiceSpecificCredentialsOutput { service_specific_credentials: Vec::new(), next: None.into() });
            };
            let page = self.scan(cx, ServiceCredentialRecord::BY_USER.of(&user.id)).await?;
            let shown = |credential: &_| ServiceSpecificCredentialMetadata::new(credential, user.name.clone(), cx.now);
            let service_specific_credentials = page.0.iter().map(shown).collect();
            return Ok(ListServiceSpecificCredentialsOutput { service_specific_credentials, next: page.1.into() });
        }
        if self.user_name.is_some() {
            return Err(Error::Validation("AllUsers cannot be specified together with UserName.".into()));
        }
        let (credentials, next) = self.scan(cx, ServiceCredentialRecord::KEY.all()).await?;
        let mut service_specific_credentials = Vec::with_capacity(credentials.len());
        for credential in credentials {
            if let Some(user) = cx.tx.get::<UserRecord>(&credential.user).await? {
                service_specific_credentials.push(ServiceSpecificCredentialMetadata::new(&credential, user.name, cx.now));
            }
        }
        Ok(ListServiceSpecificCredentialsOutput { service_specific_credentials, next: next.into() })
    }
}

impl ListServiceSpecificCredentials {
    fn service(&self) -> Result<Option<CredentialService>, Error> {
        self.service_name.as_ref().map(ServiceName::service).transpose()
    }

    async fn scan(
        &self,
        cx: &Allowed<'_, Read>,
        span: store::Span<ServiceCredentialRecord>,
    ) -> Result<(Vec<ServiceCredentialRecord>, Option<Marker>), Error> {
        let service = self.service()?;
        let wanted = |credential: &ServiceCredentialRecord| service.is_none_or(|service| credential.service == service);
        let page = cx.tx.scan(span, self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        Ok((page.records, page.next))
    }
}

#[derive(Shape)]
struct ResetServiceSpecificCredential {
    user_name: Option<UserName>,
    service_specific_credential_id: CredentialId,
}

#[derive(Shape)]
struct ResetServiceSpecificCredentialOutput {
    service_specific_credential: ServiceSpecificCredential,
}

/// What a request about one credential is judged on.
fn judged(user_name: Option<&UserName>, id: &CredentialId) -> Judged {
    Judged::on(&CredentialOf { user_name: user_name.cloned().map(Into::into), id: id.clone() })
}

impl Operation for ResetServiceSpecificCredential {
    type Service = Iam;
    type Access = Write;
    type Output = ResetServiceSpecificCredentialOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.user_name.as_ref(), &self.service_specific_credential_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<ResetServiceSpecificCredentialOutput, Error> {
        let (user, mut credential) = found(cx, self.user_name.as_ref(), &self.service_specific_credential_id).await?;
        let password = password(cx)?;
        credential.secret = hashed(cx, &credential.id, &password)?;
        put(cx, &credential).await?;
        let service_specific_credential = ServiceSpecificCredential::new(credential, user.name, &password, cx.now);
        Ok(ResetServiceSpecificCredentialOutput { service_specific_credential })
    }
}

#[derive(Shape)]
struct UpdateServiceSpecificCredential {
    user_name: Option<UserName>,
    service_specific_credential_id: CredentialId,
    status: Status,
}

impl Operation for UpdateServiceSpecificCredential {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.user_name.as_ref(), &self.service_specific_credential_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (_, mut credential) = found(cx, self.user_name.as_ref(), &self.service_specific_credential_id).await?;
        credential.active = self.status.is_to_be_active()?;
        if credential.active && credential.is_expired(cx.now) {
            return Err(Error::InvalidInput("An expired credential cannot be activated.".into()));
        }
        put(cx, &credential).await
    }
}

#[derive(Shape)]
struct DeleteServiceSpecificCredential {
    user_name: Option<UserName>,
    service_specific_credential_id: CredentialId,
}

impl Operation for DeleteServiceSpecificCredential {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(self.user_name.as_ref(), &self.service_specific_credential_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (_, credential) = found(cx, self.user_name.as_ref(), &self.service_specific_credential_id).await?;
        cx.tx.delete::<ServiceCredentialRecord>(&credential.id).await?;
        Ok(())
    }
}

/// Stores a credential whose name has not changed, so that nothing can be in its way.
async fn put(cx: &Allowed<'_, Write>, credential: &ServiceCredentialRecord) -> Result<(), Error> {
    match cx.tx.put(credential).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::NoSuchCredential(credential.id.to_string())),
    }
}
