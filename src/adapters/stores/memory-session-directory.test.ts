import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { principalOf } from '../../core/principal.ts';
import { sessionDirectoryContract } from '../../testing/contracts/session-directory-contract.ts';
import { MemorySessionDirectory } from './memory-session-directory.ts';

describe('MemorySessionDirectory keeps the contract of SessionDirectory', () => {
  const checks = sessionDirectoryContract({
    create: (limits) => new MemorySessionDirectory<string>(limits),
  });
  for (const check of checks) it(check.name, () => check.run());

  it('nothing is kept of a principal without sessions', () => {
    const directory = new MemorySessionDirectory<string>({
      sessionsMax: 10,
      sessionsPerPrincipalMax: 10,
    });
    const ann = principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: '' });
    for (const id of ['one', 'two']) directory.create(id, ann, id);
    const forgotten = vi.spyOn(Map.prototype, 'delete');
    onTestFinished(() => forgotten.mockRestore());
    directory.end('one');
    expect(forgotten).not.toHaveBeenCalledWith(ann.key);
    directory.end('two');
    expect(forgotten).toHaveBeenCalledWith(ann.key);
  });

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
