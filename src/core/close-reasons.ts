/**
 * Every goodbye has a name: why a stream, a session or a call was ended, and whether the peer may
 * come back. The names are metric labels and log fields, so they are a promise.
 */
export const CLOSE_REASONS = {
  'client-closed': { resumable: true, meaning: 'The client closed its connection.' },
  'client-ended': { resumable: false, meaning: 'The client ended the session.' },
  completed: { resumable: false, meaning: 'The last response of the exchange was written.' },
  replaced: { resumable: true, meaning: 'A newer connection took the stream over.' },
  rotated: { resumable: true, meaning: 'The stream reached the age at which it is renewed.' },
  'no-place': {
    resumable: true,
    meaning: 'A reader came back from elsewhere, where its stream has no place; it may later.',
  },
  polled: { resumable: true, meaning: 'The server asked the client to come back for the rest.' },
  'slow-reader': {
    resumable: true,
    meaning: 'More bytes waited for the reader than one stream may hold.',
  },
  stalled: { resumable: true, meaning: 'The reader took nothing for too long while bytes waited.' },
  unread: {
    resumable: true,
    meaning: 'Too much waited for all readers together, and this one had left most for longest.',
  },
  flooding: {
    resumable: true,
    meaning: 'Its connection asked for too much at once, or undid too much, and was cut.',
  },
  'session-idle': { resumable: false, meaning: 'No connection for longer than a session is kept.' },
  'session-expired': { resumable: false, meaning: 'The session reached its longest life.' },
  'session-evicted': {
    resumable: false,
    meaning: 'The principal opened more sessions than it may have.',
  },
  'upstream-gone': { resumable: false, meaning: 'The upstream cannot be restarted.' },
  drained: { resumable: true, meaning: 'The server is shutting down.' },
  'credential-expired': {
    resumable: true,
    meaning: 'The credential it was opened with ends; a fresh one takes it up again.',
  },
  unauthorized: {
    resumable: false,
    meaning:
      'The credential was revoked, or the certificate of its connection is believed no more.',
  },
} as const;

export type CloseReason = keyof typeof CLOSE_REASONS;
