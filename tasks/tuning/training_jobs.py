"""A fine-tuning on the platform, step by step, each written down in the warehouse before and after it is taken.

The record is `models/name=…/tuning.json`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pyarrow as pa
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import PlatformBusy, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import ModelPlatform, TrainingData, is_made_by, made_by
from tasks.domain.ports import ObjectStore
from tasks.running.artifacts import show_markdown
from tasks.tuning.create_once import WaitPolicy, create_once
from tasks.tuning.rules.adopted import adopted_tuning
from tasks.tuning.rules.asked import Asked
from tasks.tuning.rules.experiments import Matrix, check_limits
from tasks.tuning.rules.tuning_record import Trial, Tuning, check_same, decode_tuning, plan_tuning
from tasks.tuning.rules.tuning_report import EXPERIMENTS, experiment_rows, render_tuning_html, render_tuning_markdown
from tasks.tuning.stored_record import StoredRecord
from tasks.warehouse.parquet import parquet_bytes

TuningRecord = StoredRecord[Tuning]


def tuning_key(name: str) -> str:
    """The key of a tuning's record."""
    return f"{model_folder(name)}/tuning.json"


def find_tuning(store: ObjectStore, name: str) -> TuningRecord | None:
    """The record of that name."""
    return TuningRecord.find(store, tuning_key(name), decode_tuning)


def tuning_of(store: ObjectStore, name: str) -> Tuning:
    """The tuning of that name as it stands.

    Raises:
        UsageError: there is none.
    """
    record = find_tuning(store, name)
    if record is None:
        raise UsageError(f"There is no tuning {name!r} in {store.uri}: run flows.fine_tune_model first.")
    return record.value


async def plan(
    store: ObjectStore, platform: ModelPlatform, name: str, matrix: Matrix, data: TrainingData, policy: WaitPolicy
) -> TuningRecord:
    """A new tuning of which nothing is submitted and nothing is written down yet.

    Raises:
        UsageError: the platform does not take the experiments.
    """
    check_limits(matrix, await platform.tunable())
    if data.dataset_id:
        data = replace(data, rows=await platform.dataset_rows(data.dataset_id))
    return TuningRecord(
        store, tuning_key(name), plan_tuning(name, matrix, data, policy.now(), token=uuid4().hex[:12]), None
    )


def find_same(store: ObjectStore, name: str, matrix: Matrix) -> TuningRecord | None:
    """The record of that name, if there is one.

    Raises:
        UsageError: it is of other experiments.
    """
    record = find_tuning(store, name)
    if record is not None:
        check_same(record.value, matrix)
    return record


@task(name="advance-tuning", cache_policy=NO_CACHE)
async def advance_tuning(record: TuningRecord, platform: ModelPlatform, policy: WaitPolicy) -> None:
    """Advance a tuning by one round, and show where it stands in the log and as an artifact."""
    logger = get_run_logger()
    await advance(record, platform, policy, logger.warning)
    logger.info(record.value.line())
    await show_markdown(
        render_tuning_markdown(record.value), key=f"tuning-{record.value.name}", description="微调进度 · fine-tuning"
    )


async def advance(
    record: TuningRecord, platform: ModelPlatform, policy: WaitPolicy, notify: Callable[[str], None]
) -> None:
    """Advance by one round: submit what the platform takes, update the trials, stop those that hang.

    Args:
        record: of the tuning.
        platform: where.
        policy: how long to wait.
        notify: is given the platform's own words about whatever has to wait.

    Raises:
        PlatformRefused: it does not take an experiment; those that run go on.
        UsageError: a job of that name is somebody else's.
    """
    for number in range(len(record.value.trials)):
        trial = record.value.trials[number]
        try:
            if trial.phase in ("planned", "submitting"):
                await _submit(trial, record, platform, policy)
        except (PlatformBusy, PlatformUnavailable) as error:
            notify(f"Experiment {trial.experiment.number} is not submitted yet: {error}")
            break
    for trial in record.value.trials:
        try:
            if trial.on_platform:
                await _look(trial, record, platform, policy)
        except PlatformUnavailable as error:
            notify(f"Experiment {trial.experiment.number} can't be looked at: {error}")
            break


async def _submit(trial: Trial, record: TuningRecord, platform: ModelPlatform, policy: WaitPolicy) -> None:
    experiment, tuning, number = trial.experiment, record.value, trial.experiment.number

    def current() -> Trial:
        return next(trial for trial in record.value.trials if trial.experiment.number == number)

    async def note(asked: Asked | None) -> None:
        phase = current().phase if asked is None and current().job_id else "submitting" if asked else "planned"
        await _write(record, replace(current(), phase=phase, asked=asked))

    job_id = trial.job_id
    if not job_id:
        what = made_by(f"{tuning.token}-{number}", experiment.describe())
        job_id = await create_once(
            f"job {trial.job_name}",
            trial.asked,
            note,
            lambda: _find_job(trial, tuning, platform),
            lambda: platform.create_job(trial.job_name, experiment.base_model, experiment.mode, what),
            policy,
        )
        await _write(record, replace(current(), phase="submitting", job_id=job_id, asked=None))
    task_id = await create_once(
        f"the task of job {job_id}",
        current().asked,
        note,
        lambda: platform.find_task(job_id),
        lambda: platform.create_task(job_id, tuning.spec_of(experiment)),
        policy,
    )
    await _write(record, current().submitted(task_id, policy.now()))


async def _find_job(trial: Trial, tuning: Tuning, platform: ModelPlatform) -> str | None:
    found = await platform.find_job(trial.job_name)
    if found is None:
        return None
    if not is_made_by(f"{tuning.token}-{trial.experiment.number}", found.description):
        raise UsageError(
            f"Job {trial.job_name} is on the platform already ({found.job_id}, {found.base_model} {found.mode}, "
            f"described as {found.description!r}) and is not of this tuning: give another --name."
        )
    return found.job_id


async def _look(trial: Trial, record: TuningRecord, platform: ModelPlatform, policy: WaitPolicy) -> None:
    now = policy.now()
    trial = trial.updated(await platform.describe_task(trial.task_id), now)
    if trial.changed_at and record.value.is_stalled(trial, now, policy.give_up_after):
        await platform.stop_task(trial.task_id)
        hours = (now - trial.changed_at).total_seconds() / 3600
        trial = trial.stopped(f"stopped at {trial.progress}%: nothing changed for {hours:.1f} h")
    await _write(record, trial)


async def stop_tuning(record: TuningRecord, platform: ModelPlatform) -> int:
    """Stop every trial that has not ended; return how many there were."""
    unended = [trial for trial in record.value.trials if not trial.ended]
    for trial in unended:
        task_id = trial.task_id
        if trial.phase == "submitting" and not task_id:
            job_id = trial.job_id or await _find_job(trial, record.value, platform)
            task_id = (await platform.find_task(job_id) if job_id else None) or ""
        if task_id:
            await platform.stop_task(task_id)
        await _write(record, trial.stopped("stopped on request"))
    return len(unended)


async def _write(record: TuningRecord, trial: Trial) -> None:
    await record.save(record.value.with_trial(trial))


async def adopt_task(
    store: ObjectStore, platform: ModelPlatform, name: str, task_id: str, policy: WaitPolicy
) -> TuningRecord:
    """The record of a tuning with one trial, made of a task that somebody trained outside.

    Raises:
        UsageError: the task is not done, or the name stands for another tuning.
    """
    record = await asyncio.to_thread(find_tuning, store, name)
    if record is not None:
        if [trial.task_id for trial in record.value.trials] != [task_id]:
            raise UsageError(f"Tuning {name!r} is another one: give another --name to --task {task_id}.")
        return record
    try:
        report = await platform.describe_task(task_id)
    except PlatformRefused as error:
        raise UsageError(f"--task {task_id}: {error}") from error
    record = TuningRecord(store, tuning_key(name), adopted_tuning(name, task_id, report, policy.now()))
    await record.save(record.value)
    return record


def publish_tuning(store: ObjectStore, tuning: Tuning) -> str:
    """Put the tuning's table and reports into the warehouse; return the report's address."""
    folder = model_folder(tuning.name)
    rows = pa.Table.from_pylist(experiment_rows(tuning), schema=EXPERIMENTS)
    store.write_path(f"{folder}/experiments.parquet", parquet_bytes(rows))
    store.write_path(f"{folder}/report.md", render_tuning_markdown(tuning).encode())
    store.write_path(f"{folder}/report.html", render_tuning_html(tuning).encode())
    return store.uri_of(f"{folder}/report.html")
