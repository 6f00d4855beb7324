/**
 * Peer: the official SDK 2.x, `createMcpHandler` on bare node:http through the SDK's own Node adapter.
 * It answers by itself: there is no stdio child behind it. Both eras, 2025 without sessions.
 */
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';

const handler = createMcpHandler(() => {
  const info = { name: 'bench-sdk-v2', version: '1.0.0' };
  const mcp = new McpServer(info, { capabilities: { tools: { listChanged: true } } });
  // The low-level server, without a schema for the arguments, is the fastest the SDK offers.
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({
    tools: [{ name: 'echo', inputSchema: { type: 'object' } }],
  }));
  server.setRequestHandler('tools/call', (request) => {
    const { name, arguments: input } = request.params;
    if (name === 'emit') handler.notify.toolsChanged();
    return { content: [{ type: 'text', text: input?.text ?? name }] };
  });
  return mcp;
});

const handle = toNodeHandler(handler);
const server = createServer((req, res) => void handle(req, res));
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
