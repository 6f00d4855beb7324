import { describe, expect, it } from 'vitest';
import { scopesToAskFor } from './scope-step-up.ts';

describe('the scopes to ask for', () => {
  it('are those that are needed, then those there are, each once', () => {
    expect(scopesToAskFor(['mcp', 'write', 'mcp'], ['read', 'mcp', 'read'])).toEqual([
      'mcp',
      'write',
      'read',
    ]);
    expect(scopesToAskFor(['write'], [])).toEqual(['write']);
  });

  it('are none that nobody can ask for', () => {
    const granted = ['', 'two words', 'quo"te', String.raw`back\slash`, 'über', 'line\r\n', 'a:b'];
    expect(scopesToAskFor([], granted)).toEqual(['a:b']);
  });

  it('are bounded, save for those that are needed', () => {
    const granted = Array.from({ length: 1000 }, (_, index) => `scope-${index}`);
    const needed = ['n'.repeat(3000)];
    const asked = scopesToAskFor(needed, granted);
    expect(asked[0]).toBe(needed[0]);
    const more = asked.slice(1);
    expect(more).toEqual(granted.slice(0, more.length));
    expect(more.length).toBeGreaterThan(100);
    expect(more.join(' ').length).toBeLessThanOrEqual(2048);
    expect(scopesToAskFor([], ['g'.repeat(2048), 'short'])).toEqual(['short']);
    const full = ['g'.repeat(1000), 'h'.repeat(1046)];
    expect(scopesToAskFor([], [...full, 'i'])).toEqual(full);
    const known = 'k'.repeat(2000);
    expect(scopesToAskFor([known], [known, ...full])).toEqual([known, ...full]);
  });
});
