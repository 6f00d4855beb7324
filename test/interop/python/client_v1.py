"""The client of the Python SDK, version 1. Arguments: `sse` or `http`, and the URL."""

import sys

import anyio
from mcp import types
from mcp.client.session import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

from puppet import TOOLS_CHANGED, UPDATED, Command, obey, reporter, say, text_of


async def on_message(message: object) -> None:
    if isinstance(message, Exception):
        say(told="error", what=str(message))
    elif isinstance(message, types.ServerNotification):
        if isinstance(message.root, types.ResourceUpdatedNotification):
            say(told="change", what=f"{UPDATED} {message.root.params.uri}")
        elif isinstance(message.root, types.ToolListChangedNotification):
            say(told="change", what=TOOLS_CHANGED)


async def on_log(params: types.LoggingMessageNotificationParams) -> None:
    say(told="log", data=params.data)


async def elicit(_context: object, _params: object) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"name": "Ann"})


async def sample(_context: object, _params: object) -> types.CreateMessageResult:
    content = types.TextContent(type="text", text="Polly")
    return types.CreateMessageResult(role="assistant", model="parrot", content=content)


async def list_roots(_context: object) -> types.ListRootsResult:
    return types.ListRootsResult(roots=[types.Root(uri="file:///home/ann", name="ann")])


async def main(kind: str, url: str) -> None:
    connect = sse_client if kind == "sse" else streamablehttp_client
    async with (
        connect(url) as streams,
        ClientSession(
            streams[0],
            streams[1],
            sampling_callback=sample,
            elicitation_callback=elicit,
            list_roots_callback=list_roots,
            logging_callback=on_log,
            message_handler=on_message,
        ) as session,
    ):
        hello = await session.initialize()
        say(server=hello.serverInfo.name, version=hello.protocolVersion)
        await obey(actions_of(session))


def actions_of(session: ClientSession) -> dict:
    requests: dict[int, int] = {}

    async def call(command: Command) -> str:
        # The SDK has no other way to learn which request a cancellation is to name.
        requests[command["id"]] = session._request_id
        result = await session.call_tool(
            command["name"], command["args"], progress_callback=reporter(command)
        )
        if result.isError:
            raise ValueError(f"failed: {text_of(result.content)}")
        return text_of(result.content)

    async def cancel(command: Command) -> None:
        params = types.CancelledNotificationParams(requestId=requests[command["of"]])
        notification = types.CancelledNotification(params=params)
        await session.send_notification(types.ClientNotification(notification))

    async def tools(_: Command) -> list[str]:
        return [tool.name for tool in (await session.list_tools()).tools]

    async def counts(_: Command) -> list[int]:
        resources = (await session.list_resources()).resources
        templates = (await session.list_resource_templates()).resourceTemplates
        prompts = (await session.list_prompts()).prompts
        return [len(resources), len(templates), len(prompts)]

    async def read(command: Command) -> str:
        return text_of((await session.read_resource(AnyUrl(command["uri"]))).contents)

    async def prompt(command: Command) -> str:
        result = await session.get_prompt(command["name"], command["args"])
        return text_of([result.messages[0].content])

    async def complete(command: Command) -> list[str]:
        ref = types.PromptReference(type="ref/prompt", name=command["prompt"])
        argument = {"name": command["argument"], "value": command["value"]}
        return (await session.complete(ref, argument)).completion.values

    async def hear_logs(_: Command) -> None:
        await session.set_logging_level("debug")

    async def watch(command: Command) -> None:
        await session.subscribe_resource(AnyUrl(command["uri"]))

    return dict(
        call=call,
        cancel=cancel,
        tools=tools,
        counts=counts,
        read=read,
        prompt=prompt,
        complete=complete,
        hearLogs=hear_logs,
        watch=watch,
    )


anyio.run(main, sys.argv[1], sys.argv[2])
