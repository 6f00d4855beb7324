/** Randomness of the platform: the CSPRNG of Web Crypto, which every runtime we serve has. */
import type { Randomness } from '../../core/ports.ts';

/** 24 bytes: 192 bits, 32 characters, no padding. @see RFC 4648 section 5 */
const ID_BYTES = 24;

export const systemRandom: Randomness = {
  sessionId: () => {
    const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
    const text = btoa(String.fromCharCode(...bytes));
    return text.replaceAll('+', '-').replaceAll('/', '_');
  },
  fraction: () => Math.random(),
};
