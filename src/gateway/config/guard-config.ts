/** Limits by account and the record: from checked sections to what the gateway is told. */
import { isOwnStream } from '../../adapters/audit/own-stream.ts';
import type { AuditConfig } from '../gateway-config.ts';
import type { Rates } from '../../adapters/gate/rate-rules.ts';
import type { FileAccess } from './file-access.ts';
import { AUDIT, RATES } from './guard-schema.ts';
import type { ProblemList } from './problem-list.ts';

const ROTATE_BYTES = 104_857_600;

export function ratesConfig(value: unknown, problems: ProblemList): Rates | undefined {
  return value === undefined ? undefined : RATES.read(value, ['rates'], problems);
}

export function auditConfig(
  value: unknown,
  files: Pick<FileAccess, 'resolve'>,
  problems: ProblemList,
): AuditConfig | undefined {
  if (value === undefined) return undefined;
  const { file = '-', rotateBytes, required, digestKey } = AUDIT.read(value, ['audit'], problems);
  const path = file === '-' ? undefined : files.resolve(file);
  if (path !== undefined && isOwnStream(path)) {
    problems.value(['audit', 'file'], 'This is a stream, no file. Write - for standard output.');
  }
  return {
    file: path,
    rotateBytes: rotateBytes ?? ROTATE_BYTES,
    isRequired: required ?? false,
    digestKey,
  };
}
