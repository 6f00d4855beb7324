/** The official SDK's client, version 1. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Gate } from './gate.ts';
import { ELICITED, SAMPLED, Told, type CallOptions, type Person } from './person.ts';

export async function sdkV1OverSse({ sse }: Gate): Promise<Person> {
  return PersonV1.connected(new SSEClientTransport(sse));
}

export async function sdkV1OverHttp({ mcp }: Gate): Promise<Person> {
  return PersonV1.connected(new StreamableHTTPClientTransport(mcp));
}

class PersonV1 implements Person {
  readonly told = new Told();
  readonly #transport: Transport;
  readonly #client = new Client(
    { name: 'person-v1', version: '1.0.0' },
    { capabilities: { elicitation: {}, sampling: {} } },
  );

  private constructor(transport: Transport) {
    this.#transport = transport;
  }

  static async connected(transport: Transport): Promise<Person> {
    const person = new PersonV1(transport);
    person.#listen();
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
    return first?.text ?? '';
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.#client.readResource({ uri });
    const [first] = contents as { readonly text: string }[];
    return first?.text ?? '';
  }

  async prompt(name: string): Promise<string> {
    return JSON.stringify((await this.#client.getPrompt({ name })).messages);
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
    client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
    client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
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
}
