/** Two principals of one endpoint, by their credentials. */
import { onTestFinished } from 'vitest';
import { createEndpoint, type EndpointOptions, type Identity, type Principal } from 'tidegate';
import { serve } from 'tidegate/node';

export type Name = 'ann' | 'bob';

const TOKEN = /^Bearer (ann|bob)$/;

/** Lets in whoever says a name. */
const BY_NAME: Identity = {
  verify: (head, done) => {
    const [, name] = TOKEN.exec(head.header('authorization') ?? '') ?? [];
    if (name === undefined) done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
    else done({ kind: 'principal', principal: principal(name) });
  },
};

function principal(subject: string): Principal {
  return { tenant: 't', issuer: 'i', subject, clientId: 'c', key: `1:t1:i3:${subject}1:c` };
}

export function bearer(name: Name): Record<string, string> {
  return { Authorization: `Bearer ${name}` };
}

/** @returns the URL of its `/mcp`. */
export async function served(options: EndpointOptions): Promise<string> {
  const endpoint = createEndpoint({ identity: BY_NAME, ...options });
  const running = await serve(endpoint, { port: 0, drainMs: 0 });
  onTestFinished(async () => {
    await running.close();
    await options.upstream.close();
  });
  return `${running.url}/mcp`;
}
