import { describe, expect, it } from 'vitest';
import { MemorySessionDirectory } from '../adapters/stores/memory-session-directory.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Principal } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import type { Inbound } from './inbound.ts';
import { findSession } from './sessions.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const BOB = principalOf({ tenant: 't', issuer: 'i', subject: 'bob', clientId: '' });
const NEWER = { era: '2025' };
const OLDER = { era: '2024' };

function found(principal: Principal, ...ids: readonly string[]): unknown {
  const directory = new MemorySessionDirectory<typeof NEWER>(DEFAULT_LIMITS);
  directory.create('newer', ADA, NEWER);
  directory.create('older', ADA, OLDER);
  const head = {
    header: (name: string) => (name === 'mcp-session-id' ? ids[0] : undefined),
    headerCount: (name: string) => (name === 'mcp-session-id' ? ids.length : 0),
  };
  return findSession({
    context: { directory },
    exchange: { head },
    principal,
  } as unknown as Inbound);
}

describe('a session of 2025', () => {
  it('is found by its id and its principal', () => {
    expect(found(ADA, 'newer')).toBe(NEWER);
  });

  it('V22 V23 V24 is not found by anybody else, in the words for one that never was', () => {
    const unknown = { error: 'SESSION_NOT_FOUND' };
    expect(found(ADA, 'never')).toEqual(unknown);
    expect(found(BOB, 'newer')).toEqual(unknown);
  });

  it('is never one of another era', () => {
    expect(found(ADA, 'older')).toEqual({ error: 'SESSION_NOT_FOUND' });
  });

  it('is asked for by one id', () => {
    expect(found(ADA)).toEqual({ error: 'SESSION_REQUIRED' });
    expect(found(ADA, '')).toEqual({ error: 'SESSION_REQUIRED' });
    expect(found(ADA, 'newer', 'newer')).toEqual({ error: 'HEADER_REPEATED' });
  });
});
