/**
 * Which addresses requests of ours may go to. A name is checked by what it resolves to, and the
 * connection goes to that very address, so that a second answer of the name server changes nothing.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/security_best_practices#server-side-request-forgery-ssrf
 */
import { lookup as lookUp, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isLedHome, isOwnName } from '../../core/security/listen-host.ts';

type Subnet = readonly [address: string, prefix: number, family: 'ipv4' | 'ipv6'];

/** Addresses of this machine. */
const LOOPBACK: readonly Subnet[] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
];

/**
 * Everything else that is no single public host, and ways to write such an address inside another.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry and its sibling for IPv6
 */
const NOT_PUBLIC: readonly Subnet[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  ['5f00::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

const LOOPBACK_LIST: BlockList = listOf(LOOPBACK);
const NOT_PUBLIC_LIST: BlockList = listOf(NOT_PUBLIC);

type Resolve = typeof lookUp;

export class SsrfGuard {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve;

  /**
   * @param allowedHosts - names or addresses that may be reached without TLS and wherever they are.
   * @param resolve - how names become addresses; for tests.
   */
  constructor(allowedHosts: readonly string[] = [], resolve: Resolve = lookUp) {
    this.#allowedHosts = new Set(allowedHosts.map((host) => bare(host.toLowerCase())));
    this.#resolve = resolve;
  }

  /** What is wrong with a URL before any name is resolved: one sentence, or undefined. */
  faultOf(url: URL): string | undefined {
    const host = bare(url.hostname);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'The URL must be http(s).';
    if (url.username !== '' || url.password !== '') {
      return 'The URL holds a user or a password; send a header instead.';
    }
    if (this.#allowedHosts.has(host)) return undefined;
    if (url.protocol === 'http:' && !isOwnName(host)) {
      return `Without TLS only this machine is called; use https, or ${allowing(host)}.`;
    }
    return isIP(host) === 0 ? undefined : this.#addressFault(host, host);
  }

  /**
   * The same of a URL that another host named, which does not lead to this machine.
   * @param by - a URL of whoever named it.
   */
  faultOfNamed(url: URL, by: URL): string | undefined {
    const host = bare(url.hostname);
    const isStray = isLedHome(host, by.hostname) && !this.#allowedHosts.has(host);
    return isStray ? notPublic(host) : this.faultOf(url);
  }

  /** Whether the operator named this host as one to trust. */
  isAllowed(host: string): boolean {
    return this.#allowedHosts.has(bare(host.toLowerCase()));
  }

  /** For the `lookup` of a socket: fails unless every address of the name may be called. */
  readonly lookup: LookupFunction = (host, options, done) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    this.#resolve(host, all, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        done(error, '', 0);
        return;
      }
      const fault = addresses
        .map(({ address }) => this.#addressFault(host, address))
        .find((each) => each !== undefined);
      const [first] = addresses;
      if (fault !== undefined || first === undefined) {
        done(new Error(fault ?? `${host} has no address.`), '', 0);
      } else if (options.all === true) {
        done(null, addresses);
      } else {
        done(null, first.address, first.family);
      }
    });
  };

  #addressFault(host: string, address: string): string | undefined {
    if (this.#allowedHosts.has(bare(host.toLowerCase()))) return undefined;
    // A zone names an interface of this machine.
    const family = address.includes('%') ? 0 : isIP(address);
    const kind = family === 6 ? 'ipv6' : 'ipv4';
    const isMine = family !== 0 && LOOPBACK_LIST.check(address, kind);
    const isRefused =
      family === 0 || (isOwnName(host) ? !isMine : isMine || NOT_PUBLIC_LIST.check(address, kind));
    return isRefused ? notPublic(host) : undefined;
  }
}

/** Without the brackets an IPv6 address has in a URL. */
function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

function listOf(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix, family] of subnets) list.addSubnet(address, prefix, family);
  return list;
}

function notPublic(host: string): string {
  return `${host} is not a public address; to call it, ${allowing(host)}.`;
}

/** By whichever of its names whoever reads it knows. */
function allowing(host: string): string {
  return `name ${host} in allowedHosts (on the command line --upstream-allow, of connect --allow)`;
}
