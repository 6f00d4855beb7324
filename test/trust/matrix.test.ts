/**
 * Every route, every method, every era and every state a credential can be in, and what follows.
 * The routes come from the table that is served, the answers from `matrix-expected.ts`.
 *
 * Keys and plain tokens meet every path, spelled both ways, and every method. What is bound, asked
 * about or shown in a handshake differs in how it is verified alone, which comes before the route:
 * it meets a covering set, each route of each era and each place without one, by every method that
 * some route takes.
 */
import { describe, expect, it } from 'vitest';
import { errorResponse } from '../../src/core/errors.ts';
import { ROUTES } from '../../src/server/routes/table.ts';
import { metaOf } from '../wire/client-2026.ts';
import { callNow } from '../wire/conversation.ts';
import { PUBLIC_URL } from './issuer.ts';
import type { Answer, Question } from './matrix-ask.ts';
import { headersOf, WAYS } from './matrix-credentials.ts';
import { type Door, doors, Sessions } from './matrix-doors.ts';
import {
  type Cell,
  challengesOf,
  type Era,
  ERAS,
  expectedOf,
  isRefused,
  type Method,
  METHODS,
  type Place,
  ROUTES_EXPECTED,
} from './matrix-expected.ts';

/** For machines that are busy with much else. */
const TEST_MS_MAX = 240_000;
/** Requests under way at once. */
const AT_ONCE = 24;
const UNKNOWN_ID = 'A'.repeat(22);
const METADATA = '/.well-known/oauth-protected-resource';

interface Spot {
  readonly place: Place;
  readonly route: string;
  readonly path: string;
}

interface Asked extends Cell {
  readonly door: Door;
  readonly path: string;
}

/** The ids of sessions that a request names. */
interface Named {
  readonly id: string;
  readonly query: string;
}

describe('the matrix of trust', () => {
  it('knows every route that is served, and no other', () => {
    const served = [...ROUTES].map(([path, methods]) => [path, [...methods.keys()]]);
    const known = Object.entries(ROUTES_EXPECTED).map(([path, all]) => [path, Object.keys(all)]);
    expect(served).toEqual(known);
  });

  it(
    'V12 V16 V19 V22 V23 V24 V27 V35 V40 holds in every cell',
    { timeout: TEST_MS_MAX },
    async () => {
      const all = await doors();
      const held = new Map<string, Sessions>();
      for (const door of all.filter(({ isServed }) => isServed)) {
        for (const way of WAYS) {
          held.set(`${door.name} ${way}`, await Sessions.open(door, way));
        }
      }
      const cells = all.flatMap((door) => cellsOf(door));
      const faults: string[] = [];
      const namedBy = ({ door, credential: { way } }: Asked): Named =>
        held.get(`${door.name} ${way}`) ?? NOBODYS;
      const check = async (cell: Asked): Promise<void> => {
        const answer = await ask(cell, namedBy(cell));
        faults.push(...faultsOf(cell, answer));
        if (cell.credential.standing !== 'other') return;
        const unknown = await ask(cell, NOBODYS);
        if (unknown.bytes !== answer.bytes) faults.push(`${nameOf(cell)} tells who is there`);
      };
      const before = all.map(({ ran }) => ran());
      await atOnce(
        cells.filter((each) => isShutOut(each)),
        check,
      );
      expect(all.map(({ ran }) => ran())).toEqual(before);
      await atOnce(
        cells.filter((each) => !isShutOut(each) && each.credential.standing === 'other'),
        check,
      );
      for (const { stream, listening } of held.values()) {
        expect([stream.isEnded, listening.isEnded]).toEqual([false, false]);
        expect([stream.messages.length, listening.messages.length]).toEqual([1, 0]);
      }
      const right = cells.filter(
        (each) => !isShutOut(each) && each.credential.standing === 'right',
      );
      await atOnce(right, async (cell) => {
        const isLast = cell.method === 'DELETE' && cell.place === 'route' && cell.isServed;
        const named = isLast ? await Sessions.open(cell.door, cell.credential.way) : namedBy(cell);
        const answer = await ask(cell, named);
        faults.push(...faultsOf(cell, answer));
      });
      expect(faults.slice(0, 20)).toEqual([]);
      expect(cells.length).toBeGreaterThan(24_000);
    },
  );
});

const NOBODYS: Named = { id: UNKNOWN_ID, query: `sessionId=${UNKNOWN_ID}` };

function cellsOf(door: Door): Asked[] {
  const { prefix, isServed } = door;
  const spots: Spot[] = [...ROUTES.keys()].flatMap((route) => [
    { place: 'route', route, path: prefix + route } as const,
    { place: 'route', route, path: `${prefix}${route}/` } as const,
  ]);
  for (const path of ['/nothing', '/mcp/nothing', '/constructor']) {
    spots.push({ place: 'nothing', route: '', path: prefix + path });
  }
  if (prefix === '' || !isServed) {
    for (const path of ['/healthz', '/readyz']) spots.push({ place: 'health', route: '', path });
  }
  if (isServed) spots.push({ place: 'metadata', route: '', path: `${METADATA}${prefix}/mcp` });
  return spots.flatMap((spot) =>
    METHODS.flatMap((method) =>
      erasOf(spot, method).flatMap((era) =>
        door.credentials
          .filter((credential) => !credential.isCovering || isCovered(spot, method))
          .map((credential) => ({ ...spot, isServed, method, era, door, credential })),
      ),
    ),
  );
}

/** Of the covering set: each path as it is spelled usually, by what some route takes. */
function isCovered({ place, path }: Spot, method: Method): boolean {
  if (place === 'health' || path.endsWith('/') || /\/(?:mcp\/nothing|constructor)$/.test(path)) {
    return false;
  }
  return COVERING_METHODS.includes(method);
}

const COVERING_METHODS: readonly Method[] = ['GET', 'POST', 'DELETE'];

/** The era is read from a request that a route takes, and from no other. */
function erasOf({ place, route, path }: Spot, method: Method): readonly Era[] {
  const isTaken = place === 'route' && ROUTES.get(route)?.has(method) === true;
  return isTaken && !path.endsWith('/') ? ERAS : ['2025'];
}

async function ask({ door, path, method, era, credential }: Asked, named: Named): Promise<Answer> {
  const { headers, body } = eraOf(era, named.id);
  const queries = [era === '2024' ? named.query : '', credential.query].filter(Boolean).join('&');
  const shown = await headersOf(credential, { method, path });
  const question: Question = {
    method,
    path: queries === '' ? path : `${path}?${queries}`,
    headers: { ...headers, ...shown },
    body: method === 'CONNECT' ? '' : body,
  };
  const asker = door.entry.askerOf(credential.shown);
  if (credential.isSpent) {
    // By a request that gets as far as its route and no further: it takes no reply there is.
    const spending = { ...shown, accept: 'image/png' };
    const { status } = await asker.ask({ method, path, headers: spending, body: '' });
    const isIn = door.isServed ? status !== 401 : status === 401;
    if (!isIn) throw new Error(`${method} ${path} with ${credential.state}: ${status} at first`);
  }
  return asker.ask(question);
}

function eraOf(era: Era, id: string): Pick<Question, 'headers' | 'body'> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const legacy = JSON.stringify(callNow(1));
  if (era === '2024') return { headers, body: legacy };
  const session = { ...headers, 'mcp-session-id': id };
  if (era === '2025') {
    return { headers: { ...session, 'mcp-protocol-version': '2025-11-25' }, body: legacy };
  }
  // What a client of this revision does not send, an attacker does.
  const modern = {
    ...session,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'now',
  };
  const params = { name: 'now', arguments: {}, _meta: metaOf() };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  return { headers: modern, body };
}

function isShutOut({ place, method, credential, isServed }: Asked): boolean {
  if (place !== 'route' && place !== 'nothing') return true;
  if (method === 'CONNECT' || method === 'OPTIONS') return true;
  return isRefused(credential, isServed);
}

function faultsOf(cell: Asked, answer: Answer): string[] {
  const expected = expectedOf(cell);
  const faults: string[] = [];
  const must = (what: string, was: unknown, is: unknown): void => {
    const [wanted, got] = [JSON.stringify(is), JSON.stringify(was)];
    if (got !== wanted) faults.push(`${nameOf(cell)}: ${what} ${got}, not ${wanted}`);
  };
  must('status', answer.status, expected.status);
  if (expected.allow !== undefined) {
    must('Allow', answer.headers.get('allow'), [expected.allow]);
  }
  if (expected.error !== undefined) {
    const refusal = { error: expected.error, id: expected.hasId === true ? '1' : undefined };
    must('body', answer.body, cell.method === 'HEAD' ? '' : errorResponse(refusal));
  }
  const challenges = expected.status === 401 ? challengesAt(cell) : undefined;
  must('WWW-Authenticate', answer.headers.get('www-authenticate'), challenges);
  const isRetried = /^[1-9]\d*$/.test(answer.headers.get('retry-after')?.[0] ?? '');
  must('Retry-After', isRetried, expected.status === 503);
  const isOurs = answer.headers.has('mcp-session-id') || answer.headers.has('set-cookie');
  if (isOurs) faults.push(`${nameOf(cell)}: a session or a cookie`);
  return faults;
}

function challengesAt({ door, isServed, path, route, credential }: Asked): readonly string[] {
  const entrance = /\/(?:sse|messages)\/?$/.test(path) && route !== '' ? '/sse' : '/mcp';
  const url = isServed ? `${PUBLIC_URL}${METADATA}${door.prefix}${entrance}` : undefined;
  return challengesOf(credential, url);
}

function nameOf({ method, path, era, credential }: Asked): string {
  return `${method} ${path} in ${era} with ${credential.state}`;
}

async function atOnce<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
