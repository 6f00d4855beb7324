/** What a credential of ours must be: one that is misnamed would be taken for another. */
import {
  byKind,
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

export const credentialKind: OptionKind = byKind(
  new Map<unknown, OptionKind>([
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
  ]),
);
