"""Training sets on their way to the platform, with a copy in the warehouse of what a model has read."""

from collections.abc import Sequence

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import TrainingData
from tasks.domain.ports import ObjectStore
from tasks.preparing.prompts import Prompt
from tasks.preparing.tokens import estimate_tokens
from tasks.reviewing.rules.labels import LabeledExample
from tasks.tuning.rules.training_set import build_training_set


def training_key(name: str) -> str:
    """The key of the copy of what a tuning trained on."""
    return f"{model_folder(name)}/training.jsonl"


@task(name="store-training-set", cache_policy=NO_CACHE)
def store_training_set(
    warehouse: ObjectStore, upload_to: ObjectStore, name: str, labeled: Sequence[LabeledExample], prompt: Prompt
) -> TrainingData:
    """Build a training set of labeled conversations and put it where the platform can read it.

    Args:
        warehouse: keeps a copy, so that the examination knows what the model has read.
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
    warehouse.write_path(training_key(name), built.content)
    # The SDK's own check takes only letters, digits, _ and - in the folders of an object: no name=….
    key = f"kefu-training/{name}/training.jsonl"
    upload_to.write_path(key, built.content)
    get_run_logger().info(
        "%d rows to train on, of %d labeled: %d are held out, %d nearly are one of those, %d repeat another.",
        built.rows,
        built.labeled,
        built.held_out,
        built.near_held_out,
        built.near_duplicates,
    )
    return TrainingData(
        bos_uri=upload_to.uri_of(key),
        rows=built.rows,
        built=True,
        tokens=sum(estimate_tokens(line.decode()) for line in built.lines),
    )
