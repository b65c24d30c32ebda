"""XML as the JSON that says the same: what its root's children hold, one after the other."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any, Final

from tasks.reading.rules.objects.encodings import encoding_of, utf16_of

_DECLARED: Final = re.compile(rb"<\?xml[^>]{0,200}encoding=[\"']([\w.-]{1,40})[\"']", re.I)

_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]{0,1000}\?>")

# A declaration, or an element that holds another one; text that begins with <user> is neither.
_XML: Final = re.compile(r"\s*(?:<\?xml\b|<[^\W\d][\w.:-]{0,60}(?:\s[^<>]{0,2000})?>\s*<[^\W\d!])")

# Pages and workbooks have readers of their own.
_NO_RECORDS: Final = re.compile(r"<(?:!doctype\b|(?:\w{1,20}:)?(?:html|head|meta|body|table|div|workbook)\b)", re.I)

_CHUNK: Final = 1 << 16

_DEPTH: Final = 40

# Elements whose attribute `name` is a column's, as mysql --xml and phpMyAdmin write a row.
_NAMED: Final = frozenset(["field", "column", "col", "property"])

_ID: Final = re.compile(r"(?:.*[_-])?id|.*(?:[a-z]Id|ID|编号)")


class DamagedXml(Exception):
    """XML that breaks off or is none from a line on.

    Args:
        line: the 1-based line.
    """

    def __init__(self, line: int) -> None:
        super().__init__(f"XML that is damaged at line {line}; nothing behind it can be read")


def is_xml(first: bytes) -> bool:
    """True for bytes that begin a document of XML, and no web page."""
    text = _decoded(first)
    return _XML.match(text) is not None and not _NO_RECORDS.match(text, _first_tag(text))


def _first_tag(text: str) -> int:
    """The place of the first tag that is neither an instruction nor a comment."""
    at = text.find("<")
    while at >= 0 and text.startswith(("<?", "<!--"), at):
        end = text.find("-->" if text[at + 1] == "!" else "?>", at)
        at = text.find("<", end) if end >= 0 else -1
    return max(at, 0)


def values_of_xml(document: bytes) -> Iterator[Any]:
    """Yield the values of a document: each child of its root, or the root where that is the only record.

    An element's attributes and children are the keys of an object, its words are the `text` beside them, or all of
    it. Children of one name are a list, and the element is that list where it holds nothing else.

    Raises:
        DamagedXml: after the last whole value before the damage.
    """
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(["start", "end"])
    text = _decoded(document)
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    if "<!ENTITY" in text:  # what it stands for may grow without end
        raise DamagedXml(text[: text.index("<!ENTITY")].count("\n") + 1)
    values = _Values()
    try:
        for at in range(0, len(text), _CHUNK):
            parser.feed(text[at : at + _CHUNK])
            yield from values.take(parser)
        parser.close()
        yield from values.take(parser)
    except ET.ParseError as error:
        raise DamagedXml(error.position[0]) from None
    yield from values.rest()


def _decoded(document: bytes) -> str:
    declared = _DECLARED.match(document.lstrip(b"\xef\xbb\xbf \r\n\t"))
    name = declared[1].decode().lower() if declared else ""
    encoding = utf16_of(document[: 1 << 10]) or ("gb18030" if name.startswith("gb") else "")
    return document.decode(encoding or encoding_of(document[: 1 << 18]), "replace").lstrip("\ufeff")


class _Values:
    """Turns elements into values as they end, so that only one record is held."""

    def __init__(self) -> None:
        self._open: list[ET.Element] = []
        self._root: ET.Element | None = None
        self._whole = False  # the root is the record, and its children are parts of it
        self._lists: set[str] = set()
        self._given = 0

    def take(self, parser: "ET.XMLPullParser[Any]") -> Iterator[Any]:
        """Yield what ended since the last time."""
        events: Iterator[tuple[str, Any]] = parser.read_events()  # type: ignore[assignment]  # only these two kinds are asked for
        for event, element in events:
            if event == "start":
                if len(self._open) >= _DEPTH:
                    raise DamagedXml(1)
                self._open.append(element)
                if self._root is None:
                    self._root = element
                    self._whole = any(_ID.fullmatch(_name(key)) for key, _ in element.items())
                continue
            self._open.pop()
            if len(self._open) == 1:
                yield from self._child()

    def _child(self) -> Iterator[Any]:
        """Yield what ended below the root, and forget it; keep it where the root is the record."""
        assert self._root is not None
        if self._whole:
            return
        children = list(self._root)
        if not self._given and len(children) < 2:
            return  # a second child says whether they are alike
        if not self._given and children[0].tag != children[1].tag:
            self._whole = True
            return
        self._given += len(children)
        for child in children:
            yield self._value(child)
        self._root.clear()

    def rest(self) -> Iterator[Any]:
        """Yield the root where nothing of it was given."""
        if self._root is not None and not self._given:
            yield self._value(self._root)

    def _value(self, element: ET.Element) -> Any:
        """The value of an element."""
        found: dict[str, Any] = {_name(key): value for key, value in element.items()}
        words = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
        kept: dict[str, list[Any]] = {}
        for child in element:
            named = child.get("name") if _name(child.tag).lower() in _NAMED and len(child) == 0 else None
            value = (child.text or "").strip() if named else self._value(child)
            kept.setdefault(named or _name(child.tag), []).append(value)
        self._lists.update(name for name, values in kept.items() if len(values) > 1)
        if len(kept) == 1 and not found and not words:
            ((name, values),) = kept.items()
            if name in self._lists:
                return values
        for name, values in kept.items():
            found.setdefault(name, values if name in self._lists else values[0])
        if not found:
            return words
        return {**found, "text": words} if words and "text" not in found else found


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]
