/**
 * The client that the suite's client scenarios start: the official SDK's `Client` of version 1 or 2 on
 * `TidegateClientTransport`. Argument: the URL of the suite's server. The scenario, its revision and
 * what it wants called are told in the environment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { TidegateClientTransport } from 'tidegate/client';

const INFO = { name: 'tidegate-conformance', version: '1.0.0' };
const MODERN = '2026-07-28';
const {
  MCP_CONFORMANCE_SCENARIO: scenario = '',
  MCP_CONFORMANCE_PROTOCOL_VERSION: revision,
  MCP_CONFORMANCE_CONTEXT: context = '{}',
} = process.env;
const url = process.argv.at(-1) ?? '';

/** What each scenario wants done once the client is connected. */
const STEPS = {
  initialize: (client) => client.listTools(),
  tools_call: callTheTool,
  'elicitation-sep1034-client-defaults': (client) =>
    client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} }),
  'sse-retry': (client) => client.callTool({ name: 'test_reconnection', arguments: {} }),
  'request-metadata': (client) => client.listTools(),
  'http-standard-headers': useEverything,
  'http-custom-headers': callWhatIsWanted,
  'http-invalid-tool-headers': callWhatIsListed,
  'sep-2322-client-request-state': answerQuestions,
  'json-schema-ref-no-deref': (client) => client.listTools(),
};

/** Their servers have no `server/discover`, although the revision demands it. */
const WITHOUT_DISCOVER = new Set([
  'http-standard-headers',
  'http-custom-headers',
  'http-invalid-tool-headers',
  'sep-2322-client-request-state',
  'json-schema-ref-no-deref',
]);

const isOfAuthorization = scenario.startsWith('auth/');
const step = isOfAuthorization ? useProtectedTool : STEPS[scenario];
if (step === undefined) throw new Error(`There is no client for ${scenario}.`);
const client = revision === MODERN ? clientV2() : clientV1();
const folder = isOfAuthorization ? mkdtempSync(join(tmpdir(), 'tidegate-sign-in-')) : undefined;
try {
  await client.connect(transportOf());
  await step(client);
} finally {
  await client.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

function transportOf() {
  if (WITHOUT_DISCOVER.has(scenario)) return withDiscover();
  return new TidegateClientTransport(url, folder === undefined ? {} : { credential: credential() });
}

function credential() {
  return scenario === 'auth/client-credentials-basic' ? application() : person();
}

/** A program with a secret of its own. */
function application() {
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(context);
  return { kind: 'client-credentials', clientId, clientSecret };
}

/** Somebody who signs in wherever they are sent, with a browser that shows nothing. */
function person() {
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(context);
  return {
    kind: 'authorization-code',
    folder,
    clientId,
    clientSecret,
    clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
    show: (page) => void fetch(page).catch(() => {}),
  };
}

function clientV1() {
  const capabilities = { elicitation: { form: { applyDefaults: true } } };
  const made = new ClientV1(INFO, { capabilities });
  made.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
  return made;
}

function clientV2() {
  const made = new ClientV2(INFO, {
    capabilities: { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true } },
    versionNegotiation: { mode: 'auto' },
  });
  made.setRequestHandler('elicitation/create', () => ({
    action: 'accept',
    content: { confirmed: true },
  }));
  return made;
}

async function callTheTool(connected) {
  await connected.listTools();
  await connected.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
}

async function useProtectedTool(connected) {
  await connected.listTools();
  await connected.callTool({ name: 'test-tool', arguments: {} });
}

async function useEverything(connected) {
  const [tool] = (await connected.listTools()).tools;
  if (tool) await connected.callTool({ name: tool.name, arguments: {} });
  const [resource] = (await connected.listResources()).resources;
  if (resource) await connected.readResource({ uri: resource.uri });
  const [prompt] = (await connected.listPrompts()).prompts;
  if (prompt) await connected.getPrompt({ name: prompt.name, arguments: {} });
}

async function callWhatIsWanted(connected) {
  await connected.listTools();
  for (const call of JSON.parse(context).toolCalls ?? []) {
    await connected.callTool({ name: call.name, arguments: call.arguments });
  }
}

async function callWhatIsListed(connected) {
  const { tools } = await connected.listTools();
  for (const { name } of tools) {
    await connected.callTool({ name, arguments: { region: 'us-west1' } }).catch(() => {});
  }
}

async function answerQuestions(connected) {
  for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_unrelated']) {
    await connected.callTool({ name, arguments: {} });
  }
  // The client refuses this result, for it does not say what kind it is.
  await connected.callTool({ name: 'test_mrtr_no_result_type', arguments: {} }).catch(() => {});
}

/** The transport, but for `server/discover`: that is answered here. */
function withDiscover() {
  const through = new TidegateClientTransport(url);
  const send = through.send.bind(through);
  through.send = async (message, options) => {
    if (message.method !== 'server/discover') return send(message, options);
    const result = {
      resultType: 'complete',
      supportedVersions: [MODERN],
      capabilities: { tools: { listChanged: true }, resources: {}, prompts: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
    };
    queueMicrotask(() => through.onmessage?.({ jsonrpc: '2.0', id: message.id, result }));
  };
  return through;
}
