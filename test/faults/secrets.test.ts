/** V56: what clients and operators entrust to us is in no log line and in no reply to anybody. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { ROOT } from '../source-files.ts';
import { headText, post } from './bad-requests.ts';
import { initializeParams, MODERN, modernRequest, rpc } from './clients.ts';
import { Wire } from './wire.ts';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

/** In every secret, whoever's it is; no encoding of it that anybody would undo escapes the search. */
const CANARY = 'canary7f3a';
const TOKEN = `token-${CANARY}-0123456789`;
const WRONG = `wrong-${CANARY}-0123456789`;
const SPELLINGS = [CANARY, ...[0, 1, 2].map((shift) => base64Of(shift)), hexOf(CANARY)];

function base64Of(shift: number): string {
  const text = Buffer.from('x'.repeat(shift) + CANARY).toString('base64');
  // The first and last characters depend on what stands beside it.
  return text.slice(shift === 0 ? 0 : 4, -4);
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

async function serving(format: 'json' | 'pretty', options: readonly string[]): Promise<CliProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-secrets-'));
  const server = join(ROOT, 'test/fixtures/faults/server.mjs');
  const log = ['--log-level', 'debug', '--log-format', format];
  const args = [
    '--port',
    '0',
    ...log,
    ...options,
    '--',
    process.execPath,
    server,
    `--key=${CANARY}`,
  ];
  const env = {
    XDG_CONFIG_HOME: folder,
    TIDEGATE_TOKEN: TOKEN,
    DATABASE_URL: `postgres://user:${CANARY}@db/`,
    API_KEY: CANARY,
  };
  const cli = new CliProcess(args, env);
  onTestFinished(async () => {
    await cli.end('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  return cli;
}

const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'x-api-key': CANARY,
  cookie: `session=${CANARY}`,
  'user-agent': `agent/${CANARY}`,
  referer: `http://localhost/${CANARY}`,
};
const GOOD = { ...JSON_HEADERS, authorization: `Bearer ${TOKEN}` };
const SECRET = { name: 'wait', arguments: { password: CANARY }, _meta: { progressToken: CANARY } };

/** Requests that hold a secret wherever one can be, all of which end in a refusal or an error. */
function requests(session: string): (string | Buffer)[] {
  const at = { path: `/mcp?key=${CANARY}`, headers: { ...GOOD, 'mcp-session-id': session } };
  const good = rpc(1, 'tools/call', { ...SECRET, name: 'nothing' });
  const modern = modernRequest('x', 'tools/call', { ...SECRET, name: 'nothing' });
  const modernHeaders = { ...modern.headers, ...GOOD };
  const head = (method: string, path: string, headers: Record<string, string>): string =>
    headText(method, path, { host: 'localhost', ...headers });
  return [
    post(at, good),
    post(at, good, { authorization: `Bearer ${WRONG}` }),
    post(at, good, { authorization: [`Bearer ${TOKEN}`, `Bearer ${WRONG}`] }),
    post(at, good, { authorization: `Basic ${Buffer.from(`u:${CANARY}`).toString('base64')}` }),
    post(at, good, { host: `${CANARY}.test` }),
    post(at, good, { host: `${CANARY}/x?` }),
    post(at, good, { origin: `http://${CANARY}.test` }),
    post(at, good, { 'content-type': `text/${CANARY}` }),
    post(at, good, { 'content-encoding': CANARY }),
    post(at, good, { accept: `text/${CANARY}` }),
    post(at, good, { 'mcp-session-id': CANARY }),
    post(at, good, { 'mcp-protocol-version': CANARY }),
    post(at, `{"password":"${CANARY}"`),
    post(at, `{"jsonrpc":"2.0","id":1,"method":"ping","${CANARY}":1,"${CANARY}":2}`),
    post(at, `"${CANARY}"`),
    post(at, rpc(2, `secret/${CANARY}`, { password: CANARY })),
    post(at, rpc(3, 'resources/read', { uri: `file:///${CANARY}` })),
    post(at, rpc(undefined, `notifications/${CANARY}`, { password: CANARY })),
    post(at, rpc(4, 'initialize', initializeParams('2025-11-25', CANARY))),
    post({ path: '/mcp', headers: modernHeaders }, rpc(5, 'tools/call', modern.params)),
    post({ path: '/mcp', headers: modernHeaders }, rpc(5, 'tools/call', modern.params), {
      'mcp-name': CANARY,
    }),
    post({ path: '/mcp', headers: { ...modernHeaders, 'mcp-protocol-version': MODERN } }, good),
    post({ path: `/messages?sessionId=${CANARY}`, headers: GOOD }, good),
    head('GET', '/mcp', { ...GOOD, 'mcp-session-id': session, 'last-event-id': CANARY }),
    head('GET', '/sse', { ...GOOD, 'last-event-id': `${CANARY}.0.1-1.a` }),
    head('GET', `/${CANARY}`, GOOD),
    head('GET', `/mcp?token=${TOKEN}`, JSON_HEADERS),
    head('PUT', `/mcp?key=${CANARY}`, GOOD),
    head(CANARY.toUpperCase(), '/mcp', GOOD),
    head('GET', '/mcp', { ...GOOD, 'x-a': `${CANARY}\u0000` }),
    head('GET', '/mcp', { ...GOOD, 'x-a': CANARY.repeat(2000) }),
  ];
}

function leaksIn(text: string): string[] {
  const lower = text.toLowerCase();
  return SPELLINGS.filter((each) => text.includes(each) || lower.includes(each.toLowerCase()));
}

describe('V56 secrets', () => {
  it.each([
    ['json', []],
    ['pretty', ['--isolation', 'shared']],
  ] as const)(
    'are in no %s log of any level and in no reply, whatever goes wrong',
    async (format, options) => {
      const cli = await serving(format, options);
      const [, port = ''] = await cli.printed(/http:\/\/127\.0\.0\.1:(\d+)\/mcp/);
      await cli.printed(/upstream_known/);
      const wire = new Wire(Number(port));
      const hello = rpc(0, 'initialize', initializeParams('2025-11-25', CANARY));
      const opened = await wire.ask(post({ path: '/mcp', headers: GOOD }, hello));
      expect(opened.status).toBe(200);
      const session = /\r\nmcp-session-id: (\S+)/i.exec(opened.rawHead)?.[1] ?? '';
      for (const request of requests(session)) {
        const { status, rawHead, body } = await wire.ask(request);
        const shown = request.toString('latin1').slice(0, 300);
        expect(leaksIn(rawHead + body), `${shown}\n-> ${rawHead}${body}`).toEqual([]);
        // A notification is taken; an error of the server itself is an answer.
        expect([200, 202, 400, 401, 403, 404, 405, 406, 413, 415, 431], shown).toContain(status);
      }
      // A death in the middle of a call, and one more refusal after it.
      const headers = { ...GOOD, 'mcp-session-id': session };
      const die = { name: 'die', arguments: { password: CANARY } };
      const lost = await wire.ask(post({ path: '/mcp', headers }, rpc(9, 'tools/call', die)));
      expect(lost.body).toContain('-32010');
      expect(leaksIn(lost.body)).toEqual([]);
      wire.close();
      await cli.printed(/upstream_down/);
      await cli.end('SIGTERM');
      expect(cli.stderr).toContain('session_opened');
      expect(leaksIn(cli.stderr + cli.stdout)).toEqual([]);
    },
  );

  it('would be seen: the search knows the ways a secret is written', () => {
    const texts = [CANARY, `x${CANARY}`, CANARY.toUpperCase()];
    const encoded = [`u:${CANARY}:p`, `${CANARY}!!`, `ab${CANARY}cd`].map((text) =>
      Buffer.from(text).toString('base64'),
    );
    for (const text of [...texts, ...encoded, hexOf(CANARY)]) expect(leaksIn(text)).not.toEqual([]);
    expect(leaksIn('nothing of it')).toEqual([]);
  });
});
