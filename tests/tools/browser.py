# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven over its debugging pipe; the standard library is
enough. Collects what a page writes to the console, its errors, and requests.

    with Browser() as b:
        b.open(path)
        b.js("document.title")
        b.shot("page.png")
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome",
         "google-chrome-stable", "chrome")


def program():
    """The browser's path; None where there is none."""
    given = os.environ.get("O2C_BROWSER")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self, width=1400, height=900):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.last, self.events, self.session = 0, [], None
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        # The browser reads commands from 3 and writes answers to 4.
        start = (f'exec "$0" "$@" 3<&{read_there} 4>&{write_there}')
        self.process = subprocess.Popen(
            ["bash", "-c", start, program(), "--headless=new",
             "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--hide-scrollbars",
             f"--window-size={width},{height}",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(read_there, write_there), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_there)
        os.close(write_there)
        self.answers = os.fdopen(read_here, "rb")
        self.commands = os.fdopen(write_here, "wb")
        self.rest = b""
        self.attach()
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send("Browser.close")
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.profile.cleanup()

    def attach(self):
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=page["targetId"])["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def send(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        self.commands.flush()

    def receive(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers.fileno(), 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.send(method, **params)
        wanted = self.last
        while True:
            answer = self.receive()
            if answer.get("id") == wanted:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def open(self, path):
        self.events = []
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while not any(e["method"] == "Page.loadEventFired"
                      for e in self.events):
            answer = self.receive()
            if "method" in answer:
                self.events.append(answer)

    def js(self, text):
        result = self.call("Runtime.evaluate", expression=text,
                           returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{text}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, name, text=None):
        key = {"key": name, "code": name}
        if text:
            key["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name)

    def write(self, text):
        self.call("Input.insertText", text=text)

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="left", clickCount=1)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if on else
             "light"}])

    def shot(self, path):
        png = self.call("Page.captureScreenshot")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(png))

    def complaints(self):
        """Errors, warnings and dialogs since the page was opened."""
        said = []
        for e in self.events:
            p = e["params"]
            if e["method"] == "Runtime.exceptionThrown":
                said.append(str(p["exceptionDetails"])[:500])
            elif e["method"] == "Runtime.consoleAPICalled":
                said.append(str(p["args"])[:500])
            elif e["method"] == "Log.entryAdded":
                said.append(p["entry"]["text"])
            elif e["method"] == "Page.javascriptDialogOpening":
                said.append("dialog: " + p["message"])
        return said

    def requests(self):
        """What it asked for, but itself and data in it."""
        urls = [e["params"]["request"]["url"] for e in self.events
                if e["method"] == "Network.requestWillBeSent"]
        return [u for u in urls[1:] if not u.startswith("data:")]
