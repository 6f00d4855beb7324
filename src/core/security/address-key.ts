/**
 * The account of a peer's address: a whole IPv4 address, and of IPv6 the first 64 bits, since one
 * subscriber has at least that many addresses to himself.
 * @see https://www.rfc-editor.org/rfc/rfc6177#section-2
 */
export function addressKey(address: string): string {
  // Asked several times a request, and most addresses are IPv4.
  if (!address.includes(':') && !address.includes('%')) return address;
  const bare = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  return bare.includes(':') ? `${prefixOf(bare)}::/64` : bare;
}

/** The first four groups, written out: `2001:db8::1` and `2001:db8:0:0::2` are neighbours. */
function prefixOf(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
