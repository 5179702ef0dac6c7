"""A real server that speaks S3, on this machine, with a bucket of each test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from moto.server import ThreadedMotoServer

from documents.archive import open_archive


@contextmanager
def s3_server() -> Iterator[str]:
    """Yields its host and port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"{host}:{port}"
    finally:
        server.stop()


def new_bucket(server: str) -> str:
    """A STORAGE_URL."""
    url = f"s3://key:secret@{server}/papers-{uuid4().hex[:12]}/kept?tls=off"
    made = open_archive(url)
    made.client.create_bucket(Bucket=made.bucket)
    return url
