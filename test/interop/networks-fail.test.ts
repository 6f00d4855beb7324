/** Networks fail and sessions end: what clients of other languages make of it through Tidegate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf, type Gate } from '../clients/gate.ts';
import { FOREIGN_CLIENTS } from './foreign-clients.ts';
import { OUR_HARBOURS, type Started } from './harbours.ts';
import type { Puppet } from './puppet.ts';
import { isReady } from './toolchains.ts';

for (const harbour of OUR_HARBOURS) {
  describe(harbour.name, () => {
    let started: Started;
    let gate: Gate;

    beforeAll(async () => {
      started = await harbour.start();
      gate = await gateOf({ upstream: started.upstream });
    });

    afterAll(async () => {
      await gate.close();
      await started.stop();
    });

    for (const client of FOREIGN_CLIENTS) {
      describe.runIf(isReady(client.toolchain))(`for the ${client.name}`, () => {
        it(whatACutDoes(client.era), async () => {
          const person = await client.connect(gate);
          const said = await callThenCut(person, gate);
          if (client.era === '2025') expect(said).toBe('waited');
          else expect(said).toMatch(/^refused/);
          await person.close();
          await expectService(await client.connect(gate));
        });

        if (client.era !== '2025') return;
        it('is told that its session ended, and connects anew', async () => {
          const person = await client.connect(gate);
          expect(await person.call('echo', { text: 'before' })).toBe('before');
          expect((await endSession(gate)).status).toBeLessThan(300);
          const refused = expect(person.call('echo', { text: 'after' })).rejects;
          await refused.toThrow(/terminated|not found|session/i);
          await person.close();
          await expectService(await client.connect(gate));
        });
      });
    }
  });
}

function whatACutDoes(era: string): string {
  return era === '2025'
    ? 'gets the answer of a call whose connection was cut'
    : 'has a call refused whose connection was cut, and connects anew';
}

/** The words of the answer, or why there is none. */
async function callThenCut(person: Puppet, gate: Gate): Promise<string> {
  let begun = (): void => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const call = person
    .call('wait', { ms: 1500 }, { onProgress: begun })
    .catch((error: unknown) => `refused: ${String(error)}`);
  await running;
  expect(gate.relay.cut()).toBeGreaterThan(0);
  return call;
}

async function expectService(person: Puppet): Promise<void> {
  expect(await person.call('echo', { text: 'here again' })).toBe('here again');
  await person.close();
}

/** Ends the session whose id was last seen on the wire. */
function endSession(gate: Gate): Promise<Response> {
  const ids = gate.relay.heads.map((head) => /^mcp-session-id: *(\S+)/im.exec(head)?.[1]);
  const id = ids.findLast((each) => each !== undefined) ?? '';
  return fetch(gate.direct.mcp, { method: 'DELETE', headers: { 'mcp-session-id': id } });
}
