"""WeasyPrint as its documentation begins, kept warm: pages come in by standard input, PDFs go out.

A program of its own, which imports nothing of ours: the product arranges fonts for its process.
"""

import sys
from struct import pack, unpack

from weasyprint import HTML


def serve() -> None:
    while head := sys.stdin.buffer.read(8):
        page = sys.stdin.buffer.read(unpack(">Q", head)[0]).decode()
        made = HTML(string=page).write_pdf()
        sys.stdout.buffer.write(pack(">Q", len(made)) + made)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
