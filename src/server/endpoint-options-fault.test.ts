import { expect, it } from 'vitest';
import { endpointOptionsFault } from './endpoint-options-fault.ts';

function does(...methods: readonly string[]): object {
  return Object.fromEntries(methods.map((method) => [method, () => {}]));
}

const upstream = does('connect', 'close');
const WHOLE = {
  upstream,
  identity: does('verify'),
  access: does('decide', 'filter'),
  audit: does('fault', 'record'),
  gate: does('arrive', 'enter', 'open', 'spend', 'take', 'full', 'hasPlace', 'giveBack'),
  telemetry: does('log', 'count', 'request', 'streamClosed'),
  name: 'n',
  isolation: 'shared',
  limits: {},
  publicUrl: 'https://mcp.example.com',
  prefix: '',
  allowedHosts: [],
  allowedOrigins: ['https://mcp.example.com'],
  endpointForm: 'root',
  priming: 'off',
  heartbeat: 'off',
  eras: 'legacy',
  tasks: 'bridge',
  serves: () => true,
  passesOrigin: false,
  tellsFaults: false,
};

const NO_URL = 'publicUrl must be a URL such as https://mcp.example.com.';
const NO_PREFIX = 'prefix must be empty, or a path such as /name.';

it('finds nothing wrong with options of every kind, nor with those that are undefined', () => {
  expect(endpointOptionsFault(WHOLE)).toBeUndefined();
  const absent = Object.fromEntries(Object.keys(WHOLE).map((name) => [name, undefined]));
  expect(endpointOptionsFault({ ...absent, upstream })).toBeUndefined();
});

it.each(['', '/a', '/name', '/a/b'])('takes %o for a prefix', (prefix) => {
  expect(endpointOptionsFault({ upstream, prefix })).toBeUndefined();
});

it('takes no option of another name where the door would stand open', () => {
  const fault = (name: string): string =>
    `An endpoint has no option named ${name}; without identity anybody may call it.`;
  const { identity } = WHOLE;
  for (const name of ['auth', 'constructor', 'identities']) {
    expect(endpointOptionsFault({ upstream, [name]: identity })).toBe(fault(name));
    expect(endpointOptionsFault({ upstream, identity, [name]: 1 })).toBeUndefined();
  }
});

it.each([undefined, null, {}, { upstream: 'node server.js' }, { upstream: does('connect') }])(
  'asks for an upstream where %o has none',
  (options) => {
    expect(endpointOptionsFault(options)).toMatch(/^Give an upstream: /);
  },
);

it.each([
  ['isolation', 'Session', 'isolation must be one of session, principal, tenant, shared.'],
  ['isolation', null, 'isolation must be one of session, principal, tenant, shared.'],
  ['endpointForm', 'full', 'endpointForm must be one of relative, root, absolute.'],
  ['priming', true, 'priming must be one of auto, off.'],
  ['heartbeat', false, 'heartbeat must be one of comment, off.'],
  ['eras', '2026', 'eras must be one of all, legacy, modern.'],
  ['tasks', ['off'], 'tasks must be one of off, bridge.'],
  ['identity', null, 'identity must have the method verify.'],
  ['identity', 'a-token-of-16-characters', 'identity must have the method verify.'],
  ['access', does('decide'), 'access must have the method filter.'],
  ['audit', does('record'), 'audit must have the method fault.'],
  ['gate', {}, 'gate must have the method arrive.'],
  ['telemetry', { log() {} }, 'telemetry must have the method count.'],
  ['telemetry', Promise.resolve(), 'telemetry must have the method log: await what makes it.'],
  ['allowedHosts', 'a.example', 'allowedHosts must be a list of texts.'],
  ['allowedOrigins', [1], 'allowedOrigins must be a list of texts.'],
  ['name', 5, 'name must be of type string.'],
  ['limits', null, 'limits must be a plain object.'],
  ['limits', [], 'limits must be a plain object.'],
  ['publicUrl', new URL('https://a.example'), NO_URL],
  ['publicUrl', 'a.example', NO_URL],
  ['prefix', 1, NO_PREFIX],
  ['prefix', 'name', NO_PREFIX],
  ['prefix', '/', NO_PREFIX],
  ['prefix', '/name/', NO_PREFIX],
  ['prefix', '/name?a', NO_PREFIX],
  ['serves', true, 'serves must be of type function.'],
  ['passesOrigin', 'no', 'passesOrigin must be of type boolean.'],
  ['tellsFaults', 1, 'tellsFaults must be of type boolean.'],
])('says what is wrong with %s: %o', (name, value, fault) => {
  expect(endpointOptionsFault({ upstream, [name]: value })).toBe(fault);
});
