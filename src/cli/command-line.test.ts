import { describe, expect, it } from 'vitest';
import { type CommandLine, readCommandLine } from './command-line.ts';
import type { Environment, ServeOptions } from './serve-options.ts';

const TOKEN = 'a-long-enough-token';

function read(line: string, env: Environment = {}): CommandLine {
  return readCommandLine(
    line.split(' ').filter((word) => word !== ''),
    env,
    '1.2.3',
  );
}

function options(line: string, env: Environment = {}): ServeOptions {
  const read_ = read(line, env);
  if (read_.kind !== 'serve') throw new Error(JSON.stringify(read_));
  return read_.options;
}

function reason(line: string, env: Environment = {}): string {
  const read_ = read(line, env);
  if (read_.kind !== 'wrong') throw new Error(JSON.stringify(read_));
  return read_.reason;
}

describe('readCommandLine', () => {
  it('takes every word after the first -- as the command, options of ours included', () => {
    const { command, args } = options('--port 0 -- npx -y server --port 1 -- --help');
    expect([command, ...args]).toEqual(['npx', '-y', 'server', '--port', '1', '--', '--help']);
  });

  it('has the defaults that are promised', () => {
    expect(options('-- node')).toEqual({
      upstream: undefined,
      command: 'node',
      args: [],
      env: {},
      cwd: undefined,
      logsStderr: false,
      host: '127.0.0.1',
      port: 8808,
      publicUrl: undefined,
      allowedOrigins: undefined,
      credential: { kind: 'kept' },
      isolation: 'session',
      endpointForm: 'relative',
      priming: 'auto',
      heartbeat: 'comment',
      tasks: 'off',
      limits: {},
      logLevel: 'info',
      logFormat: undefined,
      drainMs: 20_000,
      isJson: false,
    });
  });

  it('reads every option', () => {
    const line =
      `--host [::1] --port=9 --token ${TOKEN} --public-url https://a.example/x/ ` +
      `--allowed-origin https://A.example:443 --allowed-origin vscode-webview://abc ` +
      `--isolation shared --endpoint-form root --priming off --heartbeat off --log-level debug ` +
      `--log-format json --drain 1.5 --env A=b=c --env HOME --env E= --cwd /tmp --json ` +
      `--log-stderr --bridge-tasks ` +
      `--limit bodyBytesMax=10 --limit logEventsMax=20 -- node`;
    expect(options(line, { HOME: '/h' })).toMatchObject({
      host: '::1',
      port: 9,
      credential: { kind: 'given', token: TOKEN, by: '--token' },
      publicUrl: 'https://a.example/x',
      allowedOrigins: ['https://a.example', 'vscode-webview://abc'],
      isolation: 'shared',
      endpointForm: 'root',
      priming: 'off',
      heartbeat: 'off',
      logLevel: 'debug',
      logFormat: 'json',
      drainMs: 1500,
      env: { A: 'b=c', HOME: '/h', E: '' },
      cwd: '/tmp',
      logsStderr: true,
      tasks: 'bridge',
      isJson: true,
      limits: { bodyBytesMax: 10, logEventsMax: 20 },
    });
  });

  it('reads tidegate check', () => {
    expect(readCommandLine(['check', 'a.yaml'], {}, '1.2.3')).toEqual({
      kind: 'check',
      options: { file: 'a.yaml', isJson: false },
    });
    expect(readCommandLine(['check', '--json', 'a.yaml'], {}, '1.2.3')).toEqual({
      kind: 'check',
      options: { file: 'a.yaml', isJson: true },
    });
    const wrong = readCommandLine(['check'], {}, '1.2.3');
    expect(wrong.kind === 'wrong' && wrong.reason).toContain("'file'");
    expect(readCommandLine(['check', '--help'], {}, '1.2.3').kind).toBe('shown');
  });

  it.each([
    '--help',
    'connect --help',
    'check --help',
    'keys --help',
    'keys add --help',
    'keys list --help',
    'keys revoke --help',
    'audit verify --help',
    'policy test --help',
  ])('shows an example with %s', (words) => {
    const help = read(words);
    expect(help.kind === 'shown' ? help.text : '').toMatch(/\nExamples?\b[^:]*:\n/);
  });

  it('shows help that names no option of a later version, and the version', () => {
    const help = read('--help');
    expect(help.kind).toBe('shown');
    if (help.kind !== 'shown') return;
    expect(help.text).toContain('tidegate -- npx -y @modelcontextprotocol/server-everything');
    expect(help.text).not.toMatch(/--(store|workers|admin)/);
    expect(read('-V')).toEqual({ kind: 'shown', text: '1.2.3\n' });
  });

  it.each([
    ['', 'no command is given. Put the server'],
    ['--port 1', 'no command is given'],
    ['--', 'no command is given'],
    ['npx -y server', "put -- before the server's command: tidegate -- <command> [args...]"],
    ['https://x.example/mcp', 'tidegate --upstream <url> serves it'],
    ['tidegate.yaml', 'a file of servers is given by --config: tidegate --config <file>'],
    ['extra -- node', 'word 1 after tidegate belongs to no option. Only the words after --'],
    ['--json --port 1 extra more --env -- node', 'word 4 after tidegate belongs to no option'],
    ['--prot 1 -- node', "unknown option '--prot' (Did you mean --port?)"],
    ['--prot=1 -- node', "unknown option '--prot' (Did you mean --port?)"],
    ['-port 1 -- node', "unknown option '-p' (Did you mean --port?)"],
    ['--hlep', "unknown option '--hlep' (Did you mean --help?)"],
    ['--zzzzzz -- node', "unknown option '--zzzzzz'. See"],
    ['--admin-prot=1 -- node', "unknown option '--admin-prot'. See"],
    ['--port x -- node', 'Give a number from 0 to 65535'],
    ['--port 65536 -- node', 'Give a number from 0 to 65535'],
    ['--port -- node', "option '--port <n>' argument missing"],
    ['--port= -- node', 'Give a number'],
    ['--host= -- node', 'Give a host name'],
    ['--host http://x -- node', 'Give a host name'],
    ['--public-url mcp.example.com -- node', 'Give an absolute URL'],
    ['--public-url ftp://x -- node', 'Give an absolute URL'],
    ['--public-url https://u:p@x -- node', 'Leave out user'],
    ['--allowed-origin * -- node', 'one origin an item'],
    ['--allowed-origin https://x/path -- node', 'one origin an item'],
    ['--isolation none -- node', 'Allowed choices are session, principal, tenant, shared.'],
    ['--drain -1 -- node', 'Give seconds'],
    ['--drain 1h -- node', 'Give seconds'],
    ['--env NOPE -- node', 'NOPE is not set here'],
    ['--env =x -- node', 'Give NAME or NAME=VALUE'],
    ['--limit bodyByteMax=1 -- node', 'Did you mean bodyBytesMax?'],
    ['--limit zzz=1 -- node', 'The names are bodyBytesMax'],
    ['--limit bodyBytesMax -- node', 'a whole number'],
    ['--limit bodyBytesMax=0 -- node', 'a whole number'],
    ['--limit bodyBytesMax=1e3 -- node', 'a whole number'],
    ['--limit constructor=1 -- node', 'The names are'],
    ['connect', "missing required argument 'url'"],
    ['connect mcp.example.com', 'Give an absolute URL'],
    ['connect https://x y', 'too many arguments'],
    ['connect https://x --header s3cret', 'Give a header as "Name: value"'],
    ['connect https://x --hedaer A:b', 'Did you mean --header?'],
    ['connect https://x --hedaer=A:b', 'Did you mean --header?'],
    ['--json connect https://x', 'put connect first'],
    ['--json keys list', 'put keys first: tidegate keys add|list|revoke'],
    ['conect https://x', 'did you mean tidegate connect?'],
    ['chekc f.yaml', "tidegate check? To serve it, put -- before the server's command"],
    ['doctor http://x', 'this version does not have the command doctor.'],
    ['--upstream mcp.example.com', 'Give an absolute URL'],
    ['--upstream ftp://x', 'Give an absolute URL'],
    ['--upstream https://x -- node', 'a command and --upstream are both given'],
    ['--upstream https://x node', 'word 3 after tidegate belongs to no option.'],
    ['--upstream https://x --cwd /tmp', '--cwd is for a command'],
    ['--upstream https://x --log-stderr', '--log-stderr is for a command'],
    ['--config a.yaml --log-stderr', 'stderr'],
    ['--config a.yaml --bridge-tasks', 'tasks'],
    ['--upstream https://x --env A=b', '--env is for a command'],
    ['--upstream https://x --upstream-header s3cret', 'Give a header as "Name: value"'],
    ['--upstream https://x --upstream-header Mcp-Name:a', 'is set by the protocol'],
    ['--upstream https://x --upstream-allow http://y', 'Give one host name'],
    ['--upstream-header A:b -- node', '--upstream-header needs --upstream.'],
    ['--upstream-allow a -- node', '--upstream-allow needs --upstream.'],
    ['--config', "option '--config <file>' argument missing"],
    ['--config=', '--config needs the path of a file.'],
    ['--config f.yaml -- node', 'a command and --config are both given'],
    ['--config f.yaml extra', 'word 3 after tidegate belongs to no option.'],
    ['--config f.yaml --upstream https://x', '--upstream and --config are both given'],
    ['--config f.yaml --token 0123456789abcdef', 'write auth into the file instead of --token.'],
    ['--config f.yaml --no-auth', 'write auth into the file instead of --no-auth.'],
    ['--config f.yaml --insecure', 'write auth into the file instead of --insecure.'],
    ['--config f.yaml --public-url https://x', 'write listen into the file'],
    ['--config f.yaml --isolation shared', 'write isolation into the file'],
    ['--config f.yaml --limit callMsMax=5', 'write limits into the file'],
    ['--config f.yaml --env A=b', 'write env into the file'],
    ['--config f.yaml --admin-port 1', 'this version does not have --admin-port.'],
    ['--admin-port 1 -- node', 'this version does not have --admin-port.'],
    ['--store redis://x -- node', 'this version has no --store other than memory.'],
    ['--workers auto -- node', 'this version has no --workers other than 1.'],
    ['--tls-cert x -- node', '--tls-cert needs --tls-key.'],
    ['--tls-key x -- node', '--tls-key needs --tls-cert.'],
    ['--tls-client-ca x -- node', '--tls-client-ca needs --tls-cert and --tls-key.'],
    ['--tls-client-crl x -- node', '--tls-client-crl needs --tls-client-ca.'],
  ])('says in one line what is wrong with %j', (line, sentence) => {
    const said = reason(line);
    expect(said).toContain(sentence);
    expect(said).not.toContain('\n');
    expect(said).not.toMatch(/^error/i);
  });

  it.each([
    'connect https://x --header s3cret',
    'connect https://x --hedaer=s3cret',
    'connect mcp.example.com?key=s3cret',
    'keys add a --expires s3cret',
    '--upstream https://x --upstream-header s3cret',
    '--upstream mcp.example.com?key=s3cret',
    '--public-url https://u:s3cret@x -- node',
    '--env =s3cret -- node',
    '--tokn=s3cret -- node',
    '--tokn:s3cret -- node',
    '-Hs3cret -- node',
    "--port s3cret'is -- node",
  ])('repeats no value that is wrong, which may be a secret: %s', (line) => {
    const said = reason(line);
    expect(said).not.toContain('s3cret');
    expect(said).toMatch(/^(option|argument|unknown option) '[^']*'( has a wrong value)?[. (]/);
  });

  it.each([
    'npx server --api-key s3cret',
    'npx server --api-key=s3cret',
    'https://x.example/mcp?key=s3cret',
    'kesy --key s3cret',
    's3cret.yaml',
    '--no-auth s3cret -- node',
    '--upstream https://x s3cret',
    '--upstream https://x --upstream-header A:b s3cret',
    '--config f.yaml s3cret',
  ])('repeats no word that stands where none belongs, which may be a secret: %s', (line) => {
    expect(reason(line)).not.toContain('s3cret');
  });

  it('takes a remote server, with headers of the line and of the environment', () => {
    const line =
      '--upstream https://mcp.example.com/mcp --upstream-header X-A:1 --upstream-header X-B:2 ' +
      '--upstream-allow Mcp.internal --upstream-allow [fd00::1]';
    const env = { TIDEGATE_UPSTREAM_HEADERS: 'X-A: 0\nAuthorization: Bearer s3cret\n' };
    expect(options(line, env)).toMatchObject({
      command: '',
      upstream: {
        url: 'https://mcp.example.com/mcp',
        headers: { 'X-A': '1', 'X-B': '2', Authorization: 'Bearer s3cret' },
        allowedHosts: ['mcp.internal', '[fd00::1]'],
      },
    });
    const wrong = { TIDEGATE_UPSTREAM_HEADERS: 's3cret' };
    expect(reason('--upstream https://x', wrong)).toContain('TIDEGATE_UPSTREAM_HEADERS: Give');
    expect(reason('--upstream https://x', wrong)).not.toContain('s3cret');
  });

  it('connects a host to a remote server', () => {
    const line = 'connect https://mcp.example.com/mcp --header A:b --allow x --log-level debug';
    expect(read(line, { TIDEGATE_UPSTREAM_HEADERS: 'C: d' })).toEqual({
      kind: 'connect',
      options: {
        remote: {
          url: 'https://mcp.example.com/mcp',
          headers: { A: 'b', C: 'd' },
          allowedHosts: ['x'],
          caFile: undefined,
          proxy: undefined,
          client: { id: undefined, secret: undefined, issuer: undefined, scope: undefined },
        },
        hasBrowser: true,
        logLevel: 'debug',
        logFormat: undefined,
      },
    });
    expect(read('connect --help')).toMatchObject({ kind: 'shown' });
    expect(reason('connect https://x', { TIDEGATE_UPSTREAM_HEADERS: 'x' })).toContain('HEADERS');
  });

  it('shows help to whoever asks for it with a word', () => {
    expect(read('help')).toEqual(read('--help'));
    expect(read('help everything')).toEqual(read('--help'));
    expect(read('help connect')).toEqual(read('connect --help'));
    expect(read('help keys')).toEqual(read('keys --help'));
  });

  it('takes the one store and the one worker there are', () => {
    expect(options('--store memory --workers 1 -- node').command).toBe('node');
  });

  it('prefers --token to TIDEGATE_TOKEN, and that to a token of its own', () => {
    const env = { TIDEGATE_TOKEN: `${TOKEN}2` };
    expect(options(`--token ${TOKEN} -- node`, env).credential).toMatchObject({ token: TOKEN });
    expect(options('-- node', env).credential).toMatchObject({ by: 'TIDEGATE_TOKEN' });
    expect(options('-- node').credential).toEqual({ kind: 'kept' });
  });

  it('does not start when a credential that was meant is missing, short or contradicted', () => {
    expect(reason('-- node', { TIDEGATE_TOKEN: '' })).toContain('TIDEGATE_TOKEN is empty');
    expect(reason('--token= -- node')).toContain('--token is empty');
    expect(reason('--token s3cret -- node')).not.toContain('s3cret');
    expect(reason(`--no-auth --token ${TOKEN} -- node`)).toContain('contradict');
    expect(reason('--no-auth -- node', { TIDEGATE_TOKEN: TOKEN })).toContain('TIDEGATE_TOKEN');
  });

  it.each([
    '--no-auth --host 0.0.0.0 -- node',
    '--no-auth --host :: -- node',
    '--no-auth --host 192.168.1.2 -- node',
    '--no-auth --host 127.0.0.1.example.com -- node',
    '--no-auth --public-url https://mcp.example.com -- node',
  ])('does not start open to others without being told so: %j', (line) => {
    expect(reason(line)).toContain('--insecure');
    expect(options(`--insecure ${line}`).credential).toEqual({ kind: 'none' });
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST'])(
    'starts without a credential on %s',
    (host) => {
      expect(options(`--no-auth --host ${host} -- node`).credential).toEqual({ kind: 'none' });
    },
  );
});
