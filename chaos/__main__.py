"""`python -m chaos --seed 1 --docs 5000 --faults 200`: break everything, then read the books.

Ends with code 0 if every promise was kept and p99 of the recoveries is a minute at most.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from chaos.scene import PACES, Options, scene


def main(words: list[str]) -> int:
    given = _parsed(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that nothing is left behind
    options = Options(
        seed=given.seed,
        docs=given.docs,
        faults=given.faults,
        pace=given.pace,
        real=given.real,
        render_seconds=given.render_seconds,
        disk_seconds=given.disk_seconds,
        dropped=given.dropped,
        doubled=given.doubled,
        off=given.off,
        only=tuple(given.only.split(",")) if given.only else (),
        each=given.each,
        window=given.window,
    )
    with scene(options) as made:
        os.environ.update({**made.env, "PRESSROOM_LOG_LEVEL": "CRITICAL"})
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        from chaos.running import Run, keep

        report = Run(made, f"python -m chaos {' '.join(words)}").go()
        keep(report, given.to)
    return 0 if report.is_good else 1


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", type=int, default=5000)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument(
        "--pace", choices=PACES, default="quick", help="how long things are waited for"
    )
    parser.add_argument("--real", type=float, default=0.1, help="the share of papers rendered")
    parser.add_argument("--render-seconds", type=float, default=0.1, help="of the other papers")
    parser.add_argument("--disk-seconds", type=float, default=0.03, help="to write one file")
    parser.add_argument("--dropped", type=float, default=0.2, help="the share of messages")
    parser.add_argument("--doubled", type=float, default=0.2, help="the share of messages")
    parser.add_argument("--each", type=int, default=4, help="faults in a round")
    parser.add_argument("--window", type=int, default=200, help="messages in a queue, at most")
    parser.add_argument("--only", default="", help="names of faults, comma-separated")
    parser.add_argument("--off", default="", choices=["", "token", "rename", "numbering"])
    parser.add_argument("--to", type=Path, help="where the report is written")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
