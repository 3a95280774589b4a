"""Read a GraphQL request and say what it asks for: to look, to follow, or to change something.

To run a sensor's or a schedule's code is a change, whichever kind of operation asks for it.

The document is parsed, never searched, and what is handed on is written anew from what was read:
whoever reads it next sees the same query, whatever else the sender had put into the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
)

from bill_pipeline.console.dagster_proxy.errors import TRACES
from bill_pipeline.errors import PipelineError

#: Of a document; Dagster's page sends some hundreds.
MOST_TOKENS = 10_000
#: Fields of queries that run the code of a sensor or schedule here and now, with all that it does:
#: it mends, forgets, alerts. Dagster's page asks for them in dry runs alone, which are mutations.
#: All others read what was written before; ``tests/console/test_dagster_door.py`` notices new ones.
RUNNING_CODE = frozenset({"evaluationResult"})


class NotGraphql(PipelineError):
    """The request is none that Dagster's page sends; the message says why."""


@dataclass(frozen=True)
class GraphqlRequest:
    """One request: the operations in it, whichever of them is to be executed."""

    operations: frozenset[OperationType]
    #: What the document's mutations call, such as ``stopRunningSensor``; without a mutation, what
    #: runs code anywhere in it. Where there is any, an administrator alone may ask.
    changes: tuple[str, ...]
    #: The request as it is handed on: query, variables and operationName as JSON, and no more.
    body: bytes


def read_json(text: bytes | str) -> Any:
    """Raises NotGraphql when ``text`` is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotGraphql("This is not JSON.") from None


def read_request(given: Any) -> GraphqlRequest:
    """The request in ``given``, a parsed JSON body.

    Raises NotGraphql for several requests at once, for one without a document (of which the server
    is to remember the text), and for a document that cannot be read.
    """
    if not isinstance(given, dict):
        raise NotGraphql("One request at a time, as a JSON object.")
    query, variables = given.get("query"), given.get("variables")
    name = given.get("operationName")
    if not isinstance(query, str):
        raise NotGraphql("A request needs the text of its query.")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise NotGraphql("Variables are an object, and an operation's name is text.")
    document = _parsed(query)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if not operations or len(operations) + len(fragments) != len(document.definitions):
        raise NotGraphql("A document holds operations and fragments, each of its own name.")
    changes: list[str] = [
        field
        for operation in operations
        if operation.operation is OperationType.MUTATION
        for field in _fields(operation.selection_set, fragments, set())
    ]
    fields = list(_all_fields(document))
    if any(field.alias and field.name.value in TRACES for field in fields):
        raise NotGraphql("Traces of errors keep their own names.")
    if not changes:
        changes = [field.name.value for field in fields if field.name.value in RUNNING_CODE]
    try:
        body = orjson.dumps({"query": query, "variables": variables, "operationName": name})
    except orjson.JSONEncodeError:
        raise NotGraphql("The variables are nested too deeply.") from None
    kinds = frozenset(operation.operation for operation in operations)
    return GraphqlRequest(kinds, tuple(dict.fromkeys(changes)), body)


def _parsed(query: str) -> DocumentNode:
    try:
        return parse(query, no_location=True, max_tokens=MOST_TOKENS)
    except (GraphQLError, RecursionError):
        raise NotGraphql("The query cannot be read as GraphQL, or is too long.") from None


def _all_fields(document: DocumentNode) -> Iterator[FieldNode]:
    """All fields of the document, however deep, those of unused fragments included."""
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            yield node
        chosen = getattr(node, "selection_set", None)
        if chosen is not None:
            waiting += chosen.selections


def _fields(
    chosen: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[str]:
    """Names of the fields directly in ``chosen``, those of its fragments included."""
    for selection in chosen.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(selection.selection_set, fragments, seen)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name in fragments and name not in seen:
                seen.add(name)
                yield from _fields(fragments[name].selection_set, fragments, seen)
