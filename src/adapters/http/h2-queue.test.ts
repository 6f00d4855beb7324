import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { H2Queue, SLICE_BYTES } from './h2-queue.ts';
import { SharedBytes } from './shared-bytes.ts';

/** A stream whose reader takes a write when told to, whatever was written to it meanwhile at once. */
class Reader {
  received = '';
  readonly sizes: number[] = [];
  /** Of all that was written, one by one. */
  readonly kinds: string[] = [];
  #taken: (() => void) | undefined;
  readonly stream = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => this.#write([chunk], done),
    writev: (chunks, done) =>
      this.#write(
        chunks.map(({ chunk }) => chunk as string | Buffer),
        done,
      ),
  });
  /** What is counted elsewhere. */
  countedBytes = 0;
  handedBytes = 0;
  readonly queue = new H2Queue(this.stream, new SharedBytes(), {
    add: (bytes) => (this.countedBytes += bytes),
    remove: (bytes) => (this.countedBytes -= bytes),
    handed: (bytes) => (this.handedBytes += bytes),
  });

  /** Takes all of one write, and waits until its writer was told. */
  async take(): Promise<void> {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  get isIdle(): boolean {
    return this.#taken === undefined;
  }

  #write(chunks: readonly (string | Buffer)[], done: () => void): void {
    for (const chunk of chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      this.kinds.push(typeof chunk);
    }
    const bytes = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as string)));
    this.received += bytes.toString();
    this.sizes.push(bytes.length);
    this.#taken = done;
  }
}

/** Text of so many bytes, of which no two are near each other that are alike. */
function textOf(bytes: number): string {
  let text = '';
  for (let i = 0; text.length < bytes; i += 1) text += `${i} `;
  return text.slice(0, bytes);
}

describe('H2Queue', () => {
  it('tells of what it hands over at once where that is not little, of characters of bytes', () => {
    const reader = new Reader();
    reader.queue.write(textOf(16_000));
    reader.queue.write('é'.repeat(192));
    expect(reader.handedBytes).toBe(0);
    reader.queue.write('é');
    reader.queue.write(textOf(1000));
    expect(reader.handedBytes).toBe(1002);
    reader.queue.write(textOf(SLICE_BYTES));
    expect(reader.handedBytes).toBe(1002);
  });

  it('hands a large text over little by little, and tells how far it is', async () => {
    const reader = new Reader();
    const { queue } = reader;
    const large = textOf(3 * SLICE_BYTES + 9);
    queue.write(large);
    const seen = [];
    while (!reader.isIdle) {
      seen.push([queue.takenBytes, queue.queuedBytes]);
      expect(reader.countedBytes).toBe(queue.queuedBytes - reader.stream.writableLength);
      await reader.take();
    }
    expect(reader.sizes).toEqual([SLICE_BYTES, SLICE_BYTES, SLICE_BYTES, 9]);
    expect(seen).toEqual(
      [0, 1, 2, 3].map((i) => [i * SLICE_BYTES, large.length - i * SLICE_BYTES]),
    );
    expect([queue.takenBytes, queue.queuedBytes]).toEqual([large.length, 0]);
    expect(reader.received).toBe(large);
  });

  it('keeps the order of what comes behind, and ends behind all of it', async () => {
    const reader = new Reader();
    const texts = ['first', textOf(SLICE_BYTES), 'ä', textOf(2 * SLICE_BYTES), 'last'];
    for (const text of texts) reader.queue.write(text);
    reader.queue.end();
    expect(reader.stream.writableEnded).toBe(false);
    while (!reader.isIdle) await reader.take();
    expect(reader.received).toBe(texts.join(''));
    expect(reader.stream.writableFinished).toBe(true);
    expect(reader.queue.queuedBytes).toBe(0);
  });

  it('makes few slices of many small texts', async () => {
    const reader = new Reader();
    const text = textOf(1000);
    for (let i = 0; i < 200; i += 1) reader.queue.write(text);
    while (!reader.isIdle) await reader.take();
    expect(reader.received).toBe(text.repeat(200));
    // The first alone, as many behind it as a slice holds, one slice of one, and what came then.
    expect(reader.sizes).toEqual([1000, 65_000, SLICE_BYTES, SLICE_BYTES, 2928]);
  });

  it('hands small texts over as they are, and ends at once, where nothing waits', async () => {
    const reader = new Reader();
    reader.queue.write('one');
    reader.queue.write('two');
    expect([reader.queue.queuedBytes, reader.queue.takenBytes]).toEqual([6, 0]);
    reader.queue.end();
    expect(reader.stream.writableEnded).toBe(true);
    while (!reader.isIdle) await reader.take();
    // What has to wait waits as bytes, which others may share.
    expect(reader.kinds).toEqual(['string', 'object']);
    expect(reader.queue.takenBytes).toBe(6);
  });

  it('keeps the order where what was handed over is taken before that is told', async () => {
    let received = '';
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        received += chunk.toString();
        done();
      },
    });
    const queue = new H2Queue(stream, new SharedBytes(), { add() {}, remove() {}, handed() {} });
    const large = textOf(2 * SLICE_BYTES);
    queue.write(large);
    expect(stream.writableLength).toBe(0);
    queue.write('last');
    await new Promise((resolve) => setImmediate(resolve));
    expect(received).toBe(`${large}last`);
  });

  it('begins again when something large comes later, and listens for the end once', async () => {
    const reader = new Reader();
    for (let i = 0; i < 3; i += 1) {
      reader.queue.write(textOf(2 * SLICE_BYTES));
      while (!reader.isIdle) await reader.take();
    }
    expect(reader.sizes).toEqual(Array.from({ length: 6 }, () => SLICE_BYTES));
    expect(reader.stream.listenerCount('close')).toBe(1);
  });

  it('hands over as much as a slice is at once', () => {
    const reader = new Reader();
    reader.queue.write(textOf(SLICE_BYTES));
    expect(reader.stream.writableLength).toBe(SLICE_BYTES);
    expect(reader.sizes).toEqual([SLICE_BYTES]);
    expect(reader.kinds).toEqual(['string']);
  });

  it('drops what waits when its stream is over before', async () => {
    for (const end of [(it: Writable) => it.end(), (it: Writable) => it.destroy()]) {
      const reader = new Reader();
      reader.stream.on('error', () => expect.unreachable());
      reader.queue.write(textOf(2 * SLICE_BYTES));
      end(reader.stream);
      await reader.take();
      expect(reader.sizes).toEqual([SLICE_BYTES]);
      expect([reader.queue.queuedBytes, reader.countedBytes]).toEqual([0, 0]);
    }
  });

  it('drops what waits when it is told to', async () => {
    const reader = new Reader();
    reader.queue.write(textOf(2 * SLICE_BYTES));
    reader.queue.clear();
    expect([reader.queue.queuedBytes, reader.countedBytes]).toEqual([SLICE_BYTES, 0]);
    await reader.take();
    expect(reader.sizes).toEqual([SLICE_BYTES]);
    reader.queue.write('more');
    expect(reader.received.endsWith('more')).toBe(true);
  });
});
