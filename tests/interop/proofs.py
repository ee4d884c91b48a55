"""What signing and verifying share: contexts, canonical hashes, keys and base58.

Independent of the registry's own code: JSON-LD and canonicalization are PyLD's, JCS is
rfc8785's, Ed25519 is cryptography's. Contexts come from a folder, never from the network.
"""

import hashlib
import itertools
import json
import re
from pathlib import Path

import rfc8785
from pyld import jsonld
from pyld.context_resolver import ContextResolver

RDFC = "eddsa-rdfc-2022"
JCS = "eddsa-jcs-2022"
SUITES = (RDFC, JCS)

# A scheme, or the mark of a blank node.
ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*|_):")

# PyLD resolves relative IRIs against a base of its own where none is given: this one is given
# so that they can be told.
BASE = "https://relative.invalid/"

CONTEXTS = Path(__file__).resolve().parents[2] / "contexts"


class Refused(Exception):
    """A document that cannot be signed or does not verify, with the reason."""


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
    transform = canonical_rdf if suite == RDFC else canonical_json
    return b"".join(
        hashlib.sha256(transform(part, documents)).digest() for part in (config, unsecured)
    )


def canonical_json(document, _documents):
    return rfc8785.dumps(document)


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


# --- keys ---------------------------------------------------------------------------------

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ED25519_PUBLIC = bytes([0xED, 0x01])


def multikey(public):
    """An Ed25519 public key as a Multikey string."""
    return "z" + base58_encode(ED25519_PUBLIC + public)


def public_from_multikey(text):
    raw = multibase_decode(text)
    if raw[:2] != ED25519_PUBLIC or len(raw) != 34:
        raise Refused(f"{text} is not an Ed25519 Multikey")
    return raw[2:]


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
