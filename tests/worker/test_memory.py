"""What a process holds in memory, read from the system."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import eventually
from worker.memory import resident_kb

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="not Linux")


def test_this_process_holds_some_megabytes():
    assert 10_000 < resident_kb(os.getpid()) < 10_000_000


def test_one_that_has_ended_holds_nothing_though_nobody_has_asked_how_it_ended():
    with subprocess.Popen(["true"]) as ended:
        status = Path(f"/proc/{ended.pid}/status")
        eventually(lambda: "State:\tZ" in status.read_text())
        assert resident_kb(ended.pid) == 0
    assert resident_kb(ended.pid) == 0
