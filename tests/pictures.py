"""The pictures in the documents: the report and the page of `migrate serve`, as the machine's Chromium shows them.

To renew them after a change of either page, `python tests/pictures.py`, then look at them. The export is `planted`, so
that there is something to see; it lies in a folder `acme` for what is temporary, which is emptied.
"""

import shutil
import tempfile
from pathlib import Path

from browser import browsing, looking
from commands import KEY, apart
from planted import write
from samples import SAMPLES
from serving.test_browser import served

from migrate.sandbox.server import Sandbox

FOLDER = Path(tempfile.gettempdir()) / "acme"
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SPEC = 'channel = "utm_source"'
CHANGED = 'channel = "campaign"'


def main():
    """Make them all."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    PICTURES.mkdir(exist_ok=True)
    write(FOLDER / "exports")
    shutil.copytree(SAMPLES / "table", FOLDER / "table")
    env = {"POSTHOG_API_KEY": KEY}
    with Sandbox() as posthog, browsing() as browser:
        done = apart(
            "run",
            "amplitude",
            "exports",
            "--workdir",
            "acme",
            "--host",
            posthog.url,
            "--yes",
            cwd=FOLDER,
            env=env,
        )
        assert done.returncode == 3, done.stderr
        report = (FOLDER / "acme" / "report.html").as_uri()
        _picture(browser, report, "report", "#verdict")
        _picture(browser, report, "report-days", "#days", dark=True)
        _picture(browser, report, "report-people", "#people")
        with (
            served("table", "table/orders.csv", "--spec", "table/spec.toml", cwd=FOLDER) as address,
            looking(browser, address, width=1280, height=900) as looked,
        ):
            looked.page.wait_for_selector("#rows .row")
            text = looked.page.input_value("#text")
            looked.page.fill("#text", text.replace(SPEC, CHANGED))
            looked.page.wait_for_selector(".tag")
            looked.page.screenshot(path=PICTURES / "serve.png")


def _picture(browser, address, name, section, *, dark=False):
    """Take a picture of one section of a page."""
    with looking(browser, address, dark=dark, width=1100, height=900) as looked:
        looked.page.eval_on_selector(section, "one => one.scrollIntoView({behavior: 'instant'})")
        looked.page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
