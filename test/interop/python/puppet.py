"""A client on strings: commands come in as JSON lines, results and what it is told go out so."""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

Command = dict[str, Any]
TIDE = "test://tide"
UPDATED = "notifications/resources/updated"
TOOLS_CHANGED = "notifications/tools/list_changed"


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def text_of(parts: Any) -> str:
    return str(parts[0].text) if parts else ""


async def obey(actions: dict[str, Callable[[Command], Awaitable[Any]]]) -> None:
    """Carries out each command in a task of its own until the input ends."""
    scopes: dict[int, anyio.CancelScope] = {}

    async def carry_out(command: Command) -> None:
        key = command["id"]
        with anyio.CancelScope() as scope:
            scopes[key] = scope
            try:
                say(id=key, value=await actions[command["do"]](command))
            except Exception as error:
                say(id=key, error=f"{type(error).__name__}: {error}")
        if scope.cancelled_caught:
            say(id=key, error="cancelled")
        del scopes[key]

    async with anyio.create_task_group() as tasks:
        async for line in anyio.wrap_file(sys.stdin):
            command = json.loads(line)
            if command["do"] == "close":
                break
            if command["do"] == "cancel" and "cancel" not in actions:
                scopes[command["of"]].cancel()
                continue
            tasks.start_soon(carry_out, command)
        tasks.cancel_scope.cancel()


def reporter(command: Command) -> Callable[[float, float | None, str | None], Awaitable[None]] | None:
    """Tells of the progress of one call, where that is wanted."""
    if not command.get("progress"):
        return None

    async def report(progress: float, _total: float | None, _message: str | None) -> None:
        say(id=command["id"], progress=progress)

    return report
