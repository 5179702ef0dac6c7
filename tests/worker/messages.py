"""What waits in a queue of the broker, read without taking it."""

import base64
import json

from redis import Redis


def waiting(client: Redis, queue: str = "interactive") -> list[str]:
    """The ids that the messages carry, the next one to be taken first."""
    return [_argument(raw) for raw in reversed(client.lrange(queue, 0, -1))]


def _argument(raw: bytes) -> str:
    [argument], _, _ = json.loads(base64.b64decode(json.loads(raw)["body"]))
    return str(argument)
