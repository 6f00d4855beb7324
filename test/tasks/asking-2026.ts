/** A client of the stateless revision, said by hand: what it asks, and what it hears. */
import { onTestFinished } from 'vitest';
import { Signal } from '../wire/signal.ts';
import { bearer, type Name } from './people.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly result?: Json;
  readonly error?: Json;
}

export interface Heard {
  /** What the server honours. */
  readonly acknowledged: unknown;
  /** States of tasks, as they were told. */
  readonly states: readonly Json[];
  /** Waits for the first state of a task that fits. */
  until(fits: (task: Json) => boolean): Promise<Json>;
}

const WITH_TASKS = {
  elicitation: { form: {} },
  extensions: { 'io.modelcontextprotocol/tasks': {} },
};

export class Asking2026 {
  readonly #url: string;
  readonly #name: Name;
  readonly #capabilities: Json;
  #number = 0;

  constructor(url: string, name: Name, capabilities: Json = WITH_TASKS) {
    this.#url = url;
    this.#name = name;
    this.#capabilities = capabilities;
  }

  async ask(method: string, params: Json = {}): Promise<Answer> {
    const reply = await this.#post(method, params);
    const text = await reply.text();
    const isStream = reply.headers.get('content-type')?.includes('event-stream') === true;
    const last = isStream ? dataOf(text).at(-1) : text;
    return JSON.parse(last ?? '{}') as Answer;
  }

  async listen(notifications: Json): Promise<Heard> {
    const aborting = new AbortController();
    const params = { notifications };
    const reply = await this.#post('subscriptions/listen', params, aborting.signal);
    const messages: Json[] = [];
    const signal = new Signal();
    const reading = read(reply, (message) => {
      messages.push(message);
      signal.fire();
    });
    onTestFinished(async () => {
      aborting.abort();
      await reading;
    });
    const state = (): string => JSON.stringify(messages);
    await signal.until(() => messages.length > 0, 'the acknowledgment', state);
    const first = messages[0]?.['params'] as { readonly notifications?: unknown } | undefined;
    const tasks = (): Json[] =>
      messages
        .filter(({ method }) => method === 'notifications/tasks')
        .map((message) => message['params'] as Json);
    return {
      acknowledged: first?.notifications,
      get states() {
        return tasks();
      },
      until: async (fits) => {
        await signal.until(() => tasks().some(fits), 'a state of a task', state);
        return tasks().find(fits) as Json;
      },
    };
  }

  #post(method: string, params: Json, signal?: AbortSignal): Promise<Response> {
    this.#number += 1;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: this.#name, version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': this.#capabilities,
    };
    const name = params['taskId'] ?? params['name'];
    return fetch(this.#url, {
      method: 'POST',
      headers: {
        ...bearer(this.#name),
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': '2026-07-28',
        'Mcp-Method': method,
        ...(typeof name === 'string' ? { 'Mcp-Name': name } : {}),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: this.#number,
        method,
        params: { ...params, _meta },
      }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

async function read(reply: Response, message: (message: Json) => void): Promise<void> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of reply.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const end = text.lastIndexOf('\n\n');
      if (end < 0) continue;
      for (const data of dataOf(text.slice(0, end))) message(JSON.parse(data) as Json);
      text = text.slice(end + 2);
    }
  } catch {
    // The test is over.
  }
}

function dataOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('data: '));
  return lines.map((line) => line.slice('data: '.length)).filter((data) => data !== '');
}
