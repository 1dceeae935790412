"""Takes the pictures of the dashboard: a system under load, scraped by a real Prometheus, and each panel drawn by its own queries.

    python Tests/dashboard_pictures.py FOLDER

Writes FOLDER/dashboard.png, what people, HTTP and phones do, and FOLDER/dashboard-processes.png, the rest.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

from drawing import page
from stack import BIN
from watched import DASHBOARD, Watched, filled_in

LOAD = [
    "--people", "24", "--answer-time", "1s", "--mix", "approve=82,decline=6,wrong-number=4,no-answer=4,code=4",
    "--phase", "calm 3/s for 40s", "--phase", "rising 3..9/s for 60s", "--phase", "ebb 4/s for 40s",
]
STEP = 2
WIDTH = 1600


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        stack = Watched(pathlib.Path(place) / "var").start()
        try:
            start = time.time()
            subprocess.run([BIN / "countersign-loadtest", "--demo", stack.var / "demo.json", *LOAD], check=True)
            end = time.time()
            # The row that divides the two.
            middle = next(panel["gridPos"]["y"] for panel in DASHBOARD["panels"] if panel["title"] == "Messages")
            ask = lambda query: stack.query_range(filled_in(query, "10s"), start, end, STEP)
            take(page(DASHBOARD, ask, (start, end), (0, middle)), folder / "dashboard.png")
            take(page(DASHBOARD, ask, (start, end), (middle, 10_000)), folder / "dashboard-processes.png")
        finally:
            stack.stop()


def take(text: str, path: pathlib.Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900})
        tab.set_content(text)
        tab.screenshot(path=path, full_page=True)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
