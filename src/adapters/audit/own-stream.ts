/** Names under which a process finds its own open files, which are no files to keep. */
const OWN_STREAM =
  /^\/dev\/(?:std(?:in|out|err)|fd\/\d+)$|^\/proc\/(?:self|thread-self|\d+)\/fd\/\d+$/;

/**
 * Whether a path is a stream of a process, such as `/dev/stdout`. Where that is redirected to a
 * file it looks like one, and what is put beside it or in its place is put into `/dev`.
 */
export function isOwnStream(path: string): boolean {
  return OWN_STREAM.test(path);
}
