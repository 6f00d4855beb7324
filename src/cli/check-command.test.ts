import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Authority } from '../../test/http/certificates.ts';
import { checkCommand } from './check-command.ts';

const SECRET = 'a-secret-of-the-environment';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-check-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function check(text: string, { isJson = false, mode = 0o644 } = {}) {
  const file = join(folder, 'tidegate.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  const env = { PATH: process.env['PATH'] ?? '', SECRET };
  const outcome = checkCommand({ file, isJson }, env);
  return { ...outcome, text: outcome.text.replaceAll(`${folder}/`, '') };
}

const FINE = `servers:
  here: { command: node, args: ["\${SECRET}"], env: { KEY: "\${SECRET}" } }
  there: { url: "https://mcp.example.com/\${SECRET}/mcp?key=\${SECRET}", headers: { X-Key: "\${SECRET}" } }
audit: { file: audit.jsonl, digestKey: "\${SECRET}-\${SECRET}" }
`;

describe('tidegate check', () => {
  it('says what a config would serve, and no value that may be a secret', () => {
    const { exitCode, output, text } = check(FINE);
    expect(text).toBe(
      [
        'tidegate.yaml is fine. At http://127.0.0.1:8808, with the token kept in your configuration folder:',
        '  here   command  /here/mcp  /here/sse',
        '  there  url      /there/mcp  /there/sse',
        '  all    merged   /all/mcp  /all/sse',
        '',
      ].join('\n'),
    );
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
    const { text: faulty } = check(FINE.replace('-${SECRET}"', '"'));
    expect(faulty).toContain('audit.digestKey: Give random text of 32 characters or more.');
    expect(faulty).not.toContain(SECRET);
  });

  it('says that a free port is chosen, where the config wants any', () => {
    const config = 'listen: { port: 0 }\nservers: { a: { command: node } }\n';
    expect(check(config).text).toContain(
      ' is fine. At http://127.0.0.1 and a free port, chosen at the start, with the token ',
    );
    expect(JSON.parse(check(config, { isJson: true }).output)).toMatchObject({ url: null });
    const called = config.replace('port: 0', 'port: 0, publicUrl: "https://mcp.example.com"');
    expect(check(called).text).toContain(' is fine. At https://mcp.example.com, with ');
  });

  it('says it to programs as one line of JSON', () => {
    const { exitCode, output, text } = check(FINE, { isJson: true });
    expect({ exitCode, text }).toEqual({ exitCode: 0, text: '' });
    expect(output).toMatch(/^\{.*\}\n$/);
    expect(output).not.toContain(SECRET);
    expect(JSON.parse(output)).toMatchObject({
      isFine: true,
      auth: 'kept',
      endpoints: [{ name: 'here', kind: 'command', mcp: '/here/mcp' }, { name: 'there' }, {}],
    });
  });

  it('prints every problem of the file with its place', () => {
    const { exitCode, text } = check('servers:\n  a: { comand: node }\n  b: { url: nowhere }\n');
    expect(exitCode).toBe(1);
    expect(text).toBe(
      [
        'tidegate.yaml:2:3  servers.a: Say what the server is: give command, url or module.',
        'tidegate.yaml:2:8  servers.a.comand: There is no key "comand". Did you mean command?',
        'tidegate.yaml:3:13  servers.b.url: Give an absolute URL, such as https://mcp.example.com/mcp.',
        '',
      ].join('\n'),
    );
  });

  it('finds what would keep a server from starting, and starts nothing', () => {
    writeFileSync(join(folder, 'text'), 'x', { mode: 0o644 });
    const { exitCode, output } = check(
      `servers:
  a: { command: no-such-program-anywhere }
  b: { command: ./gone }
  c: { command: ./text }
  d: { command: node --version }
  e: { command: node, cwd: ./gone }
  f: { module: ./gone.mjs }
  g: { command: node, sandbox: [no-such-sandbox, --] }
audit: { file: ./gone/audit.jsonl }
`,
      { isJson: true },
    );
    expect(exitCode).toBe(1);
    const { isFine, problems } = JSON.parse(output) as {
      isFine: boolean;
      problems: { line: number; path: string; message: string }[];
    };
    expect(isFine).toBe(false);
    expect(problems.map(({ line, path, message }) => `${line} ${path}: ${message}`)).toEqual([
      '9 audit.file: There is no such folder for this file.',
      '2 servers.a.command: This program is not on PATH. Check its spelling, or give its full path.',
      '3 servers.b.command: There is no such file. Check the path, which begins at the config file.',
      '4 servers.c.command: This file may not be run. Make it executable with chmod +x.',
      '5 servers.d.command: This is one word with spaces. Put what follows the program into args.',
      '6 servers.e.cwd: There is no such folder.',
      '7 servers.f.module: There is no such file. Check the path, which begins at the config file.',
      '8 servers.g.sandbox: This program is not on PATH. Check its spelling, or give its full path.',
    ]);
    expect(check('servers: { a: { command: node } }\naudit: { file: . }\n').text).toBe(
      'tidegate.yaml:2:16  audit.file: This is a folder. Give the path of a file.\n',
    );
    const itself = 'servers: { a: { command: node } }\naudit: { file: tidegate.yaml }\n';
    expect(check(itself).text).toBe(
      'tidegate.yaml:2:16  audit.file: This file holds something else than a record. Give the path of another.\n',
    );
  });

  it('says that a certificate is over, which clients would find out', async () => {
    const authority = await Authority.create();
    const notAfter = new Date(Date.now() - 1000);
    const over = await authority.server({ notBefore: new Date(0), notAfter });
    writeFileSync(join(folder, 'cert.pem'), over.cert);
    writeFileSync(join(folder, 'key.pem'), over.key);
    const tls = 'listen: { tls: { cert: cert.pem, key: key.pem } }\n';
    expect(check(`${tls}servers: { a: { command: node } }\n`)).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(
        /^tidegate\.yaml:1:24 {2}listen\.tls\.cert: This certificate ended on \d{4}-.*Z: clients refuse it\. Renew it\.\n$/,
      ) as string,
    });
  });

  it('names every file of a certificate that cannot be read, not the first alone', () => {
    const tls = '{ cert: a.pem, key: b.pem, clientCa: c.pem, clientCrl: d.pem }';
    const { exitCode, text } = check(
      `listen: { tls: ${tls} }\nservers: { a: { command: node } }\n`,
    );
    expect(exitCode).toBe(1);
    expect(text.match(/listen\.tls\.\w+: .*/g)).toEqual(
      ['cert', 'key', 'clientCa', 'clientCrl'].map(
        (name) => `listen.tls.${name}: This file cannot be read: there is no such file.`,
      ),
    );
  });

  it('notes what the start would of the address, in words that a config has', () => {
    const said = (listen: string): string =>
      check(`listen: { ${listen} }\nservers: { a: { command: node } }\n`).text;
    expect(said('publicUrl: "https://mcp.example.com/mcp"')).toContain(
      '\nNote: The public URL ends in /mcp, so clients call ',
    );
    expect(said('host: 0.0.0.0')).toContain(
      '\nNote: Others can reach this without TLS: add listen.tls, or TLS in front and listen.publicUrl.\n',
    );
    expect(said('publicUrl: "http://mcp.example.com"')).toContain(
      ', and https in listen.publicUrl.',
    );
    expect(said('publicUrl: "https://mcp.example.com"')).not.toContain('Note');
  });

  it('says what is wrong in a policy, and not that there is none', () => {
    const { text } = check(
      'policy: { allow: [{ grups: dev }] }\nservers: { a: { command: node } }\n',
    );
    expect(text).toBe(
      'tidegate.yaml:1:21  policy.allow[0].grups: There is no key "grups". Did you mean groups?\n',
    );
  });

  it('notes that others can read the key of a certificate', async () => {
    const { cert, key } = await (await Authority.create()).server();
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    const tls = 'listen: { tls: { cert: cert.pem, key: key.pem } }\n';
    const said = (mode: number): string => {
      chmodSync(join(folder, 'key.pem'), mode);
      return check(`${tls}servers: { a: { command: node } }\n`).text;
    };
    expect(said(0o644)).toMatch(
      /\nNote: Line 1, listen\.tls\.key: Everybody on this machine can read this key; .* chmod o-r .*\n$/,
    );
    expect(said(0o640)).not.toContain('Note');
    expect(said(0o646)).toContain(
      'listen.tls.key: This file may be changed by anybody; use chmod o-w on it.',
    );
  });

  it('notes that whoever comes in by one way is of a tenant that sees nothing', () => {
    const said = (auth: string, tenants: string): readonly string[] | null => {
      const { text } = check(`${auth}tenants: { ${tenants} }\nservers: { a: { command: node } }\n`);
      return text.match(/^Note: Line .*\btenant\b.*$/gm);
    };
    const note = (line: number, path: string, tenant: string): string =>
      `Note: Line ${line}, ${path}: Whoever comes in this way is of ${tenant}, which sees no server. ` +
      'Name it or "*" under tenants.';
    const ofDefault = 'the tenant default';
    expect(said('', 'acme: {}')).toEqual([note(1, 'auth', ofDefault)]);
    expect(said('auth: none\n', 'acme: {}')).toEqual([note(1, 'auth', ofDefault)]);
    expect(said('', 'acme: {}, default: { servers: [] }')).toEqual([note(1, 'auth', ofDefault)]);
    for (const seen of ['default: {}', '"*": { servers: [a] }', 'default: { suspended: true }']) {
      expect(said('', seen)).toBeNull();
    }
    const issuer = (tenant: string): string =>
      `  - jwt: { issuer: "https://login.example.com"${tenant} }\n`;
    const ways =
      'listen: { publicUrl: "https://mcp.example.com" }\nauth:\n' +
      `  - token: "\${SECRET}-\${SECRET}"\n${issuer(', tenant: "${SECRET}"')}` +
      `${issuer(', tenant: { claim: org }').replace('login', 'other')}`;
    expect(said(ways, 'acme: {}')).toEqual([
      note(3, 'auth[0]', ofDefault),
      note(4, 'auth[1]', 'its one tenant'),
    ]);
    expect(said(ways, 'default: {}, a-secret-of-the-environment: {}')).toBeNull();
  });

  it('notes that nobody has an API key yet', () => {
    const config = 'auth: { keys: "./${SECRET}.json" }\nservers: { a: { command: node } }\n';
    const { exitCode, text } = check(config);
    expect(exitCode).toBe(0);
    expect(text).toMatch(
      /\nNote: Line 1, auth\.keys: This file of API keys does not exist yet; .*\n$/,
    );
    expect(text).not.toContain(SECRET);
    const several = 'auth:\n  - token: "${SECRET}-${SECRET}"\n  - keys: ./a\n  - keys: ./b\n';
    const notes = check(`${several}servers: { a: { command: node } }\n`).text;
    expect(notes.match(/^Note: .* exist yet/gm)).toEqual([
      'Note: Line 3, auth[1].keys: This file of API keys does not exist yet',
      'Note: Line 4, auth[2].keys: This file of API keys does not exist yet',
    ]);
    const { output } = check(config, { isJson: true });
    expect(JSON.parse(output)).toMatchObject({ notes: [expect.stringContaining('API keys')] });
    writeFileSync(join(folder, `${SECRET}.json`), '');
    const broken = check(config);
    expect(broken.exitCode).toBe(1);
    expect(broken.text).toBe('tidegate.yaml:1:15  auth.keys: This file is not JSON.\n');
    const last = check(`${several}servers: { a: { command: node } }\n`);
    expect(last.exitCode).toBe(0);
    writeFileSync(join(folder, 'b'), '{"keys":[]}', { mode: 0o600 });
    expect(check(`${several}servers: { a: { command: node } }\n`).text).not.toContain('Line 4');
  });

  it('refuses a file that anybody may change, since it says what is run', () => {
    const { exitCode, text } = check(FINE, { mode: 0o666 });
    expect(exitCode).toBe(1);
    expect(text).toContain('tidegate.yaml:1:1  Anybody may change this file');
  });

  it('says in one line why there is no text to check', () => {
    const env = {};
    const said = (file: string) => checkCommand({ file, isJson: false }, env).text;
    expect(said(join(folder, 'gone.yaml'))).toMatch(/:1:1 {2}The file does not exist\.\n$/);
    expect(said(folder)).toMatch(/:1:1 {2}The file is a folder\.\n$/);
    expect(said('/dev/zero')).toMatch(/:1:1 {2}The file is not a regular file\.\n$/);
    writeFileSync(join(folder, 'bytes'), Buffer.from([0xff, 0xfe, 0x00]));
    expect(said(join(folder, 'bytes'))).toMatch(/:1:1 {2}The file is not text in UTF-8\.\n$/);
    writeFileSync(join(folder, 'large'), Buffer.alloc(5 * 1024 * 1024, 32));
    expect(said(join(folder, 'large'))).toMatch(/:1:1 {2}The file is larger than \d+ bytes\.\n$/);
  });
});
