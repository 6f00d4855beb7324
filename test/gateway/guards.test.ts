/** Limits by account and the record, for all servers of a gateway together. */
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { verifyAudit } from '../../src/adapters/audit/verify-audit.ts';
import type { Refusal } from '../../src/core/errors.ts';
import type { Variables } from '../../src/gateway/config/interpolate.ts';
import { readConfig } from '../../src/gateway/config/read-config.ts';
import { initialize, postOf } from '../wire/conversation.ts';
import {
  BEARER,
  childOf,
  configOf,
  gatewayHost,
  GatewaySession,
  temporaryFolder,
} from './gateway-host.ts';

interface Entry {
  readonly event: string;
  readonly server?: string;
  readonly method?: string;
  readonly target?: string;
  readonly outcome?: string;
  readonly paramsDigest?: string;
}

function entriesOf(file: string): readonly Entry[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Entry);
}

describe('the record of a gateway', () => {
  it('holds calls of every server with how they ended, and is whole after a shutdown', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: true };
    const host = await gatewayHost(configOf({ alpha: childOf(), beta: childOf() }, { audit }));
    await (await GatewaySession.open(host, 'alpha')).said('now');
    await (await GatewaySession.open(host, 'beta')).said('now');
    await host.send({ path: '/alpha/mcp' }).whole();
    await host.close();
    const calls = entriesOf(file).filter(({ method }) => method === 'tools/call');
    expect(calls).toMatchObject([
      { server: 'alpha', target: 'now', outcome: 'ok' },
      { server: 'beta', target: 'now', outcome: 'ok' },
    ]);
    expect(entriesOf(file).map(({ event }) => event)).toContain('unauthenticated');
    expect(entriesOf(file).at(-1)?.event).toBe('stopped');
    expect(await verifyAudit([file])).toMatchObject({ from: 1, torn: 0, faults: [] });
  });

  it('holds digests that whoever has their key can check, and begins with no other key', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const digestKey = 'a key of thirty-two characters..';
    const audit = { file, rotateBytes: 1_000_000, isRequired: true, digestKey };
    const config = configOf({ alpha: childOf() }, { audit });
    const weak = { ...config, audit: { ...audit, digestKey: 'weak' } };
    await expect(gatewayHost(weak)).rejects.toThrow('shorter than 32 characters');
    const host = await gatewayHost(config);
    await (await GatewaySession.open(host, 'alpha')).said('now');
    await host.close();
    const call = entriesOf(file).find(({ method }) => method === 'tools/call');
    const params = '{"name":"now","arguments":{}}';
    const digest = createHmac('sha256', digestKey).update(params).digest('base64url');
    expect(call).toMatchObject({ paramsDigest: digest });
    expect(readFileSync(file, 'utf8')).not.toContain(digestKey);
    expect(await verifyAudit([file])).toMatchObject({ from: 1, faults: [] });
  });

  it('has a call through /all once, where it came in', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: false };
    const all = { servers: undefined };
    const host = await gatewayHost(configOf({ alpha: childOf() }, { audit, all }));
    const session = await GatewaySession.open(host, 'all');
    expect(await session.said('alpha__now')).toContain('');
    await host.close();
    const calls = entriesOf(file).filter(({ method }) => method === 'tools/call');
    expect(calls).toMatchObject([{ server: 'all', target: 'alpha__now', outcome: 'ok' }]);
  });

  it('holds what was done to the gateway, and no value of a setting', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: false };
    const host = await gatewayHost(configOf({ alpha: childOf() }, { audit }));
    const policy = { sources: [], allow: [], arguments: {} };
    const auth = { kind: 'token', token: `another-${'0'.repeat(32)}` } as const;
    host.gateway.reload(configOf({ alpha: childOf() }, { audit, auth }));
    host.gateway.reload(
      configOf({ beta: childOf() }, { audit, auth, policy, denied: { subjects: ['ann'] } }),
    );
    host.gateway.revoke({ credentials: ['jti:1'] });
    host.gateway.reinstate({ credentials: ['jti:1'] });
    await host.close();
    const acts = entriesOf(file).filter(({ event }) => event === 'administered');
    expect(JSON.stringify(acts)).not.toContain('another-');
    expect(acts).toMatchObject([
      { act: 'reload', outcome: 'applied', isPolicyNew: false, isAuthNew: true },
      { added: ['beta'], removed: ['alpha'], isPolicyNew: true, isAuthNew: false },
      { act: 'revoke', by: 'config', subjects: ['ann'] },
      { act: 'revoke', by: 'program', credentials: ['jti:1'] },
      { act: 'reinstate', by: 'program', credentials: ['jti:1'] },
    ]);
    expect(await verifyAudit([file])).toMatchObject({ faults: [] });
  });

  it('that cannot be opened keeps the gateway from starting', async () => {
    const file = join(temporaryFolder(), 'absent', 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: false };
    await expect(gatewayHost(configOf({ alpha: childOf() }, { audit }))).rejects.toThrow('ENOENT');
  });

  it('that cannot be written takes the gateway out of service until it can', async () => {
    let fault: Refusal | undefined;
    const audit = { fault: () => fault, record: () => {} };
    const host = await gatewayHost(configOf({ alpha: childOf() }), { audit });
    await GatewaySession.open(host, 'alpha');
    const ready = async (): Promise<string> => {
      const reply = await host.send({ path: '/readyz' }).whole();
      return `${reply.status} ${reply.text}`;
    };
    expect(await ready()).toMatch(/^200/);
    fault = { error: 'AUDIT_UNAVAILABLE' };
    expect(await ready()).toMatch(/^503 .*the record cannot be written/s);
    fault = undefined;
    expect(await ready()).toMatch(/^200/);
  });

  it('is kept by one gateway at a time, and by none that did not start', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: true };
    const config = configOf({ alpha: childOf() }, { audit });
    const listen = { ...config.listen, allowedOrigins: ['nonsense'] };
    await expect(gatewayHost({ ...config, listen })).rejects.toThrow(TypeError);
    await vi.waitFor(() => expect(readdirSync(dirname(file))).toEqual(['audit.jsonl']));
    const host = await gatewayHost(config);
    await expect(gatewayHost(config)).rejects.toThrow(`process ${process.pid} keeps it`);
    await (await GatewaySession.open(host, 'alpha')).said('now');
    await host.close();
    await (await gatewayHost(config)).close();
    expect(await verifyAudit([file])).toMatchObject({ from: 1, torn: 0, faults: [] });
  });
});

describe('limits by account', () => {
  it('count all servers of a gateway together', async () => {
    const rates = { principal: { sessionsMax: 1 } };
    const host = await gatewayHost(configOf({ alpha: childOf(), beta: childOf() }, { rates }));
    const session = await GatewaySession.open(host, 'alpha');
    const refused = await host.send(postOf('/beta/mcp', initialize('2025-11-25'), BEARER)).whole();
    expect(refused.status).toBe(429);
    expect(refused.header('retry-after')).toBeDefined();
    await session.end().whole();
    await GatewaySession.open(host, 'beta');
  });

  it('that differ after a reload are told to need a restart', async () => {
    const config = configOf({ alpha: childOf() }, { rates: { tenant: { streamsMax: 1 } } });
    const host = await gatewayHost(config);
    expect(host.gateway.reload({ ...config, rates: undefined })).toMatchObject({
      kind: 'applied',
      kept: 1,
      needsRestart: ['rates'],
    });
  });
});

describe('a config of guards', () => {
  const read = (yaml: string, env: Variables = {}): ReturnType<typeof readConfig> =>
    readConfig(`servers: { a: { command: a } }\n${yaml}`, {
      path: '/etc/tidegate/tidegate.yaml',
      env,
      readFile: () => ({ kind: 'failed', sentence: 'There is no file.' }) as never,
    });

  it('has rates by account and a record beside the file', () => {
    const yaml = 'rates: { address: { requestsPerSecond: 50 } }\naudit: { file: audit.jsonl }\n';
    expect(read(yaml)).toMatchObject({
      kind: 'config',
      config: {
        rates: { address: { requestsPerSecond: 50 } },
        audit: { file: '/etc/tidegate/audit.jsonl', rotateBytes: 104_857_600, isRequired: false },
      },
    });
    expect(read('audit: { file: "-", required: true }')).toMatchObject({
      config: { audit: { file: undefined, isRequired: true } },
    });
  });

  it('has a key for the digests of the record, from a variable, and never repeats it', () => {
    const audit = 'audit: { file: "-", digestKey: "${DIGEST_KEY}" }';
    const key = 'CANARY'.padEnd(32, 'x');
    expect(read(audit, { DIGEST_KEY: key })).toMatchObject({
      config: { audit: { digestKey: key } },
    });
    for (const env of [{}, { DIGEST_KEY: '' }, { DIGEST_KEY: key.slice(1) }]) {
      const faulty = read(audit, env);
      expect(faulty).toMatchObject({ kind: 'faulty', problems: [{ path: 'audit.digestKey' }] });
      expect(JSON.stringify(faulty)).not.toContain('CANARY');
    }
  });

  it.each(['/dev/stdout', '/proc/self/fd/1', '../../dev/stderr'])(
    'is told to write - where its record would go to the stream %s',
    (file) => {
      const message = 'This is a stream, no file. Write - for standard output.';
      expect(read(`audit: { file: ${file} }`)).toMatchObject({
        kind: 'faulty',
        problems: [{ line: 2, path: 'audit.file', message }],
      });
    },
  );

  it('is told by line what is wrong with it', () => {
    expect(read('rates: { addres: {} }\naudit: { rotateBytes: 1 }\n')).toMatchObject({
      kind: 'faulty',
      problems: [{ line: 2 }, { line: 3 }, { line: 3 }],
    });
  });
});

describe('what a program plugs into a gateway, and what fails', () => {
  const fail = (): never => {
    throw new Error('broken');
  };
  const reject = async (): Promise<never> => fail();
  const pass = (_whom: unknown, done: (said: undefined) => void): void => done(undefined);
  const nothing = (): undefined => {};
  const asked = { arrive: pass, enter: pass, open: pass, hasPlace: () => true };
  const open = { ...asked, spend: nothing, take: nothing, full: nothing, giveBack: nothing };
  const later = (_whom: unknown, done: (said: never) => void): void => {
    setImmediate(() => done(undefined as never));
  };

  it.each<[name: string, port: string, given: object, statuses: number[]]>([
    ['an identity that throws', 'identity', { verify: fail }, [500, 500]],
    ['an identity that rejects', 'identity', { verify: reject }, [500, 500]],
    ['an identity that says nothing later', 'identity', { verify: later }, [500, 500]],
    ['a gate that throws', 'gate', { ...open, arrive: fail }, [500, 500]],
    ['a gate that rejects', 'gate', { ...open, arrive: reject }, [500, 500]],
    ['policies that reject', 'access', { decide: reject, filter: fail }, [500, 404]],
    ['a record that throws', 'audit', { fault: fail, record: fail }, [503, 404]],
  ])('%s refuses those it was asked about', async (_, port, given, statuses) => {
    const host = await gatewayHost(configOf({ alpha: childOf() }), { [port]: given });
    const statusAt = async (path: string): Promise<number> =>
      (await host.send(postOf(path, initialize('2025-11-25'), BEARER)).whole()).status;
    const seen = [await statusAt('/alpha/mcp'), await statusAt('/nowhere/mcp')];
    expect(seen).toEqual(statuses);
    const events = host.log.map(({ event }) => event);
    expect(events).toContain(`${port}_failed`);
    expect((await host.send({ path: '/healthz' }).whole()).status).toBe(200);
    if (port === 'audit') host.gateway.revoke({ subjects: ['ann'] });
    await host.close();
    expect(host.gateway.status.servers).toMatchObject([{ sessions: 0, pending: 0 }]);
  });
});
