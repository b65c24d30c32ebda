"""The supply chain: every pin in the bill of materials, every license reviewed, every exception with a reason and an
end.
"""

import importlib.util
import json
from datetime import date

import pytest

from tests.conftest import ROOT

_SPEC = importlib.util.spec_from_file_location("supply_chain", ROOT / ".ci" / "supply_chain.py")
assert _SPEC
assert _SPEC.loader
supply_chain = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(supply_chain)


def test_the_bill_of_materials_holds_every_pin_with_its_hashes():
    components = supply_chain.sbom()["components"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(components) == sum("==" in line and not line.startswith((" ", "#")) for line in lock.splitlines())
    assert all(component["hashes"] and component["version"] for component in components)


def test_the_bill_of_materials_says_what_no_image_holds():
    scopes = {component["name"]: component["scope"] for component in supply_chain.sbom()["components"]}
    assert scopes["prefect"] == scopes["asyncpg"] == "required"
    assert scopes["pytest"] == scopes["selenium"] == "excluded"


def test_every_licence_is_permissive_or_decided():
    assert supply_chain.undecided() == []


def test_a_licence_that_nobody_looked_at_is_named(monkeypatch):
    monkeypatch.setattr(supply_chain, "licence_of", lambda name: "GPL-3.0" if name == "aiohttp" else "MIT")
    assert supply_chain.undecided() == ["aiohttp: GPL-3.0"]


def test_every_exception_says_why_and_ends():
    names = {pin["name"] for pin in supply_chain.pins()}
    for exception in supply_chain.DECISIONS["exception"]:
        assert exception["package"] in names
        assert len(exception["reason"]) > 20
        assert exception["until"] < date(2028, 1, 1)
    assert supply_chain.ended(date(2099, 1, 1)) == [
        exception["id"] for exception in supply_chain.DECISIONS["exception"]
    ]


SEEN = {"name": "seen", "version": "1.0", "vulns": []}
UNSEEN = {"name": "unseen", "skip_reason": "Dependency not found on PyPI and could not be audited: unseen (1.0)"}
FLAWED = {"name": "flawed", "version": "1.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["1.1"]}]}


@pytest.mark.parametrize(
    ("dependencies", "strictly", "leniently", "said"),
    [
        ([SEEN, SEEN], 0, 0, "2 packages audited"),
        ([SEEN, FLAWED], 1, 1, "flawed 1.0: CVE-2026-1, mended in 1.1"),
        ([SEEN, UNSEEN], 1, 1, "unseen: could not be audited"),
        ([UNSEEN, UNSEEN], 3, 0, "NOTHING was audited"),
        ([UNSEEN, FLAWED], 1, 1, "CVE-2026-1"),
        (None, 3, 0, "NOTHING was audited"),
    ],
)
def test_an_audit_that_saw_nothing_is_not_green(dependencies, strictly, leniently, said):
    report = "" if dependencies is None else json.dumps({"dependencies": dependencies, "fixes": []})
    for or_say_so, expected in ((False, strictly), (True, leniently)):
        code, lines = supply_chain.audited(report, or_say_so=or_say_so)
        assert code == expected
        assert any(said in line for line in lines)
