import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { HeldRequests } from './held-requests.ts';

const [one, two, text] = ['1', '2', '"1"'].map((id) => Message.request(id, 'tools/call'));
const news = Message.notification('notifications/initialized');
const answer = Message.result('2', '{}');
const all = [one, two, text, news, answer].filter((each) => each !== undefined);

it('what is held is given back as it came, where nobody cancels any of it', () => {
  const held = new HeldRequests();
  const giveBack = held.hold(all);
  expect(giveBack()).toBe(all);
});

it('a request that is cancelled is given back no more, and those beside it are', () => {
  const held = new HeldRequests();
  const giveBack = held.hold(all);
  expect(held.cancel('2')).toBe(true);
  expect(held.cancel('2')).toBe(false);
  expect(giveBack()).toEqual([one, text, news, answer]);
});

it('what is no request is cancelled by nothing', () => {
  const held = new HeldRequests();
  const giveBack = held.hold([news, answer]);
  for (const id of [undefined, '2', '3']) expect(held.cancel(id)).toBe(false);
  expect(giveBack()).toEqual([news, answer]);
});

it('of two that came under one id the later is cancelled first', () => {
  const held = new HeldRequests();
  const [first, second] = [held.hold(all), held.hold(all)];
  expect(held.cancel('1')).toBe(true);
  expect(second()).not.toContain(one);
  expect(held.cancel('1')).toBe(true);
  expect(first()).not.toContain(one);
});

it('what was given back is cancelled no more', () => {
  const held = new HeldRequests();
  held.hold(all)();
  expect(held.cancel('1')).toBe(false);
});
