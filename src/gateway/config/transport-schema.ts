/** The schema of what lies below HTTP: TLS, and the proxies that are believed. */
import { z } from 'zod';
import { proxyRangeFault } from '../../adapters/http/trusted-proxies.ts';
import { flag, webText, word } from './text-leaves.ts';
import type { WebValue } from './web-values.ts';

export interface TlsShape {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
  readonly clientCrl?: string | undefined;
  readonly clientCertificates?: 'optional' | 'required' | undefined;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly http2?: boolean | undefined;
}

export interface TransportShape {
  readonly tls?: TlsShape | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly forwardedHeader?: 'forwarded' | 'x-forwarded-for' | undefined;
  readonly proxyProtocol?: boolean | undefined;
}

const tls = z
  .strictObject({
    cert: word.meta({
      description:
        "A PEM file from the config file's folder: the certificate, then its chain. The files " +
        'are read again when they change, and connections stay.',
    }),
    key: word.meta({ description: "A PEM file: the certificate's key, without a passphrase." }),
    clientCa: word.optional().meta({
      description:
        'A PEM file of authorities. Clients are asked for a certificate, and one of these must ' +
        'have signed it. Default: they are asked for none.',
    }),
    clientCrl: word.optional().meta({
      description:
        'A PEM file of certificate revocation lists, one of each authority in `clientCa` and ' +
        'below it. Whose certificate is on them is out, also when connected already. Read again ' +
        'when it changes. Default: nothing is looked up.',
    }),
    clientCertificates: z
      .enum(['optional', 'required'])
      .optional()
      .meta({
        default: 'optional',
        description:
          'Whether a client without such a certificate may connect, to show another credential: ' +
          '`optional` or `required`.',
      }),
    minVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .optional()
      .meta({ default: 'TLSv1.2', description: '`TLSv1.2` or `TLSv1.3`.' }),
    http2: flag().optional().meta({
      default: false,
      description: 'Whether clients that ask for HTTP/2 get it.',
    }),
  })
  .meta({ description: 'TLS: [below](#tls). Default: plain HTTP.' });

function rangeValue(range: string): WebValue {
  const sentence = proxyRangeFault(range);
  return sentence === undefined ? { kind: 'value', value: range } : { kind: 'fault', sentence };
}

/** Of `listen`. */
export const TRANSPORT_KEYS: {
  readonly tls: z.ZodOptional<z.ZodType<TlsShape>>;
  readonly trustedProxies: z.ZodOptional<z.ZodType<readonly string[]>>;
  readonly forwardedHeader: z.ZodOptional<z.ZodType<'forwarded' | 'x-forwarded-for'>>;
  readonly proxyProtocol: z.ZodOptional<z.ZodType<boolean>>;
} = {
  tls: tls.optional(),
  trustedProxies: z
    .array(webText(rangeValue, '10.0.0.0/8'))
    .optional()
    .meta({
      default: [],
      description:
        'Addresses and ranges of proxies that say who the client is, with `Forwarded`, ' +
        '`X-Forwarded-For` or the PROXY protocol. Nobody else is believed.',
    }),
  forwardedHeader: z
    .enum(['forwarded', 'x-forwarded-for'])
    .optional()
    .meta({
      description:
        'The one header of `trustedProxies` that is read, `forwarded` or `x-forwarded-for`: the ' +
        'one they write, where they pass on what a client wrote into the other. Default: both, ' +
        'and where they disagree neither counts.',
    }),
  proxyProtocol: flag()
    .optional()
    .meta({
      default: false,
      description:
        'Whether connections of `trustedProxies` begin with the header of the PROXY protocol, ' +
        'version 1 or 2. Those that do not are closed.',
    }),
};
