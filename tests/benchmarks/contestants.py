"""The same conversations through one way of calling an endpoint, in a process of its own.

`python -m tests.benchmarks.contestants JSON` runs one `Work` and prints what it came to as one line of JSON.
"""

import asyncio
import gc
import logging
import os
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import orjson

from tasks.preparing.tokens import estimate_tokens
from tests.servers.qianfan import ACCESS_KEY, API_KEY, SECRET_KEY
from tests.servers.qianfan_answers import count_tokens

ANSWER_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Work:
    """The work: conversations numbered from `first`; quotas are what the contestant knows."""

    contestant: str
    url: str
    conversations: int
    first: int = 0
    mixed_lengths: bool = False
    rpm: int | None = None
    tpm: int | None = None
    window_seconds: float = 60.0
    concurrency: int = 256
    timeout_seconds: float = 30.0
    share: str | None = None

    def encoded(self) -> str:
        """For the command line of its process."""
        return orjson.dumps(asdict(self)).decode()

    def prompts(self) -> list[str]:
        """The conversations to summarize."""
        return [prompt(number, self.mixed_lengths) for number in range(self.first, self.first + self.conversations)]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the work: wall and CPU seconds from the first call to the last answer."""

    seconds: float
    cpu: float
    done: int


class Stopwatch:
    """Started when made, after all imports."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def result(self, done: int) -> Result:
        """So far."""
        return Result(time.monotonic() - self._wall, time.process_time() - self._cpu, done)


def prompt(number: int, mixed_lengths: bool) -> str:
    """One conversation: about 120 tokens, or of mixed lengths around 450."""
    rng = random.Random(number)
    words = "快递订单发票退款尺码颜色优惠物流客服地址签收换货价格库存保修"
    length = int(min(4000, max(60, rng.lognormvariate(6.3, 0.6)))) if mixed_lengths else 100
    said = "".join(rng.choices(words, k=length))
    return f"请概述以下会话：\n用户：第{number}单{said[: length // 2]}\n客服：您好{said[length // 2 :]}，请放心。"


def true_tokens(text: str, answer: str) -> int:
    """Return the tokens that the server counts for one conversation."""
    return count_tokens(text) + count_tokens(answer)


def ours(work: Work) -> Result:
    """This project's own pacing, retries and answer log, over either client."""
    from tasks.calling.caller import Caller
    from tasks.calling.rate_limiter import RateLimiter
    from tasks.calling.response_cache import ResponseCache
    from tasks.calling.rules.call_policy import CallPolicy
    from tasks.calling.rules.pacing.limits import Limits
    from tasks.calling.shared_quota import SharedQuota
    from tasks.clients.folder_store import FolderStore
    from tasks.clients.http_pool import ConnectionLimits
    from tasks.clients.openai_chat import OpenAISummarizer
    from tasks.clients.qianfan.chat import QianfanAddresses, QianfanSummarizer
    from tasks.clients.qianfan.credentials import QianfanCredentials
    from tasks.domain.ports import Summarizer
    from tasks.domain.records import Answer, Conversation, Request

    limits = ConnectionLimits(work.concurrency, work.timeout_seconds)

    def summarizer() -> Summarizer:
        if work.contestant == "ours (openai)":
            return OpenAISummarizer("m", base_url=f"{work.url}/v1", api_key=API_KEY, limits=limits)
        credentials = QianfanCredentials(ACCESS_KEY, SECRET_KEY)
        return QianfanSummarizer("bench", credentials, QianfanAddresses(v2=work.url, iam=work.url), limits=limits)

    def request(text: str, number: int) -> Request:
        conversation = Conversation(str(number), (), "memory", number)
        name = f"{work.first + number}"
        return Request(conversation, (), text, text, False, name, name, estimate_tokens(text) + ANSWER_TOKENS)

    async def run() -> Result:
        async with AsyncExitStack() as stack:
            share = await stack.enter_async_context(SharedQuota(work.share)) if work.share else None
            limiter = RateLimiter(Limits(work.rpm, work.tpm, work.concurrency, work.window_seconds), share=share)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            answers = ResponseCache(FolderStore(folder), date(2026, 1, 1), "run", folder, overwrite=True)
            stack.callback(answers.close)
            service = summarizer()
            stack.push_async_callback(service.aclose)
            caller = Caller(
                service,
                limiter,
                answers,
                CallPolicy("bench"),
                "run",
            )
            requests = [request(text, number) for number, text in enumerate(work.prompts())]
            clock = Stopwatch()
            outcomes = await asyncio.gather(*(caller.answer(each) for each in requests))
            return clock.result(sum(isinstance(outcome, Answer) for outcome in outcomes))

    return asyncio.run(run())


def batch_do(work: Work) -> Result:
    """The qianfan SDK's own batch call, told of the quota as its manual says; more threads only slow it down."""
    # With its cache switched off it asks for the service list twice a call; so it gets one, in a home of its own.
    home = tempfile.TemporaryDirectory()
    os.environ |= {
        "HOME": home.name,
        "QIANFAN_ACCESS_KEY": ACCESS_KEY,
        "QIANFAN_SECRET_KEY": SECRET_KEY,
        "QIANFAN_BASE_URL": work.url,
        "QIANFAN_CONSOLE_API_BASE_URL": work.url,
        "QIANFAN_IAM_BASE_URL": work.url,
    }
    if work.rpm:
        os.environ["QIANFAN_RPM_LIMIT"] = str(work.rpm)
    if work.tpm:
        os.environ["QIANFAN_TPM_LIMIT"] = str(work.tpm)
    import qianfan
    from qianfan.resources.typing import QfResponse

    logging.getLogger("qianfan").setLevel(logging.CRITICAL)
    chat = qianfan.ChatCompletion(version=2, model="bench")
    messages = [[{"role": "user", "content": text}] for text in work.prompts()]
    clock = Stopwatch()
    results = chat.batch_do(messages, worker_num=100, retry_count=5, request_timeout=work.timeout_seconds).results()
    result = clock.result(sum(isinstance(result, QfResponse) for result in results))
    home.cleanup()
    return result


def semaphore(work: Work) -> Result:
    """Call as most scripts do: a semaphore, and five attempts with exponential backoff."""
    import aiohttp

    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}

    async def run() -> Result:
        limit = asyncio.Semaphore(work.concurrency)
        timeout = aiohttp.ClientTimeout(total=work.timeout_seconds)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:

            async def call(text: str) -> bool:
                body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
                for attempt in range(5):
                    try:
                        async with (
                            limit,
                            session.post(f"{work.url}/v1/chat/completions", data=body, headers=headers) as reply,
                        ):
                            if reply.status == 200:
                                orjson.loads(await reply.read())
                                return True
                    except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
                        pass
                    await asyncio.sleep(2**attempt + random.random())
                return False

            clock = Stopwatch()
            done = sum(await asyncio.gather(*(call(text) for text in work.prompts())))
            return clock.result(done)

    return asyncio.run(run())


def litellm(work: Work) -> Result:
    """litellm's Router with its own rate limits, five retries and as many calls at once as allowed."""
    import litellm as package
    from litellm import Router

    package.suppress_debug_info = True
    logging.getLogger("LiteLLM Router").setLevel(logging.CRITICAL)
    parameters = {"model": "openai/m", "api_base": f"{work.url}/v1", "api_key": API_KEY}
    deployment = {"model_name": "m", "litellm_params": parameters | {"rpm": work.rpm, "tpm": work.tpm}}

    async def run() -> Result:
        router = Router(
            model_list=[deployment],
            num_retries=5,
            timeout=work.timeout_seconds,
            default_max_parallel_requests=work.concurrency,
            routing_strategy="usage-based-routing-v2",
        )
        limit = asyncio.Semaphore(work.concurrency)

        async def call(text: str) -> bool:
            try:
                async with limit:
                    await router.acompletion("m", messages=[{"role": "user", "content": text}])
            except Exception:
                return False
            return True

        clock = Stopwatch()
        return clock.result(sum(await asyncio.gather(*(call(text) for text in work.prompts()))))

    return asyncio.run(run())


def curator(work: Work) -> Result:
    """Bespoke's curator: its online request processor, told of the quota."""
    # Its token counter fetches a file from the network; litellm, which it needs, has that file.
    found = find_spec("litellm")
    if found is not None and found.origin is not None:
        tokenizers = Path(found.origin).parent / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(tokenizers))
    from bespokelabs import curator as package

    home = tempfile.TemporaryDirectory()
    os.environ |= {"OPENAI_API_KEY": API_KEY, "CURATOR_DISABLE_RICH_DISPLAY": "1", "TELEMETRY_ENABLED": "0"}
    model = package.LLM(
        model_name="m",
        backend="openai",
        backend_params={
            "base_url": f"{work.url}/v1",
            "max_requests_per_minute": work.rpm or 100_000,
            "max_tokens_per_minute": work.tpm or 100_000_000,
            "max_concurrent_requests": work.concurrency,
            "request_timeout": work.timeout_seconds,
            "max_retries": 5,
        },
    )
    clock = Stopwatch()
    made = model(work.prompts(), working_dir=home.name)
    result = clock.result(len(getattr(made, "dataset", made)))
    home.cleanup()
    return result


# The packages of peers that are no dependency of ours.
MODULES = {"litellm": "litellm", "curator": "bespokelabs"}

CONTESTANTS = {
    "litellm": litellm,
    "curator": curator,
    "ours (qianfan)": ours,
    "ours (openai)": ours,
    "batch_do": batch_do,
    "semaphore": semaphore,
}


def main() -> None:
    """Do the work named on the command line."""
    work = Work(**orjson.loads(sys.argv[1]))
    gc.freeze()  # as the pipeline does: else some would stop for longer than others, for what they import
    print(orjson.dumps(CONTESTANTS[work.contestant](work)).decode(), flush=True)


if __name__ == "__main__":
    main()
