import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-environment.ts';

describe("a child's environment", () => {
  it('holds what a program needs to find its way, and nothing else of ours', () => {
    const ours = {
      PATH: '/bin',
      HOME: '/root',
      LANG: 'C',
      TIDEGATE_TOKEN: 's',
      NODE_OPTIONS: '--inspect',
    };
    expect(childEnvironment(ours, [], {}, 'linux')).toEqual({
      PATH: '/bin',
      HOME: '/root',
      LANG: 'C',
    });
  });

  it('holds what was named and what was given, and the given wins', () => {
    const ours = { PATH: '/bin', API_KEY: 'ours', OTHER: 'x' };
    const environment = childEnvironment(ours, ['API_KEY', 'MISSING'], { PATH: '/opt' }, 'linux');
    expect(environment).toEqual({ PATH: '/opt', API_KEY: 'ours' });
  });

  it('holds no function that a shell exported', () => {
    const ours = { SHELL: '() { :; }; echo gotcha', PATH: '/bin' };
    expect(childEnvironment(ours, [], {}, 'linux')).toEqual({ PATH: '/bin' });
  });

  it('is found under other names on Windows', () => {
    const ours = { PATH: 'C:\\', SYSTEMROOT: 'C:\\Windows', HOME: 'x', SECRET: 's' };
    const environment = childEnvironment(ours, [], {}, 'win32');
    expect(environment).toEqual({ PATH: 'C:\\', SYSTEMROOT: 'C:\\Windows' });
  });
});
