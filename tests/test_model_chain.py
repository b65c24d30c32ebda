"""The whole life of a model, deaths in every wait included, as `python -m tests.model_chain` tells it."""

import pytest

from tests.model_chain import run_chain, world


@pytest.mark.long
@pytest.mark.timeout(900)
# Prefect leaves the connection open by which it asks for its default result storage.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_run_chain_leads_from_nothing_to_a_promoted_endpoint_and_back(tmp_path):
    from prefect.testing.utilities import prefect_test_harness  # loads all of Prefect's server

    told: list[str] = []
    with prefect_test_harness(server_startup_timeout=240), world(tmp_path) as here:
        run_chain(here, told.append)
    assert any("5 ★" in line for line in told)
    assert told[-1] == "Nothing is paid for any more."
