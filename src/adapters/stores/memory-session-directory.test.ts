import { describe, expect, it } from 'vitest';
import { sessionDirectoryContract } from '../../testing/contracts/session-directory-contract.ts';
import { MemorySessionDirectory } from './memory-session-directory.ts';

describe('MemorySessionDirectory keeps the contract of SessionDirectory', () => {
  const checks = sessionDirectoryContract({
    create: (limits) => new MemorySessionDirectory<string>(limits),
  });
  for (const check of checks) it(check.name, () => check.run());

  it('a directory that ignores the principal does not pass', async () => {
    class Careless extends MemorySessionDirectory<string> {
      override find(id: string): string | undefined {
        return [...this.all()].find((handle) => handle === id || handle === 'ann');
      }
    }
    const careless = sessionDirectoryContract({ create: (limits) => new Careless(limits) });
    await expect(careless[0]?.run()).rejects.toThrow('a stranger');
  });
});
