"""One run: the seed, the rounds of faults under load, the quiet after them, the books."""

import random
import sys
import time
from itertools import islice
from pathlib import Path

from chaos import clock, controls
from chaos.books import Line, Reader
from chaos.faults import deck, papers
from chaos.load import Load, parties_for
from chaos.persisting import BROKEN, persist
from chaos.recovery import Strike, Struck, open_work
from chaos.report import Report
from chaos.scene import Scene
from chaos.seeding import Books, seed
from chaos.watching import Watcher
from documents.models import Document

_QUIET_WITHIN = 240.0  # seconds after the last fault


class Run:
    def __init__(self, scene: Scene, command: str) -> None:
        self.scene, self.options, self.command = scene, scene.options, command
        self.began = time.monotonic()
        self.strikes: list[Strike] = []
        self._chance = random.Random(self.options.seed)
        self._deck = deck(self._chance, self.options.only)

    def go(self) -> Report:
        books = seed(number=self.options.seed, parties=parties_for(self.options.docs))
        controls.take_away_constraint()
        self.say(f"{len(books.parties)} parties; starting the processes")
        self.scene.start()
        papers.ask_for_paper()
        self._wait_for_work_done(120)
        watcher = Watcher(self.scene.disk.archive)
        watcher.start()
        load = Load(
            books,
            docs=self.options.docs,
            seed=self.options.seed,
            web_port=self.scene.web_port,
            askers=4,
        )
        load.start()
        self._rounds(load)
        self._quiet(load)
        watcher.stop()
        load.stop()
        self.scene.stop_processes()
        return self._report(books, load, watcher)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)

    # --- The rounds ------------------------------------------------------------------------------
    def _rounds(self, load: Load) -> None:
        rounds = -(-self.options.faults // self.options.each)
        left = self.options.faults
        for number in range(1, rounds + 1):
            faults = list(islice(self._deck, min(self.options.each, left)))
            left -= len(faults)
            load.ask(-(-self.options.docs // rounds))
            strikes = [
                Strike(self.scene, it, random.Random(self._chance.random()), number)
                for it in faults
            ]
            self.strikes += strikes
            for strike in strikes:
                strike.start()
            for strike in strikes:
                if not strike.struck.fault.is_long:
                    strike.join()
            self.say(f"round {number} of {rounds}: " + "; ".join(map(_told, strikes)))

    def _quiet(self, load: Load) -> None:
        """The weather stays; what was broken is mended, and all that is open comes to its end."""
        load.ask_for_the_rest()
        for strike in self.strikes:
            strike.join()
        self.scene.heal()
        while not load.is_asked():
            time.sleep(0.2)
        self._wait_for_work_done(_QUIET_WITHIN)

    def _wait_for_work_done(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        told = 0.0
        while (count := persist(open_work)) and time.monotonic() < deadline:
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self.say(f"{count} pieces of work are open")
            time.sleep(0.5)

    # --- What came of it -------------------------------------------------------------------------
    def _report(self, books: Books, load: Load, watcher: Watcher) -> Report:
        reader = Reader(
            company=books.company,
            journal=load.journal,
            spool=self.scene.folder / "mail",
            poisoned=papers.POISONED,
        )
        self.say("reading the books")
        lines = reader.read()
        lines.append(_half_files(watcher))
        lines.append(Line("no duplicate was refused", "the services", BROKEN))
        struck = [strike.struck for strike in self.strikes]
        troubles = [strike.trouble for strike in self.strikes if strike.trouble]
        report = Report(self.options, self.command, struck, lines, troubles=troubles)
        report.facts = self._facts(load)
        return report

    def _facts(self, load: Load) -> dict[str, object]:
        statuses = load.web_statuses
        scene = self.scene
        return {
            "seconds in all": round(time.monotonic() - self.began, 1),
            "pace": self.options.pace,
            "seconds of a lease": self.options.lease,
            "share of papers rendered": self.options.real,
            "papers begun more than once": Document._base_manager.filter(attempts__gt=1).count(),
            "messages": f"{scene.count('sent')} sent, {scene.count('dropped')} dropped,"
            f" {scene.count('doubled')} doubled",
            "requests at the web": f"{len(statuses)} answered, {load.web_broken_off} broken off,"
            f" {sum(it >= 500 for it in statuses)} with 5xx",
            "the archive's disk": scene.disk.kind,
            "a clock an hour off": "libfaketime" if clock.libfaketime() else "left out",
            "starts": ", ".join(
                f"{service.name} {service.starts}"
                for service in [*scene.workers, scene.dispatcher, scene.beat, scene.web]
            ),
            "protection taken away": self.options.off or "none",
        }


def _half_files(watcher: Watcher) -> Line:
    seen = f"{watcher.looked_at} looks at new files"
    return Line("no half file under a final name, at any time", seen, watcher.damage)


def _told(strike: Strike) -> str:
    return f"{strike.struck.fault.name} {_seconds(strike.struck)}"


def _seconds(struck: Struck) -> str:
    return "..." if struck.recovery is None else f"{struck.recovery:.1f} s"


def keep(report: Report, path: Path | None) -> None:
    report.print()
    print(f"kept in {report.write(path)}")
