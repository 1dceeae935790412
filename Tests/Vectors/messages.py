"""Writes down the bodies of a version of the bus, with an encoder that is not ours: each request and its reply with all of their fields set.

Run once for a version, on its schemas: python3 Tests/Vectors/messages.py Sources/Wire > Tests/Vectors/messages/<version>.txt"""

import pathlib
import re
import sys

FIELD = re.compile(r"(repeated |optional )?(map<string, string>|\w+) (\w+) = (\d+);")
METHOD = re.compile(r"extension (\w+): ServiceRequest \{\s*package typealias Reply = (?:Wire\.)?(\w+)\s*package static let method = Method\(\s*(\d+)")


def messages(schema: str) -> dict[str, list[tuple[str, str, str, int]]]:
    """The fields of each message: label, type, name, number."""
    schema = re.sub(r"//.*", "", schema)
    found = {}
    for name, fields in re.findall(r"message (\w+) \{([^}]*)\}", schema):
        found[name] = [(label.strip(), kind, field, int(number)) for label, kind, field, number in FIELD.findall(fields)]
        assert len(found[name]) == fields.count(";"), f"{name} has a field that is not understood"
    assert len(found) == len(re.findall(r"\bmessage ", schema))
    return found


def varint(value: int) -> bytes:
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def delimited(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def body(name: str, known: dict) -> bytes:
    """Every field says its own name, or its number where it holds one; whatever is repeated is there twice."""
    encoded = b""
    for label, kind, field, number in sorted(known[name], key=lambda field: field[3]):
        for turn in range(2 if label == "repeated" else 1):
            text = f"{field} {turn}".encode()
            match kind:
                case "string" | "bytes":
                    encoded += delimited(number, text)
                case "map<string, string>":
                    encoded += delimited(number, delimited(1, b"name") + delimited(2, text))
                case "bool":
                    encoded += varint(number << 3) + b"\1"
                case "uint32" | "uint64" | "int64":
                    encoded += varint(number << 3) + varint((1_000 if kind == "uint32" else 1 << 40) + number)
                case _:
                    encoded += delimited(number, body(kind, known))
    return encoded


def main(wire: pathlib.Path) -> None:
    known = messages("".join(path.read_text() for path in sorted((wire / "Schemas").glob("*.proto"))))
    methods = METHOD.findall((wire / "Requests.swift").read_text())
    print("# method request reply: number and names, then both bodies in hexadecimal")
    for request, reply, number in sorted(methods, key=lambda method: int(method[2])):
        print(number, request, reply, body(request, known).hex() or "-", body(reply, known).hex() or "-")


main(pathlib.Path(sys.argv[1]))
