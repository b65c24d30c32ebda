from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.calling.rules.pacing.limits import Limits
from tasks.checking.rules.findings import (
    Asked,
    Finding,
    PrefectFacts,
    as_json,
    block_findings,
    clock_finding,
    endpoint_findings,
    nightly_would_fail,
    prefect_findings,
)
from tasks.domain.records import QuotaHeaders, Reply

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
GOOD = Reply("{}", 100, 40, limits=QuotaHeaders(3000, 300_000))
FACTS = PrefectFacts("3.8.8", "postgresql", "kefu", 2, True, 12)


def by_name(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.status for finding in findings}


@pytest.mark.parametrize(
    ("skew", "status"), [(0, "ok"), (59, "ok"), (-61, "warning"), (299, "warning"), (1200, "failed"), (-1200, "failed")]
)
def test_a_clock_that_is_off_is_told_and_one_that_breaks_signatures_fails(skew, status):
    found = clock_finding(NOW, NOW + timedelta(seconds=skew), "BOS")
    assert found.status == status
    if abs(skew) == 1200:
        assert "20 min" in found.line()
        assert ("ahead of" if skew > 0 else "behind") in found.seen
    assert bool(found.remedy) is (status != "ok")


def test_a_service_without_a_clock_is_no_failure():
    assert clock_finding(None, NOW, "BOS").status == "skipped"


def test_an_endpoint_that_answers_is_described():
    found = endpoint_findings("m", "Qianfan's V2 interface", Asked(GOOD, 1.2), Asked(GOOD, 1.0), Limits(3000, None))
    assert by_name(found) == {"endpoint": "ok", "quota": "ok", "JSON schema": "ok"}
    assert "m by Qianfan's V2 interface answered in 1.2 s with 100 + 40 tokens" in found[0].line()


@pytest.mark.parametrize(
    ("first", "schema", "limits", "expected"),
    [
        (Asked(None, error="no"), None, Limits(), {"endpoint": "failed"}),
        (Asked(Reply("", 9, 512, lost_to_thinking=True), 3.0), None, Limits(60), {"thinking": "failed"}),
        (Asked(Reply("{}", 9, 512, thought=True), 3.0), None, Limits(60), {"thinking": "warning"}),
        (Asked(GOOD, 30.0), None, Limits(60), {"endpoint": "warning"}),
        (Asked(Reply("no", 1, 1, refused=True), 1.0), None, Limits(60), {"endpoint": "warning"}),
        (Asked(GOOD, 1.0), Asked(None, error="x", invalid=True), Limits(60), {"JSON schema": "ok"}),
        (Asked(GOOD, 1.0), Asked(None, error="x"), Limits(60), {"JSON schema": "warning"}),
        (Asked(GOOD, 1.0), None, Limits(6000), {"quota": "warning"}),
        (Asked(Reply("{}", 1, 1), 1.0), None, Limits(), {"quota": "warning"}),
        (Asked(Reply("{}", 1, 1), 1.0), None, Limits(60), {"quota": "ok"}),
    ],
)
def test_what_an_endpoint_does_is_judged(first, schema, limits, expected):
    found = by_name(endpoint_findings("m", "V2", first, schema, limits))
    assert found | expected == found


@pytest.mark.parametrize(
    ("facts", "what", "status"),
    [
        (FACTS, "workers", "ok"),
        (PrefectFacts("3.8.8", "sqlite", "kefu", 2, True, 12), "database", "warning"),
        (PrefectFacts("3.8.8", "postgresql", "kefu", 0, True, 12), "workers", "failed"),
        (PrefectFacts("3.8.8", "postgresql", "kefu", None, True, 12), "workers", "failed"),
        (PrefectFacts("3.8.8", "postgresql", "kefu", 1, False, 12), "nightly", "failed"),
        (PrefectFacts("3.8.8", "postgresql", "kefu", 1, None, 12), "nightly", "failed"),
        (FACTS, "watch", "ok"),
        (replace(FACTS, watch_seconds=None), "watch", "warning"),
        (replace(FACTS, watch_seconds=301), "watch", "warning"),
        (FACTS, "automations", "ok"),
        (replace(FACTS, automations=["kefu: stop"]), "automations", "warning"),
    ],
)
def test_what_a_prefect_server_tells_is_judged(facts, what, status):
    found = prefect_findings(facts)
    assert by_name(found)[what] == status
    assert nightly_would_fail(found) is (status == "failed")
    assert all(finding.remedy for finding in found if finding.status in {"warning", "failed"})


def test_blocks_that_are_named_are_found_or_named_as_missing():
    assert [finding.status for finding in block_findings([], {})] == ["skipped"]
    assert (
        block_findings(["bos-bucket/a", "bos-bucket/b"], {})[0].line()
        == "ok      blocks: bos-bucket/a, bos-bucket/b can be read"
    )
    (missing,) = block_findings(["bos-bucket/a", "bos-bucket/b"], {"bos-bucket/b": "there is none"})
    assert (missing.what, missing.status, missing.seen) == ("block bos-bucket/b", "failed", "there is none")


def test_json_tells_every_finding_and_the_verdict():
    told = as_json([Finding("logs", "ok", "there"), Finding("warehouse", "failed", "no", "mend")], calls=2)
    assert (told["status"], told["calls"]) == ("failed", 2)
    assert told["findings"][1] == {"what": "warehouse", "status": "failed", "seen": "no", "remedy": "mend"}
