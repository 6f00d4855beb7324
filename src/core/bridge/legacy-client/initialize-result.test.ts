import { expect, it } from 'vitest';
import { initializeResult } from './initialize-result.ts';

const US = { name: 'us', version: '1' };
const INFO = { name: 's', version: '3', title: 'S' };

function result(discovered: object, requested: unknown = '2025-06-18'): unknown {
  return JSON.parse(initializeResult(discovered as Record<string, unknown>, requested, US));
}

it('says of the server what it said of itself, in the version that was asked for', () => {
  const capabilities = {
    tools: { listChanged: true },
    logging: {},
    resources: { subscribe: true },
  };
  const discovered = {
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities,
    instructions: 'Be kind.',
    ttlMs: 5,
    cacheScope: 'public',
    _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
  };
  expect(result(discovered)).toEqual({
    protocolVersion: '2025-06-18',
    capabilities,
    serverInfo: INFO,
    instructions: 'Be kind.',
  });
});

it('answers a version nobody knows with the newest it could mean, for a server without a name', () => {
  expect(result({}, '2019-01-01')).toEqual({
    protocolVersion: '2025-11-25',
    capabilities: {},
    serverInfo: US,
  });
});

it('does not offer tasks, which differ between the eras, and keeps other extensions', () => {
  const tasks = { 'io.modelcontextprotocol/tasks': {} };
  expect(result({ capabilities: { tasks: {}, extensions: tasks } })).toMatchObject({
    capabilities: {},
  });
  const extensions = { ...tasks, 'org.example/ui': {} };
  expect(result({ capabilities: { extensions } })).toMatchObject({
    capabilities: { extensions: { 'org.example/ui': {} } },
  });
  expect(JSON.stringify(result({ capabilities: { extensions } }))).not.toContain('tasks');
});
