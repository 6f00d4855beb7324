/** The one entry: an endpoint, and the upstreams it can be put in front of. */
export { createEndpoint } from './create-endpoint.ts';
export type { EndpointOptions } from './create-endpoint.ts';
export type { Endpoint, EndpointStatus } from './server/endpoint.ts';
export { inProcess } from './adapters/upstreams/in-process/in-process.ts';
export type { InProcessOptions } from './adapters/upstreams/in-process/in-process.ts';
export { remote } from './adapters/upstreams/http/remote.ts';
export type { RemoteOptions } from './adapters/upstreams/http/remote.ts';
export { stdio } from './adapters/upstreams/stdio/stdio.ts';
export type { StdioOptions } from './adapters/upstreams/stdio/stdio.ts';
export { rememberingIdentity, SubjectTokens } from './adapters/credentials/subject-tokens.ts';
export type {
  PersonCredential,
  UpstreamCredential,
} from './adapters/credentials/upstream-credentials.ts';
export { mtlsIdentity } from './adapters/identity/mtls.ts';
export type { CertificateField, MtlsOptions } from './adapters/identity/mtls.ts';
export { noAuth } from './adapters/identity/no-auth.ts';
export { staticToken } from './adapters/identity/static-token.ts';
export type { StaticTokenOptions } from './adapters/identity/static-token.ts';
export type { VerifiedCertificate } from './core/verified-certificate.ts';
export type { Access, AuditTrail } from './core/access.ts';
export type { Refusal } from './core/errors.ts';
export type { Gate } from './core/gate.ts';
export type { Grant } from './core/grant.ts';
export { principalOf } from './core/principal.ts';
export { consoleTelemetry } from './adapters/telemetry/console-telemetry.ts';
export type {
  ConsoleTelemetry,
  ConsoleTelemetryOptions,
  LogFormat,
} from './adapters/telemetry/console-telemetry.ts';
export type { Counter } from './adapters/telemetry/counters.ts';
export { DEFAULT_LIMITS } from './core/limits.ts';
export type { Limits } from './core/limits.ts';
export type {
  Application,
  HttpExchange,
  Identity,
  IdentityOutcome,
  Principal,
  RequestHead,
  StreamSink,
  Telemetry,
  Upstream,
} from './core/ports.ts';
