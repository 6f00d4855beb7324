import { describe, expect, it } from 'vitest';
import { ProxyChoice } from './proxy-choice.ts';

const ENV = {
  HTTPS_PROXY: 'http://secure.proxy:3128',
  HTTP_PROXY: 'plain.proxy:8080',
  NO_PROXY: 'direct.example, .below.example 10.0.0.0/8,fd00::/8,ported.example:8443,192.0.2.7',
};

function proxyFor(url: string, env: Record<string, string> = ENV, option?: string | false): string {
  return new ProxyChoice(option, env).for(new URL(url))?.url.host ?? 'none';
}

describe('a proxy of the environment', () => {
  it('is the one of the scheme', () => {
    expect(proxyFor('https://mcp.example.com/mcp')).toBe('secure.proxy:3128');
    expect(proxyFor('http://mcp.example.com/mcp')).toBe('plain.proxy:8080');
    expect(proxyFor('https://mcp.example.com/', { HTTP_PROXY: 'http://p' })).toBe('none');
  });

  it('goes by the name in lower case first', () => {
    const env = { HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower', no_proxy: 'a.example' };
    expect(proxyFor('https://b.example/', env)).toBe('lower');
    expect(proxyFor('https://a.example/', env)).toBe('none');
  });

  it.each([
    'https://direct.example/',
    'https://x.direct.example/',
    'https://a.below.example/',
    'https://10.9.8.7/',
    'https://[fd00::1]/',
    'https://192.0.2.7/',
    'https://ported.example:8443/',
    'http://localhost:3000/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://app.localhost/',
  ])('is not taken for %s', (url) => {
    expect(proxyFor(url)).toBe('none');
  });

  it.each(['https://notdirect.example/', 'https://ported.example/', 'https://11.0.0.1/'])(
    'is taken for %s',
    (url) => {
      expect(proxyFor(url)).toBe('secure.proxy:3128');
    },
  );

  it('is none at all for NO_PROXY=*', () => {
    expect(proxyFor('https://mcp.example.com/', { ...ENV, NO_PROXY: '*' })).toBe('none');
  });
});

describe('a proxy that was named', () => {
  it('is for everything, whatever the environment says', () => {
    expect(proxyFor('https://direct.example/', ENV, 'http://mine:1')).toBe('mine:1');
    expect(proxyFor('http://direct.example/', ENV, 'http://mine:1')).toBe('mine:1');
    expect(proxyFor('https://mcp.example.com/', ENV, false)).toBe('none');
  });

  it('gives its user as a header and nowhere else', () => {
    const proxy = new ProxyChoice('http://me:p%40ss@mine:1/path', {}).for(new URL('https://a.b/'));
    expect(proxy?.credential).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    expect(proxy?.url.href).toBe('http://mine:1/');
  });

  it.each(['socks5://user:hidden@mine:1', 'http://user:hidden@:99999', 'http://'])(
    'is refused without repeating it when it is %s',
    (text) => {
      expect(() => new ProxyChoice(text, {})).toThrow(/^The proxy URL [^/]*\.$/);
      expect(() => new ProxyChoice(undefined, { HTTPS_PROXY: text })).toThrow(/^The HTTPS_PROXY/);
    },
  );
});
