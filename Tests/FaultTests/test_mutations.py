"""The checker sees a real fault: a line of the code is broken on purpose (`Mutation` in Sources/Failpoints), put under load, and must be
found out."""

import contextlib
import os
import signal
import time

import pytest

from stack import Stack

from .load import BRISK

# name: (mutation, the sentences of the checker of which one must come)
MUTATIONS = {
    "a compare-and-set that is dropped": ("redeem-again", ["was redeemed 2 times"]),
    "a memo that is not looked at": ("execute-again", ["was begun, and nobody was told of it"]),
    # What was lost may be the beginning of a sign-in, its answer, or its redemption.
    "a reply before the commit": ("reply-before-commit", ["is lost", "and the log says"]),
}


def kill_who_told_too_early(trial, load) -> None:
    """Once somebody has been told that a sign-in is begun, and before that is on disk."""
    pid, told = trial.stack.pids()["challenge"], load.history.count("ok", "begin")
    # Whoever was told of what is lost ends with that, and nobody may be left.
    is_deserted = lambda: len(load.failures) >= len(load.people)  # noqa: E731
    Stack.wait_for(lambda: load.history.count("ok", "begin") > told or is_deserted(), 30, "a sign-in to be begun")
    os.kill(pid, signal.SIGKILL)
    Stack.wait_for(lambda: trial.stack.pids().get("challenge", pid) != pid, 5, "challenge to be started again")


def kill_who_told_nobody(failpoints) -> None:
    """Whoever began comes again, since nobody answered."""
    # A process that ends within a second of its start, again and again, is given up by the supervisor.
    time.sleep(1)
    failpoints.wait(failpoints.arm("after-commit-before-reply", "BeginChallenge", "kill"))


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_line_is_found(trial, failpoints, name):
    mutation, sentences = MUTATIONS[name]
    made = failpoints.folder / f"mutation.{mutation}"
    # What is lost, or not there yet, may leave somebody with an answer that nobody expects: that is the checker's to say. A page would wait
    # for what was lost until its request expires.
    with contextlib.suppress(AssertionError), trial.load(None, intents=BRISK, watched=0) as load:
        load.until_redeemed(5)
        # What is killed loses what was told too early only now and then.
        for _ in range(1 if mutation == "execute-again" else 4):
            made.touch()
            if mutation == "reply-before-commit":
                kill_who_told_too_early(trial, load)
            elif mutation == "execute-again":
                kill_who_told_nobody(failpoints)
                load.until_redeemed(4)
            else:
                load.until_redeemed(4)
            made.unlink()
    made.unlink(missing_ok=True)
    found = load.violations(trial.log())
    assert any(sentence in line for line in found for sentence in sentences), found[:20]
