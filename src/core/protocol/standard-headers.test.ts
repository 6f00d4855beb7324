import { describe, expect, test } from 'vitest';
import { Message } from './message.ts';
import { checkStandardHeaders, standardHeadersOf, type HeaderSource } from './standard-headers.ts';

const VERSION = '2026-07-28';

function headOf(...lines: readonly (readonly [string, string])[]): HeaderSource {
  return {
    header: (name) => lines.find(([other]) => other === name)?.[1],
    headerCount: (name) => lines.filter(([other]) => other === name).length,
    headerNames: () => lines.map(([name]) => name),
  };
}

const version = ['mcp-protocol-version', VERSION] as const;
const list = Message.request('"a"', 'tools/list', '{}');
const call = Message.request('7', 'tools/call', '{"name":"get_weather"}');
const callHeaders = [version, ['mcp-method', 'tools/call']] as const;

function expectMismatch(message: Message, head: HeaderSource, detail: RegExp): void {
  const refusal = checkStandardHeaders(message, VERSION, head);
  expect(refusal).toMatchObject({ error: 'HEADER_MISMATCH', id: message.id });
  expect(refusal?.detail).toMatch(detail);
}

describe('what a client sends', () => {
  test.each([
    list,
    call,
    Message.request('1', 'resources/read', JSON.stringify({ uri: ' ä\r\n' })),
    Message.request('1', 'prompts/get', JSON.stringify({ name: '=?base64?x?=' })),
    Message.request('1', 'tools/call', '{}'),
  ])('W52 W54: is what a server accepts', (message) => {
    const flat = standardHeadersOf(message, VERSION) ?? [];
    const lines = flat.flatMap((name, i) =>
      i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1] ?? ''] as const] : [],
    );
    expect(lines.length).toBeGreaterThan(1);
    expect(checkStandardHeaders(message, VERSION, headOf(...lines))).toBeUndefined();
  });

  const UNSENT = ['tools\r\nX: y', 'ä', '', 'a b', ' a', 'a ', 'a\u007f', 'a\u0000'];

  test.each(UNSENT)('V44: has no header for the method or the version %j', (text) => {
    expect(standardHeadersOf(Message.request('1', text), VERSION)).toBeUndefined();
    expect(standardHeadersOf(list, text)).toBeUndefined();
  });

  test.each([undefined, null, 7, ['a'], { a: 1 }])('V44: has no header for the name %j', (name) => {
    const nameless = Message.request('1', 'tools/call', JSON.stringify({ name }));
    expect(standardHeadersOf(nameless, VERSION)).toHaveLength(4);
  });
});

describe('version and method', () => {
  test('W52: headers that agree with the body are accepted', () => {
    expect(
      checkStandardHeaders(list, VERSION, headOf(version, ['mcp-method', 'tools/list'])),
    ).toBeUndefined();
  });

  test('W52 V43: each missing header is refused with the id of the request', () => {
    expectMismatch(list, headOf(['mcp-method', 'tools/list']), /MCP-Protocol-Version.*missing/);
    expectMismatch(list, headOf(version), /Mcp-Method.*missing/);
    expectMismatch(list, headOf(version, ['mcp-method', '']), /Mcp-Method.*differs/);
  });

  test('W53 V43: a header that differs is refused, in case too', () => {
    expectMismatch(list, headOf(version, ['mcp-method', 'tools/call']), /Mcp-Method.*differs/);
    expectMismatch(list, headOf(version, ['mcp-method', 'Tools/List']), /Mcp-Method.*differs/);
    expectMismatch(
      list,
      headOf(['mcp-protocol-version', '2025-11-25'], ['mcp-method', 'tools/list']),
      /MCP-Protocol-Version.*differs/,
    );
  });

  test('W53: outer spaces and tabs do not count, other white space does', () => {
    const padded = headOf(
      ['mcp-protocol-version', ` ${VERSION}\t`],
      ['mcp-method', '  tools/list '],
    );
    expect(checkStandardHeaders(list, VERSION, padded)).toBeUndefined();
    expectMismatch(list, headOf(version, ['mcp-method', 'tools/list\u00a0']), /differs/);
  });

  test('W53 V43: a repeated header is refused, even if both are the same', () => {
    expectMismatch(list, headOf(version, version, ['mcp-method', 'tools/list']), /more than once/);
    const method = ['mcp-method', 'tools/list'] as const;
    expectMismatch(list, headOf(version, method, method), /more than once/);
  });

  test('W54: the method is never encoded', () => {
    expectMismatch(list, headOf(version, ['mcp-method', '=?base64?dG9vbHMvbGlzdA==?=']), /differs/);
  });
});

describe('Mcp-Name', () => {
  test.each([
    ['tools/call', 'name'],
    ['prompts/get', 'name'],
    ['resources/read', 'uri'],
    ['tasks/get', 'taskId'],
    ['tasks/update', 'taskId'],
    ['tasks/cancel', 'taskId'],
  ])('W52 V43: %s repeats params.%s', (method, member) => {
    const message = Message.request('1', method, `{"${member}":"x","other":"y"}`);
    const head = [version, ['mcp-method', method]] as const;
    expect(
      checkStandardHeaders(message, VERSION, headOf(...head, ['mcp-name', 'x'])),
    ).toBeUndefined();
    expectMismatch(message, headOf(...head), /Mcp-Name.*missing/);
    expectMismatch(message, headOf(...head, ['mcp-name', 'y']), /Mcp-Name.*differs/);
  });

  test('W53 V43: values are compared in case, without outer spaces, and once', () => {
    const padded = headOf(...callHeaders, ['mcp-name', ' get_weather\t']);
    expect(checkStandardHeaders(call, VERSION, padded)).toBeUndefined();
    expectMismatch(call, headOf(...callHeaders, ['mcp-name', 'Get_Weather']), /differs/);
    const name = ['mcp-name', 'get_weather'] as const;
    expectMismatch(call, headOf(...callHeaders, name, name), /more than once/);
  });

  test('W54: an encoded name is decoded before it is compared', () => {
    const message = Message.request('1', 'tools/call', '{"name":"Hello, 世界"}');
    const head = (name: string): HeaderSource => headOf(...callHeaders, ['mcp-name', name]);
    expect(
      checkStandardHeaders(message, VERSION, head('=?base64?SGVsbG8sIOS4lueVjA==?=')),
    ).toBeUndefined();
    expectMismatch(message, head('=?base64?SGVsbG8?='), /not validly encoded/);
    expectMismatch(message, head('=?base64?SGVsbG8=?='), /differs/);
  });

  test('W54: a name that looks encoded must arrive encoded', () => {
    const message = Message.request('1', 'tools/call', '{"name":"=?base64?YQ==?="}');
    expectMismatch(message, headOf(...callHeaders, ['mcp-name', '=?base64?YQ==?=']), /differs/);
    const encoded = headOf(...callHeaders, ['mcp-name', '=?base64?PT9iYXNlNjQ/WVE9PT89?=']);
    expect(checkStandardHeaders(message, VERSION, encoded)).toBeUndefined();
  });

  test('V43: a body without the member is left to the server, unless a header names one', () => {
    const message = Message.request('1', 'tools/call', '{"name":5}');
    expect(checkStandardHeaders(message, VERSION, headOf(...callHeaders))).toBeUndefined();
    expectMismatch(message, headOf(...callHeaders, ['mcp-name', '5']), /no params.name/);
    const bare = Message.request('1', 'tools/call');
    expectMismatch(bare, headOf(...callHeaders, ['mcp-name', 'x']), /no params.name/);
  });

  test('methods without a name take no notice of the header', () => {
    const head = headOf(version, ['mcp-method', 'tools/list'], ['mcp-name', 'anything']);
    expect(checkStandardHeaders(list, VERSION, head)).toBeUndefined();
    const odd = Message.request('1', 'constructor', '{"name":"x"}');
    expect(
      checkStandardHeaders(odd, VERSION, headOf(version, ['mcp-method', 'constructor'])),
    ).toBeUndefined();
  });
});

test('W62 V43: a notification needs no header, but those it has must be true', () => {
  const message = Message.notification('notifications/cancelled', '{"requestId":1}');
  expect(checkStandardHeaders(message, VERSION, headOf())).toBeUndefined();
  const right = headOf(version, ['mcp-method', 'notifications/cancelled']);
  expect(checkStandardHeaders(message, VERSION, right)).toBeUndefined();
  expectMismatch(message, headOf(['mcp-method', 'tools/call']), /differs/);
  const unasked = Message.notification('tools/call', '{"name":"a"}');
  expect(checkStandardHeaders(unasked, VERSION, headOf())).toBeUndefined();
  expectMismatch(unasked, headOf(['mcp-name', 'b']), /differs/);
});
