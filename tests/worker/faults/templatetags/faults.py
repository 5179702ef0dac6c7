"""What goes wrong in a render, for real."""

import os
import signal
import time

from django import template
from django.utils.safestring import mark_safe

register = template.Library()


@register.simple_tag
def misbehave(fault: str) -> str:
    """What `fault` says, or nothing.

    `kill` (this process), `abort` (as a library in C without memory does), `raise`, `sleep 60`
    (seconds), `spin` (for ever), `eat` (memory until there is none), `box` (a character that no
    font has) or `picture` (one that is not there).
    """
    word, _, value = fault.partition(" ")
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "raise":
        raise RuntimeError("asked to")
    if word == "sleep":
        time.sleep(float(value))
    return _in_the_page(word)


def _in_the_page(word: str) -> str:
    while word == "spin":
        pass
    eaten = []
    while word == "eat":
        eaten.append(b"x" * 2**20)
    if word == "abort":
        os.abort()
    if word == "box":
        return "\U0001f9ff"
    if word == "picture":
        return mark_safe('<img src="asset:gone"/>')
    return ""
