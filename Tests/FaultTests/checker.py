"""The invariants, proved on a history and on what the sign-in log says once everything has come to rest.

A call whose answer is unknown may or may not have had its effect; every rule allows for both."""

import base64
import collections
import datetime
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from client import digest

from .history import Event, History

TERMINAL = {"denied", "expired", "canceled", "redeemed"}
# From which status a later reading may show which other.
FOLLOWS = {
    "pending": {"pending", "approved", "denied", "expired", "canceled", "redeemed"},
    "approved": {"approved", "redeemed", "expired", "canceled"},
    "denied": {"denied"},
    "expired": {"expired"},
    "canceled": {"canceled"},
    "redeemed": {"redeemed"},
}
# What these say of a sign-in is so from then on. A repeat of them may say it again when more has happened.
TELLING = {"wait", "answer", "code", "cancel", "redeem"}
# A call has its answer when what it asked to wait is over, and this many seconds at most for all that a fault holds up.
ANSWER_WITHIN = 15


def violations(
    history: History, log: dict[str, dict], keys: dict[str, dict] | None = None, during: tuple[float, float] | None = None
) -> list[str]:
    """Sentences that say what was broken; none when all is well. `log`: the entries of the sign-in log by id. `keys`: the public key (JWK)
    of each user name's phone. `during`: from when until when (seconds of Unix time) nobody else began sign-ins of the same people."""
    found: list[str] = []
    calls, by_sign_in = _paired(history, found)
    _begun_once(calls, found)
    codes: dict[tuple, set] = collections.defaultdict(set)
    accepted = history.accepted()
    if during:
        _asked_for(history, accepted, log, during, found)
    for sign_in in sorted(accepted):
        events = by_sign_in[sign_in]
        entry = log.get(sign_in)
        if entry is None:
            found.append(f"{sign_in} was accepted and is lost")
            continue
        if entry["status"] not in TERMINAL:
            found.append(f"{sign_in} never came to an end: {entry['status']}")
        _settled_once(sign_in, events, entry, found)
        _caused(sign_in, events, entry, found)
        _redeemed_once(sign_in, events, entry, found)
        _forwards_only(sign_in, events, found)
        for event in events:
            if event.operation == "redeem" and event.kind == "ok":
                _genuine(sign_in, event, events, keys or {}, found)
            if event.operation == "code" and (event.kind == "ok" or event.kind == "unknown" and _was_approved(entry)):
                codes[event.facts["username"], event.facts["step"]].add(sign_in)
    found += [f"one code step of {name} approved {len(ids)} sign-ins" for (name, _), ids in codes.items() if len(ids) > 1]
    return found


def _paired(history: History, found: list[str]):
    """Each call with its invocation and its end, and all ends by sign-in."""
    begun: dict[int, Event] = {}
    calls: dict[int, tuple[Event, Event]] = {}
    by_sign_in: dict[str, list[Event]] = collections.defaultdict(list)
    for event in history.events:
        if event.kind == "invoke":
            begun[event.call] = event
        else:
            start = begun.pop(event.call)
            event.facts, event.since = {**start.facts, **event.facts}, start.at
            calls[event.call] = (start, event)
            if event.facts.get("error") == "503" and not event.facts.get("retryAfter"):
                found.append(f"{event.operation} of {event.sign_in} was put off without Retry-After")
            if event.at - start.at > ANSWER_WITHIN + event.facts.get("seconds", 0):
                found.append(f"{event.operation} of {event.sign_in} took {event.at - start.at:.0f} s")
            if event.sign_in:
                by_sign_in[event.sign_in].append(event)
    found += [f"{event.operation} of {event.sign_in} never ended" for event in begun.values()]
    return calls, by_sign_in


def _begun_once(calls, found) -> None:
    made: dict[str, set] = collections.defaultdict(set)
    for _, end in calls.values():
        if end.operation == "begin" and end.kind == "ok":
            made[end.facts["key"]].add(end.sign_in)
    found += [f"one request was begun as {len(ids)} sign-ins: {sorted(ids)}" for ids in made.values() if len(ids) > 1]


def _asked_for(history, accepted, log, during, found) -> None:
    """A sign-in of these people that is in the log and that nobody was told of is a request that was executed twice."""
    names = {event.facts["username"] for event in history.events if event.operation == "begin" and "username" in event.facts}
    since, until = during
    for sign_in, entry in log.items():
        if entry["username"] in names and sign_in not in accepted:
            # The log has milliseconds.
            if since - 0.001 <= datetime.datetime.fromisoformat(entry["at"]).timestamp() <= until:
                found.append(f"{sign_in} of {entry['username']} was begun, and nobody was told of it")


def _was_approved(entry) -> bool:
    return entry["status"] in ("approved", "redeemed") or entry.get("reason") == "not_redeemed"


def _settled_once(sign_in, events, entry, found) -> None:
    """Of different answers at most one was taken, and the log tells of that one. The same bytes, or the same code, once more are no other
    answer; a wrong number with tries left settles nothing."""
    taken = set()
    for event in events:
        if event.kind == "ok" and event.operation == "answer" and event.facts["status"] != "pending":
            taken.add((event.facts["decision"], event.facts["answer"], event.facts["status"]))
        if event.kind == "ok" and event.operation == "code":
            taken.add(("code", str(event.facts["step"]), "approved"))
        if event.kind == "ok" and event.operation == "cancel":
            taken.add(("cancel", "", "canceled"))
    if len(taken) > 1:
        found.append(f"{sign_in} was settled {len(taken)} times: {sorted(taken)}")
        return
    for *_, status in taken:
        allowed = {"approved", "redeemed", "expired"} if status == "approved" else {status}
        if entry["status"] not in allowed:
            found.append(f"{sign_in} was answered {status}, and the log says {entry['status']}")
        elif status == "approved" and not _was_approved(entry):
            found.append(f"{sign_in} was approved, and the log says that it {entry['status']}: {entry.get('reason')}")


def _caused(sign_in, events, entry, found) -> None:
    """What the log says was done by a call that may have done it."""
    done = [(event.operation, event.facts.get("status")) for event in events if event.kind == "ok"]
    done += [(event.operation, None) for event in events if event.kind == "unknown"]
    by = lambda operations, status: any(operation in operations and told in (status, None) for operation, told in done)  # noqa: E731
    if _was_approved(entry) and not by(("answer", "code"), "approved"):
        found.append(f"{sign_in} is {entry['status']}, and nobody approved it")
    if entry["status"] == "redeemed" and not by(("redeem",), None):
        found.append(f"{sign_in} is redeemed, and nobody redeemed it")
    if entry["status"] == "denied" and not by(("answer",), "denied"):
        found.append(f"{sign_in} is denied, and nobody declined it")
    if entry["status"] == "canceled" and not by(("cancel",), None):
        found.append(f"{sign_in} is canceled, and nobody canceled it")


def _redeemed_once(sign_in, events, entry, found) -> None:
    redemptions = {event.facts["key"] for event in events if event.operation == "redeem" and event.kind == "ok"}
    if len(redemptions) > 1:
        found.append(f"{sign_in} was redeemed {len(redemptions)} times")
    if redemptions and entry["status"] != "redeemed":
        found.append(f"{sign_in} was redeemed, and the log says {entry['status']}")


def _forwards_only(sign_in, events, found) -> None:
    """What a reading says follows from all that had been told before it began."""
    told = [(event.at, _told(event)) for event in events if event.operation in TELLING and event.kind == "ok"]
    for event in events:
        earlier = {status for at, status in told if at <= event.since}
        if event.operation == "wait" and event.kind == "ok":
            found += [f"{sign_in} went from {status} to {event.facts['status']}" for status in earlier if event.facts["status"] not in FOLLOWS[status]]
        if event.operation == "redeem" and event.facts.get("code") == "not_approved" and "approved" in earlier:
            found.append(f"{sign_in} was approved, and could not be redeemed")


def _told(event) -> str:
    return event.facts.get("status") or {"cancel": "canceled", "redeem": "redeemed"}[event.operation]


def _genuine(sign_in, event, events, keys, found) -> None:
    """Who was told to be signed in asked for it, and the phone's own signature says so; a code has none."""
    reply = event.facts["reply"]
    if reply["user"]["username"] != event.facts["username"]:
        found.append(f"{sign_in} of {event.facts['username']} signed {reply['user']['username']} in")
    if reply["method"] == "code":
        if not any(other.operation == "code" and other.kind in ("ok", "unknown") for other in events):
            found.append(f"{sign_in} was approved by a code that nobody sent")
        return
    sent = [other for other in events if other.operation == "answer" and other.facts["decision"] == "approve"]
    taken = {other.facts["answer"] for other in sent if other.kind == "ok" and other.facts["status"] == "approved"}
    # One that nobody was told of is among those without an answer.
    possible = taken or {other.facts["answer"] for other in sent if other.kind == "unknown"}
    if not possible:
        found.append(f"{sign_in} was approved by an answer that nobody sent")
    elif reply.get("receipt") and digest(reply["receipt"].encode()) not in possible:
        found.append(f"{sign_in}: the receipt is another answer than the one that was taken")
    problem = receipt_problem(reply, sign_in, keys.get(event.facts["username"]))
    if problem:
        found.append(f"{sign_in}: {problem}")


def receipt_problem(reply: dict, sign_in: str, key: dict | None) -> str | None:
    """What is wrong with a redeemed sign-in's receipt (JWS, ES256); nil when it proves the approval."""
    if not reply.get("receipt"):
        return "an approval by push without a receipt"
    if key is not None and {part: reply["receiptKey"][part] for part in ("crv", "kty", "x", "y")} != key:
        return "the receipt names another phone's key"
    header, payload, signature = reply["receipt"].split(".")
    raw = _bytes(signature)
    numbers = ec.EllipticCurvePublicNumbers(
        *(int.from_bytes(_bytes(reply["receiptKey"][part]), "big") for part in ("x", "y")), ec.SECP256R1()
    )
    encoded = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        numbers.public_key().verify(encoded, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return "the receipt's signature is not valid"
    said = json.loads(_bytes(payload))
    if said["challenge"] != sign_in or said["decision"] != "approve":
        return "the receipt is of another request"
    if _bytes(said["content"]) != hashlib.sha256(_bytes(reply["receiptContent"])).digest():
        return "the receipt is of another content"
    return None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
