/** Variables in the strings of a config, after parsing: no value can add keys or lines. */
import type { ConfigPath } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

/** One that is there without a value is the home folder of a user who has none. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A copy of the data with every `${NAME}`, `${NAME:-default}` and `${env:NAME}` replaced. */
export function interpolate(
  value: unknown,
  path: ConfigPath,
  variables: Variables,
  problems: ProblemList,
): unknown {
  if (typeof value === 'string') {
    return interpolateText(value, variables, (message) => problems.value(path, message));
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => interpolate(item, [...path, index], variables, problems));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      interpolate(item, [...path, key], variables, problems),
    ]),
  );
}

/** @param onFault - told one sentence; the text then lacks what could not be replaced. */
export function interpolateText(
  text: string,
  variables: Variables,
  onFault: (message: string) => void,
): string {
  if (!text.includes('${')) return text;
  return text.replace(REFERENCE, (found, inner: string | undefined) => {
    if (found === '$${') return '${';
    if (inner === undefined) {
      onFault('A variable is not closed. Write ${NAME}, or $${ for these two characters.');
      return '';
    }
    const [, name, fallback] = VARIABLE.exec(inner) ?? [];
    if (name === undefined) {
      onFault(
        inner.startsWith('input:')
          ? 'Nobody is there to be asked for an input. Use ${env:NAME}.'
          : 'This names no variable. Write ${NAME} or ${NAME:-default}, or $${ for text.',
      );
      return '';
    }
    const isKnown = Object.hasOwn(variables, name);
    const value = isKnown ? variables[name] : undefined;
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    const why = isKnown ? UNKNOWN_PLACE : `The variable ${name} is not set. Set it`;
    onFault(`${why}, or write \${${name}:-default}.`);
    return '';
  });
}

/** A host knows where its user is at home; we go by the environment. */
const UNKNOWN_PLACE = 'There is no home folder, because HOME is not set. Set it';

const REFERENCE = /\$\$\{|\$\{([^{}]*)\}|\$\{/g;
const VARIABLE = /^(?:env:)?([A-Za-z_]\w{0,127})(?::-([^]*))?$/;
