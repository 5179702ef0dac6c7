"""One e-mail to one server, and exactly what became of it.

Until the message itself is handed over, whatever goes wrong is harmless. From there on only the
server's answer tells: without one, nobody knows.
"""

import smtplib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp

HandOver = Callable[[], bool]
_LONGEST_ANSWER = 500


class Unreachable(Exception):
    """No message was handed over: the server is away, or does not let us in."""


class Refused(Exception):
    """The server answered that it does not take this message. 4xx: perhaps later."""

    def __init__(self, code: int, text: str) -> None:
        self.answer = f"{code} {text}".strip()[:_LONGEST_ANSWER]
        self.may_pass = code < 500
        super().__init__(self.answer)


class AnswerLost(Exception):
    """The message was being handed over, and no answer came."""


class NotOurs(Exception):
    """The lease was lost before the message was handed over."""


def post(message: EmailMessage, *, hand_over: HandOver) -> str:
    """Send `message`; what the server said. Raises one of the above.

    `hand_over` is called right before the message goes over the line; False stops it.
    """
    backend = get_connection(fail_silently=False)
    if isinstance(backend, smtp.EmailBackend):
        return _Line(hand_over).send(message)
    if not hand_over():
        raise NotOurs
    backend.send_messages([message])
    return "Written, without a mail server."


class _Line:
    """One connection for one message, and how far it came."""

    def __init__(self, hand_over: HandOver) -> None:
        self.hand_over = hand_over
        self.has_begun = False
        self.answer: tuple[int, str] | None = None

    def send(self, message: EmailMessage) -> str:
        try:
            self._try(message)
        except smtplib.SMTPServerDisconnected as error:
            self._broke(error)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, text)] = error.recipients.values()
            raise Refused(code, _text(text)) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise Refused(error.smtp_code, _text(error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self._broke(error)
        return self._answered()

    def _try(self, message: EmailMessage) -> None:
        backend = _Backend(self)
        try:
            backend.open()
            backend.send_messages([message])
        finally:
            with suppress(OSError):  # a good-bye that fails says nothing about the message
                backend.close()

    def _broke(self, error: Exception) -> None:
        """An answer that came before counts: only the good-bye was lost."""
        if self.answer is not None:
            return
        if self.has_begun:
            raise AnswerLost(repr(error)) from error
        raise Unreachable(repr(error)) from error

    def _answered(self) -> str:
        if self.answer is None:
            raise Unreachable("The mail server was given nothing.")
        code, text = self.answer
        if code != 250:
            raise Refused(code, text)
        return f"{code} {text}".strip()[:_LONGEST_ANSWER]


class _Talk(smtplib.SMTP):
    """Says on its line when the message is handed over, and what the answer was."""

    def __init__(self, *args: Any, line: _Line, **options: Any) -> None:
        self._line = line
        super().__init__(*args, **options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        if not self._line.hand_over():
            raise NotOurs
        self._line.has_begun = True
        if self.sock is not None:
            self.sock.settimeout(settings.MAIL_ANSWER_TIMEOUT)
        code, text = super().data(msg)
        self._line.answer = (code, _text(text))
        return code, text


class _EncryptedTalk(_Talk, smtplib.SMTP_SSL):
    pass


class _Backend(smtp.EmailBackend):
    """Django's, with the site's settings, talking for one line."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    @property
    def connection_class(self) -> Any:
        return partial(_EncryptedTalk if self.use_ssl else _Talk, line=self._line)


def _text(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())
