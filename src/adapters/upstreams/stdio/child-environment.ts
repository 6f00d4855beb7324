/**
 * What a server sees of our environment: little. Ours holds secrets (tokens, keys, connection
 * strings) that are none of its business, so names are allowed one by one.
 */
const POSIX_NAMES = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'] as const;
const WINDOWS_NAMES = [
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATH',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
] as const;

/**
 * @param source - our own environment.
 * @param inherited - names passed on besides the allow-list.
 * @param given - variables set for this server; they win.
 */
export function childEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  inherited: readonly string[],
  given: Readonly<Record<string, string>>,
  platform: string,
): Record<string, string> {
  const allowed = platform === 'win32' ? WINDOWS_NAMES : POSIX_NAMES;
  const environment: Record<string, string> = {};
  for (const name of [...allowed, ...inherited]) {
    const value = source[name];
    // A value that begins like this is a function exported by an old bash, which the next shell
    // would run.
    if (value !== undefined && !value.startsWith('()')) environment[name] = value;
  }
  return { ...environment, ...given };
}
