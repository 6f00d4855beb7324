/** One request and its whole reply over an agent, and an event stream that is read as it comes. */
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { PATIENCE_MS } from './fault-host.ts';

export interface Sent {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent | false;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export async function exchange(sent: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const started = begin(sent);
    const timer = setTimeout(() => {
      started.destroy(new Error(`no reply to ${sent.method} ${sent.path} ${sent.body}`));
    }, PATIENCE_MS);
    started.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    started.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
  });
}

/** What stands between two blank lines of an event stream. */
export interface Block {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string | undefined;
}

export function blockOf(text: string): Block {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}: ?(.*)$`, 'm').exec(text)?.[1];
  return { event: field('event'), id: field('id'), retry: field('retry'), data: field('data') };
}

export interface StreamReader {
  readonly headers: IncomingMessage['headers'];
  close(): void;
}

/** Opens a stream; blocks that are comments only are not told. */
export async function openStream(
  sent: Sent,
  onBlock: (block: Block) => void,
  onEnd: () => void,
): Promise<StreamReader> {
  return new Promise((resolve, reject) => {
    const started = begin(sent);
    started.on('error', reject);
    started.on('response', (incoming) => {
      if (incoming.statusCode !== 200) reject(new Error(`${sent.path}: ${incoming.statusCode}`));
      let rest = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const text of blocks) if (!/^(:.*\n?)*$/.test(text)) onBlock(blockOf(text));
      });
      incoming.on('error', () => {});
      incoming.on('close', onEnd);
      resolve({ headers: incoming.headers, close: () => started.destroy() });
    });
  });
}

/** The JSON-RPC messages of a reply, whichever form it has. */
export function messagesOf(reply: Reply): readonly string[] {
  if (reply.headers['content-type'] !== 'text/event-stream') {
    return reply.text === '' ? [] : [reply.text];
  }
  return reply.text
    .split('\n\n')
    .map((text) => blockOf(text).data ?? '')
    .filter((data) => data !== '');
}

function begin({
  port,
  method = 'GET',
  path,
  headers = {},
  body,
  agent = false,
}: Sent): ClientRequest {
  const started = request({ host: '127.0.0.1', port, method, path, headers, agent });
  started.end(body);
  return started;
}
