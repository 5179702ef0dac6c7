"""The controls: one protection is taken away, and the same harness finds the damage."""

import pytest

from tests.chaos.runs import chaos, damaged

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_without_the_check_of_the_token_a_worker_overwrites_its_successor(tmp_path):
    """Workers are stopped for longer than a lease, and go on with what was given to others."""
    stopped = "stop and continue a worker,stop and continue a child"
    words = ["--docs", "60", "--faults", "4", "--each", "2", "--only", stopped]
    # A short queue and no weather: what was given back is begun by another at once.
    words += ["--render-seconds", "1.5", "--window", "2", "--dropped", "0", "--doubled", "0"]
    code, report, _ = chaos(tmp_path, "--off", "token", *words)
    assert code == 1
    assert set(damaged(report)) & {
        "no paper twice",
        "no e-mail twice, none unaccounted for",
        "asked for = ready + failed with a reason",
    }


def test_without_the_rename_half_a_file_is_seen_under_a_final_name(tmp_path):
    words = ["--docs", "24", "--faults", "1", "--only", "kill a whole worker"]
    code, report, _ = chaos(tmp_path, "--off", "rename", *words, "--disk-seconds", "0.4")
    assert code == 1
    assert "no half file under a final name, at any time" in damaged(report)


def test_without_the_numbering_lock_numbers_are_taken_twice(tmp_path):
    """The constraint below the lock is dropped too, or the database would refuse them."""
    words = ["--docs", "40", "--faults", "1", "--only", "kill the dispatcher"]
    code, report, _ = chaos(tmp_path, "--off", "numbering", *words)
    assert code == 1
    found = damaged(report)["no number twice, no gap"]
    assert any("is on several invoices" in line for line in found)
