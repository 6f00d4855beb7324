// A server as a module: an export builds one for each conversation.
import { McpServer } from '@modelcontextprotocol/server';

export function buildNotes() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('read', { description: 'Reads the note.' }, () => ({
    content: [{ type: 'text', text: 'Buy milk.' }],
  }));
  return server;
}
