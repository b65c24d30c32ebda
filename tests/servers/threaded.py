"""An HTTP server in a thread of its own: what the servers that speak Qianfan's wires have in common."""

import asyncio
import ssl
import threading
from abc import ABC, abstractmethod
from typing import Self

from aiohttp import ClientSession, web


class ThreadedServer(ABC):
    """`with SomeServer() as server: server.url`; answers come from its `_handle`.

    Args:
        port: 0 for any.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.host = "127.0.0.1"  # 0.0.0.0: containers of this machine reach it, too
        self.url = ""
        self.tls: ssl.SSLContext | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @abstractmethod
    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse: ...

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(120):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _forward(self, request: web.BaseRequest, raw: bytes, url: str) -> web.Response:
        """Return another server's answer to the same request, as on a platform whose interfaces share an address."""
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with (
            ClientSession() as session,
            session.request(request.method, url + request.path_qs, data=raw, headers=headers) as response,
        ):
            kept = {name: value for name, value in response.headers.items() if name.lower().startswith("x-")}
            return web.Response(
                body=await response.read(), status=response.status, content_type=response.content_type, headers=kept
            )

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, backlog=2048, ssl_context=self.tls).start()
        self.port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
