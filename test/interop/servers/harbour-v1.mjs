#!/usr/bin/env node
/** The harbour as a child on version 1 of the official SDK: the handshake revisions alone. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import {
  betweenSteps,
  LOGGED,
  NAMES,
  PARROT,
  said,
  STEPS,
  TIDE,
  waitUnlessCancelled,
  WHO,
} from './harbour.mjs';

const server = new McpServer(
  { name: 'harbour-v1', version: '1.0.0' },
  {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
      completions: {},
    },
  },
);

server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => said(text));
server.registerTool('fail', {}, () => {
  throw new Error('It failed.');
});
server.registerTool('count', {}, async (extra) => {
  for (const progress of STEPS) {
    await report(extra, progress);
    await betweenSteps();
  }
  return said('counted to 3');
});
server.registerTool('wait', { inputSchema: { ms: z.number() } }, async ({ ms }, extra) => {
  await report(extra, 1);
  return waitUnlessCancelled(ms, extra.signal);
});
server.registerTool('log', {}, async (extra) => {
  await extra.sendNotification({ method: 'notifications/message', params: LOGGED });
  return said('logged');
});
server.registerTool('touch', {}, async () => {
  await server.server.sendResourceUpdated({ uri: TIDE });
  server.sendToolListChanged();
  return said('touched');
});
server.registerTool('elicit', {}, async (extra) => {
  const answer = await extra.sendRequest(
    { method: 'elicitation/create', params: WHO },
    ElicitResultSchema,
  );
  return said(`Hello, ${String(answer.content?.name)}!`);
});
server.registerTool('sample', {}, async (extra) => {
  const answer = await extra.sendRequest(
    { method: 'sampling/createMessage', params: PARROT },
    CreateMessageResultSchema,
  );
  return said(answer.content.type === 'text' ? answer.content.text : '');
});
server.registerTool('roots', {}, async (extra) => {
  const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
  return said(roots.map(({ uri }) => uri).join(' '));
});

server.registerResource('tide', TIDE, {}, () => ({ contents: [{ uri: TIDE, text: 'high' }] }));
server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
server.registerPrompt(
  'greet',
  { argsSchema: { name: completable(z.string(), () => [...NAMES]) } },
  ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }],
  }),
);
await server.connect(new StdioServerTransport());

/**
 * @param {any} extra
 * @param {number} progress
 */
async function report(extra, progress) {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { progressToken, progress };
  await extra.sendNotification({ method: 'notifications/progress', params });
}
