/**
 * Which Node the program needs. Read by whatever Node there is, before anything that an old one
 * cannot load: this file imports nothing.
 */

/** As `engines` of package.json says. */
const NEEDED = [20, 19] as const;

/**
 * One line for whoever has an older one, or undefined.
 * @param version - such as `20.19.0`.
 */
export function nodeVersionFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = NEEDED;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return `Node.js ${NEEDED.join('.')} or newer is needed; this is ${version}.`;
}
