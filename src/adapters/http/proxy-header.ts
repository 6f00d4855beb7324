/**
 * The header of the PROXY protocol, versions 1 and 2: who is behind a proxy that passes bytes on.
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
import { isIPv4, isIPv6 } from 'node:net';

export type ProxyHeader =
  /** It is not whole yet. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'header';
      /** Undefined when the proxy speaks for itself, or does not know. */
      readonly source: string | undefined;
      /** Of the header. */
      readonly bytes: number;
    };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const TEXT_BYTES_MAX = 107;
/** Of what follows the fixed part of version 2: addresses, and extensions that are skipped. */
const REST_BYTES_MAX = 4096;

const PARTIAL: ProxyHeader = { kind: 'partial' };
const MALFORMED: ProxyHeader = { kind: 'malformed' };

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const start = bytes.subarray(0, SIGNATURE.length);
  if (SIGNATURE.subarray(0, start.length).equals(start)) {
    return start.length < SIGNATURE.length ? PARTIAL : readBinary(bytes);
  }
  const word = bytes.subarray(0, 6).toString('latin1');
  return 'PROXY '.startsWith(word) ? readText(bytes) : MALFORMED;
}

function readText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, TEXT_BYTES_MAX).indexOf('\r\n');
  if (end === -1) return bytes.length < TEXT_BYTES_MAX ? PARTIAL : MALFORMED;
  const line = bytes.subarray(0, end).toString('latin1');
  const length = end + 2;
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) {
    return { kind: 'header', source: undefined, bytes: length };
  }
  const [, family, source = '', target = '', from, to, rest] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const isFine =
    isAddress(source) && isAddress(target) && isPort(from) && isPort(to) && rest === undefined;
  return isFine ? { kind: 'header', source, bytes: length } : MALFORMED;
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return PARTIAL;
  const rest = bytes.readUInt16BE(14);
  if (rest > REST_BYTES_MAX) return MALFORMED;
  const [command, family] = [bytes[12], bytes[13]];
  if (command !== 0x20 && command !== 0x21) return MALFORMED;
  if (bytes.length < 16 + rest) return PARTIAL;
  const length = 16 + rest;
  if (command === 0x20 || family === 0x00) {
    return { kind: 'header', source: undefined, bytes: length };
  }
  if (family === 0x11 && rest >= 12) {
    return { kind: 'header', source: [...bytes.subarray(16, 20)].join('.'), bytes: length };
  }
  if (family === 0x21 && rest >= 36) {
    return { kind: 'header', source: textOfIPv6(bytes.subarray(16, 32)), bytes: length };
  }
  return MALFORMED;
}

function textOfIPv6(bytes: Buffer): string {
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => bytes.readUInt16BE(at).toString(16));
  // An IPv4 client of an IPv6 listener has the one address whichever way it came.
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    return [...bytes.subarray(12, 16)].join('.');
  }
  return groups.join(':');
}
