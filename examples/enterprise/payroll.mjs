// A command: one process for each tenant.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

const server = new McpServer({ name: 'payroll', version: '1.0.0' });
server.registerTool('salary', { description: 'Tells what somebody earns.' }, () => ({
  content: [{ type: 'text', text: '4200' }],
}));
await server.connect(new StdioServerTransport());
