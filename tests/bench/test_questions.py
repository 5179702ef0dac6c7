"""Each question is asked at a tiny size, from the command line, and writes what it found."""

import json
import os
import subprocess
import sys

import pytest

from bench.__main__ import QUESTIONS
from tests.processes import ROOT


def _ask(tmp_path, *questions):
    # It brings servers of its own, and drops databases there.
    others = ("DATABASE_URL", "CELERY_BROKER_URL", "PRESSROOM_VAR_DIR")
    env = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--size", "tiny", *questions],
        cwd=ROOT,
        env={**env, "BENCH_RESULTS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in questions}


@pytest.mark.slow
def test_a_question_writes_its_figures_with_all_that_they_depend_on(tmp_path):
    found = _ask(tmp_path, "recompute")["recompute"]
    assert found["command"] == "python -m bench --size tiny recompute"
    assert found["figures"]["invoices"] == 1000
    assert [bar["verdict"] for bar in found["bars"]] == ["not measured"]
    for name in ("date", "machine", "python", "load", "versions", "size"):
        assert found[name], name
    assert found["versions"]["postgresql"]


@pytest.mark.slow
def test_every_question_is_answered(tmp_path):
    for name, found in _ask(tmp_path, *QUESTIONS).items():
        assert found["question"] == name
        assert found["bars"]
        assert found["figures"] or found["curves"]
