"""`manage.py` on terminals that are not like ours."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.processes import environment


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", r"M\xfcller \u03b2"), ("utf-8", "Müller β")]
)
def test_a_name_the_terminal_can_not_write_is_shown_by_its_code_points(encoding, shown):
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", r"print('M\xfcller \u03b2')"],
        cwd=settings.BASE_DIR,
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == (shown, 0), done.stderr
