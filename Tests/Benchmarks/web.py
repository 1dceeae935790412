"""HTTP/1.1 over many connections at once, as light as Python allows: most of them only wait."""

import asyncio
import base64
import json
import re
import time
import urllib.parse

# Of one source address 28,000 connections may go to one port; more addresses of loopback make room for more.
PER_ADDRESS = 16_000


class Target:
    """The gateway of a demo installation, and the application's credentials."""

    def __init__(self, demo: dict):
        parts = urllib.parse.urlsplit(demo["base"])
        self.host, self.port, self.tenant = parts.hostname, parts.port, demo["tenant"]
        client = demo["client"]
        self.basic = "Basic " + base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()

    def path(self, path: str) -> str:
        return f"/v1/{self.tenant}{path}"

    def request(self, method: str, path: str, headers: dict | None = None, body: dict | None = None) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {self.path(path)} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + content

    async def open(self, protocol, index: int = 0):
        """A connection from the address that the `index`th one gets."""
        source = (f"127.0.{1 + index // PER_ADDRESS}.1", 0)
        _, made = await asyncio.get_running_loop().create_connection(protocol, self.host, self.port, local_addr=source)
        return made


class Connection:
    """One request after the other."""

    def __init__(self, target: Target):
        self.target = target

    async def __aenter__(self) -> "Connection":
        self.reader, self.writer = await asyncio.open_connection(self.target.host, self.target.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def exchange(self, *request, **options) -> tuple[int, dict]:
        self.writer.write(self.target.request(*request, **options))
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"\r\ncontent-length: (\d+)", head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head.split(" ", 2)[1]), json.loads(body or b"{}")


async def exchange_all(target: Target, requests: list[dict], at_once: int = 16) -> list[tuple[int, dict]]:
    """Sends each of `requests` (arguments of `Connection.exchange`) over a few connections; replies in the same order."""
    replies: list = [None] * len(requests)
    waiting = iter(enumerate(requests))

    async def send() -> None:
        async with Connection(target) as connection:
            for index, request in waiting:
                replies[index] = await connection.exchange(**request)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(send())
    return replies


class Held(asyncio.Protocol):
    """A connection on which one request is sent and then waited. `on_data(bytes)` hears what comes."""

    __slots__ = ("request", "on_data", "transport", "answered", "status", "is_lost", "begun")

    def __init__(self, request: bytes, on_data=None):
        self.request, self.on_data = request, on_data
        # When the first byte of the reply came, and its status.
        self.answered, self.status, self.is_lost = None, None, False
        # That there is a reply, or will be none.
        self.begun = asyncio.Event()

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.answered is None:
            self.answered, self.status = time.monotonic(), data[9:12]
            self.begun.set()
        if self.on_data:
            self.on_data(data)

    def connection_lost(self, problem) -> None:
        self.is_lost = True
        self.begun.set()


async def hold(target: Target, held: list[Held], begins: bool = False, at_once: int = 64) -> None:
    """Opens all of them, some at a time; where a reply `begins` before the wait, each is followed by the next when it does."""
    waiting = iter(enumerate(held))

    async def open_some() -> None:
        for index, one in waiting:
            await target.open(lambda: one, index)
            if begins:
                await one.begun.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(open_some())


async def until(condition, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s for {what}")
        await asyncio.sleep(0.05)
