"""Signs images with C2PA manifests, by the library itself and with a certificate that is made for the run."""

import datetime as dt
import io
import json
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.unit.crawling.judging.embedded.files import AI, MIME_TYPES, plain

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
_OFFLINE = {"verify": {"verify_after_sign": False}, "builder": {"thumbnail": {"enabled": False}}}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def training(uses: dict[str, str], label: str = "cawg.training-mining") -> dict[str, Any]:
    """Returns the assertion about training and mining."""
    return {"label": label, "data": {"entries": {name: {"use": use} for name, use in uses.items()}}}


def created(source_type: str = AI) -> dict[str, Any]:
    """Returns the assertion that says how the image was made."""
    action = {"action": "c2pa.created", "digitalSourceType": source_type}
    return {"label": "c2pa.actions", "data": {"actions": [action]}}


def signed(image_format: str, *assertions: dict[str, Any], data: bytes = b"", ocsp: str = "") -> bytes:
    """Returns an image with a signed manifest that has these assertions. Without actions, a camera made it.

    `ocsp` is the address in the certificate where a reader may ask whether it was revoked.
    """
    labels = {assertion["label"] for assertion in assertions}
    manifest = {
        "claim_generator_info": [{"name": "test camera", "version": "1"}],
        "title": "t",
        "assertions": [*assertions, *(() if "c2pa.actions" in labels else (created(CAPTURE),))],
    }
    certificates, key = _chain(ocsp)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", certificates, key, None))
    builder = c2pa.Builder(json.dumps(manifest), context=c2pa.Context.from_dict(_OFFLINE))
    out = io.BytesIO()
    builder.sign(signer, MIME_TYPES[image_format], io.BytesIO(data or plain(image_format)), out)
    return out.getvalue()


@cache
def _chain(ocsp: str) -> tuple[bytes, bytes]:
    """Returns the certificates of a signer and of its root, and the signer's key, in PEM."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("root", root_key, root_key, "key_cert_sign", "crl_sign")
    leaf = _certificate("signer", key, root_key, "digital_signature", ocsp=ocsp)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join(found.public_bytes(serialization.Encoding.PEM) for found in (leaf, root)), private


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: ec.EllipticCurvePrivateKey,
    *usages: str,
    ocsp: str = "",
) -> x509.Certificate:
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=key is issuer, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if key is not issuer:
        email = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        builder = builder.add_extension(email, critical=False).add_extension(authority, critical=False)
    if ocsp:
        place = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    return builder.sign(issuer, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "PixCrawler tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
