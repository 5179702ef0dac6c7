"""The mail server of smtp_server.py as a process that tests can tell what to do, and kill."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.processes import Running, environment, eventually


class MailServer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set("accept")
        self.start()

    def start(self) -> None:
        (self.folder / "up").unlink(missing_ok=True)
        arguments = ["-m", "tests.documents.smtp_server", str(self.folder)]
        self.running = Running(arguments, self.folder / "log", environment())
        eventually(lambda: (self.folder / "up").exists())
        self.port = int((self.folder / "port").read_text())

    def set(self, mode: str) -> None:
        (self.folder / "reached").unlink(missing_ok=True)
        (self.folder / "mode").write_text(mode)

    def is_reached(self) -> bool:
        return (self.folder / "reached").exists()

    def kill(self) -> None:
        self.running.kill()

    def received(self) -> list[Any]:
        """The messages, parsed; each `EmailMessage`."""
        files = sorted(self.folder.glob("*.eml"), key=lambda path: int(path.stem))
        parse = email.message_from_bytes
        return [
            parse(file.read_bytes(), EmailMessage, policy=email.policy.default) for file in files
        ]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    folder.mkdir(parents=True, exist_ok=True)
    server = MailServer(folder)
    try:
        yield server
    finally:
        server.kill()


def use(settings: Any, server: MailServer) -> None:
    """This process' e-mails go there."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_TIMEOUT = settings.MAIL_ANSWER_TIMEOUT = 1
