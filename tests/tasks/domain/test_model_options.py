"""Options of a call: what they can cost besides the prompt."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.model_options import ModelOptions


def test_default_options_send_nothing_besides_the_prompt():
    assert ModelOptions().bytes_beside_the_prompt == 0


@given(st.text(max_size=300))
def test_a_system_prompt_s_bytes_are_counted(system_prompt):
    size = len(system_prompt.encode("utf-8", "surrogatepass"))
    assert ModelOptions(system_prompt=system_prompt).bytes_beside_the_prompt >= size


def test_a_schema_and_further_fields_are_counted():
    schema = ModelOptions(response_format="json_schema").bytes_beside_the_prompt
    assert schema > 200
    assert ModelOptions(response_format="json_schema", extra_fields={"stop": ["x" * 500]}).bytes_beside_the_prompt > 700


def test_further_fields_may_allow_a_longer_answer():
    assert ModelOptions().longest_answer == 512
    assert ModelOptions(extra_fields={"max_completion_tokens": 4096}).longest_answer == 4096
    assert ModelOptions(extra_fields={"max_tokens": None}).longest_answer == 512
