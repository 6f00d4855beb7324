import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { GatewayConfig, ServerConfig } from '../gateway-config.ts';
import type { FileText } from './file-access.ts';
import { type ConfigOutcome, readConfig } from './read-config.ts';

const SECRET = 'qvx9-canary-zw7k';
const ENV = {
  SECRET,
  HOME: '/home/me',
  EMPTY: '',
  PORT: '9000',
  OFF: 'false',
  HOST: 'mcp.example.com',
};
const NO_PEM: FileText = { kind: 'text', text: 'no certificate' };
const BAD_PEM: FileText = {
  kind: 'text',
  text: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
};

function outcomeOf(text: string, env: Record<string, string> = ENV): ConfigOutcome {
  const files = new Map([
    ['/etc/tidegate/none.pem', NO_PEM],
    ['/etc/tidegate/bad.pem', BAD_PEM],
  ]);
  return readConfig(text, {
    path: '/etc/tidegate/tidegate.yaml',
    env,
    readFile: (path) => files.get(path) ?? { kind: 'unreadable', fault: 'does not exist' },
  });
}

function configOf(text: string, env?: Record<string, string>): GatewayConfig {
  const outcome = outcomeOf(text, env);
  if (outcome.kind === 'config') return outcome.config;
  throw new Error(problemsOf(text, env).join('\n'));
}

function serverOf(keys: string, env?: Record<string, string>): ServerConfig {
  return configOf(`servers: { a: { ${keys} } }`, env).servers[0]!;
}

/** `line:column path: message` of each problem. */
function problemsOf(text: string, env?: Record<string, string>): readonly string[] {
  const outcome = outcomeOf(text, env);
  if (outcome.kind === 'config') return [];
  return outcome.problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
  );
}

function placesIn(text: string): readonly string[] {
  return problemsOf(text).map((line) => line.slice(0, line.indexOf(': ')));
}

/** Messages about one server of these keys, or about the file with these lines before it. */
function saidOf(keys: string, before = ''): string {
  return problemsOf(`${before}\nservers: { a: { ${keys} } }`).join('\n');
}

describe('a config of our own', () => {
  test('of one line gets every default', () => {
    expect(configOf('servers: { files: { command: npx } }')).toEqual({
      listen: {
        host: '127.0.0.1',
        port: 8808,
        publicUrl: undefined,
        allowedOrigins: undefined,
        drainMs: 20_000,
      },
      auth: { kind: 'kept' },
      all: undefined,
      servers: [
        {
          name: 'files',
          source: { kind: 'command', command: 'npx', args: [], env: {}, cwd: '/etc/tidegate' },
          isolation: 'session',
          eras: 'all',
          limits: {},
          endpointForm: 'relative',
          priming: 'auto',
          heartbeat: 'comment',
          isRequired: true,
        },
      ],
    });
  });

  test('of every key is read as it says', () => {
    const config = configOf(`
listen: { host: '[::1]', port: "\${PORT}", publicUrl: https://mcp.example.com/gate/, drain: 1.5s,
  allowedOrigins: [https://APP.example.com, vscode-webview://x] }
auth: { token: "\${SECRET}" }
all: { servers: [b, a] }
defaults: { isolation: principal, limits: { callMsMax: 60s, retryMs: 100 }, heartbeat: off }
servers:
  a: { command: ./run.sh, args: [x, "\${SECRET}"], env: { K: v }, cwd: data, isolation: shared,
       limits: { callMsMax: 1000 }, required: "\${OFF}", eras: modern }
  b: { url: http://Internal.example/mcp, headers: { X-Key: "\${SECRET}" },
       allowedHosts: [Internal.example], proxy: http://user:pw@proxy.example:3128,
       auth: { type: token_exchange, issuer: https://login.example.com, clientId: gate,
               clientSecret: "\${SECRET}", scope: read write, audience: them } }
  c: { module: ./server.mjs, export: build, priming: off, endpointForm: root }
`);
    expect(config.listen).toEqual({
      host: '::1',
      port: 9000,
      publicUrl: 'https://mcp.example.com/gate',
      allowedOrigins: ['https://app.example.com', 'vscode-webview://x'],
      drainMs: 1500,
    });
    expect(config.auth).toEqual({ kind: 'token', token: SECRET });
    expect(config.all).toEqual({ servers: ['b', 'a'] });
    expect(config.servers).toMatchObject([
      {
        name: 'a',
        isolation: 'shared',
        eras: 'modern',
        heartbeat: 'off',
        isRequired: false,
        limits: { callMsMax: 1000, retryMs: 100 },
        source: {
          kind: 'command',
          command: '/etc/tidegate/run.sh',
          args: ['x', SECRET],
          env: { K: 'v' },
          cwd: '/etc/tidegate/data',
        },
      },
      {
        name: 'b',
        isolation: 'principal',
        limits: { callMsMax: 60_000 },
        source: {
          kind: 'url',
          url: 'http://Internal.example/mcp',
          headers: { 'X-Key': SECRET },
          allowedHosts: ['internal.example'],
          proxy: 'http://user:pw@proxy.example:3128',
          credential: {
            kind: 'token-exchange',
            issuer: 'https://login.example.com',
            clientId: 'gate',
            clientSecret: SECRET,
            scope: 'read write',
            audience: 'them',
          },
        },
      },
      {
        name: 'c',
        priming: 'off',
        endpointForm: 'root',
        source: { kind: 'module', path: '/etc/tidegate/server.mjs', exportName: 'build' },
      },
    ]);
  });

  it('takes every limit there is', () => {
    const limits = JSON.stringify(DEFAULT_LIMITS);
    expect(serverOf(`command: x, limits: ${limits}`).limits).toEqual(DEFAULT_LIMITS);
  });

  it('may be JSON, with comments and commas too many', () => {
    const text = `// ours
{ "$schema": "./x.json", "servers": { /* one */ "a": { "module": "./a//b.mjs", }, }, }`;
    expect(configOf(text).servers[0]?.source).toMatchObject({ path: '/etc/tidegate/a/b.mjs' });
  });

  it('serves /all when there is more than one server, unless told otherwise', () => {
    const all = (line: string, servers: string) => configOf(`${line}\nservers: { ${servers} }`).all;
    const [one, two] = ['a: { command: x }', 'a: { command: x }, b: { command: y }'] as const;
    expect(all('', one)).toBeUndefined();
    expect(all('', two)).toEqual({ servers: undefined });
    expect(all('all: true', one)).toEqual({ servers: undefined });
    expect(all('all: false', two)).toBeUndefined();
    expect(all('all: "${GONE:-true}"', one)).toEqual({ servers: undefined });
    expect(all('all: "${GONE:-false}"', two)).toBeUndefined();
  });

  it('shares parts by anchors, merge keys and keys that begin with x-', () => {
    const config = configOf(`
x-remote: &remote { headers: { A: b }, isolation: shared }
servers:
  a: { <<: *remote, url: https://a.example, isolation: session }
  b: { url: https://b.example, <<: [*remote, { required: false }] }
  c: { command: x, args: &args [1a, 2b] }
  d: { command: x, args: *args }
`);
    expect(config.servers).toMatchObject([
      { isolation: 'session', source: { headers: { A: 'b' } } },
      { isolation: 'shared', isRequired: false, source: { headers: { A: 'b' } } },
      { source: { args: ['1a', '2b'] } },
      { source: { args: ['1a', '2b'] } },
    ]);
  });

  it('knows where its servers stand', () => {
    const outcome = outcomeOf('servers:\n  a: { command: x }\n  b:\n    module: y.mjs\n');
    const { places } = outcome as Extract<ConfigOutcome, { kind: 'config' }>;
    expect(places.server('a')).toEqual({ line: 2, column: 3, path: 'servers.a' });
    expect(places.server('b', 'module')).toEqual({
      line: 4,
      column: 13,
      path: 'servers.b.module',
    });
  });
});

describe('what is wrong', () => {
  it('is listed at once, in the order of the file', () => {
    const text = `listen: { port: 99999, publcUrl: x, drain: 20 }
auth: { token: short }
servers:
  Files: { command: npx, url: 'https://a.example', isolation: sesion }
  git: { url: 'http://10.0.0.1/mcp', ca: gone.pem, headers: { A: '\${GONE}' } }
  git: { module: x.mjs }
  mine: { module: x.mjs, exprt: y, limits: { callMs: 1 } }
`;
    expect(placesIn(text)).toEqual([
      '1:17 listen.port',
      '1:24 listen.publcUrl',
      '1:44 listen.drain',
      '2:16 auth.token',
      '4:3 servers.Files',
      '4:26 servers.Files.url',
      '5:15 servers.git.url',
      '5:42 servers.git.ca',
      '5:66 servers.git.headers.A',
      '6:3 servers.git',
      '7:26 servers.mine.exprt',
      '7:46 servers.mine.limits.callMs',
    ]);
  });

  it.each([
    ['', '1:1 : The file is empty'],
    ['# nothing', '1:1 : The file is empty'],
    ['[]', '1:1 : Give keys with values'],
    ['servers: {}', '1:10 servers: Name at least one server'],
    ['listen: {}', '1:1 servers: Name at least one server'],
    ['servers: { a: { command: x }', '1:29 : A } is missing here or before.'],
    ['{"servers": {', '1:14 : A } is missing here or before.'],
    ['{"servers": { "a": { "args": [ } } }', '1:32 : A ] is missing here or before.'],
    ['{\n"a": {"command": "x" "args": []}\n}', '2:18 : A comma, a quote or a bracket is missing'],
    ['{\n"a": {"command": "x, "args": []}\n}', '2:18 : A comma, a quote or a bracket is missing'],
    ['servers:\n\ta: 1', '2:1 : Indent with spaces'],
    ['servers:\n  a:\n    command: x\n   args: []\n', '4:1 : This line is indented otherwise'],
    ['servers:\n  a:\n    args:\n    - x\n   - y\n', '5:1 : This line is indented otherwise'],
    ['servers:\n  a: command: x\n', '2:6 : A line has one key. Begin a new one'],
    ['servers\n  a: b', '1:1 : A : is missing behind this key, or the next line'],
    ['servers:\n- a: b\n  c', '3:3 : A : is missing behind this key.'],
    ['%secret!\n---\na: 1', '1:1 : A line that begins with %'],
    ['a: "b', '1:6 : A quote is not closed'],
    ['servers: { a: { command: x } }\n---\nb: 1', '2:1 : The file holds a second document'],
    ['servers: { a: { command: !x y } }', '1:26 : Tags have no meaning'],
    ['servers: { a: { command: *x } }', '1:26 servers.a.command: What the alias "x" names'],
    ['servers: { a: { args: &x [*x] } }', '1:27 servers.a.args'],
    ['servers: { ? [a] : b }', '1:14 servers: A key must be text'],
    ['servers: { __proto__: { command: x } }', '1:12 servers: The key __proto__'],
    [
      'server: { a: { command: x } }',
      '1:1 server: There is no key "server". Did you mean servers?',
    ],
    ['port: 1', '1:1 port: There is no key "port" here. Write it under listen.'],
    ['token: x', '1:1 token: There is no key "token" here. Write it under auth.'],
    ['jwt: {}', '1:1 jwt: There is no key "jwt" here. Write it under auth.'],
    ['isolation: shared', 'here. Write it under defaults, or in a server of servers.'],
    ['limits: {}', 'here. Write it under defaults, or in a server of servers.'],
    ['command: node', 'here. Write it in a server: servers: { name: { … } }.'],
    ['{ "a": 1, "a": 2 }', '1:11 a: The key "a" stands here twice'],
    ['{ 1: x, "1": y }', '1:9 1: The key "1" stands here twice'],
  ])('in %j is told', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  it.each([
    ['command: ""', 'a.command: Give text that is not empty'],
    ['command: 3', 'a.command: Put this in quotes'],
    ['command: [x]', 'a.command: Give text that is not empty'],
    ['command: x, args: y', 'a.args: Give a list'],
    ['command: x, args: [y, true]', 'a.args[1]: Put this in quotes'],
    ['command: x, env: [y]', 'a.env: Give keys with values'],
    ['command: x, env: { "A=B": c }', 'a.env["A=B"]: A variable has a name without ='],
    ['command: "a\\0b"', 'a.command: Leave out the character NUL'],
    ['command: x, required: yes', 'a.required: Give true or false'],
    ['command: x, isolation: tenent', 'Did you mean tenant?'],
    ['command: x, limits: { retryMs: 0 }', 'a.limits.retryMs: Give a time from 1 ms'],
    ['command: x, limits: { retryMs: 5 parsecs }', 'a.limits.retryMs: Give milliseconds, or a'],
    ['command: x, limits: { sessionsMax: 2.5 }', 'a.limits.sessionsMax: Give a whole number'],
    ['command: x, limits: { sessionMax: 2 }', 'Did you mean sessionsMax?'],
    ['command: x, headers: {}', 'a.headers: There is no key "headers"'],
    ['url: "ftp://x"', 'a.url: Give an absolute URL'],
    ['url: "http://mcp.example.com"', 'a.url: Only https to a public address'],
    ['url: "https://169.254.169.254/"', 'a.url: Only https to a public address'],
    ['url: "https://u:p@x.example"', 'a.url: The URL holds a user or a password'],
    ['url: "https://x.example", headers: { Host: y }', 'a.headers.Host: The header Host is set'],
    ['url: "https://x.example", headers: { A: "b\\nc" }', 'a.headers.A: The value of the header A'],
    [
      'url: "https://x.example", headers: { A: b, a: c }',
      'a.headers.a: This header is given twice',
    ],
    ['url: "https://x.example", ca: none.pem', 'a.ca: The file holds no certificate'],
    ['url: "https://x.example", ca: bad.pem', 'a.ca: The file holds a certificate that cannot'],
    ['url: "https://x.example", ca: gone.pem', 'a.ca: The file does not exist'],
    ['url: "https://x.example", proxy: proxy', 'a.proxy: Give an absolute URL'],
    ['url: "https://x.example", allowedHosts: ["*"]', 'a.allowedHosts[0]: Give one host name'],
    ['url: "https://x.example", auth: { type: token_exchange }', 'a.auth.clientId: This key is'],
    ['module: x.mjs, url: y', 'a.module: A server is one thing'],
    ['args: []', 'a: Say what the server is'],
  ])('with a server of { %s } is told', (keys, problem) => {
    expect(saidOf(keys)).toContain(`servers.${problem}`.replace('servers.Did', 'Did'));
  });

  it.each([
    ['auth:', 'auth: Give { token: … } or none'],
    ['auth: {}', 'auth.token: This key is missing'],
    ['auth: { token: "${EMPTY}" }', 'auth.token: The token is empty'],
    ['auth: { type: basic }', 'auth.type: Give none'],
    ['auth: none\nlisten: { host: 0.0.0.0 }', 'auth: Without a credential'],
    ['auth: none\nlisten: { publicUrl: https://x.example }', 'auth: Without a credential'],
    ['all: { servers: [] }', 'all.servers: Name at least one server'],
    ['all: { servers: [b] }', 'all.servers[0]: There is no server of this name'],
    ['all: { servers: [a, a] }', 'all.servers[1]: This server is listed twice'],
    ['all: some', 'all: Give true, false'],
    [
      'tenants: { b: { credentials: { a: { header: {} } } } }',
      'credentials.a.header: There is no key "header". Did you mean headers?',
    ],
    [
      'tenants: { b: { credentials: { a: { nothing: 1 } } } }',
      'credentials.a.nothing: There is no key "nothing". The keys are headers, auth.',
    ],
    ['listen: { host: "" }', 'listen.host: Give a host name'],
    ['listen: { host: "http://x" }', 'listen.host: Give a host name'],
    ['listen: { publicUrl: "https://x/?a" }', 'listen.publicUrl: Leave out user'],
    ['listen: { drain: 2h }', 'listen.drain: Give a time from 0 ms'],
    ['listen: 8808', 'listen: Give keys with values'],
    ['defaults: { command: x }', 'defaults.command: There is no key "command"'],
  ])('with %j is told', (lines, problem) => {
    expect(saidOf('command: x', lines)).toContain(problem);
  });

  test.each(['all', 'healthz', 'mcp', 'A', 'a_b', '-a', 'a.b', 'a'.repeat(65), '深'])(
    'a server may not be named %j, and another name is proposed that it may have',
    (name) => {
      const said = problemsOf(`servers: { "${name}": { command: x } }`).join('\n');
      const proposed = /(?:such as|Use) ([a-z0-9-]+)\.$/.exec(said)?.[1] ?? '';
      expect(configOf(`servers: { ${proposed}: { command: x } }`).servers).toHaveLength(1);
    },
  );

  it('an exchanged token serves one client alone', () => {
    const auth = 'auth: { type: token_exchange, clientId: a, clientSecret: b }';
    const keys = `url: "https://x.example", ${auth}`;
    for (const isolation of ['tenant', 'shared']) {
      expect(saidOf(`${keys}, isolation: ${isolation}`)).toContain('auth.type: A token of one');
      expect(saidOf(keys, `defaults: { isolation: ${isolation} }`)).toContain('A token of one');
    }
    expect(saidOf(`${keys}, isolation: principal`)).toBe('');
    expect(saidOf(`${keys}, headers: { authorization: x }`)).toContain('auth sets this header');
    expect(saidOf(keys.replace('token_exchange', 'client_credentials'))).toBe('');
    const credentials = keys.replace('token_exchange', 'client_credentials, audience: c');
    expect(saidOf(credentials)).toContain('auth.audience: This belongs to token_exchange');
  });
});

describe('the credential', () => {
  it('is the variable TIDEGATE_TOKEN when the file names none', () => {
    const env = { TIDEGATE_TOKEN: 'a-token-of-some-length' };
    const text = 'servers: { a: { command: x } }';
    expect(configOf(text, env).auth).toEqual({ kind: 'token', token: 'a-token-of-some-length' });
    expect(problemsOf(text, { TIDEGATE_TOKEN: '' })).toEqual([
      '1:1 auth: The token in TIDEGATE_TOKEN is empty.',
    ]);
    expect(problemsOf(`auth: none\n${text}`, env)[0]).toContain('while TIDEGATE_TOKEN is set');
  });

  it('may be none where strangers come only if that is said', () => {
    const text = (auth: string, host: string) =>
      `auth: ${auth}\nlisten: { host: "${host}" }\nservers: { a: { command: x } }`;
    expect(configOf(text('none', 'localhost')).auth).toEqual({ kind: 'none', insecure: false });
    expect(configOf(text('{ type: none, insecure: true }', '::')).auth).toEqual({
      kind: 'none',
      insecure: true,
    });
    expect(problemsOf(text('{ type: none, insecure: false }', '::'))).toHaveLength(1);
  });
});

describe('variables', () => {
  const env = (value: string): unknown => {
    const { source } = serverOf(`command: x, env: { K: ${JSON.stringify(value)} }`);
    return source.kind === 'command' ? source.env['K'] : undefined;
  };

  it.each([
    ['${HOST}', 'mcp.example.com'],
    ['${env:HOST}', 'mcp.example.com'],
    ['a ${HOST} b ${PORT}', 'a mcp.example.com b 9000'],
    ['${NOPE:-x y}', 'x y'],
    ['${NOPE:-}', ''],
    ['${EMPTY}', ''],
    ['${EMPTY:-x}', 'x'],
    ['$${HOST}', '${HOST}'],
    ['$HOST $1 {HOST}', '$HOST $1 {HOST}'],
    ['$$', '$$'],
  ])('%j is %j', (text, value) => {
    expect(env(text)).toBe(value);
  });

  it.each([
    ['${NOPE}', 'The variable NOPE is not set'],
    ['${constructor}', 'The variable constructor is not set'],
    ['${}', 'This names no variable'],
    ['${a b}', 'This names no variable'],
    ['${HOST', 'A variable is not closed'],
    ['${NOPE:-${HOST}}', 'A variable is not closed'],
    ['${input:key}', 'Nobody is there to be asked'],
  ])('%j is a problem', (text, sentence) => {
    expect(saidOf(`command: x, env: { K: ${JSON.stringify(text)} }`)).toContain(sentence);
  });

  it('are put in after parsing: a value adds neither keys nor lines nor variables', () => {
    const value = 'x, cwd: /evil }\n"b": { ${HOST} *a &a';
    const { servers } = configOf('servers: { a: { command: x, env: { K: "${V}" } } }', {
      V: value,
    });
    expect(servers).toHaveLength(1);
    expect(servers[0]?.source).toMatchObject({ env: { K: value }, cwd: '/etc/tidegate' });
  });

  it('stand in no key', () => {
    const { source } = serverOf('command: x, env: { "${HOST}": y }');
    expect(source).toMatchObject({ env: { '${HOST}': 'y' } });
  });
});

describe('the file of a desktop host', () => {
  const source = (entry: string, env?: Record<string, string>) =>
    configOf(`{ "mcpServers": { "A b": ${entry} } }`, env).servers[0]?.source;

  it('is served unchanged, whatever else it holds for its host', () => {
    const config = configOf(`{
	// how to get at the files
	"globalShortcut": "\${x",
	"mcpServers": {
		"File System": { "command": "npx", "args": ["-y", "x"], "autoApprove": ["\${x"], "timeout": 3 },
		"git_hub": { "type": "http", "url": "https://mcp.example.com/", "headers": { "A": "\${env:SECRET}" } },
		"off": { "command": "\${GONE}", "disabled": true },
		"\\u6df1": { "serverUrl": "https://x.example/sse", "command": "" },
		"sse": { "command": "./run.sh", "cwd": "\${userHome}/data", "env": null }
	},
}`);
    expect(config.all).toEqual({ servers: undefined });
    expect(config.servers).toMatchObject([
      { name: 'file-system', source: { kind: 'command', command: 'npx', args: ['-y', 'x'] } },
      { name: 'git-hub', source: { kind: 'url', headers: { A: SECRET } } },
      { name: 'server-d5f3c536', source: { kind: 'url', url: 'https://x.example/sse' } },
      {
        name: 'server-sse',
        source: { kind: 'command', command: '/etc/tidegate/run.sh', cwd: '/home/me/data' },
      },
    ]);
  });

  it('is known by the servers of VS Code as well', () => {
    const text = `{ "inputs": [], "servers": { "A": { "type": "stdio", "command": "x" } } }`;
    expect(configOf(text).servers[0]?.name).toBe('a');
    expect(configOf(text.replace('"inputs": [], ', '')).servers[0]?.name).toBe('a');
  });

  it('has problems with their place', () => {
    const text = `{ "mcpServers": {
  "My Server": { "command": "\${GONE}" },
  "my_server": { "command": 3 },
  "x": {},
  "y": { "url": "https://x.example", "command": "y" }
} }`;
    expect(problemsOf(text)).toEqual([
      '2:29 mcpServers["My Server"].command: The variable GONE is not set. Set it, or write ${GONE:-default}.',
      '3:3 mcpServers.my_server: "My Server" and "my_server" would both be served as my-server. Rename one.',
      '3:29 mcpServers.my_server.command: Put this in quotes.',
      '4:3 mcpServers.x: Say what the server is: give command, url or module.',
      '5:10 mcpServers.y.url: A server is one thing: give command or url, not both.',
    ]);
    expect(problemsOf('{ "mcpServers": [] }')[0]).toContain('Give the servers by name');
    expect(problemsOf('{ "mcpServers": { "a": { "command": "x", "disabled": "yes" } } }')).toEqual([
      '1:54 mcpServers.a.disabled: Give true or false.',
    ]);
    for (const off of ['"disabled": true', '"disabled": "true"', '"enabled": "false"']) {
      expect(problemsOf(`{ "mcpServers": { "a": { ${off} } } }`)[0]).toContain('No server');
    }
  });

  it('does not pass over what only the gateway knows', () => {
    const ours = (key: string) =>
      `${key}: Beside mcpServers this does not count. Write a file of our own, with the servers under servers, or take it out.`;
    const text = `{ "policy": { "allow": [] },
"audit": { "required": true }, "auth": "none", "tenants": {}, "denied": {}, "rates": {},
"listen": {}, "all": false, "defaults": {}, "servers": {},
"mcpServers": { "a": { "command": "x", "sandbox": ["bwrap"],
"isolation": "shared", "auth": { "CLIENT_ID": "x" } },
"off": { "command": "x", "sandbox": ["x"], "enabled": false },
"b": { "url": "https://x.example", "allowedHosts": ["x.example"] } } }`;
    expect(problemsOf(text)).toEqual([
      `1:3 ${ours('policy')}`,
      `2:1 ${ours('audit')}`,
      `2:32 ${ours('auth')}`,
      `2:48 ${ours('tenants')}`,
      `2:63 ${ours('denied')}`,
      `2:77 ${ours('rates')}`,
      `3:1 ${ours('listen')}`,
      `3:15 ${ours('all')}`,
      `3:29 ${ours('defaults')}`,
      `3:45 ${ours('servers')}`,
      `4:40 ${ours('mcpServers.a.sandbox')}`,
      `5:1 ${ours('mcpServers.a.isolation')}`,
      `7:36 ${ours('mcpServers.b.allowedHosts')}`,
    ]);
  });

  it('is not seen in a file of ours whose server has the key type', () => {
    const server = '{ "type": "http", "url": "https://x.example"';
    for (const text of [
      `{ "policy": { "allow": [] }, "servers": { "a": ${server} } } }`,
      `{ "servers": { "a": ${server}, "isolation": "shared" } } }`,
    ]) {
      expect(problemsOf(text).join('\n')).toContain('servers.a.type');
    }
  });

  it('finds places on the machine where the host would', () => {
    const env = { USERPROFILE: 'C:\\Users\\me' };
    expect(source('{ "command": "x", "args": ["${userHome}"] }', env)).toMatchObject({
      args: ['C:\\Users\\me'],
    });
    expect(source('{ "command": "x", "args": ["${workspaceFolder}"] }')).toMatchObject({
      args: ['/etc/tidegate'],
    });
  });

  it.each([
    ['none', {}],
    ['an empty one', { HOME: '', USERPROFILE: '' }],
  ])('does not take the root for the home folder where there is %s', (_, env) => {
    const text = `{ "mcpServers": { "a": { "command": "x", "cwd": "\${userHome}/data" } } }`;
    expect(problemsOf(text, env)).toEqual([
      '1:49 mcpServers.a.cwd: There is no home folder, because HOME is not set. Set it, or write ${userHome:-default}.',
    ]);
    const other = { ...env, USERPROFILE: '/home/other' };
    expect(source('{ "command": "x", "cwd": "${userHome}/data" }', other)).toMatchObject({
      cwd: '/home/other/data',
    });
    expect(source('{ "command": "x", "cwd": "${userHome:-/srv}/data" }', env)).toMatchObject({
      cwd: '/srv/data',
    });
  });
});

describe('whatever the text', () => {
  const SEEDS = [
    `listen: { host: 127.0.0.1, port: 8808, publicUrl: "https://\${HOST}", drain: 20s }
auth: { token: "\${SECRET}" }
all: { servers: [files, github] }
x-y: &y { isolation: session, limits: { callMsMax: 60s } }
defaults: *y
servers:
  files: { <<: *y, command: "\${SECRET}", args: ["\${SECRET}"], env: { K: "\${SECRET}" }, cwd: "./\${SECRET}" }
  github:
    url: "https://\${SECRET}.example/\${SECRET}"
    headers:
      Authorization: "Bearer \${SECRET}"
    allowedHosts: ["\${SECRET}"]
    ca: "\${SECRET}"
    proxy: "\${SECRET}"
  mine: { module: "\${SECRET}", export: |
    \${SECRET}
  }
`,
    `{ "mcpServers": { "A b": { "command": "\${SECRET}", "args": ["\${env:SECRET}"], "env": { "K": "\${SECRET}" } },
  "c": { "type": "http", "url": "http://\${SECRET}", "headers": { "\${SECRET}": "\${SECRET}" } } } }`,
  ];
  const PIECES = [
    ['{', '}', '[', ']', ':', '- ', '? ', '&a ', '*a ', '<<: *y', '!t ', '|\n', '"', "'", '#'],
    ['\n', '\t', '\0', '\uFEFF', '---\n', '%YAML 9\n', '${SECRET}', '${', '$${', '// x', '/*'],
    ['__proto__: x', 'constructor', 'null', '1e999', '.nan', '深', '\ud800', 'auth:', 'type: '],
  ].flat();

  /** A config with pieces put in, lines dropped and parts cut out. */
  const mutated = fc
    .tuple(
      fc.constantFrom(...SEEDS),
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          cut: fc.nat({ max: 30 }),
          piece: fc.oneof(fc.constantFrom(...PIECES, ''), fc.string({ maxLength: 5 })),
        }),
        { maxLength: 6 },
      ),
    )
    .map(([seed, edits]) =>
      edits.reduce((text, { at, cut, piece }) => {
        const offset = Math.floor(at * text.length);
        return text.slice(0, offset) + piece + text.slice(offset + cut);
      }, seed),
    );

  test('nothing is thrown, each problem is in the file, and no value of a variable is told', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
        const outcome = outcomeOf(text);
        if (outcome.kind === 'config') return;
        expect(outcome.problems.length).toBeGreaterThan(0);
        expect(outcome.problems.length).toBeLessThanOrEqual(200);
        const lines = text.split('\n');
        for (const { line, column, message } of outcome.problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
          expect(message).toMatch(/^[^\n]+[.?]$/);
        }
        expect(JSON.stringify(outcome.problems)).not.toContain(SECRET);
      }),
      { numRuns: 1500 },
    );
  });

  test.each([
    ['lists', '['.repeat(100_000)],
    ['keys', '{a: '.repeat(100_000)],
    ['items', '- '.repeat(100_000)],
    ['indents', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['tags', '!a '.repeat(100_000)],
    ['anchors', '&a '.repeat(100_000)],
    ['lines', 'x\n'.repeat(100_000)],
    ['quotes', '"'.repeat(100_000)],
    ['comments', `{${'/*'.repeat(100_000)}`],
    ['short comments', `${'/**/'.repeat(100_000)}x`],
    ['one comment', `{ /*${'* /'.repeat(330_000)}*/`],
    ['open strings', `{ ${'"\n'.repeat(300_000)}`],
    ['slashes', `{"${'\\'.repeat(100_000)}`],
    ['length', ' '.repeat(2_000_000)],
    [
      'aliases of aliases',
      `a0: &a0 [x]\n${Array.from({ length: 60 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]`).join('\n')}`,
    ],
    ['aliases', `a: &a x\nb: [${'*a, '.repeat(100_000)}]`],
    ['variables', `servers: { a: { command: "${'${'.repeat(100_000)}" } }`],
  ])('a flood of %s ends in a problem', (_, text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });
});
