"""Answers of the Qianfan server: the same one to the same prompt, every time."""

import hashlib
import math

import orjson


def count_tokens(text: str) -> int:
    """The server's own rule."""
    return math.ceil(len(text) * 0.6)


def embedding_of(text: str) -> list[int]:
    """A vector for a text, the same one every time."""
    counts = [0] * 256
    for character in text:
        counts[ord(character) % 256] += 1
    return counts


def answer_for(prompt: str, mode: str) -> str:
    """The answer to a prompt: the same one every time, from the dialogue in it."""
    digest = hashlib.blake2b(prompt.encode(), digest_size=8).digest()
    # The template speaks of the sides too, but no line of it begins with their labels.
    lines = prompt.splitlines()
    user = next((line[3:] for line in lines if line.startswith("用户：")), "询问商品情况")
    agent = max((line[3:] for line in lines if line.startswith("客服：")), key=len, default="说明了处理办法")
    values = [
        user[:30] or "询问商品情况",
        agent[:40] or "说明了处理办法",
        ("是", "是", "否", "未明确")[digest[0] % 4],
        ("否", "否", "否", "是")[digest[1] % 4],
    ]
    if mode == "clean":
        return _clean(values)
    return _mixed(values, digest)


_KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")


def _clean(values: list[str]) -> str:
    return orjson.dumps(dict(zip(_KEYS, values, strict=True))).decode()


def _mixed(values: list[str], digest: bytes) -> str:
    """About half plain, as a base model answers; the rest in every ugly shape, 3 % refusals and junk."""
    roll = digest[2] * 256 + digest[3]
    if roll < 31_000:
        return _clean(values)
    if roll > 64_500:
        return "抱歉，我无法就这段对话提供帮助。"
    if roll > 63_500:
        return "好的。"
    sentences = [
        *values[:2],
        {"是": "用户接受了客服提供的方案。", "否": "用户没有接受该方案。"}.get(values[2], "对话中未明确。"),
        {"是": "用户表现出不满情绪。", "否": "用户没有表现出负面情绪。"}[values[3]],
    ]
    pairs = list(zip(_KEYS, values, strict=True))
    clean, spoken = _clean(values), _clean(sentences)
    echo = '{"用户问题":xxx\n"客服方案":xxx\n"是否接受":xxx\n"是否负面情绪":xxx}'
    shapes = (
        f"```json\n{clean}\n```",
        f"```\n{spoken}\n```",
        "{" + "\n".join(f'"{key}":{value}' for key, value in pairs) + "}",
        clean.replace('"', "”").replace(":", "："),
        "\n".join(f"{key}：{value}" for key, value in pairs),
        "| 项目 | 内容 |\n| --- | --- |\n" + "\n".join(f"| {key} | {value} |" for key, value in pairs),
        spoken,
        clean[:-1] + ",}",
        f"根据对话内容，摘要如下：\n{clean}\n希望对您有帮助。",
        clean[: len(clean) * 2 // 3],
        f"{clean}\n{clean}",
        f"{echo}\n{clean}",
    )
    return shapes[digest[4] % len(shapes)]
