"""The services of docker-compose.yml, run as processes of this machine, as their file says."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from tests import servers
from tests.deploy import compose
from tests.deploy.browser import Browser
from tests.deploy.compose import ROOT, Machine
from worker.embedded import die_with_parent, find_server

HOST = "billing.test"
_NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log warn;
{user}
events {{}}
http {{
    include /etc/nginx/mime.types;
    log_format short '$status $upstream_response_length $body_bytes_sent $uri $request_uri';
    access_log {folder}/nginx.access.log short;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    include {folder}/pressroom.conf;
}}
"""
# `valkey-cli ping`, which the wheel does not bring.
_CLI = """#!{python}
import os, redis
print("PONG" if redis.Redis(port={port}, password=os.environ["REDISCLI_AUTH"]).ping() else "")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """One container's worth: a process and its children, its log, and how it is asked after."""

    def __init__(
        self, name: str, argv: list[str], env: dict[str, str], log: Path, check: list[str]
    ) -> None:
        self.name, self.argv, self.env, self.log, self.check = name, argv, env, log, check
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=log.parent,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def is_healthy(self) -> bool:
        """The health check, as the file has it."""
        try:
            done = subprocess.run(
                self.check, env=self.env, cwd=ROOT, capture_output=True, timeout=60, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def wait_until_healthy(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.name} is not healthy:\n{self.tail()}")
            time.sleep(0.5)

    def stop(self, grace: float) -> int:
        """As `docker stop` does: SIGTERM, and SIGKILL after the grace. Returns the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


class Stack:
    """`up` starts a service and waits until it is healthy, as `depends_on` would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, Running] = {}
        self.https_port = free_port()
        self._ports: dict[str, int] = {}
        self._make_secrets()
        self.described = compose.read(compose.dotenv(folder / "site" / ".env"))
        self.services: dict[str, Any] = self.described["services"]
        self.machine = self._machine()
        self.image = self.machine  # as the services of our image see it

    # --- What is there before the first service --------------------------------------------------
    def _make_secrets(self) -> None:
        """By the script, in a copy: beside it lies what it makes."""
        site = self.folder / "site"
        (site / "bin").mkdir(parents=True)
        shutil.copy(ROOT / "bin" / "make-secrets", site / "bin")
        subprocess.run([site / "bin" / "make-secrets", HOST], check=True, capture_output=True)
        self.secrets = site / "deploy" / "secrets"
        self.certificates = site / "deploy" / "certificates"

    def _machine(self) -> Machine:
        programs = self.folder / "programs"
        for place in (programs, self.folder / "archive", self.folder / "var"):
            place.mkdir(exist_ok=True)
        machine = Machine(self.folder, programs=[programs, Path(sys.executable).parent])
        files = {name: it["file"] for name, it in self.described["secrets"].items()}
        machine.places = {
            **{
                f"/run/secrets/{name}": str(self.folder / "site" / it) for name, it in files.items()
            },
            "/data/archive": str(self.folder / "archive"),
            "/tmp/fonts": str(self.folder / "fonts"),
            "/app/": f"{ROOT}/",
            "web:8000": f"127.0.0.1:{self.port_of('web')}",
            "127.0.0.1:8443": f"127.0.0.1:{self.https_port}",
        }
        return machine

    def _secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def _point(self, name: str, there: str, here: str) -> None:
        """A secret that names a container's address names one of this machine instead."""
        path = self.secrets / name
        text = path.read_text()
        assert there in text
        path.chmod(0o644)
        path.write_text(text.replace(there, here))

    # --- Foreign images --------------------------------------------------------------------------
    def use_postgres(self, url: str) -> None:
        """What the image does at its first start: a user and a database by these names."""
        own = self.services["postgres"]["environment"]
        password = Path(self.machine.here(own["POSTGRES_PASSWORD_FILE"])).read_text()
        server = psycopg2.connect(url)
        server.autocommit = True
        name, user = sql.Identifier(own["POSTGRES_DB"]), sql.Identifier(own["POSTGRES_USER"])
        with server.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(user), [password])
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, user))
        parameters = server.get_dsn_parameters()
        server.close()
        self._point("database_url", "@postgres:5432", f"@127.0.0.1:{parameters['port']}")
        check = self.machine.health_check(self.services["postgres"])
        package = Path(next(iter(find_spec(servers.WHEEL).submodule_search_locations)))
        programs = max(package.glob("pginstall*/bin"), key=lambda path: path.parent.name)
        env = {"PATH": str(programs), "PGHOST": "127.0.0.1", "PGPORT": parameters["port"]}
        assert subprocess.run(check, env=env, capture_output=True).returncode == 0

    def start_broker(self) -> Running:
        """The command of the file; a shim in its path gives the server a port of its own."""
        port, programs = free_port(), self.machine.programs[0]
        self._point("broker_url", "@broker:6379", f"@127.0.0.1:{port}")
        script = f'#!/bin/sh\nexec {find_server()} "$@" --port {port} --bind 127.0.0.1\n'
        _program(programs / "valkey-server", script)
        _program(programs / "valkey-cli", _CLI.format(python=sys.executable, port=port))
        return self._start("broker", self.machine.words(self.services["broker"]["command"]))

    def start_proxy(self, *others: str) -> Running:
        """nginx with the template filled in as its image does."""
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        if nginx is None:
            pytest.skip("nginx is not installed: `bin/setup --test` installs it")
        service = self.services["proxy"]
        values = self.machine.environment(service) | {
            "HTTP_PORT": f"127.0.0.1:{free_port()}",
            "HTTPS_PORT": f"127.0.0.1:{self.https_port}",
        }
        text = (ROOT / "deploy" / "nginx" / "pressroom.conf.template").read_text()
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        more = "".join(
            f"    server 127.0.0.1:{self.port_of(name)} max_fails=0;\n" for name in others
        )
        own = f"    server {values['WEB_ADDRESS']} max_fails=0;\n"
        assert own in text
        text = text.replace(own, own + more)
        (self.folder / "pressroom.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""  # as there: who writes the archive reads
        main = self.folder / "nginx.conf"
        main.write_text(_NGINX.format(folder=self.folder, user=user))
        return self._start("proxy", [nginx, "-c", str(main), "-g", "daemon off;"])

    def port_of(self, name: str) -> int:
        """Each copy of the web has a port of its own, as each container has an address."""
        return self._ports.setdefault(name, free_port())

    # --- Our image -------------------------------------------------------------------------------
    def environment(self, name: str, **more: str) -> dict[str, str]:
        return self.environment_on(self.image, name, **more)

    def environment_on(self, machine: Machine, name: str, **more: str) -> dict[str, str]:
        image = {key: machine.here(it) for key, it in compose.image_environment().items()}
        own = {"PRESSROOM_VAR_DIR": str(self.folder / "var"), "HOSTNAME": name}
        own["WEB_BIND"] = f"127.0.0.1:{self.port_of(name)}"
        return {
            **image,
            **machine.environment(self.services[name.partition(".")[0]]),
            **own,
            **more,
        }

    def inside(self, words: list[str]) -> list[str]:
        """A command of our image, as it is started on this machine."""
        return self.machine.words(words)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, past Pressroom."""
        with psycopg2.connect(self._secret("database_url")) as found, found.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        found.close()
        return rows

    def seed(self, parties: int) -> None:
        """Books of a company with an owner; the proxy's visitors sign in as them."""
        self.run("manage", "shell", "-c", f"from tests.deploy.seed import seed; seed({parties})")

    def collect_static(self) -> None:
        """What the image was built with."""
        (self.folder / "var" / "static").symlink_to(self.static_files())

    def static_files(self) -> Path:
        """Compressed once for all stacks of this session."""
        var = _kept_for_the_session()
        if not (var / "static").exists():
            env = self.environment_on(self.machine, "web", PRESSROOM_VAR_DIR=str(var))
            command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
            done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return var / "static"

    def run(self, *words: str, service: str = "web", **more: str) -> str:
        """`docker compose run web manage ...`"""
        done = subprocess.run(
            self.inside(["/app/bin/entrypoint", *words]),
            env=self.environment(service, **more),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, name: str, **more: str) -> Running:
        """A service, or another copy of it: `worker-batch.2`."""
        service = self.services[name.partition(".")[0]]
        command = self.inside(["/app/bin/entrypoint", *service["command"]])
        check = self.inside(self.image.health_check(service))
        return self._start(name, command, self.environment(name, **more), check)

    def stop(self, name: str) -> int:
        grace = self.services[name.partition(".")[0]]["stop_grace_period"]
        return self.running.pop(name).stop(float(grace.removesuffix("s")))

    def _start(
        self,
        name: str,
        argv: list[str],
        env: dict[str, str] | None = None,
        check: list[str] | None = None,
    ) -> Running:
        service = self.services[name.partition(".")[0]]
        env = env or self.machine.environment(service)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        check = check or self.machine.health_check(service)
        started = self.running[name] = Running(name, argv, env, folder / "log", check)
        return started

    def browser(self) -> Browser:
        certificate = self.certificates / "fullchain.pem"
        return Browser(host=HOST, port=self.https_port, certificate=certificate)

    def close(self) -> None:
        for running in reversed(self.running.values()):
            running.kill()
            print(f"--- {running.name}\n{running.tail()}")  # shown when a test fails


@cache
def _kept_for_the_session() -> Path:
    folder = tempfile.mkdtemp(prefix="pressroom-static-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@contextmanager
def stack(kind: type[Stack] = Stack) -> Iterator[Stack]:
    """PostgreSQL, the broker and the migrations are up; the rest is the test's."""
    with servers._temporary_directory() as directory:
        made = kind(Path(directory))
        server = servers._made(Path(directory) / "postgresql")
        with servers.postgresql(server) as url:
            try:
                made.use_postgres(url)
                made.start_broker().wait_until_healthy()
                made.run(*made.services["migrate"]["command"], service="migrate")
                made.collect_static()
                yield made
            finally:
                made.close()
