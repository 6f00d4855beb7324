/** What `tidegate --config` gives people to paste, by the way its clients come in. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { Authority } from '../http/certificates.ts';
import { temporaryFolder } from './gateway-host.ts';

interface Printed {
  readonly auth: string;
  readonly snippets: Readonly<Record<string, string>>;
}

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

async function printed(folder: string, config: string): Promise<Printed> {
  const file = join(folder, 'tidegate.yaml');
  writeFileSync(file, `${config}servers: { a: { command: ${process.execPath} } }\n`);
  const args = ['--config', file, '--port', '0', '--json', '--log-level', 'silent'];
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder });
  onTestFinished(async () => {
    cli.child.kill('SIGKILL');
    await cli.ended;
  });
  const [line] = await cli.printed(/^\{.*"snippets".*\}$/m);
  return JSON.parse(line) as Printed;
}

it.each([
  'jwt: { issuer: "https://login.example.com" }',
  'introspection: { url: "https://login.example.com/i", issuer: "https://login.example.com", clientId: a, clientSecret: b }',
])('no header where clients sign in, which it would keep them from: %s', async (way) => {
  const listen = 'listen: { publicUrl: "https://mcp.example.com" }\n';
  const { snippets } = await printed(temporaryFolder(), `${listen}auth: { ${way} }\n`);
  const { curl, ...pasted } = snippets;
  expect(Object.keys(pasted)).toHaveLength(3);
  for (const text of Object.values(pasted)) expect(text).not.toContain('Authorization');
  expect(curl).toContain('Authorization: Bearer <token>');
});

it('no token where each client shows a certificate', async () => {
  const folder = temporaryFolder();
  const authority = await Authority.create();
  const { cert, key } = await authority.server();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'ca.pem'), authority.cert);
  const tls = 'listen: { tls: { cert: cert.pem, key: key.pem, clientCa: ca.pem } }\n';
  const { auth, snippets } = await printed(folder, `${tls}auth: { mtls: {} }\n`);
  expect(auth).toBe('certificate');
  for (const text of Object.values(snippets)) expect(text).not.toContain('Bearer');
});
