"""What holds for all tests."""

from __future__ import annotations

import pytest

# The walks compare in modules of their own, and their failures should show values, too.
pytest.register_assert_rewrite("tests.scenarios")
