"""Open pages of the console while somebody attacks it, and say how long a person waits.

    python benchmarks/console_under_attack.py --seconds 30 [--only NAME ...] [--home FOLDER]

The console runs as `bill-pipeline console --behind-https` runs it, in its own process, over a small
home; each attack runs in another one. One person, signed in, opens the sign-in page, the list of
clients, a general ledger and the style sheet in turn, each over a connection of its own, and signs
in now and then from a network the console knows and from one it does not. The same is measured
alone in the same run: on a shared machine the ratio tells more than the milliseconds. An attacker
on this machine also takes processor time that one elsewhere would not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import itertools
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from console_pages import make_firm
from pydantic import SecretStr

from bill_pipeline.console.auth.users import Role, Users
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

random = secrets.SystemRandom()
NAME = "books.example.com"
PAGES = {
    "sign-in page": "/sign-in",
    "clients": "/clients",
    "general ledger": "/clients/client-0000/general-ledger?from=2026-01-01&to=2026-03-31",
    "style sheet": "/static/console.css",
}
#: What is asked for and not read.
LARGE = (
    PAGES["general ledger"],
    "/static/console.css",
    "/clients/client-0001/download/general-ledger",
)
#: Between two pages, so that the person is no load.
PAUSE_SECONDS = 0.04
OFFICE, ELSEWHERE = "198.51.100.7", "192.0.2.{}"
COLUMNS = "| while | p50 ms | p95 ms | p99 ms | p95 ÷ alone | slowest page's p95 | other answers |"
MORE_COLUMNS = " sign-in, known network | sign-in, new network | peak MB over idle | handles |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS), default=list(ATTACKS))
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--attack", choices=list(ATTACKS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        asyncio.run(attack(options.attack, options.port, sys.stdin.readline().strip()))
        return
    home = Home.at(options.home or tempfile.mkdtemp(prefix="console-attacked-"))
    if not Registry(home).names():
        make_firm(home, 4, 300)
    password = secrets.token_urlsafe(16)
    users = Users(ConsoleDatabase(home.path / "console.sqlite"))
    name, other = (f"measuring-{secrets.token_hex(3)}" for _ in range(2))
    for user in (name, other):
        users.create(user, SecretStr(password), Role.VIEWER, clients="all", created_by="benchmark")
    print(f"load of the machine before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    print(COLUMNS + MORE_COLUMNS)
    print("|---" * (COLUMNS + MORE_COLUMNS).count(" |") + "|")
    alone = None
    for kind in ["", *options.only]:  # each with a console of its own: nobody is locked out before
        with served(home) as server:
            person = Person(server.port, name, password)
            attacker = Person(server.port, other, password)  # for attacks by somebody of the firm
            alone = measure(server, person, attacker.cookie, kind, options.seconds, alone)
    print(f"load of the machine after: {os.getloadavg()[0]:.2f}")


class Server:
    """A console in a process of its own."""

    def __init__(self, home: Home) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with ConsoleDatabase(home.path / "console.sqlite").transaction() as db:
            db.execute("delete from failed_sign_ins")
        command = [sys.executable, "-c", "from bill_pipeline.cli import main; main()", "console"]
        options = ["--behind-https", NAME, "--trust-proxy", "127.0.0.1", "--home", str(home.path)]
        self.log = home.path / "benchmark.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *options], stdout=log, stderr=log
            )
        self._proc = Path(f"/proc/{self.process.pid}")

    def forget_peak(self) -> None:
        (self._proc / "clear_refs").write_text("5")

    def megabytes(self, which: str) -> float:
        """``VmRSS``: memory now; ``VmHWM``: the most since ``forget_peak``."""
        found = re.search(rf"{which}:\s+(\d+)", (self._proc / "status").read_text())
        assert found
        return int(found.group(1)) / 1024

    def handles(self) -> int:
        return len(list((self._proc / "fd").iterdir()))


@contextlib.contextmanager
def served(home: Home):  # type: ignore[no-untyped-def]
    server = Server(home)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait(20)


class Person:
    """Who only wants to work: signed in, each page over a connection of its own."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self._port, self._name, self._password = port, name, password
        for _ in range(300):
            with contextlib.suppress(ConnectionRefusedError):
                status, self.cookie = self.sign_in(OFFICE)
                break
            time.sleep(0.1)
        if status != 303:
            raise SystemExit(f"signing in answered {status}")
        for path in [*PAGES.values()] * 3:
            if (status := self.get(path)) not in (200, 303):
                raise SystemExit(f"{path} answered {status}")

    def get(self, path: str) -> int:
        return self._ask("GET", path, OFFICE, self.cookie)[0]

    def sign_in(self, address: str) -> tuple[int, str]:
        """The answer's status, and the cookie of the session."""
        _status, cookie, text = self._ask("GET", "/sign-in", address)
        token = re.search(r'name="csrf_token" value="([^"]+)"', text)
        form = {
            "csrf_token": token.group(1) if token else "",
            "name": self._name,
            "password": self._password,
        }
        status, cookie, _text = self._ask("POST", "/sign-in", address, cookie, urlencode(form))
        return status, cookie

    def _ask(
        self, method: str, path: str, address: str, cookie: str = "", body: str | None = None
    ) -> tuple[int, str, str]:
        headers = {"host": NAME, "x-forwarded-for": address, "cookie": cookie}
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        ) as http_:
            http_.request(method, path, body, headers)
            answer = http_.getresponse()
            text = answer.read().decode()
        cookies = [
            header.partition(";")[0] for header in answer.headers.get_all("set-cookie") or []
        ]
        return answer.status, next(iter(cookies), ""), text


def measure(
    server: Server, person: Person, cookie: str, kind: str, seconds: float, alone: float | None
) -> float:
    """Print the row of one attack, and return the 95th percentile."""
    idle = server.megabytes("VmRSS")
    attacker = None
    if kind:
        attacker = subprocess.Popen(
            [sys.executable, __file__, "--attack", kind, "--port", str(server.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert attacker.stdin
        assert attacker.stdout
        print(cookie, file=attacker.stdin, flush=True)
        attacker.stdout.readline()  # it says when it has begun
        time.sleep(2)
    server.forget_peak()
    stop = threading.Event()
    signing_in: dict[str, list[tuple[int, float]]] = {"known": [], "new": []}
    signer = threading.Thread(target=sign_in_again, args=(person, signing_in, stop))
    signer.start()
    took: dict[str, list[float]] = {name: [] for name in PAGES}
    refused: Counter[str] = Counter()
    handles = 0
    ends_at = time.monotonic() + seconds
    for name in itertools.cycle(PAGES):
        if time.monotonic() > ends_at:
            break
        started = time.perf_counter()
        try:
            if (status := person.get(PAGES[name])) not in (200, 303):
                refused[str(status)] += 1
        except OSError as error:
            refused[type(error).__name__] += 1
        took[name].append((time.perf_counter() - started) * 1000)
        handles = max(handles, server.handles())
        time.sleep(PAUSE_SECONDS)
    stop.set()
    signer.join()
    said = ""
    if attacker:
        attacker.terminate()
        said = attacker.communicate()[0].strip()
    everything = [value for values in took.values() for value in values]
    p95 = percentile(everything, 95)
    worst = max(took, key=lambda name: percentile(took[name], 95))
    print(
        f"| {kind or 'alone'} | {percentile(everything, 50):.0f} | {p95:.0f} "
        f"| {percentile(everything, 99):.0f} | {p95 / (alone or p95):.1f} "
        f"| {worst} {percentile(took[worst], 95):.0f} | {dict(refused) or '–'} "
        f"| {sign_ins_in_words(signing_in['known'])} | {sign_ins_in_words(signing_in['new'])} "
        f"| {server.megabytes('VmHWM') - idle:.0f} | {handles} |"
        + (f"\n  <!-- the attacker: {said} -->" if said else ""),
        flush=True,
    )
    return alone or p95


def sign_in_again(
    person: Person, found: dict[str, list[tuple[int, float]]], stop: threading.Event
) -> None:
    """Every few seconds; from the office, and each time from a network nobody signed in from."""
    for number in itertools.count(secrets.randbelow(200)):
        for kind, address in (("known", OFFICE), ("new", ELSEWHERE.format(number % 250))):
            if stop.wait(2):
                return
            started = time.perf_counter()
            try:
                status = person.sign_in(address)[0]
            except OSError:
                status = 0
            found[kind].append((status, time.perf_counter() - started))


def sign_ins_in_words(tries: list[tuple[int, float]]) -> str:
    seconds = [took for status, took in tries if status == 303]
    slowest = f", median {statistics.median(seconds):.1f} s" if seconds else ""
    return f"{len(seconds)} of {len(tries)}{slowest}"


def percentile(values: list[float], which: int) -> float:
    return statistics.quantiles(values, n=100)[which - 1] if len(values) > 1 else float("nan")


# --- the attacker, in a process of its own --------------------------------------------------------

#: What came of its tries; a status, or why a connection ended.
seen: Counter[str] = Counter()


async def attack(kind: str, port: int, cookie: str) -> None:
    """Until this process is told to end."""
    how, many = ATTACKS[kind]
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(again(how, port, cookie)) for _ in range(many)]
    done = asyncio.Event()
    loop.add_signal_handler(15, done.set)
    await asyncio.sleep(1)
    print("begun", flush=True)
    await done.wait()
    for task in tasks:
        task.cancel()
    print(dict(seen.most_common(8)), flush=True)


Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


async def again(how: Attack, port: int, cookie: str) -> None:
    """Attack, and attack anew whenever the console closes the connection."""
    while True:
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read, waits there
        taken.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(taken, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=taken, limit=2**16)
        except OSError as error:
            seen[f"not connected: {type(error).__name__}"] += 1
            await asyncio.sleep(0.5)
            continue
        try:
            await how(reader, writer, cookie)
        except (OSError, asyncio.IncompleteReadError) as error:
            seen[type(error).__name__] += 1
        finally:
            writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> bytes:
    """Send a request and read its answer, as fast as that goes."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    body = await reader.readexactly(int(length.group(1)) if length else 0)
    seen[head[9:12].decode()] += 1
    return head + body


def head_of(method: str, path: str, *more: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {NAME}", *more, "", "")).encode()


async def guess_from_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _cookie: str
) -> None:
    await guess(reader, writer, lambda: "203.0.113.9")


async def guess_from_many(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _cookie: str
) -> None:
    await guess(reader, writer, lambda: ".".join(str(random.randrange(1, 224)) for _ in range(4)))


async def guess(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Callable[[], str]
) -> None:
    cookie, form = "bill_pipeline_sign_in=x", "csrf_token=x&password=a-wrong-password&name="
    kind = "Content-Type: application/x-www-form-urlencoded"
    while True:
        body = form + secrets.token_hex(4)
        size, source = f"Content-Length: {len(body)}", f"X-Forwarded-For: {address()}"
        head = head_of("POST", "/sign-in", f"Cookie: {cookie}", kind, size, source)
        if b"connection: close" in await ask(reader, writer, head + body.encode()):
            return


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _cookie: str) -> None:
    for byte in head_of("GET", "/sign-in", "X-Long: " + "x" * 10_000):
        writer.write(bytes([byte]))
        await asyncio.sleep(random.uniform(0.5, 1.5))
        if reader.at_eof() or writer.is_closing():
            raise ConnectionResetError


async def hold_half(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _cookie: str
) -> None:
    writer.write(head_of("GET", "/sign-in")[:-2])
    await reader.readexactly(1)


async def feed_slowly(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _cookie: str
) -> None:
    path = random.choice(("/sign-in", "/webhooks/bill", "/clients"))
    kind = "Content-Type: application/x-www-form-urlencoded"
    writer.write(head_of("POST", path, "Content-Length: 900000", kind))
    for _ in range(900):
        writer.write(b"x" * 20_000)
        await writer.drain()
        await asyncio.sleep(random.uniform(0.2, 0.6))
        if reader.at_eof() or writer.is_closing():
            raise ConnectionResetError


async def read_slowly(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cookie: str
) -> None:
    """Ask for a page or a file as somebody who may, and take none of the answer."""
    del reader
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(head_of("GET", random.choice(LARGE), f"Cookie: {cookie}"))
    while not writer.transport.is_closing():
        await asyncio.sleep(1)
        writer.write(b"\r\n")
        await writer.drain()


ATTACKS: dict[str, tuple[Attack, int]] = {
    "200 guess, one network": (guess_from_one, 200),
    "200 guess, many networks": (guess_from_many, 200),
    "1,000 drip bytes": (drip, 1000),
    "1,000 hold half a head": (hold_half, 1000),
    "1,000 feed a body slowly": (feed_slowly, 1000),
    "200 read slowly": (read_slowly, 200),
}

if __name__ == "__main__":
    main()
