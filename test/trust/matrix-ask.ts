/** One request of the matrix on a real socket, and all of its reply that a peer can see. */
import { Agent, request } from 'node:http';

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names; several lines of one stay several. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Of an event stream that a GET opened, nothing: it was left at its head. */
  readonly body: string;
  /** Head and body as they came, but for the date. */
  readonly bytes: string;
}

export class Asker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  ask({ method, path, headers, body }: Question): Promise<Answer> {
    const sent: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(headers)) {
      sent[name] = typeof value === 'string' ? value : [...value];
    }
    sent['content-length'] = String(Buffer.byteLength(body));
    const options = { host: '127.0.0.1', port: this.#port, method, path, headers: sent };
    return new Promise((resolve, reject) => {
      const asked = request({ ...options, agent: this.#agent });
      asked.on('error', reject);
      // What Node calls a tunnel is a reply like any other, but for its status.
      asked.on('connect', (reply, socket, head) => {
        socket.destroy();
        resolve(answerOf(reply.statusCode ?? 0, reply.rawHeaders, head.toString()));
      });
      asked.on('response', (reply) => {
        const { statusCode: status = 0, rawHeaders } = reply;
        if (method === 'GET' && reply.headers['content-type'] === 'text/event-stream') {
          asked.destroy();
          resolve(answerOf(status, rawHeaders, ''));
          return;
        }
        let text = '';
        reply.setEncoding('utf8');
        reply.on('data', (chunk: string) => (text += chunk));
        reply.on('end', () => resolve(answerOf(status, rawHeaders, text)));
        reply.on('error', reject);
      });
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function answerOf(status: number, raw: readonly string[], body: string): Answer {
  const headers = new Map<string, string[]>();
  const lines = [String(status)];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    headers.set(name, [...(headers.get(name) ?? []), value]);
    if (name !== 'date') lines.push(`${raw[i]}: ${value}`);
  }
  return { status, headers, body, bytes: `${lines.join('\n')}\n\n${body}` };
}
