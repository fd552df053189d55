"""Identity providers as records: OpenID Connect and SAML. Nobody signs in with one yet."""

import datetime
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness.certificates import DAY, Made, ec_key, now, rsa_key, saml_metadata
from harness.expecting import denial, refused
from harness.principals import allow, body, deny, fresh, trust
from harness.signing import query

UNREADABLE = "Could not parse metadata"


@pytest.fixture(scope="module")
def signing():
    return Made("signing", key=rsa_key())


@pytest.fixture(scope="module")
def metadata(signing):
    return saml_metadata(signing)


def oidc(iam, host=None, **parameters):
    host = host or f"{fresh('oidc')}.example.com"
    return host, iam.create_open_id_connect_provider(Url=f"https://{host}", **parameters)["OpenIDConnectProviderArn"]


def saml(iam, document, name=None, **parameters):
    return iam.create_saml_provider(Name=name or fresh("saml"), SAMLMetadataDocument=document, **parameters)["SAMLProviderArn"]


# OpenID Connect


def test_an_oidc_provider_is_shown_without_its_scheme(account):
    before = now()
    reply = account.iam.create_open_id_connect_provider(Url="https://idp.example.com/realms/Main", ClientIDList=["app", "app", "other"], ThumbprintList=["a" * 40])
    arn = account.arn("oidc-provider/idp.example.com/realms/Main")
    assert body(reply) == {"OpenIDConnectProviderArn": arn}
    got = body(account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn))
    created = got.pop("CreateDate")
    assert abs((created - before).total_seconds()) < 30
    assert got == {"Url": "idp.example.com/realms/Main", "ClientIDList": ["app", "other"], "ThumbprintList": ["a" * 40], "Tags": []}


def test_thumbprints_may_be_left_out(account):
    _, arn = oidc(account.iam)
    got = account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["ThumbprintList"] == [] and got["ClientIDList"] == []


@pytest.mark.parametrize("url", ["example.org", "http://example.org", "https://", "https://example.org?x=1", "https://example.org/#x", "https://a b.example.org", "ftp://example.org"])
def test_a_url_must_be_an_issuers(account, url):
    with refused("ValidationError", "Invalid Open ID Connect Provider URL"):
        account.iam.create_open_id_connect_provider(Url=url)


def test_one_url_is_registered_once(account):
    host, _ = oidc(account.iam)
    for same in (host, host.upper()):
        with refused("EntityAlreadyExists", f"Provider with url https://{same} already exists."):
            oidc(account.iam, same)
    with refused("EntityAlreadyExists"):
        oidc(account.iam, host + ":443")
    oidc(account.iam, host + "/tenant")
    oidc(account.iam, host + "/Tenant")


def test_thumbprints_are_five_at_most(account):
    with refused("InvalidInput", "Thumbprint list must contain fewer than 5 entries."):
        oidc(account.iam, ThumbprintList=[str(digit) * 40 for digit in range(6)])
    _, arn = oidc(account.iam, ThumbprintList=["A" * 40, "a" * 40, "z" * 40])
    assert account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ThumbprintList"] == ["a" * 40, "a" * 40, "z" * 40]
    with refused("InvalidInput", "Thumbprint list must contain at least one entry."):
        account.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=[])
    assert body(account.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["c" * 40, "d" * 40])) == {}
    assert account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ThumbprintList"] == ["c" * 40, "d" * 40]
    with refused("InvalidInput"):
        account.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=[str(digit) * 40 for digit in range(6)])


def test_client_ids_are_a_hundred_at_most_and_adding_twice_is_no_error(account):
    many = [f"client-{number}" for number in range(100)]
    with refused("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        oidc(account.iam, ClientIDList=[*many, "one-more"])
    _, arn = oidc(account.iam, ClientIDList=many)
    with refused("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        account.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one-more")
    for _ in range(2):
        assert body(account.iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="client-7")) == {}
    for _ in range(2):
        assert body(account.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one-more")) == {}
    assert account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == [*(name for name in many if name != "client-7"), "one-more"]


OIDC_CALLS = {
    "get_open_id_connect_provider": {}, "list_open_id_connect_provider_tags": {}, "tag_open_id_connect_provider": {"Tags": [{"Key": "k", "Value": "v"}]},
    "untag_open_id_connect_provider": {"TagKeys": ["k"]}, "add_client_id_to_open_id_connect_provider": {"ClientID": "x"},
    "remove_client_id_from_open_id_connect_provider": {"ClientID": "x"}, "update_open_id_connect_provider_thumbprint": {"ThumbprintList": ["a" * 40]},
}


@pytest.mark.parametrize("call", OIDC_CALLS)
def test_a_missing_oidc_provider_is_told_by_arn(account, call):
    arn = account.arn("oidc-provider/nowhere.example.com")
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}"):
        getattr(account.iam, call)(OpenIDConnectProviderArn=arn, **OIDC_CALLS[call])
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        getattr(account.iam, call)(OpenIDConnectProviderArn="nowhere.example.com/x", **OIDC_CALLS[call])


def test_deleting_an_oidc_provider_twice_is_an_error_in_words_of_its_own(account):
    _, arn = oidc(account.iam)
    assert body(account.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)) == {}
    with refused("NoSuchEntity", f"OpenId connect Provider {arn} cannot be found."):
        account.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    with refused("NoSuchEntity"):
        account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def test_oidc_providers_are_listed(other_account):
    arns = sorted(oidc(other_account.iam)[1] for _ in range(3))
    assert body(other_account.iam.list_open_id_connect_providers()) == {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns]}


# SAML


def test_a_saml_provider_is_shown_whole(account, metadata):
    before = now()
    reply = account.iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=metadata)
    arn = account.arn("saml-provider/Corp")
    assert body(reply) == {"SAMLProviderArn": arn}
    got = body(account.iam.get_saml_provider(SAMLProviderArn=arn))
    assert set(got) == {"SAMLProviderUUID", "SAMLMetadataDocument", "CreateDate", "ValidUntil", "Tags", "AssertionEncryptionMode", "PrivateKeyList"}
    assert got["SAMLMetadataDocument"] == metadata and got["Tags"] == [] and got["PrivateKeyList"] == []
    assert got["AssertionEncryptionMode"] == "Allowed" and re.fullmatch(r"[A-Z0-9]{22,64}", got["SAMLProviderUUID"])
    assert abs((got["CreateDate"] - before).total_seconds()) < 30 and got["ValidUntil"] > before + 30 * 365 * DAY
    listed = [each for each in account.iam.list_saml_providers()["SAMLProviderList"] if each["Arn"] == arn]
    assert listed == [{"Arn": arn, "ValidUntil": got["ValidUntil"], "CreateDate": got["CreateDate"]}]


def test_metadata_may_say_until_when_it_holds(account, signing):
    arn = saml(account.iam, saml_metadata(signing, attributes=' validUntil="2099-01-02T03:04:05Z"'))
    assert account.iam.get_saml_provider(SAMLProviderArn=arn)["ValidUntil"] == datetime.datetime(2099, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def test_a_saml_name_is_taken_once(account, metadata):
    arn = saml(account.iam, metadata)
    name = arn.rsplit("/", 1)[1]
    for same in (name, name.upper()):
        with refused("EntityAlreadyExists", f"Provider with name {same} already exists."):
            saml(account.iam, metadata, same)


def test_what_is_no_metadata_is_refused(account, signing, metadata):
    for bad in ("x" * 1000, metadata.replace("IDPSSODescriptor", "SPSSODescriptor"), metadata.replace("entityID", "entity"), metadata[:-20],
                metadata.replace("<md:EntityDescriptor", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><md:EntityDescriptor", 1),
                saml_metadata(signing, attributes="".join(f' a{number}="x"' for number in range(65)))):
        with refused("InvalidInput", UNREADABLE):
            saml(account.iam, bad)
    arn = saml(account.iam, metadata)
    with refused("InvalidInput", UNREADABLE):
        account.iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument="x" * 1000)
    assert account.iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"] == metadata


def test_metadata_needs_a_certificate_that_has_not_expired(account, signing):
    expired = Made("expired", starts=-9 * DAY, lasts=DAY)
    for bad in (saml_metadata(), saml_metadata(expired), saml_metadata(signing, attributes=' validUntil="2020-01-01T00:00:00Z"')):
        with refused("InvalidInput"):
            saml(account.iam, bad)
    saml(account.iam, saml_metadata(expired, signing))
    with refused("LimitExceeded", "Cannot exceed quota for KeysPerSAMLProvider: 10"):
        saml(account.iam, saml_metadata(*(Made(f"key-{number}") for number in range(11))))


def test_a_long_document_is_taken(account, signing):
    """Organizations publish metadata of megabytes; AWS takes ten million characters."""
    long = saml_metadata(signing, more=f"<md:Organization><!--{'y' * 3_000_000}--></md:Organization>")
    arn = saml(account.iam, long)
    assert account.iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"] == long


def test_an_update_changes_what_it_names(account, metadata, signing):
    arn = saml(account.iam, metadata)
    before = body(account.iam.get_saml_provider(SAMLProviderArn=arn))
    other = saml_metadata(signing, issuer="https://other.example.com")
    assert body(account.iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=other)) == {"SAMLProviderArn": arn}
    with refused("InvalidInput", "Failed to set assertion encryption mode to Required because no private key is present."):
        account.iam.update_saml_provider(SAMLProviderArn=arn, AssertionEncryptionMode="Required")
    with refused("ValidationError", "Unable to update identity provider. No updates are defined for metadata or encryption assertion."):
        account.iam.update_saml_provider(SAMLProviderArn=arn)
    account.iam.update_saml_provider(SAMLProviderArn=arn, AddPrivateKey=Made("key", key=rsa_key()).key_pem())
    account.iam.update_saml_provider(SAMLProviderArn=arn, AssertionEncryptionMode="Required")
    [key] = account.iam.get_saml_provider(SAMLProviderArn=arn)["PrivateKeyList"]
    with refused("InvalidInput", "Failed to remove private key."):
        account.iam.update_saml_provider(SAMLProviderArn=arn, RemovePrivateKey=key["KeyId"])
    with refused("ValidationError", "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters."):
        account.iam.update_saml_provider(SAMLProviderArn=arn, RemovePrivateKey=key["KeyId"], AddPrivateKey="x")
    with refused("ValidationError", "Unable to set assertion encryption mode to Required because no private key is provided."):
        saml(account.iam, metadata, AssertionEncryptionMode="Required")
    after = body(account.iam.get_saml_provider(SAMLProviderArn=arn))
    assert after["SAMLMetadataDocument"] == other and after["AssertionEncryptionMode"] == "Required"
    assert after["SAMLProviderUUID"] == before["SAMLProviderUUID"] and after["CreateDate"] == before["CreateDate"]


def test_private_keys_are_two_at_most_and_never_shown(account, metadata):
    keys = [Made(f"key-{number}", key=rsa_key()).key_pem() for number in range(3)]
    arn = saml(account.iam, metadata, AssertionEncryptionMode="Required", AddPrivateKey=keys[0])
    account.iam.update_saml_provider(SAMLProviderArn=arn, AddPrivateKey=keys[1])
    reply = account.iam.get_saml_provider(SAMLProviderArn=arn)
    listed = reply["PrivateKeyList"]
    assert len(listed) == 2 and all(set(each) == {"KeyId", "Timestamp"} and re.fullmatch(r"SAMLPK[A-Z0-9]{16}", each["KeyId"]) for each in listed)
    assert "PRIVATE KEY" not in str(reply)
    with refused("LimitExceeded", "Private key limit of 2 is reached."):
        account.iam.update_saml_provider(SAMLProviderArn=arn, AddPrivateKey=keys[2])
    account.iam.update_saml_provider(SAMLProviderArn=arn, RemovePrivateKey=listed[0]["KeyId"])
    account.iam.update_saml_provider(SAMLProviderArn=arn, AddPrivateKey=keys[2])
    left = [each["KeyId"] for each in account.iam.get_saml_provider(SAMLProviderArn=arn)["PrivateKeyList"]]
    assert listed[1]["KeyId"] in left and listed[0]["KeyId"] not in left and len(left) == 2
    with refused("NoSuchEntity"):
        account.iam.update_saml_provider(SAMLProviderArn=arn, RemovePrivateKey=listed[0]["KeyId"])


def test_a_private_key_that_opens_no_assertion_is_refused(account, metadata):
    certificate = Made(key=rsa_key())
    for bad in ("key", certificate.pem, certificate.key_pem(passphrase=b"secret"), Made(key=ec_key(ec.SECP384R1)).key_pem()):
        with refused("InvalidInput"):
            saml(account.iam, metadata, AddPrivateKey=bad)


def test_a_private_key_of_a_provider_is_in_no_file_of_the_server(own_server, metadata):
    own_server.start()
    account, certificate = own_server.first_account(), Made(key=rsa_key())
    arn = saml(account.iam, metadata, AddPrivateKey=certificate.key_pem())
    account.iam.update_saml_provider(SAMLProviderArn=arn, AddPrivateKey=certificate.key_pem())
    own_server.terminate()
    everything = b"".join(path.read_bytes() for path in own_server.data_dir.rglob("*") if path.is_file()) + own_server.logged().encode()
    assert b"UpdateSAMLProvider" in everything
    for line in certificate.key_pem().splitlines()[1:-1]:
        assert line.encode() not in everything


SAML_CALLS = {"get_saml_provider": {}, "delete_saml_provider": {}, "update_saml_provider": {"AssertionEncryptionMode": "Required"}, "list_saml_provider_tags": {},
              "tag_saml_provider": {"Tags": [{"Key": "k", "Value": "v"}]}, "untag_saml_provider": {"TagKeys": ["k"]}}


@pytest.mark.parametrize("call", SAML_CALLS)
def test_a_missing_saml_provider_is_told_by_arn(account, call):
    arn = account.arn("saml-provider/Nowhere")
    with refused("NoSuchEntity", f"Manifest not found for arn {arn}"):
        getattr(account.iam, call)(SAMLProviderArn=arn, **SAML_CALLS[call])
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        getattr(account.iam, call)(SAMLProviderArn="saml-provider/Nowhere", **SAML_CALLS[call])


def test_a_deleted_saml_provider_leaves_nothing(account, metadata):
    arn = saml(account.iam, metadata, "Gone", AddPrivateKey=Made(key=rsa_key()).key_pem())
    assert body(account.iam.delete_saml_provider(SAMLProviderArn=arn)) == {}
    with refused("NoSuchEntity"):
        account.iam.get_saml_provider(SAMLProviderArn=arn)
    assert account.iam.get_saml_provider(SAMLProviderArn=saml(account.iam, metadata, "Gone"))["PrivateKeyList"] == []


# Both


@pytest.mark.parametrize("kind", ["oidc", "saml"])
def test_tags_of_providers(account, metadata, kind):
    tags = [{"Key": "team", "Value": "red"}]
    if kind == "oidc":
        reply, named, word = account.iam.create_open_id_connect_provider(Url=f"https://{fresh('tagged')}.example.com", Tags=tags), "OpenIDConnectProviderArn", "open_id_connect_provider"
    else:
        reply, named, word = account.iam.create_saml_provider(Name=fresh("tagged"), SAMLMetadataDocument=metadata, Tags=tags), "SAMLProviderArn", "saml_provider"
    assert reply["Tags"] == tags
    arn = {named: reply[named]}
    assert body(getattr(account.iam, f"tag_{word}")(**arn, Tags=[{"Key": "Team", "Value": "blue"}])) == {}
    both = [{"Key": "Team", "Value": "blue"}, *tags]
    assert body(getattr(account.iam, f"list_{word}_tags")(**arn)) == {"Tags": both, "IsTruncated": False}
    first = getattr(account.iam, f"list_{word}_tags")(**arn, MaxItems=1)
    second = getattr(account.iam, f"list_{word}_tags")(**arn, MaxItems=1, Marker=first["Marker"])
    assert first["Tags"] + second["Tags"] == both and second["IsTruncated"] is False
    assert body(getattr(account.iam, f"untag_{word}")(**arn, TagKeys=["Team", "none"])) == {}
    assert getattr(account.iam, f"get_{word}")(**arn)["Tags"] == tags
    reader = account.user(allow(["iam:GetOpenIDConnectProvider", "iam:GetSAMLProvider"], "*", {"StringEquals": {"aws:ResourceTag/team": "red"}}))
    getattr(reader.iam, f"get_{word}")(**arn)
    getattr(account.iam, f"untag_{word}")(**arn, TagKeys=["team"])
    with refused("AccessDenied", re.compile(re.escape(reply[named]))):
        getattr(reader.iam, f"get_{word}")(**arn)


def test_nobody_makes_a_provider_without_permission(account, nobody, metadata):
    with refused("AccessDenied", denial(nobody.arn, "iam:CreateOpenIDConnectProvider", account.arn("oidc-provider/denied.example.com"))):
        oidc(nobody.iam, "denied.example.com")
    with refused("AccessDenied", denial(nobody.arn, "iam:CreateSAMLProvider", account.arn("saml-provider/Denied"))):
        saml(nobody.iam, metadata, "Denied")
    with refused("AccessDenied", denial(nobody.arn, "iam:ListSAMLProviders", ("*", account.arn("saml-provider/*")))):
        nobody.iam.list_saml_providers()
    bound = account.user(allow("iam:*"), deny("iam:TagSAMLProvider"))
    saml(bound.iam, metadata)
    with refused("AccessDenied", re.compile("iam:TagSAMLProvider")):
        saml(bound.iam, metadata, Tags=[{"Key": "k", "Value": "v"}])


def test_another_accounts_provider_is_out_of_reach(account, other_account, metadata):
    _, first = oidc(account.iam)
    second = saml(account.iam, metadata)
    with refused("AccessDenied"):
        other_account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=first)
    with refused("AccessDenied"):
        other_account.iam.delete_saml_provider(SAMLProviderArn=second)
    account.iam.get_saml_provider(SAMLProviderArn=second)


def test_the_summary_counts_providers(server, metadata):
    account = server.account(fresh("providing"))
    assert account.iam.get_account_summary()["SummaryMap"]["Providers"] == 0
    oidc(account.iam)
    saml(account.iam, metadata)
    assert account.iam.get_account_summary()["SummaryMap"]["Providers"] == 2


def test_the_operator_may_set_quotas(own_server, metadata):
    own_server.environment |= {"BAILIWICK_QUOTA_SAML_PROVIDERS": "1", "BAILIWICK_QUOTA_OIDC_PROVIDERS": "1"}
    own_server.start()
    account = own_server.first_account()
    oidc(account.iam)
    with refused("LimitExceeded", re.compile(": 1$")):
        oidc(account.iam)
    saml(account.iam, metadata)
    with refused("LimitExceeded", re.compile(": 1$")):
        saml(account.iam, metadata)


def test_a_role_may_trust_a_provider_and_nobody_signs_in_with_it_yet(account, metadata):
    _, arn = oidc(account.iam, ClientIDList=["app"])
    role = account.role(trusted=trust({"Federated": arn}, ["sts:AssumeRoleWithWebIdentity"]))
    reply = query(account.root, "sts", "AssumeRoleWithWebIdentity", {"RoleArn": role.arn, "RoleSessionName": "x", "WebIdentityToken": "x" * 20}).send()
    assert (reply.status, reply.code) == (400, "InvalidAction")
