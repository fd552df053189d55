"""Server certificates: the key must match, the chain must lead, and the key never comes out."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness.certificates import DAY, Made, ec_key, rsa_key
from harness.expecting import denial, refused
from harness.principals import allow, body, deny, document, fresh

METADATA = {"Path", "ServerCertificateName", "ServerCertificateId", "Arn", "UploadDate", "Expiration"}
UNREADABLE = "Unable to parse certificate. Please ensure the certificate is in PEM format."
CHAIN = ("Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any "
         "intermediaries in order. The index within the chain of the invalid certificate is: {}")


def missing(name):
    return f"The Server Certificate with name {name} cannot be found."


@pytest.fixture(scope="module")
def made():
    """One certificate, for tests that do not look into it."""
    return Made()


@pytest.fixture(scope="module")
def root():
    return Made("root", authority=True)


@pytest.fixture(scope="module")
def between(root):
    return Made("between", root, authority=True)


def upload(iam, certificate, *, name=None, **parameters):
    name = name or fresh("certificate")
    given = {"CertificateBody": certificate.pem, "PrivateKey": certificate.key_pem(), **parameters}
    return name, iam.upload_server_certificate(ServerCertificateName=name, **given)


def test_an_upload_is_answered_with_what_lists_show(account, made):
    name, reply = upload(account.iam, made)
    assert set(body(reply)) == {"ServerCertificateMetadata"}
    metadata = reply["ServerCertificateMetadata"]
    assert set(metadata) == METADATA
    assert metadata["Path"] == "/" and metadata["ServerCertificateName"] == name
    assert metadata["Arn"] == account.arn(f"server-certificate/{name}")
    assert re.fullmatch(r"ASCA[A-Z2-7]{17}", metadata["ServerCertificateId"])
    assert metadata["Expiration"] == made.expires
    listed = [each for each in account.iam.list_server_certificates()["ServerCertificateMetadataList"] if each["ServerCertificateName"] == name]
    assert listed == [metadata]


def test_get_gives_the_certificate_back_and_never_the_key(account, made):
    name, uploaded = upload(account.iam, made)
    reply = account.iam.get_server_certificate(ServerCertificateName=name)
    got = reply["ServerCertificate"]
    assert set(body(reply)) == {"ServerCertificate"} and set(got) == {"ServerCertificateMetadata", "CertificateBody", "Tags"}
    assert got["ServerCertificateMetadata"] == uploaded["ServerCertificateMetadata"]
    assert got["CertificateBody"] == made.pem.rstrip("\n") and got["Tags"] == []
    assert "PRIVATE" not in str(reply)


@pytest.mark.parametrize("key, form", [
    (rsa_key, "traditional"), (rsa_key, "pkcs8"), (lambda: rsa_key(1024), "traditional"), (lambda: rsa_key(4096), "pkcs8"),
    (ec_key, "traditional"), (ec_key, "pkcs8"), (lambda: ec_key(ec.SECP384R1), "pkcs8"), (lambda: ec_key(ec.SECP521R1), "traditional"),
], ids=["rsa-pkcs1", "rsa-pkcs8", "rsa-1024", "rsa-4096", "p256-sec1", "p256-pkcs8", "p384", "p521"])
def test_every_kind_of_key_is_taken(account, key, form):
    certificate = Made(key=key())
    upload(account.iam, certificate, PrivateKey=certificate.key_pem(form))


def test_a_chain_comes_back_where_one_was_given(account, root, between):
    leaf = Made("leaf", between)
    chain = between.pem + root.pem
    name, _ = upload(account.iam, leaf, CertificateChain=chain)
    assert account.iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]["CertificateChain"] == chain.rstrip("\n")
    upload(account.iam, leaf, CertificateChain=between.pem)
    upload(account.iam, leaf)


def test_a_chain_that_does_not_lead_is_refused(account, root, between):
    leaf, stranger = Made("leaf", between), Made("between", root, authority=True)
    for chain, place in [(root.pem + between.pem, -1), (stranger.pem, -1), (root.pem, -1), (stranger.pem + root.pem, 0), ("no chain", -1),
                         ("text\n" + between.pem, -1), (between.key_pem(), -1)]:
        with refused("MalformedCertificate", CHAIN.format(place)):
            upload(account.iam, leaf, CertificateChain=chain)


def test_an_authority_that_has_expired_certifies_nothing(account, root):
    old = Made("old", root, authority=True, starts=-20 * DAY, lasts=10 * DAY)
    with refused("MalformedCertificate", CHAIN.format(1)):
        upload(account.iam, Made("leaf", old), CertificateChain=old.pem + root.pem)


def test_the_key_must_be_the_certificates(account, made):
    for other in (Made(), Made(key=rsa_key())):
        with refused("KeyPairMismatch"):
            upload(account.iam, made, PrivateKey=other.key_pem())


def test_what_is_no_certificate_is_refused(account, made):
    cut = made.pem.replace("\n", "", 1).replace("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA", 1)
    for bad in ("certificate", made.pem[40:], made.pem * 2, cut, made.key_pem(), "Subject: x\n" + made.pem):
        with refused("MalformedCertificate", UNREADABLE):
            upload(account.iam, made, CertificateBody=bad)


def test_what_is_no_usable_key_is_refused(account, made):
    for bad in ("key", made.pem, made.key_pem(passphrase=b"secret"), made.key_pem("traditional", passphrase=b"secret"), made.key_pem() * 2):
        with refused("MalformedCertificate"):
            upload(account.iam, made, PrivateKey=bad)


def test_a_certificate_is_uploaded_within_its_validity(account):
    expired = "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed."
    with refused("MalformedCertificate", expired):
        upload(account.iam, Made(starts=-10 * DAY, lasts=5 * DAY))
    with refused("MalformedCertificate", re.compile("'Not Before'")):
        upload(account.iam, Made(starts=DAY))


def test_a_name_is_unique_whatever_its_case(account, made):
    upload(account.iam, made, name="taken")
    with refused("EntityAlreadyExists", "The Server Certificate with name TAKEN already exists."):
        upload(account.iam, made, name="TAKEN")
    assert account.iam.get_server_certificate(ServerCertificateName="Taken")["ServerCertificate"]["ServerCertificateMetadata"]["ServerCertificateName"] == "taken"


@pytest.mark.parametrize("call", ["get_server_certificate", "delete_server_certificate", "update_server_certificate", "list_server_certificate_tags"])
def test_a_missing_certificate_is_told_by_name(account, call):
    with refused("NoSuchEntity", missing("nowhere")):
        getattr(account.iam, call)(ServerCertificateName="nowhere")


def test_update_renames_and_moves(account, made):
    name, uploaded = upload(account.iam, made, Path="/old/")
    assert uploaded["ServerCertificateMetadata"]["Arn"] == account.arn(f"server-certificate/old/{name}")
    assert body(account.iam.update_server_certificate(ServerCertificateName=name, NewPath="/new/", NewServerCertificateName=name + "-2")) == {}
    with refused("NoSuchEntity", missing(name)):
        account.iam.get_server_certificate(ServerCertificateName=name)
    moved = account.iam.get_server_certificate(ServerCertificateName=name + "-2")["ServerCertificate"]["ServerCertificateMetadata"]
    assert moved["Arn"] == account.arn(f"server-certificate/new/{name}-2")
    assert moved["ServerCertificateId"] == uploaded["ServerCertificateMetadata"]["ServerCertificateId"]
    other, _ = upload(account.iam, made)
    with refused("EntityAlreadyExists", f"The Server Certificate with name {other} already exists."):
        account.iam.update_server_certificate(ServerCertificateName=name + "-2", NewServerCertificateName=other)


def test_a_move_is_judged_on_the_old_and_the_new_arn(account, made):
    name, _ = upload(account.iam, made, Path="/red/")
    only_red = account.user(allow("iam:UpdateServerCertificate", account.arn("server-certificate/red/*")))
    only_red.iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=name + "-2")
    with refused("AccessDenied", denial(only_red.arn, "iam:UpdateServerCertificate", account.arn(f"server-certificate/blue/{name}-2"))):
        only_red.iam.update_server_certificate(ServerCertificateName=name + "-2", NewPath="/blue/")
    only_blue = account.user(allow("iam:UpdateServerCertificate", account.arn("server-certificate/blue/*")))
    with refused("AccessDenied"):
        only_blue.iam.update_server_certificate(ServerCertificateName=name + "-2", NewPath="/blue/")


def test_a_deleted_certificate_is_gone_and_its_name_is_free(account, made):
    name, first = upload(account.iam, made)
    assert body(account.iam.delete_server_certificate(ServerCertificateName=name)) == {}
    with refused("NoSuchEntity", missing(name)):
        account.iam.get_server_certificate(ServerCertificateName=name)
    _, second = upload(account.iam, made, name=name)
    assert first["ServerCertificateMetadata"]["ServerCertificateId"] != second["ServerCertificateMetadata"]["ServerCertificateId"]


def test_lists_are_narrowed_and_paged(other_account, made):
    iam = other_account.iam
    for number in range(5):
        upload(iam, made, name=f"page-{number}", Path="/x/" if number < 3 else "/y/z/")
    whole = body(iam.list_server_certificates())
    assert set(whole) == {"ServerCertificateMetadataList", "IsTruncated"} and whole["IsTruncated"] is False
    assert [each["ServerCertificateName"] for each in whole["ServerCertificateMetadataList"]] == [f"page-{number}" for number in range(5)]
    assert [each["ServerCertificateName"] for each in iam.list_server_certificates(PathPrefix="/y/")["ServerCertificateMetadataList"]] == ["page-3", "page-4"]
    pages = list(iam.get_paginator("list_server_certificates").paginate(PaginationConfig={"PageSize": 2}))
    assert [each for page in pages for each in page["ServerCertificateMetadataList"]] == whole["ServerCertificateMetadataList"]
    assert len(pages) == 3


def test_tags_tell_cases_apart(account, made):
    tags = [{"Key": "team", "Value": "red"}]
    name, reply = upload(account.iam, made, Tags=tags)
    assert reply["Tags"] == tags
    assert body(account.iam.tag_server_certificate(ServerCertificateName=name, Tags=[{"Key": "Team", "Value": "blue"}])) == {}
    both = [{"Key": "Team", "Value": "blue"}, *tags]
    assert account.iam.list_server_certificate_tags(ServerCertificateName=name)["Tags"] == both
    pages = list(account.iam.get_paginator("list_server_certificate_tags").paginate(ServerCertificateName=name, PaginationConfig={"PageSize": 1}))
    assert [page["Tags"][0] for page in pages] == both
    assert body(account.iam.untag_server_certificate(ServerCertificateName=name, TagKeys=["Team", "none"])) == {}
    assert account.iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]["Tags"] == tags


def test_tags_are_judged(account, made):
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    reader = account.user(allow("iam:GetServerCertificate", "*", red))
    name, _ = upload(account.iam, made, Tags=[{"Key": "team", "Value": "red"}])
    plain, _ = upload(account.iam, made)
    reader.iam.get_server_certificate(ServerCertificateName=name)
    with refused("AccessDenied", denial(reader.arn, "iam:GetServerCertificate", f"server certificate {plain}")):
        reader.iam.get_server_certificate(ServerCertificateName=plain)
    untagging = account.user(allow("iam:UploadServerCertificate"))
    upload(untagging.iam, made)
    with refused("AccessDenied", re.compile("iam:TagServerCertificate")):
        upload(untagging.iam, made, Tags=[{"Key": "team", "Value": "red"}])


def test_nobody_uploads_without_permission(nobody, account, made):
    with refused("AccessDenied", denial(nobody.arn, "iam:UploadServerCertificate", account.arn("server-certificate/denied"))):
        upload(nobody.iam, made, name="denied")
    bound = account.user(allow("iam:*"), deny("iam:UploadServerCertificate", account.arn("server-certificate/prod/*")))
    upload(bound.iam, made)
    with refused("AccessDenied", re.compile("explicit deny")):
        upload(bound.iam, made, Path="/prod/")


def test_another_accounts_certificate_is_not_there(account, other_account, made):
    name, _ = upload(account.iam, made)
    with refused("NoSuchEntity", missing(name)):
        other_account.iam.get_server_certificate(ServerCertificateName=name)


def test_the_summary_counts(server, made):
    account = server.account(fresh("counting"))
    before = account.iam.get_account_summary()["SummaryMap"]
    assert before["ServerCertificates"] == 0 and before["ServerCertificatesQuota"] == 20
    upload(account.iam, made)
    assert account.iam.get_account_summary()["SummaryMap"]["ServerCertificates"] == 1


def test_the_operator_may_set_a_quota(own_server, made):
    own_server.environment["BAILIWICK_QUOTA_SERVER_CERTIFICATES"] = "1"
    own_server.start()
    account = own_server.first_account()
    upload(account.iam, made)
    with refused("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 1"):
        upload(account.iam, made)
    assert account.iam.get_account_summary()["SummaryMap"]["ServerCertificatesQuota"] == 1


def test_a_private_key_is_in_no_file_of_the_server(own_server):
    own_server.start()
    account, certificate = own_server.first_account(), Made(key=rsa_key())
    name, _ = upload(account.iam, certificate)
    with refused("KeyPairMismatch"):
        upload(account.iam, Made(), PrivateKey=certificate.key_pem())
    for misplaced in ({"CertificateBody": certificate.key_pem()}, {"CertificateChain": certificate.key_pem("traditional")}):
        with refused("MalformedCertificate"):
            upload(account.iam, certificate, **misplaced)
    with refused("MalformedCertificate"):
        account.iam.upload_signing_certificate(UserName=account.user(key=False).name, CertificateBody=certificate.key_pem())
    account.iam.delete_server_certificate(ServerCertificateName=name)
    own_server.terminate()
    files = [path for path in own_server.data_dir.rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files) + own_server.logged().encode()
    assert b"UploadServerCertificate" in everything
    for line in certificate.key_pem().splitlines()[1:-1]:
        assert line.encode() not in everything


def test_a_policy_may_name_certificates_by_path(account, made):
    name, _ = upload(account.iam, made, Path="/cdn/")
    user = account.user()
    account.iam.put_user_policy(UserName=user.name, PolicyName="cdn", PolicyDocument=document(allow("iam:GetServerCertificate", account.arn("server-certificate/cdn/*"))))
    assert user.iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]["CertificateBody"]
