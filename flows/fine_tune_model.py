"""Fine-tune several models on reviewed conversations and find the best, over hours, through any restart.

python -m flows.fine_tune_model --name 2026-11 --upload-to bos://digest/training --confirm
"""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import FlowRun, State

from flows.wiring.beside_erasures import texts_held
from flows.wiring.commands import command_line
from flows.wiring.labeled import check_labels, fetched_labels, labeled_conversations
from flows.wiring.models.training_data import REVIEWED, check_training_set, training_data
from flows.wiring.services import open_platform, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.errors import ModelFailed, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import ModelPlatform
from tasks.running.pausing import AWAITING_PLATFORM, reschedule
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rules.experiments import Matrix, load_matrix
from tasks.tuning.rules.tuning_cost import check_agreed
from tasks.tuning.rules.tuning_record import check_name
from tasks.tuning.rules.tuning_report import as_result
from tasks.tuning.training_jobs import (
    TuningRecord,
    advance_tuning,
    find_same,
    find_tuning,
    plan,
    publish_tuning,
    stop_tuning,
)


async def stop_on_cancel(flow: Any, flow_run: FlowRun, state: State[Any]) -> None:
    """Stop what a cancelled run has submitted."""
    parameters = flow_run.parameters
    await _stop(parameters["name"], load_settings(parameters.get("settings") or {}))


@flow(name="fine-tune-model", flow_run_name="fine-tune-{name}", on_cancellation=[stop_on_cancel])
async def fine_tune_model(
    name: str,
    training_set: str = REVIEWED,
    labels: str = "",
    start: date | None = None,
    end: date | None = None,
    experiments: str = "",
    upload_to: str = "",
    confirm: bool = False,
    give_up_hours: float = 12.0,
    poll_seconds: float = 600.0,
    stop: bool = False,
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """Tune the base model in every way that is asked for, and pick the best.

    Args:
        name: names the tuning, its jobs on the platform and its folder in the warehouse; give it again to go on.
        training_set: "reviewed" (labeled conversations), a dataset's id on Qianfan (ds-…), or bos://….
        labels: a file of labels or of SFT lines, or a dataset (ds-…); left out, the warehouse's labels.
        start: the first day of labeled conversations; left out, the oldest.
        end: the last day, itself included.
        experiments: a TOML file; left out, the six that are shipped.
        upload_to: a folder in BOS for a reviewed training set; left out, the warehouse, if that is in BOS.
        confirm: training costs money, and that is agreed to.
        give_up_hours: an experiment in which nothing changes for so long, and for longer than its kind takes, is
            stopped.
        poll_seconds: between two looks at the platform.
        stop: stop the experiments under way instead; what is done stays.
        settings: any setting by its name.
    """
    config = load_settings(settings or {})
    if stop:
        return await _stop(name, config)
    warehouse = open_warehouse(config)
    matrix = load_matrix(Path(experiments) if experiments else None)
    policy = WaitPolicy(timedelta(hours=give_up_hours))

    async with open_platform(config) as platform:
        record = await asyncio.to_thread(find_same, warehouse, check_name(name), matrix)
        if record is None:
            file = await fetched_labels(config, labels)
            record = await _plan(name, matrix, (training_set, upload_to), (start, end, file), config, platform, policy)
            get_run_logger().info(check_agreed(record.value, config.training_token_price, config.currency, confirm))
            await record.save(record.value)
        await advance_tuning(record, platform, policy)
        while not record.value.ended:
            await reschedule(poll_seconds, AWAITING_PLATFORM, f"The platform trains {name}.")
            await advance_tuning(record, platform, policy)

    report = publish_tuning(warehouse, record.value)
    if record.value.best is None:
        raise ModelFailed(f"Tuning {name!r}: no experiment came to an end with every figure; {report} says why.")
    return as_result(record.value, "done", report)


async def _plan(
    name: str,
    matrix: Matrix,
    training_set: tuple[str, str],
    labels: tuple[date | None, date | None, str],
    config: Settings,
    platform: ModelPlatform,
    policy: WaitPolicy,
) -> TuningRecord:
    source, upload_to = training_set
    check_training_set(source)
    async with texts_held(config):
        labeled = labeled_conversations(config, *labels) if source == REVIEWED else []
        data = await training_data(name, source, upload_to, config, platform, labeled)
        return await plan(open_warehouse(config), platform, name, matrix, data, policy)


async def _stop(name: str, config: Settings) -> dict[str, Any]:
    warehouse = open_warehouse(config)
    record = await asyncio.to_thread(find_tuning, warehouse, name)
    if record is None:
        raise UsageError(f"There is no tuning {name!r} in {warehouse.uri_of(model_folder(name))}.")
    async with open_platform(config) as platform:
        await stop_tuning(record, platform)
    return as_result(record.value, "stopped", "")


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.fine_tune_model", __doc__)
    parser.add_argument("--name", required=True, help="names the tuning; give it again to go on where it was")
    parser.add_argument(
        "--training-set",
        default=REVIEWED,
        help="reviewed (labeled conversations), ds-… or bos://… (default: reviewed)",
    )
    command_line.add_label_flags(parser)
    parser.add_argument("--experiments", default="", help="a TOML file of experiments (default: the six shipped)")
    parser.add_argument("--upload-to", default="", help="a folder in BOS for the training set (default: the warehouse)")
    parser.add_argument("--confirm", action="store_true", default=False, help="agree to what training costs")
    parser.add_argument(
        "--give-up-hours",
        type=float,
        default=12.0,
        help="stop an experiment in which nothing changes for so long, and longer than its kind takes (default: 12)",
    )
    parser.add_argument(
        "--poll-seconds", type=float, default=60.0, help="between two looks at the platform (default: 60)"
    )
    parser.add_argument("--stop", action="store_true", default=False, help="stop the experiments under way instead")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)
    own = {name: value for name, value in vars(args).items() if name not in {*settings, "json", "verbose"}}

    def check(config: Settings) -> None:
        check_name(args.name)
        check_training_set(args.training_set)
        load_matrix(Path(args.experiments) if args.experiments else None)
        check_labels(args.labels, args.start, args.end)

    async def command() -> dict[str, Any]:
        done: dict[str, Any] = await fine_tune_model(**own, settings=settings)
        if args.json:
            del done["table"]  # a text for a terminal
        return done

    return command_line.run(settings, command, _format_result, check, as_json=args.json)


def _format_result(done: dict[str, Any]) -> str:
    return f"{done['table']}\nreport: {done['report']}"


if __name__ == "__main__":
    command_line.main(main)
