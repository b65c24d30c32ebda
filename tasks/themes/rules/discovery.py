"""New themes among many short texts: word strings that became frequent, grouped by the texts that hold them.

A new theme hides inside its neighbors: promises of a live stream look like gifts, prices and complaints. So texts are
not clustered by likeness, in which the known themes would win, but by what is said more often than before: strings
of two to six characters whose share rose against a reference, merged where the same texts hold them. The reference
is the weeks before, or, for a first week, those texts of the same span whose themes are sure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from tasks.themes.rules.taxonomy import OTHER

_SHORTEST, _LONGEST = 2, 6
_MOST_TERMS = 400
_MOST_KEYWORDS = 8
_EXAMPLES = 6
# One sentence that many send is a campaign or a script, no theme.
_FEWEST_TEXTS = 6

# A string belongs to a group if so much of its texts lies in the group's.
_SHARED = 0.5
# Two groups are one if so many texts are in both: of the smaller, and against chance.
_JOINED = 0.15
_FEWEST_SHARED = 3
_BEYOND_CHANCE = 10.0
_MOST_GROUPS = 80
# A group's texts hold one of its strings this much more often than the reference's do, and not by chance.
_LIFT = 3.0
_STANDARD_ERRORS = 5.0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A distinct text of the span: normalized, as written, its theme, and how many conversations have it."""

    plain: str
    text: str
    theme: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A theme that the taxonomy may lack.

    Args:
        name: what its texts have in common, for a person to reword.
        keywords: strings that its texts hold, the most telling first.
        conversations: how many there are.
        share: of all conversations of the span.
        share_before: of the reference.
        themes: where its texts lie today, the largest part first.
        examples: some of its texts, as written, as unlike each other as possible.
    """

    name: str
    keywords: tuple[str, ...]
    conversations: int
    share: float
    share_before: float
    themes: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Limits for a theme of its own.

    Args:
        min_conversations: fewer are none.
        min_share: a smaller share of the span's conversations is none.
        most: so many proposals at most; nobody reads more.
    """

    min_conversations: int = 10
    min_share: float = 0.005
    most: int = 8


def discover(
    texts: Sequence[Occurrence],
    reference: Mapping[str, int],
    known: Iterable[str] = (),
    search: Search = Search(),
) -> list[Proposal]:
    """Propose themes, the largest first.

    Args:
        texts: the span's distinct texts.
        reference: distinct normalized texts of before, with their numbers.
        known: keywords that were accepted or refused; a group that holds one is not proposed again.
        search: what counts as a theme.
    """
    total = sum(text.count for text in texts)
    before = sum(reference.values())
    if not total or not before:
        return []
    least = max(search.min_conversations, search.min_share * total)
    holders = _holders(texts)
    counts_before = _counts(reference, holders.keys())
    risen = _risen(texts, holders, counts_before, (total, before), least / 3)
    found: list[Proposal] = []
    settled: set[int] = set()
    avoided = tuple(known)
    for terms, holding in _joined(_groups(risen, holders), len(texts)):
        members = holding - settled
        size = sum(texts[number].count for number in members)
        if size < least or len(members) < _FEWEST_TEXTS:
            continue
        then = sum(count for plain, count in reference.items() if any(term in plain for term in terms))
        if not _is_new((size, total), (then, before)):
            continue
        settled |= members
        keywords = _maximal(terms)
        if any(word in term or term in word for term in keywords for word in avoided):
            continue
        found.append(_proposal(texts, members, keywords, (total, then / before)))
    return sorted(found, key=lambda proposal: -proposal.conversations)[: search.most]


def _strings(plain: str) -> set[str]:
    return {
        plain[start : start + length]
        for length in range(_SHORTEST, _LONGEST + 1)
        for start in range(len(plain) - length + 1)
    }


def _holders(texts: Sequence[Occurrence]) -> dict[str, list[int]]:
    """For every string the numbers of the texts that hold it; strings of a single text are left out."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for string in _strings(text.plain):
            holders[string].append(number)
    return {string: numbers for string, numbers in holders.items() if len(numbers) > 1}


def _counts(reference: Mapping[str, int], wanted: Iterable[str]) -> Counter[str]:
    needed = set(wanted)
    counts: Counter[str] = Counter()
    for plain, count in reference.items():
        for string in _strings(plain) & needed:
            counts[string] += count
    return counts


def _risen(
    texts: Sequence[Occurrence],
    holders: Mapping[str, list[int]],
    before: Mapping[str, int],
    totals: tuple[int, int],
    least: float,
) -> list[str]:
    """The strings that rose, the surest first."""
    scores: dict[str, float] = {}
    for string, numbers in holders.items():
        now = sum(texts[number].count for number in numbers)
        if now < least:
            continue
        then = before.get(string, 0)
        if _lift((now, totals[0]), (then, totals[1])) >= _LIFT:
            scores[string] = _surprise((now, totals[0]), (then, totals[1]))
    return sorted(scores, key=lambda string: (-scores[string], -len(string), string))[:_MOST_TERMS]


def _lift(now: tuple[int, int], then: tuple[int, int]) -> float:
    return (now[0] / now[1]) / ((then[0] + 0.5) / (then[1] + 1))


def _surprise(now: tuple[int, int], then: tuple[int, int]) -> float:
    """The root of the likelihood ratio that two shares differ: standard errors, also where few were counted."""
    pooled = (now[0] + then[0]) / (now[1] + then[1])
    ratio = 0.0
    for part, whole in (now, then):
        for count, expected in ((part, pooled * whole), (whole - part, (1 - pooled) * whole)):
            ratio += 2 * count * log(count / expected) if count else 0.0
    return sqrt(max(ratio, 0.0))


def _is_new(now: tuple[int, int], then: tuple[int, int]) -> bool:
    return _lift(now, then) >= _LIFT and _surprise(now, then) >= _STANDARD_ERRORS


def _groups(risen: Sequence[str], holders: Mapping[str, list[int]]) -> list[tuple[list[str], set[int]]]:
    """Risen strings grouped by the texts that hold them; each string is in one group."""
    left = dict.fromkeys(risen)
    groups: list[tuple[list[str], set[int]]] = []
    while left:
        seed = next(iter(left))
        terms, members = [seed], set(holders[seed])
        del left[seed]
        grown = True
        while grown:
            grown = False
            for string in list(left):
                numbers = holders[string]
                if len(members.intersection(numbers)) >= _SHARED * len(numbers):
                    terms.append(string)
                    members.update(numbers)
                    del left[string]
                    grown = True
        groups.append((terms, members))
    return groups


def _joined(groups: list[tuple[list[str], set[int]]], texts: int) -> list[tuple[list[str], set[int]]]:
    """Groups joined where far more texts are in both than chance would put there: two words of one matter."""
    joined: list[tuple[list[str], set[int]]] = []
    for terms, members in groups[:_MOST_GROUPS]:
        like = next((group for group in joined if _are_one(members, group[1], texts)), None)
        if like is None:
            joined.append((list(terms), set(members)))
        else:
            like[0].extend(terms)
            like[1].update(members)
    return joined


def _are_one(members: set[int], others: set[int], texts: int) -> bool:
    both = len(members & others)
    chance = len(members) * len(others) / texts
    return both >= max(_FEWEST_SHARED, _JOINED * min(len(members), len(others)), _BEYOND_CHANCE * chance)


def _maximal(terms: Sequence[str]) -> tuple[str, ...]:
    """The most telling strings; of those inside each other only the first."""
    kept: list[str] = []
    for term in terms:
        if not any(term in other or other in term for other in kept):
            kept.append(term)
    return tuple(kept[:_MOST_KEYWORDS])


def _proposal(
    texts: Sequence[Occurrence], members: set[int], keywords: tuple[str, ...], base: tuple[int, float]
) -> Proposal:
    size = sum(texts[number].count for number in members)
    themes: Counter[str] = Counter()
    for number in members:
        themes[texts[number].theme or OTHER] += texts[number].count
    return Proposal(
        name="·".join(keywords[:3]),
        keywords=keywords,
        conversations=size,
        share=size / base[0],
        share_before=base[1],
        themes=tuple(sorted(themes.items(), key=lambda item: (-item[1], item[0]))),
        examples=_examples([texts[number] for number in sorted(members)], keywords),
    )


def _examples(members: Sequence[Occurrence], keywords: Sequence[str]) -> tuple[str, ...]:
    """Texts that hold much of what the group has in common, each unlike those before it."""
    chosen: list[str] = []
    used: Counter[str] = Counter()
    left = list(members)
    while left and len(chosen) < _EXAMPLES:
        best = max(left, key=lambda text: (_worth(text, keywords, used), text.count, text.text))
        left.remove(best)
        chosen.append(best.text)
        used.update(_strings(best.plain))
    return tuple(chosen)


def _worth(text: Occurrence, keywords: Sequence[str], used: Mapping[str, int]) -> float:
    held = sum(1 / (1 + used[word]) for word in keywords if word in text.plain)
    strings = _strings(text.plain)
    return held - sum(1 for string in strings if string in used) / (len(strings) + 1) - 0.1 * log(len(text.plain) + 2)
