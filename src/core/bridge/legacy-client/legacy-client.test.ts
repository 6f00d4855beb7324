import { describe, expect, it } from 'vitest';
import { LegacyClient } from './legacy-client.ts';

const US = { name: 'us', version: '1' };

function client(
  capabilities: unknown,
  clientInfo: unknown = { name: 'c', version: '2' },
): LegacyClient {
  return new LegacyClient(JSON.stringify({ capabilities, clientInfo }), US);
}

describe('a legacy client', () => {
  it('is who it says, or we are', () => {
    expect(client({}).info).toEqual({ name: 'c', version: '2' });
    expect(client({}, 'nobody').info).toEqual(US);
    expect(new LegacyClient(undefined, US).info).toEqual(US);
  });

  it('offers what can be carried across, and nothing else', () => {
    const declared = {
      elicitation: { form: {} },
      sampling: { tools: {} },
      roots: { listChanged: true },
      tasks: { list: {} },
      experimental: { x: {} },
      extensions: { 'io.modelcontextprotocol/tasks': {}, 'org.example/ui': { a: 1 } },
    };
    expect(client(declared).capabilities).toEqual({
      elicitation: { form: {} },
      sampling: { tools: {} },
      roots: {},
      extensions: { 'org.example/ui': { a: 1 } },
    });
    expect(client(declared).silentCapabilities).toEqual({
      extensions: { 'org.example/ui': { a: 1 } },
    });
    expect(client({ elicitation: true, sampling: null, roots: [] }).capabilities).toEqual({});
    expect(client('nothing').capabilities).toEqual({});
  });

  it.each([
    [{ elicitation: {} }, 'elicitation/create', {}, true],
    [{ elicitation: {} }, 'elicitation/create', { mode: 'form' }, true],
    [{ elicitation: {} }, 'elicitation/create', { mode: 'url' }, false],
    [{ elicitation: { url: {} } }, 'elicitation/create', { mode: 'url' }, true],
    [{ elicitation: { url: {} } }, 'elicitation/create', {}, false],
    [{ elicitation: { form: {}, url: {} } }, 'elicitation/create', {}, true],
    [{}, 'elicitation/create', {}, false],
    [{ sampling: {} }, 'sampling/createMessage', {}, true],
    [{ sampling: {} }, 'sampling/createMessage', { tools: [] }, false],
    [{ sampling: { tools: {} } }, 'sampling/createMessage', { toolChoice: {} }, true],
    [{}, 'sampling/createMessage', {}, false],
    [{ roots: {} }, 'roots/list', {}, true],
    [{}, 'roots/list', {}, false],
    [{ elicitation: {}, sampling: {}, roots: {} }, 'ping', {}, false],
  ])('that declares %j: %s with %j may be asked: %s', (declared, method, params, may) => {
    expect(client(declared).canAnswer(method, params)).toBe(may);
  });
});
