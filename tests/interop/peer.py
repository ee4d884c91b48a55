"""Signs for the registry's verifier to check, and verifies what the registry signed. README.md
says what it is asked and what it answers.

    peer.py                one request on each line of input, one answer on each of output
    peer.py ACT SUITE      one request, the whole input
"""

import json
import sys
import traceback

import keys
import lists
import proofs
import tokens


def main():
    if len(sys.argv) > 1:
        request = {**read(sys.stdin.read()), "act": sys.argv[1], "suite": sys.argv[2]}
        print(json.dumps(answer(request), indent=2, ensure_ascii=False))
        return
    for line in sys.stdin:
        print(json.dumps(answer(read(line))), flush=True)


def read(text):
    return json.loads(text, object_pairs_hook=no_duplicates)


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def answer(request):
    try:
        return act(**request)
    except keys.Refused as refusal:
        return {"refused": str(refusal)}
    except Exception:
        return {"failed": traceback.format_exc()}


def act(act, suite="eddsa-rdfc-2022", **request):
    if act == "key":
        key = keys.generate(suite)
        return {"key": key, "public": keys.public_jwk(key)}
    kind = next(kind for kind in (proofs, tokens, lists) if suite in kind.SUITES)
    if act == "sign":
        return {"signed": kind.sign(suite=suite, **request)}
    if kind is proofs:
        report = proofs.verify(**request)
        subject = request["document"].get("credentialSubject")
        if isinstance(subject, dict) and "encodedList" in subject:
            report["statusList"] = lists.read(subject, request.get("indexes", []))
        return report
    return kind.verify(suite=suite, **request)


main()
