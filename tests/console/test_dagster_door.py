"""Attacks on Dagster through the console, with a Dagster behind it that does what it is told."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import dagster_graphql
import pytest
import uvicorn
from click.testing import CliRunner
from dagster._grpc.client import DagsterGrpcClient
from dagster_graphql.schema import create_schema
from graphql import GraphQLInterfaceType, GraphQLUnionType, get_named_type
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bill_pipeline.cli import main
from bill_pipeline.console.app import console_app
from bill_pipeline.console.auth import passwords
from bill_pipeline.console.auth.access import SESSION_COOKIE
from bill_pipeline.console.auth.users import Clients, Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.dagster_proxy import door as dagster_door
from bill_pipeline.console.dagster_proxy import updates as dagster_updates
from bill_pipeline.console.dagster_proxy.door import DagsterDoor
from bill_pipeline.console.dagster_proxy.graphql_requests import RUNNING_CODE
from bill_pipeline.console.parts import slow_requests
from bill_pipeline.console.parts.slow_requests import PromptHandshakes, PromptRequests
from bill_pipeline.dagster.address import MAY_CHANGE
from bill_pipeline.registry.clients import utc_now
from bill_pipeline.settings import Home
from tests.console.console_browser import PASSWORDS, add_users, connect_invented_client

OWN = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
QUERY = {"query": "query Runs { runs { id } }", "variables": {}, "operationName": "Runs"}
STOP = {"query": "mutation { stopRunningSensor(id: 1) { id } }"}
#: People who may see all clients, and others: their role and their clients.
LOOKERS = ("viewer-person", "bookkeeper-person", "admin-person")
LIMITED: dict[str, Clients] = {
    "limited-viewer": frozenset({"maple-bakery"}),
    "limited-bookkeeper": frozenset({"maple-bakery"}),
    "nobodys-bookkeeper": frozenset(),
    "bookkeeper-of-each": frozenset({"maple-bakery", "cedar-dental"}),
}


def sign_out(console: Console, _name: str) -> None:
    with console.database.transaction() as db:
        db.execute("delete from sessions")


def become_idle(console: Console, _name: str, hours: float = 2.1) -> None:
    then = (utc_now() - timedelta(hours=hours)).isoformat()
    with console.database.transaction() as db:
        db.execute("update sessions set last_seen_at = ?", [then])


def lose_clients(console: Console, name: str) -> None:
    console.users.change(name, role=Role.BOOKKEEPER, clients=frozenset({"maple-bakery"}))


def disable(console: Console, name: str) -> None:
    console.users.disable(name)


ENDINGS = (sign_out, become_idle, lose_clients, disable)


class OpenDagster:
    """A web server that obeys everybody and remembers what it was told, as Dagster's own does."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.told: list[Any] = []
        self.hung_up = threading.Event()
        self.completes = False
        self.answer: Any = {"data": "cedar-dental"}
        self.status = 200
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        self.app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self._updates),
                Route("/{path:path}", self._obey, methods=methods),
            ]
        )

    async def _obey(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.told.append(
            {
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": dict(request.headers),
                "body": json.loads(body) if body else None,
            }
        )
        headers = {
            "set-cookie": "dagster=1", "location": "http://evil.example",
            "x-dagster-call-counts": "1", "access-control-allow-origin": "*",
            "content-security-policy": "script-src 'nonce-1'",
        }  # fmt: skip
        return JSONResponse(self.answer, self.status, headers=headers)

    async def _updates(self, websocket: WebSocket) -> None:
        self.told.append({"path": websocket.url.path, "headers": dict(websocket.headers)})
        await websocket.accept("graphql-ws")
        try:
            while True:
                message = await websocket.receive_json()
                self.told.append(message)
                kind = "complete" if self.completes else "data"
                news = {"type": kind, "id": message.get("id")}
                await websocket.send_json(news | ({"extensions": {}} if self.completes else {}))
        except WebSocketDisconnect:
            self.hung_up.set()


@pytest.fixture(scope="module")
def obedient() -> Iterator[OpenDagster]:
    with tempfile.TemporaryDirectory() as folder:
        dagster = OpenDagster(Path(folder) / "page")
        config = uvicorn.Config(dagster.app, uds=str(dagster.socket), log_level="error")
        with running(uvicorn.Server(config)):
            yield dagster


@pytest.fixture
def dagster(obedient: OpenDagster) -> OpenDagster:
    obedient.told.clear()
    obedient.hung_up.clear()
    return obedient


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, obedient: OpenDagster) -> Console:
    """One console for all attacks, with two clients."""
    home = Home.at(tmp_path_factory.mktemp("door") / "home")
    for number, client in enumerate(("maple-bakery", "cedar-dental"), 1):
        connect_invented_client(home, client, number)
    the_console = Console.at(home, dagster_socket=obedient.socket)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", 2**4)
        add_users(the_console)
        leaving = {f"bookkeeper-{number}": "all" for number in range(len(ENDINGS))}
        for name, clients in {**LIMITED, **leaving}.items():
            the_console.users.create(
                name, _password(name), _role(name), clients=clients, created_by="test"
            )
    return the_console


@pytest.fixture(scope="module")
def http(console: Console) -> Iterator[TestClient]:
    app = console_app(console)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def served(console: Console) -> Iterator[str]:
    """Host and port of the console as the command serves it; a request has 0.4 s to arrive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slow_requests, "SECONDS_TO_ARRIVE", 0.4)
        config = uvicorn.Config(
            console_app(console), port=0, http=PromptRequests, log_level="error", lifespan="off"
        )
        with running(uvicorn.Server(config)) as server:
            yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@contextlib.contextmanager
def running(server: uvicorn.Server) -> Iterator[uvicorn.Server]:
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join(timeout=30)
    assert not thread.is_alive()


def _role(name: str) -> Role:
    return next(role for role in Role if role.value in name)


def _password(name: str) -> SecretStr:
    return SecretStr(PASSWORDS[_role(name)])


def cookie(console: Console, name: str) -> dict[str, str]:
    """The cookies of a browser in which ``name`` has just signed in."""
    token = console.sign_ins.sign_in(name, _password(name), address="127.0.0.1")
    assert token
    return {"cookie": f"theme=dark; {SESSION_COOKIE}={token.get_secret_value()}"}


def ask(http: TestClient, asked: Any, **headers: str) -> Any:
    """Send ``asked`` as Dagster's page does, with these headers beside or instead of its own."""
    return http.post("/dagster/graphql", json=asked, headers={**OWN, **headers})


def live(http: TestClient, **headers: str) -> Any:
    return http.websocket_connect(
        "ws://localhost/dagster/graphql", ["graphql-ws"], headers={**OWN, **headers}
    )


def start(query: str, **further: Any) -> dict[str, Any]:
    return {"type": "start", "id": "1", "payload": {"query": query, **further}}


@pytest.mark.parametrize("name", LOOKERS)
def test_who_may_see_all_clients_may_look(
    console: Console, http: TestClient, dagster: OpenDagster, name: str
) -> None:
    person = cookie(console, name)
    assert http.get("/dagster/runs/1", headers=person).status_code == 200
    assert ask(http, QUERY, **person).json() == {"data": "cedar-dental"}
    with live(http, **person) as updates:
        updates.send_json(start("subscription { news }"))
        assert updates.receive_json() == {"type": "data", "id": "1"}
    assert 'href="/dagster/"' in http.get("/clients", headers=person).text
    is_admin = name == "admin-person"
    assert http.get("/dagster/download_debug/1", headers=person).status_code == (
        200 if is_admin else 403
    )


@pytest.mark.parametrize("said", ["cross-site", "same-site"])
def test_another_sites_page_takes_no_file_of_dagsters(
    console: Console, http: TestClient, dagster: OpenDagster, said: str
) -> None:
    """A link on it opens Dagster's page, and of all that Dagster serves nothing else."""
    foreign = {**cookie(console, "admin-person"), "sec-fetch-site": said}
    files = ("logs/1/compute_logs/a/err", "logs/a", "download_debug/1", "download_debug/1.gz")
    answers = [http.get(f"/dagster/{path}", headers=foreign) for path in files]
    answers.append(http.head("/dagster/logs/a", headers=foreign))
    assert [answer.status_code for answer in answers] == [403] * 5
    assert dagster.told == []
    for path in ("", "runs", "graphiql", "report_runs/1"):
        http.get(f"/dagster/{path}", headers=foreign)
    assert {told["path"] for told in dagster.told} == {"/dagster/"}
    own = {**foreign, "sec-fetch-site": "same-origin"}
    assert http.get("/dagster/download_debug/1", headers=own).status_code == 200


@pytest.mark.parametrize("name", [*LIMITED, "nobody"])
def test_nobody_else_learns_anything(
    console: Console, http: TestClient, dagster: OpenDagster, name: str
) -> None:
    """Also not a person whose list names every client of today."""
    person = cookie(console, name) if name in LIMITED else {}
    paths = ("", "/", "/runs", "/logs/1/a.out", "/download_debug/1", "/_next/static/a.js",
             "/graphql?query={a}", "/notebook", "/favicon.png")  # fmt: skip
    answers = [http.get(f"/dagster{path}", headers=person) for path in paths]
    answers += [ask(http, QUERY, **person), ask(http, STOP, **person)]
    assert {a.status_code for a in answers} == ({403} if person else {303, 401})
    assert not any("cedar-dental" in answer.text for answer in answers)
    with pytest.raises(WebSocketDisconnect), live(http, **person):
        pass
    if person:
        assert "/dagster" not in http.get("/clients", headers=person).text
    assert dagster.told == []


CHANGES = {
    "plain": STOP,
    "chosen among several": {
        "query": "query A { a } mutation B { stopRunningSensor }", "operationName": "B",
    },
    "beside the chosen one": {
        "query": "query A { a } mutation B { stopRunningSensor }", "operationName": "A",
    },
    "by a fragment": {
        "query": "fragment F on Mutation { stopRunningSensor } mutation { ...F }",
    },
    "by a fragment in a fragment": {
        "query": "mutation { ... { ...F } } fragment F on Mutation { x: stopRunningSensor ...F }",
    },
    "behind a comment": {"query": "# query {\n,,,\ufeff\tmutation{stopRunningSensor}"},
    "under another name": {"query": 'mutation query { query: stopRunningSensor(text: "query") }'},
    "with further fields": {**STOP, "extensions": {"readOnly": True}, "operation": "query"},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_only_an_administrator_changes_anything(
    console: Console, http: TestClient, dagster: OpenDagster, change: dict[str, Any]
) -> None:
    for name in ("viewer-person", "bookkeeper-person"):
        answer = ask(http, change, **cookie(console, name), **{MAY_CHANGE: "yes"})
        assert answer.status_code == 403
        assert "Only an administrator" in answer.json()["errors"][0]["message"]
    assert dagster.told == []
    assert ask(http, change, **cookie(console, "admin-person")).status_code == 200
    (told,) = dagster.told
    assert told["headers"][MAY_CHANGE] == "yes"
    assert told["body"] == {
        "query": change["query"],
        "variables": None,
        "operationName": change.get("operationName"),
    }
    ((_number, entry),) = console.audit.latest(limit=1)
    assert (entry.user_name, entry.action) == ("admin-person", "changed in Dagster")
    assert entry.details == {"changes": ["stopRunningSensor"]}


def sensor(fields: str) -> str:
    return f"sensorOrError(sensorSelector: {{}}) {{ ... on Sensor {{ nextTick {{ {fields} }} }} }}"


RUNS_CODE = {
    "plain": f"{{ {sensor('evaluationResult { skipReason }')} }}",
    "under another name": f"{{ {sensor('timestamp: evaluationResult { skipReason }')} }}",
    "by a fragment": "fragment F on Tick { ...G } fragment G on Tick { evaluationResult { a } } "
    f"query {{ {sensor('...F')} }}",
    "beside the chosen one": f"query A {{ version }} query B {{ {sensor('evaluationResult')} }}",
    "if asked to": f"query($a: Boolean!) {{ {sensor('evaluationResult @include(if: $a)')} }}",
}


@pytest.mark.parametrize("query", RUNS_CODE.values(), ids=RUNS_CODE)
def test_only_an_administrator_runs_the_code_of_a_sensor(
    console: Console, http: TestClient, dagster: OpenDagster, query: str
) -> None:
    asked = {"query": query, "operationName": "A"}
    assert ask(http, asked, **cookie(console, "viewer-person")).status_code == 403
    assert dagster.told == []
    assert ask(http, asked, **cookie(console, "admin-person")).status_code == 200
    ((_number, entry),) = console.audit.latest(limit=1)
    assert entry.details == {"changes": ["evaluationResult"]}


#: What of a code server runs code that it was given, and where a query may ask for it. The other
#: calls read definitions, or are those of mutations. Partitions and plans are made of definitions
#: alone, as no job here has a function for its config.
EVALUATES = {"get_sensor_execution_data", "get_schedule_execution_data"}
CODE_SERVER = {
    "can_cancel_execution", "cancel_execution", "execution_plan_snapshot", "external_job",
    "external_notebook_data", "external_partition_config", "external_partition_names",
    "external_partition_set_execution_params", "external_partition_tags",
    "external_pipeline_subset", "external_repository", "external_schedule_execution",
    "external_sensor_execution", "gen_execution_plan_snapshot", "gen_external_pipeline_subset",
    "gen_external_repository", "gen_list_repositories", "gen_streaming_external_repository",
    "get_current_image", "get_current_runs", "get_server_id",
    "health_check_query", "heartbeat", "list_repositories", "metadata", "ping",
    "refresh_component_state", "reload_code", "reload_code_with_state", "shutdown_server",
    "start_run", "streaming_ping", "use_ssl",
}  # fmt: skip
#: Of the names of all fields that a query or a subscription reaches.
FIELDS_JUDGED = "7662e447cddf023c"


def test_every_field_of_dagsters_that_runs_code_is_known() -> None:
    """A new version may bring new ones: read their resolvers, then correct what stands above."""
    schema = create_schema().graphql_schema
    reached: set[str] = set()
    waiting: list[Any] = [schema.query_type, schema.subscription_type]
    fields: dict[str, str] = {}
    while waiting:
        kind = waiting.pop()
        if kind.name in reached:
            continue
        reached.add(kind.name)
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            waiting += schema.get_possible_types(kind)
        for name, field in getattr(kind, "fields", {}).items():
            answer = get_named_type(field.type)
            fields[f"{kind.name}.{name}"] = answer.name
            waiting.append(answer)
    evaluating = {name for name, kind in fields.items() if kind == "TickEvaluation"}
    assert evaluating == {"DryRunInstigationTick.evaluationResult"}
    assert {name.partition(".")[2] for name in evaluating} == RUNNING_CODE
    calls = {name for name in vars(DagsterGrpcClient) if not name.startswith("_")}
    assert calls == CODE_SERVER, "a code server can be asked for more: which fields ask for it?"
    folder = Path(str(dagster_graphql.__file__)).parent
    callers = {
        (path.name, name)
        for path in folder.rglob("*.py")
        for name in EVALUATES
        if f".{name}(" in path.read_text(encoding="utf-8")
    }
    assert callers == {("instigation.py", name) for name in EVALUATES}
    digest = hashlib.sha256("\n".join(sorted(fields)).encode()).hexdigest()[:16]
    assert digest == FIELDS_JUDGED, f"Dagster has other fields, {len(fields)}: do they run code?"


NO_REQUESTS: dict[str, tuple[bytes, str]] = {
    "several at once": (json.dumps([QUERY, STOP]).encode(), "application/json"),
    "a query by its hash": (
        b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}}',
        "application/json",
    ),
    "a form": (b"query=mutation%7Bstop%7D", "application/x-www-form-urlencoded"),
    "an upload": (
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "text": (json.dumps(STOP).encode(), "text/plain"),
    "JSON by another name": (json.dumps(STOP).encode(), "text/plain; application/json"),
    "bare GraphQL": (b"mutation { stop }", "application/graphql"),
    "UTF-16": (json.dumps(STOP).encode("utf-16"), "application/json"),
    "nested text": (b"[" * 100_000, "application/json"),
    "nested variables": (
        b'{"query": "{a}", "variables": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}",
        "application/json",
    ),
    "a nested query": (json.dumps({"query": "{a" * 50_000}).encode(), "application/json"),
    "a long query": (json.dumps({"query": "{" + "a " * 50_000 + "}"}).encode(), "application/json"),
    "a large one": (b" " * 2_200_000 + b"{}", "application/json"),
    "no operation": (b'{"query": "fragment F on Query { a }"}', "application/json"),
    "a schema": (b'{"query": "{ a } type Query { a: Int }"}', "application/json"),
    "variables as text": (b'{"query": "{a}", "variables": "{}"}', "application/json"),
    "a subscription": (b'{"query": "subscription { a }"}', "application/json"),
    "a trace by another name": (
        b'{"query": "{ runs { ... on PythonError { s: stack } } }"}',
        "application/json",
    ),
    "nothing": (b"", "application/json"),
}


@pytest.mark.parametrize("body", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_dagsters_page_does_not_send_is_refused(
    console: Console, http: TestClient, dagster: OpenDagster, body: tuple[bytes, str]
) -> None:
    headers = {**OWN, **cookie(console, "admin-person"), "content-type": body[1]}
    answer = http.post("/dagster/graphql", content=body[0], headers=headers)
    assert answer.status_code in (400, 413, 415)
    assert dagster.told == []


def test_what_was_judged_is_what_goes_on(
    console: Console, http: TestClient, dagster: OpenDagster
) -> None:
    """A server that reads the first of two equal names, or a query in the address, finds none."""
    body = b'{"query": "mutation { stop }", "query": "{ a }", "Query": "mutation { stop }"}'
    headers = {**OWN, **cookie(console, "viewer-person"), "content-type": "application/json"}
    address = "/dagster/graphql?query=mutation{stop}&operationName=B"
    assert http.post(address, content=body, headers=headers).status_code == 200
    (told,) = dagster.told
    assert told["body"] == {"query": "{ a }", "variables": None, "operationName": None}
    assert told["query"] == ""


def test_other_methods_and_doors_of_dagster_are_not_reached(
    console: Console, http: TestClient, dagster: OpenDagster
) -> None:
    admin = {**OWN, **cookie(console, "admin-person")}
    reports = ("materialization", "check", "observation")
    for path in ("runs", "notebook", *(f"report_asset_{kind}/ledger/x" for kind in reports)):
        answer = http.post(f"/dagster/{path}", json={}, headers=admin)
        assert answer.status_code == 405, path
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in ("graphql", "runs"):
            assert http.request(method, f"/dagster/{path}", headers=admin).status_code == 405
    for accept in ("text/html", "*/*"):
        headers = {**admin, "accept": accept}
        asked = http.get("/dagster/graphql?query=mutation{stop}", headers=headers)
        assert asked.status_code == 405
    assert dagster.told == []


@pytest.mark.parametrize(
    "path",
    ["notebook?path=/etc/x.ipynb&repoLocName=a", "dagit/notebook?path=a", "server_info",
     "dagit_info", "graphql/", "vendor/graphiql/x.js", "not-known-yet", "assets/a/b?view=checks",
     "report_asset_check/a", "//evil.example/", "_next"],
)  # fmt: skip
def test_any_other_address_is_the_page(
    console: Console, http: TestClient, dagster: OpenDagster, path: str
) -> None:
    answer = http.get(f"http://localhost/dagster/{path}", headers=cookie(console, "admin-person"))
    assert answer.status_code == 200
    assert [(told["path"], told["query"]) for told in dagster.told] == [("/dagster/", "")]


@pytest.mark.parametrize(
    "path",
    ["_next/%2e%2e/graphql", "_next/../graphql", "logs/%2e%2e/graphql", "logs/..%2f..%2fgraphql",
     "logs//a", "logs/a%5c..%5cb", "logs/a%00b", "download_debug/%2e%2e/runs", "_next/./a.js"],
)  # fmt: skip
def test_no_path_leads_out_of_its_folder(
    console: Console, served: str, dagster: OpenDagster, path: str
) -> None:
    assert as_it_is(served, path, cookie(console, "admin-person")) == 404
    assert dagster.told == []


def test_an_answer_has_ended_when_it_says_so(
    console: Console, served: str, dagster: OpenDagster
) -> None:
    person = cookie(console, "viewer-person")
    connection = HTTPConnection(served)
    for _ in range(20):  # on one connection
        connection.request("GET", "/dagster/logs/a.out", headers=person)
        answer = connection.getresponse()
        assert answer.headers["content-length"] is None
        assert answer.read()
    connection.close()


def test_what_is_encoded_twice_stays_so(
    console: Console, served: str, dagster: OpenDagster
) -> None:
    person = cookie(console, "viewer-person")
    assert as_it_is(served, "logs/%252e%252e/a?b", person) == 200
    assert [told["path"] for told in dagster.told] == ["/dagster/logs/%2e%2e/a"]


def following(where: str, headers: dict[str, str]) -> ClientConnection:
    """A websocket as Dagster's page opens it."""
    return connect(
        f"ws://{where}/dagster/graphql",
        subprotocols=["graphql-ws"],
        origin=f"http://{where}",
        additional_headers=headers,
    )


def as_it_is(where: str, path: str, headers: dict[str, str]) -> int:
    """The status of asking for ``path``, which other clients would tidy up first."""
    connection = HTTPConnection(where)
    connection.request("GET", f"/dagster/{path}", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:8000"},
    "another name of this machine": {"origin": "http://127.0.0.1"},
    "a longer name": {"origin": "http://localhost.evil.example"},
    "a page without an address": {"origin": "null"},
    "no address": {"origin": "http://["},
    "not said": {"origin": ""},
    "the browser's word": {"sec-fetch-site": "cross-site"},
    "a neighbour": {"sec-fetch-site": "same-site"},
    "another host": {"host": "evil.example", "origin": "http://evil.example"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_no_other_site_uses_a_signed_in_browser(
    console: Console, http: TestClient, dagster: OpenDagster, foreign: dict[str, str]
) -> None:
    admin = cookie(console, "admin-person")
    for asked in (QUERY, STOP):
        assert ask(http, asked, **{**admin, **foreign}).status_code in (400, 403)
    with pytest.raises(WebSocketDisconnect), live(http, **{**admin, **foreign}):
        pass
    assert dagster.told == []


def test_who_says_no_origin_is_no_page_of_ours(
    console: Console, http: TestClient, dagster: OpenDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = cookie(console, "admin-person")
    assert http.post("/dagster/graphql", json=STOP, headers=admin).status_code == 403
    monkeypatch.setattr(console, "is_https", True)  # then a page that came without it is another's
    assert ask(http, STOP, **admin).status_code == 403
    assert dagster.told == []
    assert ask(http, STOP, **{**admin, "origin": "https://localhost"}).status_code == 200


def test_neither_side_sees_the_others_headers(
    console: Console, http: TestClient, dagster: OpenDagster
) -> None:
    """The session above all; but also what a proxy or a browser says for others to believe."""
    spoofed = {
        "authorization": "Bearer x", "x-forwarded-for": "1.1.1.1", "x-forwarded-host": "a.example",
        "x-forwarded-proto": "https", "forwarded": "for=1.1.1.1", "x-real-ip": "1.1.1.1",
        "referer": "http://localhost/clients/maple-bakery", "te": "trailers", "range": "bytes=0-",
        "connection": "x-may-change, close", "x-http-method-override": "DELETE",
        MAY_CHANGE: "yes", "accept-encoding": "identity",
    }  # fmt: skip
    person = {**cookie(console, "viewer-person"), **spoofed}
    answers = [
        http.get("/dagster/", headers=person),
        http.get("/dagster/logs/a.out", headers=person),
        ask(http, QUERY, **person),
    ]
    with live(http, **person) as updates:
        updates.send_json({"type": "connection_init", "payload": {"token": "x", "x-may-change": 1}})
        updates.receive_json()
    of_the_client = {"host", "connection", "user-agent", "accept", "accept-encoding",
                     "content-type", "content-length", "upgrade"}  # fmt: skip
    for told in dagster.told[:4]:
        headers = {n for n in told["headers"] if not n.startswith("sec-websocket-")}
        assert headers <= of_the_client, told
        assert told["headers"]["host"] == "dagster"
    assert dagster.told[4] == {"type": "connection_init"}
    for answer in answers:
        given = {"set-cookie", "location", "x-dagster-call-counts", "access-control-allow-origin"}
        assert not given & set(answer.headers)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("script-src 'nonce-1', ")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


SENT: dict[str, Any] = {
    "a change": json.dumps(start("mutation { stop }")),
    "a change beside a subscription": json.dumps(
        start("subscription A { a } mutation B { stop }", operationName="A", operation_name="B")
    ),
    "a sensor's code": json.dumps(
        start("subscription { a { run { sensors { nextTick { x: evaluationResult { a } } } } } }")
    ),
    "a query": json.dumps(start("{ runs { id } }")),
    "another type": json.dumps({**start("subscription { a }"), "type": "subscribe"}),
    "a list": json.dumps([start("subscription { a }")]),
    "no id": json.dumps({"type": "stop"}),
    "an id that is an object": json.dumps({"type": "stop", "id": {"a": 1}}),
    "no payload": json.dumps({"type": "start", "id": "1"}),
    "no JSON": "mutation { stop }",
    "bytes": json.dumps(start("subscription { a }")).encode(),
    "too much": json.dumps(start("subscription { a }", variables={"a": "x" * 70_000})),
    "too many tokens": json.dumps(start("subscription {" + "a " * 20_000 + "}")),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_only_subscriptions_go_over_a_websocket(
    console: Console, http: TestClient, dagster: OpenDagster, sent: str | bytes
) -> None:
    with live(http, **cookie(console, "admin-person")) as updates:
        if isinstance(sent, bytes):
            updates.send_bytes(sent)
        else:
            updates.send_text(sent)
        with pytest.raises(WebSocketDisconnect) as ended:
            updates.receive_json()
    assert ended.value.code in (1003, 1009)
    assert len(dagster.told) == 1  # the handshake
    assert dagster.hung_up.wait(10)


def test_a_websocket_needs_dagsters_protocol(console: Console, http: TestClient) -> None:
    headers = {**OWN, **cookie(console, "admin-person")}
    for protocols in ([], ["graphql-transport-ws"]):
        with (
            pytest.raises(WebSocketDisconnect),
            http.websocket_connect("ws://localhost/dagster/graphql", protocols, headers=headers),
        ):
            pass


def test_one_person_opens_few_websockets(
    console: Console, http: TestClient, dagster: OpenDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, admin = cookie(console, "viewer-person"), cookie(console, "admin-person")

    def is_full(person: dict[str, str]) -> bool:
        with contextlib.suppress(WebSocketDisconnect), live(http, **person):
            return False
        return True

    assert dagster_door.MOST_WEBSOCKETS < slow_requests.MOST_CONNECTIONS / 2
    monkeypatch.setattr(dagster_door, "MOST_WEBSOCKETS_OF_ONE", 1)
    with live(http, **viewer):
        assert is_full(viewer)
        assert not is_full(admin)
        monkeypatch.setattr(dagster_door, "MOST_WEBSOCKETS", 1)
        assert is_full(admin)
    assert not is_full(viewer)


def test_nobody_waits_while_a_message_is_read(
    console: Console, http: TestClient, dagster: OpenDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read, read = threading.Event(), dagster_updates._read_message

    def slowly(text: str) -> Any:
        is_read.wait(10)
        return read(text)

    monkeypatch.setattr(dagster_updates, "_read_message", slowly)
    with live(http, **cookie(console, "viewer-person")) as updates:
        updates.send_json(start("subscription { news }"))
        assert ask(http, QUERY, **cookie(console, "admin-person")).status_code == 200
        assert not is_read.is_set()
        is_read.set()
        assert updates.receive_json()["type"] == "data"


def test_few_subscriptions_are_open_at_once(
    console: Console, http: TestClient, dagster: OpenDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster_updates, "MOST_SUBSCRIPTIONS", 2)
    monkeypatch.setattr(dagster_updates, "MOST_SUBSCRIPTIONS_OF_ONE", 3)
    person = cookie(console, "viewer-person")

    def starts(updates: Any, number: str, query: str = "subscription { news }") -> bool:
        updates.send_json({**start(query), "id": number})
        return bool(updates.receive_json()["type"] == "data")

    with live(http, **person) as one, live(http, **person) as other:
        assert [starts(one, number) for number in "1223"] == [True, True, True, False]
        assert [starts(other, number) for number in "12"] == [True, False]
        one.send_json({"type": "stop", "id": "1"})
        one.receive_json()
        assert [starts(one, number) for number in ("3", "4")] == [True, False]
        dagster.completes = True
        one.send_json({**start("subscription { news }"), "id": "3"})
        assert one.receive_json() == {"type": "complete", "id": "3"}  # it was open
        dagster.completes = False
        assert starts(other, "2")
    assert console.dagster
    assert console.dagster.places.subscriptions.total() == 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_open_websocket_ends_with_its_session(
    console: Console,
    served: str,
    dagster: OpenDagster,
    monkeypatch: pytest.MonkeyPatch,
    ending: Any,
) -> None:
    assert dagster_updates.RECHECK_SECONDS <= 5
    monkeypatch.setattr(dagster_updates, "RECHECK_SECONDS", 0.05)
    name = f"bookkeeper-{ENDINGS.index(ending)}"
    with following(served, cookie(console, name)) as updates:
        updates.send(json.dumps(start("subscription { news }")))
        assert json.loads(updates.recv(timeout=30))["type"] == "data"
        ending(console, name)
        with pytest.raises(ConnectionClosed) as ended:
            updates.recv(timeout=30)
    assert ended.value.rcvd
    assert ended.value.rcvd.code == 1008
    assert dagster.hung_up.wait(10)


def test_an_open_page_keeps_no_session_alive(console: Console, http: TestClient) -> None:
    """It asks for news every two seconds, whether or not anybody sits before it."""
    person = cookie(console, "admin-person")
    become_idle(console, "admin-person", hours=1.9)
    assert ask(http, QUERY, **person).status_code == 200
    assert http.get("/dagster/_next/static/a.js", headers=person).status_code == 200
    with live(http, **person):
        pass
    become_idle(console, "admin-person", hours=2.1)
    assert ask(http, QUERY, **person).status_code == 401
    person = cookie(console, "admin-person")
    for act in (
        lambda: http.get("/dagster/runs", headers=person),
        lambda: ask(http, STOP, **person),
    ):
        become_idle(console, "admin-person", hours=1.9)
        assert act().status_code == 200
        with console.database.transaction() as db:
            seen = db.execute("select max(last_seen_at) from sessions").fetchone()[0]
        assert seen > (utc_now() - timedelta(minutes=1)).isoformat()


def test_only_an_administrator_sees_the_traces_of_an_error(
    console: Console, http: TestClient, dagster: OpenDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = ['File "/srv/books/code.py"']
    failed = {"message": "It failed.", "stack": trace, "errorChain": [{"error": {"stack": trace}}]}
    answer = {
        "data": {"runs": [{"error": failed}]},
        "errors": [{"message": "as advertised", "extensions": {"errorInfo": {"stack": trace}}}],
    }
    monkeypatch.setattr(dagster, "answer", answer)
    monkeypatch.setattr(dagster, "status", 500)
    shown = ask(http, QUERY, **cookie(console, "viewer-person"))
    assert shown.status_code == 500
    assert shown.json() == {
        "data": {"runs": [{"error": {"message": "It failed.", "stack": [], "errorChain": []}}]},
        "errors": [{"message": "as advertised"}],
    }
    assert ask(http, QUERY, **cookie(console, "admin-person")).json() == answer
    for path in ("logs/a", "download_debug/a"):
        assert (
            http.get(f"/dagster/{path}", headers=cookie(console, "admin-person")).status_code == 404
        )


def test_files_named_by_their_hash_are_kept_by_the_browser(
    console: Console, http: TestClient
) -> None:
    person = cookie(console, "viewer-person")
    script = http.get("/dagster/_next/static/chunks/a-1.js", headers=person)
    assert "immutable" in script.headers["cache-control"]
    assert http.get("/dagster/favicon.png", headers=person).headers["cache-control"] == "no-store"


def test_a_dagster_that_is_not_there_is_starting(
    console: Console, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "dagster", DagsterDoor(Path("/nonexistent/page")))
    person = cookie(console, "admin-person")
    page = http.get("/dagster/runs", headers=person)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Dagster is starting" in page.text
    assert 'http-equiv="refresh"' in page.text
    answer = ask(http, QUERY, **person)
    assert answer.status_code == 503
    assert "starting" in answer.json()["errors"][0]["message"]
    with pytest.raises(WebSocketDisconnect), live(http, **person):
        pass


@pytest.mark.parametrize("command", ["ui", "console"])
def test_nobody_signs_in_over_the_network_without_tls(command: str, tmp_path: Path) -> None:
    asked = [command, "--host", "0.0.0.0", "--home", str(tmp_path)]  # noqa: S104
    answer = CliRunner().invoke(main, asked)
    assert answer.exit_code == 1
    assert "--behind-https" in answer.output


def test_a_console_by_itself_has_no_dagster(
    console: Console, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "dagster", None)
    person = cookie(console, "admin-person")
    answer = http.get("/dagster/", headers=person)
    assert answer.status_code == 404
    assert "bill-pipeline ui" in answer.text
    assert "/dagster" not in http.get("/clients", headers=person).text


def test_live_updates_outlive_the_time_that_a_request_may_take(
    console: Console, served: str, dagster: OpenDagster
) -> None:
    with following(served, cookie(console, "viewer-person")) as updates:
        assert updates.subprotocol == "graphql-ws"
        time.sleep(1)
        # What watched the request is not told of the connection's end: it must not go on watching.
        watchers = [o for o in gc.get_objects() if type(o) is PromptRequests]
        assert not any(o.deadline or o._looking for o in watchers if o._is_websocket)
        handshakes = [o for o in gc.get_objects() if type(o) is PromptHandshakes]
        assert not any(o.deadline for o in handshakes)
        updates.send(json.dumps(start("subscription { news }")))
        assert json.loads(updates.recv(timeout=30)) == {"type": "data", "id": "1"}
