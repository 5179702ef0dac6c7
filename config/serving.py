"""How gunicorn runs the web: `gunicorn -c python:config.serving config.wsgi`.

Told to stop, gunicorn finishes what it has begun, but its port goes on taking connections that
nobody will answer until the last request is done; a proxy that sent a form on one of those can only
report an error. Here the port is shut first: the proxy is refused, and asks the next web process.
"""

import errno
import gc
import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

worker_class = "config.serving.Worker"
graceful_timeout = 30  # seconds for requests under way
# A proxy on the same network gains nothing by it, and could send on what is about to be closed.
keepalive = 0


def post_worker_init(_worker: Any) -> None:
    """Python's collector leaves alone what was loaded: to go through it held up every thread for
    as long as five pages take, at one request in a hundred.
    """
    gc.freeze()


class Worker(ThreadWorker):  # type: ignore[misc]
    def accept(self, listener: Any) -> None:
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the port was shut: the signal is on its way
                raise
            self.set_accept_enabled(False)


def when_ready(server: Any) -> None:
    stop = server.stop

    def shut_and_stop(graceful: bool = True) -> None:
        for listener in server.LISTENERS:
            try:
                listener.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                server.log.debug("Already shut: %s", listener)
        stop(graceful)

    server.stop = shut_and_stop
