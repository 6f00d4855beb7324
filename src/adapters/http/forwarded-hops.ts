/** The addresses in `Forwarded` and `X-Forwarded-For`, the farthest first. */
import { isIP } from 'node:net';

const CHARS_MAX = 4096;
const HOPS_MAX = 32;

/** Undefined for whatever is not wholly a list of addresses: nothing of it is to be believed. */
export function forwardedHops(
  text: string,
  header: 'forwarded' | 'x-forwarded-for',
): readonly string[] | undefined {
  if (text.length > CHARS_MAX) return undefined;
  const nodes = header === 'forwarded' ? forwardedNodes(text) : text.split(',');
  if (nodes === undefined || nodes.length > HOPS_MAX) return undefined;
  const hops = nodes.map((node) => addressOf(node.trim()));
  return hops.every((hop) => hop !== undefined) ? hops : undefined;
}

/** A pair of `Forwarded`, with what ends it. @see https://www.rfc-editor.org/rfc/rfc7239#section-4 */
const PAIR =
  /^[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/;

/** The value of `for` of each element; an element without one says nothing of a hop. */
function forwardedNodes(text: string): readonly string[] | undefined {
  const nodes: string[] = [];
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
    if (node === undefined) return undefined;
    nodes.push(node);
    node = undefined;
    if (end === '') return nodes;
  }
}

/** `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1` or `[2001:db8::1]:80`, without the port. */
function addressOf(node: string): string | undefined {
  const [, bracketed] = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(node) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  const [, ported] = /^([0-9.]+):\d{1,5}$/.exec(node) ?? [];
  const address = ported ?? node;
  return isIP(address) === 0 || address.includes('%') ? undefined : address;
}
