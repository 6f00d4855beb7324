import { readHeader } from './read-option.ts';
import type { Environment } from './serve-options.ts';

/**
 * The headers for a remote server that the environment holds, one `Name: value` a line; or one
 * sentence about what is wrong with them, without a value.
 */
export function variableHeaders(env: Environment): Readonly<Record<string, string>> | string {
  const lines = (env['TIDEGATE_UPSTREAM_HEADERS'] ?? '').split('\n');
  try {
    return lines
      .filter((line) => line.trim() !== '')
      .reduce((headers, line) => readHeader(line, headers), {});
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return `TIDEGATE_UPSTREAM_HEADERS: ${fault}`;
  }
}
