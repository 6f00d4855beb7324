/** Modules that cannot be served: the log of the command says what is wrong with each of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { temporaryFolder, TOKEN } from './gateway-host.ts';

const CANARY = 'a-secret-in-a-message';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

/** What the log says of a module with this text, and where the module is. */
async function told(text: string, settings = ''): Promise<{ detail: string; path: string }> {
  const folder = temporaryFolder();
  const path = join(folder, 'module.mjs');
  writeFileSync(path, text);
  const file = join(folder, 'tidegate.yaml');
  writeFileSync(
    file,
    `auth: { token: ${TOKEN} }\nservers: { a: { module: module.mjs${settings} } }\n`,
  );
  const args = ['--config', file, '--port', '0', '--log-format', 'json'];
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder });
  onTestFinished(async () => {
    cli.child.kill('SIGKILL');
    await cli.ended;
  });
  const [line] = await cli.printed(/^\{.*"event":"upstream_unreachable".*\}$/m);
  expect(cli.stderr).not.toContain(CANARY);
  return { detail: (JSON.parse(line) as { detail: string }).detail, path };
}

it('without a default export: which functions there are', async () => {
  const { detail } = await told('export const build = () => {};\nexport const number = 3;\n');
  expect(detail).toBe(
    'it exports no function as its default, but build; name the one that builds a server with export',
  );
});

it('without the export that is named, or any other', async () => {
  const { detail } = await told('export const number = 3;\n', ', export: build');
  expect(detail).toMatch(/^it exports no function build, but no other either; /);
});

it.each([
  ['that throws', `throw new Error('${CANARY}');\n`, /^Error at file:.*module\.mjs/],
  ['that imports what there is not', `import 'not-installed';\n`, /^Error ERR_MODULE_NOT_FOUND /],
  ['that is no JavaScript', `export default ('${CANARY}';\n`, /^SyntaxError /],
])('%s: where its message can be seen', async (_name, text, kind) => {
  const { detail, path } = await told(text);
  expect(detail).toMatch(kind);
  expect(detail.endsWith(`; to see its message, run node ${path}`)).toBe(true);
});

it('whose function returns no server', async () => {
  const { detail } = await told('export default () => undefined;\n');
  expect(detail).toBe('what its function returned is no server of the official SDK');
});
