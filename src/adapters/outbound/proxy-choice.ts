/**
 * Which proxy a request goes through: the one an operator named, or what the environment says. This
 * machine is always called directly: a proxy could only mean another one.
 */
import { BlockList, isIP } from 'node:net';
import { isOwnName } from '../../core/security/listen-host.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProxyServer {
  /** Without a user, a path or a query. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`; undefined where the URL held no user. */
  readonly credential: string | undefined;
}

/** `false`: none; a URL: that one for everything; undefined: as the environment says. */
export type ProxyOption = string | false | undefined;

export class ProxyChoice {
  readonly #https: ProxyServer | undefined;
  readonly #http: ProxyServer | undefined;
  readonly #exceptions: Exceptions;

  /**
   * @param env - for `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; the names in lower case go first.
   * @throws TypeError when a proxy's URL is malformed. The URL may hold a password: it is not in
   * the message.
   */
  constructor(option: ProxyOption, env: Environment) {
    const asked = (name: string): string | undefined =>
      env[name.toLowerCase()] || env[name] || undefined;
    if (option === undefined) {
      this.#https = serverOf(asked('HTTPS_PROXY'), 'HTTPS_PROXY');
      this.#http = serverOf(asked('HTTP_PROXY'), 'HTTP_PROXY');
      this.#exceptions = new Exceptions(asked('NO_PROXY') ?? '');
      return;
    }
    this.#https = option === false ? undefined : serverOf(option, 'proxy');
    this.#http = this.#https;
    this.#exceptions = new Exceptions('');
  }

  /** The proxy for a URL; undefined where it is called directly. */
  for(url: URL): ProxyServer | undefined {
    const server = url.protocol === 'https:' ? this.#https : this.#http;
    return server === undefined || this.#exceptions.cover(url) ? undefined : server;
  }
}

/** What is wrong with the URL of a proxy: one sentence without it, or undefined. */
export function proxyFault(text: string, name: string): string | undefined {
  const url = parsed(text);
  if (url === undefined) return `The ${name} URL is malformed.`;
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  return isHttp ? undefined : `The ${name} URL must be http(s); other proxies are not supported.`;
}

function serverOf(text: string | undefined, name: string): ProxyServer | undefined {
  if (text === undefined) return undefined;
  const fault = proxyFault(text, name);
  const url = parsed(text);
  if (fault !== undefined || url === undefined) throw new TypeError(fault);
  const { username, password } = url;
  const bare = new URL(`${url.protocol}//${url.host}`);
  if (username === '' && password === '') return { url: bare, credential: undefined };
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { url: bare, credential: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Many write a proxy as `host:port`. */
function parsed(text: string): URL | undefined {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  return url.hostname === '' ? undefined : url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Hosts that are called directly: `*`, names with all below them, addresses and address ranges,
 * each with a port if it is meant for that port alone.
 */
class Exceptions {
  readonly #isEverything: boolean;
  readonly #names: readonly { readonly name: string; readonly port: string }[];
  readonly #ranges: BlockList = new BlockList();

  constructor(text: string) {
    const entries = text
      .split(/[\s,]+/)
      .map((entry) => entry.toLowerCase())
      .filter((entry) => entry !== '');
    this.#isEverything = entries.includes('*');
    this.#names = entries.filter((entry) => !this.#addRange(entry)).map(nameAndPort);
  }

  cover(url: URL): boolean {
    const host = bare(url.hostname);
    if (this.#isEverything || isOwnName(host)) return true;
    const family = isIP(host);
    if (family !== 0 && this.#ranges.check(host, family === 6 ? 'ipv6' : 'ipv4')) return true;
    const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
    return this.#names.some(
      (entry) =>
        (entry.port === '' || entry.port === port) &&
        (host === entry.name || (family === 0 && host.endsWith(`.${entry.name}`))),
    );
  }

  #addRange(entry: string): boolean {
    const [, address = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(prefix) > (family === 6 ? 128 : 32)) return false;
    this.#ranges.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
    return true;
  }
}

function nameAndPort(entry: string): { readonly name: string; readonly port: string } {
  const isAddress = isIP(bare(entry)) !== 0;
  const [, host = entry, port = ''] = (isAddress ? null : /^(.*):(\d+)$/.exec(entry)) ?? [];
  return { name: bare(host).replace(/^\*?\./, ''), port };
}

function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
