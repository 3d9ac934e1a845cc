"""Start-up: the client does not bring in what it does not use."""

from __future__ import annotations

import json
import subprocess
import sys


def test_the_client_brings_in_neither_a_command_line_nor_asyncio() -> None:
    code = "import json, sys, reconciler.api.client; print(json.dumps(sorted(sys.modules)))"
    modules = set(json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout))
    assert not modules & {"rich", "click", "pygments", "asyncio", "anyio"}


def test_problems_can_be_caught_without_an_http_library() -> None:
    code = "import sys, reconciler.api.problems, reconciler.api.paths; print('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"False\n"
