"""Training sets: what a tuning is trained on, and what a model from anywhere was trained on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from flows.wiring.services import open_folder, open_place, open_warehouse
from flows.wiring.settings import Settings
from tasks.domain.errors import ObjectMissing, StoreError, UsageError
from tasks.domain.model_platform import ModelPlatform, TrainingData
from tasks.domain.ports import ObjectStore
from tasks.preparing.masking import mask
from tasks.preparing.prompts import load_prompt
from tasks.preparing.tokens import estimate_tokens
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import LabeledExample
from tasks.tuning.rules.sft_rows import read_sft_rows
from tasks.tuning.rules.tuning_record import Tuning
from tasks.tuning.rules.unseen import unseen
from tasks.tuning.training_set import store_training_set, training_key

REVIEWED = "reviewed"


async def training_data(
    name: str,
    training_set: str,
    upload_to: str,
    config: Settings,
    platform: ModelPlatform,
    labeled: Sequence[LabeledExample],
) -> TrainingData:
    """Return the training set of a tuning; a copy of its lines is kept in the warehouse.

    Raises:
        UsageError: it is named wrongly, can't be read, or there is nowhere to put it.
    """
    warehouse = open_warehouse(config)
    if training_set == REVIEWED:
        upload = open_folder(upload_to, config) if upload_to else warehouse
        if not upload.uri.startswith("bos://"):
            raise UsageError("The platform reads training sets from BOS: give --upload-to bos://bucket/folder.")
        return await asyncio.to_thread(
            store_training_set.fn, warehouse, upload, name, labeled, load_prompt(config.prompt)
        )
    lines = await read_rows(training_set, config, platform)
    await asyncio.to_thread(_keep_copy, warehouse, name, lines)
    data = TrainingData(bos_uri=training_set) if "://" in training_set else TrainingData(dataset_id=training_set)
    return replace(data, rows=len(lines), tokens=sum(estimate_tokens(line.decode()) for line in lines))


def check_training_set(training_set: str) -> None:
    """Check the name of a training set.

    Raises:
        UsageError: it is none.
    """
    if training_set != REVIEWED and not training_set.startswith(("ds-", "bos://")):
        raise UsageError(f"--training-set {training_set!r}: reviewed, a dataset's id (ds-…) or an object (bos://…).")


async def read_rows(source: str, config: Settings, platform: ModelPlatform) -> list[bytes]:
    """The SFT rows of a dataset of the platform (ds-…) or of an object in BOS.

    Raises:
        UsageError: it can't be read.
    """
    if source.startswith("ds-"):
        return [entity.replace(b"\n", b" ") for entity in await platform.dataset_entities(source)]
    try:
        store, key = open_place(source, config)
        content = await asyncio.to_thread(store.read_path, key)
    except StoreError as error:
        raise UsageError(f"{source} can't be read: {error}") from error
    return [line for line in content.splitlines() if line.strip()]


async def examination(
    tuning: Tuning, labeled: Sequence[LabeledExample], trained_on: str, config: Settings, platform: ModelPlatform
) -> list[LabeledExample]:
    """The labeled conversations that the model has not been trained on.

    A set that was built here holds out by content hash. Of any other one the rows themselves are compared.

    Raises:
        UsageError: nobody can tell what it was trained on.
    """
    if tuning.data.built:
        return [example for example in labeled if is_held_out(example.content_hash)]
    warehouse = open_warehouse(config)
    try:
        lines = (await asyncio.to_thread(warehouse.read_path, training_key(tuning.name))).splitlines()
    except ObjectMissing:
        source = trained_on or tuning.data.source
        if not source:
            raise UsageError(
                f"What {tuning.name!r} was trained on is not known, so it can't be examined on anything else: name it "
                "with --trained-on (a dataset ds-… or an object bos://…)."
            ) from None
        lines = await read_rows(source, config, platform)
        await asyncio.to_thread(_keep_copy, warehouse, tuning.name, lines)
    rows = read_sft_rows(lines, f"the training set of {tuning.name}", load_prompt(config.prompt))
    return await asyncio.to_thread(unseen, labeled, [mask(row.dialogue) for row in rows])


def _keep_copy(warehouse: ObjectStore, name: str, lines: Sequence[bytes]) -> None:
    masked = [mask(line.decode()).encode() for line in lines]
    warehouse.write_path(training_key(name), b"".join(line + b"\n" for line in masked))
