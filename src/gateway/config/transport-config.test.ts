import { describe, expect, it } from 'vitest';
import { readConfig } from './read-config.ts';

function read(text: string) {
  return readConfig(`${text}\nservers: { a: { command: x } }`, {
    path: '/etc/tidegate/tidegate.yaml',
    env: {},
    readFile: () => ({ kind: 'unreadable', fault: 'does not exist' }),
  });
}

function problemsOf(text: string): readonly string[] {
  const outcome = read(text);
  if (outcome.kind === 'config') return [];
  return outcome.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

describe('TLS', () => {
  it('has its files beside the config', () => {
    const tls = '{ cert: ./c.pem, key: /k.pem, clientCa: ca.pem, clientCrl: crl.pem, http2: true }';
    expect(read(`listen: { tls: ${tls} }`)).toMatchObject({
      config: {
        listen: {
          tls: {
            cert: '/etc/tidegate/c.pem',
            key: '/k.pem',
            clientCa: '/etc/tidegate/ca.pem',
            clientCrl: '/etc/tidegate/crl.pem',
            http2: true,
          },
        },
      },
    });
    expect(read('listen: {}')).toMatchObject({ config: { listen: { tls: undefined } } });
  });

  it('has every fault told at its line', () => {
    expect(
      problemsOf('listen:\n  tls:\n    cert: c.pem\n    minVersion: TLSv1.1\n    htp2: true'),
    ).toEqual([
      '2 listen.tls.key: This key is missing.',
      expect.stringMatching(/^4 listen\.tls\.minVersion: Give TLSv1\.2 or TLSv1\.3\./),
      '5 listen.tls.htp2: There is no key "htp2". Did you mean http2?',
    ]);
    expect(problemsOf('listen: { tls: { cert: c, key: k, clientCrl: l } }')).toEqual([
      '1 listen.tls.clientCrl: Name the authorities of client certificates in clientCa.',
    ]);
    expect(
      problemsOf('listen: { tls: { cert: c, key: k, clientCertificates: required } }'),
    ).toEqual([
      '1 listen.tls.clientCertificates: Name the authorities of client certificates in clientCa.',
    ]);
  });
});

describe('client certificates as a way to come in', () => {
  const LISTEN = 'listen: { tls: { cert: c, key: k, clientCa: a } }';

  it('map fields, and stand beside others', () => {
    const mtls = '{ tenant: { field: o }, subject: san-uri, groups: ou }';
    expect(read(`${LISTEN}\nauth: [{ mtls: ${mtls} }, { keys: k.json }]`)).toMatchObject({
      config: {
        auth: {
          kind: 'several',
          ways: [
            { kind: 'mtls', tenant: { field: 'o' }, subject: 'san-uri', groups: 'ou' },
            { kind: 'keys' },
          ],
        },
      },
    });
  });

  it('need authorities that verify them', () => {
    expect(problemsOf('listen: { tls: { cert: c, key: k } }\nauth: { mtls: {} }')).toEqual([
      '2 auth.mtls: Name the authorities of client certificates in listen.tls.clientCa.',
    ]);
    expect(problemsOf(`${LISTEN}\nauth: { mtls: { subject: dn, tenant: { field: x } } }`)).toEqual([
      expect.stringMatching(
        /^2 auth\.mtls\.subject: Give cn, o, ou, san-uri, san-dns or san-email/,
      ),
      '2 auth.mtls.tenant: Give a name, or { field: o }.',
    ]);
  });
});

describe('proxies', () => {
  it('are addresses and ranges', () => {
    expect(
      read('listen: { trustedProxies: [10.0.0.0/8, "::1"], proxyProtocol: true }'),
    ).toMatchObject({
      config: { listen: { trustedProxies: ['10.0.0.0/8', '::1'], proxyProtocol: true } },
    });
    expect(problemsOf('listen:\n  trustedProxies:\n    - 10.0.0.0/8\n    - proxy.example')).toEqual(
      [expect.stringMatching(/^4 listen\.trustedProxies\[1\]: Give an address/)],
    );
    expect(problemsOf('listen: { proxyProtocol: true }')).toEqual([
      '1 listen.proxyProtocol: Name the proxies in trustedProxies: nobody else is believed.',
    ]);
  });

  it('may have one header alone believed', () => {
    const text = 'listen: { trustedProxies: ["::1"], forwardedHeader: x-forwarded-for }';
    expect(read(text)).toMatchObject({
      config: { listen: { forwardedHeader: 'x-forwarded-for' } },
    });
    expect(problemsOf('listen: { forwardedHeader: forwarded }')).toEqual([
      '1 listen.forwardedHeader: Name the proxies in trustedProxies: nobody else is believed.',
    ]);
    expect(problemsOf('listen: { trustedProxies: ["::1"], forwardedHeader: x-real-ip }')).toEqual([
      expect.stringMatching(/^1 listen\.forwardedHeader: Give forwarded or x-forwarded-for\./),
    ]);
  });
});
