/**
 * The gateway in front of a server at a URL, for as many principals as there are bearer tokens: each
 * `principal-<n>` is one of its own. Arguments: port and the server's URL.
 */
import { createEndpoint, remote } from '../../dist/index.js';
import { serve } from '../../dist/adapters/http/node.js';

const [port, url] = process.argv.slice(2);
const TOKEN = /^Bearer (principal-\d+)$/;

const identity = {
  verify(head, done) {
    const subject = TOKEN.exec(head.header('authorization') ?? '')?.[1];
    if (subject === undefined) return done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
    const parts = { tenant: 'bench', issuer: 'bench', subject, clientId: '' };
    const principal = { ...parts, key: subject };
    done({ kind: 'principal', principal });
  },
};
const limits = { upstreamInstancesMax: 5_000, streamsPerTenantMax: 50_000 };
const upstream = remote(url);
await serve(createEndpoint({ upstream, identity, isolation: 'principal', limits }), {
  port: Number(port),
});
