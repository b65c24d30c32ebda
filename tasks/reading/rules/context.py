"""State that the readers of one object share."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tasks.domain.records import Reason, Reject
from tasks.reading.rules.formats import LogMapping
from tasks.reading.rules.speakers import Speaker, is_marked, is_unsaid, is_withdrawn
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.transcripts.labels import LabelReader
from tasks.reading.rules.vocabulary import Shape, Vocabulary

NO_MAPPING = LogMapping(columns={})


@dataclass(frozen=True, slots=False)
class LogContext:
    """One log object under a mapping: its address, its words, and the parser of its times.

    `names` are names that begin messages in its transcripts, though nobody said whose they are; `strangers` are those
    met, and `speakers_of_labels` the sides of the labels at its beginning. `newest_first` says that its rows are in
    the reverse of their order, `dashed` that dashes stand in place of its labels' colons, `titled` that headings name
    the two who speak, `enveloped` that the texts of its table are objects written as JSON. `guesses` counts the
    conversations that were read by a guess of each kind.
    """

    uri: str
    timestamps: TimestampParser
    mapping: LogMapping = NO_MAPPING
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    names: frozenset[str] = frozenset()
    strangers: Counter[str] = field(default_factory=Counter)
    speakers_of_labels: dict[str, Speaker | None] = field(default_factory=dict)
    newest_first: bool = False
    dashed: bool = False
    titled: bool = False
    enveloped: bool = False
    guesses: Counter[str] = field(default_factory=Counter)

    @cached_property
    def labels(self) -> LabelReader:
        """The labels of its transcripts."""
        return LabelReader(dict(self.mapping.roles), self.names, self.dashed, self.titled)

    def counts_guess(self, guess: str) -> None:
        """Count a conversation that was read by a guess of this kind; "" counts nothing."""
        if guess:
            self.guesses[guess] += 1

    def reject(self, conversation_id: str, reason: Reason, detail: str, line: int) -> Reject:
        """The reject for something in this object."""
        return Reject(conversation_id, reason, detail, self.uri, line)

    def unreadable(self, line: int, detail: str, conversation_id: str = "") -> Reject:
        """Return the reject for a line that does not fit its format."""
        return Reject(conversation_id, Reason.UNREADABLE, detail, self.uri, line)

    def is_left_out(self, record: Mapping[str, Any], shape: Shape) -> bool:
        """True for a message that the customer never saw: recalled, internal, or one that the mapping skips."""
        if shape.recalled and any(is_marked(record[key]) for key in shape.recalled):
            return True
        if any(is_withdrawn(record[key]) for key in shape.states) or any(is_unsaid(record[key]) for key in shape.kinds):
            return True
        if shape.public and str(record[shape.public]).strip().lower() in ("false", "0", "no", "否"):
            return True
        return bool(self.mapping.skip) and any(
            name in record and str("" if record[name] is None else record[name]).strip().lower() in values
            for name, values in self.mapping.skip.items()
        )

    @property
    def only_conversation(self) -> str:
        """The id of the conversation that the whole object is, where the mapping says so; else ""."""
        return self.uri or "file" if self.mapping.one_conversation else ""

    @property
    def tells_sides(self) -> bool:
        """True where the mapping tells who speaks by more than a role."""
        return self.mapping.side is not None or self.mapping.people is not None

    def compared_side(self, record: Mapping[str, Any], around: Mapping[str, Any]) -> Speaker | None:
        """The side that the mapping tells by two names of a message or of its conversation, or by a list of people."""
        rule, people = self.mapping.side, self.mapping.people
        if people is not None:
            members, wanted = _found(people.members, around, around), _found(people.of, record, {})
            for member in members if isinstance(members, list) else ():
                if isinstance(member, Mapping) and member.get(people.id) == wanted:
                    return self.vocabulary.speaker(member.get(people.role))
            return None
        if rule is None:
            return None
        left, right = (_found(name, record, around) for name in (rule.left, rule.right))
        if left is None or right is None:
            return None
        return rule.side if str(left) == str(right) else rule.otherwise


def _found(name: str, record: Mapping[str, Any], around: Mapping[str, Any]) -> Any:
    for place in (record, around):
        value: Any = place.get(name)
        if value is None and "." in name:
            value = place
            for key in name.split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None
