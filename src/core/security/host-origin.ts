/**
 * Who may be addressed and from which pages: the guard against DNS rebinding and against browsers
 * that call for a stranger's page. Header values are compared as text; no URL is ever built from
 * them, so nothing can be smuggled through a lenient URL parser.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
 */
import type { Refusal } from '../errors.ts';
import type { RequestHead } from '../ports.ts';

export interface HostOriginRules {
  /**
   * Hosts this server answers to: `name` (any port), `name:port`, or `*` for any. Names in any
   * case, IPv6 in brackets. None means nobody may come in.
   */
  readonly allowedHosts: readonly string[];
  /**
   * Origins of browsers: `scheme://name`, `scheme://name:port`, `scheme://name:*` (any port, or
   * none), `null`.
   */
  readonly allowedOrigins: readonly string[];
  /** In their place where the connection is encrypted. Default: the same. */
  readonly encryptedOrigins?: readonly string[] | undefined;
}

/** What the guard reads of a request. */
export type HostOriginHead = Pick<RequestHead, 'header' | 'headerCount' | 'isEncrypted'>;

/** RFC 3986, section 3.2.2, in lower case. A port may be empty (section 3.2.3). */
const ADDRESS = String.raw`\[(?:[0-9a-f:.]+|v[0-9a-f]+\.[a-z0-9._~!$&'()*+,;=:-]+)\]`;
const NAME = String.raw`(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+`;
const HOST = new RegExp(`^(${ADDRESS}|${NAME})(?::([0-9]{0,5}))?$`);
const ORIGIN =
  /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|[^\s/?#@,*:[\]]+)(?::(?:[0-9]{1,5}|\*))?$/;
const ANY_PORT = ':*';
const PORT_MAX = 65535;

export class HostOriginGuard {
  readonly #takesAnyHost: boolean;
  /** Lower case, with a port where the entry has one. */
  readonly #hosts: ReadonlySet<string>;
  readonly #plain: Origins;
  readonly #encrypted: Origins;

  /** @throws TypeError when an entry is neither a host nor an origin: a mistake of the operator. */
  constructor(rules: HostOriginRules) {
    const { allowedHosts, allowedOrigins, encryptedOrigins } = rules;
    this.#takesAnyHost = allowedHosts.includes('*');
    this.#hosts = new Set(allowedHosts.filter((entry) => entry !== '*').map(hostEntry));
    this.#plain = new Origins(allowedOrigins);
    this.#encrypted = encryptedOrigins === undefined ? this.#plain : new Origins(encryptedOrigins);
  }

  /** Whether any browser may call at all. */
  get hasOrigins(): boolean {
    return !this.#plain.isEmpty || !this.#encrypted.isEmpty;
  }

  /** Checks `Host` and `Origin`; before anything else of the request is believed or read. */
  check(head: HostOriginHead): Refusal | undefined {
    return this.#checkHost(head) ?? this.#checkOrigin(head);
  }

  /** Exactly as listed: an origin is an opaque name. @param isEncrypted - of the connection. */
  allowsOrigin(origin: string, isEncrypted = false): boolean {
    return (isEncrypted ? this.#encrypted : this.#plain).has(origin);
  }

  #checkHost(head: HostOriginHead): Refusal | undefined {
    if (head.headerCount('host') !== 1) return { error: 'HOST_MALFORMED' };
    const host = (head.header('host') ?? '').toLowerCase();
    const match = HOST.exec(host);
    if (match === null || Number(match[2] ?? 0) > PORT_MAX) return { error: 'HOST_MALFORMED' };
    if (this.#takesAnyHost || this.#hosts.has(match[1] ?? '') || this.#hosts.has(host)) {
      return undefined;
    }
    return { error: 'HOST_NOT_ALLOWED' };
  }

  #checkOrigin(head: HostOriginHead): Refusal | undefined {
    const count = head.headerCount('origin');
    if (count === 0) return undefined;
    const origin = head.header('origin') ?? '';
    if (count === 1 && this.allowsOrigin(origin, head.isEncrypted)) return undefined;
    return { error: 'ORIGIN_NOT_ALLOWED' };
  }
}

class Origins {
  readonly #exact: ReadonlySet<string>;
  /** Without their port, of which any will do. */
  readonly #ofAnyPort: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    const origins = allowed.map(originEntry);
    this.#exact = new Set(origins.filter((entry) => !entry.endsWith(ANY_PORT)));
    this.#ofAnyPort = new Set(
      origins.filter((entry) => entry.endsWith(ANY_PORT)).map((entry) => entry.slice(0, -2)),
    );
  }

  get isEmpty(): boolean {
    return this.#exact.size + this.#ofAnyPort.size === 0;
  }

  has(origin: string): boolean {
    if (this.#exact.has(origin)) return true;
    if (this.#ofAnyPort.size === 0) return false;
    return this.#ofAnyPort.has(origin.replace(/:[0-9]{1,5}$/, ''));
  }
}

function hostEntry(entry: string): string {
  const host = entry.toLowerCase();
  if (HOST.test(host) && !host.endsWith(':')) return host;
  throw new TypeError(`"${entry}" is not a host; write a name, name:port, or [address]:port.`);
}

/** Browsers leave out the port a scheme implies. */
function originEntry(entry: string): string {
  if (entry === 'null') return entry;
  const origin = entry.toLowerCase();
  if (!ORIGIN.test(origin)) {
    throw new TypeError(`"${entry}" is not an origin; write scheme://name or scheme://name:port.`);
  }
  return origin.replace(/^(http:.*):80$|^(https:.*):443$/, '$1$2');
}
