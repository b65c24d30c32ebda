"""From reviewed conversations to the best of several fine-tuned models, over hours, through any restart.

python -m flows.fine_tune_model --name 2026-11 --upload-to bos://digest/training
"""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from prefect import flow
from prefect.client.schemas.objects import FlowRun, State

from flows.wiring import command_line
from flows.wiring.labeled import check_labels, labeled_conversations
from flows.wiring.services import open_folder, open_platform, open_warehouse
from flows.wiring.settings import Settings, load_settings
from tasks.domain.errors import ModelFailed, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import TrainingData
from tasks.preparing.prompts import load_prompt
from tasks.running.pausing import continue_in_next_run
from tasks.tuning.rules.experiments import load_matrix
from tasks.tuning.rules.tuning_record import check_name
from tasks.tuning.rules.tuning_report import as_result
from tasks.tuning.training_jobs import (
    advance_tuning,
    begin_tuning,
    find_tuning,
    publish_tuning,
    stop_tuning,
    store_training_set,
)

REVIEWED = "reviewed"


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
    give_up_hours: float = 12.0,
    poll_seconds: float = 600.0,
    stop: bool = False,
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Tune the base model in every way that is asked for, and pick the best.

    Args:
        name: names the tuning, its jobs on the platform and its folder in the warehouse; give it again to go on.
        training_set: "reviewed" (labeled conversations), a dataset's id on Qianfan (ds-…), or bos://….
        labels: a file of labels, whose conversations are read from the logs; left out, the warehouse's labels.
        start: the first day of labeled conversations; left out, the oldest.
        end: the last day, itself included.
        experiments: a TOML file; left out, the six that are shipped.
        upload_to: a folder in BOS for a reviewed training set; left out, the warehouse, if that is in BOS.
        give_up_hours: an experiment without any progress for so long is stopped.
        poll_seconds: between two looks at the platform.
        stop: stop the experiments under way instead; what is done stays.
        settings: any setting by its name.
    """
    config = load_settings(settings or {})
    if stop:
        return await _stop(name, config)
    warehouse = open_warehouse(config)
    matrix = load_matrix(Path(experiments) if experiments else None)

    async with open_platform(config) as platform:
        record = await begin_tuning(
            warehouse,
            platform,
            check_name(name),
            matrix,
            partial(_training_data, name, training_set, upload_to, config, labels, start, end),
        )
        await advance_tuning(record, platform, timedelta(hours=give_up_hours))
        while not record.tuning.ended:
            if await continue_in_next_run(poll_seconds):
                return as_result(record.tuning, "running", "")
            await advance_tuning(record, platform, timedelta(hours=give_up_hours))

    report = publish_tuning(warehouse, record.tuning)
    if record.tuning.best is None:
        raise ModelFailed(f"Tuning {name!r}: no experiment came to an end with every figure; {report} says why.")
    return as_result(record.tuning, "done", report)


def _training_data(
    name: str, training_set: str, upload_to: str, config: Settings, labels: str, start: date | None, end: date | None
) -> TrainingData:
    if training_set.startswith("ds-"):
        return TrainingData(dataset_id=training_set)
    if training_set.startswith("bos://"):
        return TrainingData(bos_uri=training_set)
    if training_set != REVIEWED:
        raise UsageError(f"--training-set {training_set!r}: reviewed, a dataset's id (ds-…) or an object (bos://…).")
    warehouse = open_warehouse(config)
    upload = open_folder(upload_to, config) if upload_to else warehouse
    if not upload.uri.startswith("bos://"):
        raise UsageError("The platform reads training sets from BOS: give --upload-to bos://bucket/folder.")
    labeled = labeled_conversations(config, start, end, labels)
    return store_training_set(warehouse, upload, name, labeled, load_prompt(config.prompt))


async def _stop(name: str, config: Settings) -> dict[str, Any]:
    warehouse = open_warehouse(config)
    record = await asyncio.to_thread(find_tuning, warehouse, name)
    if record is None:
        raise UsageError(f"There is no tuning {name!r} in {warehouse.uri_of(model_folder(name))}.")
    async with open_platform(config) as platform:
        await stop_tuning(record, platform)
    return as_result(record.tuning, "stopped", "")


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.fine_tune_model", "Fine-tune the base model and pick the best experiment.")
    parser.add_argument("--name", required=True, help="names the tuning; give it again to go on where it was")
    parser.add_argument(
        "--training-set",
        default=REVIEWED,
        help="reviewed (labeled conversations), ds-… or bos://… (default: reviewed)",
    )
    command_line.add_label_flags(parser)
    parser.add_argument("--experiments", default="", help="a TOML file of experiments (default: the six shipped)")
    parser.add_argument("--upload-to", default="", help="a folder in BOS for the training set (default: the warehouse)")
    parser.add_argument(
        "--give-up-hours", type=float, default=12.0, help="stop an experiment without progress after (default: 12)"
    )
    parser.add_argument(
        "--poll-seconds", type=float, default=60.0, help="between two looks at the platform (default: 60)"
    )
    parser.add_argument("--stop", action="store_true", default=False, help="stop the experiments under way instead")
    parser.add_argument("--json", action="store_true", default=False, help="the last line on stdout is one JSON object")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    def tell(done: dict[str, Any]) -> str:
        table = done.pop("table")
        return orjson.dumps(done).decode() if args.json else f"{table}\nreport: {done['report']}"

    return command_line.run(
        settings,
        lambda: fine_tune_model(
            args.name,
            args.training_set,
            args.labels,
            args.start,
            args.end,
            args.experiments,
            args.upload_to,
            args.give_up_hours,
            args.poll_seconds,
            args.stop,
            settings,
        ),
        tell,
        lambda config: (
            check_name(args.name),
            load_matrix(Path(args.experiments) if args.experiments else None),
            check_labels(args.labels, args.start, args.end),
        ),
    )


if __name__ == "__main__":
    command_line.main(main)
