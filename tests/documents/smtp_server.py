"""A mail server to break: `python -m tests.documents.smtp_server FOLDER`.

It writes its port to FOLDER/port, and each message that it accepts to FOLDER/*.eml. FOLDER/mode
says what it does: `accept`; `<answer> at rcpt`, `<answer> at data`, such as `550 at rcpt`; `drop at
rcpt`, `drop at data`; `hang at rcpt`, `hang at data`; `slow at rcpt`, which takes its time and then
the message; `keep and hang`, which has the message and says nothing; `ramble at data`, which
refuses it and then answers with a line that is too long. FOLDER/reached is there once it hangs.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

TEXTS = {
    "550": "550 No such user here",
    "451": "451 Greylisted",
    "554": "554 Looks like spam",
    "ramble": "554 Looks like spam",
}


class Handler:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await self._do("rcpt", server)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(  # noqa: N802  the library's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self._mode() == "keep and hang":
            self._keep(envelope)
            await self._hang()
        answer = await self._do("data", server)
        if answer is None:
            self._keep(envelope)
        return answer or "250 Taken as 42"

    async def handle_RSET(  # noqa: N802  the library's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        return "250 " + "x" * (10_000 if self._mode().startswith("ramble") else 1)

    def _mode(self) -> str:
        return (self.folder / "mode").read_text()

    async def _do(self, place: str, server: Any) -> str | None:
        action, _, where = self._mode().partition(" at ")
        if where != place:
            return None
        if action == "drop":
            server.transport.abort()
        if action == "slow":
            await asyncio.sleep(0.15)
            return None
        if action == "hang":
            await self._hang()
        return TEXTS.get(action, "421 Gone")

    async def _hang(self) -> None:
        (self.folder / "reached").touch()
        await asyncio.sleep(600)

    def _keep(self, envelope: Any) -> None:
        number = len(list(self.folder.glob("*.eml")))
        to = f"X-Envelope-To: {','.join(envelope.rcpt_tos)}\r\n".encode()
        draft = self.folder / f"{number}.draft"
        draft.write_bytes(to + envelope.content)
        draft.rename(self.folder / f"{number}.eml")


async def serve(folder: Path) -> None:
    handler = Handler(folder)
    loop = asyncio.get_running_loop()
    port = int((folder / "port").read_text()) if (folder / "port").exists() else 0
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mail.test", enable_SMTPUTF8=False), "127.0.0.1", port
    )
    (folder / "draft").write_text(str(server.sockets[0].getsockname()[1]))
    (folder / "draft").rename(folder / "port")
    (folder / "up").touch()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
