/** What `npm run test:interop` made ready, by name: where it is. What is not here is not on this machine. */
export type ToolchainName = 'python v1' | 'python v2' | 'go';

const ready = JSON.parse(process.env['TIDEGATE_INTEROP'] ?? '{}') as Partial<
  Record<ToolchainName, string>
>;

/** The interpreter of the virtual environment, or the program that was built. */
export function commandOf(name: ToolchainName): string {
  const command = ready[name];
  if (command === undefined) throw new Error(`${name} is not ready: run \`npm run test:interop\`.`);
  return command;
}

export function isReady(name: ToolchainName): boolean {
  return ready[name] !== undefined;
}
