"""People with phones, put into a store by SQL: as many as one likes, in seconds. Each has a key and a code secret of its own."""

import collections.abc
import dataclasses
import hashlib
import itertools
import os
import sqlite3
import time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from client import Phone, b64u
from stack import Stack

BATCH = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    username: str
    person: str
    device: str
    key: ec.EllipticCurvePrivateKey
    code_secret: bytes


class LightPhone(Phone):
    """A member's phone without connections of its own: it signs, and somebody else sends."""

    def __init__(self, member: Member, demo: dict):
        self.key, self.id, self.clock_offset = member.key, member.device, 0
        self.base, self.tenant = demo["base"], demo["tenant"]


def members(prefix: str, count: int) -> collections.abc.Iterator[Member]:
    for index in range(count):
        yield Member(f"{prefix}-{index}", fresh(), fresh(), ec.generate_private_key(ec.SECP256R1()), os.urandom(20))


def fresh() -> str:
    """An id as the services make them: 128 random bits that do not begin with a hyphen."""
    while (text := b64u(os.urandom(16))).startswith("-"):
        pass
    return text


class Sealer:
    """Registration's own sealing (Sources/Secrets/Sealer.swift): `version | key id | nonce | AES-256-GCM`, bound to a purpose."""

    def __init__(self, stack: Stack):
        line = next(line for line in (stack.var / "keys/registration.sealing.key").read_text().splitlines() if line and not line.startswith("#"))
        key = bytes.fromhex(line)
        self.header, self.cipher = b"\x01" + hashlib.sha256(key).digest()[:4], AESGCM(key)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        nonce = os.urandom(12)
        return self.header + nonce + self.cipher.encrypt(nonce, plain, self.header + purpose.encode())


def add(stack: Stack, people: collections.abc.Iterable[Member], tenant: str = "demo") -> None:
    """Active people with an active phone that is set up for phone sign-in. Nobody may have the store open."""
    sealer, now = Sealer(stack), int(time.time() * 1000)

    def device(member: Member) -> dict:
        key = member.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "tenant": tenant, "id": member.device, "person": member.person, "name": "bench", "platform": "cli", "os_version": "1", "app_version": "1",
            "push_transport": "none", "push_sealed": sealer.seal(b"", f"registration push {tenant}/{member.device}"), "state": "active",
            "phone_sign_in_at": now, "is_exclusive": 1, "granted_until": None, "created_at": now, "last_used_at": now, "public_key": key,
            "key_digest": hashlib.sha256(key).digest(), "challenge": fresh(), "code_algorithm": "SHA1", "code_digits": 6, "code_period": 30,
            "code_sealed": sealer.seal(member.code_secret, f"registration offline-code {tenant}/{member.device}"),
        }

    def person(member: Member) -> dict:
        return {
            "tenant": tenant, "id": member.person, "username": member.username, "folded_username": member.username, "display_name": member.username,
            "folded_display_name": member.username, "password_hash": None, "is_blocked": 0, "roles": "[]", "created_at": now, "default_method": None,
        }

    with Filling(stack, "registration") as store:
        iterator = iter(people)
        while batch := list(itertools.islice(iterator, BATCH)):
            store.insert("person", map(person, batch))
            store.insert("device", map(device, batch))


class Filling:
    """A service's SQLite file, open for many rows at once: nothing is synchronised before the end."""

    def __init__(self, stack: Stack, service: str):
        self.path = stack.var / service / f"{service}.sqlite"

    def __enter__(self) -> "Filling":
        self.database = sqlite3.connect(self.path, isolation_level=None)
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("PRAGMA cache_size = -1000000")
        return self

    def __exit__(self, *_):
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        # What the next process opens is on disk, so that it does not pay for this.
        os.sync()

    def insert(self, table: str, rows: collections.abc.Iterable[dict]) -> None:
        rows = iter(rows)
        first = next(rows)
        columns, values = ", ".join(first), ", ".join(f":{name}" for name in first)
        self.execute_many(f"INSERT INTO {table} ({columns}) VALUES ({values})", itertools.chain([first], rows))

    def execute_many(self, statement: str, rows) -> None:
        self.database.execute("BEGIN")
        self.database.executemany(statement, rows)
        self.database.execute("COMMIT")
