"""What the documents tell people to type: each program has the commands and the options that they name."""

import functools
import re
import subprocess

import pytest

from stack import BIN, ROOT, Stack

DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("services/*/README.md"))]
COMMANDS = ("admin", "phone", "code", "loadtest", "push-double")
PROGRAM = re.compile(r"(?<![\w/.-])(?:\.build/release/)?(countersign-(?:" + "|".join((*COMMANDS, *Stack.SERVICES)) + r"))(?![\w.-])([^|;&\n]*)")
OPTION = re.compile(r"^  +(?:-\w, )?(--[a-z][a-z-]*)", re.M)


@functools.cache
def manual(program: str, *words: str) -> tuple[set[str], dict[str, bool]]:
    """The options, and the commands below with whether each is the one that is meant where none is named."""
    done = subprocess.run([BIN / program, *words, "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, (program, words, done.stderr)
    _, _, listed = done.stdout.partition("\nSUBCOMMANDS:\n")
    below = re.findall(r"^  ([a-z][a-z-]*)( \(default\))?(?:\s|$)", listed, re.M)
    return set(OPTION.findall(done.stdout)), {name: bool(default) for name, default in below}


def written(text: str) -> list[str]:
    """Lines of blocks, continued ones as one and without comments, and code within sentences."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    lines = [re.sub(r"\s#.*", "", line) for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def faults(text: str) -> list[str]:
    return [fault for line in written(text) for program, rest in PROGRAM.findall(line) for fault in faults_of(program, rest.split())]


def faults_of(program: str, words: list[str]) -> list[str]:
    path: list[str] = []
    options, below = manual(program)
    while below:
        if words and words[0] in below:
            path.append(words.pop(0))
        elif words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            return [f"{' '.join([program, *path])} has no command {words[0]}"]
        elif default := [name for name, is_default in below.items() if is_default]:
            path += default
        else:
            return []
        options, below = manual(program, *path)
    # Of a service each key is an option too, and `make check` holds those to its documents.
    named = [word.partition("=")[0].strip("[]'\"`,)") for word in words if word.lstrip("[").startswith("--") and "." not in word]
    return [f"{' '.join([program, *path])} has no option {name}" for name in named if name not in options]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_tells_to_type_is_there(document):
    assert faults(document.read_text()) == []


@pytest.mark.parametrize(
    "text, said",
    [
        ("```sh\ncountersign-admin users make bob\n```", "countersign-admin users has no command make"),
        ("`countersign-admin users create bob --name Bob`", "countersign-admin users create has no option --name"),
        ("```\n$ countersign-loadtest --people 3 \\\n  --second 4   # --never\n```", "countersign-loadtest run has no option --second"),
        ("`countersign-gateway --config f --check`", "countersign-gateway has no option --check"),
    ],
)
def test_what_is_not_there_is_found(text, said):
    assert faults(text) == [said]


def test_the_load_tests_page_has_each_option():
    page = (ROOT / "docs/load-testing.md").read_text()
    table = re.findall(r"^\| (`--.*?) \|", page, re.M)
    told = {option for cell in table for option in re.findall(r"--[a-z-]+", cell)} | {"--fail-if"}
    assert told == manual("countersign-loadtest", "run")[0] - {"--help", "--version"}
