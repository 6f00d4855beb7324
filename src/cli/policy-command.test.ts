import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readCommandLine } from './command-line.ts';
import { type PolicyOutcome, policyCommand } from './policy-command.ts';

const CONFIG = `
servers: { files: { command: x } }
policy:
  allow: [{ groups: dev, tools: "read_*", readOnly: true }, { scopes: "files:write", tools: write }]
  arguments: { files: { write: [path] } }
  file: more.cedar
`;

const CEDAR = `@id("not in /etc")
forbid (principal, action, resource == Tool::"files/write")
when { context.arguments has path && context.arguments.path like "/etc/*" };
`;

const READ = `
  - name: developers read
    principal: { groups: dev }
    action: call
    resource: { server: files, tool: read_a, readOnly: true }
`;

const WRITE = `
  - principal: { scopes: ["files:write"] }
    action: call
    resource: { server: files, tool: write }
    arguments: { path: /etc/x }
`;

function run(cases: string, more: Readonly<Record<string, string>> = {}): PolicyOutcome {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-policy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = { 'tidegate.yaml': CONFIG, 'more.cedar': CEDAR, 'cases.yaml': cases, ...more };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'cases.yaml');
  const outcome = policyCommand({ file, config: undefined, isJson: false }, {});
  return { ...outcome, text: outcome.text.replaceAll(`${folder}/`, '') };
}

it('is fine when every case comes out as expected', () => {
  const cases = `config: tidegate.yaml\ncases:${READ}    expect: allow\n${WRITE}    expect: deny\n`;
  expect(run(cases)).toEqual({
    exitCode: 0,
    output: '',
    text: '2 cases, 0 otherwise than expected.\n',
  });
});

it('names each case that does not, by line, with what decided', () => {
  const refused = READ.replace('readOnly: true', 'readOnly: false');
  const cases = `config: tidegate.yaml\ncases:${READ}    expect: deny\n${WRITE}    expect: allow\n${refused}    expect: allow\n`;
  expect(run(cases)).toEqual({
    exitCode: 1,
    output: '',
    text:
      'cases.yaml:3  developers read: expected deny, is allow by allow[0]\n' +
      'cases.yaml:9  call files write: expected allow, is deny by not in /etc\n' +
      'cases.yaml:15  developers read: expected allow, is deny by no policy\n' +
      '3 cases, 3 otherwise than expected.\n',
  });
});

it('says which scopes would do', () => {
  const cases = `config: tidegate.yaml\ncases:${WRITE.replace('principal: { scopes: ["files:write"] }', 'principal: {}').replace('/etc/x', '/srv/x')}    expect: allow\n`;
  expect(run(cases).text).toContain('with the scopes files:write it would pass');
});

it('takes Cedar text alone', () => {
  const cases = `config: more.cedar\ncases:${READ}    expect: deny\n`;
  expect(run(cases).exitCode).toBe(0);
});

it('shows Cedar text alone the arguments that the cases give', () => {
  const cedar = `permit (principal, action, resource) when {
    context.arguments has path && context.arguments.path like "/srv/*" };
    forbid (principal, action, resource)
    when { context.arguments has "options.mode" && context.arguments["options.mode"] == "w" };`;
  const caseOf = (given: string, expected: string): string =>
    WRITE.replace('{ path: /etc/x }', given) + `    expect: ${expected}\n`;
  const cases = [
    caseOf('{ path: /srv/x }', 'allow'),
    caseOf('{ path: /etc/x }', 'deny'),
    caseOf('{ path: /srv/x, options: { mode: w } }', 'deny'),
    caseOf('{}', 'deny'),
  ];
  const outcome = run(`config: own.cedar\ncases:${cases.join('')}`, { 'own.cedar': cedar });
  expect(outcome.text).toBe('4 cases, 0 otherwise than expected.\n');
});

it('asks as of the era that a case names, and of 2026 if none', () => {
  const cedar = 'permit (principal, action, resource) when { context.era == "2025" };';
  const cases = `${READ}    era: "2025"\n    expect: allow\n${READ}    expect: deny\n`;
  const outcome = run(`config: own.cedar\ncases:${cases}`, { 'own.cedar': cedar });
  expect(outcome.text).toBe('2 cases, 0 otherwise than expected.\n');
  const wrong = run(`config: own.cedar\ncases:${READ}    era: "2023"\n    expect: allow\n`);
  expect(wrong.exitCode).toBe(1);
  expect(wrong.text).toContain('era');
  const number = run(`config: own.cedar\ncases:${READ}    era: 2025\n    expect: allow\n`);
  expect(number.text).toContain('cases[0].era: Put this in quotes.');
});

it('says what is wrong with the cases, the config and the policies', () => {
  const wrongCase = `config: tidegate.yaml\ncases:\n  - { action: call, resource: { server: files, uri: x }, expect: maybe }\n`;
  expect(run(wrongCase).text).toMatch(/cases\.yaml:3:.*The action call is on a server and tool/);
  expect(run(wrongCase).text).toMatch(/cases\.yaml:3:.*Give allow or deny/);
  const cases = `config: tidegate.yaml\ncases:${READ}    expect: allow\n`;
  expect(run(cases, { 'more.cedar': 'permit (' }).text).toMatch(/more\.cedar:1:/);
  expect(run(cases, { 'tidegate.yaml': 'servers: { a: { command: x } }' }).text).toContain(
    'tidegate.yaml has no policy',
  );
  expect(run(`cases:${READ}    expect: allow\n`).text).toContain('--config');
  expect(run('cases: []\n').text).toBe('cases.yaml:1:8  cases: Write at least one case.\n');
  expect(run('').text).toBe(
    'cases.yaml:1:1  The file is empty. Write at least one case under cases.\n',
  );
});

it('is reached by its words', () => {
  expect(readCommandLine(['policy', 'test', 'a.yaml', '--config', 'c'], {}, '1')).toEqual({
    kind: 'policy',
    options: { file: 'a.yaml', config: 'c', isJson: false },
  });
  expect(readCommandLine(['policy', 'try'], {}, '1')).toMatchObject({ kind: 'wrong' });
  expect(readCommandLine(['policy', '--help'], {}, '1')).toMatchObject({ kind: 'shown' });
});
