/** Requests that are wrong in every way that is known to have hurt a server, as data. */

export interface Target {
  /** The request target of the POST. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Part of the params of every message. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

export interface BadRequest {
  readonly bytes: string | Buffer;
  readonly status: number;
  /** The code of the JSON-RPC error. Default: any. */
  readonly code?: number | undefined;
}

export interface BadKind {
  readonly name: string;
  /** The request of this number, for one of the ways to send a message. */
  readonly make: (number: number, target: Target) => BadRequest;
}

/** Bounds that are small enough to be met a thousand times. */
export const SMALL_LIMITS = {
  bodyBytesMax: 65_536,
  jsonKeysMax: 1000,
  jsonStringCharsMax: 10_000,
} as const;

const PARSE = -32700;
const INVALID = -32600;

export function post(
  target: Target,
  body: string | Buffer,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Buffer {
  const bytes = Buffer.from(body);
  const all = { host: 'localhost', ...target.headers, 'content-length': String(bytes.length) };
  return Buffer.concat([Buffer.from(headText('POST', target.path, { ...all, ...headers })), bytes]);
}

export function headText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A message that nothing is wrong with. */
export function goodBody(number: number, target?: Target): string {
  const params = { name: 'echo', arguments: { text: `text ${number}` }, _meta: target?.meta };
  return JSON.stringify({ jsonrpc: '2.0', id: number, method: 'tools/call', params });
}

function pick<Item>(items: readonly Item[], number: number): Item {
  return items[number % items.length] as Item;
}

function bodies(
  name: string,
  code: number | undefined,
  make: (number: number) => string | Buffer,
): BadKind {
  return {
    name,
    make: (number, target) => ({ bytes: post(target, make(number)), status: 400, code }),
  };
}

const NOT_JSON = [
  '',
  ' ',
  '{',
  '}',
  'nul',
  'undefined',
  'NaN',
  "{'a':1}",
  '{"a":1,}',
  '[1,]',
  '[1 2]',
  '01',
  '+1',
  '1.',
  '.5',
  '1e',
  '-',
  '{"a" 1}',
  '{a:1}',
  '{"a":1}}',
  '{"a":1}{"a":1}',
  '"\\x41"',
  '"\\u12"',
  '"a\nb"',
  '"a\u0000b"',
  '"open',
  '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"a":"\t"}',
  '// no\n{}',
  '<?xml version="1.0"?><a/>',
  '<script>alert(1)</script>',
  'a=1&b=2',
];

const NOT_A_MESSAGE = [
  '42',
  '"text"',
  'null',
  'true',
  '{}',
  '{"jsonrpc":"2.0"}',
  '{"id":1,"method":"ping"}',
  '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  '{"jsonrpc":2.0,"id":1,"method":"ping"}',
  '{"jsonrpc":["2.0"],"id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":7}',
  '{"jsonrpc":"2.0","id":1,"method":null}',
  '{"jsonrpc":"2.0","id":1,"method":["ping"]}',
  '{"jsonrpc":"2.0","id":1,"method":{"a":1}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":"text"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":7}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
  '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
  '{"jsonrpc":"2.0","id":true,"method":"ping"}',
  '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  '{"jsonrpc":"2.0","id":[1],"method":"ping"}',
  '{"jsonrpc":"2.0","id":1e400,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
  '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"a"}}',
  '{"jsonrpc":"2.0","id":1,"result":7}',
  '{"jsonrpc":"2.0","id":1,"error":"text"}',
  '{"jsonrpc":"2.0","result":{}}',
  '{"jsonrpc":"2.0","id":null,"result":{}}',
];

const REPEATED = [
  '{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/list"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{"a":1}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"die"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","\\u006eame":"die"}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{},"_meta":{"a":1}}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"progressToken":2}}}',
];

const PROTOTYPES = [
  '{"__proto__":{"a":1},"jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{"isAdmin":true}}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"__proto__":{"a":1}}}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[{"b":{"__proto__":1}}]}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\u005f_proto__":1}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\u005f\\u005fproto\\u005f\\u005f":null}}',
];

const CASES = [
  '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}',
  '{"jsonrpc":"2.0","id":1,"Method":"ping"}',
  '{"JSONRPC":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{"a":1}}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{"a":1}}',
  '{"jsonrpc":"2.0","id":1,"re\u017fult":{},"result":{}}',
];

const NOT_UTF8 = [
  [0xff],
  [0xfe, 0xff],
  [0xc0, 0xaf],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0x80],
  [0xc3],
  [0xf0, 0x9f, 0x8c],
];

const BATCHES = [
  '[]',
  '[1]',
  '[{}]',
  '[[]]',
  '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
  '[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}]',
  `[${Array.from({ length: 101 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join()}]`,
];

export const BAD_BODIES: readonly BadKind[] = [
  bodies('messages that break off', PARSE, (number) => {
    const whole = goodBody(number);
    return whole.slice(0, number % whole.length);
  }),
  bodies('texts that are no JSON', PARSE, (number) => pick(NOT_JSON, number)),
  bodies('wrong types', INVALID, (number) => pick(NOT_A_MESSAGE, number)),
  bodies('nesting without end', INVALID, (number) => {
    const depth = 64 + (number % 500) * 60;
    const open = number % 2 === 0 ? '[' : '{"a":';
    const inner = open.repeat(Math.min(depth, 60_000 / open.length));
    return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${inner}`;
  }),
  bodies('too many members', INVALID, (number) => {
    const count = SMALL_LIMITS.jsonKeysMax + 1 + (number % 100);
    const members = Array.from({ length: count }, (_, at) => `"k${at}":0`).join();
    return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{${members}}}`;
  }),
  bodies('strings without end', INVALID, (number) => {
    const text = 'a'.repeat(SMALL_LIMITS.jsonStringCharsMax + 1 + number);
    const place = number % 2 === 0 ? `"a":"${text}"` : `"${text}":1`;
    return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{${place}}}`;
  }),
  bodies('repeated members', INVALID, (number) => pick(REPEATED, number)),
  bodies('__proto__', INVALID, (number) => pick(PROTOTYPES, number)),
  bodies('V42 members that differ in case', INVALID, (number) => pick(CASES, number)),
  bodies('what is not UTF-8', PARSE, (number) => {
    const [head, tail] = goodBody(number).split('text ') as [string, string];
    const bytes = Buffer.from(pick(NOT_UTF8, number));
    return Buffer.concat([Buffer.from(head), bytes, Buffer.from(tail)]);
  }),
  bodies('batches', INVALID, (number) => pick(BATCHES, number)),
  {
    name: 'V48 more bytes than are taken',
    make(number, target) {
      const size = SMALL_LIMITS.bodyBytesMax + 1 + number;
      const announced = headText('POST', target.path, {
        host: 'localhost',
        ...target.headers,
        'content-length': String(number % 3 === 0 ? size : 2 ** 40),
      });
      const sent = number % 3 === 0 ? 'a'.repeat(size) : '';
      return { bytes: announced + sent, status: 413 };
    },
  },
  {
    name: 'V48 chunks without end',
    make(number, target) {
      const piece = (number % 2 === 0 ? 1 : 16) * 1024;
      const chunk = `${piece.toString(16)}\r\n${' '.repeat(piece)}\r\n`;
      const chunks = chunk.repeat(SMALL_LIMITS.bodyBytesMax / piece + 1);
      const headers = { host: 'localhost', ...target.headers, 'transfer-encoding': 'chunked' };
      return { bytes: headText('POST', target.path, headers) + chunks, status: 413 };
    },
  },
];

const TYPES = [
  'text/plain',
  'text/plain;charset=UTF-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'application/json; charset=iso-8859-1',
  'application/json5',
  'application/jsonp',
  'application/vnd.api+json',
  'text/json',
  'application/json, text/plain',
  'json',
  '*/*',
  '',
];

const ENCODINGS = ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'x', 'identity'];

const FOREIGN_HOSTS = [
  'evil.test',
  'evil.test:80',
  'localhost.evil.test',
  'evil-localhost',
  'localhost,evil.test',
  '127.0.0.1.evil.test',
  '[::2]',
  '169.254.169.254',
  '0.0.0.0',
  '127.0.0.2',
  '2130706433',
];

const MALFORMED_HOSTS = [
  'a/x?',
  'a#',
  'localhost/',
  'localhost?x=1',
  'user@localhost',
  'localhost:99999',
  'localhost:80:80',
  'localhost:x',
  'local host',
  '[::1',
  '',
  'http://localhost',
  'localhost\\evil',
];

const FOREIGN_ORIGINS: readonly (string | readonly string[])[] = [
  'http://evil.test',
  'null',
  'NULL',
  '',
  'file://',
  'http://localhost.evil.test',
  'http://evil.test/http://localhost',
  'http://localhost@evil.test',
  'chrome-extension://abcdef',
  'https://localhost:0x50',
  ['http://localhost', 'http://evil.test'],
  ['http://evil.test', 'http://localhost'],
  ['http://localhost', 'http://localhost'],
];

const METHODS = ['PUT', 'PATCH', 'TRACE', 'PROPFIND', 'LOCK', 'PURGE', 'FOO', 'get', 'SEARCH'];

const PATHS = [
  '/',
  '/mcp/../mcp',
  '/../mcp',
  '/%2e%2e/mcp',
  '/./mcp',
  '//mcp',
  '/mcp//',
  '/mcp%2f',
  '/mcp/..;/sse',
  '/MCP',
  '/mcp.json',
  '/mcp/x',
  '/..%5cmcp',
  '/.git/config',
  '/etc/passwd',
  '/sse/../../../../etc/passwd',
  '/%00',
  '/mcp%00',
  '/mcp;a=b',
  '/__proto__',
  '/constructor',
  '/favicon.ico',
];

const BROKEN_HEADS = [
  'x-a: b\rx-c: d\r\n',
  'x-a: b\nx-c: d\r\n',
  'x-a: b\u0000c\r\n',
  'x a: b\r\n',
  'x-a : b\r\n',
  ': b\r\n',
  'x-a\r\n',
  '(x): b\r\n',
  'content-length: 5\r\n',
  'content-length: -1\r\n',
  'content-length: 0x10\r\n',
  'transfer-encoding: chunked\r\n',
  'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n',
];

/** What is wrong with one header of an otherwise good request. */
function header(
  name: string,
  status: number,
  make: (number: number) => Readonly<Record<string, string | readonly string[]>>,
): BadKind {
  return {
    name,
    make: (number, target) => ({
      bytes: post(target, goodBody(number, target), make(number)),
      status,
    }),
  };
}

export const BAD_HEADS: readonly BadKind[] = [
  header('V07 wrong content types', 415, (number) => ({ 'content-type': pick(TYPES, number) })),
  header('content encodings', 415, (number) => ({
    'content-encoding': pick(ENCODINGS, number),
  })),
  header('V01 hosts that are not ours', 403, (number) => ({ host: pick(FOREIGN_HOSTS, number) })),
  header('V09 hosts that are none', 400, (number) => ({ host: pick(MALFORMED_HOSTS, number) })),
  header('V09 two hosts', 400, (number) => ({
    host: number % 2 === 0 ? ['localhost', 'evil.test'] : ['localhost', 'localhost'],
  })),
  header('V05 foreign origins', 403, (number) => ({ origin: pick(FOREIGN_ORIGINS, number) })),
  header('two credentials', 400, (number) => {
    const other = number % 2 === 0 ? 'Bearer wrong-token-0123456789' : 'Basic YTpi';
    return { authorization: ['Bearer user-bystander_of_all', other] };
  }),
  header('wrong credentials', 401, (number) => ({
    authorization: pick(
      ['', 'Bearer', 'Bearer ', 'Basic YTpi', `Bearer ${number}`, 'bystander_of_all', 'Bearer a b'],
      number,
    ),
  })),
  header('heads without end', 431, (number) => ({ 'x-a': 'a'.repeat(17_000 + number) })),
  {
    name: 'methods that are not served',
    make(number, target) {
      const head = { host: 'localhost', ...target.headers };
      return { bytes: headText(pick(METHODS, number), target.path, head), status: 405 };
    },
  },
  {
    name: 'tunnels',
    make(number) {
      const authority = pick(['evil.test:443', 'localhost:80', '169.254.169.254:80'], number);
      return { bytes: `CONNECT ${authority} HTTP/1.1\r\nHost: localhost\r\n\r\n`, status: 405 };
    },
  },
  {
    name: 'paths that lead nowhere',
    make(number, { headers }) {
      const path = pick(PATHS, number);
      const method = number % 2 === 0 ? 'GET' : 'DELETE';
      return { bytes: headText(method, path, { host: 'localhost', ...headers }), status: 404 };
    },
  },
  {
    name: 'heads that break the grammar or smuggle',
    make(number, target) {
      const good = post(target, goodBody(number, target)).toString();
      const bad = `\r\n${pick(BROKEN_HEADS, number)}\r\n`;
      return { bytes: good.replace('\r\n\r\n', bad), status: 400 };
    },
  },
];
