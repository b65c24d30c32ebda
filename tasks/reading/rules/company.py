"""Sides of names that no word explains, by the company they keep and by what they say.

One who speaks in several conversations, and as agents do, is the agent.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations
from math import log2
from typing import Final, NamedTuple

from tasks.reading.rules.speakers import Speaker

_FEWEST_CONVERSATIONS: Final = 3

_MOST: Final = 0.8  # of the conversations that are plainly between an agent and a customer

_AGENT_SAYS: Final = re.compile(
    r"您好|亲|为您|给您|帮您|请您|请问|抱歉|稍等|感谢|祝您|登记|安排|客服|工号|\bdear\b|\bsorry\b|"
    r"(?:how|what) (?:can|may|could) (?:i|we) |\b(?:let me|we will|we'll|i will|i'll|of course|could you|please|"
    r"thank you|happy to|you will receive|our team|assist)\b",
    re.I,
)

_USER_SAYS: Final = re.compile(
    r"你们|怎么|为什么|为啥|什么时候|我[的要想买订下收]|能不能|可以吗|退货|投诉|"
    r"\b(?:my|i (?:want|need|ordered|bought|received|got)|when will|where is|why|can i|thanks)\b",
    re.I,
)


class Said(NamedTuple):
    """One message: its conversation, who says it, and the words."""

    conversation: str
    name: str
    text: str


def sides_by_company(said: Sequence[Said]) -> dict[str, Speaker]:
    """The sides of names where nearly every conversation is between an agent and a customer.

    An agent speaks in several conversations, with more of an agent's words than those whom he speaks to: a customer may
    come back to other agents. Names that this leaves open are left out; empty where there are few conversations.
    """
    talks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for message in said:
        talks[message.conversation][message.name].append(message.text)
    together = [talk for talk in talks.values() if len(talk) > 1]
    pairs = [talk for talk in together if len(talk) == 2]
    own: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for talk in pairs:
        for name, other in permutations(talk):
            own[name] += talk[name]
            others[name] += talk[other]
    counts = Counter(name for talk in pairs for name in talk)
    agents = {name for name in counts if counts[name] > 1 and _politeness(own[name]) > _politeness(others[name])}
    plain = [[*talk] for talk in pairs if _is_plain([*talk], agents, counts)]
    if len(plain) < max(_FEWEST_CONVERSATIONS, _MOST * len(together)):
        return {}
    return {name: "agent" if name in agents else "user" for names in plain for name in names}


def _is_plain(pair: Sequence[str], agents: set[str], counts: Mapping[str, int]) -> bool:
    """True for an agent and one who is none and speaks in fewer conversations, as a code for all customers does not."""
    one, other = pair if pair[0] in agents else reversed(pair)
    return one in agents and other not in agents and counts[one] > counts[other]


def roles_by_company(said: Sequence[Said], side_of: Callable[[str], Speaker | None]) -> dict[str, Speaker]:
    """The roles of a log whose every speaker is a name that no word explains: the agents', and the user for all others.

    Empty where a word tells some side, and where the company they keep tells none.
    """
    names = {message.name for message in said}
    if any(side_of(name) in ("user", "agent") for name in names):
        return {}
    sides = sides_by_company([message for message in said if not side_of(message.name)])
    return {**{name: side for name, side in sides.items() if side == "agent"}, "*": "user"} if sides else {}


def may_be_customers(texts: Sequence[str], others: Sequence[str]) -> bool:
    """False where some say what agents say, and the others beside them what customers do."""
    return _politeness(texts) <= _politeness(others)


def likely_sides(said: Sequence[Said]) -> dict[str, Speaker]:
    """The sides that names are most likely on, for a person to check: who opens a conversation is rather a customer."""
    talks: dict[str, list[Said]] = defaultdict(list)
    words: dict[str, list[Said]] = defaultdict(list)
    for message in said:
        talks[message.conversation].append(message)
        words[message.name].append(message)
    spoken_in = Counter(name for talk in talks.values() for name in {message.name for message in talk})
    opened = Counter(talk[0].name for talk in talks.values())
    scores = {
        name: 2 * _politeness([message.text for message in texts])
        + log2(spoken_in[name])
        - opened[name] / spoken_in[name]
        for name, texts in words.items()
    }
    votes: dict[str, Counter[Speaker]] = defaultdict(Counter)
    for talk in talks.values():
        for name, side in _sides_within({message.name for message in talk}, scores).items():
            votes[name][side] += 1
    return {name: found.most_common(1)[0][0] for name, found in votes.items()} | sides_by_company(said)


def _sides_within(names: set[str], scores: Mapping[str, float]) -> dict[str, Speaker]:
    """The sides in one conversation: the names above and below the widest gap of their scores."""
    ranked = sorted(names, key=lambda name: (scores[name], name))
    if len(ranked) < 2:
        return {}
    gaps = [scores[higher] - scores[lower] for lower, higher in pairwise(ranked)]
    users = ranked[: gaps.index(max(gaps)) + 1]
    return {name: "user" if name in users else "agent" for name in ranked}


def _politeness(texts: Sequence[str]) -> float:
    """The share of texts that speak as an agent does, less that which speaks as a customer does."""
    marks = sum(bool(_AGENT_SAYS.search(text)) - bool(_USER_SAYS.search(text)) for text in texts)
    return marks / max(len(texts), 1)
