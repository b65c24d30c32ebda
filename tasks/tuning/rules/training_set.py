"""Make a training set of labeled conversations: leave out the held-out and the repeated, and write the lines.

A conversation is held out by its content hash alone, so that the same conversations are held out for every training
set and every evaluation, and one that is logged again stays on its side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from tasks.preparing.masking import mask
from tasks.preparing.prompts import Prompt
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import LabeledExample
from tasks.tuning.rules.near_duplicates import near_duplicates


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The lines a model learns from, and what was left out of them and why. `lines` are Qianfan's SFT JSONL."""

    lines: Sequence[bytes]
    labeled: int
    held_out: int
    near_held_out: int
    near_duplicates: int

    @property
    def rows(self) -> int:
        """The number of conversations."""
        return len(self.lines)

    @property
    def content(self) -> bytes:
        """The file."""
        return b"".join(self.lines)


def build_training_set(labeled: Iterable[LabeledExample], prompt: Prompt) -> TrainingSet:
    """The training set of labeled conversations, in the order of their hashes.

    Held-out conversations stay out, and so does whatever is nearly one of them: a model must not be examined on what
    it has read. Of near-duplicates one is kept. Personal data is masked in the labels too: people copy what they read.
    """
    by_hash = {example.content_hash: example for example in labeled}
    ordered = [by_hash[content_hash] for content_hash in sorted(by_hash)]
    held_out = [example for example in ordered if is_held_out(example.content_hash)]
    rest = [example for example in ordered if not is_held_out(example.content_hash)]
    copies = near_duplicates([example.text for example in (*held_out, *rest)])
    first = len(held_out)
    near_held_out = sum(place >= first and original < first for place, original in copies.items())
    repeated = sum(place >= first and original >= first for place, original in copies.items())
    kept = [example for place, example in enumerate(rest, first) if place not in copies]
    return TrainingSet(
        lines=[training_line(example, prompt) for example in kept],
        labeled=len(ordered),
        held_out=len(held_out),
        near_held_out=near_held_out,
        near_duplicates=repeated,
    )


def training_line(labeled: LabeledExample, prompt: Prompt) -> bytes:
    """One line of Qianfan's SFT JSONL: the message as the nightly sends it, and the answer it should get."""
    row = [{"prompt": prompt.render(mask(labeled.text)), "response": [[mask(labeled.answer())]]}]
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
