"""An endpoint that answers at once, for as little CPU as can be: what is measured beside it is the pipeline.

`python -m tests.benchmarks.instant_endpoint` prints its address. Every POST gets a whole chat completion in OpenAI's
shape, which Qianfan's V2 shares; the exchange of credentials for a token is answered too.
"""

import asyncio
import re
from typing import Final

import orjson

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.I)

_TOKEN: Final = orjson.dumps({"token": "t", "createTime": "2026-01-01T00:00:00Z", "expireTime": "2030-01-01T00:00:00Z"})


def completion(number: int) -> bytes:
    """A reply whose four fields differ from one call to the next."""
    fields = {
        "用户问题": f"用户询问第{number}号订单的电热水壶为什么还没有发货，希望今天发出",
        "客服方案": f"客服表示{number}号库区今天下午统一安排发货，并备注改送到公司",
        "是否接受": "是",
        "是否负面情绪": "否",
    }
    return orjson.dumps(
        {
            "id": f"as-{number}",
            "object": "chat.completion",
            "created": 1,
            "model": "bench",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": orjson.dumps(fields).decode()},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 412, "completion_tokens": 61, "total_tokens": 473},
        }
    )


class InstantEndpoint(asyncio.Protocol):
    """One connection. Requests come one after the other on it, each with its length."""

    answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what replies are written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is here in full."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            InstantEndpoint.answered += 1
            body = _TOKEN if b"BCE-BEARER" in head else completion(InstantEndpoint.answered)
            lines = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._transport.write(lines + body)


async def serve() -> None:
    """Serve on a free port until killed."""
    server = await asyncio.get_running_loop().create_server(InstantEndpoint, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
