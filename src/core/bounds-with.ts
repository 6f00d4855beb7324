import { checkOption, plain } from './option-kinds.ts';

/** The longest a timer can be armed for, and more bytes than a string can hold. */
const BOUND_MAX = 2_147_483_647;

/**
 * The defaults, with what a program gave in their place; what it left undefined is not given. No
 * comparison holds for what is no number, so such a bound would bound nothing, and one of another
 * name neither.
 * @param least - what a bound must be: 0 where none of something may be meant.
 * @throws TypeError for what is no object, for a name that is none of the defaults', and for a
 * value that is no bound.
 */
export function boundsWith<Bounds extends object>(
  defaults: Bounds,
  given: Partial<Bounds> | undefined,
  least: 0 | 1 = 1,
): Bounds {
  if (given !== undefined) checkOption('limits', given, plain);
  const found: [string, unknown][] = Object.entries(given ?? {});
  const said = found.filter(([, value]) => value !== undefined);
  for (const [name, value] of said) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`There is no limit named ${name}.`);
    const isBound = Number.isInteger(value) && Number(value) >= least && Number(value) <= BOUND_MAX;
    if (!isBound) {
      throw new TypeError(
        `The limit ${name} must be a whole number from ${least} to ${BOUND_MAX}.`,
      );
    }
  }
  return { ...defaults, ...(Object.fromEntries(said) as Partial<Bounds>) };
}
