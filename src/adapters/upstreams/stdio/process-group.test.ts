import { expect, it } from 'vitest';
import { isGroupEmpty, signalGroup } from './process-group.ts';

it.each([0, 1, -1, -5, Number.NaN, 1.5])(
  '%s is never signalled: it would not mean a child',
  (pid) => {
    expect(() => signalGroup(pid, 'SIGTERM')).toThrow('not a child');
    expect(() => isGroupEmpty(pid)).toThrow('not a child');
  },
);
