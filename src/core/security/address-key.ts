/**
 * The account of a peer's address: a whole IPv4 address, and of IPv6 the first 64 bits, since one
 * subscriber has at least that many addresses to himself.
 * @see https://www.rfc-editor.org/rfc/rfc6177#section-2
 */
export function addressKey(address: string): string {
  // Asked several times a request, and most addresses are IPv4.
  if (!address.includes(':') && !address.includes('%')) return address;
  const plain = plainAddress(address);
  return plain.includes(':') ? `${prefixOf(plain)}::/64` : plain;
}

/**
 * An address without its zone. IPv4 inside of IPv6 is IPv4, whichever of its spellings a proxy
 * uses.
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2
 */
export function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  const [, dotted, high = '', low = ''] = MAPPED.exec(bare) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === '') return bare;
  const pairs = [high, low].map((group) => Number.parseInt(group, 16));
  return pairs.flatMap((pair) => [pair >> 8, pair & 0xff]).join('.');
}

/** Of eight groups the sixth: whatever is valid and ends so is zeros before it. */
const MAPPED = /^[0:]*:ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i;

/** The first four groups, written out: `2001:db8::1` and `2001:db8:0:0::2` are neighbours. */
function prefixOf(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
