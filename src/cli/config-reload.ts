/** Reads the config again and gives it to the running gateway; whatever is wrong is logged. */
import type { Telemetry } from '../core/ports.ts';
import type { ReloadOutcome } from '../gateway/reload-outcome.ts';
import type { GatewayConfig } from '../gateway/gateway-config.ts';
import type { ConfigOutcome } from '../gateway/config/read-config.ts';

export interface ReloadParts {
  readonly file: string;
  read(): ConfigOutcome;
  /** The command line's part of the config. */
  overridden(config: GatewayConfig): GatewayConfig;
  reload(config: GatewayConfig): ReloadOutcome;
  readonly telemetry: Telemetry;
}

/** @param cause - what asked for it, for the log. */
export function reloadConfig(parts: ReloadParts, cause: 'signal' | 'file'): void {
  const { file, telemetry } = parts;
  const read = parts.read();
  if (read.kind === 'faulty') {
    for (const { line, column, path, message } of read.problems) {
      telemetry.log('error', 'config_problem', { file, line, column, path, problem: message });
    }
    telemetry.log('error', 'config_refused', { file, cause, problems: read.problems.length });
    return;
  }
  const outcome = parts.reload(parts.overridden(read.config));
  if (outcome.kind === 'refused') {
    telemetry.log('error', 'config_refused', { file, cause, problem: outcome.reason });
    return;
  }
  const { added, changed, removed, kept, needsRestart } = outcome;
  telemetry.log('info', 'config_applied', {
    file,
    cause,
    added: named(added),
    changed: named(changed),
    removed: named(removed),
    kept,
  });
  if (needsRestart.length === 0) return;
  telemetry.log('warn', 'config_needs_restart', { file, settings: named(needsRestart) });
}

/** Undefined, and so absent from the log, when there is none. */
function named(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join(' ');
}
