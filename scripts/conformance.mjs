/**
 * `npm run conformance`: runs the official suite against each configuration and prints one row for
 * each, `name  x/30  x/37`: the scored scenarios of 2025-11-25 and 2026-07-28 that hold. One row more
 * is the suite's other leg, for clients, over `TidegateClientTransport`, and another the scenarios of
 * authorization that it does not score. Exits with 0 only when every row is full. `npm run conformance -- stdio` runs the rows named so.
 */
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from './bootstrap.mjs';
import { CONFIGURATIONS } from './conformance/configurations.mjs';
import { startEndpoint } from './conformance/endpoint.mjs';
import {
  ensureSuite,
  REVISIONS,
  runAuthorizationScenarios,
  runClientSuite,
  runServerSuite,
} from './conformance/suite.mjs';

const CLIENT = fileURLToPath(new URL('conformance/client.mjs', import.meta.url));
const ROWS = [
  ...CONFIGURATIONS.map(({ name }) => ({ name, run: () => runConfiguration(name) })),
  { name: 'client transport', run: () => runEach((revision) => runClientSuite(CLIENT, revision)) },
  { name: 'client authorization', run: async () => [await runAuthorizationScenarios(CLIENT)] },
];
const NAME_WIDTH = Math.max(...ROWS.map(({ name }) => name.length));

try {
  await ensureInstalled();
  await ensureBuilt();
  await ensureSuite();
  process.exitCode = await runRows(chosen(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function chosen(words) {
  const rows = ROWS.filter(({ name }) => words.every((word) => name.includes(word)));
  if (rows.length === 0) {
    const names = ROWS.map(({ name }) => name).join(', ');
    throw new Error(`No configuration is named so. There are: ${names}.`);
  }
  return rows;
}

async function runRows(rows) {
  let isFull = true;
  for (const { name, run } of rows) {
    const outcomes = await run();
    const scores = outcomes.map(({ passed, wanted }) => `${passed}/${wanted}`);
    console.log([name.padEnd(NAME_WIDTH), ...scores].join('  '));
    for (const { revision, findings } of outcomes) {
      findings.forEach((finding) => console.log(`    ${revision}  ${inWords(finding)}`));
    }
    isFull &&= outcomes.every(({ passed, wanted }) => passed === wanted);
  }
  return isFull ? 0 : 1;
}

async function runConfiguration(name) {
  const endpoint = await startEndpoint(name);
  try {
    return await runEach((revision) => runServerSuite(endpoint.url, revision));
  } finally {
    await endpoint.stop();
  }
}

async function runEach(runSuite) {
  const outcomes = [];
  for (const revision of REVISIONS) outcomes.push(await runSuite(revision));
  return outcomes;
}

function inWords({ status, scenario, isScored, check, message }) {
  const scored = isScored ? '' : ' (not scored)';
  return `${status.toLowerCase()}${scored}  ${scenario}  ${check}: ${message}`;
}
