import { describe, expect, it } from 'vitest';
import { type StartupFacts, startupJson, startupText } from './startup-text.ts';

const TOKEN = 'Yq3vJ0kQ2mB7nR5tX8wZ1aC4eG6hL9pS-uV_dF0iK2o';
const FACTS: StartupFacts = {
  version: '0.1.0',
  program: 'npx',
  address: '127.0.0.1:8808',
  name: 'everything',
  baseUrl: 'http://127.0.0.1:8808',
  credential: {
    kind: 'token',
    token: TOKEN,
    source: 'made now and kept in /home/somebody/.config/tidegate/token',
  },
  notes: ['The token travels unencrypted. Put TLS in front.'],
};

describe('startupText', () => {
  it('fits a screen of 24 lines and 80 columns', () => {
    const rows = startupText(FACTS)
      .trimEnd()
      .split('\n')
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 80)), 0);
    expect(rows).toBeLessThanOrEqual(24);
  });

  it('says the URL of each era, then the token, then the snippets', () => {
    const text = startupText(FACTS);
    const places = [
      'on 127.0.0.1:8808\n',
      '2026, 2025',
      '/sse',
      TOKEN,
      'kept in',
      'claude mcp add',
      'mcpServers',
      '"command":"npx"',
      'curl -s',
    ].map((part) => text.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('names the server, and the program that runs it when that is another word', () => {
    expect(startupText(FACTS)).toContain('serves everything (npx) on 127.0.0.1:8808\n');
    expect(startupText({ ...FACTS, program: 'everything' })).toContain('serves everything on');
  });

  it('does not repeat a token that the operator gave', () => {
    const source = 'the one given with TIDEGATE_TOKEN';
    const facts: StartupFacts = {
      ...FACTS,
      credential: { kind: 'token', token: undefined, source },
    };
    expect(startupText(facts)).toContain(source);
    expect(startupText(facts)).toContain('Bearer <token>');
    expect(JSON.parse(startupJson(facts))).toMatchObject({ token: null, tokenSource: source });
  });

  it('says plainly when no credential is asked', () => {
    const text = startupText({ ...FACTS, credential: { kind: 'none' } });
    expect(text).toContain('none is asked');
    expect(text).not.toContain('Bearer');
  });

  it('tells a program the same in one line of JSON', () => {
    const line = startupJson(FACTS);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject({
      version: '0.1.0',
      urls: {
        '2026': 'http://127.0.0.1:8808/mcp',
        '2025': 'http://127.0.0.1:8808/mcp',
        '2024': 'http://127.0.0.1:8808/sse',
      },
      auth: 'token',
      token: TOKEN,
    });
  });
});
