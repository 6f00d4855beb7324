import { expect, it } from 'vitest';
import { firstProcessNotes } from './first-process.ts';

it('tells the first process of a container, and no other, that it needs an init', () => {
  expect(firstProcessNotes(1).join()).toContain('docker run --init');
  expect(firstProcessNotes(2)).toEqual([]);
});
