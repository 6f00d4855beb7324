/**
 * The stdio MCP server that every gateway is measured with: both eras, no dependency, as little CPU as
 * Node allows. It answers one chunk of lines with one write, so that the gateway's cost dominates.
 *
 * Tools: `echo` returns its text, `emit` sends one tools/list_changed to whoever listens, `flood` sends
 * `bytes` bytes of progress in messages of `size` characters to the caller before it answers.
 * With the word `legacy` or `modern` it speaks that kind of era alone.
 */
const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';
const INFO = { name: 'bench-echo', version: '1.0.0' };
const TOOLS = ['echo', 'emit', 'flood'].map((name) => ({ name, inputSchema: { type: 'object' } }));
const FLOOD_BURST = 4;
const FLOOD_PAUSE_MS = 4;
const CAPABILITIES = { tools: { listChanged: true } };

const [only] = process.argv.slice(2);
const listeners = new Set();
let isInitialized = false;
let outgoing = '';
let rest = '';

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const text = rest === '' ? chunk : rest + chunk;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    if (end > start) receive(JSON.parse(text.slice(start, end)));
    start = end + 1;
  }
  rest = start === text.length ? '' : text.slice(start);
  flush();
});
process.stdin.on('end', () => process.exit(0));

function receive({ id, method, params }) {
  if (id === undefined) {
    if (method === 'notifications/cancelled') listeners.delete(params?.requestId);
    return;
  }
  if (method === undefined) return;
  const isModern = params?._meta?.[`${META}protocolVersion`] !== undefined;
  if (only !== undefined && isModern !== (only === 'modern')) {
    return send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
  }
  if (method === 'tools/call') return call(id, params, isModern);
  if (method === 'ping') return reply(id, {}, isModern);
  if (method === 'tools/list') {
    const fresh = isModern ? { ttlMs: 60_000, cacheScope: 'public' } : {};
    return reply(id, { tools: TOOLS, ...fresh }, isModern);
  }
  if (method === 'initialize') {
    isInitialized = true;
    const protocolVersion = params.protocolVersion;
    return reply(id, { protocolVersion, capabilities: CAPABILITIES, serverInfo: INFO }, false);
  }
  if (method === 'server/discover') {
    return reply(
      id,
      {
        supportedVersions: [MODERN],
        capabilities: CAPABILITIES,
        ttlMs: 60_000,
        cacheScope: 'public',
      },
      true,
    );
  }
  if (method === 'subscriptions/listen') return listen(id, params);
  send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
}

function call(id, params, isModern) {
  const input = params.arguments ?? {};
  const answer = () =>
    reply(id, { content: [{ type: 'text', text: input.text ?? params.name }] }, isModern);
  if (params.name === 'flood') return flood(params._meta?.progressToken, input, answer);
  if (params.name === 'emit') emit();
  answer();
}

function listen(id, params) {
  const toolsListChanged = params.notifications?.toolsListChanged === true;
  if (toolsListChanged) listeners.add(id);
  send({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: {
      _meta: { [`${META}subscriptionId`]: id },
      notifications: toolsListChanged ? { toolsListChanged } : {},
    },
  });
}

function emit() {
  const method = 'notifications/tools/list_changed';
  if (isInitialized) send({ jsonrpc: '2.0', method });
  for (const id of listeners) {
    send({ jsonrpc: '2.0', method, params: { _meta: { [`${META}subscriptionId`]: id } } });
  }
}

/** Sends in bursts with a breath between, some 60 MB a second: a client that reads can keep up. */
function flood(progressToken, { bytes, size }, done) {
  const message = 'x'.repeat(size);
  let progress = 0;
  const timer = setInterval(() => {
    for (let burst = 0; burst < FLOOD_BURST && progress * size < bytes; burst += 1) {
      progress += 1;
      const params = { progressToken, progress, message };
      send({ jsonrpc: '2.0', method: 'notifications/progress', params });
    }
    if (progress * size >= bytes) {
      clearInterval(timer);
      done();
    }
    flush();
  }, FLOOD_PAUSE_MS);
}

function reply(id, result, isModern) {
  if (isModern) {
    result.resultType = 'complete';
    result._meta = { [`${META}serverInfo`]: INFO };
  }
  send({ jsonrpc: '2.0', id, result });
}

function send(message) {
  outgoing += JSON.stringify(message) + '\n';
}

function flush() {
  if (outgoing === '') return;
  process.stdout.write(outgoing);
  outgoing = '';
}
