"""The supervisor, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from worker.supervisor import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STEADY_AFTER,
    Child,
    Process,
    Supervisor,
    python,
    running,
)

ROOT = Path(__file__).parents[2]
SLEEPER = Process("sleeper", python("-c", "import time; time.sleep(60)"))
# It starts a child of its own, as a Celery worker does, and notes both pids.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(sys.argv[1], "a") as notes:
    notes.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
SUPERVISOR = """
import sys
from pathlib import Path
from worker.supervisor import Process, Supervisor
specs = [Process(str(n), [sys.executable, "-c", sys.argv[1], sys.argv[2]]) for n in range(2)]
sys.exit(Supervisor(specs, log_dir=Path(sys.argv[3]), grace=5).run_until_signalled())
"""


def is_gone(pid: int) -> bool:
    """Gone, or dead and waiting for somebody to read its exit code."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def eventually(condition: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def families(notes: Path) -> list[list[int]]:
    """[[pid, its child's pid], ...] in the order of their starts."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return [[int(word) for word in line.split()] for line in lines]


def all_gone(pids: list[list[int]]) -> bool:
    return all(is_gone(pid) for pair in pids for pid in pair)


def family(notes: Path) -> Process:
    return Process("family", python("-c", FAMILY, str(notes)))


def hopeless() -> Child:
    return Child(Process("hopeless", python("-c", "raise SystemExit(3)")), None)


def dies(child: Child) -> None:
    assert eventually(lambda: not child.alive)


def test_all_run_inside_the_block_and_none_after_it():
    with running([SLEEPER, SLEEPER]) as supervisor:
        assert eventually(lambda: all(child.alive for child in supervisor.children))
        pids = [child.pid for child in supervisor.children]
    assert all(is_gone(pid) for pid in pids)


def test_a_killed_child_is_started_again_and_its_own_children_are_swept(tmp_path):
    notes = tmp_path / "notes"
    with running([family(notes)]):
        assert eventually(lambda: len(families(notes)) == 1)
        [[parent, child]] = families(notes)
        os.kill(parent, signal.SIGKILL)
        assert eventually(lambda: len(families(notes)) == 2)
        assert eventually(lambda: is_gone(child))
        assert not is_gone(families(notes)[1][0])
    assert eventually(lambda: all_gone(families(notes)))


def test_a_child_that_keeps_dying_is_started_ever_more_rarely():
    child, now = hopeless(), 1000.0
    child.start(now)
    for pause in [1, 2, 4, 8, 16, 30, 30]:
        dies(child)
        child.keep_running(now)
        child.keep_running(now + pause - 0.1)
        assert child.pid is None
        now += pause
        child.keep_running(now)
        assert child.pid is not None
    assert child.restarts == 7
    dies(child)


def test_a_child_that_cannot_be_started_again_is_tried_later(tmp_path):
    program = tmp_path / "program"
    program.symlink_to("/bin/false")
    child = Child(Process("moving", [str(program)]), None)
    child.start(1000.0)
    dies(child)
    program.unlink()
    child.keep_running(1000.0)
    child.keep_running(1001.0)
    assert child.pid is None
    program.symlink_to("/bin/false")
    child.keep_running(1002.9)
    assert child.pid is None
    child.keep_running(1003.0)
    assert child.pid is not None
    dies(child)


def test_a_child_that_lived_long_is_started_again_soon():
    child, now = hopeless(), 1000.0
    child.start(now)
    for lived in [0, 0, STEADY_AFTER]:
        dies(child)
        now += lived
        child.keep_running(now)
        now += LONGEST_PAUSE if not lived else FIRST_PAUSE
        child.keep_running(now)
        assert child.pid is not None
    dies(child)


def test_output_goes_to_a_file_named_after_the_process(tmp_path):
    process = Process(
        "talker", python("-c", "import os; print(os.environ['WORD'])"), {"WORD": "hi"}
    )
    with running([process], log_dir=tmp_path):
        log = tmp_path / "talker.log"
        assert eventually(lambda: log.exists() and log.read_text() == "hi\n")


def test_a_large_log_is_put_aside_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr("worker.supervisor.LARGEST_LOG", 10)
    (tmp_path / "sleeper.log").write_text("a long story")
    with running([SLEEPER], log_dir=tmp_path):
        assert eventually((tmp_path / "sleeper.log.1").exists)
    assert (tmp_path / "sleeper.log.1").read_text() == "a long story"


def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    supervisor = Supervisor(
        [Process("stubborn", python("-c", STUBBORN))], log_dir=tmp_path, grace=0.3
    )

    def stop_when_deaf() -> None:
        if "deaf" in (tmp_path / "stubborn.log").read_text():
            supervisor.stop()

    supervisor.watch = stop_when_deaf
    assert supervisor.run() == 1
    assert is_gone(supervisor.children[0].pid)


def test_told_to_stop_a_second_time_it_does_not_wait_for_the_grace(tmp_path):
    supervisor = Supervisor([Process("deaf", python("-c", STUBBORN))], log_dir=tmp_path, grace=300)

    def stop_twice_when_deaf() -> None:
        if "deaf" in (tmp_path / "deaf.log").read_text():
            supervisor.stop()
            supervisor.stop()

    supervisor.watch = stop_twice_when_deaf
    began = time.monotonic()
    assert supervisor.run() == 1
    assert time.monotonic() - began < 200
    assert is_gone(supervisor.children[0].pid)


def test_a_program_that_does_not_exist_stops_the_others(tmp_path):
    notes = tmp_path / "notes"
    supervisor = Supervisor([family(notes), Process("missing", ["/no/such/program"])], grace=5)
    with pytest.raises(FileNotFoundError):
        supervisor.run()
    assert is_gone(supervisor.children[0].pid)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor in a process of its own, with two families."""
    arguments = ["-c", SUPERVISOR, FAMILY, str(tmp_path / "notes"), str(tmp_path / "logs")]
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT) as process:
        assert eventually(lambda: len(families(tmp_path / "notes")) == 2)
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_and_leaves_no_orphan(program, tmp_path, number):
    program.send_signal(number)
    assert program.wait(10) == 0
    assert eventually(lambda: all_gone(families(tmp_path / "notes")))


def test_children_do_not_outlive_a_killed_supervisor(program, tmp_path):
    program.kill()
    assert eventually(lambda: all(is_gone(pid) for pid, _ in families(tmp_path / "notes")))
