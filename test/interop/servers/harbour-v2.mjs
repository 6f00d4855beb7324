#!/usr/bin/env node
/** The harbour as a child on version 2 of the official SDK: the stateless revision alone. */
import { completable, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
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

/** @typedef {import('@modelcontextprotocol/server').ServerContext} ServerContext */

const NOTHING = { inputSchema: z.object({}) };

function harbour() {
  const server = new McpServer(
    { name: 'harbour-v2', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true },
        logging: {},
        completions: {},
      },
    },
  );
  addTools(server);
  addAskingTools(server);
  server.registerResource('tide', TIDE, {}, () => ({ contents: [{ uri: TIDE, text: 'high' }] }));
  server.registerPrompt(
    'greet',
    { argsSchema: z.object({ name: completable(z.string(), () => [...NAMES]) }) },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }],
    }),
  );
  return server;
}

/** @param {McpServer} server */
function addTools(server) {
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) =>
    said(text),
  );
  server.registerTool('fail', NOTHING, () => {
    throw new Error('It failed.');
  });
  server.registerTool('count', NOTHING, async (_, { mcpReq }) => {
    for (const progress of STEPS) {
      await report(mcpReq, progress);
      await betweenSteps();
    }
    return said('counted to 3');
  });
  const ms = z.object({ ms: z.number() });
  server.registerTool('wait', { inputSchema: ms }, async (args, { mcpReq }) => {
    await report(mcpReq, 1);
    return waitUnlessCancelled(args.ms, mcpReq.signal);
  });
  server.registerTool('log', NOTHING, async (_, { mcpReq }) => {
    await mcpReq.log(LOGGED.level, LOGGED.data);
    return said('logged');
  });
  server.registerTool('touch', NOTHING, async () => {
    await server.server.sendResourceUpdated({ uri: TIDE });
    server.sendToolListChanged();
    return said('touched');
  });
}

/** @param {McpServer} server */
function addAskingTools(server) {
  /**
   * @param {string} name
   * @param {any} question
   * @param {(answer: any) => string} words
   */
  const add = (name, question, words) =>
    server.registerTool(name, NOTHING, (_, { mcpReq }) => {
      const answer = mcpReq.inputResponses?.['question'];
      if (answer === undefined) return inputRequired({ inputRequests: { question } });
      return said(words(answer));
    });
  add('elicit', inputRequired.elicit(WHO), ({ content }) => `Hello, ${content.name}!`);
  add('sample', inputRequired.createMessage(PARROT), ({ content }) => content.text);
  // The Go SDK cannot read a question without parameters.
  add('roots', { method: 'roots/list', params: {} }, ({ roots }) =>
    roots.map((/** @type {{ uri: string }} */ { uri }) => uri).join(' '),
  );
}

/**
 * @param {ServerContext['mcpReq']} mcpReq
 * @param {number} progress
 */
async function report(mcpReq, progress) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { progressToken, progress };
  await mcpReq.notify({ method: 'notifications/progress', params });
}

serveStdio(harbour, { legacy: 'reject' });
