"""Many papers as one file: a ZIP, or one PDF. Both are written as they are read."""

from documents.bundles.merging import NotReadable, merged
from documents.bundles.parts import Part, digest_of, file_names
from documents.bundles.zips import zipped, zipped_size

__all__ = ["NotReadable", "Part", "digest_of", "file_names", "merged", "zipped", "zipped_size"]
