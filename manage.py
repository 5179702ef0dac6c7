#!/usr/bin/env python
"""Pressroom's command line: `./manage.py help` lists the commands."""

import io
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that this terminal can't write is shown by its code points, as stderr does it.
        sys.stdout.reconfigure(errors="backslashreplace")
    execute_from_command_line(sys.argv)
