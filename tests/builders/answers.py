"""An answer as the answer log keeps it, and the keys of its fields as the prompt names them."""

from datetime import UTC, datetime

from tasks.domain.records import Answer

KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")

ANSWER = Answer(
    request_hash="r1",
    content_hash="c1",
    outcome="answered",
    text='{"用户问题": "何时发货"}',
    model="m",
    prompt_version="sft-v1",
    prompt_tokens=30,
    completion_tokens=5,
    latency_ms=100,
    attempts=1,
    answered_at=datetime(2026, 11, 23, tzinfo=UTC),
    run_id="run",
)
