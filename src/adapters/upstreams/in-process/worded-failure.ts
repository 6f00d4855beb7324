/** A failure of a server in this process that we found: its sentence is ours and may be logged. */
export class WordedFailure extends Error {}
