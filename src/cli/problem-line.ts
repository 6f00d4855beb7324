import { printable } from '../adapters/telemetry/printable.ts';
import type { Problem } from '../gateway/config/problem.ts';

/** As compilers write it, so that editors find the place. */
export function problemLine(file: string, { line, column, path, message }: Problem): string {
  const where = path === '' ? '' : `${path}: `;
  return `${printable(file)}:${line}:${column}  ${where}${message}\n`;
}
