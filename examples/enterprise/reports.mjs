// A module: one server for each tenant, with a tool that only looks and one that does something.
import { McpServer } from '@modelcontextprotocol/server';

export function buildReports() {
  const server = new McpServer({ name: 'reports', version: '1.0.0' });
  const text = (said) => () => ({ content: [{ type: 'text', text: said }] });
  const readOnly = { description: 'Reads the report.', annotations: { readOnlyHint: true } };
  server.registerTool('read', readOnly, text('Sales are up.'));
  server.registerTool('publish', { description: 'Publishes the report.' }, text('Published.'));
  return server;
}
