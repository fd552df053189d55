//! Whom AWS would write to about an account: its primary contact.
//! Rules: <https://docs.aws.amazon.com/accounts/latest/reference/API_ContactInformation.html>.

use crate::phone_number::{PhoneNumberVerificationStatus, phone_status};
use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use arn::AccountId;
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{Read, Record, StoreError, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Account> = &[handler::<GetContactInformation>(), handler::<PutContactInformation>()];

macro_rules! texts {
    ($($name:ident $length:tt $says:literal),*) => {$(
        #[doc = $says]
        #[derive(Debug, Clone, PartialEq, Eq, Text)]
        #[text(min = 1, max = $length, quiet)]
        pub(crate) struct $name(Box<str>);
    )*};
}
texts!(FullName 50 "Who.", AddressLine 60 "A line of an address.", City 50 "Where.", StateOrRegion 50 "Where.", DistrictOrCounty 50 "Where.",
    PostalCode 20 "Where.", CompanyName 50 "For whom.", WebsiteUrl 256 "Whose.");

/// A country, by its two letters.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 2, max = 2, quiet)]
pub(crate) struct CountryCode(Box<str>);

/// A telephone, with its country.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 20, pattern = r"[+][\s0-9()-]+", quiet)]
pub(crate) struct PhoneNumber(Box<str>);

/// Countries whose addresses have a state or region.
/// Source: <https://docs.aws.amazon.com/accounts/latest/reference/API_ContactInformation.html>.
const WITH_STATES: [&str; 7] = ["US", "CA", "GB", "DE", "JP", "IN", "BR"];

/// The primary contact.
#[derive(Debug, Clone, Serialize, Deserialize, Shape)]
pub(crate) struct ContactInformation {
    full_name: FullName,
    address_line1: AddressLine,
    address_line2: Option<AddressLine>,
    address_line3: Option<AddressLine>,
    city: City,
    state_or_region: Option<StateOrRegion>,
    district_or_county: Option<DistrictOrCounty>,
    postal_code: PostalCode,
    country_code: CountryCode,
    pub phone_number: PhoneNumber,
    company_name: Option<CompanyName>,
    website_url: Option<WebsiteUrl>,
}

impl ContactInformation {
    /// What the model does not say.
    fn check(&self) -> Result<(), Error> {
        let country = self.country_code.as_str();
        if !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(Error::field("The country code must be one of ISO 3166: two capital letters."));
        }
        if WITH_STATES.contains(&country) && self.state_or_region.is_none() {
            return Err(Error::field("The state or region is required in this country."));
        }
        Ok(())
    }
}

/// The primary contact of an account, kept in its own partition.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-contact", key = account)]
pub(crate) struct ContactRecord {
    /// Whose.
    pub account: AccountId,
    /// Who.
    pub contact: ContactInformation,
}

#[derive(Shape)]
#[shape(http = "POST /getContactInformation")]
struct GetContactInformation {
    account_id: Option<AccountNumber>,
}

#[derive(Shape)]
struct GetContactInformationOutput {
    contact_information: ContactInformation,
    verification_status: PhoneNumberVerificationStatus,
}

impl Operation for GetContactInformation {
    type Service = Account;
    type Access = Read;
    type Output = GetContactInformationOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetContactInformationOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let there = cx.tx.in_account(&account.to_string()).get::<ContactRecord>(&account).await?;
        let record = there.ok_or_else(|| Error::NotFound("No contact information found.".to_owned()))?;
        let verification_status = phone_status(&cx.tx, &record, cx.now).await?;
        Ok(GetContactInformationOutput { contact_information: record.contact, verification_status })
    }
}

#[derive(Shape)]
#[shape(http = "POST /putContactInformation")]
struct PutContactInformation {
    contact_information: ContactInformation,
    account_id: Option<AccountNumber>,
}

impl Operation for PutContactInformation {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        self.contact_information.check()?;
        let record = ContactRecord { account, contact: self.contact_information.clone() };
        match cx.tx.in_account(&account.to_string()).put(&record).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}
