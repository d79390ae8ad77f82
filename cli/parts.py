"""The list of parts of a release, as CycloneDX: every package that was pinned, with its licence and who needs it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

# What a release ships or installs, and the lock that pins it.
PART_LISTS = {
    "dependencies.zip": "layers/dependencies/requirements.txt",
    "tokens.zip": "layers/tokens/requirements.txt",
    "command": "requirements/command.txt",
}
# Packages whose metadata state no licence that a machine can read; their files do.
_STATED_ELSEWHERE: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Pin:
    name: str
    version: str
    needed_by: frozenset[str]  # names of packages
    is_direct: bool  # whether Keypost itself needs it


def pins(lock: str) -> Iterator[Pin]:
    """The packages of a lock as `make lock` writes it."""
    for entry in re.split(r"^(?=[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==)", lock, flags=re.MULTILINE)[1:]:
        name, version = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", entry)[0]
        needed_by = re.findall(r"^ +# +(?:via +)?([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?$", entry, re.MULTILINE)
        yield Pin(name, version, frozenset(needed_by) - {"via"}, "(pyproject.toml" in entry)


def licence_of(package: str) -> str | None:
    """The licence that an installed package states; None if it is not installed here, or states none."""
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return None
    stated = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier", []) if each.startswith("License ::")]
    return about["License-Expression"] or _STATED_ELSEWHERE.get(package) or " OR ".join(stated) or about["License"]


def bill_of_materials(version: str, moment: datetime, locks: Mapping[str, str], files: Mapping[str, str]) -> str:
    """The list as JSON, from the locks and the digests of the files that are deployed. It is the same for the same
    version, moment and content."""
    whole = Component(
        name="keypost",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"keypost@{version}",
        licenses=[_licence("Apache-2.0")],
    )
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"keypost {version} {moment.isoformat()} {sorted(files.items())}"))
    bom.metadata.timestamp, bom.metadata.component = moment, whole
    found = {pin.name: pin for lock in locks.values() for pin in pins(lock)}
    parts = {name: _component(pin, locks) for name, pin in found.items()}
    bom.components.update(parts.values())
    bom.components.update(_file(name, digest) for name, digest in files.items())
    bom.register_dependency(whole, [part for name, part in parts.items() if found[name].is_direct])
    for name, part in parts.items():
        bom.register_dependency(part, [parts[each] for each in parts if name in found[each].needed_by])
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _component(pin: Pin, locks: Mapping[str, str]) -> Component:
    link = PackageURL("pypi", name=pin.name, version=pin.version)
    within = [part for part, lock in locks.items() if any(each.name == pin.name for each in pins(lock))]
    licence = licence_of(pin.name)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(link),
        purl=link,
        licenses=[_licence(licence)] if licence else [],
        properties=[Property(name="keypost:part", value=part) for part in within],
    )


def _licence(stated: str) -> License:
    return LicenseFactory().make_from_string(stated, license_text=None)


def _file(name: str, digest: str) -> Component:
    return Component(
        name=name, type=ComponentType.FILE, bom_ref=name, hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    )
