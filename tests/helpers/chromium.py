"""A headless Chromium, controlled through a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.helpers import servers
from tests.helpers.running import PATIENCE, wait_until
from tests.helpers.sources import Log

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # its sandbox refuses to run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--remote-debugging-pipe",
)
_FOLDERS = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
"""Variables with the names of directories in which it leaves files."""


class Chromium:
    """A browser process; ``page`` opens a URL in its own tab."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chromium-")
        own = dict.fromkeys(_FOLDERS, self._folder.name)
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        command = [servers.path("chromium"), *_ARGUMENTS, f"--user-data-dir={self._folder.name}", "about:blank"]
        # It reads commands from the descriptor 3 and writes to 4, each message ended by a NUL.
        descriptors = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
        log_file = Path(self._folder.name) / "chromium.log"
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{descriptors[0]} 4>&{descriptors[1]}', "chromium", *command],
                pass_fds=descriptors,
                env=os.environ | own,
                start_new_session=True,  # a group of its own, which ends as a whole
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for end in (to_browser, from_browser, *descriptors):
            os.close(end)
        self._watched = Log(self._process, log_file)
        self._watched.watch()
        self._lock = threading.Lock()
        self._answers: dict[int, dict[str, Any]] = {}
        self._last = 0
        self._listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._watched.end()
        os.close(self._out)
        self._reader.join(PATIENCE)
        os.close(self._in)
        wait_until(self._cleaned_up, "the folder of Chromium to be gone")

    def _cleaned_up(self) -> bool:
        """Return whether its directory is removed, to which its last process may still have written."""
        with contextlib.suppress(OSError):
            self._folder.cleanup()
        return not Path(self._folder.name).exists()

    def page(self, url: str, width: int, height: int = 900, *, dark: bool = False, scripts: bool = True) -> Page:
        """Return a tab that has loaded ``url``."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        self._listeners[session] = page.heard
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Network.setCacheDisabled", {"cacheDisabled": True})
        page.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", {"features": [scheme]})
        if not scripts:
            page.call("Emulation.setScriptExecutionDisabled", {"value": True})
        page.open(url)
        return page

    def call(self, method: str, arguments: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """Return the browser's response to a command."""
        with self._lock:
            self._last += 1
            number = self._last
            command: dict[str, Any] = {"id": number, "method": method, "params": arguments or {}}
            if session:
                command["sessionId"] = session
            data = json.dumps(command).encode() + b"\0"
            while data:
                data = data[os.write(self._out, data) :]
        wait_until(lambda: number in self._answers, f"the answer of Chromium to {method}")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"Chromium refuses {method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> None:
        buffer = b""
        while piece := os.read(self._in, 1 << 16):
            *messages, buffer = (buffer + piece).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers[message["id"]] = message
                elif listener := self._listeners.get(message.get("sessionId", "")):
                    listener(message["method"], message["params"])


class Page:
    """A tab. ``hosts`` are all hosts that it contacted, ``complaints`` the messages in its console."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        self._loads = 0
        self.hosts: set[str] = set()
        self.paths: list[str] = []
        self.complaints: list[str] = []

    def heard(self, method: str, event: dict[str, Any]) -> None:
        """Record an event of the tab."""
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Network.requestWillBeSent":
            address = urlsplit(event["request"]["url"])
            if address.scheme != "data":
                self.hosts.add(address.netloc)
                self.paths.append(address.path)
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(event["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(str(event["entry"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(event["args"]))

    def call(self, method: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the browser's response to a command for this tab."""
        return self._browser.call(method, arguments, self._session)

    def open(self, url: str) -> None:
        """Load ``url`` completely."""
        before = self._loads
        self.call("Page.navigate", {"url": url})
        wait_until(lambda: self._loads > before, f"{url} to be loaded")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the tab."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", size)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, which may be a promise."""
        arguments = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", arguments)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """Return the visible text of an element."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str) -> None:
        """Press and release a key, such as Tab."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
            self.call("Input.dispatchKeyEvent", event | ({"text": "\r"} if key == "Enter" else {}))

    def picture(self, start: str = "html", end: str = "") -> bytes:
        """Return a PNG of the element ``start``, or of the area from its start to the end of another one."""
        box = "document.querySelector({}).getBoundingClientRect()"
        x, y, width = self.evaluate(f"(({{x, y, width}}) => [x, y, width])({box.format(json.dumps(start))})")
        bottom = self.evaluate(f"{box.format(json.dumps(end or start))}.bottom")
        clip = {"x": x, "y": y, "width": width, "height": bottom - y, "scale": 1}
        arguments = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        return base64.b64decode(self.call("Page.captureScreenshot", arguments)["data"])
