/** JSON texts that are messages, nearly so, or not at all: generated, then changed here and there. */
import type { SeededRandom } from '../../src/testing/seeded-random.ts';

const IDS = [
  '1',
  '0',
  '-1',
  '"1"',
  '"a"',
  '""',
  '1.0',
  '1e0',
  '1.5',
  'null',
  'true',
  '{}',
  '[]',
  '9007199254740991',
  '9007199254740993',
  '-0',
  '"\\u0031"',
  '"\\ud800"',
];
const METHODS = ['"ping"', '"tools/call"', '""', '"a\\u0062c"', '1', 'null', '"notifications/x"'];
const VALUES = [
  '{}',
  '[]',
  '{"name":"a","arguments":{"x":1}}',
  '{"name":"a","Name":"b"}',
  '{"name":"a","arguments":{"x":[{"y":1,"y":2}]}}',
  '{"_meta":{"progressToken":1}}',
  '{"_meta":{"progressToken":"t","progressToken":2}}',
  '{"_meta":[]}',
  '{"_meta":{}, "_meta":{}}',
  '{"requestId":1}',
  '{"a":[1,2,{"b":null}],"c":"\\n\\u2028"}',
  '{"code":-32600,"message":"no"}',
  '{"code":-32600,"message":"no","data":{"x":[]}}',
  '{"code":"x","message":1}',
  '{"code":1.5,"message":"no"}',
  '{"content":[]}',
  'null',
  '1',
  '"text"',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":1}}',
];
const NAMES = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const STRANGE = [
  'Method',
  'ID',
  'PARAMS',
  'Result',
  '\\u006dethod',
  'i\\u0064',
  'param\\u017f',
  '__proto__',
  'constructor',
  'extra',
  '',
  '_meta',
];
const VERSIONS = [
  '"2.0"',
  '"2.0"',
  '"2.0"',
  '"2.0"',
  '"2.0"',
  '"1.0"',
  '2.0',
  '"\\u0032.0"',
  'null',
];
const INSERTS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '\\',
  '0',
  '\u0000',
  '\u2028',
  'é',
  '\t',
  '//',
];

export function messageText(random: SeededRandom): string {
  let text = `{${membersOf(random).join(',')}}`;
  if (chance(random, 0.04)) text = `[${text}${chance(random, 0.5) ? `,${text}` : ''}]`;
  if (chance(random, 0.05)) text = ` \n${text}\t`;
  if (chance(random, 0.2)) text = changed(text, random);
  return text;
}

function membersOf(random: SeededRandom): string[] {
  const shape = Math.floor(random.fraction() * 4);
  const members = [member('jsonrpc', pick(random, VERSIONS))];
  if (shape !== 1) members.push(member('id', pick(random, IDS)));
  if (shape < 2) {
    members.push(member('method', pick(random, METHODS)));
    if (chance(random, 0.7)) members.push(member('params', pick(random, VALUES)));
  } else members.push(member(shape === 2 ? 'result' : 'error', pick(random, VALUES)));
  if (chance(random, 0.12)) members.push(member(pick(random, NAMES), pick(random, VALUES)));
  if (chance(random, 0.12)) members.push(member(pick(random, STRANGE), pick(random, VALUES)));
  if (chance(random, 0.06)) members.splice(Math.floor(random.fraction() * members.length), 1);
  if (chance(random, 0.3)) members.reverse();
  return members;
}

/** One or two characters more, less or other than there were. */
export function changed(text: string, random: SeededRandom): string {
  let all = text;
  for (let i = chance(random, 0.3) ? 2 : 1; i > 0; i -= 1) {
    const at = Math.floor(random.fraction() * (all.length + 1));
    const removed = chance(random, 0.6) ? 1 : 0;
    const added = chance(random, 0.6) ? pick(random, INSERTS) : '';
    all = all.slice(0, at) + added + all.slice(at + removed);
  }
  return all;
}

function member(name: string, value: string): string {
  return `"${name}":${value}`;
}

export function pick<T>(random: SeededRandom, list: readonly T[]): T {
  return list[Math.floor(random.fraction() * list.length)] as T;
}

function chance(random: SeededRandom, share: number): boolean {
  return random.fraction() < share;
}
