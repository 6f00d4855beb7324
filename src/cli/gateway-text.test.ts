import { describe, expect, it } from 'vitest';
import { type GatewayFacts, gatewayJson, gatewayText } from './gateway-text.ts';

const FACTS: GatewayFacts = {
  version: '0.1.0',
  file: 'tidegate.yaml',
  address: '127.0.0.1:8808',
  baseUrl: 'https://mcp.example.com',
  servers: ['files'],
  hasAll: false,
  credential: { kind: 'token', token: undefined, source: 'an API key' },
  notes: [],
};

function snippets(credential: GatewayFacts['credential']): Record<string, string> {
  const line = gatewayJson({ ...FACTS, credential });
  return (JSON.parse(line) as { snippets: Record<string, string> }).snippets;
}

describe('what is pasted into clients', () => {
  it('has a place for a credential that everybody has of his own', () => {
    const pasted = Object.values(snippets(FACTS.credential));
    expect(pasted).toHaveLength(4);
    for (const text of pasted) expect(text).toContain('Authorization');
  });

  it('has none where clients sign in, which a header of theirs keeps them from; curl cannot', () => {
    const source = 'an access token';
    const { curl, ...pasted } = snippets({
      kind: 'token',
      token: undefined,
      source,
      isSignedInFor: true,
    });
    expect(Object.keys(pasted)).toEqual(['claude-code', 'desktop', 'command']);
    for (const text of Object.values(pasted)) expect(text).not.toContain('Authorization');
    expect(curl).toContain('Authorization: Bearer <token>');
  });

  it('has none where a certificate is shown', () => {
    const credential = { kind: 'certificate' } as const;
    for (const text of Object.values(snippets(credential))) expect(text).not.toContain('Bearer');
    expect(gatewayText({ ...FACTS, credential })).toContain('each client shows a certificate');
  });
});
