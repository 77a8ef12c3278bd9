#!/usr/bin/env python3
"""Writes an SPDX 2.3 document: a package of ours, and what it links, by Debian package and version.

What a program links is read from it (NEEDED); what it is compiled from and does not link, header-only
libraries, is told by --contains; what a static library leaves to its user by --depends. The same input
gives the same bytes: the time is SOURCE_DATE_EPOCH's.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess


def output_of(*command):
    return subprocess.check_output(command, text=True, env={**os.environ, "LC_ALL": "C"})


def linked(program):
    """The paths of the libraries that a program itself asks the loader for."""
    needed = re.findall(r"^\s+NEEDED\s+(\S+)$", output_of("objdump", "-p", program), re.MULTILINE)
    found = dict(re.findall(r"^\s+(\S+) => (\S+) \(", output_of("ldd", program), re.MULTILINE))
    return [found[soname] for soname in needed if soname in found]


def package_of(library):
    """The Debian package that has a library, which may know it by its path without /usr."""
    short = library.removeprefix("/usr")
    for path in (short, "/usr" + short):
        found = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return re.split("[:,]", found.stdout)[0]
    raise SystemExit(f"sbom: no Debian package has {library}")


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def described(package, architecture):
    """A Debian package, as SPDX has it."""
    version, source, home = output_of(
        "dpkg-query", "-W", "-f", "${Version}\n${source:Package}\n${Homepage}\n",
        f"{package}:{architecture}" if is_native(package, architecture) else package).splitlines()[:3]
    return {
        "SPDXID": spdx_id(package),
        "name": package,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "homepage": home or "NOASSERTION",
        "sourceInfo": f"Debian's source package {source}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package}@{version}?arch={architecture}",
        }],
    }


def is_native(package, architecture):
    return subprocess.run(["dpkg-query", "-W", f"{package}:{architecture}"], check=False,
                          capture_output=True).returncode == 0


def document(options, architecture):
    libraries = sorted({package_of(library)
                        for program in options.programs for library in linked(program)})
    relations = ([("DYNAMIC_LINK", package) for package in libraries]
                 + [("CONTAINS", package) for package in sorted(options.contains)]
                 + [("DEPENDS_ON", package) for package in sorted(options.depends)])
    own = {
        "SPDXID": spdx_id(options.name),
        "name": options.name,
        "versionInfo": options.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "copyrightText": "NOASSERTION",
    }
    packages = [own] + [described(package, architecture)
                        for package in sorted({package for _, package in relations})]
    relationships = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                      "relatedSpdxElement": own["SPDXID"]}]
    relationships += [{"spdxElementId": own["SPDXID"], "relationshipType": kind,
                       "relatedSpdxElement": spdx_id(package)} for kind, package in relations]
    digest = hashlib.sha256(json.dumps([packages, relationships]).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)),
                                              datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{options.name}-{options.version}",
        "documentNamespace": f"urn:ferrule:spdx:{options.name}-{options.version}-{digest[:32]}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: ferrule-sbom", "Organization: The Ferrule developers"]},
        "packages": packages,
        "relationships": relationships,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--contains", nargs="*", default=[], help="packages whose code is compiled in")
    parser.add_argument("--depends", nargs="*", default=[], help="packages that a user has to link")
    parser.add_argument("--programs", nargs="*", default=[])
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    text = json.dumps(document(options, output_of("dpkg", "--print-architecture").strip()), indent=2)
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    main()
