/**
 * Names of tools and prompts where several servers are seen as one: `server__name`. The name of a
 * server holds no underscore, so the first one ends it, and no two servers can spell the same name.
 */
const SEPARATOR = '__';

/** Characters of one server's name. */
const SERVER_NAME_CHARS_MAX = 64;
const SERVER_NAME = /^[a-z0-9][a-z0-9-]*$/;

/**
 * The longest name of a tool.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-names
 */
export const TOOL_NAME_CHARS_MAX = 128;

export interface SplitName {
  readonly server: string;
  /** As its server knows it. */
  readonly name: string;
}

/** Whether a server of this name can be told from every other in a merged name. */
export function isServerName(text: string): boolean {
  return text.length <= SERVER_NAME_CHARS_MAX && SERVER_NAME.test(text);
}

/** @param name - anything: what a server calls its own is not judged. */
export function joinName(server: string, name: string): string {
  return `${server}${SEPARATOR}${name}`;
}

/** Undefined for what cannot be a merged name. */
export function splitName(merged: string): SplitName | undefined {
  const at = merged.indexOf('_');
  if (at < 1 || !merged.startsWith(SEPARATOR, at)) return undefined;
  const server = merged.slice(0, at);
  if (!isServerName(server)) return undefined;
  return { server, name: merged.slice(at + SEPARATOR.length) };
}
