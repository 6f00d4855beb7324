import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { JsonBounds } from './json-tokens.ts';
import { Message, type Span } from './message.ts';
import { clientBounds, readMessage, UPSTREAM_BOUNDS } from './read-message.ts';

const BOUNDS = clientBounds(DEFAULT_LIMITS);
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

function messageIn(text: string, bounds: JsonBounds = BOUNDS): Message {
  const outcome = readMessage(text, bounds);
  if (outcome.kind !== 'message') throw new Error(`not a message: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

function refusalOf(text: string, bounds: JsonBounds = BOUNDS): Refusal {
  const outcome = readMessage(text, bounds);
  if (outcome.kind !== 'refused') throw new Error(`not refused: ${outcome.kind}`);
  return outcome.refusal;
}

function call(members: string): string {
  return `{"jsonrpc":"2.0","id":7,"method":"tools/call",${members}}`;
}

describe('requests, notifications and responses', () => {
  test('a request keeps its id token, method, payload text and parsed value', () => {
    const message = messageIn(
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params": {"name" : "a"} }',
    );
    expect(message.kind).toBe('request');
    expect(message.id).toBe('7');
    expect(message.method).toBe('tools/call');
    expect(message.payload).toBe('{"name" : "a"}');
    expect(message.value).toEqual({ name: 'a' });
    expect(message.isError).toBe(false);
  });

  test('a message without an id is a notification, with or without params', () => {
    const bare = messageIn('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    expect([bare.kind, bare.id, bare.payload, bare.value, bare.isError]).toEqual([
      'notification',
      undefined,
      undefined,
      undefined,
      false,
    ]);
    expect(messageIn('{"jsonrpc":"2.0","method":"m","params":{}}').payload).toBe('{}');
  });

  test('a result and an error become responses', () => {
    const result = messageIn('{"jsonrpc":"2.0","id":"a","result":{"x":[1]}}');
    expect([result.kind, result.id, result.isError, result.payload]).toEqual([
      'response',
      '"a"',
      false,
      '{"x":[1]}',
    ]);
    expect(result.value).toEqual({ x: [1] });
    const error = messageIn('{"error":{"code":-1,"message":"m"},"jsonrpc":"2.0","id":3}');
    expect([error.kind, error.id, error.isError]).toEqual(['response', '3', true]);
    expect(error.value).toEqual({ code: -1, message: 'm' });
  });

  test('an error response may have the id null or none, a result may not', () => {
    expect(messageIn('{"jsonrpc":"2.0","id":null,"error":{}}').id).toBe('null');
    expect(messageIn('{"jsonrpc":"2.0","error":{}}').id).toBe('null');
    expect(refusalOf('{"jsonrpc":"2.0","id":null,"result":{}}').error).toBe('INVALID_REQUEST');
    expect(refusalOf('{"jsonrpc":"2.0","result":{}}').error).toBe('INVALID_REQUEST');
    for (const id of ['1.5', 'true', '{}']) {
      expect(refusalOf(`{"jsonrpc":"2.0","id":${id},"error":{}}`).error).toBe('INVALID_REQUEST');
    }
  });
});

describe('ids (W35)', () => {
  test.each(['1', '"1"', '0', '-1', '9007199254740993', `1${'0'.repeat(30)}`, '""', '"\\u0031"'])(
    'W35: the id %s is kept byte for byte',
    (id) => {
      expect(messageIn(`{"jsonrpc":"2.0","id":${id},"method":"m"}`).id).toBe(id);
      expect(messageIn(`{"jsonrpc":"2.0","id": ${id} ,"result":{}}`).id).toBe(id);
    },
  );

  test.each(['null', '1.5', '1.0', '1e3', '-0.0', 'true', '[]', '{}'])(
    'W35 V43: the id %s is refused as an invalid request',
    (id) => {
      const refusal = refusalOf(`{"jsonrpc":"2.0","id":${id},"method":"m"}`);
      expect(refusal.error).toBe('INVALID_REQUEST');
      expect(refusal.id).toBeUndefined();
    },
  );

  test('an id of any form of string survives the way through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(2000), (id, padding) => {
        const token = JSON.stringify(id);
        const text = `${' '.repeat(padding)}{"jsonrpc":"2.0","id":${token},"method":"m"}`;
        expect(messageIn(text).id).toBe(token);
      }),
    );
  });

  test('a refusal carries the id when it can be read and is valid', () => {
    expect(refusalOf('{"jsonrpc":"2.0","id":7,"method":3}').id).toBe('7');
    expect(refusalOf('{"id":"x","method":"m"}').id).toBe('"x"');
    expect(refusalOf('{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}').id).toBeUndefined();
    expect(refusalOf('{"jsonrpc":"2.0","id":1,"id":2,"id":3,"method":"m"}').id).toBeUndefined();
  });
});

describe('what is no message', () => {
  test.each([
    '',
    ' ',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    '{"jsonrpc":"2.0","method":"m"} x',
    '{"jsonrpc":"2.0","method":"m"}{}',
    '{"jsonrpc":"2.0","method":"m"',
    '{"jsonrpc":"2.0","method":"m","params":{"a":[1}]}',
    '{"a\\x":1}',
    '{"a":"\n"}',
    '{"a":"b',
    '{"a":"b\\',
    '[1,]',
    '[1',
    '[1 2]',
    'nul',
    '"a',
    '01',
    '\uFEFF{"jsonrpc":"2.0","method":"m"}',
    '{"a":tru}',
    '\u00a0{}',
  ])('V43: the text %j is no JSON', (text) => {
    expect(refusalOf(text)).toEqual({ error: 'PARSE_ERROR' });
  });

  test.each([
    '1',
    '"a"',
    'null',
    'true',
    '[]',
    '{}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"1.0","method":"m"}',
    '{"jsonrpc":2,"method":"m"}',
    '{"method":"m"}',
    '{"jsonrpc":"2.0","method":null}',
    '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"m","result":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"m","error":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"params":{"_meta":{}}}',
    '{"jsonrpc":"2.0","id":1,"result":1}',
    '{"jsonrpc":"2.0","id":1,"result":null}',
    '{"jsonrpc":"2.0","id":1,"result":[]}',
    '{"jsonrpc":"2.0","id":1,"error":"no"}',
    '{"jsonrpc":"2.0","id":1,"method":"m","params":null}',
    '{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}',
    '{"jsonrpc":"2.0","id":1,"method":"m","params":"p"}',
  ])('V43: the JSON %s is no message', (text) => {
    expect(refusalOf(text).error).toBe('INVALID_REQUEST');
  });
});

describe('what is wrong with a message', () => {
  const call1 = '{"jsonrpc":"2.0","id":1';
  test.each([
    ['1', 'The body is neither a JSON-RPC message nor a batch of them.'],
    ['[]', 'The batch is empty.'],
    [`${call1},"method":"m","method":"m"}`, 'A member occurs more than once.'],
    ['{"id":1,"method":"m"}', 'Set "jsonrpc" to "2.0".'],
    [`${call1},"method":7}`, '"method" must be a string.'],
    [
      `${call1},"method":"tools/call","params":{"Name":"a"}}`,
      'A member of params differs from a known one only in the case of its letters.',
    ],
    [
      `${call1},"method":"m","result":{}}`,
      'A message has either "method" or one of "result" and "error".',
    ],
    ['{"jsonrpc":"2.0","id":1.5,"method":"m"}', 'An id is a string or an integer.'],
    [`${call1},"method":"m","params":[]}`, '"params" must be an object.'],
    [
      `${call1},"result":{},"error":{}}`,
      'A message has "method", or exactly one of "result" and "error".',
    ],
    [`${call1},"error":7}`, '"error" must be an object.'],
    [`${call1},"result":7}`, '"result" must be an object.'],
    ['{"jsonrpc":"2.0","id":1.5,"result":{}}', 'An id is a string or an integer.'],
  ])('is said of %s', (text, detail) => {
    expect(refusalOf(text)).toMatchObject({ error: 'INVALID_REQUEST', detail });
  });
});

describe('members that parsers read differently', () => {
  const twice = '{"a":1,"a":2}';

  test.each(['arguments', 'ref', 'notifications'])(
    'one that is there twice inside %s is refused, however deep, and once is fine',
    (name) => {
      for (const inside of [twice, `{"b":${twice}}`, `{"b":[1,[${twice}]]}`, `[${twice}]`]) {
        const refusal = refusalOf(call(`"params":{"name":"n","${name}":${inside}}`));
        expect(refusal).toMatchObject({ detail: 'A member occurs more than once.', id: '7' });
      }
      const fine = `{"a":{"a":[{"a":null},["a",{"a":1,"b":2}]]},"c":"d"}`;
      const message = messageIn(call(`"params":{"name":"n","${name}":${fine}}`));
      expect(message.value).toMatchObject({ [name]: JSON.parse(fine) as object });
    },
  );

  test.each([
    '"params":{},"Method":"x"',
    '"params":{},"METHOD":"x"',
    '"param\u017f":{}',
    '"ID":8',
    '"\u0131d":8',
    '"JsonRpc":"2.0"',
    '"Params":{}',
    '"\\u0050arams":{}',
    '"Error":1',
    '"Result":1',
  ])('V42 V43: a case variant of a reserved member is refused: %s', (members) => {
    expect(refusalOf(call(members))).toMatchObject({ error: 'INVALID_REQUEST', id: '7' });
  });

  test.each([
    '"method":"x"',
    '"\\u006dethod":"x"',
    '"jsonrpc":"2.0"',
    '"params":{},"params":{}',
    '"params":{"name":"a","name":"b"}',
    '"params":{"name":"a","\\u006eame":"b"}',
    '"params":{"1":"a","1":"b"}',
    '"params":{"_meta":{},"_meta":{}}',
    '"params":{"_meta":{"a":1,"a":1}}',
    '"params":{"\\u005fmeta":{"a":1,"\\u0061":1}}',
    '"x":1,"x":2',
    '"params":{"arguments":{"path":"/a","path":"/b"}}',
    '"params":{"arguments":{"path":"/a","p\\u0061th":"/b"}}',
    '"params":{"\\u0061rguments":{"deep":[{"a":1},[{"b":{"c":1,"c":1}}]]}}',
    '"params":{"ref":{"type":"ref/prompt","name":"a","name":"b"}}',
    '"params":{"notifications":{"resourceSubscriptions":[],"resourceSubscriptions":["x:"]}}',
  ])('V43: a repeated member is refused: %s', (members) => {
    expect(refusalOf(call(members))).toMatchObject({ error: 'INVALID_REQUEST', id: '7' });
  });

  test.each([
    '"params":{"name":"a","Name":"b"}',
    '"params":{"name":"a","\\u004eame":"b"}',
    '"params":{"NAME":"b"}',
    '"params":{"name":"a","argument\u017f":{}}',
    '"params":{"uri":"a:","URI":"b:"}',
    '"params":{"Arguments":{}}',
    '"params":{"Ref":{}}',
    '"params":{"taskid":"1"}',
    '"params":{"tas\u212aId":"1"}',
    '"params":{"Notifications":{}}',
    '"params":{"_Meta":{}}',
  ])('V42 V43: a case variant of what decides is refused: %s', (params) => {
    const methods = ['tools/call', 'prompts/get', 'resources/read', 'subscriptions/listen'];
    for (const method of [...methods, 'tasks/get', 'completion/complete']) {
      const refusal = refusalOf(`{"jsonrpc":"2.0","id":7,"method":"${method}",${params}}`);
      expect(refusal).toMatchObject({ error: 'INVALID_REQUEST', id: '7' });
    }
  });

  test('a case variant is fine where the name says nothing, and in what is a vendor’s', () => {
    for (const text of [
      '{"jsonrpc":"2.0","id":1,"method":"vendor/m","params":{"name":"a","Name":"b"}}',
      '{"jsonrpc":"2.0","method":"notifications/x","params":{"Name":1}}',
      '{"jsonrpc":"2.0","id":1,"result":{"Name":1,"name":2}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"Name":1,"name":2}}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"names":1,"Argument":{}}}',
    ]) {
      expect(messageIn(text).toText()).toBe(text);
    }
  });

  test('V43: a repeated member of a result or of its _meta is refused', () => {
    for (const result of [
      '{"a":1,"a":2}',
      '{"_meta":{"a":1,"b":2,"a":3}}',
      '{"_meta":{},"_meta":{}}',
    ]) {
      const refusal = refusalOf(`{"jsonrpc":"2.0","id":7,"result":${result}}`);
      expect(refusal).toMatchObject({ error: 'INVALID_REQUEST', id: '7' });
    }
  });

  test('equal names in different objects are fine', () => {
    const text = call('"params":{"name":"a","arguments":{"name":1,"method":2},"_meta":{"name":3}}');
    expect(messageIn(text).value).toEqual({
      name: 'a',
      arguments: { name: 1, method: 2 },
      _meta: { name: 3 },
    });
  });

  test('a reserved member written with escapes is the member it stands for', () => {
    const message = messageIn(
      '{"jsonrpc":"2.0","\\u0069d":7,"method":"m","p\\u0061rams":{"_m\\u0065ta":{}}}',
    );
    expect([message.id, message.payload]).toEqual(['7', '{"_m\\u0065ta":{}}']);
    expect(message.token(message.spans.meta)).toBe('{}');
  });

  test.each([
    '"__proto__":{}',
    '"\\u005f_proto__":{}',
    '"params":{"__proto__":{}}',
    '"params":{"_meta":{"__proto__":1}}',
    '"params":{"arguments":{"a":[{"__proto__":{"admin":true}}]}}',
    '"params":{"a":{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":1}}',
    '"params":{"a":{"\\u005F\\u005fproto__" : 1}}',
  ])('V43: a member named __proto__ is refused wherever it is: %s', (members) => {
    expect(refusalOf(call(members))).toMatchObject({ error: 'INVALID_REQUEST', id: '7' });
  });

  test('a value that reads __proto__ is fine', () => {
    const message = messageIn(call('"params":{"a":"__proto__","b":["__proto__"],"c__proto__":1}'));
    expect(message.kind).toBe('request');
  });
});

describe('spans', () => {
  test('the spans of a request slice to its meta, progress token and subscription id', () => {
    const text = `\n{"jsonrpc":"2.0","id":1,"method":"m", "params" : { "_meta" : {"progressToken" : "t" , "${SUBSCRIPTION_ID}": 5} } }`;
    const message = messageIn(text);
    const { spans } = message;
    expect(message.token(spans.meta)).toBe(`{"progressToken" : "t" , "${SUBSCRIPTION_ID}": 5}`);
    expect(message.token(spans.progressToken)).toBe('"t"');
    expect(message.token(spans.subscriptionId)).toBe('5');
    expect(spans.requestId).toBeUndefined();
  });

  test('the spans of a notification slice to its progress token and request id', () => {
    const progress = messageIn(
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"_meta":{"progressToken":1},"progressToken":"x","progress":1}}',
    );
    expect(progress.token(progress.spans.progressToken)).toBe('"x"');
    const cancelled = messageIn(
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"r","requestId":12}}',
    );
    expect(cancelled.token(cancelled.spans.requestId)).toBe('12');
    expect(cancelled.spans.progressToken).toBeUndefined();
  });

  test('a request takes back nothing, whatever its params name', () => {
    expect(messageIn(call('"params":{"requestId":1}')).spans.requestId).toBeUndefined();
  });

  test('a progress token of a request is looked for in _meta only', () => {
    expect(messageIn(call('"params":{"progressToken":1}')).spans.progressToken).toBeUndefined();
    expect(
      messageIn(call('"params":{"a":{"_meta":{"progressToken":1}}}')).spans.meta,
    ).toBeUndefined();
  });

  test('the spans of a result slice to its meta and subscription id', () => {
    const message = messageIn(
      `{"jsonrpc":"2.0","id":1,"result":{"progressToken":1,"_meta":{"a":[{}],"${SUBSCRIPTION_ID}":"s"}}}`,
    );
    expect(message.token(message.spans.subscriptionId)).toBe('"s"');
    expect(message.token(message.spans.meta)).toBe(`{"a":[{}],"${SUBSCRIPTION_ID}":"s"}`);
    expect(message.spans.progressToken).toBeUndefined();
  });

  test('a _meta that is no object has a span and no members', () => {
    const message = messageIn(call('"params":{"_meta":[{"progressToken":1}]}'));
    expect(message.token(message.spans.meta)).toBe('[{"progressToken":1}]');
    expect(message.spans.progressToken).toBeUndefined();
  });
});

describe('batches', () => {
  test('each entry is read for itself, in order', () => {
    const outcome = readMessage(
      ' [ {"jsonrpc":"2.0","id":1,"method":"a"}, 3, {"jsonrpc":"2.0","id":2}, [], {"jsonrpc":"2.0","method":"b","params":{"_meta":{"progressToken":1}}},{"jsonrpc":"2.0","id":4,"method":"c","params":{"__proto__":1}} ] ',
      BOUNDS,
    );
    if (outcome.kind !== 'batch') throw new Error(outcome.kind);
    expect(
      outcome.entries.map((entry) => (entry instanceof Message ? entry.method : entry.error)),
    ).toEqual([
      'a',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'b',
      'INVALID_REQUEST',
    ]);
    expect((outcome.entries[2] as Refusal).id).toBe('2');
    expect((outcome.entries[5] as Refusal).id).toBe('4');
    expect((outcome.entries[4] as Message).payload).toBe('{"_meta":{"progressToken":1}}');
  });

  test('an empty batch is an invalid request', () => {
    expect(refusalOf(' [ ] ').error).toBe('INVALID_REQUEST');
  });

  test('a batch may have as many messages as the bound says, and no more', () => {
    const bounds = { ...BOUNDS, batchMessagesMax: 3 };
    const entry = '{"jsonrpc":"2.0","method":"m"}';
    expect(readMessage(`[${Array(3).fill(entry).join()}]`, bounds).kind).toBe('batch');
    expect(refusalOf(`[${Array(4).fill(entry).join()}]`, bounds).error).toBe('BATCH_TOO_LARGE');
    expect(refusalOf(`[${Array(4).fill('1').join()}]`, bounds).error).toBe('BATCH_TOO_LARGE');
  });
});

describe('bounds', () => {
  function nested(depth: number): string {
    return call(`"params":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  }

  test('depth is allowed up to the bound; beyond it the refusal names it and the id', () => {
    const depth = BOUNDS.depthMax - 2;
    expect(messageIn(nested(depth)).kind).toBe('request');
    const refusal = refusalOf(nested(depth + 1));
    expect(refusal).toMatchObject({ error: 'JSON_TOO_COMPLEX', id: '7' });
    expect(refusal.detail).toContain(`${BOUNDS.depthMax} levels`);
  });

  test('every kind of container counts for the depth', () => {
    const bounds = { ...BOUNDS, depthMax: 3 };
    expect(messageIn(call('"params":{"_meta":{"a":1}}'), bounds).kind).toBe('request');
    expect(refusalOf(call('"params":{"_meta":{"a":[]}}'), bounds).error).toBe('JSON_TOO_COMPLEX');
    expect(messageIn(call('"params":{"a":[1]}'), bounds).kind).toBe('request');
    expect(refusalOf(call('"params":{"a":[{}]}'), bounds).error).toBe('JSON_TOO_COMPLEX');
    expect(refusalOf(call('"x":[[[1]]]'), bounds).error).toBe('JSON_TOO_COMPLEX');
    expect(refusalOf(call('"params":{}'), { ...BOUNDS, depthMax: 1 }).error).toBe(
      'JSON_TOO_COMPLEX',
    );
  });

  test.each(['[', '{"a":', '[[],'])('a million of %j are refused without a crash', (opening) => {
    for (const prefix of ['', '{"jsonrpc":"2.0","id":1,"method":"m","params":']) {
      const refusal = refusalOf(prefix + opening.repeat(1_000_000));
      expect(['JSON_TOO_COMPLEX', 'BATCH_TOO_LARGE']).toContain(refusal.error);
    }
  });

  test('members are counted in every object of the text', () => {
    const bounds = { ...BOUNDS, keysMax: 10 };
    const members = (count: number): string =>
      Array.from({ length: count }, (_, index) => `"k${index}":1`).join();
    expect(messageIn(call(`"params":{${members(6)}}`), bounds).kind).toBe('request');
    expect(refusalOf(call(`"params":{${members(7)}}`), bounds).detail).toContain('10 members');
    expect(messageIn(call(`"params":{"a":[{${members(5)}}]}`), bounds).kind).toBe('request');
    expect(refusalOf(call(`"params":{"a":[{${members(6)}}]}`), bounds).error).toBe(
      'JSON_TOO_COMPLEX',
    );
    expect(messageIn(call('"params":{"a":["b","c","d","e","f","g","h","i"]}'), bounds).kind).toBe(
      'request',
    );
  });

  test('four megabytes of unique keys are refused before they are parsed', () => {
    let keys = '';
    for (let index = 0; keys.length < 4_000_000; index++) keys += `"${index}":0,`;
    const refusal = refusalOf(call(`"params":{${keys}"z":0}`));
    expect(refusal).toMatchObject({ error: 'JSON_TOO_COMPLEX', id: '7' });
  });

  test('a string or a name may be as long as the bound says, and no longer', () => {
    const bounds = { ...BOUNDS, stringCharsMax: 50 };
    const fits = 'x'.repeat(50);
    expect(messageIn(call(`"params":{"a":"${fits}","${fits}":1}`), bounds).kind).toBe('request');
    for (const params of [`{"a":"${fits}x"}`, `{"${fits}x":1}`, `{"a":["${fits}x"]}`]) {
      const refusal = refusalOf(call(`"params":${params}`), bounds);
      expect(refusal).toMatchObject({ error: 'JSON_TOO_COMPLEX', id: '7' });
      expect(refusal.detail).toContain('50 characters');
    }
  });

  test('an upstream may send what a client may not', () => {
    expect(UPSTREAM_BOUNDS).toEqual({
      depthMax: 512,
      keysMax: 1_000_000,
      stringCharsMax: 10_485_760,
      batchMessagesMax: 1000,
    });
    const text = nested(200);
    expect(messageIn(text, UPSTREAM_BOUNDS).kind).toBe('request');
    expect(refusalOf(text).error).toBe('JSON_TOO_COMPLEX');
  });

  test('an id that cannot be echoed is left out when a bound is met', () => {
    const deep = '['.repeat(100);
    expect(refusalOf(`{"id":"a\\x","params":${deep}`).id).toBeUndefined();
    expect(refusalOf(`{"id":null,"params":${deep}`).id).toBeUndefined();
    expect(refusalOf(`{"id":"a\\u0041","params":${deep}`).id).toBe('"a\\u0041"');
  });
});

/** Numbers in [0, 1) that depend on the seed only. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Text of a value with random space between its tokens and random escapes in its strings. */
function spelled(value: unknown, random: () => number): string {
  const spaces = [' ', '\n', '\t', '\r\n'];
  const space = (): string => (random() < 0.7 ? '' : spaces[Math.floor(random() * 4)]!);
  const unit = (char: string): string =>
    random() < 0.1
      ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
      : JSON.stringify(char).slice(1, -1);
  const string = (text: string): string => `"${text.split('').map(unit).join('')}"`;
  const write = (node: unknown): string => {
    if (typeof node === 'string') return space() + string(node) + space();
    if (Array.isArray(node)) return `${space()}[${node.map(write).join() || space()}]${space()}`;
    if (typeof node !== 'object' || node === null) return space() + JSON.stringify(node) + space();
    const members = Object.entries(node).map(
      ([name, inner]) => `${space()}${string(name)}${space()}:${write(inner)}`,
    );
    return `${space()}{${members.join() || space()}}${space()}`;
  };
  return write(value);
}

const anyJson = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
const anyMembers = fc.dictionary(
  fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__'),
  anyJson,
  { noNullPrototype: true },
);
const hasProto = (value: unknown): boolean => JSON.stringify(value).includes('__proto__');

describe('agreement with the parser', () => {
  test('whatever JSON is sent as params, the value, the payload text and the spans agree', () => {
    fc.assert(
      fc.property(
        anyMembers,
        fc.option(anyMembers, { nil: undefined }),
        fc.nat(),
        (rest, meta, seed) => {
          const params =
            meta === undefined ? rest : { ...rest, _meta: { ...meta, progressToken: 'p"1' } };
          fc.pre(!hasProto(params));
          const text = spelled({ jsonrpc: '2.0', id: 7, method: 'm', params }, randomOf(seed));
          const message = messageIn(text);
          const whole = JSON.parse(text) as { params: Record<string, unknown> };
          expect(message.value).toEqual(whole.params);
          expect(JSON.parse(message.payload!)).toEqual(whole.params);
          const slice = (span: Span | undefined): unknown =>
            span === undefined ? undefined : JSON.parse(message.token(span)!);
          expect(slice(message.spans.meta)).toEqual(whole.params['_meta']);
          if (meta !== undefined) expect(slice(message.spans.progressToken)).toBe('p"1');
        },
      ),
      { numRuns: 500 },
    );
  });

  test('whatever JSON text is read, it is refused as no JSON only if the parser refuses it too', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          anyJson.map((value) => JSON.stringify(value, null, 1)),
        ),
        (text) => {
          const outcome = readMessage(text, UPSTREAM_BOUNDS);
          if (outcome.kind === 'refused') expect(outcome.refusal.error).not.toBe('PARSE_ERROR');
        },
      ),
    );
  });

  test('damaged text never throws, and is a message only if the parser takes it', () => {
    const text = call(
      '"params":{"name":"a\\"b","arguments":{"x":[1,{"y":null}]},"_meta":{"progressToken":"t"}}',
    );
    const damage = fc.tuple(
      fc.nat(text.length),
      fc.nat(3),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ':', ',', ' ', '1'),
    );
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let damaged = text;
        for (const [at, cut, put] of damages)
          damaged = damaged.slice(0, at) + put + damaged.slice(at + cut);
        const outcome = readMessage(damaged, BOUNDS);
        if (outcome.kind !== 'message') return;
        const whole = JSON.parse(damaged) as { id?: unknown; params?: unknown };
        expect(outcome.message.value).toEqual(whole.params);
        if (outcome.message.payload !== undefined) {
          expect(JSON.parse(outcome.message.payload)).toEqual(whole.params);
        }
        if (outcome.message.id !== undefined) expect(JSON.parse(outcome.message.id)).toBe(whole.id);
      }),
      { numRuns: 2000 },
    );
  });

  test('a message written out and read again is the same message', () => {
    fc.assert(
      fc.property(anyMembers, (result) => {
        fc.pre(!hasProto(result));
        const message = messageIn(JSON.stringify({ jsonrpc: '2.0', id: 'x', result }));
        const again = messageIn(message.toText());
        expect([again.id, again.payload, again.value]).toEqual([
          message.id,
          message.payload,
          message.value,
        ]);
      }),
    );
  });
});

describe('work grows linearly', () => {
  const shapes: Record<string, (size: number) => string> = {
    'escaped quotes': (size) => call(`"params":{"a":"${'\\"'.repeat(size)}"}`),
    backslashes: (size) => call(`"params":{"a":"${'\\\\'.repeat(size)}"}`),
    'escapes in a name': (size) => call(`"params":{"${'\\u0061'.repeat(size)}":1}`),
    'short strings': (size) => call(`"params":{"a":[${'"a",'.repeat(size)}1]}`),
    spaces: (size) => call(`"params":{"a":[${' \n'.repeat(size)}]}`),
    'strings with spaces after them': (size) => call(`"params":{"a":["b"${' '.repeat(size)},1]}`),
    'unterminated quotes': (size) => call(`"params":{"a":"${'\\"'.repeat(size)}`),
    digits: (size) => call(`"params":{"a":${'1'.repeat(size)}}`),
  };
  test.each(Object.keys(shapes))('a megabyte of %s is read in the time a parser takes', (name) => {
    const text = shapes[name]!(1_000_000);
    const startedAt = performance.now();
    const outcome = readMessage(text, BOUNDS);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(['message', 'refused']).toContain(outcome.kind);
  });
});
