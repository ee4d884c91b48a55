"""Status lists by hand: gzip and zlib, big integers for the bits, PyJWT, cbor2 and cryptography.

    BitstringStatusList, StatusList2021  makes an unsigned list credential: sign it as any other
    statuslist+jwt, statuslist+cwt       makes and reads a signed token list
"""

import base64
import gzip
import zlib
from datetime import datetime, timezone

import cbor2
import jwt

import keys
from keys import Refused

CREDENTIALS = {
    "BitstringStatusList": ["https://www.w3.org/ns/credentials/v2"],
    "StatusList2021": [
        "https://www.w3.org/2018/credentials/v1",
        "https://w3id.org/vc/status-list/2021/v1",
    ],
}
SUITES = (*CREDENTIALS, "statuslist+jwt", "statuslist+cwt")


def sign(suite, length, entries=(), **request):
    """A list of `length` entries in which each of `entries`, a pair of index and status, is set."""
    if suite in CREDENTIALS:
        return list_credential(suite, length, entries, **request)
    return token(suite, length, entries, **request)


def verify(suite, document, controllers=(), trusted=(), indexes=(), now=None, **_):
    """A token list against the key in its `kid`, or else the `trusted` one; and what it says."""
    try:
        opening = open_jwt if suite == "statuslist+jwt" else open_cwt
        claims, bits, lst = opening(document, controllers, trusted, now)
        read = statuses(suite, bits, zlib.decompress(lst), indexes)
        return {"verified": True, "claims": claims, "statusList": read}
    except (Refused, jwt.PyJWTError) as error:
        return {"verified": False, "error": str(error)}


# --- list credentials: the first entry in the most significant bits ---------------------------


def list_credential(suite, length, entries, id, purpose, issuer, since, size=1):
    number = sum(status << (length - index - 1) * size for index, status in entries)
    packed = gzip.compress(number.to_bytes(length * size // 8, "big"), mtime=0)
    encoded = base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
    newer = suite == "BitstringStatusList"
    return {
        "@context": CREDENTIALS[suite],
        "id": id,
        "type": ["VerifiableCredential", f"{suite}Credential"],
        "issuer": issuer,
        "validFrom" if newer else "issuanceDate": since,
        "credentialSubject": {
            "id": f"{id}#list",
            "type": suite,
            "statusPurpose": purpose,
            "encodedList": ("u" if newer else "") + encoded,
        },
    }


def read(subject, indexes):
    """What a list credential says: its length, how many bits are set, and the statuses at `indexes`."""
    encoded = subject["encodedList"]
    if subject["type"] == "BitstringStatusList":
        if not encoded.startswith("u"):
            raise Refused("encodedList is not multibase base64url (begins with u)")
        encoded = encoded[1:]
    raw = gzip.decompress(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    size = subject.get("statusSize", 1)
    number = int.from_bytes(raw, "big")
    length = len(raw) * 8 // size
    whole = len(raw) * 8
    at = lambda index: number >> (whole - (index + 1) * size)
    report = report_of(subject["type"], size, length, number, at, indexes)
    return {**report, "statusPurpose": subject.get("statusPurpose")}


# --- token lists: the first entry in the least significant bits -------------------------------


def token(suite, length, entries, key, sub, iat, bits=1, exp=None, ttl=None, kid=None):
    number = sum(status << index * bits for index, status in entries)
    lst = zlib.compress(number.to_bytes(-(-length * bits // 8), "little"), 9)
    claims = {"sub": sub, "iat": iat, "exp": exp, "ttl": ttl}
    claims = {name: value for name, value in claims.items() if value is not None}
    if suite == "statuslist+cwt":
        return encode(sign_cwt(key, kid, claims, {"bits": bits, "lst": lst}))
    claims["status_list"] = {"bits": bits, "lst": encode(lst)}
    headers = {"typ": suite, **({"kid": kid} if kid else {})}
    return jwt.encode(claims, keys.load(key), algorithm=keys.algorithm(key), headers=headers)


def open_jwt(text, controllers, trusted, now):
    import tokens  # Which knows proofs, which know lists.

    types, required = ["statuslist+jwt"], ["sub", "iat", "status_list"]
    _, claims = tokens.open_token(text, controllers, trusted, now, types, required)
    held = claims.pop("status_list")
    return claims, held["bits"], decode(held["lst"])


def statuses(suite, bits, raw, indexes):
    number = int.from_bytes(raw, "little")
    length = len(raw) * 8 // bits
    report = report_of(suite, bits, length, number, lambda index: number >> index * bits, indexes)
    return {**report, "statusPurpose": None}


def report_of(kind, size, length, number, at, indexes):
    for index in indexes:
        if not 0 <= index < length:
            raise Refused(f"index {index} is outside a list of {length}")
    read = [{"index": index, "status": at(index) & ((1 << size) - 1)} for index in indexes]
    counted = {"length": length, "bitsSet": number.bit_count(), "statuses": read}
    return {"type": kind, "statusSize": size, **counted}


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- CWT (COSE_Sign1, RFC 9052) ---------------------------------------------------------------

SIGN1 = 18
LABELS = {"sub": 2, "exp": 4, "iat": 6, "ttl": 65534}
STATUS_LIST = 65533
COSE_ALGORITHMS = {"EdDSA": -8, "ES256": -7}
TYPE = "application/statuslist+cwt"


def sign_cwt(key, kid, claims, held):
    labelled = {LABELS[name]: value for name, value in claims.items()} | {STATUS_LIST: held}
    header = cbor2.dumps({1: COSE_ALGORITHMS[keys.algorithm(key)], 16: TYPE})
    payload = cbor2.dumps(labelled)
    signature = keys.sign(keys.load(key), cbor2.dumps(["Signature1", header, b"", payload]))
    loose = {4: kid.encode()} if kid else {}
    return cbor2.dumps(cbor2.CBORTag(SIGN1, [header, loose, payload, signature]))


def open_cwt(text, controllers, trusted, now):
    import tokens

    whole = cbor2.loads(decode(text))
    if not isinstance(whole, cbor2.CBORTag) or whole.tag != SIGN1:
        raise Refused("not a tagged COSE_Sign1")
    header, loose, payload, signature = whole.value
    protected = cbor2.loads(header)
    kid = protected.get(4, loose.get(4))
    named = {"kid": kid.decode()} if kid else {}
    key = tokens.key_for(named, controllers, trusted)
    if protected.get(1) != COSE_ALGORITHMS[tokens.algorithm(key)] or protected.get(16) != TYPE:
        raise Refused("another algorithm or type")
    keys.check(key, signature, cbor2.dumps(["Signature1", header, b"", payload]))
    claims = cbor2.loads(payload)
    at = datetime.fromisoformat(now.replace("Z", "+00:00")) if now else datetime.now(timezone.utc)
    if claims.get(LABELS["exp"], at.timestamp() + 1) <= at.timestamp():
        raise Refused("the list has expired")
    held = claims[STATUS_LIST]
    return {name: claims[label] for name, label in LABELS.items() if label in claims}, held["bits"], held["lst"]
