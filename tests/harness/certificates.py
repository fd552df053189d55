"""Certificates and keys as clients have them, made with `cryptography`: authorities, leaves, bent ones."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from . import ledger

DAY = datetime.timedelta(days=1)
FORMATS = {"pkcs8": serialization.PrivateFormat.PKCS8, "traditional": serialization.PrivateFormat.TraditionalOpenSSL}


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


class Made:
    """A certificate with its key. Made by `issuer`, or by itself."""

    def __init__(self, name="server.example", issuer=None, *, key=None, authority=False, starts=-DAY, lasts=30 * DAY, digest=hashes.SHA256):
        self.key = key or ec_key()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        first = now() + starts
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name((issuer or self).name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(first).not_valid_after(first + lasts)
        if authority:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = builder.sign((issuer or self).key, digest())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def expires(self):
        return self.certificate.not_valid_after_utc

    def key_pem(self, form="pkcs8", passphrase=None):
        """The key, whose lines the search for leaked secrets looks for."""
        wrapped = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        text = self.key.private_bytes(serialization.Encoding.PEM, FORMATS[form], wrapped).decode()
        for line in text.splitlines()[1:-1]:
            ledger.keep(line, "a line of a private key") if len(line) > 40 else None
        return text


def der_text(made):
    """The certificate as SAML metadata has it."""
    return "".join(made.pem.splitlines()[1:-1])


def saml_metadata(*signing, issuer="https://idp.example.com/saml", more="", keys="", attributes=""):
    """A metadata document of an identity provider with these certificates to sign with."""
    described = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{der_text(each)}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>" for each in signing)
    text = (f'<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}"{attributes}>'
            f'<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{described}{keys}'
            '<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>'
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>'
            f'</md:IDPSSODescriptor>{more}</md:EntityDescriptor>')
    return text + f"<!--{'x' * max(0, 1000 - len(text))}-->"
