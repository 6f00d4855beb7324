/** The schema of a credential of the gateway at a remote server. */
import { z } from 'zod';
import type { UpstreamAuthShape } from './config-shape.ts';
import { webText, word } from './text-leaves.ts';
import { serverUrlValue } from './web-values.ts';

export const UPSTREAM_AUTH: z.ZodType<UpstreamAuthShape> & z.ZodObject = z.strictObject({
  type: z.enum(['client_credentials', 'token_exchange']).meta({
    description:
      "`client_credentials`: the gateway's own token. `token_exchange`: the client's token is " +
      'exchanged for one of the server (RFC 8693); needs isolation `session` or `principal`.',
  }),
  issuer: webText(serverUrlValue, 'https://login.example.com').optional().meta({
    description: "The authorization server. Default: found by the server's metadata (RFC 9728).",
  }),
  clientId: word.meta({ description: 'Who the gateway is there.' }),
  clientSecret: word.meta({ description: 'Its secret; write `${NAME}`.' }),
  scope: word.optional().meta({ description: 'Scopes to ask for, with spaces between them.' }),
  audience: word
    .optional()
    .meta({ description: 'Whom the exchanged token is for; with `token_exchange` alone.' }),
});
