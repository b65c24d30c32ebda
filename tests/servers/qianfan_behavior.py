"""Behavior of the Qianfan server that a test or a benchmark sets: quotas, faults, odd replies."""

from dataclasses import dataclass, field
from typing import Any

from tests.builders.quotas import Style

POISON = "毒药标记"

FAULTS = (
    "overloaded",  # 336100
    "internal",  # 336000
    "http_500",
    "html_502",
    "reset_before",  # no work was done
    "reset_after",  # half a body: the work was done
    "hang",
    "broken_json",  # the work was done
    "expired",  # 111
)


@dataclass
class Behavior:
    """Everything that can be changed at run time. Quotas are per minute, 0 for none."""

    rpm: float = 0
    tpm: float = 0
    window_seconds: float = 60.0
    style: Style = "sliding"  # the way of counting; a bucket holds what a window would
    qps: int = 0
    concurrency: int = 0
    slots: int = 0  # calls worked on at once; the others wait their turn, as at a small server of one's own
    headers: str = "on"  # on, off, wrong: twice the truth
    latency_median: float = 0.0
    latency_sigma: float = 0.4
    mode: str = "clean"  # clean, mixed
    faults: dict[str, float] = field(default_factory=dict)  # name in FAULTS -> probability
    v1: bool = False  # answer V1's interface, too, which otherwise is gone
    error_code: int = 0  # every V1 call gets this error
    error_message: str = "error"  # {prompt} in it is the end of the call's
    status: int = 0  # every V2 and OpenAI call gets this status
    error_type: str = "error"
    body: Any = None  # the whole body of such a reply
    retry_after: str = ""
    hang_seconds: float = 30.0
    poison: str = POISON
    extra: dict[str, Any] = field(default_factory=dict)  # merged into every good V1 body
    finish_reason: str = "stop"
    odd: float = 0.0  # the share of V2 and OpenAI replies that have an odd shape
    odd_shape: str = ""  # one of ODD_REPLIES; any but a refusal when empty
    refuses: tuple[str, ...] = ()  # models whose content filter refuses everything
    thoughts: str = ""  # of a model that thinks unless it is told not to; its tokens end before the answer begins
    clock_skew_seconds: float = 0.0  # of the time that it tells to whoever asks for nothing
