"""A real Chromium: the system's, which nothing has to be downloaded for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from support.chromium import chromium_path
from support.house import House, Tenant
from support.visitor import link_of

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
#: WCAG 2.2 AA, and what is good besides.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Whatever the page is to do by itself, it does within a second.
SOON_MS = 1000
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 760}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips where there is none, but for continuous integration, which has to have one."""
    path = chromium_path()
    if path is None:
        missing = "these tests need Chromium: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        # Its sandbox refuses root, which is who runs the tests in a container.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Operator:
    """Somebody at the page; whatever the page complains about is a failure."""

    def __init__(self, browser: Browser, house: House, tenant: Tenant, **options: Any) -> None:
        self._house, self._tenant = house, tenant
        context = browser.new_context(
            base_url=house.base_url, viewport=WIDE, locale="en-US", timezone_id="UTC", **options
        )
        context.set_default_timeout(10_000)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.on("console", self._heard)

    def sign_in(self) -> Page:
        """With a link, as it is printed."""
        self.page.goto(link_of(self._house, self._tenant))
        self.page.get_by_role("button", name="Open the inbox").click()
        self.page.wait_for_url("**/inbox")
        self.is_following()
        return self.page

    def is_following(self) -> None:
        """The page hears of what is new from now on."""
        self.page.wait_for_selector("html[data-following]", state="attached")

    def keep(self, name: str) -> Path:
        """A picture of what is seen, for people to look at."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path

    def barriers(self, *rules: str) -> list[str]:
        """What axe-core finds to keep people out, by all of its rules or by some."""
        run_only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _TAGS}
        found = Axe().run(self.page, options={"runOnly": run_only, "resultTypes": ["violations"]})
        return [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]

    def scrolls_sideways(self) -> bool:
        """Whether something is wider than the screen."""
        wide: bool = self.page.evaluate("document.scrollingElement.scrollWidth > innerWidth")
        return wide

    def leave(self) -> None:
        self.page.context.close()

    def _heard(self, message: Any) -> None:
        # A refused send is answered with 422, which the browser notes.
        if (
            message.type in ("error", "warning")
            and "status of 4" not in message.text
            and "net::ERR_FAILED" not in message.text
        ):
            self.complaints.append(message.text)
