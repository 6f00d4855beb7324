import { spawn } from 'node:child_process';

/**
 * Opens a page in the system's browser, if there is one; nobody is told if not, since whoever asked
 * can show the address as well. No shell sees the URL.
 * @throws TypeError for what is no http(s) URL.
 */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): void {
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new TypeError('The URL must be http(s).');
  const [command, ...args] = COMMANDS[platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, href], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

const COMMANDS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
