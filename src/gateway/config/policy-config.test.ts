import { describe, expect, it } from 'vitest';
import { readConfig } from './read-config.ts';

const CEDAR = `permit (principal, action, resource)
  when { principal.tenant == "acme" };
permit (principal, acton, resource);
`;

function read(text: string, files: Readonly<Record<string, string>> = {}) {
  return readConfig(
    `servers: { files: { command: x }, more: { url: "https://more.example/mcp" } }\n${text}`,
    {
      path: '/etc/tidegate.yaml',
      env: {},
      readFile: (path) => {
        const found = files[path];
        return found === undefined
          ? { kind: 'unreadable', fault: 'does not exist' }
          : { kind: 'text', text: found };
      },
    },
  );
}

function problems(text: string, files: Readonly<Record<string, string>> = {}) {
  const outcome = read(text, files);
  if (outcome.kind === 'config') return [];
  return outcome.problems.map(({ line, path, message }) => `${line} ${path} ${message}`);
}

describe('policy', () => {
  it('takes files and the short form, where one name may stand for a list', () => {
    const outcome = read('policy: { file: a.cedar, allow: [{ groups: dev, tools: ["r*"] }] }', {
      '/etc/a.cedar': 'permit (principal, action, resource);',
    });
    expect(outcome).toMatchObject({
      kind: 'config',
      config: {
        policy: {
          sources: [{ name: 'a.cedar' }],
          allow: [{ groups: ['dev'], tools: ['r*'] }],
          arguments: {},
        },
      },
    });
  });

  it('says what is wrong with a file by its line and column', () => {
    expect(problems('policy: { file: a.cedar }', { '/etc/a.cedar': CEDAR })).toEqual([
      expect.stringMatching(/^2 policy\.file a\.cedar:3:20: .*acton/),
    ]);
  });

  it('says what is wrong with its own keys', () => {
    expect(
      problems('policy:\n  file: b.cedar\n  allow: [{ tool: x }]\n  arguments: { mor: {} }'),
    ).toEqual([
      '3 policy.file The file does not exist.',
      expect.stringMatching(/^4 policy\.allow\[0\]\.tool There is no key "tool".*tools\?$/),
      expect.stringMatching(/^5 policy\.arguments\.mor There is no server .*"more"\?$/),
    ]);
  });

  it('names servers that there are', () => {
    expect(problems('policy:\n  allow: [{ servers: fils }, { servers: ["f*", files] }]')).toEqual([
      expect.stringMatching(/^3 policy\.allow\[0\]\.servers There is no server .*"files"\?$/),
    ]);
  });

  it('must say something', () => {
    expect(problems('policy: {}')).toEqual([expect.stringMatching(/^2 policy Give file, allow/)]);
  });
});

describe('tenants', () => {
  it('see servers, show their own credentials, and may be out', () => {
    const outcome = read(
      'tenants:\n  acme: { servers: [files], limits: { callsMax: 3 } }\n' +
        '  bolt: { suspended: true, credentials: { more: { headers: { X-Key: k } } } }',
    );
    expect(outcome).toMatchObject({
      kind: 'config',
      config: {
        tenants: {
          acme: { servers: ['files'], isSuspended: false, limits: { callsMax: 3 } },
          bolt: { servers: undefined, isSuspended: true },
        },
        servers: [{}, { source: { tenants: { bolt: { headers: { 'X-Key': 'k' } } } } }],
      },
    });
  });

  it('name servers that there are, and credentials where there is a place for them', () => {
    expect(
      problems('tenants:\n  acme: { servers: [file], credentials: { files: {}, nope: {} } }'),
    ).toEqual([
      expect.stringMatching(/^3 tenants\.acme\.servers\[0\] There is no server .*"files"\?$/),
      expect.stringMatching(/^3 tenants\.acme\.credentials\.files Only a server with a url/),
      expect.stringMatching(/^3 tenants\.acme\.credentials\.nope There is no server/),
    ]);
  });

  it('have limits and credentials of their own if they are named', () => {
    expect(problems('tenants:\n  "*": { limits: { callsMax: 3 } }')).toEqual([
      expect.stringMatching(/^3 tenants\["\*"\]\.limits Only a named tenant has limits/),
    ]);
    const others = 'tenants:\n  "*": { credentials: { more: { headers: { X-Key: k } } } }';
    expect(problems(others)).toEqual([
      expect.stringMatching(/^3 tenants\["\*"\]\.credentials Only a named tenant has credentials/),
    ]);
  });

  it('may not share one instance of a server', () => {
    expect(problems('defaults: { isolation: shared }\ntenants: { a: {}, b: {} }')).toEqual([
      expect.stringMatching(/servers\.files.*isolation/),
      expect.stringMatching(/servers\.more.*isolation/),
    ]);
  });
});
