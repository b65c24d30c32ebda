"""The whole life of a model against servers of our own, from nothing to a promoted endpoint and a nightly that uses it.

python -m tests.model_chain

Every wait ends in the death of the process: what goes on afterwards is a new run that knows only what was written
down. On the way a job fails, another hangs, a service never gets ready, and a candidate is too bad to be promoted.
"""

import asyncio
import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from flows.compare_prompts import compare_prompts
from flows.deploy_model import deploy_model
from flows.fine_tune_model import fine_tune_model
from flows.summarize_day import summarize_day
from flows.try_model import format_summary as format_trial
from flows.try_model import try_model
from flows.wiring.labeled import labeled_conversations
from flows.wiring.models.forms import AdoptionForm, ExaminationForm, ServiceForm
from flows.wiring.models.promotions import events_of
from flows.wiring.settings import load_settings
from tasks.domain.errors import ModelFailed, NotPromoted, UsageError
from tasks.tuning.rules.rollout_record import format_summary
from tests.servers.accounts import account_environment
from tests.servers.bos import BosServer
from tests.servers.console import ConsoleServer
from tests.servers.qianfan import QianfanServer
from tests.servers.qianfan_answers import answer_for

ROOT = Path(__file__).parent.parent
LABELS = ROOT / "deployments" / "demo" / "labels.jsonl"
START, END = date(2026, 11, 20), date(2026, 11, 22)
KNOWN: dict[str, Any] = {"labels": str(LABELS), "start": START, "end": END}
# 52 of the demo's labels are held out: so few can tell models apart by 12.3 points and more.
EXAMINATION = ExaminationForm(margin=13, **KNOWN)
BASE = "ernie-speed-8k"

POOR = """
base_model = "ERNIE-Speed-8K"
[[experiment]]
method = "LoRA"
epoch = 3
learning_rate = 3e-4
[[experiment]]
method = "LoRA"
epoch = 2
learning_rate = 1e-6
[[experiment]]
method = "LoRA"
epoch = 1
learning_rate = 1e-6
"""

SHOP_ROW = (
    '[{"prompt": "用户：红色的还有货吗\\n客服：红色明天补货\\n用户：那我等等", '
    '"response": [["{\\"用户问题\\": \\"红色是否有货\\", \\"客服方案\\": \\"明天补货\\", '
    '\\"是否接受\\": \\"是\\", \\"是否负面情绪\\": \\"否\\"}"]]}]'
)

Tell = Callable[[str], None]


class Died(BaseException):
    """The process died while it waited."""


@dataclass
class World:
    """Servers, and the folder of everything else."""

    console: ConsoleServer
    qianfan: QianfanServer
    bos: BosServer
    folder: Path
    deaths: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """Those of every flow."""
        return {"warehouse": str(self.folder / "warehouse"), "source": str(ROOT / "deployments/demo/logs/{day}")}

    def models(self) -> set[str]:
        """Return the models that made the last day's summaries."""
        table = self.folder / f"warehouse/summaries/day={END}/summaries.parquet"
        return set(pq.read_table(BytesIO(table.read_bytes()))["model"].to_pylist())


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Servers up, and an environment that points at them."""
    with (
        QianfanServer() as qianfan,
        ConsoleServer(chat_url=qianfan.url, train_seconds=900, deploy_seconds=240, checkpoint_lists=True) as console,
        BosServer() as bos,
    ):
        # A base model chats about what it was asked for; what was deployed answers as it was taught.
        qianfan.answers = lambda endpoint, prompt: (
            answer_for(prompt, "mixed") if endpoint == BASE else console.answers(endpoint, prompt)
        )
        with patch.dict(os.environ, account_environment(bos, qianfan, console.url)):
            yield World(console, qianfan, bos, folder)


def live_through(
    world: World, start: Callable[[], Coroutine[Any, Any, dict[str, Any]]], waits: int = 1_000
) -> dict[str, Any]:
    """Return a flow's result when its process dies in every wait and is started again; None after too many waits."""

    async def die(_seconds: float, _awaiting: str, _why: str) -> None:
        raise Died

    for _ in range(waits):
        with patch("flows.fine_tune_model.reschedule", die), patch("flows.deploy_model.reschedule", die):
            try:
                return asyncio.run(start())
            except Died:
                world.deaths += 1
    return {}


@contextmanager
def refused(kind: type[Exception], tell: Tell) -> Iterator[None]:
    """Something that must be refused, and is told."""
    try:
        yield
    except kind as error:
        tell(f"Refused: {error}\n")
    else:
        raise AssertionError(f"no {kind.__name__}")


def answers_like(truth: dict[str, str]) -> Callable[[float, str], str]:
    """A model of some quality: right so often, and otherwise right about another conversation."""
    others = sorted(truth.values())

    def answer(quality: float, prompt: str) -> str:
        digest = hashlib.blake2b(prompt.encode(), digest_size=4).digest()
        dialogue = prompt.rpartition("是否有负面情绪：\n\n")[2]
        right = int.from_bytes(digest, "big") / 2**32 < 0.95 * quality
        return truth.get(dialogue, others[0]) if right else others[digest[0] % len(others)]

    return answer


def run_chain(world: World, tell: Tell) -> None:
    """The story, told as it happens; every claim in it is checked."""
    labeled = labeled_conversations(load_settings(world.settings), START, END, str(LABELS))
    world.console.answer = answers_like({example.text: example.answer() for example in labeled})

    asyncio.run(summarize_day(END, world.settings))
    tell(f"Before: the nightly of {END} is made by {', '.join(world.models())}.\n")
    try_one(world, BASE, tell)
    tune_six(world, tell)
    endpoint = promote_the_best(world, tell)
    asyncio.run(summarize_day(END, {**world.settings, "endpoint_block": "serving", "overwrite": True}))
    assert world.models() == {endpoint}
    tell(f"Now: the nightly of {END} is made by {endpoint}.\n")
    try_one(world, endpoint, tell)
    compare_three(world, endpoint, tell)
    refuse_a_poor_one(world, tell)
    second = adopt_what_a_notebook_made(world, tell)
    take_it_all_back(world, endpoint, second, tell)


def try_one(world: World, endpoint: str, tell: Tell) -> None:
    """One conversation, one model, no labels."""
    settings = {"warehouse": world.settings["warehouse"], "summarizer": "qianfan", "endpoint": endpoint}
    tell(format_trial(asyncio.run(try_model("", settings))) + "\n")


def tune_six(world: World, tell: Tell) -> None:
    """The six experiments on the labeled conversations, once their cost is agreed to."""
    settings = {**world.settings, "training_token_price": 0.02}
    upload = f"bos://{world.bos.bucket}/training"
    tune = partial(fine_tune_model, "six", upload_to=upload, poll_seconds=0, settings=settings, **KNOWN)
    with refused(UsageError, tell):
        asyncio.run(tune())
    assert not world.console.jobs
    tuned = live_through(world, lambda: tune(confirm=True))
    assert tuned["best"] == 5
    assert len(world.console.tasks) == 6
    tell(f"{tuned['table']}\nThe process died in {world.deaths} waits; six jobs were submitted, none twice.\n")


def promote_the_best(world: World, tell: Tell) -> str:
    """Asked for without agreement, stuck for ever, given back; then deployed, examined and promoted."""
    console = world.console
    service = ServiceForm(pay="unit", hour_price=12.5)
    deploy = partial(
        deploy_model, "six", service=service, examination=EXAMINATION, poll_seconds=0, settings=world.settings
    )
    with refused(UsageError, tell):
        asyncio.run(deploy())
    with refused(NotPromoted, tell):
        asyncio.run(deploy(confirm=True, examination=ExaminationForm(**KNOWN)))
    assert not console.services

    console.behavior.service_fate = "hang"
    assert live_through(world, lambda: deploy(confirm=True), waits=12) == {}
    assert console.services
    with refused(ModelFailed, tell):
        asyncio.run(deploy(confirm=True, give_up_hours=0.0))
    console.behavior.service_fate = ""
    assert live_through(world, lambda: deploy(action="retire"))["stage"] == "retired"
    assert console.paid_units() == []
    tell("Retired: it was seen to stop, and nothing is paid for.\n")

    world.deaths = 0
    promoted = live_through(world, lambda: deploy(confirm=True))
    assert promoted["stage"] == "promoted"
    assert [service.name for service in console.services.values()] == ["kefu-six-5", "k2-six-5"]
    assert len(console.versions) == 1
    tell(
        f"{format_summary(promoted)}\nThe process died in {world.deaths} waits; one model, and one service that serves.\n"
    )
    return str(promoted["endpoint"])


def compare_three(world: World, endpoint: str, tell: Tell) -> None:
    """The base model, the base model with the platform's own version of the prompt, and what was promoted."""
    settings = {**world.settings, "summarizer": "qianfan", "endpoint": endpoint}
    compared = asyncio.run(compare_prompts(BASE, None, True, START, END, str(LABELS), 0, settings))
    assert [contestant["model"] for contestant in compared["contestants"]] == [BASE, BASE, endpoint]
    assert compared["contestants"][1]["prompt"].startswith("optimized-")
    assert compared["conversations"] == 52  # held out, of 217
    tell(Path(compared["report"]).with_suffix(".md").read_text(encoding="utf-8").partition("\n## 回答")[0])


def refuse_a_poor_one(world: World, tell: Tell) -> None:
    """Three bad experiments on a dataset of the platform, of which one fails and one hangs: what is left must not win."""
    matrix = world.folder / "poor.toml"
    matrix.write_text(POOR)
    world.console.behavior.task_fates = {"7": "fail", "8": "hang"}
    world.console.behavior.names_repeat = True
    shop = world.console.add_dataset(entities=[SHOP_ROW.replace("红", color) for color in "红橙黄绿青蓝紫黑白灰"])
    tune = partial(
        fine_tune_model, "poor", shop, experiments=str(matrix), poll_seconds=0, confirm=True, settings=world.settings
    )
    assert live_through(world, tune, waits=16) == {}
    tell(live_through(world, lambda: tune(give_up_hours=0.0))["table"])

    service = ServiceForm(pool="public")
    deploy = partial(
        deploy_model,
        "poor",
        service=service,
        examination=EXAMINATION,
        confirm=True,
        poll_seconds=0,
        settings=world.settings,
    )
    with refused(NotPromoted, tell):
        live_through(world, deploy)
    assert live_through(world, lambda: deploy(action="retire"))["stage"] == "retired"


def adopt_what_a_notebook_made(world: World, tell: Tell) -> str:
    """A model that was trained and deployed outside goes through the same gate, and is promoted on top."""
    console = world.console
    made = next(service for service in console.services.values() if service.name == "k2-six-5")
    console.behavior.seconds_per_poll = 600
    task = console.tasks[console.versions[made.model_id].task_id]
    settings = {**world.settings, "endpoint_block": ""}
    adopt = partial(
        deploy_model,
        "notebook",
        adoption=AdoptionForm(task=task.task_id),
        service=ServiceForm(pay="month", month_price=9_000),
        examination=EXAMINATION,
        poll_seconds=0,
        confirm=True,
        settings=settings,
    )
    promoted = live_through(world, adopt)
    assert promoted["stage"] == "promoted"
    assert promoted["paid_until"].startswith("2026-12")
    tell(f"Adopted {task.task_id}: {format_summary(promoted)}\n")
    return str(promoted["endpoint"])


def take_it_all_back(world: World, first: str, second: str, tell: Tell) -> None:
    """Retire everything: refused while it serves, done after two steps back, each to an endpoint that answers."""
    on = partial(deploy_model, examination=EXAMINATION, poll_seconds=0, settings=world.settings)
    with refused(UsageError, tell):
        asyncio.run(on("notebook", "retire"))
    with refused(UsageError, tell):
        asyncio.run(on("six", "rollback"))  # the last promotion is not of that tuning
    for name, back_to in (("notebook", first), ("six", "offline")):
        back = asyncio.run(on(name, "rollback", why="the story goes back"))
        assert back["endpoint"] == back_to
        tell(f"Rolled back: from {back['before']} to {back['endpoint']}.")
    asyncio.run(summarize_day(END, {**world.settings, "endpoint_block": "serving", "overwrite": True}))
    assert not {first, second} & world.models()
    for event in asyncio.run(events_of("serving")):
        tell(f"{event.at} {event.action} {event.endpoint or 'offline'} {event.name} by {event.by or '-'}: {event.why}")
    for name in ("six", "notebook"):
        assert live_through(world, partial(on, name, "retire"))["stage"] == "retired"
    assert world.console.paid_units() == ["kefu-notebook-1"]  # its month was paid in advance
    world.console.advance(31 * 24 * 3600)
    assert world.console.paid_units() == []
    tell("Nothing is paid for any more.")


def main() -> int:
    """Live the story in a folder of its own."""
    from prefect.testing.utilities import prefect_test_harness  # loads all of Prefect's server

    logging.disable(logging.CRITICAL)  # every death is an error to Prefect
    with (
        tempfile.TemporaryDirectory() as folder,
        prefect_test_harness(server_startup_timeout=240),
        world(Path(folder)) as here,
    ):
        run_chain(here, lambda line: print(line, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
