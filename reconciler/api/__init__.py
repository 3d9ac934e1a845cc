"""The one HTTP client of NetBird's management API: authentication, retries, pacing, errors.

`client` has the two clients (`ReadApi` cannot send anything but GET), `problems` what they raise, `paths` builds their paths.
"""

import sys

# httpx imports its own command line (rich, pygments, click) whenever those are installed, as they are here: 170 ms of start-up.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how Python marks what must not be imported
