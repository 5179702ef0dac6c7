"""What the engine asks of its broker, each call with one short attempt and one kind of error."""

from typing import Any

from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from worker.celery import app


def information(section: str) -> dict[str, Any]:
    """A section of Redis' INFO. Raises kombu's OperationalError when the broker is away."""
    with app.connection_for_read(connect_timeout=2) as connection:
        try:
            info: dict[str, Any] = _client(connection).info(section)
        except (RedisError, OSError) as error:
            raise OperationalError(str(error)) from error
    return info


def queue_depths() -> dict[str, int]:
    """Messages waiting in each queue. Raises kombu's OperationalError when the broker is away."""
    with app.connection_for_read(connect_timeout=2) as connection:
        try:
            client = _client(connection)
            return {name: client.llen(name) for name in queue_names()}
        except (RedisError, OSError) as error:
            raise OperationalError(str(error)) from error


def _client(connection: Connection) -> Any:
    """The Redis client below kombu's channel."""
    channel: Any = connection.default_channel
    return channel.client


def queue_names() -> list[str]:
    return [queue.name for queue in app.conf.task_queues]
