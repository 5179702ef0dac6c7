"""Serves the files handed over with a render, and refuses every other address."""

from collections.abc import Mapping
from urllib.parse import unquote
from urllib.request import OpenerDirector

from weasyprint.urls import URLFetcher, URLFetcherResponse

from documents.rendering.errors import ForbiddenUrl, MissingAsset, RenderError
from documents.rendering.types import Asset

SCHEME = "asset:"


class AssetFetcher(URLFetcher):  # type: ignore[misc]
    """`asset:NAME` gives `assets[NAME]`. Anything else is refused, remembered and ends the render.

    WeasyPrint turns a failed fetch into a log line, and inside an SVG even a fatal one is
    swallowed: so what was refused is kept here, for `raise_if_refused` after the render.
    """

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        # Not URLFetcher.__init__: it installs the handlers for files and the network.
        OpenerDirector.__init__(self)
        self._fail_on_errors = True
        self._assets = assets
        self._refusals: list[RenderError] = []

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The asset behind `url`; raises ForbiddenUrl or MissingAsset."""
        if not url.startswith(SCHEME):
            raise self._refuse(ForbiddenUrl(f"The paper may not load {_short(url)}."))
        asset = self._assets.get(unquote(url.removeprefix(SCHEME)))
        if asset is None:
            raise self._refuse(MissingAsset(f"The picture or file {_short(url)} is missing."))
        return URLFetcherResponse(url, asset.content, {"Content-Type": asset.media_type})

    def open(self, url: object, data: object = None, timeout: object = None) -> URLFetcherResponse:
        return self.fetch(str(getattr(url, "full_url", url)))

    def raise_if_refused(self) -> None:
        if self._refusals:
            raise self._refusals[0]

    def _refuse(self, error: RenderError) -> RenderError:
        self._refusals.append(error)
        return error


def _short(url: str) -> str:
    return url if len(url) <= 80 else f"{url[:79]}…"
