/**
 * The values that keys of a config may have. Each says in one sentence what to give. Numbers and
 * switches may come as text, since a variable's value is text.
 */
import { z } from 'zod';
import type { WebValue } from './web-values.ts';

/** The longest a timer can be armed for, and more bytes than a string can hold. */
const NUMBER_MAX = 2_147_483_647;

/** What a string that becomes something else may look like in the file. */
const REFERENCE = '\\$\\{.*\\}';

const NO_NUL = /^[^\0]*$/;
const NO_NUL_SENTENCE = 'Leave out the character NUL.';

export const text: z.ZodType<string, string> = textOf('Give text.');

/** Text that a system call can take: not empty, no NUL. */
export const word: z.ZodType<string, string> = textOf('Give text that is not empty.', /^[^]+$/);

/** @param sentence - what to give, when the value is not text or not of this form. */
export function textOf(sentence: string, form?: RegExp): z.ZodType<string, string> {
  const plain = z.string({ error: quoteIt(sentence) }).regex(NO_NUL, { error: NO_NUL_SENTENCE });
  return form === undefined ? plain : plain.refine((value) => form.test(value), sentence);
}

/** Hosts, origins and URLs: what is read is their one form. */
export function webText(read: (value: string) => WebValue, sample: string): z.ZodType<string> {
  return z
    .string({ error: quoteIt(`Give text, such as ${sample}.`) })
    .transform((value, context) => {
      const found = read(value);
      if (found.kind === 'value') return found.value;
      context.addIssue({ code: 'custom', message: found.sentence });
      return z.NEVER;
    });
}

export function wholeNumber(min: number, max: number = NUMBER_MAX): z.ZodType<number> {
  const error = `Give a whole number from ${min} to ${max}.`;
  const number = z.int({ error }).min(min, { error }).max(max, { error });
  const digits = z
    .string({ error })
    .regex(new RegExp(`^(\\d{1,10}|${REFERENCE})$`), { error })
    .transform(Number)
    .pipe(number);
  return z.union([number, digits], { error });
}

export function flag(): z.ZodType<boolean> {
  const error = 'Give true or false.';
  const words = z
    .string({ error })
    .regex(new RegExp(`^(true|false|${REFERENCE})$`), { error })
    .refine((value) => value === 'true' || value === 'false', { error })
    .transform((value) => value === 'true');
  return z.union([z.boolean({ error }), words], { error });
}

/** Milliseconds, from a number and its unit. @param isBare - whether a number alone is enough. */
export function duration(minMs: number, maxMs: number, isBare = false): z.ZodType<number> {
  const bare = isBare ? 'milliseconds, or ' : '';
  const error = `Give ${bare}a number with its unit, such as 500ms, 20s, 5m or 1h.`;
  const range = `Give a time from ${minMs} ms to ${maxMs} ms.`;
  const number = z.int({ error }).min(minMs, { error: range }).max(maxMs, { error: range });
  const units = z
    .string({ error })
    .regex(
      new RegExp(`^(\\d{1,10}(\\.\\d{1,3})?(ms|s|m|h)|${isBare ? '\\d+|' : ''}${REFERENCE})$`),
      {
        error,
      },
    )
    .transform(milliseconds)
    .pipe(number);
  return isBare ? z.union([number, units], { error }) : units;
}

function milliseconds(value: string): number {
  const [, number, unit = 'ms'] = /^([\d.]+)(ms|s|m|h)?$/.exec(value) ?? [];
  return Math.round(Number(number) * (UNITS[unit] ?? 1));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A number or a switch without quotes is no text, and its spelling would be lost. */
function quoteIt(sentence: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) =>
    typeof input === 'number' || typeof input === 'boolean' ? 'Put this in quotes.' : sentence;
}
