"""Decoded pictures kept between documents, so that a run of 10,000 decodes its logo once."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pydyf
from weasyprint.images import RasterImage

from documents.rendering.errors import MissingAsset
from documents.rendering.fetcher import SCHEME
from documents.rendering.types import Asset

Key = tuple[str, bytes]


class Pictures:
    """The last few raster pictures by name and content. SVG holds its document, so is not kept."""

    def __init__(self, limit: int = 16) -> None:
        self._limit = limit
        self._kept: OrderedDict[Key, Any] = OrderedDict()

    def for_render(self, assets: Mapping[str, Asset]) -> dict[str, Any]:
        """WeasyPrint's `cache` for one render: a dict of its own, filled with what is known.

        One shared dict would remember a picture that failed, and never ask for it again.
        """
        known = ((name, self._kept.get(_key(name, asset))) for name, asset in assets.items())
        return {SCHEME + name: image for name, image in known if image is not None}

    def keep(self, cache: dict[str, Any], assets: Mapping[str, Asset]) -> None:
        """Take over what a render decoded; raises MissingAsset for a picture that can't be read."""
        for url, image in cache.items():
            if image is None:
                raise MissingAsset(f"The picture {url.removeprefix(SCHEME)[:80]} can't be read.")
        for name, asset in assets.items():
            image = cache.get(SCHEME + name)
            if isinstance(image, RasterImage):
                self._remember(_key(name, asset), image)

    def _remember(self, key: Key, image: RasterImage) -> None:
        if key not in self._kept:
            image.get_x_object = Encoded(image.get_x_object).x_object
            self._kept[key] = image
        self._kept.move_to_end(key)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)


class Encoded:
    """The PDF form of a kept picture: compressed once, then handed out as a fresh copy a document.

    A copy, since writing a PDF numbers its objects and puts references in their places.
    """

    def __init__(self, encode: Callable[[bool, float], pydyf.Stream]) -> None:
        self._encode = encode
        self._made: dict[tuple[bool, float], pydyf.Stream] = {}

    def x_object(self, interpolate: bool, dpi_ratio: float) -> pydyf.Stream:
        how = interpolate, dpi_ratio
        if how not in self._made:
            self._made[how] = self._encode(interpolate, dpi_ratio)
        return _copy(self._made[how])


def _copy(stream: pydyf.Stream) -> pydyf.Stream:
    extra = dict(stream.extra)
    if "SMask" in extra:
        extra["SMask"] = _copy(extra["SMask"])
    return pydyf.Stream(stream.stream, extra, stream.compress)


def _key(name: str, asset: Asset) -> Key:
    return name, sha256(asset.content).digest()
