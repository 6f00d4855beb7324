import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { Pipeline } from './pipeline.ts';

/** A connection with as many requests behind its first as are asked for, by their numbers. */
class Connection {
  readonly socket = new Socket();
  readonly handled: number[] = [];
  overfull = 0;
  readonly #responses: ServerResponse[] = [];
  readonly pipeline: Pipeline;

  constructor(pipelinedHandledMax: number, pipelinedWaitingMax: number) {
    const limits = { ...DEFAULT_CONNECTION_LIMITS, pipelinedHandledMax, pipelinedWaitingMax };
    this.pipeline = new Pipeline(this.socket, limits, () => (this.overfull += 1));
  }

  /** @param complete - whether their bodies are here, too. */
  send(count: number, complete = true, headers: IncomingMessage['headers'] = {}): void {
    for (let i = 0; i < count; i += 1) {
      const req = Object.assign(new IncomingMessage(this.socket), { complete, headers });
      const res = new ServerResponse(req);
      const number = this.#responses.push(res);
      this.pipeline.enter(res, () => this.handled.push(number));
    }
  }

  /** What `node:http` does when the reply before this one is over. */
  turnOf(number: number): void {
    this.beginTurnOf(number);
    this.#responses[number - 1]?.detachSocket(this.socket);
  }

  reply(number: number, body: string): void {
    this.#responses[number - 1]?.end(body);
  }

  lengthOf(number: number): number {
    return this.#responses[number - 1]?.writableLength ?? NaN;
  }

  beginTurnOf(number: number): void {
    this.#responses[number - 1]?.assignSocket(this.socket);
  }
}

describe('Pipeline', () => {
  it('handles some before their turn, and the next each time one had its turn', () => {
    const connection = new Connection(2, 10);
    connection.send(5);
    expect(connection.handled).toEqual([1, 2]);
    connection.turnOf(1);
    expect(connection.handled).toEqual([1, 2, 3]);
    connection.turnOf(2);
    connection.turnOf(3);
    expect(connection.handled).toEqual([1, 2, 3, 4, 5]);
    connection.send(2);
    expect(connection.handled).toEqual([1, 2, 3, 4, 5]);
    connection.turnOf(4);
    connection.turnOf(5);
    expect(connection.handled).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(connection.overfull).toBe(0);
  });

  it('handles at once what comes when all had their turn', () => {
    const connection = new Connection(2, 10);
    connection.send(2);
    for (const number of [1, 2]) connection.turnOf(number);
    connection.send(3);
    expect(connection.handled).toEqual([1, 2, 3, 4]);
  });

  it('handles each in its turn where none may be handled before', () => {
    const connection = new Connection(0, 10);
    connection.send(3);
    expect(connection.handled).toEqual([]);
    for (const number of [1, 2, 3]) {
      connection.turnOf(number);
      expect(connection.handled.at(-1)).toBe(number);
    }
    expect(connection.handled).toEqual([1, 2, 3]);
  });

  it('cuts the connection when more wait than may, tells it once and handles no more', () => {
    const connection = new Connection(1, 2);
    connection.send(3);
    expect(connection.socket.destroyed).toBe(false);
    connection.send(1, false);
    expect(connection.socket.destroyed).toBe(true);
    expect(connection.pipeline.isBodyHeld).toBe(false);
    connection.send(9);
    expect(connection.overfull).toBe(1);
    connection.turnOf(1);
    expect(connection.handled).toEqual([1]);
  });

  it('lets go of those that wait when their connection ends', async () => {
    const connection = new Connection(1, 10);
    connection.send(4);
    connection.socket.destroy();
    connection.turnOf(1);
    await once(connection.socket, 'close');
    connection.turnOf(2);
    expect(connection.handled).toEqual([1]);
  });

  it('holds nothing any more when its connection ended', async () => {
    const connection = new Connection(1, 10);
    connection.send(3, false);
    expect(connection.pipeline.isBodyHeld).toBe(true);
    connection.socket.destroy();
    await once(connection.socket, 'close');
    expect(connection.pipeline.isBodyHeld).toBe(false);
  });

  it('holds the body of the last that waits, where it is not here', () => {
    const connection = new Connection(1, 10);
    const { pipeline } = connection;
    expect(pipeline.isBodyHeld).toBe(false);
    connection.send(1, false);
    expect(pipeline.isBodyHeld).toBe(false);
    connection.send(1, false);
    expect(pipeline.isBodyHeld).toBe(true);
    connection.send(1);
    expect(pipeline.isBodyHeld).toBe(false);
    connection.send(1, false);
    expect(pipeline.isBodyHeld).toBe(true);
    for (const number of [1, 2, 3]) connection.turnOf(number);
    expect([connection.handled, pipeline.isBodyHeld]).toEqual([[1, 2, 3, 4], false]);
  });

  it('holds a body that was not asked for, until the turn of its request', () => {
    const connection = new Connection(2, 10);
    const { pipeline } = connection;
    connection.send(1);
    connection.send(1, false, { expect: '100-continue' });
    expect([connection.handled, pipeline.isBodyHeld]).toEqual([[1, 2], true]);
    connection.turnOf(1);
    expect(pipeline.isBodyHeld).toBe(true);
    connection.beginTurnOf(2);
    expect(pipeline.isBodyHeld).toBe(false);
  });

  it('knows what is kept of replies until their turn', async () => {
    const connection = new Connection(10, 10);
    const { pipeline } = connection;
    connection.send(3);
    expect(pipeline.keptBytes).toBe(0);
    for (const number of [1, 2, 3]) connection.reply(number, 'x'.repeat(10 ** number));
    const [first, second, third] = [
      connection.lengthOf(1),
      connection.lengthOf(2),
      connection.lengthOf(3),
    ];
    expect(third).toBeGreaterThan(1000);
    expect(pipeline.keptBytes).toBe(first + second + third);
    connection.turnOf(1);
    expect(pipeline.keptBytes).toBe(second + third);
    // What is replied now is the connection's.
    connection.beginTurnOf(2);
    expect(pipeline.keptBytes).toBe(third);
    connection.socket.destroy();
    await once(connection.socket, 'close');
    expect(pipeline.keptBytes).toBe(0);
  });

  it('lets as many listen for the end of its connection as wait', () => {
    expect(new Connection(1, 10).socket.getMaxListeners()).toBe(0);
  });
});
