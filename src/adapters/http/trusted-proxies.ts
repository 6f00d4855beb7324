/** The proxies an operator trusts to say whose request they pass on. Nobody else is believed. */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from '../../core/security/address-key.ts';
import { type ForwardedHeader, forwardedHops } from './forwarded-hops.ts';

export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #header: ForwardedHeader | undefined;

  /**
   * @param header - the only one that is read; undefined for both.
   * @throws TypeError for an entry that is neither an address nor a range of them, and for another
   * header.
   */
  constructor(ranges: readonly string[], header?: ForwardedHeader) {
    if (header !== undefined && header !== 'forwarded' && header !== 'x-forwarded-for') {
      throw new TypeError('forwardedHeader: Give forwarded or x-forwarded-for.');
    }
    this.#header = header;
    for (const range of ranges) {
      const fault = proxyRangeFault(range);
      if (fault !== undefined) throw new TypeError(`trustedProxies: ${fault}`);
      const [address = '', bits] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.#list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * Whose request it is: the nearest hop that is not one of ours. When that is no address,
   * or the headers contradict each other, the peer itself.
   * @param peer - who sent it, the socket's address or what the PROXY protocol says.
   * @param line - all lines of a header, joined with commas; undefined when there are none.
   */
  clientAddress(peer: string, line: (name: string) => string | undefined): string {
    if (!this.has(peer)) return peer;
    const forwarded = this.#header === 'x-forwarded-for' ? undefined : line('forwarded');
    const listed = this.#header === 'forwarded' ? undefined : line('x-forwarded-for');
    const standard = forwarded === undefined ? undefined : this.#nearest(forwarded, 'forwarded');
    const usual = listed === undefined ? undefined : this.#nearest(listed, 'x-forwarded-for');
    // A proxy writes the one header it knows and may pass on what a client wrote into the other.
    const agree = forwarded === undefined || listed === undefined || standard === usual;
    return (agree ? (standard ?? usual) : undefined) ?? peer;
  }

  #nearest(text: string, header: ForwardedHeader): string | undefined {
    const hops = forwardedHops(text, header);
    if (hops === undefined) return undefined;
    // One that is no address is none of ours: what stands before it is not believed.
    const at = hops.findLastIndex((hop) => hop === undefined || !this.has(hop));
    // When all are ours, the farthest one asked itself.
    return hops[Math.max(0, at)];
  }
}

/** What is wrong with an entry such as `10.0.0.0/8` or `192.0.2.7`; undefined when nothing. */
export function proxyRangeFault(range: string): string | undefined {
  const [address = '', bits, ...rest] = range.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (family !== 0 && isRange && rest.length === 0 && !address.includes('%')) return undefined;
  return 'Give an address such as 192.0.2.7, or a range such as 10.0.0.0/8.';
}
