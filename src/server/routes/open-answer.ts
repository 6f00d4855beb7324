/** What became of a request for what is open to everybody, and for reading alone. */
export type OpenAnswer = 'answered' | 'wrong-method';
