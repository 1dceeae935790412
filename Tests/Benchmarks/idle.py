"""P5 and P6: what waits costs little, and what happens reaches who waits for it."""

import asyncio
import json
import random
import re
import time

from client import Administrator

from . import machine, population
from .report import Row, at_least, at_most
from .system import Run, Unmeasurable
from .web import Connection, Held, Target, exchange_all, hold, until

# Beside the connections of phones or pages: files, the bus, the bench's own.
SPARE_FILES = 1_000
STREAMS = 20_000
EVENT = re.compile(rb"event: challenge\r?\ndata: (\{.*\})\r?\n")
PAUSE = 0.02


def quantile(times: list[float], part: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


# --- P5 ---------------------------------------------------------------------------------------------------------------

def idle_phones(run: Run) -> list[Row]:
    wanted, wake_ups = run.choose((STREAMS, 500), (50, 10))
    # With fewer files there are fewer streams, which the table says; what each of them takes is the same.
    count = machine.open_files(wanted + SPARE_FILES) - SPARE_FILES
    people = list(population.members("idle", count))
    limits = {"COUNTERSIGN_GATEWAY_HTTP_STREAMS_MAX": str(count + 100)}
    with run.processes(before_start=lambda stack: population.add(stack, people), **limits) as stack:
        kib, times = asyncio.run(wake(stack, people, wake_ups))
    run.details["P5"] = {"streams": count, "wakeUps": wake_ups, "kibEach": kib, "milliseconds": {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)}}
    return [
        Row("P5", "event streams on one gateway (open files permitting)", count, "", None, at_least(wanted)),
        Row("P5", f"gateway memory for each of {count:,} event streams", kib, "KiB", None, at_most(32)),
        Row("P5", f"POST to the phone's event, p50 of {wake_ups}", quantile(times, 0.5), "ms"),
        Row("P5", f"POST to the phone's event, p99 of {wake_ups}", quantile(times, 0.99), "ms", None, at_most(50)),
    ]


async def wake(stack, people: list[population.Member], wake_ups: int) -> tuple[float, list[float]]:
    """KiB of the gateway for a stream, and for each wake-up the milliseconds from the POST that asks for it to the phone's event."""
    demo = stack.demo()
    target, gateway = Target(demo), stack.pids()["gateway"]
    heard: dict[str, float] = {}

    def on_data(data: bytes) -> None:
        for event in EVENT.findall(data):
            heard.setdefault(json.loads(event)["id"], time.monotonic())

    # As many pages as will ask, before the memory is looked at.
    async with Connection(target) as page:
        before = machine.usage(gateway)
        streams = [Held(events_request(target, population.LightPhone(member, demo)), on_data) for member in people]
        await hold(target, streams, begins=True)
        is_open = lambda: stack.metric("gateway", "countersign_http_streams_open") >= len(streams)
        await until(is_open, 60, f"{len(streams)} event streams to be open")
        kib = (machine.usage(gateway).resident_kib - before.resident_kib) / len(streams)

        times = []
        for member in random.Random(5).sample(people, wake_ups):
            sent = time.monotonic()
            status, begun = await page.exchange("POST", "/sign-ins", {"Authorization": target.basic}, {"username": member.username})
            if status != 201:
                raise RuntimeError(f"a sign-in could not begin: {status} {begun}")
            await until(lambda: begun["id"] in heard, 10, "a phone's event")
            times.append(1000 * (heard[begun["id"]] - sent))
            await asyncio.sleep(PAUSE)
        if any(stream.is_lost or stream.status != b"200" for stream in streams):
            raise RuntimeError("event streams were refused, or ended while they were measured")
    for stream in streams:
        stream.transport.abort()
    return kib, times


def events_request(target: Target, phone: population.LightPhone) -> bytes:
    path = f"/devices/{phone.id}/events"
    proof = phone.proof("GET", f"{phone.base}{target.path(path)}", None)
    return target.request("GET", path, {"Authorization": "DeviceProof " + proof})


# --- P6 ---------------------------------------------------------------------------------------------------------------

def open_waits(run: Run) -> list[Row]:
    count, answers = run.choose((10_000, 300), (50, 10))
    if machine.open_files(count + SPARE_FILES) < count + SPARE_FILES:
        raise Unmeasurable(f"{count + SPARE_FILES:,} open files are needed (ulimit -Hn)")
    people = list(population.members("page", count))
    limits = {"COUNTERSIGN_GATEWAY_HTTP_WAITS_MAX": str(count + 100)}
    with run.processes(before_start=lambda stack: population.add(stack, people), **limits) as stack:
        Administrator(stack.demo()).change("/settings", {"requestLifetimeSeconds": 300})
        times, threads, kib = asyncio.run(answer(stack, people, answers))
    run.details["P6"] = {"waits": count, "answers": answers, "kibEach": kib, "milliseconds": {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)}}
    return [
        Row("P6", f"answer to the page's reply, {count:,} pages wait, p50 of {answers}", quantile(times, 0.5), "ms"),
        Row("P6", f"answer to the page's reply, {count:,} pages wait, p99 of {answers}", quantile(times, 0.99), "ms", None, at_most(100)),
        Row("P6", "threads of the gateway that the waits added", threads, "", None, at_most(0)),
        Row("P6", "gateway memory for each waiting page", kib, "KiB"),
    ]


async def answer(stack, people: list[population.Member], answers: int) -> tuple[list[float], int, float]:
    """Milliseconds from a phone's answer to the reply of the page that waits for it; threads, and KiB a page, that waiting took."""
    demo = stack.demo()
    target, gateway = Target(demo), stack.pids()["gateway"]
    begun = await begin_all(target, [member.username for member in people])
    chosen = random.Random(6).sample(range(len(people)), answers)
    phones = {index: population.LightPhone(people[index], demo) for index in chosen}
    texts = await answer_texts(target, phones, begun)

    # Reached by now: as many threads as the gateway ever has.
    before = machine.usage(gateway)
    pages = [
        Held(target.request("GET", f"/sign-ins/{one['id']}?wait=30", {"Authorization": target.basic, "Sign-In-Secret": one["secret"]}))
        for one in begun
    ]
    await hold(target, pages)
    await until(lambda: stack.metric("gateway", "countersign_http_waits_open") >= len(pages), 20, f"{len(pages)} pages to wait")
    after, times = machine.usage(gateway), []
    async with Connection(target) as connection:
        for index in chosen:
            if pages[index].answered:
                raise RuntimeError("a page's wait was refused, or ended before its phone answered")
            sent = time.monotonic()
            status, reply = await connection.exchange("POST", f"/challenges/{begun[index]['id']}/answer", body={"answer": texts[index]})
            if status != 200 or reply["status"] != "approved":
                raise RuntimeError(f"an answer was not taken: {status} {reply}")
            await until(lambda: pages[index].answered, 10, "a page's reply")
            if pages[index].status != b"200":
                raise RuntimeError("a page's wait was refused")
            times.append(1000 * (pages[index].answered - sent))
            await asyncio.sleep(PAUSE)
    for page in pages:
        page.transport.abort()
    return times, max(0, after.threads - before.threads), (after.resident_kib - before.resident_kib) / len(pages)


async def answer_texts(target: Target, phones: dict[int, population.LightPhone], begun: list[dict]) -> dict[int, str]:
    """What each of the phones will answer: the number of its person's page, signed over what it was shown."""
    listing = []
    for phone in phones.values():
        path = f"/devices/{phone.id}/challenges"
        proof = phone.proof("GET", f"{phone.base}{target.path(path)}", None)
        listing.append({"method": "GET", "path": path, "headers": {"Authorization": "DeviceProof " + proof}})
    texts = {}
    for (index, phone), (status, listed) in zip(phones.items(), await exchange_all(target, listing)):
        if status != 200:
            raise RuntimeError(f"a phone cannot list its requests: {status} {listed}")
        challenge = next(one for one in listed["challenges"] if one["id"] == begun[index]["id"])
        texts[index] = phone.answer_text(challenge, number=begun[index]["number"])
    return texts


async def begin_all(target: Target, usernames: list[str], **members) -> list[dict]:
    """One request of each, as their replies' bodies."""
    requests = [
        {"method": "POST", "path": "/sign-ins", "headers": {"Authorization": target.basic}, "body": {"username": name, **members}} for name in usernames
    ]
    replies = await exchange_all(target, requests)
    refused = [reply for status, reply in replies if status != 201]
    if refused:
        raise RuntimeError(f"{len(refused)} sign-ins could not begin: {refused[0]}")
    return [reply for _, reply in replies]
