/**
 * The official conformance suite. It is pinned, with all it needs, by the lock file in `suite/`,
 * and lives in a cache of its own: it needs a newer Node than the floor, and nothing else must find
 * that Node. A scenario holds when no check of it has status FAILURE, as the suite itself counts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../bootstrap.mjs';

/** The revisions that are run, with the number of scenarios each one scores on either side. */
const SCORED = {
  server: { '2025-11-25': 30, '2026-07-28': 37 },
  client: { '2025-11-25': 18, '2026-07-28': 32 },
};
export const REVISIONS = Object.keys(SCORED.server);

/**
 * Scenarios of authorization that no revision scores: grants of extensions that we have, and the
 * revision 2025-03-26. Not among them is what we do not have: `auth/client-credentials-jwt`,
 * `auth/enterprise-managed-authorization`, `auth/wif-jwt-bearer`, and proofs of possession of a
 * client's own, `auth/dpop` and `auth/dpop-nonce`. For servers and gateways the suite has none.
 */
export const AUTHORIZATION_SCENARIOS = [
  'auth/client-credentials-basic',
  'auth/2025-03-26-oauth-metadata-backcompat',
  'auth/2025-03-26-oauth-endpoint-fallback',
];

const PINS = fileURLToPath(new URL('suite/', import.meta.url));
const CACHE = join(root, 'node_modules', '.cache', 'tidegate-conformance');
const PACKAGE = join(CACHE, 'node_modules', '@modelcontextprotocol', 'conformance');
const NODE_MAJOR_MIN = 22;
const RUN_MS = 300_000;

/** Installs the suite unless exactly what the lock file says is there. */
export async function ensureSuite() {
  const pinned = await read(join(PINS, 'package-lock.json'));
  if (pinned === (await read(join(CACHE, 'installed.lock.json')))) {
    return;
  }
  process.stderr.write('Installing the conformance suite …\n');
  await rm(CACHE, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  await cp(PINS, CACHE, { recursive: true });
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: CACHE,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const [code] = await once(npm, 'exit');
  if (code !== 0) {
    throw new Error(`The conformance suite could not be installed: npm ci ended with ${code}.`);
  }
  await cp(join(PINS, 'package-lock.json'), join(CACHE, 'installed.lock.json'));
}

/**
 * Runs all scenarios for servers of one revision.
 * @param {string} url - the endpoint's
 * @param {string} revision - one of `REVISIONS`
 */
export function runServerSuite(url, revision) {
  return runSuite('server', ['--url', url], revision);
}

/**
 * Runs all scenarios for clients of one revision.
 * @param {string} program - the client's, which is given the URL of the suite's server
 * @param {string} revision - one of `REVISIONS`
 */
export function runClientSuite(program, revision) {
  const command = `"${process.execPath}" "${program}"`;
  return runSuite('client', ['--command', command], revision);
}

/**
 * Runs the scenarios of authorization that no revision scores.
 * @param {string} program - as of `runClientSuite`
 */
export async function runAuthorizationScenarios(program) {
  const command = `"${process.execPath}" "${program}"`;
  const findingsOfAll = [];
  let passed = 0;
  for (const scenario of AUTHORIZATION_SCENARIOS) {
    const target = ['client', '--command', command, '--scenario', scenario];
    const checks = await checksOf('client', target);
    if (holds(checks.get(scenario))) passed += 1;
    findingsOfAll.push(...findings([scenario], checks));
  }
  const wanted = AUTHORIZATION_SCENARIOS.length;
  return { revision: 'any', wanted, passed, findings: findingsOfAll };
}

async function runSuite(leg, target, revision) {
  const scored = await scoredScenarios(leg, revision);
  const checks = await checksOf(leg, [leg, ...target, '--requirements', revision]);
  const failed = scored.filter((scenario) => !holds(checks.get(scenario)));
  return {
    revision,
    wanted: SCORED[leg][revision],
    passed: scored.length - failed.length,
    findings: findings(scored, checks).filter(({ isScored }) => isScored || leg === 'server'),
  };
}

/** What one run of the suite reports, by scenario. */
async function checksOf(leg, command) {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-conformance-'));
  try {
    const log = await runCommand(command, folder);
    const checks = await readChecks(folder, leg);
    if (checks.size === 0) {
      throw new Error(`The suite reported nothing:\n${log.slice(-2000)}`);
    }
    return checks;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCommand(command, folder) {
  const words = [join(PACKAGE, 'dist', 'index.js'), ...command, '-o', folder];
  const child = spawn(await nodeForSuite(), words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS,
    killSignal: 'SIGKILL',
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  }
  await once(child, 'close');
  return log;
}

/** This Node when it is new enough, else the one that was installed with the suite. */
async function nodeForSuite() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
    return process.execPath;
  }
  const { optionalDependencies } = JSON.parse(await read(join(PINS, 'package.json')));
  for (const name of Object.keys(optionalDependencies)) {
    const folder = join(CACHE, 'node_modules', name);
    const manifest = await read(join(folder, 'package.json'));
    if (manifest !== undefined) {
      return join(folder, JSON.parse(manifest).bin.node);
    }
  }
  throw new Error(`The suite needs Node.js ${NODE_MAJOR_MIN}; npm has none for this platform.`);
}

/** The list of one side in the suite's own requirements file. */
async function scoredScenarios(leg, revision) {
  const text = await readFile(join(PACKAGE, 'requirements', `${revision}.yaml`), 'utf8');
  const list = new RegExp(`^${leg}:\\n((?: {2}- .+\\n)+)`, 'm').exec(text)?.[1] ?? '';
  const names = list.match(/[^\s-]\S*/g) ?? [];
  if (names.length !== SCORED[leg][revision]) {
    throw new Error(`The suite scores ${names.length} ${leg} scenarios for ${revision}.`);
  }
  return names;
}

/** Checks by scenario; the suite makes a folder `<scenario>-<time>` for each, and says `server-` first. */
async function readChecks(folder, leg) {
  const prefix = leg === 'server' ? 'server-' : '';
  const pattern = new RegExp(`^${prefix}(.+)-\\d{4}-\\d\\d-\\d\\dT[\\d-]+Z/checks.json$`);
  const found = new Map();
  for (const path of await readdir(folder, { recursive: true })) {
    const name = path.split(sep).join('/');
    const scenario = pattern.exec(name)?.[1];
    const text = scenario === undefined ? undefined : await read(join(folder, path));
    if (scenario !== undefined && text !== undefined) {
      found.set(scenario, JSON.parse(text));
    }
  }
  return found;
}

/** A scenario without a report did not run to its end. */
function holds(checks) {
  return checks !== undefined && checks.every(({ status }) => status !== 'FAILURE');
}

/** Failures and warnings, the scored first. Extensions that are not served are nobody's failure. */
function findings(scored, checks) {
  const unreported = scored
    .filter((scenario) => !checks.has(scenario))
    .map((scenario) => ({
      status: 'FAILURE',
      scenario,
      isScored: true,
      check: 'scenario',
      message: 'ended without a report',
    }));
  const reported = [...checks]
    .filter(([scenario]) => !scenario.startsWith('tasks-'))
    .flatMap(([scenario, all]) =>
      all
        .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
        .map(({ status, id, errorMessage }) => ({
          status,
          scenario,
          isScored: scored.includes(scenario),
          check: id,
          message: errorMessage ?? 'no message',
        })),
    );
  return [...unreported, ...reported].sort((a, b) => Number(b.isScored) - Number(a.isScored));
}

async function read(path) {
  return readFile(path, 'utf8').catch(() => undefined);
}
