"""
The harbour on the Python SDK, version 2, which speaks every era. Argument: `stdio`, or `sse` or
`http` and a port.
"""

import os
import sys
import warnings

import anyio
import mcp_types as types
from mcp.server.mcpserver import Context, MCPServer

warnings.simplefilter("ignore")
TIDE = "test://tide"
kind, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
harbour = MCPServer("harbour-python-v2", log_level="ERROR")

NAME = types.ElicitRequestFormParams(
    message="Who are you?",
    requested_schema={
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    },
)
PARROT = types.CreateMessageRequestParams(
    messages=[
        types.SamplingMessage(
            role="user", content=types.TextContent(type="text", text="Name a parrot.")
        )
    ],
    max_tokens=10,
)


def is_stateless(context: Context) -> bool:
    return (context.protocol_version or "") >= "2026"


def question(request: types.InputRequest) -> types.InputRequiredResult:
    return types.InputRequiredResult(input_requests={"question": request})


def answer_in(context: Context):
    return (context.input_responses or {}).get("question")


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
async def elicit(context: Context):
    answer = answer_in(context)
    if answer is None and is_stateless(context):
        return question(types.ElicitRequest(params=NAME))
    if answer is None:
        answer = await context.session.elicit_form(
            NAME.message, NAME.requested_schema, related_request_id=context.request_id
        )
    return f"Hello, {(answer.content or {}).get('name')}!"


@harbour.tool(structured_output=False)
async def sample(context: Context):
    answer = answer_in(context)
    if answer is None and is_stateless(context):
        return question(types.CreateMessageRequest(params=PARROT))
    if answer is None:
        answer = await context.session.create_message(
            PARROT.messages, max_tokens=10, related_request_id=context.request_id
        )
    return answer.content.text


@harbour.tool(structured_output=False)
async def roots(context: Context):
    answer = answer_in(context)
    if answer is None and is_stateless(context):
        return question(types.ListRootsRequest())
    if answer is None:
        answer = await context.session.list_roots()
    return " ".join(str(root.uri) for root in answer.roots)


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
    await context.notify_resource_updated(TIDE)
    await context.notify_tools_changed()
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


if kind == "stdio":
    harbour.run("stdio")
elif kind == "sse":
    harbour.run("sse", port=port)
else:
    harbour.run("streamable-http", port=port)
