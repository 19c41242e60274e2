"""The broker's authority and the certificates it gives: PEM in and out, no files, no clock.

None of them ever ends: a box that wakes from a blackout may think it is 1970, and its alarms must go through. Who may
speak is the broker's list of users, which is changed at once, and the list of revoked certificates.
"""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NEVER = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)  # "no well-defined expiration", RFC 5280 4.1.2.5
BROKER = "broker.siaga.internal"  # what the broker's certificate is for, wherever it stands
LONGEST_NAME = 64  # of a common name, X.520

Client = Ed25519PublicKey | ec.EllipticCurvePublicKey
Signer = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def make_key() -> ec.EllipticCurvePrivateKey:
    """P-256, which every program that speaks MQTT over TLS knows."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def load_signer(key: bytes, certificate: bytes) -> Signer:
    """Raises ValueError when the two do not belong together."""
    private = serialization.load_pem_private_key(key, None)
    public = x509.load_pem_x509_certificate(certificate)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public.public_key():
        raise ValueError("the authority's key and certificate do not belong together")
    return private, public


def make_authority(site: str) -> tuple[bytes, bytes]:
    """Key and certificate of a new authority of one site's broker."""
    key = make_key()
    mark = hashlib.sha256(_der(key.public_key())).hexdigest()[:8]  # two authorities of one name confuse everybody
    name = _name(f"Siaga {site} {mark}")
    builder = _builder(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return key_pem(key), _pem(builder.sign(key, hashes.SHA256()))


def server_certificate(signer: Signer, names: Iterable[str]) -> tuple[bytes, bytes]:
    """Key and certificate for the broker, under BROKER and the names and addresses that strangers' programs dial."""
    key = make_key()
    builder = _leaf(signer, BROKER, key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH)
    names = [BROKER, *sorted({*names} - {BROKER})]
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
    return key_pem(key), _pem(builder.sign(signer[0], hashes.SHA256()))


def client_certificate(signer: Signer, user: str, key: Client) -> bytes:
    """For a client that the broker will know as `user`."""
    builder = _leaf(signer, user, key, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _pem(builder.sign(signer[0], hashes.SHA256()))


def revoked_list(signer: Signer, certificates: Iterable[str], number: int) -> bytes:
    """The list that the broker refuses by. A later `number` makes a later date, and the later list counts."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(signer[1].subject)
    builder = builder.last_update(BEGIN + dt.timedelta(seconds=number)).next_update(NEVER)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for pem in certificates:
        serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(BEGIN)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def user_of(certificate: str) -> str:
    """The name under which the broker knows the holder of this certificate."""
    found = x509.load_pem_x509_certificate(certificate.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)


def fits(certificate: str, key: Ed25519PrivateKey) -> bool:
    return x509.load_pem_x509_certificate(certificate.encode()).public_key() == key.public_key()


def digest(public: Client) -> str:
    """SHA-256 of a public key, 64 hex digits."""
    return hashlib.sha256(_der(public)).hexdigest()


def _leaf(signer: Signer, name: str, key: Client, use: x509.ObjectIdentifier) -> x509.CertificateBuilder:
    builder = _builder(_name(name), signer[1].subject, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    above = signer[0].public_key()
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)


def _builder(subject: x509.Name, issuer: x509.Name, key: Client) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(BEGIN).not_valid_after(NEVER)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:LONGEST_NAME])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _der(public: Client) -> bytes:
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
