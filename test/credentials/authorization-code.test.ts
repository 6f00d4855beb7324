/** A person signs in: the browser is the test's, everything else is as it is. */
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RemoteOptions } from 'tidegate';
import { dialModern, type Dialled } from '../upstreams/http/hand-server.ts';
import { AuthorizationServer } from './authorization-server.ts';
import { GuardedServer } from './guarded-server.ts';

class Scene {
  readonly issuer: AuthorizationServer;
  readonly guarded: GuardedServer;
  readonly folder: string;
  readonly shown: string[] = [];
  /** What is done with the page: a person's browser follows every redirect. */
  browse: (url: string) => Promise<unknown> = (url) => fetch(url);

  private constructor(issuer: AuthorizationServer, guarded: GuardedServer) {
    this.issuer = issuer;
    this.guarded = guarded;
    const root = mkdtempSync(join(tmpdir(), 'tidegate-login-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    this.folder = join(root, 'tokens');
  }

  static async start(): Promise<Scene> {
    const issuer = await AuthorizationServer.start();
    return new Scene(issuer, await GuardedServer.start(issuer));
  }

  dial(more: object = {}): Dialled {
    const credential: RemoteOptions['credential'] = {
      kind: 'authorization-code',
      folder: this.folder,
      show: (url) => {
        this.shown.push(url);
        void this.browse(url);
      },
      ...more,
    };
    return dialModern(this.guarded.url, { credential });
  }

  files(): readonly string[] {
    return readdirSync(this.folder).map((name) => join(this.folder, name));
  }

  grants(): readonly (string | undefined)[] {
    return this.issuer.tokenRequests.map(({ params }) => params['grant_type']);
  }
}

const DONE = { of: 'tools/call' };

describe('a login', () => {
  it('happens when the server asks for it, with PKCE, for that server, and is kept', async () => {
    const scene = await Scene.start();
    const { call } = scene.dial();
    expect(await call(1)).toEqual(DONE);
    const asked = new URL(scene.shown[0] ?? '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'registered-client',
      code_challenge_method: 'S256',
      resource: scene.guarded.url,
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/) as string,
    });
    expect(asked.get('state')?.length).toBeGreaterThan(40);
    expect(statSync(scene.folder).mode & 0o777).toBe(0o700);
    expect(scene.files().map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);

    const later = scene.dial();
    expect(await later.call(1)).toEqual(DONE);
    expect(scene.shown).toHaveLength(1);
    expect(scene.grants()).toEqual(['authorization_code']);
  });

  it('is not asked for by a server that lets everybody in', async () => {
    const scene = await Scene.start();
    scene.guarded.isOpen = true;
    expect(await scene.dial().call(1)).toEqual(DONE);
    expect(scene.shown).toEqual([]);
  });

  it('of a client that was named registers none', async () => {
    const scene = await Scene.start();
    await scene.dial({ clientId: 'mine' }).call(1);
    expect(scene.issuer.registrations).toEqual([]);
    expect(new URL(scene.shown[0] ?? '').searchParams.get('client_id')).toBe('mine');
  });

  it('of a client that describes itself at a URL says that URL, where it is taken', async () => {
    const scene = await Scene.start();
    scene.issuer.metadata = { client_id_metadata_document_supported: true };
    const clientMetadataUrl = 'https://app.example/client.json';
    await scene.dial({ clientMetadataUrl }).call(1);
    expect(scene.issuer.registrations).toEqual([]);
    expect(new URL(scene.shown[0] ?? '').searchParams.get('client_id')).toBe(clientMetadataUrl);
  });

  it('is followed by another when the server wants more, for all that it had and that', async () => {
    const scene = await Scene.start();
    const { call } = scene.dial({ scope: 'read' });
    await call(1);
    scene.guarded.needs = ['write'];
    expect(await call(2)).toEqual(DONE);
    const scopes = scene.shown.map((url) => new URL(url).searchParams.get('scope'));
    expect(scopes).toEqual(['read', 'read write']);
  });

  it('is spared by a refresh, whose new refresh token is kept', async () => {
    const scene = await Scene.start();
    const { call } = scene.dial();
    await call(1);
    scene.guarded.revoked.add(scene.guarded.tokens()[0] ?? '');
    expect(await call(2)).toEqual(DONE);
    const next = scene.dial();
    await next.call(1);
    scene.guarded.revoked.add(scene.guarded.tokens().at(-1) ?? '');
    expect(await next.call(2)).toEqual(DONE);
    expect(scene.shown).toHaveLength(1);
    expect(scene.grants()).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
  });

  it('begins anew where the server trusts another authorization server now, which is shown nothing', async () => {
    const scene = await Scene.start();
    const { call } = scene.dial();
    expect(await call(1)).toEqual(DONE);
    const next = await AuthorizationServer.start();
    scene.guarded.issuer = next;
    expect(await call(2)).toEqual(DONE);
    expect(next.registrations).toHaveLength(1);
    expect(next.tokenRequests.map(({ params }) => params['grant_type'])).toEqual([
      'authorization_code',
    ]);
    const before = scene.issuer.secrets();
    const shown = next.tokenRequests.flatMap(({ params }) => Object.values(params));
    expect(shown.filter((value) => before.includes(value))).toEqual([]);
  });

  it('stays where it is when a client of the one authorization server was named', async () => {
    const scene = await Scene.start();
    const { call } = scene.dial({ clientId: 'tidegate-test' });
    expect(await call(1)).toEqual(DONE);
    scene.guarded.issuer = await AuthorizationServer.start();
    expect(await call(2)).not.toEqual(DONE);
    expect(scene.guarded.issuer.tokenRequests).toEqual([]);
  });

  it('is for the resource as the server writes it, to the letter', async () => {
    const scene = await Scene.start();
    const resource = new URL(scene.guarded.url).origin;
    scene.guarded.description = { resource };
    const { call } = scene.dial();
    // The token is not for the URL that this server wants; what counts is what was asked for.
    await call(1);
    expect(new URL(scene.shown[0] ?? '').searchParams.get('resource')).toBe(resource);
    expect(scene.issuer.tokenRequests[0]?.params['resource']).toBe(resource);
  });

  it('is asked for again when the refresh token is over', async () => {
    const scene = await Scene.start();
    await scene.dial().call(1);
    const [path = ''] = scene.files();
    const kept = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...kept, expiresAt: 1, refreshToken: 'over' }));
    expect(await scene.dial().call(1)).toEqual(DONE);
    expect(scene.shown).toHaveLength(2);
  });

  it('of one process serves the others: tokens are refreshed once', async () => {
    const scene = await Scene.start();
    await scene.dial().call(1);
    const [path = ''] = scene.files();
    const kept = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...kept, expiresAt: 1 }));
    const others = [scene.dial(), scene.dial(), scene.dial()];
    const answers = await Promise.all(others.map(({ call }) => call(1)));
    expect(answers).toEqual([DONE, DONE, DONE]);
    expect(scene.grants()).toEqual(['authorization_code', 'refresh_token']);
  });

  it('is asked for again where others could have read what was kept', async () => {
    const scene = await Scene.start();
    await scene.dial().call(1);
    chmodSync(scene.files()[0] ?? '', 0o644);
    expect(await scene.dial().call(1)).toEqual(DONE);
    expect(scene.shown).toHaveLength(2);
    expect(scene.files().map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);
  });
});

describe('what comes back from a login', () => {
  async function refused(scene: Scene): Promise<string> {
    const { call, sight } = scene.dial();
    const answer = await call(1);
    const visible = JSON.stringify([answer, sight]);
    for (const secret of scene.issuer.secrets()) expect(visible).not.toContain(secret);
    expect(visible).not.toContain(new URL(scene.shown[0] ?? '').searchParams.get('state'));
    return visible;
  }

  it('with the issuer of another, no code is redeemed', async () => {
    const scene = await Scene.start();
    scene.issuer.redirect = { iss: 'https://evil.example' };
    expect(await refused(scene)).toContain('issuer differs');
    expect(scene.issuer.tokenRequests).toEqual([]);
  });

  it('with a state of another login is not of this one, which goes on', async () => {
    const scene = await Scene.start();
    const statuses: number[] = [];
    scene.browse = async (url) => {
      const back = new URL(url).searchParams.get('redirect_uri') ?? '';
      for (const query of ['?code=stolen', '?code=stolen&state=wrong', '']) {
        statuses.push((await fetch(back + query)).status);
      }
      statuses.push((await fetch(new URL('/other', back))).status);
      await fetch(url);
    };
    expect(await scene.dial().call(1)).toEqual(DONE);
    expect(statuses).toEqual([400, 400, 400, 404]);
    expect(scene.issuer.tokenRequests).toHaveLength(1);
  });

  it('as a target that is no URL is answered, and the login goes on', async () => {
    const scene = await Scene.start();
    const statuses: (number | undefined)[] = [];
    scene.browse = async (url) => {
      const { port } = new URL(new URL(url).searchParams.get('redirect_uri') ?? '');
      for (const path of ['//', '//[', 'http://[/callback']) {
        const asking = request({ host: '127.0.0.1', port, path, agent: false });
        const [answer] = (await once(asking.end(), 'response')) as [IncomingMessage];
        statuses.push(answer.resume().statusCode);
      }
      await fetch(url);
    };
    expect(await scene.dial().call(1)).toEqual(DONE);
    expect(statuses).toEqual([404, 404, 404]);
  });

  it('as a refusal is told', async () => {
    const scene = await Scene.start();
    scene.browse = async (url) => {
      const { searchParams } = new URL(url);
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      const state = searchParams.get('state') ?? '';
      const params = { error: 'access_denied', state, iss: scene.issuer.issuer };
      for (const [name, value] of Object.entries(params)) back.searchParams.set(name, value);
      await fetch(back);
    };
    expect(await refused(scene)).toContain('The login was refused: access_denied.');
  });

  it('without PKCE is not even begun', async () => {
    const scene = await Scene.start();
    scene.issuer.metadata = { code_challenge_methods_supported: ['plain'] };
    const { call } = scene.dial();
    expect(JSON.stringify(await call(1))).toContain('PKCE');
    expect(scene.shown).toEqual([]);
  });
});
