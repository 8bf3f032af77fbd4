# SPDX-License-Identifier: BSD-2-Clause
"""The bill of materials: SPDX 2.3 as its specification has it, and true."""
import hashlib
import json
import os
import re
import subprocess
import sys

import pytest
from installation import DIRS, Installation
from sources import TOP, made, output, tool

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LICENCES = {"BSD-2-Clause", "BSD-3-Clause", "MIT", "Apache-2.0", "curl",
            "LGPL-2.1-only", "LGPL-2.1-or-later", "blessing", "NOASSERTION"}
EPOCH = "1700000000"


@pytest.fixture(scope="module")
def installation():
    found = Installation()
    yield found
    found.close()


def written(root):
    run = subprocess.run(
        [sys.executable, TOP / "release/sbom.py", made("PACKAGE"),
         made("VERSION"), made("CSIGN_LINKED"), root],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, check=True,
        stdout=subprocess.PIPE)
    return run.stdout


@pytest.fixture(scope="module")
def document(installation):
    return json.loads(written(installation.root))


def by_id(document):
    return {entry["SPDXID"]: entry
            for entry in document["packages"] + document["files"]}


def related(document, kind):
    return [(entry["spdxElementId"], entry["relatedSpdxElement"])
            for entry in document["relationships"]
            if entry["relationshipType"] == kind]


def regular(installation):
    """Installed files by the name that the document gives them."""
    return {f".{place}": installation.root + place
            for place in installation.files()
            if not os.path.islink(installation.root + place)}


def content(path):
    with open(path, "rb") as file:
        return file.read()


def objects(installation):
    return {name: path for name, path in regular(installation).items()
            if content(path).startswith(b"\x7fELF")}


def test_same_input_same_bytes(installation):
    assert written(installation.root) == written(installation.root)


def test_document(document):
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert document["name"] == f"countersign-{made('VERSION')}"
    assert re.fullmatch(r"https://[^#\s]+-[0-9a-f-]{36}",
                        document["documentNamespace"])
    created = document["creationInfo"]
    assert created["created"] == "2023-11-14T22:13:20Z"
    assert DATE.fullmatch(created["created"])
    assert created["creators"] != []
    for creator in created["creators"]:
        assert re.match(r"(Tool|Organization|Person): \S", creator)


def test_ids_are_well_formed_and_of_one_thing_each(document):
    ids = [entry["SPDXID"]
           for entry in document["packages"] + document["files"]]
    assert all(ID.fullmatch(name) for name in ids)
    assert len(set(ids)) == len(ids)
    assert "SPDXRef-DOCUMENT" not in ids


def test_packages(document):
    for package in document["packages"]:
        assert package["name"] and package["downloadLocation"]
        assert package["licenseDeclared"] in LICENCES
        assert package["licenseConcluded"] in LICENCES
        assert package["copyrightText"]
        assert re.match(r"NOASSERTION$|(Organization|Person): ",
                        package["supplier"])
        assert re.fullmatch(r"\d+(\.\d+)+(-\w+)?", package["versionInfo"])
        for reference in package.get("externalRefs", []):
            assert reference == {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator":
                    f"pkg:generic/{package['name']}@{package['versionInfo']}"}
        # What is not analysed has neither files nor a code over them.
        if not package["filesAnalyzed"]:
            assert "packageVerificationCode" not in package
            assert "licenseInfoFromFiles" not in package


def test_own_package(document):
    [(document_id, own)] = related(document, "DESCRIBES")
    assert document_id == "SPDXRef-DOCUMENT"
    package = by_id(document)[own]
    assert (package["name"], package["versionInfo"]) == \
        ("countersign", made("VERSION"))
    assert package["licenseDeclared"] == "BSD-2-Clause"
    sums = sorted(checksum["checksumValue"] for file in document["files"]
                  for checksum in file["checksums"]
                  if checksum["algorithm"] == "SHA1")
    code = hashlib.sha1("".join(sums).encode()).hexdigest()
    assert package["packageVerificationCode"] == {
        "packageVerificationCodeValue": code}
    assert related(document, "CONTAINS") == [
        (own, file["SPDXID"]) for file in document["files"]]


def test_every_installed_file_with_its_checksums(document, installation):
    files = regular(installation)
    assert sorted(file["fileName"] for file in document["files"]) == \
        sorted(files)
    for file in document["files"]:
        data = content(files[file["fileName"]])
        assert file["checksums"] == [
            {"algorithm": name,
             "checksumValue": hashlib.new(name, data).hexdigest()}
            for name in ("SHA1", "SHA256")]
        assert file["fileTypes"] == [
            "BINARY" if data.startswith(b"\x7fELF") else "TEXT"]
        assert file["licenseConcluded"] == "BSD-2-Clause"
        assert file["licenseInfoInFiles"] == ["BSD-2-Clause"]
        assert file["copyrightText"].startswith("Copyright ")


def test_relationships_are_between_what_is_there(document):
    known = {*by_id(document), "SPDXRef-DOCUMENT"}
    for entry in document["relationships"]:
        assert entry["spdxElementId"] in known
        assert entry["relatedSpdxElement"] in known
        assert entry["relationshipType"] in (
            "DESCRIBES", "CONTAINS", "DEPENDS_ON", "DYNAMIC_LINK")


def test_every_library_that_an_object_needs(document, installation):
    """One link a needed library, to its package or to our own library."""
    names = by_id(document)
    linked = related(document, "DYNAMIC_LINK")
    found = objects(installation)
    assert len(found) == 6
    for name, path in found.items():
        text = output(tool("readelf"), "-dW", path)
        libraries = set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
        others = {names[other].get("name") or names[other]["fileName"]
                  for one, other in linked
                  if names[one].get("fileName") == name}
        assert others == {expected(library) for library in libraries}


def expected(library):
    """By hand, and not by the table of sbom.py."""
    short = library.split(".so")[0]
    if short == "libcountersign":
        return f".{DIRS['libdir']}/libcountersign.so.0.0.0"
    if short.startswith("libevent"):
        return "libevent"
    return {"libc": "glibc", "libcrypto": "openssl", "libssl": "openssl",
            "libjson-c": "json-c", "libsqlite3": "sqlite",
            "libzbar": "zbar", "libpam": "linux-pam"}.get(short, short)


def test_a_library_of_no_known_package_is_an_error(tmp_path):
    """A new dependency must be added to the table."""
    source = tmp_path / "new.c"
    source.write_text("void f(void) {}\n")
    flags = ["-shared", "-fPIC", "-o"]
    output(tool("gcc", "cc"), *flags, tmp_path / "libnew.so.1", source)
    (tmp_path / "root").mkdir()
    output(tool("gcc", "cc"), *flags, tmp_path / "root/object", source,
           "-Wl,--no-as-needed", tmp_path / "libnew.so.1")
    run = subprocess.run(
        [sys.executable, TOP / "release/sbom.py", "x", "1", "",
         tmp_path / "root"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, text=True)
    assert run.returncode != 0
    assert "libnew.so.1" in run.stderr
