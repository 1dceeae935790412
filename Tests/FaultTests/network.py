"""Faults between processes, by packet filter rules of this network namespace, which holds nothing but the system under test."""

import contextlib
import subprocess
import threading


def _filter(*words: str) -> None:
    subprocess.run(["iptables", "-w", *words], check=True)


@contextlib.contextmanager
def rules(*wanted: str):
    """The rules are in force while the block runs, e.g. `--dport 7410 -j DROP`."""
    chain = [["INPUT", "-p", "tcp", *rule.split()] for rule in wanted]
    placed = []
    try:
        for rule in chain:
            _filter("-A", *rule)
            placed.append(rule)
        yield
    finally:
        for rule in placed:
            _filter("-D", *rule)


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


@contextlib.contextmanager
def resets(port: int, every: float, for_each: float):
    """Connections to the port are reset again and again."""
    over = threading.Event()

    def run():
        while not over.wait(every):
            with rules(f"--dport {port} -j REJECT --reject-with tcp-reset"):
                over.wait(for_each)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
