/**
 * Seals with AES-256-GCM under a key that is made with the seal and never leaves it, so nothing
 * that was sealed outlives the process.
 * @see https://csrc.nist.gov/pubs/sp/800/38/d/final
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Seal } from '../../core/ports.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A longer text is not one of ours. */
const SEALED_CHARS_MAX = 4096;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** @param key - 32 bytes. Default: random. */
export function aesSeal(key: Uint8Array = randomBytes(KEY_BYTES)): Seal {
  return {
    seal: (text, binding) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(binding));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open: (sealed, binding) => {
      // Node's decoder skips what is not base64: a changed text must not open.
      if (sealed.length > SEALED_CHARS_MAX || !BASE64URL.test(sealed)) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      if (bytes.toString('base64url') !== sealed) return undefined;
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv(ALGORITHM, key, nonce, options)
        .setAAD(Buffer.from(binding))
        .setAuthTag(tag);
      try {
        const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([body, decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
