/** A reader that takes one large frame little by little is seen to take it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeHosts } from './hosts.ts';
import type { Host } from './hosts.ts';
import { get, RawClient } from './raw-client.ts';
import { ScriptedApp } from './scripted-app.ts';

/** Much more than the system keeps between two sockets. */
const LARGE = 'x'.repeat(48_000_000);

describeHosts(['serve', 'tls', 'node', 'express'], (openHost) => {
  let app: ScriptedApp;
  let host: Host;
  let client: RawClient;

  beforeEach(async () => {
    app = new ScriptedApp();
    host = await openHost(app);
    client = await RawClient.open(host.port);
  });
  afterEach(async () => {
    client.destroy();
    await host.close();
  });

  it.each([
    ['a long stream', true],
    ['a reply', false],
  ])('of %s', async (_, isLong) => {
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', isLong);
    client.send(get('/'));
    await client.untilReceived('data: 1\n\n');
    client.socket.pause();
    const [sink] = app.sinks;
    sink?.write(LARGE);
    const queued = sink?.queuedBytes() ?? 0;
    const seen = new Set<number>();
    client.socket.on('data', () => {
      // Node says of nearly all of it that nothing was taken yet.
      if (sink?.queuedBytes() === queued) seen.add(sink.takenBytes?.() ?? NaN);
    });
    client.socket.resume();
    await client.until(() => client.bytesReceived > LARGE.length, 'all of it');
    const all = [...seen];
    expect(all.length).toBeGreaterThan(3);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
  });
});
