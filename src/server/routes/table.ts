/**
 * Every route of an endpoint: path, method, and what runs. Authentication is not theirs to forget.
 */
import type { Inbound } from '../inbound.ts';
import { deleteSession } from './mcp-delete.ts';
import { openStandaloneStream } from './mcp-get.ts';
import { postMcp } from './mcp-post.ts';
import { postMessage } from './messages-post.ts';
import { openSse } from './sse-get.ts';

export interface Route {
  readonly run: (inbound: Inbound) => void;
  /** Whether it begins something that a shutdown would have to wait for. */
  readonly isNewWork: boolean;
}

export const ROUTES: ReadonlyMap<string, ReadonlyMap<string, Route>> = new Map([
  [
    '/mcp',
    new Map<string, Route>([
      ['GET', { run: openStandaloneStream, isNewWork: true }],
      ['POST', { run: postMcp, isNewWork: false }],
      ['DELETE', { run: deleteSession, isNewWork: false }],
    ]),
  ],
  ['/sse', new Map<string, Route>([['GET', { run: openSse, isNewWork: true }]])],
  ['/messages', new Map<string, Route>([['POST', { run: postMessage, isNewWork: false }]])],
]);
