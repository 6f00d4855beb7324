/**
 * What every request of the matrix is answered. Written down apart from the code that answers: a
 * route or a method that is not in here fails the test until somebody has said what it is to do.
 */
import { DPOP_ALGORITHMS } from '../../src/adapters/identity/dpop-proofs.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { Credential } from './matrix-credentials.ts';

/** Of RFC 9110 and RFC 5789. */
export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
] as const;
export const ERAS = ['2024', '2025', '2026'] as const;

export type Method = (typeof METHODS)[number];
export type Era = (typeof ERAS)[number];

/** What a path leads to. */
export type Place = 'route' | 'nothing' | 'health' | 'metadata';

export interface Expected {
  readonly status: number;
  /** The refusal of the body; absent where there is none. */
  readonly error?: ErrorCode;
  /** Whether the refusal names the request it answers. */
  readonly hasId?: boolean;
  readonly allow?: string;
}

type ByEra = Readonly<Record<Era, Expected>>;

interface Admitted {
  readonly right: ByEra;
  readonly other: ByEra;
}

const OPEN: Expected = { status: 200 };
const NEEDS_SESSION: Expected = { status: 400, error: 'SESSION_REQUIRED' };
const NOT_FOUND: Expected = { status: 404, error: 'SESSION_NOT_FOUND' };

/** For whom the sessions named in a request are, and for whom they are not. */
export const ROUTES_EXPECTED: Readonly<Record<string, Readonly<Record<string, Admitted>>>> = {
  '/mcp': {
    GET: {
      right: {
        '2024': NEEDS_SESSION,
        '2025': OPEN,
        '2026': { status: 400, error: 'PROTOCOL_VERSION_UNKNOWN' },
      },
      other: { '2024': NEEDS_SESSION, '2025': NOT_FOUND, '2026': NOT_FOUND },
    },
    POST: {
      right: { '2024': { ...NEEDS_SESSION, hasId: true }, '2025': OPEN, '2026': OPEN },
      other: {
        '2024': { ...NEEDS_SESSION, hasId: true },
        '2025': { ...NOT_FOUND, hasId: true },
        '2026': OPEN,
      },
    },
    DELETE: {
      right: { '2024': NEEDS_SESSION, '2025': { status: 204 }, '2026': { status: 204 } },
      other: { '2024': NEEDS_SESSION, '2025': NOT_FOUND, '2026': NOT_FOUND },
    },
  },
  '/sse': { GET: { right: inEveryEra(OPEN), other: inEveryEra(OPEN) } },
  '/messages': {
    POST: {
      right: {
        ...inEveryEra({ status: 400, error: 'SESSION_ID_MISSING' }),
        '2024': { status: 202 },
      },
      other: { ...inEveryEra({ status: 400, error: 'SESSION_ID_MISSING' }), '2024': NOT_FOUND },
    },
  },
};

export interface Cell {
  readonly place: Place;
  /** The route without what stands before it; empty for other places. */
  readonly route: string;
  /** Whether a server is served there: elsewhere tokens are for nobody. */
  readonly isServed: boolean;
  readonly method: Method;
  readonly era: Era;
  readonly credential: Credential;
}

export function expectedOf({ place, route, method, era, isServed, credential }: Cell): Expected {
  if (method === 'CONNECT') return { status: 405, allow: 'GET, POST, DELETE, OPTIONS' };
  if (method === 'OPTIONS') return { status: 204, allow: 'GET, POST, DELETE, OPTIONS' };
  if (place === 'health' || place === 'metadata') {
    const isRead = method === 'GET' || method === 'HEAD';
    return isRead ? OPEN : { status: 405, error: 'METHOD_NOT_ALLOWED', allow: 'GET, HEAD' };
  }
  const { standing } = credential;
  if (standing === 'in-url') return { status: 400, error: 'CREDENTIAL_IN_URL' };
  if (standing === 'unverifiable') return { status: 503, error: 'CREDENTIAL_UNVERIFIABLE' };
  if (isRefused(credential, isServed)) return { status: 401, error: 'UNAUTHORIZED' };
  if (place === 'nothing' || !isServed) return { status: 404, error: 'ROUTE_NOT_FOUND' };
  const methods = ROUTES_EXPECTED[route];
  if (methods === undefined) throw new Error(`Nothing is expected of ${route}.`);
  const admitted = methods[method];
  if (admitted === undefined) {
    return { status: 405, error: 'METHOD_NOT_ALLOWED', allow: Object.keys(methods).join(', ') };
  }
  return admitted[standing === 'right' ? 'right' : 'other'][era];
}

/** Where no server is, no token is for it. */
export function isRefused({ standing, isForOneServer }: Credential, isServed: boolean): boolean {
  if (standing === 'right' || standing === 'other') return isForOneServer && !isServed;
  return true;
}

/**
 * The challenges of a 401, in order.
 * @param metadataUrl - undefined where there is no server to tell of.
 */
export function challengesOf(
  { standing }: Credential,
  metadataUrl: string | undefined,
): readonly string[] {
  const isOfProof = standing === 'unproved' && metadataUrl !== undefined;
  const error = isOfProof ? 'invalid_dpop_proof' : 'invalid_token';
  const facts = [
    'realm="tidegate"',
    ...(standing === 'nothing' ? [] : [`error="${error}"`]),
    ...(metadataUrl === undefined ? [] : [`resource_metadata="${metadataUrl}"`]),
  ].join(', ');
  const ofProof = `DPoP ${facts}, algs="${DPOP_ALGORITHMS.join(' ')}"`;
  // Whose token counts is told of its proof alone; other ways to come in are not what is missing.
  if (isOfProof) return [ofProof];
  return [`Bearer ${facts}`, ofProof, 'ClientCertificate realm="tidegate"'];
}

function inEveryEra(expected: Expected): ByEra {
  return { '2024': expected, '2025': expected, '2026': expected };
}
