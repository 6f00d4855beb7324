"""The harbour on the Python SDK, version 1. Argument: `stdio`, or `sse` or `http` and a port."""

import os
import sys

import anyio
from mcp import types
from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel

TIDE = "test://tide"
kind, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
harbour = FastMCP("harbour-python-v1", port=port, log_level="ERROR")


class Name(BaseModel):
    name: str


@harbour.tool(structured_output=False)
def echo(text: str) -> str:
    return text


@harbour.tool(structured_output=False)
def fail() -> str:
    raise ValueError("It failed.")


@harbour.tool(structured_output=False)
async def count(context: Context) -> str:
    for step in (1, 2, 3):
        await context.report_progress(step, 3)
        await anyio.sleep(0.03)
    return "counted to 3"


@harbour.tool(structured_output=False)
async def log(context: Context) -> str:
    await context.info("the harbour logs")
    return "logged"


@harbour.tool(structured_output=False)
async def elicit(context: Context) -> str:
    answer = await context.elicit("Who are you?", Name)
    return f"Hello, {answer.data.name if answer.action == 'accept' else answer.action}!"


@harbour.tool(structured_output=False)
async def sample(context: Context) -> str:
    content = types.TextContent(type="text", text="Name a parrot.")
    message = types.SamplingMessage(role="user", content=content)
    answer = await context.session.create_message(
        [message], max_tokens=10, related_request_id=context.request_id
    )
    return answer.content.text if answer.content.type == "text" else ""


@harbour.tool(structured_output=False)
async def roots(context: Context) -> str:
    return " ".join(str(root.uri) for root in (await context.session.list_roots()).roots)


@harbour.tool(structured_output=False)
async def wait(ms: int, context: Context) -> str:
    try:
        await context.report_progress(1)
        await anyio.sleep(ms / 1000)
    except anyio.get_cancelled_exc_class():
        with open(os.environ["HARBOUR_LOG"], "a") as log:
            log.write("cancelled\n")
        raise
    return "waited"


@harbour.tool(structured_output=False)
async def touch(context: Context) -> str:
    await context.session.send_resource_updated(TIDE)
    await context.session.send_tool_list_changed()
    return "touched"


@harbour.resource(TIDE)
def tide() -> str:
    return "high"


@harbour.prompt()
def greet(name: str) -> str:
    return f"Greet {name}."


@harbour.completion()
async def complete(ref: object, argument: object, context: object) -> types.Completion:
    return types.Completion(values=["Ann", "Anton"])


harbour.run({"stdio": "stdio", "sse": "sse", "http": "streamable-http"}[kind])
