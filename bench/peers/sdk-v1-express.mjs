/**
 * Peer: the official SDK 1.x on Express, as its own examples serve it. One `Server` a session, answering
 * by itself: there is no stdio child behind it, so its number is for the transport alone.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import express from 'express';

// The SDK marks its 2024 transport deprecated; what is measured here is that very transport.
const sse = '@modelcontextprotocol/sdk/server/sse.js';
const { SSEServerTransport } = await import(sse);

const transports = new Map();
const servers = new Set();

function build() {
  const info = { name: 'bench-sdk-v1', version: '1.0.0' };
  const mcp = new McpServer(info, { capabilities: { tools: { listChanged: true } } });
  // The low-level server, without a schema for the arguments, is the fastest the SDK offers.
  const { server } = mcp;
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: 'echo', inputSchema: { type: 'object' } }],
  }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    const { name, arguments: input } = request.params;
    if (name === 'emit') for (const each of servers) void each.sendToolListChanged();
    if (name === 'flood') await flood(input, request.params._meta.progressToken, extra);
    return { content: [{ type: 'text', text: input?.text ?? name }] };
  });
  servers.add(server);
  server.onclose = () => servers.delete(server);
  return mcp;
}

async function flood({ bytes, size }, progressToken, extra) {
  const message = 'x'.repeat(size);
  for (let sent = 0, progress = 1; sent < bytes; sent += size, progress += 1) {
    const params = { progressToken, progress, message };
    await extra.sendNotification({ method: 'notifications/progress', params });
    if (progress % 4 === 0) await delay(4);
  }
}

const app = express();
app.use(express.json({ limit: '4mb' }));

app.get('/sse', async (req, res) => {
  const transport = new SSEServerTransport('/messages', res);
  transports.set(transport.sessionId, transport);
  res.on('close', () => transports.delete(transport.sessionId));
  await build().connect(transport);
});

app.post('/messages', async (req, res) => {
  const transport = transports.get(req.query.sessionId);
  if (!transport) return res.status(404).end();
  await transport.handlePostMessage(req, res, req.body);
});

app.all('/mcp', async (req, res) => {
  const known = transports.get(req.headers['mcp-session-id']);
  if (known) return known.handleRequest(req, res, req.body);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: process.argv[3] === 'json',
    onsessioninitialized: (id) => transports.set(id, transport),
  });
  await build().connect(transport);
  await transport.handleRequest(req, res, req.body);
});

const server = app.listen(Number(process.argv[2]), '127.0.0.1');
server.keepAliveTimeout = 120_000;
