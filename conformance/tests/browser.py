"""The browser that pages are shown by, where there is one."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def noted(page: str, script: str, folder: Path, fragment: str = "") -> Any:
    """What a script that is added to a page, and runs when it is loaded, gives to the function ``note``."""
    file = folder / "page.html"
    added = f"""<script>
    const note = (seen) => {{
      const log = document.createElement("pre");
      log.id = "log";
      log.textContent = JSON.stringify(seen);
      document.body.append(log);
    }};
    addEventListener("load", () => {{ {script} }});
    </script></body>"""
    file.write_text(page.replace("</body>", added), encoding="utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=500,900"]
    command += ["--virtual-time-budget=5000"]  # timers run before the page is taken
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri() + fragment]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'<pre id="log">(.*?)</pre>', shown, re.DOTALL)
    assert found, shown[-2000:]
    return json.loads(html.unescape(found.group(1)))
