import { describe, expect, it } from 'vitest';
import { exposureNotes, publicUrlNotes } from './open-listener.ts';

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

describe('what is said of the way of others', () => {
  const BARE = ['Calls and credentials travel unencrypted.'];
  it.each([
    ['127.0.0.1', undefined, false, []],
    ['127.0.0.1', 'http://localhost:8808', false, []],
    ['127.0.0.1', 'https://x.example', false, []],
    ['127.0.0.1', 'http://x.example', false, BARE],
    ['0.0.0.0', undefined, false, ['Others can reach this without TLS']],
    ['0.0.0.0', undefined, true, []],
    ['0.0.0.0', 'https://x.example', false, []],
    ['0.0.0.0', 'http://x.example', false, BARE],
    ['0.0.0.0', 'http://localhost', false, BARE],
  ])('to %s with the public URL %s and TLS %s', (host, publicUrl, isTls, beginnings) => {
    const notes = exposureNotes(host, publicUrl, isTls, {
      tls: '--tls-cert',
      publicUrl: '--public-url',
    });
    expect(notes.length).toBe(beginnings.length);
    for (const [index, each] of beginnings.entries()) expect(notes[index]).toContain(each);
  });
});
