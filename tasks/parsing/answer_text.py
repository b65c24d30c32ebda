"""The text of an answer without what only dresses it: thoughts, tags, a chat template's tokens, escapes."""

import re
from typing import Final

from tasks.domain.entities import open_entities
from tasks.parsing.field_names import INVISIBLE

ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)

_ESCAPED: Final = {"n": "\n", "t": "\t", "r": " ", "b": " ", "f": " "}

_FULL_WIDTH_MARKS: Final = str.maketrans("＂＇｛｝［］", "\"'{}[]")

_BLANK: Final = dict.fromkeys((160, 12288, *range(8192, 8203), 8239, 8287), " ")

_BLANKS: Final = re.compile(r"(?<=([ \t]))[ \t]+")

_BLANK_LINES: Final = re.compile(r"\n{3,}")

# Of a chat template.
_SPECIAL_TOKEN: Final = re.compile(
    r"</?[|｜][\w▁]{1,32}[|｜](?:\w{1,16}(?: [^<>]{0,40})?)?>|</?s>|<(?:start|end)_of_turn>"
)

_DEFINED: Final = re.compile(r"</dt>\s?<dd>|</span>\s?<span\b[^<>]{0,80}>", re.IGNORECASE)

# An argument of a call, as Qwen, GLM, MiniMax and DeepSeek write it.
_ARGUMENT: Final = re.compile(
    r"<(?:[|｜]?dsml[|｜])?parameter(?:=| name=[\"'])([^<>\"'=]{1,40})[\"']?(?: [^<>]{0,40})?>"
    r"|<arg_key>([^<>]{1,40})</arg_key>\s{0,8}<arg_value>",
    re.IGNORECASE,
)

_LINE_TAG: Final = re.compile(
    r"</?(?:br|p|li|ul|ol|div|tr|dl|dt|dd|span|parameter|arg_value)(?: [^<>]{0,80})?\s?/?>", re.IGNORECASE
)

_INLINE_TAG: Final = re.compile(r"</?(?:b|strong|em|i|u|span)>", re.IGNORECASE)

_ESCAPED_LINE: Final = re.compile(r"(?<=[{,\[])(?:\\[nrt]|\s){1,40}|(?:\\[nrt]){1,8}(?=\})")

_THOUGHTS: Final = "think(?:ing)?|thoughts?|reasoning|analysis|reflection|scratch_?pad|cot|chain_of_thought"

_THOUGHT_TAG: Final = rf"(?:[a-z]{{2,6}}[:_]?)?(?:{_THOUGHTS})(?:_[a-z]{{1,8}})?"

# In tags, or in the tokens of a chat template: of Qwen, Seed, Kimi, Command, Pangu and gpt-oss, among others.
_THOUGHT: Final = re.compile(
    rf"(?P<end></{_THOUGHT_TAG}>|\[/(?:{_THOUGHTS})\]|</details>|◁/think▷|<\|/think\|>"
    r"|<\|end_of_thought\|>|<\|end_thinking\|>|\[unused17\]|<unused95>|<\|channel\|>final\b)"
    rf"|<{_THOUGHT_TAG}>|\[(?:{_THOUGHTS})\]|<details type=\"reasoning\"[^<>]{{0,80}}>|◁think▷|<\|think\|>"
    r"|<\|begin_of_thought\|>|<\|start_thinking\|>|\[unused16\]|<unused94>|<\|channel\|>(?:analysis|commentary)\b",
    re.IGNORECASE,
)

# The lines and corners of a drawn table, as those of a table of text.
_DRAWN: Final = str.maketrans(dict.fromkeys("│┃║", "|") | dict.fromkeys("─━═┌┬┐├┼┤└┴┘┏┳┓┣╋┫┗┻┛╔╦╗╠╬╣╚╩╝", "-"))

_ROW: Final = re.compile(r"</?t(?:able|body|head|r)\b[^<>]{0,200}>", re.IGNORECASE)

_NEXT_CELL: Final = re.compile(r"</t[dh]>\s?<t[dh]\b[^<>]{0,200}>", re.IGNORECASE)

_CELL: Final = re.compile(r"</?t[dh]\b[^<>]{0,200}>", re.IGNORECASE)

# 用户_问题
_PARTED_NAME: Final = re.compile("(?<=用户|客服|是否)_(?=问题|方案|接受|有?负面)|(?<=负面)_(?=情绪)")

# A block of YAML: 用户问题: >-
_BLOCK: Final = re.compile(r"(?<=[:：]) ?[|>][+-]?[0-9]?(?=\n)")

_ADDED: Final = re.compile(r"(?<!\\)[\"'] \+ [\"']")


def _named(argument: re.Match[str]) -> str:
    return f"\n{argument[1] or argument[2]}："


def plain_text(text: str) -> str:
    """The text without what only dresses it, every run of blanks collapsed."""
    text = INVISIBLE.sub("", text).translate(_FULL_WIDTH_MARKS)
    text = _said(text.translate(_BLANK))
    if "<" in text:
        text = text.replace("<![CDATA[", "").replace("]]>", "")
        text = _DEFINED.sub("：", _SPECIAL_TOKEN.sub("\n", _ARGUMENT.sub(_named, text)))
        text = _CELL.sub("", _NEXT_CELL.sub("|", _ROW.sub("\n", text)))
        text = _INLINE_TAG.sub("", _LINE_TAG.sub("\n", text))
    if "│" in text or "┃" in text or "║" in text:
        text = text.translate(_DRAWN)
    if "&" in text and '"' not in text:
        text = open_entities(text)
    if '""' in text and 2 * text.count('""') == text.count('"'):
        text = text.replace('""', '"')  # as in a field of a table
    if '\\"' in text and text.count('\\"') == text.count('"'):
        text = ESCAPE.sub(unescaped, text)
    elif "\\n" in text:
        text = _ESCAPED_LINE.sub(" ", text)
    if "_" in text:
        text = _PARTED_NAME.sub("", text)
    if "+" in text:
        text = _ADDED.sub("", text)
    if "|" in text or ">" in text:
        text = _BLOCK.sub("", text)
    text = "\n".join(line.strip(" ") for line in text.splitlines())
    return _BLANKS.sub("", _BLANK_LINES.sub("\n\n", text)).strip()


def _said(text: str) -> str:
    """The text without the thoughts before it; a thought that does not end is none of it."""
    marks = list(_THOUGHT.finditer(text)) if "<" in text or "[" in text or "◁" in text else []
    if not marks or (text.lstrip()[:1] in ("{", "[") and not _THOUGHT.match(text.lstrip())):
        return text
    if not marks[-1]["end"]:
        return text[: marks[-1].start()]
    return text[marks[-1].end() :] if text[marks[-1].end() :].strip() else text


def unescaped(found: re.Match[str]) -> str:
    """The sign that an escape of JSON stands for."""
    code = found[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
