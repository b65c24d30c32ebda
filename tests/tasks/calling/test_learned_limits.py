import pytest

from tasks.calling.learned_limits import read_learned, write_learned
from tasks.calling.rules.pacing.limits import Learned
from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import learned_limits_key


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def test_what_was_learned_is_there_for_the_next_run_of_that_model_only(store):
    learned = Learned(requests_seconds=10.0, queries_per_second=20)
    write_learned(store, "sft", learned, Learned())
    assert read_learned(store, "sft") == learned
    assert read_learned(store, "other") == Learned()


def test_nothing_is_written_where_nothing_was_learned(store):
    write_learned(store, "sft", Learned(), Learned())
    assert store.stat(learned_limits_key("sft")) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"requests_seconds": "10"}', b'{"requests_seconds": -1}', b'{"tokens_seconds": true}'],
)
def test_a_damaged_file_is_as_good_as_none(store, content):
    store.write_path(learned_limits_key("sft"), content)
    assert read_learned(store, "sft") == Learned()


def test_fields_of_a_later_version_are_passed_over(store):
    store.write_path(learned_limits_key("sft"), b'{"requests_seconds": 10, "something_new": 3}')
    assert read_learned(store, "sft") == Learned(requests_seconds=10.0)
