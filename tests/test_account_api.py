"""Account Management: an account's own name, contacts and regions, and what a management account does for its members."""

import contextlib
import json

import pytest
from botocore.exceptions import ClientError

from harness.members import organization
from harness.principals import allow, body, deny, fresh

SERVICE = "account.amazonaws.com"
CONTACT = {
    "FullName": "Jane Roe",
    "AddressLine1": "Any Street 1",
    "City": "Seattle",
    "StateOrRegion": "WA",
    "PostalCode": "98101",
    "CountryCode": "US",
    "PhoneNumber": "+1 206 555 0100",
}
SWITCHED = "Unable to switch region status because of its current opt-in status."
SECURITY = {"Name": "Security", "Title": "Watch", "EmailAddress": "security@example.com", "PhoneNumber": "+1 206 555 0101"}


@contextlib.contextmanager
def refused(code, status, reason=None, words=""):
    """The call inside is refused like this."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer
    assert answer.get("reason") == reason, answer
    assert words in answer["Error"]["Message"], answer


def denied(words=""):
    return refused("AccessDeniedException", 403, words=words)


@pytest.fixture(scope="module")
def own(server):
    """The client of a standalone account's root."""
    return server.account("standalone").root.client("account")


@pytest.fixture(scope="module")
def mine(server):
    """An organization that trusts Account Management."""
    made = organization(server, "managing")
    made.client.enable_aws_service_access(ServicePrincipal=SERVICE)
    return made


@pytest.fixture(scope="module")
def member(mine):
    return mine.create()


def managing(mine):
    return mine.management.root.client("account")


def test_an_account_is_told_and_renamed(server):
    account = server.account("named")
    client = account.root.client("account")
    told = body(client.get_account_information())
    assert told.pop("AccountCreatedDate").year > 2000
    assert told == {"AccountId": account.id, "AccountName": "named", "AccountState": "ACTIVE"}
    client.put_account_name(AccountName="renamed")
    assert client.get_account_information()["AccountName"] == "renamed"
    assert f"{account.id}\trenamed\t" in server.run("account", "list").stdout


def test_the_date_is_written_as_the_model_says(own):
    seen = []
    own.meta.events.register("before-parse.account.GetAccountInformation", lambda response_dict, **_: seen.append(json.loads(response_dict["body"])))
    own.get_account_information()
    assert seen[0]["AccountCreatedDate"].endswith("Z") and "T" in seen[0]["AccountCreatedDate"]


def test_there_is_no_govcloud(own):
    with refused("ResourceNotFoundException", 404, words="GovCloud Account ID not found for Standard Account - "):
        own.get_gov_cloud_account_information()


def test_the_contact_of_an_account(own):
    with refused("ResourceNotFoundException", 404):
        own.get_contact_information()
    own.put_contact_information(ContactInformation=CONTACT)
    told = body(own.get_contact_information())
    assert told == {"ContactInformation": CONTACT, "VerificationStatus": "UNVERIFIED"}
    full = CONTACT | {"AddressLine2": "b", "AddressLine3": "c", "DistrictOrCounty": "d", "CompanyName": "e", "WebsiteUrl": "https://example.com"}
    own.put_contact_information(ContactInformation=full)
    assert own.get_contact_information()["ContactInformation"] == full


@pytest.mark.parametrize("change", [{"StateOrRegion": None}, {"CountryCode": "us"}, {"PhoneNumber": "0100"}, {"City": ""}, {"FullName": None}])
def test_a_contact_that_does_not_do(server, change):
    contact = {name: value for name, value in (CONTACT | change).items() if value is not None}
    client = server.first_account().root.unchecked("account")
    with refused("ValidationException", 400, "fieldValidationFailed"):
        client.put_contact_information(ContactInformation=contact)


def test_alternate_contacts(own):
    for kind in ["BILLING", "OPERATIONS", "SECURITY"]:
        with refused("ResourceNotFoundException", 404, words="No contact of the inputted alternate contact type found."):
            own.get_alternate_contact(AlternateContactType=kind)
        own.put_alternate_contact(AlternateContactType=kind, **SECURITY)
        assert own.get_alternate_contact(AlternateContactType=kind)["AlternateContact"] == SECURITY | {"AlternateContactType": kind}
    own.put_alternate_contact(AlternateContactType="BILLING", **SECURITY | {"Title": "Other"})
    assert own.get_alternate_contact(AlternateContactType="BILLING")["AlternateContact"]["Title"] == "Other"
    own.put_alternate_contact(AlternateContactType="BILLING", **SECURITY | {"Name": " Roe ", "EmailAddress": " roe@example.com "})
    shown = own.get_alternate_contact(AlternateContactType="BILLING")["AlternateContact"]
    assert (shown["Name"], shown["EmailAddress"]) == (" Roe ", "roe@example.com")
    own.delete_alternate_contact(AlternateContactType="BILLING")
    with refused("ResourceNotFoundException", 404):
        own.delete_alternate_contact(AlternateContactType="BILLING")
    assert own.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["Name"] == "Security"
    with refused("ValidationException", 400, "fieldValidationFailed"):
        own.put_alternate_contact(AlternateContactType="SALES", **SECURITY)


def test_regions_are_listed_page_by_page_and_asked_for(own):
    pages = own.get_paginator("list_regions")
    regions = {each["RegionName"]: each["RegionOptStatus"] for page in pages.paginate(MaxResults=7) for each in page["Regions"]}
    assert list(regions) == sorted(regions) and len(regions) == 34
    assert (regions["us-east-1"], regions["eu-south-1"]) == ("ENABLED_BY_DEFAULT", "DISABLED")
    first = own.list_regions()
    assert len(first["Regions"]) == 20 and "NextToken" in first
    own.enable_region(RegionName="eu-south-1")
    assert body(own.get_region_opt_status(RegionName="eu-south-1")) == {"RegionName": "eu-south-1", "RegionOptStatus": "ENABLED"}
    with refused("ValidationException", 400, "invalidRegionOptTarget", words=SWITCHED):
        own.enable_region(RegionName="eu-south-1")
    assert own.list_regions(RegionOptStatusContains=["ENABLED"])["Regions"] == [{"RegionName": "eu-south-1", "RegionOptStatus": "ENABLED"}]
    own.disable_region(RegionName="eu-south-1")
    assert own.get_region_opt_status(RegionName="eu-south-1")["RegionOptStatus"] == "DISABLED"
    with refused("ValidationException", 400, "invalidRegionOptTarget", words=SWITCHED):
        own.disable_region(RegionName="eu-south-1")
    assert own.list_regions(RegionOptStatusContains=["ENABLED", "ENABLING"])["Regions"] == []
    for call in [own.enable_region, own.disable_region]:
        with refused("ValidationException", 400, "invalidRegionOptTarget", words=SWITCHED):
            call(RegionName="us-east-1")
    for call in [own.enable_region, own.disable_region, own.get_region_opt_status]:
        with refused("ValidationException", 400, "fieldValidationFailed", "moon-north-1 is not a valid region for opt-in or opt-out."):
            call(RegionName="moon-north-1")
    with pytest.raises(ClientError) as caught:
        own.list_regions(NextToken="nonsense")
    field = {"name": "NextToken", "message": "NextToken is malformed"}
    assert (caught.value.response["reason"], caught.value.response["fieldList"]) == ("fieldValidationFailed", [field])


def test_what_must_be_said_and_is_not(server):
    unchecked = server.first_account().root.unchecked("account")
    for call in ["get_alternate_contact", "put_account_name", "enable_region", "get_primary_email", "accept_primary_email_update"]:
        with refused("ValidationException", 400, "fieldValidationFailed", words="Member must not be null"):
            getattr(unchecked, call)()


def test_permissions_are_asked_for_by_resource_and_key(server):
    account = server.account("judging")
    with denied("is not authorized to perform: account:ListRegions"):
        account.user().client("account").list_regions()
    arn = f"arn:aws:account::{account.id}:account"
    only = allow("account:*AlternateContact", arn, {"ForAllValues:StringEquals": {"account:AlternateContactTypes": ["BILLING"]}})
    client = account.user(only).client("account")
    client.put_alternate_contact(AlternateContactType="BILLING", **SECURITY)
    with denied():
        client.put_alternate_contact(AlternateContactType="SECURITY", **SECURITY)
    client = account.user(allow("account:*"), deny("account:EnableRegion", condition={"StringEquals": {"account:TargetRegion": "af-south-1"}})).client("account")
    client.enable_region(RegionName="ap-east-1")
    with denied("explicit deny"):
        client.enable_region(RegionName="af-south-1")


def test_a_management_account_acts_on_its_member(mine, member):
    client = managing(mine)
    client.put_account_name(AccountId=member, AccountName="by management")
    assert client.get_account_information(AccountId=member)["AccountName"] == "by management"
    assert mine.client.describe_account(AccountId=member)["Account"]["Name"] == "by management"
    client.put_alternate_contact(AccountId=member, AlternateContactType="SECURITY", **SECURITY)
    client.put_contact_information(AccountId=member, ContactInformation=CONTACT)
    client.enable_region(AccountId=member, RegionName="eu-south-2")
    inside = mine.inside(member).client("account")
    assert inside.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["Name"] == "Security"
    assert inside.get_contact_information()["ContactInformation"] == CONTACT
    assert inside.get_region_opt_status(RegionName="eu-south-2")["RegionOptStatus"] == "ENABLED"
    assert client.get_region_opt_status(RegionName="eu-south-2")["RegionOptStatus"] == "DISABLED"
    closed = mine.create()
    mine.client.close_account(AccountId=closed)
    assert client.get_account_information(AccountId=closed)["AccountState"] == "SUSPENDED"


def test_who_may_not_name_an_account(server, mine, member, own):
    client = managing(mine)
    with denied("The management account can only be managed using the standalone context from the management account."):
        client.get_account_information(AccountId=mine.management.id)
    stranger = server.account("stranger")
    for other in [stranger.id, "999999999999"]:
        with denied("The account is not a member of your organization."):
            client.put_account_name(AccountId=other, AccountName="taken over")
    with denied():
        own.get_account_information(AccountId=member)
    with denied():
        stranger.root.client("account").get_primary_email(AccountId=stranger.id)
    inside = mine.inside(member).client("account")
    for other in [member, mine.management.id]:
        with denied():
            inside.get_account_information(AccountId=other)
    untrusting = organization(server, "untrusting")
    made = untrusting.create()
    with denied("(Your organization must first enable trusted access with AWS Account Management.)"):
        managing(untrusting).get_account_information(AccountId=made)
    billing = organization(server, "billing", FeatureSet="CONSOLIDATED_BILLING")
    with denied("all features"):
        managing(billing).get_account_information(AccountId=billing.create())


def test_a_delegated_administrator_acts_on_members(server, mine, member):
    administrator = mine.create()
    client = mine.inside(administrator).client("account")
    with denied():
        client.get_account_information(AccountId=member)
    mine.delegate(administrator, SERVICE)
    assert client.get_account_information(AccountId=member)["AccountId"] == member
    with denied():
        client.get_account_information(AccountId=mine.management.id)
    mine.client.deregister_delegated_administrator(AccountId=administrator, ServicePrincipal=SERVICE)
    with denied():
        client.get_account_information(AccountId=member)


def test_permission_is_for_members_by_their_place_and_tags(mine, member):
    other = mine.create()
    arn = f"arn:aws:account::{mine.management.id}:account/{mine.id}/"
    client = mine.management.user(allow("account:GetAccountInformation", arn + member)).client("account")
    client.get_account_information(AccountId=member)
    for call in [{}, {"AccountId": other}]:
        with denied():
            client.get_account_information(**call)
    mine.client.tag_resource(ResourceId=other, Tags=[{"Key": "stage", "Value": "test"}])
    tagged = allow("account:*", condition={"StringEquals": {"account:AccountResourceOrgTags/stage": "test"}})
    client = mine.management.user(tagged).client("account")
    client.get_account_information(AccountId=other)
    with denied():
        client.get_account_information(AccountId=member)
    path = allow("account:*", condition={"ForAnyValue:StringLike": {"account:AccountResourceOrgPaths": f"{mine.id}/{mine.root}/*"}})
    mine.management.user(path).client("account").get_account_information(AccountId=member)


def test_a_service_control_policy_binds(mine):
    bound = mine.create()
    content = json.dumps({"Version": "2012-10-17", "Statement": [deny("account:EnableRegion")]})
    made = mine.client.create_policy(Content=content, Description="", Name=fresh("scp"), Type="SERVICE_CONTROL_POLICY")
    mine.client.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=bound)
    with denied("service control policy"):
        mine.inside(bound).client("account").enable_region(RegionName="af-south-1")


def code_of(server, account, kind="email"):
    to, code = server.run("account", f"{kind}-code", "--id", account).stdout.rstrip("\n").split("\t")
    return to, code


def wrong(code):
    return "AAAAAA" if code != "AAAAAA" else "BBBBBB"


def test_an_address_is_changed_by_its_code(server, mine):
    account, client, address = mine.create(), managing(mine), f"{fresh('new')}@example.org"
    old = client.get_primary_email(AccountId=account)["PrimaryEmail"]
    with refused("ValidationException", 400, words="No email update found for account"):
        client.get_primary_email_update_status(AccountId=account)
    with refused("ResourceNotFoundException", 404):
        client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp="AAAAAA")
    assert server.run("account", "email-code", "--id", account, check=False).returncode != 0
    assert client.start_primary_email_update(AccountId=account, PrimaryEmail=address)["Status"] == "PENDING"
    assert client.get_primary_email_update_status(AccountId=account)["Status"] == "PENDING"
    assert client.get_primary_email(AccountId=account)["PrimaryEmail"] == old
    email, code = code_of(server, account)
    assert email == address
    for call in [{"PrimaryEmail": address, "Otp": wrong(code)}, {"PrimaryEmail": "other@example.org", "Otp": code}]:
        with refused("ValidationException", 400, "fieldValidationFailed"):
            client.accept_primary_email_update(AccountId=account, **call)
    assert client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=code)["Status"] == "ACCEPTED"
    assert client.get_primary_email_update_status(AccountId=account)["Status"] == "ACCEPTED"
    assert client.get_primary_email(AccountId=account)["PrimaryEmail"] == address
    assert mine.client.describe_account(AccountId=account)["Account"]["Email"] == address
    with refused("ResourceNotFoundException", 404):
        client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=code)
    trail = server.trail()
    assert "AcceptPrimaryEmailUpdate" in trail and "ShowPrimaryEmailCode" in trail
    assert code not in trail and code not in server.logged()


def test_a_new_code_ends_the_old_one(server, mine, member):
    client, address = managing(mine), f"{fresh('again')}@example.org"
    client.start_primary_email_update(AccountId=member, PrimaryEmail=address)
    _, first = code_of(server, member)
    client.start_primary_email_update(AccountId=member, PrimaryEmail=address)
    _, second = code_of(server, member)
    assert first != second
    with refused("ValidationException", 400, "fieldValidationFailed"):
        client.accept_primary_email_update(AccountId=member, PrimaryEmail=address, Otp=first)
    client.accept_primary_email_update(AccountId=member, PrimaryEmail=address, Otp=second)


def test_guessing_a_code_ends(server, mine):
    account, client, address = mine.create(), managing(mine), f"{fresh('guessed')}@example.org"
    for _ in range(5):
        client.start_primary_email_update(AccountId=account, PrimaryEmail=address)
        with refused("ValidationException", 400, "fieldValidationFailed"):
            client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=wrong(code_of(server, account)[1]))
    with refused("TooManyRequestsException", 429):
        client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=code_of(server, account)[1])
    assert client.get_primary_email(AccountId=account)["PrimaryEmail"] != address


def test_addresses_that_cannot_be(mine, member):
    client = managing(mine)
    taken = client.get_primary_email(AccountId=member)["PrimaryEmail"]
    with refused("ConflictException", 409):
        client.start_primary_email_update(AccountId=mine.create(), PrimaryEmail=taken.upper())
    for address in ["no address", "a@b@example.com", "team@local"]:
        with refused("ValidationException", 400, "fieldValidationFailed"):
            client.start_primary_email_update(AccountId=member, PrimaryEmail=address)
    only = allow("account:StartPrimaryEmailUpdate", condition={"StringEquals": {"account:EmailTargetDomain": "example.org"}})
    limited = mine.management.user(only).client("account")
    with denied():
        limited.start_primary_email_update(AccountId=member, PrimaryEmail="team@example.net")
    limited.start_primary_email_update(AccountId=member, PrimaryEmail=f"{fresh('team')}@example.org")


def test_an_address_that_another_account_took_meanwhile_is_refused(server, mine):
    first, second, client, address = mine.create(), mine.create(), managing(mine), f"{fresh('wanted')}@example.org"
    codes = {}
    for account in (first, second):
        client.start_primary_email_update(AccountId=account, PrimaryEmail=address)
        codes[account] = code_of(server, account)[1]
    client.accept_primary_email_update(AccountId=first, PrimaryEmail=address, Otp=codes[first])
    with refused("ConflictException", 409):
        client.accept_primary_email_update(AccountId=second, PrimaryEmail=address, Otp=codes[second])
    assert client.get_primary_email(AccountId=second)["PrimaryEmail"] != address


def status_of(client, **account):
    return client.get_contact_information(**account)["VerificationStatus"]


def test_a_telephone_is_verified_by_its_code_once(server):
    account = server.account("calling")
    client = account.root.client("account")
    for call in [client.send_phone_number_verification, lambda: client.verify_phone_number(Otp="AAAAAA")]:
        with refused("ResourceNotFoundException", 404):
            call()
    client.put_contact_information(ContactInformation=CONTACT)
    with refused("ResourceNotFoundException", 404):
        client.verify_phone_number(Otp="AAAAAA")
    assert status_of(client) == "UNVERIFIED"
    assert server.run("account", "phone-code", "--id", account.id, check=False).returncode != 0
    assert body(client.send_phone_number_verification()) == {"Status": "PENDING"}
    assert status_of(client) == "PENDING"
    number, code = code_of(server, account.id, "phone")
    assert number == CONTACT["PhoneNumber"]
    with refused("ValidationException", 400, "fieldValidationFailed"):
        client.verify_phone_number(Otp=wrong(code))
    assert status_of(client) == "PENDING"
    assert body(client.verify_phone_number(Otp=code)) == {"Status": "VERIFIED"}
    assert status_of(client) == "VERIFIED"
    with refused("ResourceNotFoundException", 404):
        client.verify_phone_number(Otp=code)
    assert server.run("account", "phone-code", "--id", account.id, check=False).returncode != 0
    trail = server.trail()
    assert "VerifyPhoneNumber" in trail and "ShowPhoneNumberCode" in trail
    assert code not in trail and code not in server.logged()


def test_another_number_is_verified_anew(server):
    account = server.account("moving")
    client = account.root.client("account")
    client.put_contact_information(ContactInformation=CONTACT)
    client.send_phone_number_verification()
    _, code = code_of(server, account.id, "phone")
    client.put_contact_information(ContactInformation=CONTACT | {"PhoneNumber": "+1 206 555 0199"})
    assert status_of(client) == "UNVERIFIED"
    with refused("ResourceNotFoundException", 404):
        client.verify_phone_number(Otp=code)
    client.send_phone_number_verification()
    number, second = code_of(server, account.id, "phone")
    assert number == "+1 206 555 0199"
    if second != code:
        with refused("ValidationException", 400, "fieldValidationFailed"):
            client.verify_phone_number(Otp=code)
    client.verify_phone_number(Otp=second)
    client.put_contact_information(ContactInformation=CONTACT | {"PhoneNumber": "+1 206 555 0199", "City": "Tacoma"})
    assert status_of(client) == "VERIFIED", "the number is the same"
    client.put_contact_information(ContactInformation=CONTACT)
    assert status_of(client) == "UNVERIFIED"


def test_guessing_the_code_of_a_telephone_ends(server):
    account = server.account("guessed-phone")
    client = account.root.client("account")
    client.put_contact_information(ContactInformation=CONTACT)
    for _ in range(5):
        client.send_phone_number_verification()
        with refused("ValidationException", 400, "fieldValidationFailed"):
            client.verify_phone_number(Otp=wrong(code_of(server, account.id, "phone")[1]))
    with refused("TooManyRequestsException", 429):
        client.verify_phone_number(Otp=code_of(server, account.id, "phone")[1])
    assert status_of(client) == "PENDING"


def test_a_management_account_verifies_the_telephone_of_a_member(server, mine, own):
    account, client = mine.create(), managing(mine)
    client.put_contact_information(AccountId=account, ContactInformation=CONTACT)
    assert client.send_phone_number_verification(AccountId=account)["Status"] == "PENDING"
    _, code = code_of(server, account, "phone")
    assert client.verify_phone_number(AccountId=account, Otp=code)["Status"] == "VERIFIED"
    assert status_of(mine.inside(account).client("account")) == "VERIFIED"
    with denied("The management account can only be managed using the standalone context from the management account."):
        client.send_phone_number_verification(AccountId=mine.management.id)
    for call in [lambda: own.send_phone_number_verification(AccountId=account), lambda: own.verify_phone_number(AccountId=account, Otp=code)]:
        with denied():
            call()


def test_verifying_a_telephone_needs_permission_and_a_code_that_could_be_one(server):
    account = server.account("judged-phone")
    account.root.client("account").put_contact_information(ContactInformation=CONTACT)
    user = account.user(allow("account:VerifyPhoneNumber"))
    with denied("is not authorized to perform: account:SendPhoneNumberVerification"):
        user.client("account").send_phone_number_verification()
    other = account.user(allow("account:SendPhoneNumberVerification"))
    other.client("account").send_phone_number_verification()
    with denied("is not authorized to perform: account:VerifyPhoneNumber"):
        other.client("account").verify_phone_number(Otp=code_of(server, account.id, "phone")[1])
    for call in [{}, {"Otp": "short"}, {"Otp": "!!!!!!"}]:
        with refused("ValidationException", 400, "fieldValidationFailed"):
            user.unchecked("account").verify_phone_number(**call)
    assert user.client("account").verify_phone_number(Otp=code_of(server, account.id, "phone")[1])["Status"] == "VERIFIED"
