"""Try a candidate model on a sample of a published day before it is promoted; its rows go to their own table.

python -m flows.shadow_day --day 2026-11-22 --shadow-endpoint CANDIDATE
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from prefect import flow, get_run_logger, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.services import Services, connect, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.steps import log_reader
from tasks.domain.days import previous_day
from tasks.domain.errors import UsageError
from tasks.domain.records import Request
from tasks.evaluating.open_caller import open_caller
from tasks.evaluating.shadow import ask_candidate, compare_shadow, sample_published, store_shadow, store_shadow_page
from tasks.reading.log_objects import list_logs
from tasks.reading.lookup import conversations_of
from tasks.running.artifacts import show_markdown
from tasks.running.scratch import scratch_folder

SHELF = "shadow"
_WITHIN_SECONDS = 1_800.0


@flow(name="shadow-day", flow_run_name="shadow-{day}")
@beside_no_erasure
async def shadow_day(day: date | None = None, settings: SettingsParameter | None = None) -> dict[str, Any]:
    """Ask a candidate about a sample of a published day; nothing that the day's readers see is touched.

    Args:
        day: the day; left out, it is the day before the run's scheduled start.
        settings: any setting by its name, as for summarize_day; shadow_endpoint is the candidate.
    """
    config = load_settings(settings or {})
    _check_candidate(config)
    day = day or previous_day(runtime.flow_run.scheduled_start_time, config.zone)
    run_id = str(runtime.flow_run.id)

    async with connect(config.model_copy(update={"endpoint": config.shadow_endpoint}), day) as services:
        sample = sample_published(services.warehouse, day, config.shadow_share)
        served = dict(sample.values())
        requests = [
            request for request in _requests(day, sample, services, config, run_id) if request.content_hash in served
        ]
        async with open_caller(
            services.summarizer,
            services.limiter,
            warehouse=services.warehouse,
            namespace=SHELF,
            run_id=run_id,
            scratch=services.scratch,
            policy=config.call_policy(config.prompt_version),
            day=day,
        ) as caller:
            outcomes = await ask_candidate(requests, caller, _WITHIN_SECONDS)
        address = store_shadow(services.warehouse, day, services.summarizer.model, run_id, outcomes)

    made = {
        "day": day.isoformat(),
        "candidate": config.shadow_endpoint,
        **compare_shadow(outcomes, served),
        "calls": caller.usage.calls,
        "table": address,
    }
    made["page"] = store_shadow_page(open_warehouse(config), made)
    await show_markdown(_format_summary(made), key=f"shadow-{day}", description=f"{day} 影子评测 · shadow")
    return made


async def shadow_afterwards(day: date, settings: dict[str, Any] | None) -> None:
    """Shadow a day that is published, whatever comes of it: a candidate's failure is its own."""
    try:
        await shadow_day(day, settings)
    except Exception as error:  # not even a bug of ours may cost the night
        get_run_logger().warning("The night is done; its shadow is not: %s", error)


def _check_candidate(config: Settings) -> None:
    if not config.shadow_endpoint or config.summarizer == "offline":
        raise UsageError("A shadow needs --shadow-endpoint, and --summarizer qianfan or openai.")


def _requests(day: date, sample: dict[str, Any], services: Services, config: Settings, run_id: str) -> list[Request]:
    with scratch_folder(services.scratch, f"{run_id}-logs") as scratch:
        reader = log_reader(config, scratch, day, services.summarizer.model)
        conversations = conversations_of(
            sample,
            services.source,
            list_logs(services.source, services.source_name),
            reader,
        )
        return [reader.prepare(conversation) for _, conversation in conversations]


def _format_summary(made: dict[str, Any]) -> str:
    return (
        f"{made['day']}: {made['candidate']} was asked about {made['asked']} conversations ({made['calls']} calls now) "
        f"and summarized {made['summarized']}; the serving model {made['summarized_by_serving']}.\n"
        f"Of {made['both']} that both summarized they agree on acceptance in {made['same_accepted']}, on sentiment in "
        f"{made['same_negative_sentiment']}.\ntable: {made['table']}\npage: {made['page']}"
    )


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.shadow_day", __doc__)
    parser.add_argument(
        "--day", type=command_line.day_argument, default=None, help="the day, such as 2026-11-22 (default: yesterday)"
    )
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings, lambda: shadow_day(args.day, settings), _format_summary, _check_candidate, as_json=args.json
    )


if __name__ == "__main__":
    command_line.main(main)
