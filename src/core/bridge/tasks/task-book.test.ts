import { describe, expect, it } from 'vitest';
import { TASK_MS_MAX, TaskBook, taskIdWithin } from './task-book.ts';

describe('the book of tasks', () => {
  it('finds a task for the principal that made it, and for nobody else', () => {
    const book = new TaskBook<string>();
    book.add('ann', 'task-1', 'of ann', null, 0);
    book.add('bob', 'task-1', 'of bob', null, 0);
    expect(book.find('ann', 'task-1', 1)).toBe('of ann');
    expect(book.find('bob', 'task-1', 1)).toBe('of bob');
    expect(book.find('eve', 'task-1', 1)).toBeUndefined();
    expect(book.find('ann', 'task-2', 1)).toBeUndefined();
    expect(book.find('ann', undefined, 1)).toBeUndefined();
  });

  it('forgets a task when its time is over, and one without end after a day', () => {
    const book = new TaskBook<string>();
    book.add('ann', 'short', 's', 100, 0);
    book.add('ann', 'endless', 'e', null, 0);
    expect(book.find('ann', 'short', 99)).toBe('s');
    expect(book.find('ann', 'short', 100)).toBeUndefined();
    book.expire(100);
    expect(book.size).toBe(1);
    expect(book.find('ann', 'endless', TASK_MS_MAX - 1)).toBe('e');
    book.expire(TASK_MS_MAX);
    expect(book.size).toBe(0);
  });

  it('keeps so many of a principal, the newest, and none less of another', () => {
    const book = new TaskBook<number>();
    book.add('bob', 'first', 0, null, 0);
    const forgotten: number[] = [];
    for (let i = 0; i < 1001; i += 1) forgotten.push(...book.add('ann', `task-${i}`, i, null, 0));
    expect(forgotten).toEqual([0]);
    expect(book.find('ann', 'task-0', 1)).toBeUndefined();
    expect(book.find('ann', 'task-1', 1)).toBe(1);
    expect(book.find('bob', 'first', 1)).toBe(0);
  });

  it('keeps so much of a principal', () => {
    const book = new TaskBook<number>();
    const half = 9 * 1024 * 1024;
    book.add('ann', 'one', 1, null, 0, half);
    expect(book.add('ann', 'two', 2, null, 0, half)).toEqual([1]);
    expect(book.find('ann', 'one', 1)).toBeUndefined();
    expect(book.find('ann', 'two', 1)).toBe(2);
    book.delete('ann', 'two');
    expect(book.size).toBe(0);
  });
});

it('an id is told from every other of the same words, whatever is in them', () => {
  const ids = [
    taskIdWithin('', '1'),
    taskIdWithin('1', ''),
    taskIdWithin('b', 'a'),
    taskIdWithin('b c', 'a'),
    taskIdWithin('c', 'a" b'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});
