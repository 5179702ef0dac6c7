"""An archive by its place: a folder, or s3://KEY:SECRET@host[:port]/bucket[/prefix]?region=..."""

from pathlib import Path

from documents.archive.local import LocalArchive
from documents.archive.protocol import Archive


def open_archive(place: str) -> Archive:
    """Raises ImproperlyConfigured for a URL that names no bucket."""
    if "://" not in place:
        return LocalArchive(Path(place))
    return import_s3(place)


def import_s3(place: str) -> Archive:
    """boto3 takes a third of a second to import: only where it is used."""
    from documents.archive import s3  # noqa: PLC0415

    return s3.open_bucket(place)
