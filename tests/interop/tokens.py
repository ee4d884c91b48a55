"""Credentials and presentations as compact JWS, by PyJWT, in the three documented profiles.

    vc-jose-cose     typ vc+jwt or vp+jwt; the payload is the document (W3C VC-JOSE-COSE)
    open-badges-jwt  typ JWT; the document with iss, jti, sub, nbf, exp beside it (Open Badges 3.0)
    vcdm-1.1-jwt     typ JWT; claim vc or vp, whose members the registered claims take out (VCDM 1.1)
"""

from datetime import datetime, timezone

import jwt

import keys
from keys import Refused
from proofs import is_presentation, moment, set_issuer

SUITES = ("vc-jose-cose", "open-badges-jwt", "vcdm-1.1-jwt")
CLAIMS = ("iss", "jti", "sub", "nbf", "exp", "iat", "aud", "nonce", "status", "cnf")


def sign(suite, document, key, method=None, issuer=False, header=None, claims=None, **_):
    """`issuer` makes the key's did:key the issuer; `header` and `claims` are added at the end."""
    header = header or {}
    kid = keys.method_name(key, method)
    if issuer:
        set_issuer(document, kid.partition("#")[0])
    payload = {**write(suite, document), **(claims or {})}
    whole = {"typ": typ(suite, document), **({} if "jwk" in header else {"kid": kid}), **header}
    return jwt.encode(payload, keys.load(key), algorithm=keys.algorithm(key), headers=whole)


def verify(suite, document, controllers=(), trusted=(), now=None, **_):
    """Whether the token `document` is one of the profile and its signature that of a key of its
    issuer: out of `controllers` or a did:key by `kid`, or a header `jwk` that is among the `trusted`."""
    try:
        header, payload = open_token(document, controllers, trusted, now)
        credential = read(suite, header, payload)
        issuer = id_of(credential.get("issuer", credential.get("holder")))
        if "kid" in header and header["kid"].partition("#")[0] != issuer:
            raise Refused(f"the key is {header['kid'].partition('#')[0]}'s, not the issuer's")
        parts = {"header": header, "payload": payload, "document": credential, "issuer": issuer}
        return {"verified": True, **parts}
    except (Refused, jwt.PyJWTError) as error:
        return {"verified": False, "error": str(error)}


def open_token(token, controllers, trusted, now, types=None, required=()):
    """Header and payload of a token with a good signature, within its dates."""
    header = jwt.get_unverified_header(token)
    key = key_for(header, controllers, trusted)
    try:
        # Its own clock cannot be set: the dates are compared below.
        payload = jwt.decode(token, key, algorithms=[algorithm(key)], options={
            "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
            "require": list(required),
        })
    except jwt.InvalidSignatureError:
        raise Refused("the signature does not match") from None
    at = (moment(now) if now else datetime.now(timezone.utc)).timestamp()
    if payload.get("exp", at + 1) <= at or payload.get("nbf", at) > at:
        raise Refused("expired, or not yet valid")
    if types and header.get("typ") not in types:
        raise Refused(f"typ {header.get('typ')}")
    return header, payload


def key_for(header, controllers, trusted):
    if "kid" in header:
        return keys.resolve(header["kid"], controllers)
    if "jwk" in header or len(trusted) == 1 and "jwk" not in header:
        for one in trusted:
            public = keys.public_jwk(one)
            if "jwk" not in header or public.items() <= {**header["jwk"], **{"key_ops": ["verify"]}}.items():
                return keys.load(public)
    raise Refused("no key of the issuer is named")


def algorithm(key):
    """The algorithm that a public key is for."""
    return {"Ed25519PublicKey": "EdDSA", "RSAPublicKey": "RS256"}.get(type(key).__name__, "ES256")


# --- the profiles -------------------------------------------------------------------------


def typ(suite, document):
    if suite != "vc-jose-cose":
        return "JWT"
    return "vp+jwt" if is_presentation(document) else "vc+jwt"


def write(suite, document):
    if suite == "vc-jose-cose":
        return document
    if suite == "open-badges-jwt":
        return {**document, **registered(document)}
    name = "vp" if is_presentation(document) else "vc"
    return {**registered(document), name: taken_out(document)}


def read(suite, header, payload):
    """The document within a payload of the profile."""
    if suite == "vcdm-1.1-jwt":
        if ("vc" in payload) == ("vp" in payload):
            raise Refused("not of this profile: no claim vc or vp")
        document = put_back(payload.get("vc") or payload.get("vp"), payload)
    else:
        document = {name: value for name, value in payload.items() if name not in CLAIMS}
        if "vc" in payload or "vp" in payload:
            raise Refused("not of this profile: a claim vc or vp")
    if header.get("typ", "JWT") != typ(suite, document):
        raise Refused(f"not of this profile: typ {header.get('typ')}")
    for name, value in registered(document).items():
        if name not in payload and suite == "open-badges-jwt":
            raise Refused(f"not of this profile: no claim {name}")
        if payload.get(name, value) != value:
            raise Refused(f"claim {name} is {payload[name]}, the document says {value}")
    return document


def registered(document):
    """The registered claims that say the same as a document."""
    said = {
        "iss": id_of(document.get("issuer", document.get("holder"))),
        "jti": document.get("id"),
        "sub": document.get("credentialSubject", {}).get("id"),
        "nbf": seconds(document.get("validFrom", document.get("issuanceDate"))),
        "exp": seconds(document.get("validUntil", document.get("expirationDate"))),
    }
    return {name: value for name, value in said.items() if value is not None}


def id_of(value):
    return value.get("id") if isinstance(value, dict) else value


def seconds(text):
    return None if text is None else int(moment(text).timestamp())


def taken_out(document):
    """A VCDM 1.1 document without what the claims say in its place."""
    gone = {"id", "holder", "issuanceDate", "expirationDate"}
    if isinstance(document.get("issuer"), str):
        gone.add("issuer")
    rest = {name: value for name, value in document.items() if name not in gone}
    if "credentialSubject" in rest:
        subject = rest["credentialSubject"]
        rest["credentialSubject"] = {name: value for name, value in subject.items() if name != "id"}
    return rest


def put_back(inner, claims):
    names = {"id": "jti", "holder": "iss"} if is_presentation(inner) else {"id": "jti", "issuer": "iss"}
    document = {name: claims[claim] for name, claim in names.items() if claim in claims}
    if not is_presentation(inner):
        for name, claim in {"issuanceDate": "nbf", "expirationDate": "exp"}.items():
            if claim in claims:
                at = datetime.fromtimestamp(claims[claim], timezone.utc)
                document[name] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    document |= inner
    if "credentialSubject" in inner and "sub" in claims:
        document["credentialSubject"] = {"id": claims["sub"], **inner["credentialSubject"]}
    return document
