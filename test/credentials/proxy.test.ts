/** Remote servers behind a proxy: the way there is another, the conversation is the same. */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { remote } from 'tidegate';
import { Message } from '../../src/core/protocol/message.ts';
import { Recorder } from '../upstreams/recorder.ts';
import { dialModern, HandServer } from '../upstreams/http/hand-server.ts';
import { TestProxy } from './test-proxy.ts';

const PEM = readFileSync(new URL('../fixtures/tls/self-signed.pem', import.meta.url), 'utf8');
const SECRET = 'canary-proxy-password';
const BASIC = `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`;

/** A server with a certificate for `mcp.example.com` that answers every call alike. */
async function tlsServer(): Promise<{ port: number; seen: (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const server = createServer({ key: PEM, cert: PEM }, (asked, response) => {
    seen.push(asked.headers['proxy-authorization']);
    let body = '';
    asked.on('data', (chunk) => {
      body += String(chunk);
    });
    asked.on('end', () => {
      const { id } = JSON.parse(body) as { id: unknown };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { host: asked.headers.host } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

it('reaches a server through a tunnel, and shows the password to the proxy alone', async () => {
  const server = await tlsServer();
  const proxy = await TestProxy.start(server.port);
  const { call, sight } = dialModern('https://mcp.example.com/mcp', {
    proxy: proxy.url(`me:${SECRET}@`),
    ca: PEM,
  });
  expect(await call(1)).toEqual({ host: 'mcp.example.com' });
  expect(await call(2)).toEqual({ host: 'mcp.example.com' });
  expect(proxy.asked).toEqual([{ line: 'CONNECT mcp.example.com:443', credential: BASIC }]);
  expect(server.seen).toEqual([undefined, undefined]);
  expect(JSON.stringify(sight)).not.toContain(SECRET);
});

it('sends plain HTTP through a proxy with the whole URL', async () => {
  const server = await HandServer.start((asked) => asked.result({ host: asked.header('host') }));
  const proxy = await TestProxy.start(Number(new URL(server.url).port));
  const { call } = dialModern('http://mcp.example.com/mcp', {
    proxy: proxy.url(),
    allowedHosts: ['mcp.example.com'],
  });
  expect(await call(1)).toEqual({ host: 'mcp.example.com' });
  expect(proxy.asked).toEqual([{ line: 'POST http://mcp.example.com/mcp', credential: undefined }]);
});

it('calls this machine directly, whatever proxy there is', async () => {
  const server = await HandServer.start((asked) => asked.result({}));
  const proxy = await TestProxy.start(1);
  const { call } = dialModern(server.url, { proxy: proxy.url() });
  expect(await call(1)).toEqual({});
  expect(proxy.asked).toEqual([]);
});

it('trusts no certificate that nobody vouches for, proxy or not', async () => {
  const server = await tlsServer();
  const proxy = await TestProxy.start(server.port);
  const { call } = dialModern('https://mcp.example.com/mcp', { proxy: proxy.url() });
  expect(await call(1)).toMatchObject({ code: -32010 });
  expect(server.seen).toEqual([]);
});

it.each([407, 502])('a tunnel refused with %i costs its call and says so', async (status) => {
  const proxy = await TestProxy.start(1);
  proxy.refuses = status;
  const { call, sight } = dialModern('https://mcp.example.com/mcp', {
    proxy: proxy.url(`me:${SECRET}@`),
  });
  expect(await call(1)).toMatchObject({ code: -32010 });
  expect(JSON.stringify(sight.logs)).toContain(`the proxy refused (HTTP status ${status})`);
  expect(JSON.stringify(sight.logs)).not.toContain(SECRET);
});

it('checks where a server is before any proxy is asked', () => {
  expect(() => remote('https://169.254.169.254/', { proxy: 'http://127.0.0.1:1' })).toThrow(
    'not a public address',
  );
});

it('ends in the middle of a tunnel that nobody answers', async () => {
  const silent = createTcpServer(() => {});
  silent.listen(0, '127.0.0.1');
  const socket = once(silent, 'connection');
  await once(silent, 'listening');
  const proxy = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const upstream = remote('https://mcp.example.com/mcp', { proxy });
  const connection = upstream.connect('modern', new Recorder());
  connection.send(Message.request('1', 'tools/list'));
  const [accepted] = (await socket) as [Socket];
  accepted.on('error', () => {});
  await upstream.close();
  silent.close();
  await once(silent, 'close');
});
