import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credential } from './credential.ts';

const TOKEN = 'a-long-enough-token';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-credential-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('credential', () => {
  it('repeats a given token to a person at a terminal and to no log', () => {
    const choice = { kind: 'given', token: TOKEN, by: 'TIDEGATE_TOKEN' } as const;
    expect(credential(choice, {}, true)).toMatchObject({ facts: { token: TOKEN } });
    const unseen = credential(choice, {}, false);
    expect(unseen).toMatchObject({ facts: { kind: 'token', token: undefined } });
    expect(JSON.stringify(unseen)).not.toContain(TOKEN);
  });

  it('tells a token that was made here to everyone, since nobody else knows it', () => {
    const env = { XDG_CONFIG_HOME: folder };
    const first = credential({ kind: 'kept' }, env, false);
    expect(first).toMatchObject({
      kind: 'ready',
      facts: { kind: 'token', token: expect.stringMatching(/^[\w-]{43}$/) as string },
    });
    expect(JSON.stringify(first)).toContain('made now');
    expect(JSON.stringify(credential({ kind: 'kept' }, env, false))).not.toContain('made now');
  });

  it('fails rather than opens when no token can be kept', () => {
    writeFileSync(join(folder, 'file'), '');
    const env = { XDG_CONFIG_HOME: join(folder, 'file') };
    expect(credential({ kind: 'kept' }, env, true)).toMatchObject({ kind: 'failed' });
  });

  it('says that nothing is asked only when that was chosen', () => {
    expect(credential({ kind: 'none' }, {}, true)).toMatchObject({ facts: { kind: 'none' } });
  });
});
