"""The console's replies in every shape that its reference allows: optional fields, empty values, other notations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.qianfan.replies import held_units, model_report, modes_of, number_of, service_report, task_report
from tasks.domain.model_platform import Checkpoint, is_made_by, made_by

ANYTHING = st.one_of(st.none(), st.just(""), st.just("45.5%"), st.integers(), st.text(max_size=5), st.just("-"))
TASK = st.fixed_dictionaries(
    {},
    optional={
        "runStatus": st.sampled_from(["Running", "Done", "Failed", "Stopped", "Waiting", "Fail", "Odd", "", None]),
        "runProgress": ANYTHING,
        "metrics": st.one_of(st.none(), st.dictionaries(st.sampled_from(["BLEU-4", "ROUGE-1", "X"]), ANYTHING)),
        "checkpointList": st.one_of(
            st.none(),
            st.lists(st.fixed_dictionaries({}, optional={"step": ANYTHING, "trainingLoss": ANYTHING}), max_size=3),
        ),
        "hyperParameterConfig": st.one_of(st.none(), st.just({"epoch": 3})),
        "datasetConfig": st.one_of(st.none(), st.just({}), st.just({"versions": [{"versionId": "ds-1"}]})),
        "vdlLink": ANYTHING,
        "jobDescription": ANYTHING,
        "parameterScale": ANYTHING,
    },
)


@given(TASK)
def test_task_report_reads_every_shape_that_the_reference_allows(found):
    report = task_report(found, "task-1")
    assert isinstance(report.progress, int)
    assert all(isinstance(value, float) for value in (report.metrics or {}).values())
    assert all(point.loss is None or isinstance(point.loss, float) for point in report.checkpoints)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("62.20%", 62.2),
        ("0.03", 0.03),
        (43.07, 43.07),
        ("45.5 %", 45.5),
        ("3e-5", 3e-5),
        ("", None),
        (None, None),
        ("-", None),
    ],
)
def test_number_of_takes_both_notations(text, number):
    assert number_of(text) == number


def test_task_report_keeps_a_checkpoint_without_a_loss():
    report = task_report(
        {"runStatus": "Done", "checkpointList": [{"step": 8}, {"step": "16", "trainingLoss": 0.5}]}, "t"
    )
    assert report.checkpoints == [Checkpoint(8), Checkpoint(16, 0.5)]


def test_modes_of_reads_a_mode_without_methods_and_a_method_without_hyperparameters():
    model = {
        "supportTrainMode": [
            {"trainMode": "PostPretrain"},
            {"trainMode": "SFT", "supportParameterScale": [{"parameterScale": "FullFineTuning"}]},
        ]
    }
    assert modes_of(model) == {"PostPretrain": {}, "SFT": {"full": {}}}
    assert modes_of({}) == {}


def test_modes_of_puts_the_parts_of_a_method_together():
    """The mock server of the SDK's own tests lists a method twice."""
    parts = [{"parameterScale": "LoRA", "supportHyperParameterConfig": [{"key": key}]} for key in ("a", "b")]
    model = {"supportTrainMode": [{"trainMode": "SFT", "supportParameterScale": parts}]}
    assert set(modes_of(model)["SFT"]["LoRA"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("found", "phase"),
    [({"status": "Ready"}, "ready"), ({"state": "Fail"}, "failed"), ({"status": "Failed"}, "failed"), ({}, "creating")],
)
def test_model_report_reads_status_and_state(found, phase):
    assert model_report({"modelSetId": "am-1", **found}, "amv-1").phase == phase


@pytest.mark.parametrize(
    "source",
    [
        {"sourceExtra": {"trainSourceExtra": {"taskIdStr": "task-9", "taskId": 7}}},
        {"sourceExtra": {"trainSourceExtra": {"taskIdStr": "job-1", "runIdStr": "task-9"}}},
        {"trainMeta": {"taskId": "task-9"}},
        {"sources": [{"x": 1}, {"taskId": "task-9"}]},
    ],
)
def test_model_report_finds_the_task_wherever_it_is_named(source):
    assert model_report({"modelSetId": "am-1", **source}, "amv-1").task_id == "task-9"


def test_service_report_takes_the_endpoint_s_own_field_and_never_a_part_of_the_url():
    """By V2 the last part of every url is `completions`."""
    url = "https://qianfan.baidubce.com/v2/chat/completions"
    found = {"serviceId": "svco-1", "url": url, "endpoint": "ab_digest", "runStatus": "Serving", "protocolVersion": 2}
    report = service_report(found)
    assert (report.endpoint, report.phase, report.protocol) == ("ab_digest", "serving", 2)
    assert service_report({"serviceId": "svco-1", "url": url}).endpoint == ""
    old = "https://aip.baidubce.com/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/ab_digest"
    assert service_report({"serviceId": "svco-1", "url": old}).protocol == 1


def test_held_units_reads_states_by_name_and_number_and_the_time_by_any_of_its_names():
    units = held_units(
        [
            {"instanceId": "u1", "status": "Deleted"},
            {"instanceId": "u2", "status": 3},
            {"instanceId": "u3", "status": "Running", "paymentTiming": "Prepaid", "expireTime": "2026-12-23T06:00:00Z"},
            {"instanceId": "u4", "status": 2, "paymentTiming": "Postpaid", "endTime": ""},
        ]
    )
    assert [(unit.instance_id, unit.prepaid) for unit in units] == [("u3", True), ("u4", False)]
    assert units[0].expires_at == datetime(2026, 12, 23, 6, tzinfo=UTC)


@given(st.text("0123456789abcdef", min_size=1, max_size=12), st.text(max_size=300))
def test_a_description_is_recognized_by_its_own_token_alone(token, what):
    assert is_made_by(token, made_by(token, what))
    assert not is_made_by(f"{token}-1", made_by(token, what.replace("-1", "")))
    assert not is_made_by(token, what.replace("kefu-digest", ""))
    assert not is_made_by("", made_by("", what))
