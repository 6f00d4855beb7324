import { afterEach, describe, expect, it, vi } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes longer than a line is served without rest, whatever the machine. */
function workLong(): void {
  for (const end = performance.now() + 1; performance.now() < end;);
}

describe('WaitingLine', () => {
  it('welcomes a connection from its first request that is not refused to the next that is', () => {
    const line = new WaitingLine();
    const connection = {};
    expect(line.isWelcome(connection)).toBe(false);
    line.answered(connection, 200);
    expect(line.isWelcome(connection)).toBe(true);
    line.answered(connection, 399);
    expect(line.isWelcome(connection)).toBe(true);
    line.answered(connection, 400);
    expect(line.isWelcome(connection)).toBe(false);
    expect(line.isWelcome({})).toBe(false);
  });

  it('handles one a turn, the first that came first, and nothing at once', async () => {
    const line = new WaitingLine();
    const handled: number[] = [];
    for (let i = 0; i < 5; i += 1) line.wait(() => handled.push(i));
    expect(handled).toEqual([]);
    for (let turn = 1; turn <= 5; turn += 1) {
      await nextTurn();
      expect(handled).toEqual([0, 1, 2, 3, 4].slice(0, turn));
    }
  });

  it('handles more a turn the longer the line is, none twice and none never', async () => {
    const line = new WaitingLine();
    const handled: number[] = [];
    for (let i = 0; i < 2000; i += 1) line.wait(() => handled.push(i));
    await nextTurn();
    expect(handled).toHaveLength(8);
    while (handled.length < 2000) await nextTurn();
    await nextTurn();
    expect(handled).toEqual(Array.from({ length: 2000 }, (_, index) => index));
  });

  it('goes on with those that come while others are handled', async () => {
    const line = new WaitingLine();
    const handled: string[] = [];
    line.wait(() => {
      handled.push('first');
      line.wait(() => handled.push('second'));
    });
    await nextTurn();
    expect(handled).toEqual(['first']);
    await nextTurn();
    expect(handled).toEqual(['first', 'second']);
    line.wait(() => handled.push('third'));
    await nextTurn();
    expect(handled).toEqual(['first', 'second', 'third']);
  });

  it.each([true, false])('rests for those who share its only core: %s', async (sharesCore) => {
    const wait = vi.spyOn(Atomics, 'wait');
    const line = new WaitingLine(sharesCore);
    line.wait(workLong);
    await nextTurn();
    expect(wait).not.toHaveBeenCalled();
    const handled: number[] = [];
    for (let i = 0; i < 3; i += 1) line.wait(() => handled.push(i) && workLong());
    while (handled.length < 3) await nextTurn();
    expect(wait).toHaveBeenCalledTimes(sharesCore ? 2 : 0);
  });
});
