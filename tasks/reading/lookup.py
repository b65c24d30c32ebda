"""Lookup."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.records import Conversation
from tasks.preparing.masking import mask_identifier
from tasks.reading.conversations import LogObject, read_conversations
from tasks.reading.rules.formats import LogMapping


def conversations_of(
    ids: Iterable[str],
    store: ObjectStore,
    logs: Sequence[StoredObject],
    *,
    log_format: str,
    mappings: Mapping[str, LogMapping],
    zone: tzinfo,
    scratch: Path,
) -> Iterator[tuple[str, Conversation]]:
    """Conversations of these ids, as the tables name them, read from the logs; the first of an id counts."""
    wanted = set(ids)
    objects = (
        LogObject(store.uri_of(found.key), lambda key=found.key: store.open_object(key))  # type: ignore[misc]
        for found in logs
    )
    for reading in read_conversations(
        objects, log_format=log_format, mappings=mappings, timezone=zone, scratch=scratch
    ):
        if isinstance(reading, Conversation):
            name = next((name for name in _names_of(reading) if name in wanted), None)
            if name is not None:
                wanted.remove(name)
                yield name, reading
        if not wanted:
            return


def _names_of(conversation: Conversation) -> Iterator[str]:
    """What a conversation may be called: its id, as logged or as in the tables; where that is a path, its end."""
    name = conversation.conversation_id
    yield name
    yield mask_identifier(name)
    if name.startswith(conversation.source_uri):
        while "/" in name:
            name = name.partition("/")[2]
            yield name
