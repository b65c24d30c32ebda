"""The dependencies: their bill of materials, their licences, and what is known against them.

python .ci/supply_chain.py sbom | licences | ignored | audited REPORT [--or-say-so]
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


def pins(lock: str = "requirements.lock") -> list[dict[str, Any]]:
    """Every package of a lock: name, version, hashes."""
    found: list[dict[str, Any]] = []
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if pin := _PIN.match(line):
            found.append({"name": pin[1].lower(), "version": pin[2], "hashes": []})
        if found:
            found[-1]["hashes"] += _HASH.findall(line)
    return found


def licence_of(name: str) -> str:
    """Return the licence that a package names; "" where it is not installed on this platform."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return ""
    expression = package.metadata.get("License-Expression") or ""
    classified = [
        classifier.rpartition(" :: ")[2]
        for classifier in package.metadata.get_all("Classifier") or ()
        if "License ::" in classifier
    ]
    first_line = (package.metadata.get("License") or "").strip().partition("\n")[0]
    return expression or "; ".join(classified) or first_line[:80] or _from_file(package)


def _from_file(package: Distribution) -> str:
    for file in package.files or ():
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
        f"{pin['name']}: {licence}"
        for pin in pins()
        if (licence := licence_of(pin["name"])) and not words.search(licence) and pin["name"] not in licences["decided"]
    ]


def ended(today: date) -> list[str]:
    """Exceptions that have come to their end."""
    return [decision["id"] for decision in DECISIONS["exception"] if decision["until"] < today]


def sbom() -> dict[str, Any]:
    """The bill of materials, as CycloneDX 1.5 has it; packages that no image holds are of the scope `excluded`."""
    shipped = {pin["name"] for pin in pins("deployments/requirements-runtime.lock")}
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
                "scope": "required" if pin["name"] in shipped else "excluded",
                "purl": f"pkg:pypi/{pin['name']}@{pin['version']}",
                "hashes": [{"alg": "SHA-256", "content": content} for content in pin["hashes"]],
                "licenses": [{"license": {"name": licence_of(pin["name"]) or "not installed on this platform"}}],
            }
            for pin in pins()
        ],
    }


def audited(report: str, *, or_say_so: bool) -> tuple[int, list[str]]:
    """The exit code and the lines that pip-audit's JSON report deserves: by itself it is content to have seen nothing.

    Args:
        report: the report; empty where pip-audit reached nobody.
        or_say_so: saying that nothing could be audited is enough, as where no index serves advisories.
    """
    found = json.loads(report)["dependencies"] if report.strip() else []
    unseen = [package["name"] for package in found if "skip_reason" in package]
    bad = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in found
        for flaw in package.get("vulns", ())
    ]
    if len(unseen) == len(found):
        return 0 if or_say_so else 3, ["NOTHING was audited: no advisories can be reached from here (.tmp/audit.log)."]
    if bad or unseen:
        return 1, bad + [f"{name}: could not be audited" for name in unseen]
    return 0, [f"{len(found)} packages audited, nothing known against them."]


def main(arguments: list[str]) -> int:
    """One of the four, on stdout."""
    if arguments == ["sbom"]:
        sys.stdout.write(json.dumps(sbom(), indent=1, ensure_ascii=False) + "\n")
        return 0
    if arguments == ["licences"]:
        for pin in pins():
            licence = DECISIONS["licences"]["decided"].get(pin["name"]) or licence_of(pin["name"])
            sys.stdout.write(f"{pin['name']:32} {pin['version']:14} {licence}\n")
        for line in undecided():
            sys.stderr.write(f"{line}: decide in .ci/supply_chain.toml\n")
        return 1 if undecided() else 0
    if arguments == ["ignored"]:  # for pip-audit
        if over := ended(datetime.now(UTC).date()):
            sys.stderr.write(f"These exceptions have ended, decide anew: {', '.join(over)}\n")
            return 1
        sys.stdout.write(" ".join(f"--ignore-vuln {decision['id']}" for decision in DECISIONS["exception"]) + "\n")
        return 0
    if arguments[:1] == ["audited"] and len(arguments) > 1:
        code, lines = audited(
            Path(arguments[1]).read_text(encoding="utf-8"), or_say_so=arguments[2:] == ["--or-say-so"]
        )
        sys.stdout.write("\n".join([*lines, ""]))
        return code
    sys.stderr.write("python .ci/supply_chain.py sbom | licences | ignored | audited REPORT [--or-say-so]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
