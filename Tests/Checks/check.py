#!/usr/bin/env python3
"""The checks that need no build: layers, owners, names, forbidden constructs, sizes, words, links, configuration, documented code, scripts of the pages, format.

    check.py              check the working copy; status 1 when something is wrong
    check.py --self-test  feed every check a bad sample and expect it to fail, and a good one and expect it to pass

A check takes the files as a dictionary from path to text and yields one sentence a fault.
"""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

LINES_MAX = 600
EXECUTABLE_LINES_MAX = 80
MAKEFILE_LINES_MAX = 120

# --- layers -----------------------------------------------------------------------------------------------------------

LAYERS = [
    {"Domain", "Failpoints", "EventLoopTasks", "CZeroMQ", "COpenSSL", "CPostgreSQL", "CQREncode", "CZBar", "CGD", "CZlib"},
    {"Wire", "DeviceAPI", "Proofs", "Secrets"},
    {"Messaging", "Telemetry", "Storage", "OfflineCode"},
    {"ServiceKit", "StorageSQLite", "StoragePostgreSQL"},
    {"StoreCopy", "GatewayService", "PolicyService", "RegistrationService", "ChallengeService", "VerifierService", "NotifierService",
     "Authenticator"},
    {"AuthenticatorHTTP"},
    {"LoadTest"},
    {"Admin", "LoadTestCommand", "Phone", "OfflineCodeCommand", "PushDoubleCommand", "PushLoad", "MessagingBench"},
]
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}
SERVICES = {module for module in LEVEL if module.endswith("Service")}
TEST_ONLY = {"TestSupport", "StorageConformance", "PushDouble"}

# What may be imported by whom alone, and why. Tests may import anything.
EXCLUSIVE = [
    (r"Hummingbird\w*", {"GatewayService"}, "HTTP has one edge; the services behind it speak messages"),
    (r"GRDB\w*", {"StorageSQLite"}, "SQL has one home; records speak Domain's terms"),
    (r"CPostgreSQL", {"StoragePostgreSQL"}, "SQL has one home; records speak Domain's terms"),
    (r"CZeroMQ", {"Messaging", "MessagingBench"}, "sockets belong to one owner"),
    (r"COpenSSL", {"Secrets"}, "secrets at rest have one home"),
    (r"CQREncode", {"GatewayService"}, "QR codes are drawn at the edge"),
    (r"Mustache", {"GatewayService"}, "pages are rendered at the edge"),
    (r"CZlib", {"GatewayService", "LoadTest"}, "pages and histograms are compressed, nothing else"),
    (r"AsyncHTTPClient", {"NotifierService", "ServiceKit", "AuthenticatorHTTP", "Admin", "LoadTest"},
     "only wake-ups, spans, the phone and the operator's tool leave over HTTP"),
    (r"Storage(SQLite|PostgreSQL)", {"services", "StoreCopy", "TestSupport", "PushLoad"},
     "a storage back end is chosen where a process is put together"),
    (r"PushDouble", TEST_ONLY | {"PushDoubleCommand"}, "a provider's double is no part of the product"),
    (r"TestSupport|StorageConformance", TEST_ONLY, "what tests share is no part of the product"),
]

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|typealias|let|var)\s+)?(\w+)", re.M)


def module_of(path):
    """The module that a source belongs to; `services` for the executables, None for tests and the manifest."""
    parts = path.split("/")
    if parts[0] == "Sources" and len(parts) > 2:
        return parts[1]
    return "services" if parts[0] == "services" else None


def check_layers(files):
    for path, text in swift(files):
        module = module_of(path)
        if module is None:
            continue
        for imported in sorted(set(IMPORT.findall(code(text)))):
            fault = forbidden_edge(module, imported)
            if fault:
                yield f"{path}: {module} imports {imported}: {fault}"


def forbidden_edge(module, imported):
    if module == "Domain":
        return "Domain is pure and imports nothing"
    for pattern, importers, reason in EXCLUSIVE:
        if re.fullmatch(pattern, imported) and module not in importers:
            return reason
    if module in TEST_ONLY:
        return None
    if module in SERVICES and imported in SERVICES:
        return "services meet in Wire alone"
    level = len(LAYERS) if module == "services" else LEVEL.get(module)
    if level is None:
        return "the module has no layer: give it one in Tests/Checks/check.py"
    if imported in LEVEL and LEVEL[imported] >= level:
        return "a module imports only what is below it"
    return None


# Runs on a phone as on a server.
PORTABLE = {"Domain", "Proofs", "DeviceAPI", "Authenticator", "AuthenticatorHTTP", "OfflineCode"}
GLIBC = re.compile(r"^[ \t]*(?:(?:public|package|internal)[ \t]+)?import[ \t]+Glibc\b", re.M)


def check_portability(files):
    for path, text in swift(files):
        if module_of(path) in PORTABLE and GLIBC.search(re.sub(r"#if canImport\(Glibc\)\n.*?#else\b", "", code(text), flags=re.S)):
            yield f"{path}: imports Glibc on every system; #if canImport(Glibc), and something else where it is not"


# --- owners -----------------------------------------------------------------------------------------------------------

OWNER_WORDS = ("Owns:", "Must not know:", "Start reading")


def check_owners(files):
    """Each module has a file that begins with what the module owns, what it must not know, and where to start."""
    headers = {}
    for path, text in swift(files):
        if path.startswith("Sources/"):
            header = " ".join(line.removeprefix("//").strip() for line in re.match(r"(?://(?!/)[^\n]*\n)*", text).group().splitlines())
            headers.setdefault(module_of(path), []).append(header)
    for module, texts in sorted(headers.items()):
        if not any(all(word in text for word in OWNER_WORDS) for text in texts):
            yield f"Sources/{module}: no file begins with {', '.join(OWNER_WORDS)}"


# --- names ------------------------------------------------------------------------------------------------------------

FORBIDDEN_WORDS = {"Utils", "Helper", "Manager", "Misc", "Common", "Base", "Extensions", "New", "Impl"}
TYPE = re.compile(r"\b(?:struct|class|enum|actor|protocol|typealias|associatedtype)\s+([A-Z]\w*)")


def forbidden_words(name):
    """Words of a CamelCase name; a word with digits behind it, as in Base32, is another word."""
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z]+\d*", name)
    return sorted({word for word in words for bad in FORBIDDEN_WORDS if word in (bad, bad + "s")})


def check_names(files):
    for path, text in swift(files):
        names = [pathlib.PurePosixPath(path).stem] + path.split("/")[1:-1] + TYPE.findall(code(text))
        for name in dict.fromkeys(names):
            for word in forbidden_words(name):
                yield f"{path}: {name} is named after nothing: {word}"


# --- constructs -------------------------------------------------------------------------------------------------------

CONSTRUCTS = [
    (r"\btry!", set(), "an error that cannot happen still needs an answer"),
    (r"\bas!", set(), "a cast may fail"),
    (r"\bnonisolated\s*\(\s*unsafe\s*\)", set(), "the compiler must see why it is safe"),
    (r"\bfatalError\b", set(), "preconditionFailure with a sentence, and only for a programmer's error"),
    (r"@unchecked\s+Sendable\b", {"Messaging"}, "only where sockets and connections need it"),
    (r"\bprint\s*\(", {"Admin", "LoadTestCommand", "MessagingBench", "Phone", "OfflineCodeCommand", "PushDoubleCommand", "PushLoad"},
     "processes log; only commands print"),
]


def check_constructs(files):
    for path, text in swift(files):
        module = module_of(path)
        if module is None:
            continue
        for number, line in enumerate(code(text).split("\n"), 1):
            for pattern, allowed, reason in CONSTRUCTS:
                if module not in allowed and re.search(pattern, line):
                    yield f"{path}:{number}: {re.search(pattern, line).group().strip()}: {reason}"


# --- sizes ------------------------------------------------------------------------------------------------------------

def check_sizes(files):
    executables = {}
    for path, text in files.items():
        lines = text.count("\n")
        if path.endswith((".swift", ".py")) and "/Generated/" not in path and lines > LINES_MAX:
            yield f"{path}: {lines} lines; split it by {LINES_MAX}"
        if path == "Makefile" and lines > MAKEFILE_LINES_MAX:
            yield f"{path}: {lines} lines; {MAKEFILE_LINES_MAX} at most"
        if path.startswith("services/") and path.endswith(".swift"):
            folder = path.split("/")[1]
            executables[folder] = executables.get(folder, 0) + lines
    for folder, lines in sorted(executables.items()):
        if lines > EXECUTABLE_LINES_MAX:
            yield f"services/{folder}: {lines} lines of Swift; a main file only wires, in {EXECUTABLE_LINES_MAX} at most"


# --- words ------------------------------------------------------------------------------------------------------------

# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME)\b")
OUTSIDE = re.compile("/wo" + r"rk/|\.\./sha" + "red")


def check_words(files):
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if UNFINISHED.search(line):
                yield f"{path}:{number}: finish it, or write down why not where it is decided"
            if OUTSIDE.search(line):
                yield f"{path}:{number}: a path outside of this repository"


# --- documents --------------------------------------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)\s]+)\)")


def check_links(files):
    folders = {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents}
    for path, text in files.items():
        if not path.endswith(".md"):
            continue
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:|#", target):
                continue
            resolved = resolve(path, target.split("#")[0])
            if resolved not in files and resolved not in folders:
                yield f"{path}: there is no {target}"


def resolve(path, target):
    parts = []
    for part in (pathlib.PurePosixPath(path).parent / target).parts:
        if part == "..":
            parts = parts[:-1] if parts else ["outside"]
        else:
            parts.append(part)
    return "/".join(parts) or "."


# --- configuration ----------------------------------------------------------------------------------------------------

def load_script(name):
    """A program of `scripts` as a module; nothing is written beside it."""
    path = str(ROOT / "scripts" / name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def check_configuration(files):
    """The reference says what the services' files say, which `make test` holds to the programs."""
    reference = load_script("configuration")
    if files.get(reference.DOCUMENT) != reference.document(files):
        yield f"{reference.DOCUMENT}: is not what services/*/*.yaml say: scripts/configuration writes it"


# --- format -----------------------------------------------------------------------------------------------------------

def check_format(files):
    """swift-format, strict, with the repository's own rules; on copies, so that the self-test can use it too."""
    sources = {path: text for path, text in swift(files)}
    if not sources:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, text in sources.items():
            target = pathlib.Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        run = subprocess.run(
            ["swift", "format", "lint", "--strict", "--parallel", "--configuration", ROOT / ".swift-format", "--recursive",
             folder], capture_output=True, text=True)
        for line in (run.stdout + run.stderr).splitlines():
            if re.search(r": (error|warning): ", line):
                yield line.replace(folder + "/", "")
        if run.returncode not in (0, 1):
            yield f"swift format ended with status {run.returncode}"


# --- machinery --------------------------------------------------------------------------------------------------------

NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|#"""(?:.*?)"""#|#"[^\n]*?"#|"""(?:\\.|.)*?"""|"(?:\\.|[^"\\\n])*"', re.S)


# --- documented code ---------------------------------------------------------------------------------------------------

COMPILED = {"docs/sdk.md": "Tests/AuthenticatorTests/DocumentedUse.swift"}


def check_documented_code(files):
    """Code that a document shows stands in a file that is compiled, whatever its indentation there."""
    for document, path in COMPILED.items():
        compiled = " ".join(files.get(path, "").split())
        for block in re.findall(r"^```swift\n(.*?)^```", files.get(document, ""), flags=re.M | re.S):
            shown = " ".join(line for line in block.splitlines() if not line.startswith("import "))
            if " ".join(shown.split()) not in compiled:
                yield f"{document}: the code that begins with `{shown.split(' ', 1)[0]} …` is not that of {path}"


# --- scripts of the pages -----------------------------------------------------------------------------------------------

SCRIPT_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
SCRIPT_EXPORT = re.compile(r"export (?:async )?(?:const|let|function\*?|class) (\w+)")
# Imported, declared, unpacked, or a parameter.
SCRIPT_NAMED = (
    r"import \{{[^}}]*\b{0}\b|(?:const|let|function|class) {0}\b|(?:const|let) [\[{{][^=;]*\b{0}\b|\([^()]*\b{0}\b[^()]*\)\s*(?:=>|\{{)|\b{0} =>"
)


def check_scripts(files):
    """No compiler looks at the pages' scripts: what one file exports, another uses only when it imports it."""
    scripts = {path: SCRIPT_NOT_CODE.sub("", text) for path, text in files.items() if path.startswith("Sources/GatewayService/Web/") and path.endswith(".js")}
    exported = {name for text in scripts.values() for name in SCRIPT_EXPORT.findall(text)}
    for path, text in scripts.items():
        for name in sorted(exported):
            uses = re.search(rf"(?<![\w.#$]){name}\b(?!\s*:[^:])", text)
            if uses and not re.search(SCRIPT_NAMED.format(name), text):
                yield f"{path} uses {name}, which it does not import"


def code(text):
    """Swift without comments and texts; every line stays where it was."""
    return NOT_CODE.sub(lambda match: "\n" * match.group().count("\n"), text)


def swift(files):
    return [(path, text) for path, text in files.items() if path.endswith(".swift") and "/Generated/" not in path]


def tracked():
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = {}
    for name in names.stdout.splitlines():
        path = ROOT / name
        if path.is_file():
            try:
                files[name] = path.read_text()
            except UnicodeDecodeError:
                files[name] = ""
    return files


CHECKS = [
    check_layers, check_portability, check_owners, check_names, check_constructs, check_sizes, check_words, check_links, check_configuration,
    check_documented_code, check_scripts, check_format,
]

OWNER = "// A module.\n//\n// Owns: this. Must not know:\n// that. Start reading here.\n\n"

YAML = 'bus:\n  # A folder. Must be a path.\n  keys: "k"  # default\npolicy:\n  # A time. Must be a time from 1s to 2s.\n  a: 1s  # default\n'

GOOD = {
    "Sources/Domain/Step.swift": OWNER + "/// A step; never a print(\"try!\").\npackage struct Base32Step: Sendable {}\n",
    "Sources/PolicyService/PolicyRoutes.swift": "import Domain\npackage import Wire\n",
    "Sources/PolicyService/PolicyService.swift": OWNER + "import Domain\n",
    "Sources/Messaging/Reactor.swift": OWNER + "import CZeroMQ\n\nfinal class Reactor: @unchecked Sendable {}\n",
    "Sources/Proofs/Clock.swift": OWNER + "#if canImport(Glibc)\nimport Glibc\n#else\nimport Darwin\n#endif\n",
    "services/policy/policy.yaml": YAML,
    "docs/configuration.md": load_script("configuration").document({"services/policy/policy.yaml": YAML}),
    "docs/protocol/http.md": "", "docs/protocol/messaging.md": "", "docs/operations.md": "", "services/policy/README.md": "",
    "services/policy/PolicyMain.swift": "import PolicyService\nimport StorageSQLite\n",
    "docs/sdk.md": "```swift\nimport A\n\nlet a = b\n```\n",
    "Tests/AuthenticatorTests/DocumentedUse.swift": "enum C {\n    static func d() {\n        let a = b\n    }\n}\n",
    "Sources/GatewayService/Web/a.js": "export const shown = (hidden) => hidden.shown;\n",
    "Sources/GatewayService/Web/b.js": 'import { shown } from "./a.js";\nconst { hidden } = shown({ shown: 1 });  // shown\n',
    "docs/a.md": "[b](../README.md#x) [c](https://example.org)\n",
    "README.md": "words\n",
}

# The check, a sample that it must refuse, and what it must say.
BAD = [
    (check_documented_code, {"docs/sdk.md": "```swift\nimport A\n\nlet a = b\n```\n", "Tests/AuthenticatorTests/DocumentedUse.swift": "let a = c\n"}, "is not that of"),
    (check_layers, {"Sources/Domain/A.swift": "import Foundation\n"}, "imports nothing"),
    (check_layers, {"Sources/PolicyService/A.swift": "import Hummingbird\n"}, "one edge"),
    (check_layers, {"Sources/PolicyService/A.swift": "package import GRDB\n"}, "one home"),
    (check_layers, {"Sources/ServiceKit/A.swift": "import CZeroMQ\n"}, "one owner"),
    (check_layers, {"Sources/Proofs/A.swift": "@preconcurrency import COpenSSL\n"}, "one home"),
    (check_layers, {"Sources/PolicyService/A.swift": "import Mustache\n"}, "rendered at the edge"),
    (check_layers, {"Sources/ChallengeService/A.swift": "import AsyncHTTPClient\n"}, "over HTTP"),
    (check_layers, {"Sources/ChallengeService/A.swift": "import PolicyService\n"}, "Wire alone"),
    (check_layers, {"Sources/ChallengeService/A.swift": "import StorageSQLite\n"}, "put together"),
    (check_layers, {"Sources/Storage/A.swift": "import ServiceKit\n"}, "below it"),
    (check_layers, {"Sources/Telemetry/A.swift": "import struct Messaging.TraceContext\n"}, "below it"),
    (check_layers, {"Sources/ServiceKit/A.swift": "import TestSupport\n"}, "no part of the product"),
    (check_layers, {"Sources/NotifierService/A.swift": "import PushDouble\n"}, "a provider's double"),
    (check_layers, {"Sources/Fresh/A.swift": "import Domain\n"}, "no layer"),
    (check_portability, {"Sources/Proofs/A.swift": "import Glibc\n"}, "on every system"),
    (check_portability, {"Sources/Authenticator/A.swift": "#if canImport(Glibc)\nimport Glibc\n#else\n#endif\n  package import Glibc\n"}, "on every system"),
    (check_owners, {"Sources/Wire/A.swift": "// A module.\n// Owns: this. Start reading here.\n"}, "Must not know"),
    (check_owners, {"Sources/Wire/A.swift": "import Domain\n\n" + OWNER}, "Sources/Wire"),
    (check_names, {"Sources/Domain/StringUtils.swift": ""}, "Utils"),
    (check_names, {"Sources/Domain/String+Extensions.swift": ""}, "Extensions"),
    (check_names, {"Sources/Domain/A.swift": "struct DeviceManager {}\n"}, "Manager"),
    (check_names, {"Sources/Domain/A.swift": "enum A { final class BaseStep {} }\n"}, "Base"),
    (check_names, {"Sources/Domain/Helpers/A.swift": ""}, "Helpers"),
    (check_constructs, {"Sources/Wire/A.swift": "let a = try! b()\n"}, "A.swift:1"),
    (check_constructs, {"Sources/Wire/A.swift": "\nlet a = b as! C\n"}, "A.swift:2"),
    (check_constructs, {"Sources/Wire/A.swift": "nonisolated(unsafe) var a = 1\n"}, "compiler"),
    (check_constructs, {"services/policy/A.swift": "fatalError()\n"}, "preconditionFailure"),
    (check_constructs, {"Sources/Secrets/A.swift": "class A: @unchecked Sendable {}\n"}, "connections"),
    (check_constructs, {"Sources/Secrets/A.swift": "print(1)\n"}, "commands print"),
    (check_sizes, {"Sources/Wire/A.swift": "\n" * (LINES_MAX + 1)}, "split it"),
    (check_sizes, {"services/policy/A.swift": "\n" * 50, "services/policy/B.swift": "\n" * 31}, "only wires"),
    (check_sizes, {"Makefile": "\n" * (MAKEFILE_LINES_MAX + 1)}, "at most"),
    (check_words, {"scripts/a": "# TO" + "DO: later\n"}, "finish it"),
    (check_words, {"README.md": "FIX" + "ME\n"}, "finish it"),
    (check_words, {"README.md": "see /wo" + "rk/notes\n"}, "outside"),
    (check_words, {"docs/a.md": "see ../sha" + "red/notes\n"}, "outside"),
    (check_links, {"docs/a.md": "[b](b.md)\n"}, "there is no b.md"),
    (check_links, {"README.md": "[b](../b.md)\n"}, "there is no"),
    (check_configuration, {"services/policy/policy.yaml": YAML, "docs/configuration.md": "words\n"}, "scripts/configuration writes it"),
    (check_scripts, {"Sources/GatewayService/Web/a.js": "export const a = 1;\n", "Sources/GatewayService/Web/b.js": "b(a);\n"}, "does not import"),
    (check_format, {"Sources/Wire/A.swift": "struct A {\n  let a = 1\n}\n"}, "Indentation"),
    (check_format, {"Sources/Wire/A.swift": "// " + "a" * 118 + "\nlet a = 1; let b = 2\n"}, "error"),
]


def self_test():
    faults = []
    for check in CHECKS:
        faults += [f"{check.__name__} refuses the good sample: {fault}" for fault in check(GOOD)]
        if check not in {bad[0] for bad in BAD}:
            faults.append(f"{check.__name__} has no bad sample")
    for check, sample, expected in BAD:
        found = list(check(sample))
        if not any(expected in fault for fault in found):
            faults.append(f"{check.__name__} did not say '{expected}' of {list(sample)}: {found}")
    return faults


def main(arguments):
    if arguments == ["--self-test"]:
        faults, done = self_test(), f"self-test: {len(BAD)} bad samples were refused"
    elif not arguments:
        files = tracked()
        faults, done = [fault for check in CHECKS for fault in check(files)], f"{len(files)} files pass {len(CHECKS)} checks"
    else:
        print(__doc__, file=sys.stderr)
        return 64
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(faults)} faults" if faults else done)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
