"""The box's own certificate authority and the certificates it gives this box. Bytes and times in, PEM out: no files.

Browsers trust it after a person installed it once, so it lasts as long as the box. It is bound to names and addresses
that no public site can have: who steals its key can pass for this box, and for nobody's bank.
"""

import datetime as dt
import ipaddress
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = 86400.0  # s
RELEASED = 1_793_491_200.0  # 2026-11-01, raised at each release: a clock that says less is wrong
OPENS = 1_577_836_800.0  # 2020-01-01: the authority holds also for a PC whose clock fell back to its making
AUTHORITY_LASTS = 20 * 365 * DAY  # longer than a box lives; its end means a walk to every PC
SERVED_LASTS = 397 * DAY  # all in all; browsers take 398 days at most from public authorities
BACK = 30 * DAY  # of these before now: PCs' clocks are behind, and ours may be ahead
RENEW_BEFORE = 120 * DAY  # of its end: a box that is off for a season comes back with a good one
MOST_NAMES = 60  # in one certificate; a box has a handful
LONGEST_NAME = 44  # characters of the site's name in the authority's, of 64

LOCAL_NAMES = (
    "localhost",
    "local",
    "lan",
    "internal",
    "home.arpa",
)  # and all beneath; none is anybody's on the Internet
LOCAL_NETWORKS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip


class Unusable(ValueError):
    """A PEM text that is not what it should be."""


class Pair(NamedTuple):
    """A certificate and its private key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        """Both as one text: one file is never half of one pair and half of another."""
        form = serialization.PrivateFormat.PKCS8
        key = self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        return key + self.public_pem()

    def public_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def digest(self) -> bytes:
        """SHA-256 of the certificate, as browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256())


def parse(pem: bytes) -> Pair:
    """What `Pair.pem` wrote. Raises Unusable."""
    try:
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError) as e:
        raise Unusable("it is no key with a certificate") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _same(key.public_key(), certificate.public_key()):
        raise Unusable("its key and its certificate do not belong together")
    return Pair(key, certificate)


def make_authority(name: str, wanted: Iterable[str], wall: float) -> Pair:
    """A new authority for a box called `name`; `wanted` are its names and addresses at this time."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Two of one name with different keys confuse the certificate stores of PCs.
    called = f"Siaga {name[:LONGEST_NAME].strip()} {secrets.token_hex(3)}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
    at = max(wall, RELEASED)
    builder = _builder(subject, subject, key, OPENS, at + AUTHORITY_LASTS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.NameConstraints(_permitted(wanted), None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Pair(key, builder.sign(key, hashes.SHA256()))


def allowed(authority: x509.Certificate, wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of the names and addresses that this authority may vouch for, sorted, a bounded number."""
    bounds = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    networks = [b.value for b in bounds if isinstance(b, x509.IPAddress)]
    names = [b.value for b in bounds if isinstance(b, x509.DNSName)]

    def may(name: str) -> bool:
        if address := _address(name):
            return any(address in network for network in networks if not isinstance(network, Address))
        return any(name == bound or name.endswith(f".{bound}") for bound in names)

    return tuple(sorted({name for name in wanted if may(name)})[:MOST_NAMES])


def issue(authority: Pair, names: Iterable[str], wall: float) -> Pair:
    """A certificate for this box under `names`, good from a month ago for a little more than a year."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = max(wall, RELEASED) - BACK
    end = min(start + SERVED_LASTS, authority.certificate.not_valid_after_utc.timestamp())
    # No name with a dot in it: programs of old take the subject's for a host name.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Siaga")])
    builder = _builder(subject, authority.certificate.subject, key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
    above = authority.key.public_key()
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    return Pair(key, builder.sign(authority.key, hashes.SHA256()))


def why_new(served: x509.Certificate, authority: x509.Certificate, names: Iterable[str], wall: float) -> str:
    """Why another certificate is needed now; empty when this one does.

    A clock that is plainly wrong (before our release) judges no certificate by its dates: what was good before a
    blackout stays.
    """
    try:
        served.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return "another authority gave it"
    if missing := set(names) - names_in(served):
        return f"it lacks {', '.join(sorted(missing))}"
    if wall < RELEASED:
        return ""
    if wall < served.not_valid_before_utc.timestamp():
        return "the clock was ahead when it was made"
    if wall > served.not_valid_after_utc.timestamp() - RENEW_BEFORE:
        return f"it ends on {served.not_valid_after_utc:%Y-%m-%d}"
    return ""


def ending(authority: x509.Certificate, wall: float) -> bool:
    """Whether the authority cannot vouch for a whole certificate's time any more."""
    return max(wall, RELEASED) > authority.not_valid_after_utc.timestamp() - SERVED_LASTS


def names_in(certificate: x509.Certificate) -> set[str]:
    """The names and addresses that it holds for."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))}


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.IPAddress(address) if address else x509.DNSName(name)


def _permitted(wanted: Iterable[str]) -> list[x509.GeneralName]:
    """Local names and networks, and the box's own where they are not among these."""
    networks = [ipaddress.ip_network(n) for n in LOCAL_NETWORKS]
    names = list(LOCAL_NAMES)
    for name in sorted(set(wanted)):
        if address := _address(name):
            if not any(address in network for network in networks):
                networks.append(ipaddress.ip_network(name))
        elif not any(name == bound or name.endswith(f".{bound}") for bound in names):
            names.append(name)
    return [*map(x509.DNSName, names), *map(x509.IPAddress, networks)]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: float, end: float
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(_utc(start)).not_valid_after(_utc(end))
    return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _same(one: PublicKeyTypes, other: PublicKeyTypes) -> bool:
    return one == other


def _utc(wall: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(wall), dt.UTC)
