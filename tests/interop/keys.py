"""Keys: private ones come as JWK; public ones out of a did:key, a controller document, or a JWK."""

import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

FAMILIES = {"OKP": OKPAlgorithm, "EC": ECAlgorithm, "RSA": RSAAlgorithm}
ALGORITHMS = {"OKP": "EdDSA", "EC": "ES256", "RSA": "RS256"}

# What stands before the raw key in a Multikey.
ED25519_PUBLIC = bytes([0xED, 0x01])
P256_PUBLIC = bytes([0x80, 0x24])

RELATIONSHIPS = ("assertionMethod", "authentication")
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Refused(Exception):
    """What cannot be signed or does not verify, with the reason."""


def generate(kind):
    """A new private key as JWK: Ed25519, P-256 or RSA."""
    if kind == "Ed25519":
        return OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True)
    if kind == "P-256":
        return ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)


def load(jwk):
    """The key of a JWK: private where it has `d`, else public."""
    family = FAMILIES.get(jwk.get("kty"))
    if family is None or jwk.get("crv") not in (None, "Ed25519", "P-256"):
        raise Refused(f"no algorithm for a key of {jwk.get('crv', jwk.get('kty'))}")
    # This way to hand it over loses nothing that PyJWT reads.
    return family.from_jwk(json.dumps(jwk))


def algorithm(jwk):
    """The JWS algorithm that a JWK is for: the key fixes it, not the header."""
    return ALGORITHMS[jwk["kty"]]


def public_jwk(jwk):
    key = load(jwk)
    key = key.public_key() if hasattr(key, "private_numbers") or "d" in jwk else key
    return FAMILIES[jwk["kty"]].to_jwk(key, as_dict=True)


# --- raw signatures -----------------------------------------------------------------------


def sign(key, data):
    """Ed25519, or ECDSA over SHA-256 with r and s side by side."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def check(key, signature, data):
    """Raises Refused unless `signature` is that of `key` over `data`."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif len(signature) == 64:
            halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(utils.encode_dss_signature(*halves), data, ec.ECDSA(hashes.SHA256()))
        else:
            raise InvalidSignature
    except InvalidSignature:
        raise Refused("the signature does not match") from None


# --- Multikey and controller documents ----------------------------------------------------


def multikey(key):
    """A public key as a Multikey string."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "z" + base58_encode(ED25519_PUBLIC + key.public_bytes_raw())
    raw = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return "z" + base58_encode(P256_PUBLIC + raw)


def from_multikey(text):
    raw = multibase_decode(text)
    if raw[:2] == ED25519_PUBLIC and len(raw) == 34:
        return ed25519.Ed25519PublicKey.from_public_bytes(raw[2:])
    if raw[:2] == P256_PUBLIC and len(raw) == 35:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw[2:])
    raise Refused(f"{text} is neither an Ed25519 nor a P-256 Multikey")


def method_name(jwk, method=None):
    """The verification method that a private key signs as: its did:key, or the one that is given."""
    if method or jwk["kty"] == "RSA":
        return method
    name = multikey(load(jwk).public_key())
    return f"did:key:{name}#{name}"


def resolve(method, controllers, purpose="assertionMethod"):
    """The public key of a verification method."""
    did, _, fragment = method.partition("#")
    for controller in controllers:
        if controller.get("id") == did:
            return from_controller(controller, method, purpose)
    if did.startswith("did:key:"):
        if fragment != did.removeprefix("did:key:"):
            raise Refused("the fragment of a did:key repeats its key")
        return from_multikey(fragment)
    raise Refused(f"{method} is in no controller document")


def from_controller(controller, method, purpose):
    did = controller["id"]
    names = [full(did, item["id"] if isinstance(item, dict) else item) for item in controller.get(purpose, [])]
    if method not in names:
        raise Refused(f"{method} is not a key for {purpose}")
    embedded = [item for item in controller[purpose] if isinstance(item, dict)]
    for key in [*controller.get("verificationMethod", []), *embedded]:
        if full(did, key["id"]) == method:
            return public_key(key)
    raise Refused(f"{method} is named but not given")


def full(did, name):
    return did + name if name.startswith("#") else name


def public_key(method):
    if "revoked" in method:
        raise Refused(f"{method['id']} was revoked at {method['revoked']}")
    if "publicKeyMultibase" in method:
        return from_multikey(method["publicKeyMultibase"])
    return load(method["publicKeyJwk"])


# --- base58 -------------------------------------------------------------------------------


def multibase_decode(text):
    if not isinstance(text, str) or not text.startswith("z"):
        raise Refused("expected multibase base58btc (a string that begins with z)")
    number = 0
    for letter in text[1:]:
        if letter not in ALPHABET:
            raise Refused(f"{letter!r} is no base58 digit")
        number = number * 58 + ALPHABET.index(letter)
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_encode(raw):
    number = int.from_bytes(raw, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text
