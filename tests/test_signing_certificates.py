"""Signing certificates: two a user, one certificate for one user, SHA-256 or better."""

import pytest
from cryptography.hazmat.primitives import hashes

from harness.certificates import DAY, Made, rsa_key
from harness.expecting import denial, refused
from harness.principals import allow, body, fresh

MEMBERS = {"UserName", "CertificateId", "CertificateBody", "Status", "UploadDate"}
NOWHERE = "NONEXISTENTCERTID12345678901"
CALLS = ["upload", "list", "update", "delete"]


def missing(certificate_id=NOWHERE):
    return f"The Certificate with id {certificate_id} cannot be found."


def upload(iam, certificate=None, **parameters):
    return iam.upload_signing_certificate(CertificateBody=(certificate or Made()).pem, **parameters)["Certificate"]


def call(iam, which, **parameters):
    if which == "upload":
        return iam.upload_signing_certificate(CertificateBody=Made().pem, **parameters)
    if which == "list":
        return iam.list_signing_certificates(**parameters)
    if which == "update":
        return iam.update_signing_certificate(CertificateId=NOWHERE, Status="Inactive", **parameters)
    return iam.delete_signing_certificate(CertificateId=NOWHERE, **parameters)


def test_an_upload_is_active_and_listed(account):
    user, made = account.user(), Made(key=rsa_key())
    reply = account.iam.upload_signing_certificate(UserName=user.name, CertificateBody=made.pem)
    shown = reply["Certificate"]
    assert set(body(reply)) == {"Certificate"} and set(shown) == MEMBERS
    assert shown["UserName"] == user.name and shown["Status"] == "Active" and shown["CertificateBody"] == made.pem
    assert 24 <= len(shown["CertificateId"]) <= 128 and shown["CertificateId"].isalnum()
    assert body(account.iam.list_signing_certificates(UserName=user.name)) == {"Certificates": [shown], "IsTruncated": False}


def test_a_certificate_is_switched_off_and_on(account):
    user = account.user()
    made = upload(account.iam, UserName=user.name)
    for status in ("Inactive", "Active"):
        assert body(account.iam.update_signing_certificate(UserName=user.name, CertificateId=made["CertificateId"], Status=status)) == {}
        assert account.iam.list_signing_certificates(UserName=user.name)["Certificates"][0]["Status"] == status
    with refused("InvalidInput"):
        account.iam.update_signing_certificate(UserName=user.name, CertificateId=made["CertificateId"], Status="Expired")


def test_a_third_certificate_is_refused(account):
    user = account.user()
    first = upload(account.iam, UserName=user.name)
    upload(account.iam, UserName=user.name)
    with refused("LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2"):
        upload(account.iam, UserName=user.name)
    assert body(account.iam.delete_signing_certificate(UserName=user.name, CertificateId=first["CertificateId"])) == {}
    upload(account.iam, UserName=user.name)


def test_one_certificate_belongs_to_one_user(account, other_account):
    one, other, made = account.user(), account.user(), Made()
    first = upload(account.iam, made, UserName=one.name)
    account.iam.update_signing_certificate(UserName=one.name, CertificateId=first["CertificateId"], Status="Inactive")
    assert upload(account.iam, made, UserName=one.name) == first
    assert account.iam.list_signing_certificates(UserName=one.name)["Certificates"] == [first | {"Status": "Inactive"}]
    with refused("DuplicateCertificate", "Duplicate certificate uploaded."):
        upload(account.iam, made, UserName=other.name)
    upload(other_account.iam, made, UserName=other_account.user().name)
    account.iam.delete_signing_certificate(UserName=one.name, CertificateId=first["CertificateId"])
    upload(account.iam, made, UserName=other.name)


def test_what_is_no_certificate_is_repeated(account):
    user = account.user()
    with refused("MalformedCertificate", "Certificate invalid-certificate-body is malformed."):
        account.iam.upload_signing_certificate(UserName=user.name, CertificateBody="invalid-certificate-body")
    with refused("MalformedCertificate"):
        account.iam.upload_signing_certificate(UserName=user.name, CertificateBody=Made().pem * 2)


def test_a_certificate_that_nobody_should_trust_is_refused(account):
    user = account.user()
    with refused("InvalidCertificate"):
        upload(account.iam, Made(starts=DAY), UserName=user.name)
    with refused("MalformedCertificate"):
        upload(account.iam, Made(starts=-9 * DAY, lasts=DAY), UserName=user.name)
    for digest in (hashes.SHA384, hashes.SHA512):
        account.iam.delete_signing_certificate(UserName=user.name, CertificateId=upload(account.iam, Made(digest=digest), UserName=user.name)["CertificateId"])
    with refused("InvalidCertificate"):
        upload(account.iam, Made(digest=hashes.SHA224), UserName=user.name)


@pytest.mark.parametrize("which", CALLS)
def test_the_user_must_exist(account, which):
    with refused("NoSuchEntity", "The user with name nobody-here cannot be found."):
        call(account.iam, which, UserName="nobody-here")


@pytest.mark.parametrize("which", ["update", "delete"])
def test_a_certificate_of_another_user_is_not_there(account, which):
    one, other = account.user(), account.user()
    with refused("NoSuchEntity", missing()):
        call(account.iam, which, UserName=one.name)
    made = upload(account.iam, UserName=other.name)["CertificateId"]
    given = {"Status": "Inactive"} if which == "update" else {}
    with refused("NoSuchEntity", missing(made)):
        getattr(account.iam, f"{which}_signing_certificate")(UserName=one.name, CertificateId=made, **given)


def test_without_a_name_the_callers_own_are_meant(account):
    user = account.user(allow("iam:*SigningCertificate*", account.arn("user/${aws:username}")))
    made = upload(user.iam)
    assert made["UserName"] == user.name
    assert user.iam.list_signing_certificates()["Certificates"] == [made]
    user.iam.update_signing_certificate(CertificateId=made["CertificateId"], Status="Inactive")
    user.iam.delete_signing_certificate(CertificateId=made["CertificateId"])
    with refused("AccessDenied"):
        user.iam.list_signing_certificates(UserName=account.user(key=False).name)


def test_root_has_its_own_and_the_summary_tells(server):
    account = server.account(fresh("rooted"))
    present = lambda: account.iam.get_account_summary()["SummaryMap"]["AccountSigningCertificatesPresent"]
    assert present() == 0
    upload(account.iam, UserName=account.user(key=False).name)
    assert present() == 0, "a user's is not root's"
    raw = upload(account.iam)
    assert "UserName" not in raw and present() == 1
    account.iam.delete_signing_certificate(CertificateId=raw["CertificateId"])
    assert present() == 0 and account.iam.get_account_summary()["SummaryMap"]["SigningCertificatesPerUserQuota"] == 2


def test_a_role_must_name_the_user(account):
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("iam:*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        session.iam.list_signing_certificates()


@pytest.mark.parametrize("which, action", list(zip(CALLS, ["Upload", "List", "Update", "Delete"])))
def test_nobody_does_it_without_permission(account, nobody, which, action):
    user, name = account.user(), f"iam:{action}SigningCertificate{'s' if which == 'list' else ''}"
    with refused("AccessDenied", denial(nobody.arn, name, f"user {user.name}")):
        call(nobody.iam, which, UserName=user.name)


def test_a_user_with_a_certificate_cannot_be_deleted(account):
    user = account.user(key=False)
    made = upload(account.iam, UserName=user.name)
    with refused("DeleteConflict", "Cannot delete entity, must delete certificates first."):
        account.iam.delete_user(UserName=user.name)
    account.iam.delete_signing_certificate(UserName=user.name, CertificateId=made["CertificateId"])
    account.iam.delete_user(UserName=user.name)


def test_lists_are_paged(account):
    user = account.user()
    whole = {upload(account.iam, UserName=user.name)["CertificateId"] for _ in range(2)}
    pages = list(account.iam.get_paginator("list_signing_certificates").paginate(UserName=user.name, PaginationConfig={"PageSize": 1}))
    assert len(pages) == 2 and {each["CertificateId"] for page in pages for each in page["Certificates"]} == whole
