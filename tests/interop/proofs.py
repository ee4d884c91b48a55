"""Data Integrity proofs by hand, step by step as the standards say.

Independent of the registry's own code: JSON-LD and canonicalization are PyLD's, JCS is
rfc8785's, signatures are cryptography's. Contexts come from a folder, never from the network.
"""

import hashlib
import itertools
import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path

import rfc8785
from pyld import jsonld
from pyld.context_resolver import ContextResolver

import keys
import lists
from keys import Refused

JCS = "eddsa-jcs-2022"
LEGACY_TYPE = "Ed25519Signature2020"

# Each suite with the kind of key that it is for.
SUITES = {
    "eddsa-rdfc-2022": "Ed25519",
    JCS: "Ed25519",
    "ecdsa-rdfc-2019": "P-256",
    "eddsa-2022": "Ed25519",
    LEGACY_TYPE: "Ed25519",
}

# A scheme, or the mark of a blank node.
ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*|_):")

# PyLD resolves relative IRIs against a base of its own where none is given: this one is given
# so that they can be told.
BASE = "https://relative.invalid/"

CONTEXTS = Path(os.environ.get("GOODSTANDING_CONTEXTS") or Path(__file__).resolve().parents[2] / "contexts")


# --- signing ------------------------------------------------------------------------------


def sign(suite, document, key, method=None, issuer=False, previousProof=None, **options):
    """The document with one more proof; the newest revision of each context is signed with."""
    refuse_wrong_kind(suite, key.get("crv", key["kty"]))
    method = keys.method_name(key, method)
    if issuer:
        set_issuer(document, method.partition("#")[0])
    held = as_list(document.pop("proof", []))
    known = ("id", "created", "expires", "challenge", "domain")
    config = {
        "type": LEGACY_TYPE if suite == LEGACY_TYPE else "DataIntegrityProof",
        "verificationMethod": method,
        "proofPurpose": purpose_of(document),
        **{name: options[name] for name in known if options.get(name) is not None},
    }
    if suite != LEGACY_TYPE:
        config["cryptosuite"] = suite
    if previousProof is not None:
        config["previousProof"] = previousProof
    if suite == JCS:
        # The document's contexts are the proof's in the others; a JCS proof states them itself.
        config["@context"] = document["@context"]
    documents, _ = next(revisions(load_contexts(CONTEXTS), document))
    data = hash_data(suite, rest_on(document, held, previousProof), config, documents)
    config["proofValue"] = "z" + keys.base58_encode(keys.sign(keys.load(key), data))
    return {**document, "proof": [*held, config] if held else config}


def refuse_wrong_kind(suite, kind):
    if kind != SUITES[suite]:
        raise Refused(f"{suite} takes a key of {SUITES[suite]}, not of {kind}")


def set_issuer(document, did):
    if is_presentation(document):
        document["holder"] = did
    elif isinstance(document.get("issuer"), dict):
        document["issuer"]["id"] = did
    else:
        document["issuer"] = did


def is_presentation(document):
    return "VerifiablePresentation" in as_list(document.get("type", []))


def purpose_of(document):
    return "authentication" if is_presentation(document) else "assertionMethod"


def as_list(value):
    return value if isinstance(value, list) else [value]


def rest_on(document, held, previous):
    """What a proof with previousProof signs: the document with exactly those proofs in it (VC Data
    Integrity 1.0, sections 4.3 and 4.5)."""
    if previous is None:
        return document
    wanted = as_list(previous)
    matching = [proof for proof in held if proof.get("id") in wanted]
    if len(matching) != len(wanted):
        raise Refused("a previousProof is missing, or there twice")
    return {**document, "proof": matching}


# --- verifying ----------------------------------------------------------------------------


def verify(document, controllers=(), lists=(), **options):
    """What is to be said of each proof, and of each entry of the status `lists` that are given."""
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    held = as_list(document.get("proof", []))
    proofs = [verify_proof(unsecured, proof, held, controllers, options) for proof in held]
    issuer = document.get("issuer", document.get("holder"))
    report = {
        "verified": bool(proofs) and all(proof["verified"] for proof in proofs),
        "issuer": issuer.get("id") if isinstance(issuer, dict) else issuer,
        "proofs": proofs,
    }
    if lists and report["verified"]:
        report |= check_statuses(document, lists, controllers)
    if is_presentation(document):
        inner = as_list(document.get("verifiableCredential", []))
        report["credentials"] = [verify(one, controllers)["verified"] for one in inner]
        report["verified"] = report["verified"] and all(report["credentials"])
    return report


def verify_proof(unsecured, proof, held, controllers, options):
    suite = proof.get("cryptosuite", proof.get("type"))
    answer = {
        "verified": False,
        "suite": suite,
        "verificationMethod": proof.get("verificationMethod"),
        "created": proof.get("created"),
    }
    try:
        purpose = purpose_of(unsecured)
        refuse_wrong_shape(proof, suite, purpose, options)
        key = keys.resolve(proof["verificationMethod"], controllers, purpose)
        answer["contexts"] = check_signature(unsecured, proof, suite, held, key)
        answer["verified"] = True
    except Refused as refusal:
        answer["error"] = str(refusal)
    return answer


def refuse_wrong_shape(proof, suite, purpose, options):
    if suite not in SUITES or (proof.get("type") != "DataIntegrityProof") != (suite == LEGACY_TYPE):
        raise Refused(f"no suite for a proof of type {proof.get('type')}, cryptosuite {suite}")
    if proof.get("proofPurpose") != purpose:
        raise Refused(f"proof is for {proof.get('proofPurpose')}, not for {purpose}")
    if purpose == "authentication" and proof.get("challenge") != options.get("challenge"):
        raise Refused("the challenge is another")
    if options.get("domain") is not None and options["domain"] not in as_list(proof.get("domain")):
        raise Refused("the domain is another")
    if "expires" in proof and moment(proof["expires"]) <= datetime.now(timezone.utc):
        raise Refused("proof has expired")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_signature(unsecured, proof, suite, held, key):
    """Returns the revisions of contexts under which the signature holds, where there is a choice."""
    refuse_wrong_kind(suite, "Ed25519" if hasattr(key, "public_bytes_raw") else "P-256")
    signature = keys.multibase_decode(proof.get("proofValue"))
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = with_contexts(unsecured, config)
    signed = rest_on(unsecured, held, proof.get("previousProof"))
    for documents, chosen in revisions(load_contexts(CONTEXTS), unsecured):
        try:
            keys.check(key, signature, hash_data(suite, signed, config, documents))
            return [] if suite == JCS else chosen
        except Refused as refusal:
            error = refusal
    raise error


def with_contexts(unsecured, config):
    """The proof's own @context must begin the document's, and then stands for it."""
    if "@context" not in config:
        return unsecured
    own, whole = as_list(config["@context"]), as_list(unsecured.get("@context", []))
    if whole[: len(own)] != own:
        raise Refused("the proof's @context does not begin the document's")
    return {**unsecured, "@context": config["@context"]}


def check_statuses(document, given, controllers):
    """The status of every entry; a list that is not given or not good is an error."""
    statuses = []
    issuer = document["issuer"]
    for entry in as_list(document["credentialStatus"]):
        found = [one for one in given if one.get("id") == entry["statusListCredential"]]
        if len(found) != 1 or not verify(found[0], controllers)["verified"]:
            return {"verified": False, "error": f"no good list {entry['statusListCredential']}"}
        if found[0]["issuer"] != (issuer["id"] if isinstance(issuer, dict) else issuer):
            return {"verified": False, "error": "the list is of another issuer"}
        subject = found[0]["credentialSubject"]
        if subject["statusPurpose"] != entry["statusPurpose"]:
            return {"verified": False, "error": "the list is for another purpose"}
        read = lists.read(subject, [int(entry["statusListIndex"])])
        statuses.append({"purpose": entry["statusPurpose"], "status": read["statuses"][0]["status"]})
    return {"statuses": statuses}


# --- contexts -----------------------------------------------------------------------------


def load_contexts(folder):
    """URL to its documents in `folder`, newest revision first, as contexts.json lists them."""
    index = json.loads((Path(__file__).with_name("contexts.json")).read_text())
    contexts = {}
    for url, names in index.items():
        present = [name for name in names if (folder / name).exists()]
        contexts[url] = [(name, json.loads((folder / name).read_text())) for name in present]
    return contexts


def revisions(contexts, document):
    """Every choice of one revision per URL named in `document`, the newest first."""
    urls = [u for u in named_contexts(document) if len(contexts.get(u, ())) > 1]
    for choice in itertools.product(*(contexts[u] for u in urls)):
        picked = dict(zip(urls, choice))
        documents = {u: picked.get(u, c[0])[1] for u, c in contexts.items() if c}
        yield documents, sorted(name for name, _ in picked.values())


def named_contexts(value):
    """The URLs of every @context at any depth, each once, in order."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            context = node.get("@context", [])
            for item in context if isinstance(context, list) else [context]:
                if isinstance(item, str) and item not in found:
                    found.append(item)
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(value)
    return found


def loader(documents):
    """A document loader that knows `documents` and nothing else."""

    def load(url, _options):
        if url not in documents:
            raise Refused(f"context {url} is not in the contexts folder")
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": documents[url],
        }

    return load


# --- hashes -------------------------------------------------------------------------------


def hash_data(suite, unsecured, config, documents):
    """The 64 bytes that are signed: hash of the configuration, then of the document."""
    if suite == JCS:
        parts = [rfc8785.dumps(part) for part in (config, unsecured)]
    else:
        config = {"@context": unsecured["@context"], **config}
        parts = [canonical_rdf(part, documents) for part in (config, unsecured)]
    return b"".join(hashlib.sha256(part).digest() for part in parts)


def canonical_rdf(document, documents):
    """Canonical N-Quads; refuses a document of which anything would be lost on the way."""
    dropped = []
    # Each run resolves contexts anew, since revisions share a URL.
    options = {
        "base": BASE,
        "documentLoader": loader(documents),
        "contextResolver": ContextResolver({}, loader(documents)),
    }
    try:
        processor = jsonld.JsonLdProcessor(on_property_dropped=dropped.append)
        expanded = processor.expand(document, options)
        if dropped:
            raise Refused(f"not defined by any context: {', '.join(map(str, dropped))}")
        refuse_relative(expanded)
        return jsonld.normalize(
            expanded,
            {"algorithm": "URDNA2015", "format": "application/n-quads", **options},
        ).encode()
    except jsonld.JsonLdError as error:
        raise Refused(f"JSON-LD: {root_cause(error)}") from error


def refuse_relative(node):
    """Relative ids and types would change or vanish in the RDF without a word."""
    if isinstance(node, list):
        for item in node:
            refuse_relative(item)
    elif isinstance(node, dict):
        if node.get("@type") == "@json":
            return
        types = node.get("@type", [])
        for iri in [*(types if isinstance(types, list) else [types]), node.get("@id", "_:")]:
            if not ABSOLUTE.match(iri) or iri.startswith(BASE):
                raise Refused(f"relative IRI {iri.removeprefix(BASE)!r}")
        for value in node.values():
            refuse_relative(value)


def root_cause(error):
    cause = error
    while getattr(cause, "cause", None) or cause.__cause__:
        cause = getattr(cause, "cause", None) or cause.__cause__
    return cause
