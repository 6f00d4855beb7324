/** What every harbour says and asks, whatever it is written in. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const TIDE = 'test://tide';
export const NAMES = ['Ann', 'Anton'];
export const STEPS = [1, 2, 3];
export const LOGGED = { level: /** @type {const} */ ('info'), data: 'the harbour logs' };

export const WHO = {
  message: 'Who are you?',
  requestedSchema: {
    type: /** @type {const} */ ('object'),
    properties: { name: { type: /** @type {const} */ ('string') } },
    required: ['name'],
  },
};

export const PARROT = {
  messages: [
    {
      role: /** @type {const} */ ('user'),
      content: { type: /** @type {const} */ ('text'), text: 'Name a parrot.' },
    },
  ],
  maxTokens: 10,
};

/** @param {string} text */
export function said(text) {
  return { content: [{ type: /** @type {const} */ ('text'), text }] };
}

/** A pause after each step: some SDKs drop a notification that comes in one piece with a result. */
export function betweenSteps() {
  return sleep(30);
}

/**
 * Waits, and writes it down where the test looks for it when the call was given up.
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export async function waitUnlessCancelled(ms, signal) {
  try {
    await sleep(ms, undefined, { signal });
    return said('waited');
  } catch {
    appendFileSync(process.env['HARBOUR_LOG'] ?? '', 'cancelled\n');
    return said('cancelled');
  }
}
