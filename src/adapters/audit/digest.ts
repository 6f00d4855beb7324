/**
 * Digests of what requests held. What has few possible values is found in a plain one by trying
 * them all; in one with a key, only by whoever has the key.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto';

/** Of a text, in base64url. */
export type Digest = (text: string) => string;

/** Characters that a key must have: 32 of hexadecimal are 128 bits, beyond guessing. */
export const DIGEST_KEY_CHARS_MIN = 32;

/** SHA-256. */
export const PLAIN_DIGEST: Digest = (text) => hash('sha256', text, 'base64url');

/**
 * HMAC-SHA-256.
 * @throws RangeError when the key is too short. It is not repeated.
 */
export function keyedDigest(key: string): Digest {
  if (key.length < DIGEST_KEY_CHARS_MIN) {
    throw new RangeError(`The digest key is shorter than ${DIGEST_KEY_CHARS_MIN} characters.`);
  }
  const secret = createSecretKey(key, 'utf8');
  return (text) => createHmac('sha256', secret).update(text).digest('base64url');
}
