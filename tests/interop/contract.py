"""Sends a running registry what its own OpenAPI description allows, and what it does not, and holds each
answer to it: no fault of the server, no status, media type or header that is not described, no JSON that does not
fit its schema. schemathesis makes the requests.

    contract.py URL REQUESTS SEED SECONDS

Prints one line of JSON: how many requests were made, the statuses of the answers, and what failed. It goes
through every operation until that many requests are made or the time is over.
"""

import collections
import contextlib
import json
import random
import sys
import time
import urllib.request

import jsonschema_rs
import schemathesis
from schemathesis.cli import schemathesis as program

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
REVISION = "goodstanding-revision"


def fetch(url, accept="application/json"):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def untold(description):
    """Schemas without a description or an example, and examples that do not fit."""
    found = []
    for name, schema in description["components"]["schemas"].items():
        if not schema.get("description"):
            found.append(f"{name} has no description")
        if not schema.get("examples"):
            found.append(f"{name} has no example")
        whole = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": description["components"],
            "$ref": f"#/components/schemas/{name}",
        }
        validator = jsonschema_rs.validator_for(whole)
        for example in schema.get("examples", []):
            for error in validator.iter_errors(example):
                found.append(f"the example of {name}: {error.message}")
    return found


def last_part(url):
    return url.rstrip("/").rsplit("/", 1)[-1]


def names(url):
    """What is there, so that not every path leads to nothing."""
    profiles = [profile["slug"] if "slug" in profile else last_part(profile["id"]).rsplit(":", 1)[-1]
                for profile in fetch(f"{url}/profiles")["profiles"]]
    endorsements = [last_part(one["id"]) for one in fetch(f"{url}/endorsements")["endorsements"]]
    known = {"profile": profiles, "endorsement": endorsements, "key": ["key-1"]}
    lists = []
    for profile in profiles:
        answer = fetch(f"{url}/token-status-lists?issuer={profile}")
        lists.extend(last_part(one) for one in answer["status_lists"])
        page = fetch(f"{url}/profiles/{profile}/achievements")["achievements"]
        known.setdefault("achievement", []).extend(last_part(one["id"]) for one in page)
    listed = fetch(f"{url}/published")["lists"]
    lists.extend(last_part(one["list"] if "list" in one else one["id"]) for one in listed)
    known["list"] = lists
    return {name: values for name, values in known.items() if values}


def main():
    url, requests, seed, seconds = sys.argv[1], *(int(word) for word in sys.argv[2:5])
    description = fetch(f"{url}/openapi.json")
    failures = untold(description)
    known, dice = names(url), random.Random(seed)

    @schemathesis.hook
    def map_path_parameters(context, path_parameters):
        for name in path_parameters or {}:
            if name in known and dice.random() < 0.5:
                path_parameters[name] = dice.choice(known[name])
        return path_parameters

    @schemathesis.hook
    def before_call(context, case, kwargs):
        # A made-up place in the history of a registry is one that another replica may have come to: it is
        # waited for, and then answered with 503, as it has to be. tests/it/replicas and http/revision.rs are
        # about that; here every request would come to it and to nothing else.
        for name in [name for name in case.headers or {} if name.lower() == REVISION]:
            del case.headers[name]

    made = collections.Counter()

    @schemathesis.hook
    def after_call(context, case, response):
        made[response.status_code] += 1

    end = time.monotonic() + seconds
    with contextlib.redirect_stdout(sys.stderr):
        while sum(made.values()) < requests and not failures and time.monotonic() < end:
            if run(url, seed, max(1, int(end - time.monotonic()))) != 0:
                failures.append(f"with the seed {seed}; standard error tells what")
            seed += 1
    statuses = {str(status): count for status, count in sorted(made.items())}
    print(json.dumps({"requests": sum(made.values()), "statuses": statuses, "failures": failures}))


def run(url, seed, seconds):
    """One round of every operation; gives the exit status."""
    arguments = ["--no-color", "run", f"{url}/openapi.json", "--checks", ",".join(CHECKS)]
    arguments += ["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", str(seed)]
    arguments += ["--max-time", str(seconds), "--continue-on-failure", "--no-shrink", "--warnings", "off"]
    # In turns with made-up tokens, most of which are refused, and without: development mode asks for none.
    tokens = "true" if seed % 2 else "false"
    arguments += ["--generation-with-security-parameters", tokens]
    arguments += ["--generation-database", "none", "--suppress-health-check", "all"]
    try:
        program.main(arguments, prog_name="schemathesis", standalone_mode=False)
    except SystemExit as ended:
        return ended.code or 0
    return 0


if __name__ == "__main__":
    main()
