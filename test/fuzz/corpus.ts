/** Inputs that are kept: one file a target, small enough to read. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../source-files.ts';

/** Inputs a file may hold, and characters of each. */
const INPUTS_MAX = 300;
export const INPUT_CHARS_MAX = 400;

export class Corpus {
  readonly inputs: string[];
  readonly #path: string;

  constructor(target: string) {
    this.#path = join(ROOT, 'test/fuzz/corpus', `${target}.json`);
    this.inputs = existsSync(this.#path)
      ? (JSON.parse(readFileSync(this.#path, 'utf8')) as string[])
      : [];
  }

  add(input: string): void {
    if (this.inputs.length < INPUTS_MAX) this.inputs.push(input);
  }

  /** Characters that no editor shows are written as escapes. */
  save(): void {
    const text = JSON.stringify(this.inputs, null, 2);
    const plain = text.replaceAll(
      /[^\n\u0020-\u007e]/g,
      (char) => String.raw`\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    writeFileSync(this.#path, `${plain}\n`);
  }
}
