"""`make chaos` in short: every part is a real process, faults strike, and the books are read."""

import pytest

from tests.chaos.runs import chaos, damaged

pytestmark = pytest.mark.servers
PROMISES = 13


def test_after_eight_faults_in_bad_weather_every_promise_was_kept(tmp_path):
    code, report, _ = chaos(tmp_path, "--seed", "3", "--docs", "60", "--faults", "8", "--each", "8")
    assert damaged(report) == {}
    assert report["troubles"] == []
    assert len(report["books"]) == PROMISES
    assert len(report["faults"]) == 8
    assert all(fault["recovery"] is not None for fault in report["faults"])
    assert report["recovery"]["p99"] <= 60
    assert code == 0
