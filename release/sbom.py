#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the bill of materials of an installation, SPDX 2.3 in JSON.

usage: sbom.py NAME VERSION "LIBRARY=VERSION ..." ROOT >FILE

ROOT is what "make install DESTDIR=ROOT" made.  Listed are the package, each of
its files with SHA-1 (which SPDX asks for) and SHA-256, each library that an
object of it is linked with, and which object links which.  Libraries that
those libraries load are the system's.  The same input gives the same bytes;
the time in it is SOURCE_DATE_EPOCH.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

LICENCE = "BSD-2-Clause"
COPYRIGHT = "Copyright (c) 2026, the countersign authors"

# Package: its licence, the name of its version in pkg-config, what the names
# of its libraries begin with.
PACKAGES = {
    "glibc": ("LGPL-2.1-or-later", "glibc", ["libc.so", "libm.so", "ld-"]),
    "json-c": ("MIT", "json-c", ["libjson-c.so"]),
    "libcurl": ("curl", "libcurl", ["libcurl.so", "libcurl-gnutls.so"]),
    "libevent": ("BSD-3-Clause", "libevent", ["libevent"]),
    "libqrencode": ("LGPL-2.1-or-later", "libqrencode", ["libqrencode.so"]),
    "libseccomp": ("LGPL-2.1-only", "libseccomp", ["libseccomp.so"]),
    "linux-pam": ("NOASSERTION", "pam", ["libpam.so"]),
    "openssl": ("Apache-2.0", "libcrypto", ["libcrypto.so", "libssl.so"]),
    "sqlite": ("blessing", "sqlite3", ["libsqlite3.so"]),
    "zbar": ("LGPL-2.1-or-later", "zbar", ["libzbar.so"]),
}


def digest(algorithm, data):
    return hashlib.new(algorithm, data).hexdigest()


def dynamic(path):
    """(SONAME or None, names of needed libraries) of an ELF object."""
    text = subprocess.run(["readelf", "-dW", str(path)], text=True,
                          env={**os.environ, "LC_ALL": "C"},
                          stdout=subprocess.PIPE, check=True).stdout
    soname = re.search(r"\(SONAME\).*\[(.*)\]", text)
    return (soname and soname.group(1),
            re.findall(r"\(NEEDED\).*\[(.*)\]", text))


def is_elf(path):
    return path.read_bytes()[:4] == b"\x7fELF"


def package_of(library):
    for name, (_, _, prefixes) in PACKAGES.items():
        if library.startswith(tuple(prefixes)):
            return name
    sys.exit(f"sbom.py: {library}: from which package is it?")


def identifier(what, name):
    """An SPDXID: letters, digits, dot and hyphen; never the same for two."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")
    if plain != name.lstrip("/"):
        plain += "-" + digest("sha256", name.encode())[:8]
    return f"SPDXRef-{what}-{plain}"


def file_entry(root, path):
    data = path.read_bytes()
    name = str(path.relative_to(root))
    return {
        "SPDXID": identifier("File", name),
        "fileName": f"./{name}",
        "fileTypes": ["BINARY" if is_elf(path) else "TEXT"],
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": digest("sha1", data)},
            {"algorithm": "SHA256", "checksumValue": digest("sha256", data)},
        ],
        "licenseConcluded": LICENCE,
        "licenseInfoInFiles": [LICENCE],
        "copyrightText": COPYRIGHT,
    }


def sha1_of(entry):
    return entry["checksums"][0]["checksumValue"]


def own_package(name, version, files):
    code = digest("sha1", "".join(sorted(map(sha1_of, files))).encode())
    return {
        "SPDXID": identifier("Package", name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: the countersign authors",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": code},
        "licenseConcluded": LICENCE,
        "licenseDeclared": LICENCE,
        "licenseInfoFromFiles": [LICENCE],
        "copyrightText": COPYRIGHT,
        "primaryPackagePurpose": "APPLICATION",
    }


def foreign_package(name, versions):
    licence, module, _ = PACKAGES[name]
    entry = {
        "SPDXID": identifier("Package", name),
        "name": name,
        "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "LIBRARY",
    }
    if module in versions:
        entry["versionInfo"] = versions[module]
        entry["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:generic/{name}@{versions[module]}",
        }]
    return entry


def relationship(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind,
            "relatedSpdxElement": other}


def links(paths):
    """(path, what it links: the path of one of ours, or a package's name)."""
    objects = {path: dynamic(path) for path in paths if is_elf(path)}
    ours = {soname: path for path, (soname, _) in objects.items() if soname}
    for path, (_, needed) in objects.items():
        for library in needed:
            yield path, ours.get(library) or package_of(library)


def document(name, version, versions, root):
    paths = sorted(path for path in root.rglob("*")
                   if path.is_file() and not path.is_symlink())
    files = [file_entry(root, path) for path in paths]
    ids = dict(zip(paths, (entry["SPDXID"] for entry in files)))
    linked = sorted({(ids[one], ids.get(other) or
                      identifier("Package", other))
                     for one, other in links(paths)})
    used = sorted({other for _, other in links(paths)
                   if isinstance(other, str)})
    own = own_package(name, version, files)
    top = own["SPDXID"]
    others = [foreign_package(other, versions) for other in used]
    relationships = [relationship("SPDXRef-DOCUMENT", "DESCRIBES", top)]
    relationships += [relationship(top, "CONTAINS", ids[path])
                      for path in paths]
    relationships += [relationship(top, "DEPENDS_ON", other["SPDXID"])
                      for other in others]
    relationships += [relationship(one, "DYNAMIC_LINK", other)
                      for one, other in linked]
    return {"packages": [own, *others], "files": files,
            "relationships": relationships}


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    name, version, linked, root = sys.argv[1:]
    versions = dict(word.split("=", 1) for word in linked.split())
    body = document(name, version, versions, Path(root))
    if not body["files"]:
        sys.exit(f"sbom.py: {root}: nothing is installed there")
    when = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
    # One name for each content: that is what a namespace asks for.
    unique = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True) +
                        os.environ["SOURCE_DATE_EPOCH"])
    head = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}",
        "documentNamespace":
            f"https://spdx.org/spdxdocs/{name}-{version}-{unique}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
            "creators": [f"Tool: {name}-sbom.py-{version}"],
        },
    }
    json.dump({**head, **body}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
