import type { Writable } from 'node:stream';
import type { LineSink } from './line-sink.ts';

/** Lines on a stream that is not ours to close, such as standard output. */
export function streamLines(stream: Writable): LineSink {
  return {
    write(bytes, done) {
      stream.write(bytes, (error) => done(error ?? undefined));
    },
    close: async () => {},
  };
}
