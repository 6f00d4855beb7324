import { describe, expect, it } from 'vitest';
import { boundsWith } from './bounds-with.ts';

const DEFAULTS = { bytesMax: 10, waitMs: 20 };

describe('bounds that a program gives', () => {
  it('stand in place of the defaults, one by one', () => {
    expect(boundsWith(DEFAULTS, undefined)).toEqual(DEFAULTS);
    expect(boundsWith(DEFAULTS, { waitMs: 1 })).toEqual({ bytesMax: 10, waitMs: 1 });
    const largest = { waitMs: 2_147_483_647 };
    expect(boundsWith(DEFAULTS, largest)).toEqual({ bytesMax: 10, ...largest });
  });

  it('leave the default where they are undefined', () => {
    const given = { bytesMax: undefined, waitMs: 5 } as unknown as { waitMs: number };
    expect(boundsWith(DEFAULTS, given)).toEqual({ bytesMax: 10, waitMs: 5 });
  });

  it.each([Number.NaN, Infinity, 2_147_483_648, 0, -1, 1.5, '10', '10mb', null, [10], {}, true])(
    'are refused where %o would bound nothing',
    (value) => {
      const given = { bytesMax: value as number };
      expect(() => boundsWith(DEFAULTS, given)).toThrow(
        new TypeError('The limit bytesMax must be a whole number from 1 to 2147483647.'),
      );
    },
  );

  it('may be 0 where that is said', () => {
    expect(boundsWith(DEFAULTS, { waitMs: 0 }, 0)).toEqual({ bytesMax: 10, waitMs: 0 });
    const fault = 'The limit waitMs must be a whole number from 0 to 2147483647.';
    expect(() => boundsWith(DEFAULTS, { waitMs: -1 }, 0)).toThrow(new TypeError(fault));
  });

  it('are refused under a name that bounds nothing', () => {
    for (const name of ['byteMax', 'toString']) {
      expect(() => boundsWith(DEFAULTS, { [name]: 1 })).toThrow(
        new TypeError(`There is no limit named ${name}.`),
      );
    }
  });
});
