/**
 * The MCP server at a URL that gateways are measured in front of: one kind of era, as little CPU as
 * `node:http` allows. Arguments: port and `2024`, `2025` or `2026`.
 *
 * 2025 and 2026 answer with JSON. Its one tool, `echo`, returns its text.
 */
import { createServer } from 'node:http';

const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';
const INFO = { name: 'bench-remote', version: '1.0.0' };
const TOOLS = [{ name: 'echo', inputSchema: { type: 'object' } }];
const CAPABILITIES = { tools: {} };
const SSE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };
const [port, kind] = process.argv.slice(2);
const isModern = kind === '2026';

const streams = new Map();
let lastId = 0;

const server = createServer((req, res) => {
  if (req.method === 'GET') return kind === '2024' ? open(res) : refuse(res, 405);
  if (req.method !== 'POST') return refuse(res, 405);
  const url = new URL(req.url, 'http://localhost');
  if (kind === '2024' && url.pathname !== '/messages') return refuse(res, 405);
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => post(url.searchParams.get('sessionId'), JSON.parse(body), res));
});
server.keepAliveTimeout = 120_000;
server.listen(Number(port), '127.0.0.1');

function open(res) {
  const id = String((lastId += 1));
  streams.set(id, res);
  res.on('close', () => streams.delete(id));
  res.writeHead(200, SSE);
  res.write(`event: endpoint\ndata: /messages?sessionId=${id}\n\n`);
}

function post(sessionId, message, res) {
  const stream = streams.get(sessionId);
  if (stream !== undefined) res.writeHead(202).end();
  if (message.id === undefined) return stream ?? res.writeHead(202).end();
  const answer = { jsonrpc: '2.0', id: message.id, ...answerTo(message.method, message.params) };
  const text = JSON.stringify(answer);
  if (stream !== undefined) return stream.write(`event: message\ndata: ${text}\n\n`);
  const length = Buffer.byteLength(text);
  const headers = { 'content-type': 'application/json', 'content-length': length };
  if (message.method === 'initialize') headers['mcp-session-id'] = `bench-${(lastId += 1)}`;
  res.writeHead(200, headers).end(text);
}

function answerTo(method, params) {
  if ((params?._meta?.[`${META}protocolVersion`] !== undefined) !== isModern) return unknown();
  if (method === 'tools/call') {
    return { result: finished({ content: [{ type: 'text', text: params.arguments.text }] }) };
  }
  if (method === 'tools/list') return { result: finished({ tools: TOOLS, ...fresh() }) };
  if (method === 'ping') return { result: {} };
  if (method === 'initialize') {
    const { protocolVersion } = params;
    return { result: { protocolVersion, capabilities: CAPABILITIES, serverInfo: INFO } };
  }
  if (method !== 'server/discover') return unknown();
  const found = { supportedVersions: [MODERN], capabilities: CAPABILITIES, ...fresh() };
  return { result: finished(found) };
}

function unknown() {
  return { error: { code: -32601, message: 'Method not found' } };
}

function fresh() {
  return isModern ? { ttlMs: 60_000, cacheScope: 'public' } : {};
}

function finished(result) {
  if (!isModern) return result;
  return { ...result, resultType: 'complete', _meta: { [`${META}serverInfo`]: INFO } };
}

function refuse(res, status) {
  res.writeHead(status).end();
}
