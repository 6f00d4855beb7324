import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { HostOriginGuard } from '../../core/security/host-origin.ts';
import { reachableHosts } from './reachable-hosts.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

describe('reachableHosts', () => {
  it('is loopback and where it listens', () => {
    expect(reachableHosts('127.0.0.1', undefined)).toEqual(LOOPBACK);
    expect(reachableHosts('192.168.1.9', undefined)).toEqual([...LOOPBACK, '192.168.1.9']);
    expect(reachableHosts('fe80::1%eth0', undefined)).toEqual([...LOOPBACK, '[fe80::1]']);
  });

  it('is every name of this machine when it listens everywhere and was told no URL', () => {
    expect(reachableHosts('0.0.0.0', undefined)).toContain(hostname());
    expect(reachableHosts('::', 'https://mcp.example.com')).toEqual([
      ...LOOPBACK,
      'mcp.example.com',
    ]);
  });

  it('holds the port of a public URL that names one, and never a wildcard', () => {
    const hosts = reachableHosts('0.0.0.0', 'https://mcp.example.com:8443/x');
    expect(hosts).toContain('mcp.example.com:8443');
    expect(reachableHosts('0.0.0.0', undefined)).not.toContain('0.0.0.0');
  });

  it('holds nothing that the guard of the endpoint does not take', () => {
    for (const host of ['0.0.0.0', '::', '127.0.0.1', 'box.local', 'fe80::1%eth0']) {
      const allowedHosts = reachableHosts(host, undefined);
      expect(() => new HostOriginGuard({ allowedHosts, allowedOrigins: [] })).not.toThrow();
    }
  });
});
