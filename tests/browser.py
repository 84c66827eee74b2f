"""A real browser for tests that look at pages: the machine's own Chromium, driven by Playwright.

Where there is none such tests are passed over, and say so (`.ci/run` installs it where that may be done).
"""

import re
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run", "--no-sandbox"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""A browser of our own pages alone, which asks nobody else for anything."""


def program():
    """Where the machine's Chromium lies; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Looked:
    """A page that is looked at, what it asked for, and what its console says."""

    def __init__(self, page):
        self.page, self.asked, self.errors = page, [], []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message):
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def beyond(self, origin):
        """What it asked for of others than this one."""
        return [url for url in self.asked if not url.startswith(origin)]

    def is_too_wide(self):
        """Whether the page as a whole has to be scrolled sideways."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )

    def is_dark(self):
        """Whether the page's ground is dark."""
        colours = self.page.evaluate(
            "[document.body, document.documentElement].map(one => getComputedStyle(one).backgroundColor)"
        )
        red, green, blue, *_ = next(
            map(float, re.findall(r"[\d.]+", colour)) for colour in colours if not colour.endswith(", 0)")
        )
        return red + green + blue < 384


@contextmanager
def browsing():
    """A browser, as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*QUIET])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def looking(browser, url, *, dark=False, width=1200, height=900):
    """A page of its own with nothing of others in it, opened at an address."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
    try:
        looked = Looked(context.new_page())
        looked.page.goto(url)
        yield looked
    finally:
        context.close()


@pytest.fixture(scope="module")
def browser():
    """The machine's browser."""
    if program() is None:
        pytest.skip("no Chromium on this machine")
    with browsing() as found:
        yield found
