/** What a server logged and counted. */
import type { LogFields, LogLevel } from '../../src/core/ports.ts';

const WAIT_MS = 10_000;

export class Seen {
  readonly lines: { readonly event: string; readonly fields: LogFields }[] = [];
  readonly counts: { readonly name: string; readonly labels: LogFields }[] = [];
  #checks = new Set<() => void>();

  log(_level: LogLevel, event: string, fields: LogFields): void {
    this.lines.push({ event, fields });
    for (const check of this.#checks) check();
  }

  count(name: string, labels: LogFields): void {
    this.counts.push({ name, labels });
    for (const check of this.#checks) check();
  }

  logged(event: string): readonly LogFields[] {
    return this.lines.filter((line) => line.event === event).map(({ fields }) => fields);
  }

  counted(name: string, reason?: string): number {
    return this.counts.filter(
      (each) => each.name === name && (reason === undefined || each.labels['reason'] === reason),
    ).length;
  }

  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Waited in vain; seen ${JSON.stringify([this.lines, this.counts])}`));
      }, WAIT_MS);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
    });
  }

  async untilLogged(event: string, times = 1): Promise<void> {
    await this.until(() => this.logged(event).length >= times);
  }
}
