"""The client of the Python SDK, version 2. Arguments: `sse` or `http`, the URL, and the mode."""

import sys
import warnings

import anyio
import mcp_types as types
from mcp import Client
from mcp.client.sse import sse_client
from mcp.shared.subscriptions import ResourceUpdated, ToolsListChanged

from puppet import TOOLS_CHANGED, UPDATED, Command, obey, reporter, say, text_of

warnings.simplefilter("ignore")


async def on_message(message: object) -> None:
    if isinstance(message, Exception):
        say(told="error", what=str(message))
    elif isinstance(message, types.ResourceUpdatedNotification):
        say(told="change", what=f"{UPDATED} {message.params.uri}")
    elif isinstance(message, types.ToolListChangedNotification):
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


async def main(kind: str, url: str, mode: str) -> None:
    client = Client(
        sse_client(url) if kind == "sse" else url,
        mode=mode,
        sampling_callback=sample,
        elicitation_callback=elicit,
        list_roots_callback=list_roots,
        logging_callback=on_log,
        log_level="debug",
        message_handler=on_message,
        cache=None,
    )
    async with client, anyio.create_task_group() as listens:
        name = client.server_info.name if client.server_info else None
        say(server=name, version=client.protocol_version)
        await obey(actions_of(client, listens))
        listens.cancel_scope.cancel()


def actions_of(client: Client, listens: anyio.abc.TaskGroup) -> dict:
    is_stateless = client.protocol_version >= "2026"

    async def call(command: Command) -> str:
        result = await client.call_tool(
            command["name"], command["args"], progress_callback=reporter(command)
        )
        if result.is_error:
            raise ValueError(f"failed: {text_of(result.content)}")
        return text_of(result.content)

    async def tools(_: Command) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    async def counts(_: Command) -> list[int]:
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        prompts = (await client.list_prompts()).prompts
        return [len(resources), len(templates), len(prompts)]

    async def read(command: Command) -> str:
        return text_of((await client.read_resource(command["uri"])).contents)

    async def prompt(command: Command) -> str:
        result = await client.get_prompt(command["name"], command["args"])
        return text_of([result.messages[0].content])

    async def complete(command: Command) -> list[str]:
        ref = types.PromptReference(type="ref/prompt", name=command["prompt"])
        argument = {"name": command["argument"], "value": command["value"]}
        return (await client.complete(ref, argument)).completion.values

    async def hear_logs(_: Command) -> None:
        if not is_stateless:
            await client.set_logging_level("debug")

    async def watch(command: Command) -> None:
        if is_stateless:
            await listens.start(listen, command["uri"])
        else:
            await client.subscribe_resource(command["uri"])

    async def listen(uri: str, *, task_status: anyio.abc.TaskStatus) -> None:
        wanted = client.listen(tools_list_changed=True, resource_subscriptions=[uri])
        async with wanted as subscription:
            task_status.started()
            async for event in subscription:
                if isinstance(event, ResourceUpdated):
                    say(told="change", what=f"{UPDATED} {event.uri}")
                elif isinstance(event, ToolsListChanged):
                    say(told="change", what=TOOLS_CHANGED)

    return dict(
        call=call,
        tools=tools,
        counts=counts,
        read=read,
        prompt=prompt,
        complete=complete,
        hearLogs=hear_logs,
        watch=watch,
    )


anyio.run(main, *sys.argv[1:4])
