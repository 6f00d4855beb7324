/**
 * One config with a command, a remote server of 2024, a remote server of 2026 and a module, served
 * by the command to clients of three eras side by side: at each server's own URL, and merged.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { progressOf, type Person } from '../clients/person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from '../clients/sdk-v1.ts';
import { sdkV2Stateless } from '../clients/sdk-v2.ts';
import { matrixV1 } from '../fixtures/matrix/server-v1.mjs';
import { matrixV2InRounds } from '../fixtures/matrix/server-v2.mjs';
import { Fates } from '../fixtures/matrix/shared.mjs';
import { serveHttpV1 } from '../fixtures/servers/http-v1.mjs';
import { serveHttpV2 } from '../fixtures/servers/http-v2.mjs';
import { ROOT } from '../source-files.ts';
import { survivors, childrenOf } from '../upstreams/processes.ts';
import { temporaryFolder } from './gateway-host.ts';

const SERVERS = ['command', 'older', 'newer', 'module'] as const;

interface Urls {
  readonly mcp: URL;
  readonly sse: URL;
}

const CLIENTS: Readonly<Record<string, (urls: Urls) => Promise<Person>>> = {
  '2024': (urls) => sdkV1OverSse(urls, 'full'),
  '2025': (urls) => sdkV1OverHttp(urls, 'full'),
  '2026': (urls) => sdkV2Stateless(urls, 'full'),
};

interface Running {
  readonly cli: CliProcess;
  readonly at: (name: string) => Urls;
}

async function running(): Promise<Running> {
  const folder = temporaryFolder();
  const fates = join(folder, 'fates');
  mkdirSync(fates);
  const older = await serveHttpV1({ build: () => matrixV1(new Fates(fates)) });
  const newer = await serveHttpV2({
    build: () => matrixV2InRounds(new Fates(fates)),
    legacy: 'reject',
  });
  const file = join(folder, 'tidegate.yaml');
  writeFileSync(
    file,
    `auth: none
servers:
  command:
    command: ${process.execPath}
    args: [${join(ROOT, 'test/fixtures/matrix/child-v1.mjs')}, ${fates}]
  older: { url: "${older.origin}/sse" }
  newer: { url: "${newer.origin}/mcp" }
  module:
    module: ${join(ROOT, 'test/fixtures/gateway/matrix-module.mjs')}
    export: buildMatrix
`,
  );
  const args = ['--config', file, '--port', '0', '--log-format', 'json', '--drain', '2'];
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder, TIDEGATE_FATES: fates });
  onTestFinished(async () => {
    if (cli.child.exitCode === null) cli.child.kill('SIGKILL');
    await cli.ended;
    await Promise.all([older.close(), newer.close()]);
  });
  const [, url = ''] = await cli.printed(/(http:\/\/[^/\s"]+)\/[a-z]+\/mcp/);
  const at = (name: string): Urls => ({
    mcp: new URL(`/${name}/mcp`, url),
    sse: new URL(`/${name}/sse`, url),
  });
  return { cli, at };
}

/** What every conversation must be able to do. @param tool - its name at this URL. */
async function converse(person: Person, tool: (name: string) => string): Promise<void> {
  expect(await person.tools()).toContain(tool('test_simple_text'));
  expect(await person.call(tool('test_simple_text'))).toContain('simple text response');
  expect(await progressOf(person, tool('test_tool_with_progress'))).toEqual([0, 50, 100]);
  const asking = tool('test_input_required_result_elicitation');
  expect(await person.call(asking)).toBe('Hello, Ann!');
  expect(await person.prompt(tool('test_simple_prompt'))).toContain('simple prompt');
}

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

describe('a config with every kind of server', () => {
  it('serves clients of three eras side by side, at each URL and merged', async () => {
    const { cli, at } = await running();
    const conversations = Object.values(CLIENTS).flatMap((connect) => [
      ...SERVERS.map(async (server) => {
        const person = await connect(at(server));
        await converse(person, (name) => name);
        await person.close();
      }),
      (async () => {
        const person = await connect(at('all'));
        for (const server of SERVERS) await converse(person, (name) => `${server}__${name}`);
        await person.close();
      })(),
    ]);
    await Promise.all(conversations);
    const children = childrenOf(cli.child.pid ?? 0);
    cli.child.kill('SIGTERM');
    expect(await cli.ended).toEqual({ code: 0, signal: null });
    expect(await survivors(children, 5000)).toEqual([]);
  }, 60_000);
});
