"""`manage.py is_present dispatcher`: for a container's health check."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from worker.models import Role
from worker.presence import is_present


class Command(BaseCommand):
    help = "Exit code 0 if a process of that role said on this host that it is alive, lately."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        try:
            there = is_present(Role(role), host=socket.gethostname())
        except DatabaseError as error:
            raise CommandError("The database can't be reached.") from error
        if not there:
            raise CommandError(f"No {role} was seen on this host lately.")
