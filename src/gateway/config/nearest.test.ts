import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  it('finds what was meant', () => {
    const names = ['heartbeatMs', 'retryMs', 'bodyBytesMax'];
    expect(nearest('heartbeat', names)).toBe('heartbeatMs');
    expect(nearest('retyrMs', names)).toBe('retryMs');
    expect(nearest('BODYBYTESMAX', names)).toBe('bodyBytesMax');
  });

  it('finds nothing when nothing is near', () => {
    expect(nearest('zzzzzzzz', ['retryMs'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
    expect(nearest('tls', ['all'])).toBeUndefined();
    expect(nearest('al', ['all'])).toBe('all');
  });
});
