/** What is wrong with a refusal of somebody else's making, in a language that checks nothing. */
import { ERRORS, type Refusal } from './errors.ts';

/** Undefined: it is one of ours. */
export function refusalFault(refusal: Refusal): string | undefined {
  if (!Object.hasOwn(ERRORS, refusal?.error ?? '')) return 'an unknown refusal';
  const { headers = [], scopes = [] } = refusal;
  if (!areTexts(scopes)) return 'a refusal whose scopes are no list of texts';
  const areHeaders =
    areTexts(headers) &&
    headers.length % 2 === 0 &&
    headers.every((each, i) => (i % 2 === 0 ? HEADER_NAME : HEADER_VALUE).test(each));
  return areHeaders ? undefined : 'a refusal whose headers are no flat list of names and values';
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

export function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
