import { afterEach, describe, expect, it, vi } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('WaitingLine', () => {
  it('handles at once what comes after a request that was not refused, until one is', async () => {
    const line = new WaitingLine();
    const connection = {};
    const isAtOnce = async (of: object): Promise<boolean> => {
      let isHandled = false;
      line.enter(of, () => (isHandled = true));
      const outcome = isHandled;
      await nextTurn();
      expect(isHandled).toBe(true);
      return outcome;
    };
    expect(await isAtOnce(connection)).toBe(false);
    line.answered(connection, 200);
    expect(await isAtOnce(connection)).toBe(true);
    line.answered(connection, 399);
    expect(await isAtOnce(connection)).toBe(true);
    line.answered(connection, 400);
    expect(await isAtOnce(connection)).toBe(false);
    expect(await isAtOnce({})).toBe(false);
  });

  it('handles one a turn, the first that came first, and nothing at once', async () => {
    const line = new WaitingLine();
    const handled: number[] = [];
    for (let i = 0; i < 5; i += 1) line.enter({}, () => handled.push(i));
    expect(handled).toEqual([]);
    for (let turn = 1; turn <= 5; turn += 1) {
      await nextTurn();
      expect(handled).toEqual([0, 1, 2, 3, 4].slice(0, turn));
    }
  });

  it('handles more a turn the longer the line is, none twice and none never', async () => {
    const line = new WaitingLine();
    const handled: number[] = [];
    for (let i = 0; i < 2000; i += 1) line.enter({}, () => handled.push(i));
    await nextTurn();
    expect(handled).toHaveLength(8);
    while (handled.length < 2000) await nextTurn();
    await nextTurn();
    expect(handled).toEqual(Array.from({ length: 2000 }, (_, index) => index));
  });

  it('goes on with those that come while others are handled', async () => {
    const line = new WaitingLine();
    const handled: string[] = [];
    line.enter({}, () => {
      handled.push('first');
      line.enter({}, () => handled.push('second'));
    });
    await nextTurn();
    expect(handled).toEqual(['first']);
    await nextTurn();
    expect(handled).toEqual(['first', 'second']);
    line.enter({}, () => handled.push('third'));
    await nextTurn();
    expect(handled).toEqual(['first', 'second', 'third']);
  });

  it.each([true, false])('rests for those who share its only core: %s', async (sharesCore) => {
    const wait = vi.spyOn(Atomics, 'wait');
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    // Longer than a line is served without rest.
    const workLong = (): void => {
      now += 1;
    };
    const line = new WaitingLine(sharesCore);
    line.enter({}, workLong);
    await nextTurn();
    expect(wait).not.toHaveBeenCalled();
    const handled: number[] = [];
    for (let i = 0; i < 3; i += 1) line.enter({}, () => [handled.push(i), workLong()]);
    while (handled.length < 3) await nextTurn();
    expect(wait).toHaveBeenCalledTimes(sharesCore ? 2 : 0);
  });
});
