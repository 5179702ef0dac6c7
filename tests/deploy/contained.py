"""Our image without Docker: the services see the file system that it gives them, and nothing else.

A root of its own in a namespace of mounts, put together of this machine's programs and of a copy of
what the Dockerfile takes over; all of it can only be read but the volumes and /tmp. In it the same
user, without rights. Needs root, as mounting does.
"""

import fnmatch
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT, Machine
from tests.deploy.stack import Stack

USER = 10001
VOLUMES = ("/data/archive", "/data/backups", "/app/var/media", "/app/var/mail")
_PYTHON = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
# `exec` all the way: a signal for the container reaches the program itself.
_ENTER = """
root={folder}/root
mount -t tmpfs -o mode=755 root $root
mkdir -p $root/app $root/tmp $root/proc $root/dev $root/run/secrets $root/data/archive \
  $root/data/backups
for place in bin sbin lib lib64 usr etc; do
  if [ -L /$place ]; then cp -P /$place $root/$place
  elif [ -d /$place ]; then mkdir $root/$place; mount --bind -o ro /$place $root/$place; fi
done
for place in {pythons}; do
  mkdir -p $root$place; mount --bind -o ro $place $root$place
done
mount --bind -o ro {folder}/passwd $root/etc/passwd
mount --rbind /proc $root/proc
mount --rbind /dev $root/dev
mount --bind -o ro {folder}/image $root/app
for volume in {volumes}; do mount --bind {folder}/volumes$volume $root$volume; done
mount -t tmpfs -o mode=1777 tmp $root/tmp
cp {folder}/secrets/* $root/run/secrets/
mount -o remount,ro $root
exec /usr/sbin/chroot $root setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all --pdeathsig KILL env --chdir=/app "$@"
"""


class Contained(Stack):
    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
            pytest.skip("only root can mount what the image has")
        super().__init__(folder)
        self.machine.places["/data/archive"] = f"{folder}/volumes/data/archive"  # of the proxy
        # Paths are the container's own: only addresses lie elsewhere.
        addresses = {name: here for name, here in self.machine.places.items() if ":" in name}
        self.image = Machine(folder, places=addresses)
        (folder / "root").mkdir()
        for volume in VOLUMES:
            place = folder / "volumes" / volume[1:]
            place.mkdir(parents=True)
            shutil.chown(place, USER, USER)
        passwd = Path("/etc/passwd").read_text()
        (folder / "passwd").write_text(f"{passwd}pressroom:x:{USER}:{USER}::/nonexistent:/bin/sh\n")
        _copy_of_the_checkout(folder / "image")

    def inside(self, words: list[str]) -> list[str]:
        _copy_secrets(self)
        script = _ENTER.format(
            folder=self.folder,
            pythons=" ".join(map(str, _PYTHON)),
            volumes=" ".join(VOLUMES),
            user=USER,
        )
        shell = ["sh", "-euc", script, "enter"]
        return ["unshare", "--mount", "--propagation", "private", *shell, *words]

    def environment(self, name: str, **more: str) -> dict[str, str]:
        env = super().environment(name, **more)
        del env["PRESSROOM_VAR_DIR"], env["TMPDIR"]
        return {**env, "HOME": "/tmp", "PATH": f"{_PYTHON[0]}/bin:/usr/bin:/bin"}

    def seed(self, parties: int) -> None:
        """The image has no tests in it."""
        words = ["shell", "-c", f"from tests.deploy.seed import seed; seed({parties})"]
        env = self.environment_on(self.machine, "web")
        subprocess.run([sys.executable, "manage.py", *words], env=env, cwd=ROOT, check=True)

    def collect_static(self) -> None:
        """As the Dockerfile does it, before the image can only be read."""
        shutil.copytree(self.static_files(), self.folder / "image" / "var" / "static")


def _copy_secrets(made: Contained) -> None:
    """By the names that Compose mounts them under; readable as there."""
    there = made.folder / "secrets"
    there.mkdir(exist_ok=True)
    for name, secret in made.described["secrets"].items():
        shutil.copy(made.folder / "site" / secret["file"], there / name)
        (there / name).chmod(0o444)


def _copy_of_the_checkout(image: Path) -> None:
    """What `COPY . .` takes over, by .dockerignore; where volumes are mounted, the image has made
    places.
    """
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    left_out = [line.removeprefix("**/") for line in lines if line and not line.startswith("#")]

    def ignored(folder: str, names: list[str]) -> set[str]:
        at_the_top = Path(folder) == ROOT
        return {
            name
            for name in names
            if any(fnmatch.fnmatch(name, one) for one in left_out if at_the_top or one[0] in "_*")
        }

    shutil.copytree(ROOT, image, ignore=ignored, symlinks=True)
    for place in ("media", "mail"):
        (image / "var" / place).mkdir(parents=True)
