"""A fine-tuning on the platform, step by step, each written down in the warehouse before and after it is taken.

The record is `models/name=…/tuning.json`. It is only ever replaced as it was read, so that of two processes that take
up the same tuning one stops before it has asked the platform for anything.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from prefect import get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import PlatformBusy, PlatformUnavailable, PreconditionFailed, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import ModelPlatform, TrainingData
from tasks.domain.ports import ObjectStore
from tasks.preparing.prompts import Prompt
from tasks.reviewing.rules.labels import LabeledExample
from tasks.tuning.rules.experiments import Matrix, check_limits
from tasks.tuning.rules.training_set import build_training_set
from tasks.tuning.rules.tuning_record import Trial, Tuning, check_same, decode_tuning, plan_tuning
from tasks.tuning.rules.tuning_report import EXPERIMENTS, experiment_rows, render_tuning_html, render_tuning_markdown
from tasks.warehouse.parquet import parquet_bytes


def _now() -> datetime:
    return datetime.now(UTC)


class TuningRecord:
    """A tuning as it is written down; `save` replaces it."""

    def __init__(self, store: ObjectStore, key: str, tuning: Tuning, etag: str | None) -> None:
        self._store = store
        self._key = key
        self._etag = etag
        self.tuning = tuning

    def save(self, tuning: Tuning) -> None:
        """Write the tuning down as it is now.

        Raises:
            UsageError: another process has taken it up.
        """
        condition = {"if_match": self._etag} if self._etag else {"if_absent": True}
        try:
            self._etag = self._store.write_path(self._key, tuning.encode(), **condition)
        except PreconditionFailed:
            raise UsageError(
                f"Another run is at work on tuning {tuning.name!r} ({self._store.uri_of(self._key)}); "
                "nothing was submitted twice. Wait for it, or cancel it and start this one again."
            ) from None
        self.tuning = tuning


def find_tuning(store: ObjectStore, name: str) -> TuningRecord | None:
    """The record of that name."""
    key = f"{model_folder(name)}/tuning.json"
    stored = store.stat(key)
    if stored is None:
        return None
    return TuningRecord(store, key, decode_tuning(store.read_path(key)), stored.etag)


def tuning_of(store: ObjectStore, name: str) -> Tuning:
    """The tuning of that name as it stands.

    Raises:
        UsageError: there is none.
    """
    record = find_tuning(store, name)
    if record is None:
        raise UsageError(f"There is no tuning {name!r} in {store.uri}: run flows.fine_tune_model first.")
    return record.tuning


async def begin_tuning(
    store: ObjectStore,
    platform: ModelPlatform,
    name: str,
    matrix: Matrix,
    training_data: Callable[[], TrainingData],
) -> TuningRecord:
    """The tuning of that name as it stands, or a new one of which nothing is submitted yet.

    Raises:
        UsageError: the platform does not take the experiments, or the name stands for others.
    """
    record = await asyncio.to_thread(find_tuning, store, name)
    if record is not None:
        check_same(record.tuning, matrix)
        return record
    check_limits(matrix, await platform.limits(matrix.base_model))
    data = await asyncio.to_thread(training_data)
    if data.dataset_id:
        data = replace(data, rows=await platform.dataset_rows(data.dataset_id))
    record = TuningRecord(store, f"{model_folder(name)}/tuning.json", plan_tuning(name, matrix, data, _now()), None)
    await asyncio.to_thread(record.save, record.tuning)
    return record


@task(name="store-training-set", cache_policy=NO_CACHE)
def store_training_set(
    warehouse: ObjectStore, upload_to: ObjectStore, name: str, labeled: Sequence[LabeledExample], prompt: Prompt
) -> TrainingData:
    """Build a training set of labeled conversations and put it where the platform can read it.

    Args:
        warehouse: keeps a copy, so that it can be told later what a model has read.
        upload_to: in BOS.
        name: of the tuning.
        labeled: reviewed conversations.
        prompt: the one that the model will be asked by.

    Raises:
        UsageError: nothing is left to train on.
    """
    built = build_training_set(labeled, prompt)
    if not built.rows:
        raise UsageError(
            f"Of {built.labeled} labeled conversations none is left to train on ({built.held_out} are held out): "
            "review more."
        )
    key = f"{model_folder(name)}/training.jsonl"
    warehouse.write_path(key, built.content)
    if upload_to.uri != warehouse.uri:
        upload_to.write_path(key, built.content)
    get_run_logger().info(
        "%d rows to train on, of %d labeled: %d are held out, %d nearly are one of those, %d repeat another.",
        built.rows,
        built.labeled,
        built.held_out,
        built.near_held_out,
        built.near_duplicates,
    )
    return TrainingData(bos_uri=upload_to.uri_of(key), rows=built.rows, built=True)


@task(name="advance-tuning", cache_policy=NO_CACHE)
async def advance_tuning(record: TuningRecord, platform: ModelPlatform, give_up_after: timedelta) -> None:
    """One round, told in the log and as an artifact."""
    logger = get_run_logger()
    await advance(record, platform, give_up_after, logger.info)
    logger.info(record.tuning.line())
    await acreate_markdown_artifact(
        render_tuning_markdown(record.tuning), key=f"tuning-{record.tuning.name}", description="微调进度 · fine-tuning"
    )


async def advance(
    record: TuningRecord, platform: ModelPlatform, give_up_after: timedelta, tell: Callable[[str], None]
) -> None:
    """One round: submit what the platform takes, look at what it has, give up what hangs.

    Args:
        record: of the tuning.
        platform: where.
        patience: how long an experiment may make no progress.
        tell: told why something has to wait.
    """
    for number in range(len(record.tuning.trials)):
        trial = record.tuning.trials[number]
        try:
            if trial.phase in ("planned", "submitting"):
                await _submit(trial, record, platform)
        except (PlatformBusy, PlatformUnavailable) as error:
            tell(f"Experiment {trial.experiment.number} is not submitted yet: {error}")
            break
    for trial in record.tuning.trials:
        try:
            if trial.on_platform:
                await _look(trial, record, platform, give_up_after)
        except PlatformUnavailable as error:
            tell(f"Experiment {trial.experiment.number} can't be looked at: {error}")
            break


async def _submit(trial: Trial, record: TuningRecord, platform: ModelPlatform) -> None:
    if trial.phase == "planned":
        trial = await _write(record, replace(trial, phase="submitting"))
    tuning, experiment = record.tuning, trial.experiment
    # A creation whose reply was lost is found by its name in the next round, minutes later, when it is surely listed.
    job_id = await platform.find_job(trial.job_name) or await platform.create_job(
        trial.job_name, tuning.base_model, f"{experiment.method}, {experiment.hyperparameters}"[:200]
    )
    task_id = await platform.find_task(job_id) or await platform.create_task(
        job_id, experiment.method, experiment.hyperparameters, tuning.data, tuning.split_ratio
    )
    await _write(record, trial.submitted(job_id, task_id, _now()))


async def _look(trial: Trial, record: TuningRecord, platform: ModelPlatform, give_up_after: timedelta) -> None:
    trial = trial.seen(await platform.describe_task(trial.task_id), _now())
    if trial.hangs(_now(), give_up_after):
        await platform.stop_task(trial.task_id)
        hours = give_up_after.total_seconds() / 3600
        trial = trial.given_up(f"stopped at {trial.progress}%: no progress for {hours:g} h")
    await _write(record, trial)


async def stop_tuning(record: TuningRecord, platform: ModelPlatform) -> int:
    """Stop every trial that has not ended; return how many there were."""
    unended = [trial for trial in record.tuning.trials if not trial.ended]
    for trial in unended:
        task_id = trial.task_id
        if trial.phase == "submitting":
            job_id = await platform.find_job(trial.job_name)
            task_id = (await platform.find_task(job_id) if job_id else None) or ""
        if task_id:
            await platform.stop_task(task_id)
        await _write(record, trial.given_up("stopped on request"))
    return len(unended)


async def _write(record: TuningRecord, trial: Trial) -> Trial:
    await asyncio.to_thread(record.save, record.tuning.with_trial(trial))
    return trial


def publish_tuning(store: ObjectStore, tuning: Tuning) -> str:
    """Put the tuning's table and reports into the warehouse; return the report's address."""
    folder = model_folder(tuning.name)
    rows = pa.Table.from_pylist(experiment_rows(tuning), schema=EXPERIMENTS)
    store.write_path(f"{folder}/experiments.parquet", parquet_bytes(rows))
    store.write_path(f"{folder}/report.md", render_tuning_markdown(tuning).encode())
    store.write_path(f"{folder}/report.html", render_tuning_html(tuning).encode())
    return store.uri_of(f"{folder}/report.html")
