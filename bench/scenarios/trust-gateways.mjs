/**
 * Gateways that differ in what they ask and remember of a call: the same child, the same isolation,
 * one config each, from a static token to everything at once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHILD } from '../servers.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PATHS = { 2024: '/echo/sse', 2025: '/echo/mcp', 2026: '/echo/mcp' };
const STATIC_TOKEN = 'bench-0123456789abcdef0123456789abcdef';
// Nothing here is reached: what is measured is the counting.
const MANY = 10_000_000;

const POLICIES = `
permit (principal, action, resource)
when { principal.groups.contains("bench") && resource.server == "echo" };
forbid (principal, action == Action::"call", resource)
when { resource.name == "shutdown" };
`;

/** As the guide on limits has them. */
const RATES = {
  address: { requestsPerSecond: MANY },
  principal: { requestsPerSecond: MANY, callsMax: 1000, streamsMax: 1000, sessionsMax: 1000 },
  tenant: { requestsPerSecond: MANY, bytesPerSecond: MANY * 100 },
  server: { opensPerSecond: MANY },
};

/** @param issuer - as `startIssuer` gives it. */
export async function trustGateways(issuer) {
  const token = await issuer.token('everybody');
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  writeFileSync(join(folder, 'policies.cedar'), POLICIES);
  const jwt = {
    issuer: issuer.url,
    audience: issuer.audience,
    tenant: { claim: 'org' },
    groups: { claim: 'groups' },
    allowedHosts: ['127.0.0.1'],
  };
  const policy = { file: 'policies.cedar', allow: [{ groups: 'staff', tools: 'echo' }] };
  const byToken = { auth: { token: STATIC_TOKEN } };
  const byJwt = { auth: { jwt } };
  const audit = (name) => ({ file: `${name}.jsonl`, required: true });
  const entry = (name, label, sections) => ({
    name,
    label,
    eras: [2025, 2026],
    paths: PATHS,
    token: sections.auth.jwt === undefined ? STATIC_TOKEN : token,
    command: (port) => [process.execPath, MAIN, '--config', write(name, port, sections)],
  });
  const write = (name, port, sections) => {
    const file = join(folder, `${name}.json`);
    const [command, ...args] = CHILD;
    const publicUrl = `http://127.0.0.1:${port}`;
    const servers = { echo: { command, args, isolation: 'shared' } };
    writeFileSync(file, JSON.stringify({ listen: { port, publicUrl }, ...sections, servers }));
    return file;
  };
  const everything = { ...byJwt, policy, rates: RATES, audit: audit('trust') };
  return {
    base: entry('static', 'a static token', byToken),
    parts: [
      entry('jwt', 'a JWT', byJwt),
      entry('policy', 'a JWT, policy', { ...byJwt, policy }),
      entry('limits', 'a static token, limits', { ...byToken, rates: RATES }),
      entry('audit', 'a static token, audit', { ...byToken, audit: audit('audit') }),
    ],
    all: entry('trust', 'a JWT, policy, limits, audit', everything),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
