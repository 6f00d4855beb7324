/** The ways an application gets onto a socket, so that one scenario can run over all of them. */
import { serve as serveFetch } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { fetchHandler } from 'tidegate/fetch';
import { nodeHandler, serve } from 'tidegate/node';
import { describe } from 'vitest';
import { h2Host } from './h2-hosts.ts';
import type { ScriptedApp } from './scripted-app.ts';
import { tlsHost } from './tls-hosts.ts';

export interface Host {
  readonly port: number;
  close(): Promise<void>;
}

export type HostName = 'serve' | 'tls' | 'h2' | 'node' | 'express' | 'fetch' | 'hono';

const SERVED = { port: 0, drainMs: 100, limits: { discardMsMax: 200 } };

export const HOSTS: Readonly<Record<HostName, (app: ScriptedApp) => Promise<Host>>> = {
  serve: async (app) => serve(app, SERVED),
  tls: async (app) => tlsHost(app, SERVED),
  h2: async (app) => h2Host(app, SERVED),
  node: async (app) => listening(createServer(nodeHandler(app))),
  express: async (app) => listening(createServer(express().use(nodeHandler(app)))),
  fetch: async (app) => fetchHost(fetchHandler(app)),
  hono: async (app) => {
    const handler = fetchHandler(app);
    const router = new Hono().all('*', async (context) => handler(context.req.raw));
    return fetchHost(router.fetch);
  },
};

/** Runs the same scenarios once for each host. */
export function describeHosts(
  names: readonly HostName[],
  scenarios: (open: (app: ScriptedApp) => Promise<Host>) => void,
): void {
  for (const name of names) describe(`over ${name}`, () => scenarios(HOSTS[name]));
}

export async function listening(server: Server): Promise<Host> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return { port: (server.address() as AddressInfo).port, close: async () => closed(server) };
}

async function fetchHost(
  handler: (request: Request) => Response | Promise<Response>,
): Promise<Host> {
  return new Promise((resolve) => {
    const server = serveFetch({ fetch: handler, port: 0, hostname: '127.0.0.1' }, (info) => {
      resolve({ port: info.port, close: async () => closed(server) });
    });
  });
}

interface Closable {
  close(done: () => void): unknown;
  closeAllConnections?: () => void;
}

async function closed(server: Closable): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}
