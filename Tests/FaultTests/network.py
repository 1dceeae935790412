"""Faults between processes, by packet filter rules of this network namespace, which holds nothing but the system under test."""

import asyncio
import contextlib
import pathlib
import random
import re
import subprocess
import threading


def _filter(*words: str) -> None:
    subprocess.run(["iptables", "-w", *words], check=True)


@contextlib.contextmanager
def rules(*wanted: str, meets: bool = True):
    """The rules are in force while the block runs, e.g. `--dport 7410 -j DROP`. One that no packet met was no fault, and fails the test,
    unless it need not meet any."""
    chain = [["INPUT", "-p", "tcp", *rule.split()] for rule in wanted]
    placed = []
    try:
        for rule in chain:
            _filter("-A", *rule)
            placed.append(rule)
        yield
        listed = subprocess.run(["iptables", "-w", "-v", "-S", "INPUT"], check=True, capture_output=True, text=True).stdout
    finally:
        for rule in placed:
            _filter("-D", *rule)
    counts = [int(count) for count in re.findall(r"^-A .* -c (\d+) ", listed, re.M)]
    assert not meets or len(counts) == len(chain) and min(counts) > 0, f"met no packet: {listed}"


def black_hole(port: int):
    """Nothing comes through in either direction, and nobody is told."""
    return rules(f"--dport {port} -j DROP", f"--sport {port} -j DROP")


def deaf(port: int):
    """Who listens at the port hears nothing, and is heard."""
    return rules(f"--dport {port} -j DROP")


def mute(port: int):
    """Who listens at the port hears everything, and is not heard."""
    return rules(f"--sport {port} -j DROP")


def lossy(ports: range, share: float):
    return rules(*(f"--{side} {ports[0]}:{ports[-1]} -m statistic --mode random --probability {share} -j DROP" for side in ("dport", "sport")))


def overflows() -> int:
    """How often a connection was dropped because too many waited to be accepted (proc(5), /proc/net/netstat)."""
    lines = [line.split() for line in pathlib.Path("/proc/self/net/netstat").read_text().splitlines()]
    names, counts = (line for line in lines if line[0] == "TcpExt:")
    return int(counts[names.index("ListenOverflows")])


@contextlib.contextmanager
def resets(port: int, every: float, for_each: float):
    """Connections to the port are reset again and again."""
    over = threading.Event()

    def run():
        while not over.wait(every):
            with rules(f"--dport {port} -j REJECT --reject-with tcp-reset", meets=False):
                over.wait(for_each)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def delayed(port: int, to: int, least: float, most: float):
    """A proxy at `port` that hands on what it gets, in order within a connection and a direction, so many seconds later."""
    loop = asyncio.new_event_loop()
    chance = random.Random(port)

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: asyncio.Queue = asyncio.Queue()

        async def write() -> None:
            with contextlib.suppress(OSError):
                while (item := await line.get())[1]:
                    await asyncio.sleep(item[0] - loop.time())
                    writer.write(item[1])
                    await writer.drain()
            writer.close()

        writing = loop.create_task(write())
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                line.put_nowait((loop.time() + chance.uniform(least, most), data))
        line.put_nowait((loop.time(), b""))
        await writing

    async def accept(reader, writer) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(hand_on(reader, there_writer), hand_on(there_reader, writer))

    async def end() -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
