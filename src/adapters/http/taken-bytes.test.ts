import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { queuedBytes, takenBytes } from './taken-bytes.ts';

/** A socket with what lies below it, in Node or elsewhere. */
function over(handle: object | null): Socket {
  return Object.assign(new Socket(), { _handle: handle });
}

describe('takenBytes', () => {
  it('is what was written and does not wait', () => {
    expect(takenBytes(over({ bytesWritten: 9, writeQueueSize: 4 }))).toBe(5);
  });

  it('is that of the connection below TLS', () => {
    const _parent = { bytesWritten: 90, writeQueueSize: 4 };
    const socket = over({ bytesWritten: 9, writeQueueSize: 4, _parent });
    expect(takenBytes(socket)).toBe(86);
    expect(queuedBytes(socket)).toBe(4);
  });

  it.each([null, {}, { bytesWritten: 9 }, { writeQueueSize: 4 }])(
    'is unknown where %s tells too little',
    (handle) => {
      expect(takenBytes(over(handle))).toBeUndefined();
    },
  );
});

describe('queuedBytes', () => {
  it('is what waits, and nothing where nobody counts', () => {
    const handles = [{ writeQueueSize: 4 }, {}, null];
    expect(handles.map((handle) => queuedBytes(over(handle)))).toEqual([4, 0, 0]);
  });
});
