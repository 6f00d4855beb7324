/** The official SDK's client, version 1. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Gate } from './gate.ts';
import {
  answering,
  ELICITED,
  ROOTS,
  SAMPLED,
  Told,
  type CallOptions,
  type Person,
  type PersonKind,
} from './person.ts';

export async function sdkV1OverSse(
  { sse }: Pick<Gate, 'sse'>,
  kind: PersonKind = 'usual',
): Promise<Person> {
  return PersonV1.connected(new SSEClientTransport(sse), kind);
}

export async function sdkV1OverHttp(
  { mcp }: Pick<Gate, 'mcp'>,
  kind: PersonKind = 'usual',
): Promise<Person> {
  return PersonV1.connected(new StreamableHTTPClientTransport(mcp), kind);
}

/** Over a transport of somebody else's. */
export async function sdkV1Over(transport: Transport): Promise<Person> {
  return PersonV1.connected(transport, 'usual');
}

class PersonV1 implements Person {
  readonly told = new Told();
  readonly #transport: Transport;
  readonly #client: Client;

  private constructor(transport: Transport, kind: PersonKind) {
    this.#transport = transport;
    this.#client = new Client(
      { name: 'person-v1', version: '1.0.0' },
      { capabilities: answering(kind, {}) },
    );
  }

  static async connected(transport: Transport, kind: PersonKind): Promise<Person> {
    const person = new PersonV1(transport, kind);
    person.#listen();
    if (kind !== 'silent') person.#answer(kind);
    await person.#client.connect(transport);
    return person;
  }

  get serverName(): string | undefined {
    return this.#client.getServerVersion()?.name;
  }

  get version(): string | undefined {
    return (this.#transport as { protocolVersion?: string }).protocolVersion;
  }

  get endpoint(): string | undefined {
    // The SDK keeps it to itself.
    return (Reflect.get(this.#transport, '_endpoint') as URL | undefined)?.href;
  }

  async tools(): Promise<readonly string[]> {
    return (await this.#client.listTools()).tools.map(({ name }) => name);
  }

  async call(
    name: string,
    args: Record<string, unknown> = {},
    { onProgress, signal }: CallOptions = {},
  ): Promise<string> {
    const result = await this.#client.callTool({ name, arguments: args }, undefined, {
      ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
      ...(signal && { signal }),
    });
    const [first] = result.content as { readonly text: string }[];
    if (result.isError === true) throw new Error(`failed: ${first?.text}`);
    return first?.text ?? '';
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.#client.readResource({ uri });
    const [first] = contents as { readonly text: string }[];
    return first?.text ?? '';
  }

  async prompt(name: string, args: Record<string, string> = {}): Promise<string> {
    return JSON.stringify((await this.#client.getPrompt({ name, arguments: args })).messages);
  }

  async counts(): Promise<readonly [number, number, number]> {
    const client = this.#client;
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    const { prompts } = await client.listPrompts();
    return [resources.length, resourceTemplates.length, prompts.length];
  }

  async complete(prompt: string, argument: string, begun: string): Promise<readonly string[]> {
    const { completion } = await this.#client.complete({
      ref: { type: 'ref/prompt', name: prompt },
      argument: { name: argument, value: begun },
    });
    return completion.values;
  }

  async hearLogs(): Promise<void> {
    await this.#client.setLoggingLevel('debug');
  }

  async watch(uri: string): Promise<void> {
    await this.#client.subscribeResource({ uri });
  }

  async close(): Promise<void> {
    if (this.#transport instanceof StreamableHTTPClientTransport) {
      await this.#transport.terminateSession().catch(() => {});
    }
    await this.#client.close();
  }

  #listen(): void {
    const client = this.#client;
    const { told } = this;
    client.onerror = (error) => told.error(error);
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) =>
      told.log(params.data),
    );
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ method, params }) =>
      told.change(method, params.uri),
    );
    client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) =>
      told.change(method),
    );
    client.setNotificationHandler(ResourceListChangedNotificationSchema, ({ method }) =>
      told.change(method),
    );
  }
  #answer(kind: PersonKind): void {
    const client = this.#client;
    client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
    client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
    if (kind === 'full') client.setRequestHandler(ListRootsRequestSchema, () => ROOTS);
  }
}
