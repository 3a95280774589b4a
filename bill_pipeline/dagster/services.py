"""Dagster's processes over one home, and the console's: started, watched, stopped together.

The web page and the daemon share one code server, so the definitions are loaded once. A process
that dies is started again, with growing pauses; the others go on. The console alone listens on a
port: it serves Dagster's page to those who may see it. All others listen on sockets in a folder
that this user alone can open, which is also where the processes make their temporary files.

One home has one such set: whoever starts it holds the home's ``ui.lock``. So does the process that
ends them all when this one is killed, until they are gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bill_pipeline.bill.clock import CLOCKS_DIFFER
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.errors import PipelineError
from bill_pipeline.runtime.clock_watch import ClockWatch
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.settings import Home, Settings

#: A code server that loads all definitions needs a few seconds; this is for slow machines.
START_SECONDS = 180
#: Whoever ends the program waits for no more than five seconds.
STOP_SECONDS = 2.5
FIRST_RESTART_SECONDS = 1.0
LONGEST_RESTART_SECONDS = 60.0
#: What a killed `ui` left over is gone by then, and with it who holds the home.
HELD_SECONDS = STOP_SECONDS + 2.0
#: A process that lived this long is healthy again: its next death waits the first pause.
HEALTHY_SECONDS = 300.0
LARGEST_LOG_BYTES = 10_000_000

_log = logging.getLogger(__name__)


class ServiceError(PipelineError):
    """A Dagster process cannot be started; the message names the log."""


class HomeIsServed(PipelineError):
    """Another `ui` is at work over the same home: two daemons would start every run twice."""

    def __init__(self, home: Home, holder: str) -> None:
        super().__init__(
            f"Another `bill-pipeline ui` serves {home.path} already: {holder or 'who, is unknown'}."
            " Use that one, or end it (Ctrl-C, or `kill` and its process) and try again."
        )


@dataclass
class Service:
    """One process, its command and how often it died."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = FIRST_RESTART_SECONDS
    restart_at: float = 0.0

    def send(self, number: int) -> None:
        """Send it to the process and to all that it started: they are one group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    @property
    def lives(self) -> bool:
        """Whether any process of the group is left."""
        if self.process is None:
            return False
        self.process.poll()  # one that ended and was not asked after would count
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@dataclass
class Services:
    """The processes of one home. ``start``, then ``watch``; ``stop`` from anywhere.

    ``host`` and ``port`` are the console's, ``console_options`` further ones of that command.
    """

    home: Home
    host: str = "127.0.0.1"
    port: int = 8400
    console_options: tuple[str, ...] = ()
    services: list[Service] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _sockets: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _environment: dict[str, str] = field(default_factory=dict)
    _lock: int = -1
    _end: subprocess.Popen[bytes] | None = None  # ends them all when this process is killed
    _clock: ClockWatch = field(default_factory=lambda: ClockWatch(CLOCKS_DIFFER.total_seconds()))

    def start(self) -> None:
        """Start all of them and return when the web pages answer.

        Raises HomeIsServed, ServiceError.
        """
        self._hold_home()
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise

    def _start_all(self) -> None:
        if _is_open(self.host, self.port):
            raise ServiceError(f"Port {self.port} is taken. Choose another one with --port.")
        uses_postgres = Settings.now().dagster_postgres_url is not None
        write_instance(self.home, uses_postgres=uses_postgres)
        # Not in the home: a socket's path may have a hundred characters, and a home more.
        folder = Path(self._sockets.enter_context(PrivateFolder()))
        # Dagster's code server starts another one, on a socket among the temporary files.
        self._environment["TMPDIR"] = str(folder)
        code, page = folder / "code", folder / "page"
        workspace = self._write_workspace(code)
        scripts = Path(sysconfig.get_path("scripts"))
        self.services = [
            Service("code-server", [str(scripts / "dagster"), "code-server", "start",
                    "--socket", str(code), "--location-name", "bill-pipeline",
                    "--module-name", "bill_pipeline.dagster.definitions", "--log-level", "warning",
                    "--use-python-environment-entry-point"]),
            Service("webserver", [sys.executable, "-m", "bill_pipeline.dagster.web_page",
                    "--socket", str(page), "--workspace", str(workspace)]),
            Service("daemon", [sys.executable, "-m", "bill_pipeline.dagster.daemon", "run",
                    "--workspace", str(workspace)]),
            Service("console", [str(scripts / "bill-pipeline"), "console", "--home",
                    str(self.home.path), "--host", self.host, "--port", str(self.port),
                    "--dagster-socket", str(page), *self.console_options]),
        ]  # fmt: skip
        doors = [
            lambda: _listens(code),
            lambda: _listens(page),
            lambda: True,  # the daemon listens nowhere
            lambda: _is_open(self.host, self.port),
        ]
        for service, is_up in zip(self.services, doors, strict=True):
            self._start(service)
            self._await(service, is_up)

    def watch(self) -> None:
        """Start again whatever dies, until they are stopped from elsewhere."""
        while not self._stopping.wait(0.5):
            if self._clock.was_set_back():
                self.start_daemon_anew()
            self.revive()
            self.shorten_logs()

    def start_daemon_anew(self) -> None:
        """End the daemon, which is started again and forgets what is yet to come."""
        for service in self.services:
            if service.name == "daemon":
                _log.warning("This machine's clock was set back: Dagster's daemon is started anew.")
                service.send(signal.SIGINT)

    def shorten_logs(self) -> None:
        """Keep of each log what it holds and what the last one held, whatever strangers cause.

        The processes write at its end, wherever that is; a line that comes between is lost.
        """
        for service in self.services:
            log = self.log_of(service)
            with contextlib.suppress(OSError):  # a full disk; the next look tries again
                if log.stat().st_size > LARGEST_LOG_BYTES:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)

    def revive(self) -> None:
        """Start again whatever died and has waited its pause."""
        if self._end is not None and self._end.poll() is not None:
            self._name_groups()
        now = time.monotonic()
        for service in self.services:
            if service.process is None or service.process.poll() is None:
                continue
            if service.restart_at == 0:
                if now - service.started_at > HEALTHY_SECONDS:
                    service.pause_seconds = FIRST_RESTART_SECONDS
                service.restart_at = now + service.pause_seconds
                service.pause_seconds = min(2 * service.pause_seconds, LONGEST_RESTART_SECONDS)
                _log.warning(
                    "%s ended with code %s; it is started again in %.0f s.",
                    service.name,
                    service.process.returncode,
                    service.restart_at - now,
                )
            elif now >= service.restart_at:
                self._start(service)

    def stop(self) -> None:
        """End the processes and theirs, runs included; what has not ended in time is killed.

        Whatever a run was doing is continued by a later one.
        """
        self._stopping.set()
        for service in self.services:
            service.send(signal.SIGINT)
        ends = time.monotonic() + STOP_SECONDS
        while time.monotonic() < ends and any(service.lives for service in self.services):
            time.sleep(0.05)
        for service in self.services:
            service.send(signal.SIGKILL)
            if service.process is not None:
                service.process.wait()
        self._leave_home()
        self._sockets.close()

    def log_of(self, service: Service) -> Path:
        """Where the process writes; not ``logs``, which Dagster empties without telemetry."""
        return self.home.dagster / "service_logs" / f"{service.name}.log"

    def _start(self, service: Service) -> None:
        log = self.log_of(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            **self._environment,
            "DAGSTER_HOME": str(self.home.dagster),
            "BILL_PIPELINE_HOME": str(self.home.path),
        }
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches us alone, and we end them in order.
            service.process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                service.command, env=environment, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        service.started_at = time.monotonic()
        service.restart_at = 0.0
        self._name_groups()

    def _name_groups(self) -> None:
        """Say which processes are ours to the one that ends them when we are killed."""
        if self._end is None or self._end.poll() is not None:
            self._end = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "bill_pipeline.runtime.end_groups", str(STOP_SECONDS)],
                stdin=subprocess.PIPE, pass_fds=(self._lock,), start_new_session=True,
            )  # fmt: skip
        self._say(" ".join(str(s.process.pid) for s in self.services if s.process is not None))

    def _say(self, groups: str) -> None:
        if self._end is not None and self._end.stdin is not None:
            with contextlib.suppress(OSError):  # it was killed; the next look starts another one
                self._end.stdin.write(f"{groups}\n".encode())
                self._end.stdin.flush()

    def _hold_home(self) -> None:
        """Raises HomeIsServed when another process holds the home."""
        lock = os.open(self.home.dagster / "ui.lock", os.O_RDWR | os.O_CREAT, 0o600)
        ends = time.monotonic() + HELD_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends:
                    holder = os.pread(lock, 1_000, 0).decode(errors="replace").strip()
                    os.close(lock)
                    raise HomeIsServed(self.home, holder) from None
                time.sleep(0.1)
        self._lock = lock
        holder = f"process {os.getpid()} on {socket.gethostname()}, at {self.host}:{self.port}"
        os.ftruncate(lock, 0)
        os.pwrite(lock, holder.encode(), 0)

    def _leave_home(self) -> None:
        if self._end is not None:
            self._say("")  # all are gone: their numbers may be another's by now
            try:
                self._end.communicate(timeout=STOP_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                self._end.kill()
            self._end = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _await(self, service: Service, is_up: Callable[[], bool]) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if is_up():
                return
            if service.process is not None and service.process.poll() is not None:
                break
            time.sleep(0.2)
        raise ServiceError(
            f"The {service.name} did not start. Its last words are in {self.log_of(service)}."
        )

    def _write_workspace(self, code: Path) -> Path:
        path = self.home.dagster / "workspace.yaml"
        path.write_text(
            "# Written by `bill-pipeline ui` at each start.\nload_from:\n  - grpc_server:\n"
            f"      socket: {json.dumps(str(code))}\n      location_name: bill-pipeline\n",
            encoding="utf-8",
        )
        return path


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(str(path)) == 0


def _is_open(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False
