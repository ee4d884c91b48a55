"""Signs a credential, for the registry's verifier to check.

    sign.py [--contexts DIR] [--suite NAME] [--created TIME] [--method ID] [--issuer]
            SEED_HEX FILE

SEED_HEX is the 32-byte Ed25519 seed. The verification method is the key's did:key unless
--method names another; --issuer makes the method's DID the issuer. A proof that FILE holds
already is kept beside the new one. The signed credential goes to standard output.
"""

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import proofs


def main():
    parser = argparse.ArgumentParser(description="Sign a credential with a Data Integrity proof")
    parser.add_argument("--contexts", type=Path, default=proofs.CONTEXTS)
    parser.add_argument("--suite", choices=proofs.SUITES, default=proofs.RDFC)
    parser.add_argument("--created", default=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    parser.add_argument("--method")
    parser.add_argument("--issuer", action="store_true")
    parser.add_argument("seed", type=bytes.fromhex)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()

    key = Ed25519PrivateKey.from_private_bytes(arguments.seed)
    document = json.loads(arguments.file.read_text())
    try:
        signed = sign(document, key, arguments)
    except proofs.Refused as refusal:
        print(f"sign.py: {refusal}", file=sys.stderr)
        return 1
    print(json.dumps(signed, indent=2, ensure_ascii=False))
    return 0


def sign(document, key, arguments):
    name = proofs.multikey(key.public_key().public_bytes_raw())
    method = arguments.method or f"did:key:{name}#{name}"
    if arguments.issuer:
        set_issuer(document, method.partition("#")[0])
    held = document.pop("proof", [])
    config = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": arguments.suite,
        "created": arguments.created,
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    documents, _ = next(proofs.revisions(proofs.load_contexts(arguments.contexts), document))
    data = proofs.hash_data(arguments.suite, document, config, documents)
    if arguments.suite == proofs.RDFC:
        # The document's contexts are the proof's; a JCS proof states them itself.
        del config["@context"]
    made = {**config, "proofValue": "z" + proofs.base58_encode(key.sign(data))}
    held = held if isinstance(held, list) else [held]
    return {**document, "proof": [*held, made] if held else made}


def set_issuer(document, did):
    if isinstance(document.get("issuer"), dict):
        document["issuer"]["id"] = did
    else:
        document["issuer"] = did


if __name__ == "__main__":
    sys.exit(main())
