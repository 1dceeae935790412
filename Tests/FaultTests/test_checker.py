"""The checker finds what it is for: each history below is clean but for one thing."""

import copy
import datetime
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client import b64u, digest, jwk, sign

from .checker import violations
from .history import History

KEY = ec.generate_private_key(ec.SECP256R1())
CONTENT = b'{"id":"s1"}'


def receipt(**changes) -> str:
    said = {"challenge": "s1", "decision": "approve", "content": b64u(hashlib.sha256(CONTENT).digest())}
    return sign(KEY, {"alg": "ES256"}, {**said, **changes})


# Each signature over the same is another one.
RECEIPT = receipt()
APPROVE = {"decision": "approve", "answer": digest(RECEIPT.encode())}
APPROVED = {**APPROVE, "status": "approved"}
DECLINE = {"decision": "decline", "answer": "declined"}
DENIED = {**DECLINE, "status": "denied"}


def reply(**changes) -> dict:
    proof = {"receipt": RECEIPT, "receiptContent": b64u(CONTENT), "receiptKey": jwk(KEY)}
    return {"user": {"username": "alice"}, "method": "push", **proof, **changes}


def clean() -> tuple[list, dict]:
    """Calls as (operation, kind, facts), and the log."""
    calls = [
        ("begin", "unknown", {"key": "b1", "username": "alice", "error": "503", "retryAfter": "1"}),
        ("begin", "ok", {"key": "b1", "username": "alice"}),
        ("wait", "ok", {"status": "pending"}),
        ("answer", "unknown", APPROVE),
        ("answer", "ok", APPROVED),
        ("answer", "refused", {**DECLINE, "code": "settled"}),
        ("wait", "ok", {"status": "approved"}),
        ("redeem", "ok", {"key": "r1", "username": "alice", "reply": reply()}),
        ("redeem", "refused", {"key": "r2", "username": "alice", "code": "already_redeemed"}),
        # As it is sent once more by who did not hear its reply.
        ("answer", "ok", APPROVED),
    ]
    return calls, {"s1": entry()}


def entry(status: str = "redeemed", reason: str | None = None, at: str = "2026-01-01T00:00:10Z", username: str = "alice") -> dict:
    return {"status": status, "reason": reason, "at": at, "username": username}


def found(calls, log) -> list[str]:
    history = History()
    for operation, kind, facts in copy.deepcopy(calls):
        sign_in = facts.pop("sign_in", "s1")
        call = history.invoke(operation, None if operation == "begin" else sign_in, **{k: v for k, v in facts.items() if k != "status"})
        if kind != "never":
            history.end(call, kind, operation, None if operation == "begin" and kind != "ok" else sign_in, **facts)
    new_year = datetime.datetime.fromisoformat("2026-01-01T00:00:00Z").timestamp()
    return violations(history, log, {"alice": jwk(KEY)}, (new_year, new_year + 20))


def test_a_clean_history_is_clean():
    assert found(*clean()) == []


def test_what_others_began_or_earlier_is_not_of_this_history():
    calls, log = clean()
    log.update(s2=entry(username="bob"), s3=entry(at="2025-12-31T23:59:59Z"), s4=entry(at="2026-01-01T00:00:21Z"))
    assert found(calls, log) == []


def test_an_approval_that_nobody_redeemed_in_time_is_no_loss():
    calls, log = clean()
    calls[7:] = [("redeem", "refused", {"key": "r1", "username": "alice", "code": "expired"})]
    log["s1"] = entry("expired", "not_redeemed")
    assert found(calls, log) == []


BROKEN = {
    "is lost": lambda calls, log: log.clear(),
    "never came to an end": lambda calls, log: log["s1"].update(status="pending"),
    "was settled 2 times": lambda calls, log: calls.append(("answer", "ok", DENIED)),
    "was answered denied, and the log says expired": lambda calls, log: (
        calls.__setitem__(slice(2, None), [("answer", "ok", DENIED)]), log["s1"].update(status="expired")
    ),
    "was approved, and the log says that it expired: timeout": lambda calls, log: (
        calls.__setitem__(slice(5, None), [("redeem", "refused", {"key": "r1", "username": "alice", "code": "expired"})]), log.update(s1=entry("expired", "timeout"))
    ),
    "was begun, and nobody was told of it": lambda calls, log: log.update(s2=entry("expired", "timeout")),
    "is redeemed, and nobody redeemed it": lambda calls, log: calls.__setitem__(slice(7, None), []),
    "is denied, and nobody declined it": lambda calls, log: (calls.__setitem__(slice(2, None), []), log.update(s1=entry("denied", "declined"))),
    "is canceled, and nobody canceled it": lambda calls, log: (calls.__setitem__(slice(2, None), []), log.update(s1=entry("canceled", "canceled"))),
    "was approved, and could not be redeemed": lambda calls, log: calls.insert(7, ("redeem", "refused", {"key": "r0", "username": "alice", "code": "not_approved"})),
    "went from redeemed to approved": lambda calls, log: calls.append(("wait", "ok", {"status": "approved"})),
    "went from canceled to pending": lambda calls, log: (
        calls.__setitem__(slice(2, None), [("cancel", "ok", {}), ("wait", "ok", {"status": "pending"})]), log.update(s1=entry("canceled", "canceled"))
    ),
    "is redeemed, and nobody approved it": lambda calls, log: calls.__setitem__(slice(2, None), []),
    "was redeemed 2 times": lambda calls, log: calls.append(("redeem", "ok", {"key": "r2", "username": "alice", "reply": reply()})),
    "was redeemed, and the log says approved": lambda calls, log: log["s1"].update(status="approved"),
    "went from approved to pending": lambda calls, log: calls.append(("wait", "ok", {"status": "pending"})),
    "one request was begun as 2 sign-ins": lambda calls, log: (
        calls.append(("begin", "ok", {"key": "b1", "username": "alice", "sign_in": "s2"})), log.update(s2=entry("expired", "timeout"))
    ),
    "signed mallory in": lambda calls, log: calls[7][2].update(reply=reply(user={"username": "mallory"})),
    "without a receipt": lambda calls, log: calls[7][2].update(reply=reply(receipt=None)),
    "another answer than the one that was taken": lambda calls, log: calls[7][2].update(reply=reply(receipt=receipt())),
    "approved by an answer that nobody sent": lambda calls, log: calls.__setitem__(slice(3, None), [("answer", "refused", {**APPROVE, "code": "settled"}), calls[7]]),
    "another phone's key": lambda calls, log: calls[7][2].update(reply=reply(receiptKey=jwk(ec.generate_private_key(ec.SECP256R1())))),
    "signature is not valid": lambda calls, log: calls[7][2].update(reply=reply(receipt=receipt()[:-86] + receipt(number="11")[-86:])),
    "of another request": lambda calls, log: calls[7][2].update(reply=reply(receipt=receipt(challenge="s2"))),
    "of another content": lambda calls, log: calls[7][2].update(reply=reply(receiptContent=b64u(b"{}"))),
    "approved by a code that nobody sent": lambda calls, log: calls[7][2].update(reply=reply(method="code")),
    "one code step of alice approved 2 sign-ins": lambda calls, log: (
        calls.__setitem__(slice(2, None), [("code", "ok", {"username": "alice", "step": 7, "status": "approved"})]),
        calls.append(("begin", "ok", {"key": "b2", "username": "alice", "sign_in": "s2"})),
        # Nobody was told how this one ended.
        calls.append(("code", "unknown", {"username": "alice", "step": 7, "error": "503", "retryAfter": "1", "sign_in": "s2"})),
        log.update(s1=entry("expired", "not_redeemed"), s2=entry("expired", "not_redeemed")),
    ),
    "was put off without Retry-After": lambda calls, log: calls[0][2].pop("retryAfter"),
    "never ended": lambda calls, log: calls.append(("wait", "never", {})),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_is_broken_is_found(sentence):
    calls, log = clean()
    BROKEN[sentence](calls, log)
    sentences = found(calls, log)
    assert any(sentence in line for line in sentences), (sentences, json.dumps(log))


SECOND_SETTLEMENTS = {
    "an approval of other bytes": ("answer", {**APPROVED, "answer": "other bytes"}),
    "a code": ("code", {"username": "alice", "step": 7, "status": "approved"}),
    "a cancellation": ("cancel", {}),
}


@pytest.mark.parametrize("second", SECOND_SETTLEMENTS)
def test_a_second_settlement_is_found_though_both_say_the_same(second):
    operation, facts = SECOND_SETTLEMENTS[second]
    calls, log = clean()
    calls.append((operation, "ok", facts))
    [sentence] = found(calls, log)
    assert sentence.startswith("s1 was settled 2 times"), sentence


def test_two_codes_are_two_settlements():
    calls, log = clean()
    calls[2:] = [("code", "ok", {"username": "alice", "step": step, "status": "approved"}) for step in (7, 7, 8)]
    log["s1"] = entry("expired", "not_redeemed")
    [sentence] = found(calls, log)
    assert sentence.startswith("s1 was settled 2 times"), sentence


def test_a_wrong_number_with_tries_left_settles_nothing():
    calls, log = clean()
    calls.insert(3, ("answer", "ok", {"decision": "approve", "answer": "wrong", "status": "pending"}))
    assert found(calls, log) == []


def test_an_answer_that_took_too_long_is_found():
    history = History()
    call = history.invoke("wait", "s1")
    history.end(call, "ok", "wait", "s1", status="pending")
    history.events[-1].at += 60
    assert any("took 60 s" in line for line in violations(history, {}))


def test_an_answer_may_take_as_long_as_it_was_asked_to_wait():
    history = History()
    call = history.invoke("wait", "s1", seconds=30)
    history.end(call, "ok", "wait", "s1", status="pending")
    history.events[-1].at += 40
    assert violations(history, {}) == []
