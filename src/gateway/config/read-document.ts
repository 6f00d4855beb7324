/** From text to plain data that knows where it stood. Whatever the text, nothing is thrown. */
import { parseDocument, type YAMLError } from 'yaml';
import { withoutJsonComments } from './json-comments.ts';
import { NESTING_MAX, tooDeepAt } from './nesting.ts';
import { Places } from './places.ts';
import { plainValue } from './plain-value.ts';
import { ProblemList } from './problem-list.ts';

/** Characters of a config file: a thousand servers fit many times. */
export const CONFIG_CHARS_MAX: number = 1024 * 1024;

export interface ConfigDocument {
  /** Undefined when the text is too broken for more to be said of it. */
  readonly value: unknown;
  readonly places: Places;
  readonly problems: ProblemList;
}

/** @param whenEmpty - what to write into a file that holds nothing. */
export function readDocument(text: string, whenEmpty: string): ConfigDocument {
  const places = new Places(text);
  const problems = new ProblemList(places);
  const nothing = { value: undefined, places, problems };
  if (text.length > CONFIG_CHARS_MAX) {
    problems.at(0, [], `The file is longer than ${CONFIG_CHARS_MAX} characters.`);
    return nothing;
  }
  // Both keep everything where it was.
  const clean = withoutJsonComments(text.replace(/^\uFEFF/, ' '));
  const deep = tooDeepAt(clean);
  if (deep !== undefined) {
    problems.at(deep, [], `Lists and keys lie in each other more than ${NESTING_MAX} deep.`);
    return nothing;
  }
  const document = parseDocument(clean, { prettyErrors: false, uniqueKeys: false, merge: false });
  const faults = [...document.errors, ...document.warnings];
  for (const fault of faults) problems.at(fault.pos[0], [], sentence(fault));
  if (!faults.every(({ code }) => LOCAL_FAULTS.has(code))) return nothing;
  if (document.contents === null) {
    problems.at(0, [], `The file is empty. ${whenEmpty}`);
    return nothing;
  }
  return { value: plainValue(document.contents, places, problems), places, problems };
}

/** After these the rest of the file still means what it says. */
const LOCAL_FAULTS: ReadonlySet<string> = new Set([
  'ALIAS_PROPS',
  'BAD_DQ_ESCAPE',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_DOCS',
  'MULTIPLE_TAGS',
  'TAG_RESOLVE_FAILED',
]);

const SENTENCES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'The file holds a second document. Leave --- out, or split the file.',
  BAD_COLLECTION_TYPE: 'Tags have no meaning here. Leave this one out.',
  BAD_DIRECTIVE: 'A line that begins with % has no meaning here. Leave it out.',
  BAD_PROP_ORDER: 'An anchor stands after the - or : before its value.',
  TAG_RESOLVE_FAILED: 'Tags have no meaning here. Leave this one out.',
  BAD_DQ_ESCAPE: 'This escape is not known. Write a backslash as \\\\, or use single quotes.',
  UNEXPECTED_TOKEN: 'This does not belong here. Check the indentation and brackets before it.',
  BAD_SCALAR_START: 'A value cannot begin with this character. Put the value in quotes.',
  BLOCK_IN_FLOW: 'A comma, a quote or a bracket is missing here or after.',
  TAB_AS_INDENT: 'Indent with spaces, not with tabs.',
};

const INDENTED = 'This line is indented otherwise than the lines it belongs to.';

/** Where one code stands for several things: what the parser's sentence begins with, and ours. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  'Missing closing': 'A quote is not closed.',
  'All mapping items': INDENTED,
  'All sequence items': INDENTED,
  'A block sequence may not': INDENTED,
  'Nested mappings': 'A line has one key. Begin a new one, or put a value that holds : in quotes.',
  'Implicit keys': 'A : is missing behind this key, or the next line is indented wrongly.',
  'Implicit map keys': 'A : is missing behind this key.',
  'Sequence item without': 'A - is missing before this item.',
};

/** What the parser calls a flow, and most people JSON. */
const UNCLOSED = /^Flow .* must (?:be sufficiently indented and )?end with a (.)$/;

/**
 * Our sentence where the parser's would repeat a part of the file, or speak of its own grammar;
 * else the parser's own.
 */
function sentence({ code, message }: YAMLError): string {
  const own = SENTENCES[code];
  if (own !== undefined) return own;
  const beginning = Object.keys(BEGINNINGS).find((each) => message.startsWith(each));
  if (beginning !== undefined) return BEGINNINGS[beginning] ?? message;
  const [, bracket] = UNCLOSED.exec(message) ?? [];
  if (bracket !== undefined) return `A ${bracket} is missing here or before.`;
  return `${message.trim().replace(/\.$/, '')}.`;
}
