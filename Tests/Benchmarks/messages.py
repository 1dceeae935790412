"""P7: round trips through Messaging beside plain libzmq."""

import json
import pathlib
import subprocess
import tempfile

from stack import BIN, free_ports

from .report import Row, at_least, at_most, ratio
from .system import Run

WORDS = {"curve": "with CURVE, tcp", "none": "without, ipc"}


def round_trips(run: Run) -> list[Row]:
    seconds, rounds = run.choose((2, 5), (0.2, 1))
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "rows.json")
        command = [
            BIN / "countersign-messaging-bench", "--port", free_ports(), "--seconds", seconds, "--rounds", rounds, "--json", report,
            "--outstanding", 1, "--outstanding", 16, "--outstanding", 256,
        ]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, timeout=600)
        measured = json.loads(report.read_text())
    run.details["P7"] = {"rows": measured}
    return [row for pair in measured for row in compared(pair)]


def compared(pair: dict) -> list[Row]:
    """Messaging and libzmq under the same load: the rate, or with one request under way, how long it takes."""
    own, plain, count, how = pair["messaging"], pair["libzmq"], pair["outstanding"], WORDS[pair["security"]]
    if count == 1:
        times = own["p50Microseconds"], plain["p50Microseconds"]
        return [Row("P7", f"round trip, 1 under way, {how}", times[0], "µs", ratio(*times), at_most(1.5))]
    rates = own["roundTripsPerSecond"], plain["roundTripsPerSecond"]
    return [Row("P7", f"round trips, {count} under way, {how}", rates[0], "/s", ratio(*rates), at_least(0.5) if count == 256 else None)]
