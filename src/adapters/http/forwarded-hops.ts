/** The addresses in `Forwarded` and `X-Forwarded-For`, the farthest first. */
import { isIP } from 'node:net';

const CHARS_MAX = 4096;
const HOPS_MAX = 32;

export type ForwardedHeader = 'forwarded' | 'x-forwarded-for';

/**
 * The nearest hops, undefined each that names no address: what a client wrote stands before what
 * proxies added, and takes nothing of it away. Undefined for what is no list at all.
 */
export function forwardedHops(
  text: string,
  header: ForwardedHeader,
): readonly (string | undefined)[] | undefined {
  const nodes = header === 'forwarded' ? forwardedNodes(text) : listedNodes(text);
  return nodes?.slice(-HOPS_MAX).map((node) => (node === undefined ? undefined : addressOf(node)));
}

/** Without empty elements, which say nothing (RFC 9110 section 5.6.1). */
function listedNodes(text: string): readonly string[] {
  const start = Math.max(0, text.length - CHARS_MAX);
  // An element that is cut would be another address.
  const near = start === 0 ? text : text.slice(start).replace(/^[^,]*/, '?');
  return near
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '');
}

/** A pair of `Forwarded`, with what ends it. @see https://www.rfc-editor.org/rfc/rfc7239#section-4 */
const PAIR =
  /^[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/;

/** The value of `for` of each element; undefined for an element without one. */
function forwardedNodes(text: string): readonly (string | undefined)[] | undefined {
  if (text.length > CHARS_MAX) return undefined;
  const nodes: (string | undefined)[] = [];
  let node: string | undefined;
  let rest = text;
  for (;;) {
    const [all, name, token, quoted, end] = PAIR.exec(rest) ?? [];
    if (all === undefined || name === undefined) return undefined;
    if (name.toLowerCase() === 'for') {
      if (node !== undefined) return undefined;
      node = token ?? quoted?.replace(/\\(.)/g, '$1');
    }
    rest = rest.slice(all.length);
    if (end === ';') continue;
    nodes.push(node);
    node = undefined;
    if (end === '') return nodes;
  }
}

/** `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1` or `[2001:db8::1]:_p`, without the port. */
function addressOf(node: string): string | undefined {
  const [, bracketed] = /^\[([0-9A-Fa-f:.]+)\](?::(?:\d{1,5}|_[\w.-]+))?$/.exec(node) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  const [, ported] = /^([0-9.]+):(?:\d{1,5}|_[\w.-]+)$/.exec(node) ?? [];
  const address = ported ?? node;
  return isIP(address) === 0 || address.includes('%') ? undefined : address;
}
