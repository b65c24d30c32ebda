"""Find conversations in the logs again, by their ids."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.printable import printable
from tasks.domain.records import Conversation
from tasks.preparing.masking import mask_identifier
from tasks.reading.conversations import LogReader, log_objects


def conversations_of(
    ids: Iterable[str], store: ObjectStore, logs: Sequence[StoredObject], reader: LogReader
) -> Iterator[tuple[str, Conversation]]:
    """Yield the conversations of these ids, as the tables name them, from the logs; the first of an id counts."""
    wanted = set(ids)
    for reading in reader.read(log_objects(store, logs)):
        if isinstance(reading, Conversation):
            name = next((name for name in _names_of(reading, reader.name_of) if name in wanted), None)
            if name is not None:
                wanted.remove(name)
                yield name, reading
        if not wanted:
            return


def _names_of(conversation: Conversation, name_of: Callable[[str], str]) -> Iterator[str]:
    """Yield what a conversation may be called: its id, as logged or as in the tables; where that is a path, its end."""
    name = conversation.conversation_id
    yield name
    yield name_of(name)
    yield name_of(printable(name))
    yield mask_identifier(name)  # as tables from before there were pseudonyms have it
    if name.startswith(conversation.source_uri):
        while "/" in name:
            name = name.partition("/")[2]
            yield name
