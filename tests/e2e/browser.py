"""A real headless Chromium, where there is one, and `obra web` as a person starts it."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.obra import environment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "light"}
DESKTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}


@contextlib.contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *more])
        try:
            yield browser
        finally:
            browser.close()


class Served:
    """A running `obra web`."""

    def __init__(self, process: subprocess.Popen, url: str, link: str) -> None:
        self.process = process
        self.url = url
        self.link = link
        """Where the code that was printed leads; empty when none was."""

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]


@contextlib.contextmanager
def served(home: Path, data: Path, **env: str) -> Iterator[Served]:
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "obra_tui", "web", "--port", "0"],
        env={**environment(home), "OBRA_DATA_DIR": str(data), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=home,
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(("It is good for", "Another device")):
                break
        said = "".join(lines)
        url, link = re.search(r"served at (\S+)", said), re.search(r"or open (\S+)", said)
        assert url, said
        yield Served(process, url[1], link[1] if link else "")
    finally:
        process.terminate()
        rest = process.communicate(timeout=20)[0]
        assert "Traceback" not in rest, rest


def picture(page: Page, name: str) -> None:
    """Keep a picture for a person to look at, where OBRA_PICTURES names a folder."""
    folder = os.environ.get("PICTURES_OF_TESTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
