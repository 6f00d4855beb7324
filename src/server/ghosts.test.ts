import { expect, it } from 'vitest';
import { GHOST_MS, Ghosts } from './ghosts.ts';

it('a call that was given up is about until its late answer', () => {
  const ghosts = new Ghosts(10);
  ghosts.add(7, 0);
  ghosts.add(8, 0);
  ghosts.answered('7');
  ghosts.answered('9');
  ghosts.answered(undefined);
  expect(ghosts.areAbout(1)).toBe(true);
  ghosts.answered('8');
  expect(ghosts.areAbout(1)).toBe(false);
});

it('a call that was given up is about for its time, and no longer', () => {
  const ghosts = new Ghosts(10);
  ghosts.add(7, 5);
  expect(ghosts.areAbout(GHOST_MS + 4)).toBe(true);
  expect(ghosts.areAbout(GHOST_MS + 5)).toBe(false);
});

it('no more of them are kept than there may be, the newest', () => {
  const ghosts = new Ghosts(1);
  ghosts.add(7, 0);
  ghosts.add(8, 0);
  ghosts.answered('8');
  expect(ghosts.areAbout(1)).toBe(false);
  ghosts.add(9, 0);
  ghosts.clear();
  expect(ghosts.areAbout(1)).toBe(false);
});
