/**
 * Headers in the flat form of the ports (name, value, name, value), read without regard to case.
 */
export class ReplyHeaders {
  readonly flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** The first line with this name. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (let index = 0; index < this.flat.length; index += 2) {
      if (this.flat[index]?.toLowerCase() === wanted) return this.flat[index + 1];
    }
    return undefined;
  }

  count(name: string): number {
    return this.names().filter((each) => each === name.toLowerCase()).length;
  }

  /** In lower case, in order, with repeats. */
  names(): readonly string[] {
    return this.flat.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  }

  /** What an HTTP library would refuse, or what could split a reply. */
  problems(): readonly string[] {
    const problems: string[] = [];
    if (this.flat.length % 2 !== 0) problems.push('headers are not pairs');
    for (let index = 0; index < this.flat.length; index += 2) {
      const name = this.flat[index] ?? '';
      const value = this.flat[index + 1] ?? '';
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) problems.push(`header name "${name}"`);
      if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) problems.push(`value of header "${name}"`);
    }
    return problems;
  }
}
