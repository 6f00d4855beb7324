import { describe, expect, it } from 'vitest';
import { publicUrlNotes } from './open-listener.ts';

describe('what is said of a public URL', () => {
  it('that is an endpoint: where clients call, and what may be meant', () => {
    expect(publicUrlNotes('https://x.example/mcp', '')).toEqual([
      'The public URL ends in /mcp, so clients call https://x.example/mcp/mcp. ' +
        'For https://x.example/mcp make it https://x.example.',
    ]);
    expect(publicUrlNotes('https://x.example/a/sse', '/<name>')).toEqual([
      'The public URL ends in /sse, so clients call https://x.example/a/sse/<name>/mcp. ' +
        'For https://x.example/a/<name>/mcp make it https://x.example/a.',
    ]);
  });

  it('that is none: nothing', () => {
    for (const url of [undefined, 'https://mcp.example', 'https://x.example/mcp-servers']) {
      expect(publicUrlNotes(url, '')).toEqual([]);
    }
  });
});
