"""The checker sees a real fault: a line of the code is broken on purpose (`Mutation` in Sources/Failpoints), put under load, and must be
found out."""

import contextlib

import pytest

from stack import Stack

from .checker import violations
from .load import BRISK

# name: (mutation, the sentences of the checker of which one must come)
MUTATIONS = {
    "a compare-and-set that is dropped": ("redeem-again", ["was redeemed 2 times"]),
    # What was lost may be the beginning of a sign-in, its answer, or its redemption.
    "a reply before the commit": ("reply-before-commit", ["is lost", "and the log says"]),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_line_is_found(trial, failpoints, name):
    mutation, sentences = MUTATIONS[name]
    made = failpoints.folder / f"mutation.{mutation}"
    # What is lost may leave somebody with an answer that nobody expects: that is the checker's to say.
    with contextlib.suppress(AssertionError), trial.load(None, intents=BRISK) as load:
        load.until_redeemed(5)
        made.touch()
        for _ in range(4):
            load.until_redeemed(4)
            if mutation == "reply-before-commit":
                before = trial.stack.kill("challenge")
                Stack.wait_for(lambda: trial.stack.pids().get("challenge", before) != before, 5, "challenge to be started again")
        made.unlink()
    made.unlink(missing_ok=True)
    found = violations(load.history, trial.log(), load.keys())
    assert any(sentence in line for line in found for sentence in sentences), found[:20]
