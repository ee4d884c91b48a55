"""Verifies what the registry signed: lists, badges, endorsements.

    verify.py [--contexts DIR] [--controller FILE]… [--index N]… [--purpose NAME] FILE…

The key comes from a did:key, or from a controller document (a DID document) given by
--controller. Each FILE is a credential with one or more proofs, all of which must verify. For
a status list the statuses at each --index are read out of it. Prints one JSON object; exits
with 0 if every file verified, 1 if one did not, 2 where the question was wrong.
"""

import argparse
import base64
import gzip
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import proofs
from proofs import Refused


def main():
    parser = argparse.ArgumentParser(description="Verify Data Integrity proofs")
    parser.add_argument("--contexts", type=Path, default=proofs.CONTEXTS)
    parser.add_argument("--controller", type=Path, action="append", default=[])
    parser.add_argument("--index", type=int, action="append", default=[])
    parser.add_argument("--purpose", default="assertionMethod")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    arguments = parser.parse_args()

    contexts = proofs.load_contexts(arguments.contexts)
    controllers = [json.loads(path.read_text()) for path in arguments.controller]
    reports = []
    for path in arguments.files:
        document = json.loads(path.read_text(), object_pairs_hook=no_duplicates)
        report = verify(document, contexts, controllers, arguments.purpose)
        if "encodedList" in (document.get("credentialSubject") or {}):
            report["statusList"] = read_list(document, arguments.index)
        reports.append({"file": path.name, **report})
    verified = all(report["verified"] for report in reports)
    print(json.dumps({"verified": verified, "documents": reports}, indent=2))
    return 0 if verified else 1


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("a member occurs twice")
    return members


# --- proofs -------------------------------------------------------------------------------


def verify(document, contexts, controllers, purpose):
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    held = document.get("proof", [])
    held = held if isinstance(held, list) else [held]
    answers = [verify_proof(unsecured, proof, contexts, controllers, purpose) for proof in held]
    issuer = document.get("issuer")
    return {
        "verified": bool(answers) and all(answer["verified"] for answer in answers),
        "issuer": issuer.get("id") if isinstance(issuer, dict) else issuer,
        "proofs": answers,
    }


def verify_proof(unsecured, proof, contexts, controllers, purpose):
    answer = {
        "verified": False,
        "cryptosuite": proof.get("cryptosuite"),
        "verificationMethod": proof.get("verificationMethod"),
        "created": proof.get("created"),
    }
    try:
        refuse_wrong_shape(proof, purpose)
        key = resolve(proof["verificationMethod"], controllers, purpose)
        answer["contexts"] = check_signature(unsecured, proof, key, contexts)
        answer["verified"] = True
    except Refused as refusal:
        answer["error"] = str(refusal)
    return answer


def refuse_wrong_shape(proof, purpose):
    if proof.get("type") != "DataIntegrityProof":
        raise Refused(f"proof of type {proof.get('type')}")
    if proof.get("cryptosuite") not in proofs.SUITES:
        raise Refused(f"cryptosuite {proof.get('cryptosuite')} is not checked here")
    if proof.get("proofPurpose") != purpose:
        raise Refused(f"proof is for {proof.get('proofPurpose')}, not for {purpose}")
    if "previousProof" in proof:
        raise Refused("proof chains are not checked here")
    if "expires" in proof and datetime.fromisoformat(
        proof["expires"].replace("Z", "+00:00")
    ) <= datetime.now(timezone.utc):
        raise Refused("proof has expired")


def check_signature(unsecured, proof, key, contexts):
    """Returns the revisions of contexts under which the signature holds, where there is a choice."""
    signature = proofs.multibase_decode(proof.get("proofValue"))
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured, config = with_contexts(unsecured, config)
    for documents, chosen in proofs.revisions(contexts, unsecured):
        data = proofs.hash_data(proof["cryptosuite"], unsecured, config, documents)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
            return chosen if proof["cryptosuite"] == proofs.RDFC else []
        except InvalidSignature:
            continue
    raise Refused("the signature does not match")


def with_contexts(unsecured, config):
    """The proof's own @context must begin the document's, and then stands for it."""
    if "@context" in config:
        own, whole = listed(config["@context"]), listed(unsecured.get("@context", []))
        if whole[: len(own)] != own:
            raise Refused("the proof's @context does not begin the document's")
        return {**unsecured, "@context": config["@context"]}, config
    if config["cryptosuite"] == proofs.RDFC:
        config = {**config, "@context": unsecured["@context"]}
    return unsecured, config


def listed(value):
    return value if isinstance(value, list) else [value]


# --- keys ---------------------------------------------------------------------------------


def resolve(method, controllers, purpose):
    did, _, fragment = method.partition("#")
    if did.startswith("did:key:"):
        if fragment != did.removeprefix("did:key:"):
            raise Refused("the fragment of a did:key repeats its key")
        return proofs.public_from_multikey(fragment)
    for controller in controllers:
        if controller.get("id") == did:
            return from_controller(controller, method, purpose)
    raise Refused(f"no controller document for {did}: give it by --controller")


def from_controller(controller, method, purpose):
    did = controller["id"]
    allowed = controller.get(purpose, [])
    names = [full(did, item["id"] if isinstance(item, dict) else item) for item in allowed]
    if method not in names:
        raise Refused(f"{method} is not a key for {purpose}")
    embedded = [item for item in allowed if isinstance(item, dict)]
    for key in [*controller.get("verificationMethod", []), *embedded]:
        if full(did, key["id"]) == method:
            return public_key(key)
    raise Refused(f"{method} is named but not given")


def full(did, name):
    return did + name if name.startswith("#") else name


def public_key(key):
    if "revoked" in key:
        raise Refused(f"{key['id']} was revoked at {key['revoked']}")
    if "publicKeyMultibase" in key:
        return proofs.public_from_multikey(key["publicKeyMultibase"])
    jwk = key.get("publicKeyJwk", {})
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        return base64.urlsafe_b64decode(jwk["x"] + "==")
    raise Refused(f"{key['id']} is not an Ed25519 key")


# --- status lists -------------------------------------------------------------------------


def read_list(document, indexes):
    """Bitstring Status List v1.0, and StatusList2021: index 0 is the most significant bit."""
    subject = document["credentialSubject"]
    encoded = subject["encodedList"]
    if subject["type"] == "BitstringStatusList":
        if not encoded.startswith("u"):
            raise Refused("encodedList is not multibase base64url (begins with u)")
        encoded = encoded[1:]
    bits = gzip.decompress(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    size = subject.get("statusSize", 1)
    number = int.from_bytes(bits, "big")
    length = len(bits) * 8 // size

    def status(index):
        if not 0 <= index < length:
            raise Refused(f"index {index} is outside a list of {length}")
        return (number >> (len(bits) * 8 - (index + 1) * size)) & ((1 << size) - 1)

    return {
        "type": subject["type"],
        "statusPurpose": subject.get("statusPurpose"),
        "statusSize": size,
        "length": length,
        "bitsSet": number.bit_count(),
        "statuses": [{"index": index, "status": status(index)} for index in indexes],
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, Refused) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        sys.exit(2)
