"""Says what the program is made of, from what cargo knows.

    release.py sbom METADATA LOCK       as CycloneDX 1.5, in JSON
    release.py licences METADATA        the licences of all of it, each text once

METADATA is the output of `cargo metadata` for one platform, and LOCK is Cargo.lock. What only tests need is no
part of the program. The same input gives the same output; the time is SOURCE_DATE_EPOCH.
"""

import datetime
import json
import os
import pathlib
import re
import sys
import uuid


def read(metadata):
    """The packages of the program by their ids, and what each needs; its own package first."""
    told = json.loads(pathlib.Path(metadata).read_text())
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    root = told["resolve"]["root"]
    needs, open_ids = {}, [root]
    while open_ids:
        at = open_ids.pop()
        if at in needs:
            continue
        # No kind: the program itself; "build": what is run to build it, which can put anything into it.
        deps = [
            dep["pkg"]
            for dep in nodes[at]["deps"]
            if any(kind["kind"] in (None, "build") for kind in dep["dep_kinds"])
        ]
        needs[at] = sorted(set(deps))
        open_ids.extend(deps)
    return root, {at: packages[at] for at in needs}, needs


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def component(package, kind, digests):
    told = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package["description"]:
        told["description"] = " ".join(package["description"].split())
    digest = digests.get((package["name"], package["version"]))
    if digest:
        told["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if package["license"]:
        # Older packages write a slash where an expression of SPDX has OR.
        told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    elif package["license_file"]:
        told["licenses"] = [{"license": {"name": package["license_file"]}}]
    if package["repository"]:
        told["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return told


HERE = pathlib.Path(__file__).parent.parent


def viewer():
    """What stands in the sources as others made it: the viewer of the API's description."""
    told = (HERE / "viewer" / "README.md").read_text()
    name, version = re.search(r"npm package (\S+) ([0-9.]+[0-9])", told).groups()
    at = f"pkg:npm/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": at,
        "name": name,
        "version": version,
        "purl": at,
        "licenses": [{"expression": "Apache-2.0"}],
    }


def sbom(metadata, lock):
    root, packages, needs = read(metadata)
    locked = re.findall(
        r'^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"$',
        pathlib.Path(lock).read_text(),
        re.MULTILINE,
    )
    digests = {(name, version): digest for name, version, digest in locked}
    at = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    others = sorted((at for at in packages if at != root), key=lambda at: purl(packages[at]))
    told = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(packages[root], "application", digests),
        },
        "components": [component(packages[at], "library", digests) for at in others] + [viewer()],
        "dependencies": [
            {"ref": purl(packages[at]), "dependsOn": sorted(purl(packages[dep]) for dep in needs[at])}
            for at in [root, *others]
        ],
    }
    # Of what it says, so that the same says so under the same number.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(told, sort_keys=True))
    told["serialNumber"] = f"urn:uuid:{number}"
    print(json.dumps(told, indent=2))


NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    named = [file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(NAMES)]
    for file in sorted(named):
        yield file.read_text(errors="replace").strip()


def licences(metadata):
    root, packages, _ = read(metadata)
    of_text = {}
    others = [package for at, package in packages.items() if at != root]
    print("What the program is made of beside its own sources, and under which licences.\n")
    for package in sorted(others, key=purl):
        print(f"{package['name']} {package['version']}: {package['license'] or package['license_file']}")
        for text in texts(package):
            of_text.setdefault(text, []).append(f"{package['name']} {package['version']}")
    at = viewer()
    print(f"{at['name']} {at['version']}: {at['licenses'][0]['expression']}")
    for file in ("NOTICE", "swagger-ui-bundle.js.LICENSE.txt"):
        of_text[(HERE / "viewer" / file).read_text().strip()] = [f"{at['name']} {at['version']}"]
    for text, whose in sorted(of_text.items(), key=lambda one: one[1]):
        print(f"\n{'=' * 100}\nOf {', '.join(sorted(set(whose)))}:\n\n{text}")


if __name__ == "__main__":
    {"sbom": sbom, "licences": licences}[sys.argv[1]](*sys.argv[2:])
