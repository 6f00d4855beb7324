/** What a credential of ours must be: one that is misnamed would be taken for another. */
import {
  having,
  type OptionKind,
  shape,
  text,
  webUrl,
  word,
  work,
} from '../../core/option-kinds.ts';

const url = webUrl('https://auth.example.com');
const client = { kind: text, issuer: url, clientId: word, clientSecret: word, scope: text };

const KINDS: ReadonlyMap<unknown, OptionKind> = new Map([
  ['client-credentials', shape(client, 'clientId', 'clientSecret')],
  [
    'token-exchange',
    shape(
      { ...client, audience: text, subjectTokens: having('remember', 'find') },
      'clientId',
      'clientSecret',
    ),
  ],
  ['authorization-code', shape({ ...client, folder: word, clientMetadataUrl: url, show: work })],
]);

export const credentialKind: OptionKind = (name, value) => {
  const kind = KINDS.get((value as { readonly kind?: unknown } | null | undefined)?.kind);
  if (kind !== undefined) return kind(name, value);
  return `${name}.kind must be one of ${[...KINDS.keys()].join(', ')}.`;
};
