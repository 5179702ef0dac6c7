"""Why a paper could not be made, in words for the clerk who asked for it."""


class RenderError(Exception):
    """A paper that can't be made as asked. `reason` is one sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __reduce__(self) -> tuple[type["RenderError"], tuple[str]]:
        # Celery and process pools pickle what a child raises.
        return type(self), (self.reason,)


class MissingGlyph(RenderError):
    """A character that no installed font can print."""


class MissingAsset(RenderError):
    """A picture or file that the paper names and that was not handed over, or can't be read."""


class ForbiddenUrl(RenderError):
    """An address outside the assets handed over: a file, the network, a data URL."""
