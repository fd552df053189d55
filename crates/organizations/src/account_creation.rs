//! Accounts that an organization makes. The request is a task: its answer says that it is under way, and what became of it is asked for
//! afterwards. Here it is done when it is answered. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html>.
//! The account has no credentials: whoever may take on its first role comes in from the management account.

use crate::accounts::join;
use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::service_linked_role;
use crate::{Error, Organizations, ids, tagging};
use arn::{AccountId, Arn, IdKind};
use identities::{
    AccountRecord, CentralRootRecord, Email, JoinedMethod, OrganizationId, OrganizationRecord, Path, RoleName, RoleRecord, RootFeature,
    Tag, Tags, TrustPolicy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Read, Record, SHARED, StoreError, Stored, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<CreateAccount>(),
    handler::<CreateGovCloudAccount>(),
    handler::<DescribeCreateAccountStatus>(),
    handler::<ListCreateAccountStatus>(),
];

/// The role through which the management account comes in, where no other name is asked for.
const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";

/// The address of the new root user.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 6, max = 64, pattern = r"[^\s@]+@[^\s@]+\.[^\s@]+", quiet)]
struct Address(Box<str>);

/// What the new account is called.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 50, pattern = r"[\u0020-\u007E]+", quiet)]
struct AccountName(Box<str>);

/// What the role is called, through which the management account comes in.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(max = 64, pattern = r"[\w+=,.@-]{1,64}")]
struct AccessRoleName(Box<str>);

/// Whether users of the account could see its bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum Billing {
    Allow,
    Deny,
}

/// `car-` and 8 to 32 of `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 36, pattern = r"^car-[a-z0-9]{8,32}$")]
pub(crate) struct RequestId(Box<str>);

impl KeyPart for RequestId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum State {
    InProgress,
    Succeeded,
    Failed,
}

/// Why nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum FailureReason {
    EmailAlreadyExists,
}

/// What became of one request.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-creation", key = id, index(by_organization = organization))]
pub(crate) struct AccountCreationRecord {
    /// Its id.
    pub id: RequestId,
    organization: OrganizationId,
    name: String,
    requested: i64,
    completed: i64,
    /// The account, if it was made.
    account: Option<AccountId>,
    failure: Option<FailureReason>,
    /// What was asked for `IamUserAccessToBilling`. There is no bill here.
    billing: Option<Billing>,
}

impl AccountCreationRecord {
    fn state(&self) -> State {
        if self.failure.is_some() { State::Failed } else { State::Succeeded }
    }
}

/// A request as it is shown.
#[derive(Shape)]
struct CreateAccountStatus {
    id: RequestId,
    account_name: String,
    state: State,
    requested_timestamp: Timestamp,
    completed_timestamp: Option<Timestamp>,
    account_id: Option<AccountId>,
    gov_cloud_account_id: Option<AccountId>,
    failure_reason: Option<FailureReason>,
}

impl From<AccountCreationRecord> for CreateAccountStatus {
    fn from(record: AccountCreationRecord) -> Self {
        CreateAccountStatus {
            state: record.state(),
            id: record.id,
            account_name: record.name,
            requested_timestamp: Timestamp(record.requested),
            completed_timestamp: Some(Timestamp(record.completed)),
            account_id: record.account,
            gov_cloud_account_id: None,
            failure_reason: record.failure,
        }
    }
}

#[derive(Shape)]
struct StatusOutput {
    create_account_status: CreateAccountStatus,
}

#[derive(Shape)]
struct CreateAccount {
    email: Address,
    account_name: AccountName,
    role_name: Option<AccessRoleName>,
    iam_user_access_to_billing: Option<Billing>,
    tags: Vec<Tag>,
}

impl Operation for CreateAccount {
    type Service = Organizations;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing)).and(!self.tags.is_empty(), "organizations:TagResource").request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        tagging::check(&self.tags)?;
        let role = self.role()?;
        crate::quotas::accounts(cx, &organization).await?;
        let made = self.make(cx, &organization, role).await?;
        let record = AccountCreationRecord {
            id: ids::new(cx, "car-", 32)?,
            organization: organization.id.clone(),
            name: self.account_name.to_string(),
            requested: cx.now,
            completed: cx.now,
            account: made.ok(),
            failure: made.err(),
            billing: self.iam_user_access_to_billing,
        };
        if cx.tx.in_account(SHARED).insert(&record).await? == Stored::Taken {
            return Err(Error::Store(StoreError::Conflict));
        }
        // What became of it is not told before it is asked for.
        let status = CreateAccountStatus {
            state: State::InProgress,
            completed_timestamp: None,
            account_id: None,
            failure_reason: None,
            ..record.into()
        };
        Ok(StatusOutput { create_account_status: status })
    }
}

impl CreateAccount {
    /// The name of the role through which the management account comes in.
    fn role(&self) -> Result<RoleName, Error> {
        let name = self.role_name.as_ref().map_or(ACCESS_ROLE, AccessRoleName::as_str);
        let words = "You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor.";
        let invalid = Error::InvalidInput { reason: "INVALID_ROLE_NAME", words };
        name.parse().ok().filter(|_| !name.to_ascii_lowercase().starts_with("awsservicerolefor")).ok_or(invalid)
    }

    /// The account with all that is in it from the beginning.
    async fn make(
        &self,
        cx: &Allowed<'_, Write>,
        organization: &OrganizationRecord,
        role: RoleName,
    ) -> Result<Result<AccountId, FailureReason>, Error> {
        let (shared, email) = (cx.tx.in_account(SHARED), Email::from(self.email.as_str()));
        if shared.count(AccountRecord::BY_EMAIL.of(&email), 1).await? > 0 {
            return Ok(Err(FailureReason::EmailAlreadyExists));
        }
        // Root may set itself a password by its e-mail address, unless the organization looks after root users itself.
        let central = shared.get::<CentralRootRecord>(&organization.id).await?;
        let recoverable = !central.is_some_and(|central| central.features.contains(&RootFeature::RootCredentialsManagement));
        let account = loop {
            let mut account = AccountRecord::new(ids::account(cx)?, self.account_name.as_str(), email.clone(), cx.now);
            account.root_recovery = recoverable.then_some(cx.now);
            if shared.insert(&account).await? == Stored::Done {
                break account.id;
            }
        };
        if !join(cx, organization, account, JoinedMethod::Created).await? {
            return Err(Error::Store(StoreError::Conflict));
        }
        tagging::add(&cx.tx, &organization.id, &account.to_string(), &self.tags).await?;
        service_linked_role::make(cx, account).await?;
        let management = Arn::iam(organization.management, "root");
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{management}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let role = RoleRecord {
            id: cx.new_id(IdKind::Role)?,
            name: role,
            path: Path::default(),
            created: cx.now,
            description: None,
            max_session_duration: 3_600,
            trust: TrustPolicy { document, pinned: Vec::new() },
            permissions_boundary: None,
            attached: vec![service_linked_role::managed("AdministratorAccess")?],
            tags: Tags::default(),
        };
        match cx.tx.in_account(&account.to_string()).insert(&role).await? {
            Stored::Done => Ok(Ok(account)),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}

#[derive(Shape)]
struct CreateGovCloudAccount {
    email: Address,
    account_name: AccountName,
    role_name: Option<AccessRoleName>,
    iam_user_access_to_billing: Option<Billing>,
    tags: Vec<Tag>,
}

impl Operation for CreateGovCloudAccount {
    type Service = Organizations;
    type Access = Write;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing)).and(!self.tags.is_empty(), "organizations:TagResource").request_tags(&self.tags)
    }

    /// There is no such partition here: what AWS answers to whoever has no part in it.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<StatusOutput, Error> {
        organization(cx, Reach::Management).await?;
        let words = "The management account is not enabled for the AWS GovCloud (US) Region.";
        Err(Error::constraint("MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED", words))
    }
}

#[derive(Shape)]
struct DescribeCreateAccountStatus {
    create_account_request_id: RequestId,
}

impl Operation for DescribeCreateAccountStatus {
    type Service = Organizations;
    type Access = Read;
    type Output = StatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<StatusOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let record = cx.tx.in_account(SHARED).get::<AccountCreationRecord>(&self.create_account_request_id).await?;
        let record = record.filter(|record| record.organization == organization.id).ok_or(Error::NoSuchRequest)?;
        Ok(StatusOutput { create_account_status: record.into() })
    }
}

#[derive(Shape)]
struct ListCreateAccountStatus {
    states: Vec<State>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListCreateAccountStatusOutput {
    create_account_statuses: Vec<CreateAccountStatus>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListCreateAccountStatus {
    type Service = Organizations;
    type Access = Read;
    type Output = ListCreateAccountStatusOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListCreateAccountStatusOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let wanted = |record: &AccountCreationRecord| self.states.is_empty() || self.states.contains(&record.state());
        let span = AccountCreationRecord::BY_ORGANIZATION.of(&organization.id);
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let statuses = page.records.into_iter().map(CreateAccountStatus::from).collect();
        Ok(ListCreateAccountStatusOutput { create_account_statuses: statuses, next: page.next.into() })
    }
}
