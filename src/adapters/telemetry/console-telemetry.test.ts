import { describe, expect, it } from 'vitest';
import {
  type ConsoleTelemetry,
  type ConsoleTelemetryOptions,
  consoleTelemetry,
} from './console-telemetry.ts';

const HOSTILE = 'a\nINFO forged\r\u001b[2J\u009b31m\u0000\u007f\u2028\u202e\ud800';

async function capture(
  options: ConsoleTelemetryOptions,
  act: (telemetry: ConsoleTelemetry) => void,
): Promise<string[]> {
  const lines: string[] = [];
  act(await consoleTelemetry({ ...options, write: (line) => lines.push(line) }));
  return lines;
}

describe('consoleTelemetry', () => {
  it('writes one JSON object a line with the fields given and no others', async () => {
    const lines = await capture({}, (telemetry) => {
      telemetry.log('warn', 'upstream_restarted', { ms: 1.23456789, name: 'npx', gone: undefined });
    });
    expect(lines).toHaveLength(1);
    const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'warn', event: 'upstream_restarted', ms: 1.235, name: 'npx' });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('writes a readable line in pretty, without colours unless asked', async () => {
    const act = (telemetry: ConsoleTelemetry): void =>
      telemetry.log('info', 'session_opened', { era: '2025', count: 3 });
    const [plain] = await capture({ format: 'pretty' }, act);
    expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: session_opened \{"era":"2025","count":3\}\n$/);
    const [coloured] = await capture({ format: 'pretty', isColoured: true }, act);
    expect(coloured).toContain('\u001b[');
  });

  it.each(['json', 'pretty'] as const)(
    'lets nothing a peer chose break a %s line or reach a terminal as a command',
    async (format) => {
      const lines = await capture({ format }, (telemetry) => {
        telemetry.log('info', HOSTILE, { value: HOSTILE });
      });
      expect(lines).toHaveLength(1);
      const line = lines[0]!.slice(0, -1);
      expect(line).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
      expect(lines[0]!.endsWith('\n')).toBe(true);
      expect(line).toContain('INFO forged');
    },
  );

  it('cuts a value that has no end', async () => {
    const [line] = await capture({}, (telemetry) => {
      telemetry.log('info', 'x', { value: 'y'.repeat(1_000_000) });
    });
    expect(line!.length).toBeLessThan(3000);
  });

  it('keeps a field from taking the place of the level, the time or the event', async () => {
    const [line] = await capture({}, (telemetry) => {
      telemetry.log('info', 'real', { level: 'error', event: 'forged', time: 1 });
    });
    expect(JSON.parse(line!)).toMatchObject({ level: 'info', event: 'real', event_: 'forged' });
  });

  it('logs nothing below its level', async () => {
    const act = (telemetry: ConsoleTelemetry): void => {
      telemetry.log('debug', 'a', {});
      telemetry.log('info', 'b', {});
      telemetry.log('error', 'c', {});
    };
    expect(await capture({ level: 'error' }, act)).toHaveLength(1);
    expect(await capture({}, act)).toHaveLength(2);
    expect(await capture({ level: 'silent' }, act)).toHaveLength(0);
  });

  it('counts, requests and closed streams included', async () => {
    const telemetry = await consoleTelemetry({ write: () => {} });
    telemetry.count('takeovers_total', {});
    telemetry.count('refused_total', { reason: 'BODY_TOO_LARGE' }, 2);
    telemetry.count('refused_total', { reason: 'BODY_TOO_LARGE' });
    telemetry.request('2025', 'tools/call', 'ok', 12);
    telemetry.request('2025', 'tools/call', 'ok', 3);
    telemetry.streamClosed('2024', 'sse', 'stalled', 1000);
    const of = (name: string): number | undefined =>
      telemetry.snapshot().find((counter) => counter.name === name)?.value;
    expect(of('takeovers_total')).toBe(1);
    expect(of('refused_total')).toBe(3);
    expect(of('requests_total')).toBe(2);
    expect(of('request_duration_ms_sum')).toBe(15);
    expect(of('stream_closed_total')).toBe(1);
  });
});
