/** Clients of three eras, two of each, on one endpoint at once. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateTo } from './gate.ts';
import type { Person } from './person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from './sdk-v1.ts';
import { sdkV2OverHttp, sdkV2OverSse, sdkV2Stateless } from './sdk-v2.ts';

const ROUNDS = 10;

describe.each(['session', 'shared'] as const)('isolation %s', (isolation) => {
  it.each(['v2', 'v2 as a child'] as const)(
    'each of six clients of %s gets its own answers and progress, whoever calls meanwhile',
    async (server) => {
      const gate = await gateTo(server, { isolation });
      const connects = [
        sdkV1OverSse,
        sdkV2OverSse,
        sdkV1OverHttp,
        sdkV2OverHttp,
        sdkV2Stateless,
        sdkV2Stateless,
      ];
      const persons: Person[] = await Promise.all(connects.map((connect) => connect(gate)));
      onTestFinished(async () => {
        await Promise.all(persons.map((person) => person.close()));
        await gate.close();
      });
      const rounds = persons.flatMap((person, who) =>
        Array.from({ length: ROUNDS }, async (_, round) => {
          const name = `${who}/${round}`;
          const uri = `test://template/${encodeURIComponent(name)}/data`;
          const read = JSON.parse(await person.read(uri)) as { readonly data: string };
          expect(read.data).toBe(`Data for ID: ${encodeURIComponent(name)}`);
          const seen: number[] = [];
          const onProgress = (progress: number): void => void seen.push(progress);
          await person.call('test_tool_with_progress', {}, { onProgress });
          expect(seen.slice(0, 2)).toEqual([0, 50]);
        }),
      );
      await Promise.all(rounds);
      expect(gate.endpoint.status.pending).toBe(0);
    },
  );
});
