/** The official SDK's client, version 2: with the handshake, and in the stateless revision. */
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type McpSubscription,
  type Transport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
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

export async function sdkV2OverSse({ sse }: Gate): Promise<Person> {
  return PersonV2.connected(new SSEClientTransport(sse), 'legacy');
}

export async function sdkV2OverHttp({ mcp }: Gate, kind: PersonKind = 'usual'): Promise<Person> {
  return PersonV2.connected(new StreamableHTTPClientTransport(mcp), 'legacy', kind);
}

/** Speaks the newest revision both sides know; asks first. */
export async function sdkV2Asking({ mcp }: Gate): Promise<Person> {
  return PersonV2.connected(new StreamableHTTPClientTransport(mcp), 'auto');
}

/** Speaks the stateless revision or nothing. */
export async function sdkV2Stateless(
  { mcp }: Pick<Gate, 'mcp'>,
  kind: PersonKind = 'usual',
): Promise<Person> {
  return PersonV2.connected(new StreamableHTTPClientTransport(mcp), { pin: '2026-07-28' }, kind);
}

class PersonV2 implements Person {
  readonly told = new Told();
  readonly #transport: Transport;
  readonly #client: Client;
  readonly #subscriptions: McpSubscription[] = [];

  private constructor(transport: Transport, mode: VersionNegotiationMode, kind: PersonKind) {
    this.#transport = transport;
    this.#client = new Client(
      { name: 'person-v2', version: '1.0.0' },
      {
        capabilities: answering(kind, { form: {} }),
        versionNegotiation: { mode },
      },
    );
  }

  static async connected(
    transport: Transport,
    mode: VersionNegotiationMode,
    kind: PersonKind = 'usual',
  ): Promise<Person> {
    const person = new PersonV2(transport, mode, kind);
    person.#listen();
    if (kind !== 'silent') person.#answer(kind);
    await person.#client.connect(transport);
    return person;
  }

  get serverName(): string | undefined {
    return this.#client.getServerVersion()?.name;
  }

  get version(): string | undefined {
    return this.#client.getNegotiatedProtocolVersion();
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
    { onProgress, signal, logLevel }: CallOptions = {},
  ): Promise<string> {
    const meta = { 'io.modelcontextprotocol/logLevel': logLevel };
    const isStateless = this.#client.getProtocolEra() === 'modern';
    const asking = isStateless && logLevel !== undefined ? { _meta: meta } : {};
    const result = await this.#client.callTool(
      { name, arguments: args, ...asking },
      {
        ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
        ...(signal && { signal }),
      },
    );
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
    if (this.#client.getProtocolEra() !== 'modern') await this.#client.setLoggingLevel('debug');
  }

  async watch(uri: string): Promise<void> {
    if (this.#client.getProtocolEra() === 'modern') {
      const filter = { toolsListChanged: true, resourceSubscriptions: [uri] };
      this.#subscriptions.push(await this.#client.listen(filter));
    } else {
      await this.#client.subscribeResource({ uri });
    }
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription.close();
    if (this.#transport instanceof StreamableHTTPClientTransport) {
      await this.#transport.terminateSession().catch(() => {});
    }
    await this.#client.close();
  }

  #listen(): void {
    const client = this.#client;
    const { told } = this;
    client.onerror = (error) => told.error(error);
    client.setNotificationHandler('notifications/message', ({ params }) => told.log(params.data));
    client.setNotificationHandler('notifications/resources/updated', ({ method, params }) =>
      told.change(method, params.uri),
    );
    client.setNotificationHandler('notifications/tools/list_changed', ({ method }) =>
      told.change(method),
    );
    client.setNotificationHandler('notifications/resources/list_changed', ({ method }) =>
      told.change(method),
    );
  }
  #answer(kind: PersonKind): void {
    const client = this.#client;
    client.setRequestHandler('elicitation/create', () => ELICITED);
    client.setRequestHandler('sampling/createMessage', () => SAMPLED);
    if (kind === 'full') client.setRequestHandler('roots/list', () => ROOTS);
  }
}
