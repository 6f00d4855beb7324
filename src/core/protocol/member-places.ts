/** Where the members of one message lie in its text; -1 where there is none. Ends are exclusive. */
export class MemberPlaces {
  hasMethod = false;
  idStart = -1;
  idEnd = -1;
  paramsStart = -1;
  paramsEnd = -1;
  resultStart = -1;
  resultEnd = -1;
  errorStart = -1;
  errorEnd = -1;
  /** `_meta` of `params` or of `result`. */
  metaStart = -1;
  metaEnd = -1;
  /** `_meta.progressToken`. */
  metaTokenStart = -1;
  metaTokenEnd = -1;
  /** `_meta["io.modelcontextprotocol/subscriptionId"]`. */
  subscriptionStart = -1;
  subscriptionEnd = -1;
  /** `progressToken` of `params`. */
  progressTokenStart = -1;
  progressTokenEnd = -1;
  /** `requestId` of `params`. */
  requestIdStart = -1;
  requestIdEnd = -1;
  /** Members of the message, repeats included; more than the parsed value has means repeats. */
  memberCount = 0;
  /** The same of `params`. */
  paramsCount = 0;
  /** Members at any depth inside `arguments`, `ref` and `notifications` of `params`. */
  insideCount = 0;
  /** Whether a member of `params` differs from one that decides only in the case of its letters. */
  hasParamVariant = false;
  /** Members of `result`, repeats included. */
  resultCount = 0;
  /** The same of the `_meta` found last. */
  metaCount = 0;
  /** Why this message must be refused even though it may be valid JSON. */
  fault: string | undefined = undefined;
}
