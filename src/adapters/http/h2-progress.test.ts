import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { H2Progress } from './h2-progress.ts';

/** A connection with TLS, whose system has taken and has not taken so many bytes. */
function socketWith(handle: { bytesWritten: number; writeQueueSize: number }): Socket {
  return { _handle: { _parent: handle } } as unknown as Socket;
}

it('counts what was taken, though as much or more came to wait', () => {
  const handle = { bytesWritten: 1000, writeQueueSize: 600 };
  const progress = new H2Progress(socketWith(handle));
  handle.bytesWritten = 2000;
  handle.writeQueueSize = 1500;
  expect(progress.look()).toBe(true);
  handle.bytesWritten = 3000;
  handle.writeQueueSize = 2500;
  expect(progress.look()).toBe(false);
});

it('counts nothing where nothing waited: the system alone may have taken it', () => {
  const handle = { bytesWritten: 1000, writeQueueSize: 0 };
  const progress = new H2Progress(socketWith(handle));
  handle.bytesWritten = 2000;
  expect(progress.look()).toBe(false);
  handle.bytesWritten = 9000;
  handle.writeQueueSize = 500;
  expect(progress.look()).toBe(false);
  handle.writeQueueSize = 0;
  expect(progress.look()).toBe(true);
});

it('counts nothing where the system does not tell', () => {
  expect(new H2Progress({} as unknown as Socket).look()).toBe(false);
});
