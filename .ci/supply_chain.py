"""The dependencies: their bill of materials, their licences, and what is known against them.

python .ci/supply_chain.py sbom | licences | ignored
"""

import json
import re
import sys
import tomllib
from datetime import UTC, date, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = tomllib.loads((ROOT / ".ci" / "supply_chain.toml").read_text(encoding="utf-8"))
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)([^\\]*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins() -> list[dict[str, Any]]:
    """Every package of the lock: name, version, hashes."""
    found: list[dict[str, Any]] = []
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if pin := _PIN.match(line):
            found.append({"name": pin[1].lower(), "version": pin[2], "hashes": []})
        if found:
            found[-1]["hashes"] += _HASH.findall(line)
    return found


def licence_of(name: str) -> str:
    """What a package says of its licence; "" where it is not installed on this platform."""
    try:
        told = distribution(name)
    except PackageNotFoundError:
        return ""
    expression = told.metadata.get("License-Expression") or ""
    classified = [one.rpartition(" :: ")[2] for one in told.metadata.get_all("Classifier") or () if "License ::" in one]
    first_line = (told.metadata.get("License") or "").strip().partition("\n")[0]
    return expression or "; ".join(classified) or first_line[:80] or _from_file(told)


def _from_file(told: Distribution) -> str:
    for file in told.files or ():
        if re.match(r"(?i)licen[cs]e", file.name):
            text = file.locate().read_text(encoding="utf-8", errors="replace")  # type: ignore[attr-defined]
            known = ("Apache License", "MIT License", "BSD", "Mozilla Public License", "Permission is hereby granted")
            found = next((word for word in known if word in text), "")
            return "MIT" if found.startswith("Permission") else found
    return "unknown"


def undecided() -> list[str]:
    """Packages whose licence nobody has looked at."""
    licences = DECISIONS["licences"]
    words = re.compile("|".join(map(re.escape, licences["permissive"])), re.IGNORECASE)
    return [
        f"{pin['name']}: {told}"
        for pin in pins()
        if (told := licence_of(pin["name"])) and not words.search(told) and pin["name"] not in licences["decided"]
    ]


def ended(today: date) -> list[str]:
    """Exceptions that have come to their end."""
    return [one["id"] for one in DECISIONS["exception"] if one["until"] < today]


def sbom() -> dict[str, Any]:
    """The bill of materials, as CycloneDX 1.5 has it."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "kefu-digest", "licenses": [{"license": {"id": "MIT"}}]}
        },
        "components": [
            {
                "type": "library",
                "name": pin["name"],
                "version": pin["version"],
                "purl": f"pkg:pypi/{pin['name']}@{pin['version']}",
                "hashes": [{"alg": "SHA-256", "content": content} for content in pin["hashes"]],
                "licenses": [{"license": {"name": licence_of(pin["name"]) or "not installed on this platform"}}],
            }
            for pin in pins()
        ],
    }


def main(arguments: list[str]) -> int:
    """One of the three, on stdout."""
    if arguments == ["sbom"]:
        sys.stdout.write(json.dumps(sbom(), indent=1, ensure_ascii=False) + "\n")
        return 0
    if arguments == ["licences"]:
        for pin in pins():
            told = DECISIONS["licences"]["decided"].get(pin["name"]) or licence_of(pin["name"])
            sys.stdout.write(f"{pin['name']:32} {pin['version']:14} {told}\n")
        for line in undecided():
            sys.stderr.write(f"{line}: decide in .ci/supply_chain.toml\n")
        return 1 if undecided() else 0
    if arguments == ["ignored"]:  # for pip-audit
        if over := ended(datetime.now(UTC).date()):
            sys.stderr.write(f"These exceptions have ended, decide anew: {', '.join(over)}\n")
            return 1
        sys.stdout.write(" ".join(f"--ignore-vuln {one['id']}" for one in DECISIONS["exception"]) + "\n")
        return 0
    sys.stderr.write("python .ci/supply_chain.py sbom | licences | ignored\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
