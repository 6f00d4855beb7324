/**
 * Values of ASN.1 in DER, one after the other: as much as certificates and lists of revoked ones
 * need. @see https://www.itu.int/rec/T-REC-X.690
 */
export interface DerValue {
  readonly tag: number;
  /** What is between its length and its end. */
  readonly content: Buffer;
}

export const DER = {
  integer: 0x02,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The tag of the next value; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** @throws RangeError when there is no whole value, or another one than was expected. */
  take(tag?: number): DerValue {
    const found = this.#byte();
    if (tag !== undefined && found !== tag) throw new RangeError('Another value was expected.');
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('A value is cut short.');
    return { tag: found, content: this.#bytes.subarray(start, this.#at) };
  }

  /** The values inside the next one. @throws RangeError as `take` does. */
  enter(tag: number): DerReader {
    return new DerReader(this.take(tag).content);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('A value is cut short.');
    this.#at += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const bytes = first & 0x7f;
    // DER knows no length that is told by an end, and no file of ours needs five bytes for one.
    if (bytes === 0 || bytes > 4) throw new RangeError('A length is malformed.');
    let length = 0;
    for (let i = 0; i < bytes; i += 1) length = length * 256 + this.#byte();
    return length;
  }
}
