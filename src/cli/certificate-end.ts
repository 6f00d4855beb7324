/** A certificate that is over keeps nothing from starting, and every client away. */
import { readTlsFiles, type TlsFilesOutcome } from '../adapters/http/tls-files.ts';
import type { TlsOptions } from '../adapters/http/node.ts';
import { keyModeNote } from './key-mode.ts';

/** What follows the certificate's name; undefined while it counts. */
export function certificateEnd(read: TlsFilesOutcome): string | undefined {
  if (read.kind === 'faulty' || read.files.notAfterMs > Date.now()) return undefined;
  return `ended on ${new Date(read.files.notAfterMs).toISOString()}: clients refuse it. Renew it.`;
}

/** What an operator should know of the files of `--tls-cert` at the start. */
export function certificateNotes(tls: TlsOptions | undefined): readonly string[] {
  if (tls === undefined) return [];
  const ended = certificateEnd(readTlsFiles(tls));
  const open = keyModeNote(tls.key);
  return [
    ...(ended === undefined ? [] : [`The certificate ${ended}`]),
    ...(open === undefined ? [] : [`--tls-key: ${open}`]),
  ];
}
