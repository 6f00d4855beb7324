/** What is said of a remote server that refuses, by its status, and whatever its body holds. */
import { describe, expect, it } from 'vitest';
import { remote } from 'tidegate';
import { Message } from '../../../src/core/protocol/message.ts';
import { localConversation, localLimits } from '../../../src/local-conversation.ts';
import { Sight } from '../recorder.ts';
import { type Asked, dialModern, dialSession, HandServer, server2025 } from './hand-server.ts';

const META =
  '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
  '"io.modelcontextprotocol/clientCapabilities":{},' +
  '"io.modelcontextprotocol/clientInfo":{"name":"host","version":"1"}}';

const OPENINGS = {
  initialize: '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"host"}}',
  'server/discover': `{${META}}`,
} as const;

const ERROR = { code: -32600, message: 'Bearer canary is no good.' };

const BODIES = {
  'an error of JSON-RPC': [
    'application/json',
    JSON.stringify({ jsonrpc: '2.0', id: null, error: ERROR }),
  ],
  'other JSON': ['application/json', '{"error":"invalid_token"}'],
  HTML: ['text/html', '<p>No.</p>'],
  'no body': ['text/plain', ''],
} as const;

type Body = keyof typeof BODIES;

const NAMES = Object.keys(BODIES) as Body[];

const MEANINGS = [
  [307, 'its URL leads to another one'],
  [400, 'it does not understand the request'],
  [401, 'it asks Tidegate for a credential'],
  [403, 'may want another credential'],
  [404, 'nothing is served at the URL'],
  [405, 'takes no messages of this protocol'],
  [429, 'retry after 7 s'],
  [500, 'it failed'],
  [502, 'what is in front of it does not reach it'],
  [503, 'retry after 7 s'],
] as const;

function refuse({ response }: Asked, status: number, body: Body): true {
  const [type, text] = BODIES[body];
  response.writeHead(status, { 'content-type': type, 'retry-after': '7' });
  response.end(text);
  return true;
}

/** The first answer that a host of `tidegate connect` gets, and what is logged. */
async function opened(url: string, method: keyof typeof OPENINGS): Promise<[string, string]> {
  const sight = new Sight();
  const answer = await new Promise<Message>((resolve, reject) => {
    const conversation = localConversation(
      remote(url, { telemetry: sight }),
      sight,
      localLimits({}),
      {
        onMessage: (message) => {
          conversation.close();
          resolve(message);
        },
        onClosed: () => reject(new Error('It ended without an answer.')),
      },
    );
    conversation.send(Message.request('"a"', method, OPENINGS[method]));
  });
  return [answer.toText(), JSON.stringify(sight.logs)];
}

describe.each(Object.keys(OPENINGS) as (keyof typeof OPENINGS)[])('at %s', (method) => {
  it.each(MEANINGS)('%i means: %s', async (status, meaning) => {
    for (const body of NAMES) {
      const server = await HandServer.start((asked) => refuse(asked, status, body));
      const [answer, logged] = await opened(server.url, method);
      expect(answer).toMatch(
        /^{"jsonrpc":"2.0","id":"a","error":{"code":-32010,"message":"upstream/,
      );
      for (const said of [answer, logged]) {
        expect(said).toContain(meaning);
        expect(said).toContain(`(HTTP status ${status})`);
        expect(said).not.toContain('canary');
      }
    }
  });
});

it.each([
  ['no JSON', '<p>Hello.</p>'],
  ['no message', '{"hello":"canary"}'],
])('a server that answers with %s is not said to have answered with an error', async (_, body) => {
  const server = await HandServer.start(({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
    return true;
  });
  const [, logged] = await opened(server.url, 'initialize');
  expect(logged).toContain('the upstream sent a reply that is not of this protocol');
  expect(logged).not.toMatch(/-32603|canary/);
});

const OWN_WORDS: ReadonlySet<number> = new Set([307, 400, 403, 429, 500, 502, 503]);

/** A tool that is refused, in a conversation that began well. */
async function called(era: '2025' | '2026', status: number, body: Body): Promise<unknown> {
  const refusing = (asked: Asked): boolean =>
    asked.body.method === 'tools/call' && refuse(asked, status, body);
  const plain = server2025(refusing);
  const server = await HandServer.start((asked) => {
    // Without sessions nothing can be forgotten.
    if (asked.body.method === 'initialize') asked.result({ protocolVersion: '2025-11-25' });
    else plain(asked);
  });
  const dialled = await (era === '2025' ? dialSession(server.url) : dialModern(server.url));
  return dialled.call(1);
}

describe.each(['2025', '2026'] as const)('in the middle of a conversation of %s', (era) => {
  it.each(MEANINGS)(
    '%i means: %s, unless the server says what the call lacks',
    async (status, meaning) => {
      for (const body of NAMES) {
        const isOwn = body === 'an error of JSON-RPC' && OWN_WORDS.has(status);
        const message = expect.stringContaining(meaning) as unknown;
        const code = era === '2026' && status === 404 ? -32601 : -32010;
        expect(await called(era, status, body)).toEqual(isOwn ? ERROR : { code, message });
      }
    },
  );
});

it('a server that forgets each session at once is said to do that', async () => {
  const server = await HandServer.start(
    server2025((asked) => asked.body.method === 'tools/call' && refuse(asked, 404, 'no body')),
  );
  const { call, sight } = await dialSession(server.url);
  const sentence = 'it does not know a session that it opened a moment ago';
  const message = expect.stringContaining(sentence) as unknown;
  expect(await call(1)).toEqual({ code: -32010, message });
  expect(sight.logs).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ detail: sentence }) as unknown }),
  );
});
