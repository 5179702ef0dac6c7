"""The key of a folder of backups: one, whoever comes first, and never another in its place."""

import os
from pathlib import Path

import pyrage
import pytest

from documents.backups.sealing import seal_by_passphrase

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def two_that_begin_at_once(monkeypatch, place):
    """The seals of two backups into a new folder: while the first seals its key, which takes a
    second, the second one makes the folder's and goes on with it.
    """
    encrypt = pyrage.passphrase.encrypt

    def begin():
        return seal_by_passphrase(place, PASSPHRASE, is_first=True)

    def run():
        others = []

        def encrypt_and_let_the_other_go_first(*arguments):
            monkeypatch.setattr(pyrage.passphrase, "encrypt", encrypt)
            others.append(begin())
            return encrypt(*arguments)

        monkeypatch.setattr(pyrage.passphrase, "encrypt", encrypt_and_let_the_other_go_first)
        return [begin(), *others]

    return run


def test_two_first_backups_at_once_are_sealed_with_the_key_that_is_kept(
    two_that_begin_at_once, place
):
    seals = two_that_begin_at_once()
    assert seals == [seal_by_passphrase(place, PASSPHRASE, is_first=False)] * 2
    assert [path.name for path in place.iterdir()] == ["key.age"]


def test_control_a_key_that_takes_the_others_place_leaves_a_backup_that_nothing_opens(
    two_that_begin_at_once, place, monkeypatch
):
    monkeypatch.setattr(os, "link", lambda draft, key: key.write_bytes(Path(draft).read_bytes()))
    _, other = two_that_begin_at_once()
    assert other != seal_by_passphrase(place, PASSPHRASE, is_first=False)
