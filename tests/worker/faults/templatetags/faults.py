"""What goes wrong in a render, for real."""

import os
import signal
import time

from django import template

register = template.Library()


@register.simple_tag
def misbehave(fault: str) -> str:
    """`kill` (this process), `raise`, `sleep 60` (seconds), or nothing."""
    word, _, value = fault.partition(" ")
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "raise":
        raise RuntimeError("asked to")
    if word == "sleep":
        time.sleep(float(value))
    return ""
