"""Proposed themes and what was decided about them, as the warehouse keeps them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from tasks.themes.rules.discovery import Proposal
from tasks.themes.rules.taxonomy import Theme

Field = Literal["issue", "plan"]

NUMBER = re.compile(r"\d{4}-\d\d-\d\d\.\d{4}-\d\d-\d\d\.\d{1,4}")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal under the number by which people speak of it.

    Args:
        number: the span and a running number.
        field: the column that its texts are from.
        proposal: what was found.
    """

    number: str
    field: Field
    proposal: Proposal

    @property
    def suggested_id(self) -> str:
        """An id that no other proposal has."""
        return f"new_{self.number.replace('-', '').replace('.', '_')}"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that is stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word on a proposal.

    Args:
        number: the proposal's.
        accepted: or refused, for good.
        theme: the new theme, if it was accepted.
        keywords: what is not proposed again.
        reviewer: who decided.
    """

    number: str
    accepted: bool
    theme: Theme | None
    keywords: tuple[str, ...]
    reviewer: str

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that is stored."""
        return asdict(self)


def numbered(start: date, end: date, found: Mapping[Field, Sequence[Proposal]]) -> list[Proposed]:
    """Proposals with their numbers, such as 2026-11-16.2026-11-22.1."""
    pairs = [(name, proposal) for name, proposals in found.items() for proposal in proposals]
    return [Proposed(f"{start}.{end}.{place}", name, proposal) for place, (name, proposal) in enumerate(pairs, 1)]


def proposed_of(row: Mapping[str, Any]) -> Proposed:
    """A stored proposal."""
    proposal = row["proposal"]
    return Proposed(
        row["number"],
        row["field"],
        Proposal(
            name=proposal["name"],
            keywords=tuple(proposal["keywords"]),
            conversations=proposal["conversations"],
            share=proposal["share"],
            share_before=proposal["share_before"],
            themes=tuple((theme, count) for theme, count in proposal["themes"]),
            examples=tuple(proposal["examples"]),
        ),
    )


def decision_from(row: Mapping[str, Any]) -> Decision:
    """A stored decision."""
    theme = row["theme"]
    return Decision(
        row["number"],
        row["accepted"],
        Theme(
            id=theme["id"],
            group=theme["group"],
            name_zh=theme["name_zh"],
            name_en=theme["name_en"],
            keywords=tuple(theme["keywords"]),
            examples=tuple(theme["examples"]),
        )
        if theme
        else None,
        tuple(row["keywords"]),
        row["reviewer"],
    )
