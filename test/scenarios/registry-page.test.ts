import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hash } from 'bcryptjs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { silentLogger, systemClock } from '#kernel';
import { digestOf, mediaTypes } from '#oci';
import {
  createRegistryServer,
  HtpasswdAuthenticator,
  parseHtpasswd,
  type RegistryServer,
} from '#registry/server';

/** Inert when it is shown, and the title changes when it is not. */
const attack = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">"'`;
const flags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

let folder: string;
let registry: RegistryServer;
let origin: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained of: a broken policy, a script's error. */
let complaints: string[];

const credentials = { Authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };

async function blob(repository: string, data: string): Promise<{ digest: string; size: number }> {
  const digest = digestOf(data);
  const answer = await fetch(`${origin}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: data,
    headers: credentials,
  });
  assert.equal(answer.status, 201);
  return { digest, size: data.length };
}

async function manifest(repository: string, tag: string | undefined, document: object): Promise<object> {
  const text = JSON.stringify(document);
  const { mediaType } = document as { mediaType: string };
  const digest = digestOf(text);
  const answer = await fetch(`${origin}/v2/${repository}/manifests/${tag ?? digest}`, {
    method: 'PUT',
    body: text,
    headers: { ...credentials, 'Content-Type': mediaType },
  });
  assert.equal(answer.status, 201, await answer.text());
  return { mediaType, digest, size: text.length };
}

async function image(repository: string, tag: string | undefined, architecture: string): Promise<object> {
  const layer = await blob(repository, `layer for ${architecture}`);
  const config = {
    os: 'linux',
    architecture,
    config: { Labels: { [attack]: attack }, Env: [attack], Cmd: [attack] },
    history: [{ created_by: `RUN ${attack}` }, { created_by: 'ENV A=1', empty_layer: true }],
  };
  return await manifest(repository, tag, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...(await blob(repository, JSON.stringify(config))) },
    layers: [{ mediaType: mediaTypes.ociLayerGzip, ...layer }],
    annotations: { note: attack },
  });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-registry-page-'));
  registry = await createRegistryServer({
    root: join(folder, 'data'),
    clock: systemClock,
    logger: silentLogger,
    page: true,
    immutableTags: ['team/app:v*'],
    authenticator: new HtpasswdAuthenticator(
      parseHtpasswd(`ann:${await hash('secret', 4)}\nbob:${await hash('word', 4)}\n`),
    ),
    rules: [
      { repositories: ['**'], users: ['ann'], actions: ['pull', 'push', 'delete'] },
      { repositories: ['team/**'], users: ['bob', 'anonymous'], actions: ['pull'] },
    ],
  });
  origin = `http://127.0.0.1:${await registry.listen({ host: '127.0.0.1', port: 0 })}`;
  const platforms = [];
  for (const architecture of ['amd64', 'arm64']) {
    const one = await image('team/app', undefined, architecture);
    platforms.push({ ...one, platform: { os: 'linux', architecture } });
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: platforms };
  const subject = await manifest('team/app', 'v1', index);
  for (const tag of ['latest', 'old']) await manifest('team/app', tag, index);
  await image('team/single', '1', 'riscv64');
  await image('secret/plans', 'latest', 'amd64');
  await manifest('team/app', undefined, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'application/spdx+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...(await blob('team/app', '{}')) },
    layers: [{ mediaType: 'text/plain', ...(await blob('team/app', 'x')), annotations: { title: attack } }],
    annotations: { note: attack },
    subject,
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags.split(' ') });
});

after(async () => {
  await browser.close();
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A browser that has never been here. */
async function visit(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  context = await browser.newContext(options);
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 40[134]/.test(message.text()))
      complaints.push(message.text());
  });
}

async function leave(): Promise<void> {
  await context.close();
  assert.deepEqual(complaints, []);
}

async function signIn(user: string, password: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in' }).first().click();
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
}

const names = (): Promise<readonly string[]> => page.locator('tbody .name').allTextContents();

test('who has not signed in sees what everybody may, and nothing of the rest', async () => {
  await visit();
  await page.goto(origin);
  assert.deepEqual(await names(), ['team/app', 'team/single']);
  assert.equal((await page.goto(`${origin}/r/team/app`))?.status(), 200);
  assert.equal(await page.getByRole('link', { name: /^Delete/ }).count(), 0);
  await page.goto(`${origin}/r/secret/plans`);
  assert.match(page.url(), /\/-\/login\?next=%2Fr%2Fsecret%2Fplans$/);
  await page.getByLabel('User name').fill('bob');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  assert.match((await page.getByRole('alert').textContent()) ?? '', /no such user with this password/);
  await page.getByLabel('User name').fill('bob');
  await page.getByLabel('Password').fill('word');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  // Back where he wanted to be, which is not for him: it looks as if it were not there.
  assert.equal(page.url(), `${origin}/r/secret/plans`);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Not found');
  await page.goto(`${origin}/-/delete?repository=team/app&tag=old`);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Refused');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${origin}/r/secret/plans`);
  assert.match(page.url(), /\/-\/login/);
  await leave();
});

test('an image is shown with platforms, layers, history and referrers, and runs nothing', async () => {
  await visit({ colorScheme: 'dark' });
  await page.goto(`${origin}/r/team/app/-/latest`);
  assert.deepEqual(await page.locator('.platforms .name').allTextContents(), ['linux/amd64', 'linux/arm64']);
  await page.getByRole('link', { name: 'application/spdx+json' }).click();
  assert.match((await page.locator('.definitions').last().textContent()) ?? '', /<script>/);
  await page.goBack();
  await page.getByRole('link', { name: 'linux/arm64' }).click();
  const text = (await page.getByRole('main').textContent()) ?? '';
  assert.ok(
    text.split(attack).length >= 6,
    'labels, variables, command, history and annotations are shown as they are',
  );
  assert.equal(await page.locator('.steps li').count(), 2);
  assert.equal(await page.locator('.steps .weight').count(), 1);
  assert.equal(await page.locator('main script, main img').count(), 0);
  assert.doesNotMatch(await page.title(), /taken/);
  const style = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  assert.equal(style, 'rgb(13, 20, 25)');
  await leave();
});

test('a tag is found while typing, and deleted by who may', async () => {
  await visit();
  await page.goto(origin);
  await signIn('ann', 'secret');
  assert.deepEqual(await names(), ['secret/plans', 'team/app', 'team/single']);
  await page.getByRole('link', { name: 'team/app' }).click();
  assert.deepEqual([...(await names())].sort(), ['latest', 'old', 'v1']);
  await page.keyboard.press('/');
  await page.keyboard.type('OL');
  assert.deepEqual(await page.locator('tbody tr:visible .name').allTextContents(), ['old']);
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=OL/);
  assert.deepEqual(await names(), ['old']);
  assert.equal(await page.getByRole('link', { name: 'Delete v1' }).count(), 0);
  await page.getByRole('link', { name: 'Delete old' }).click();
  await page.getByRole('button', { name: 'Delete tag' }).click();
  assert.equal(page.url(), `${origin}/r/team/app`);
  assert.deepEqual([...(await names())].sort(), ['latest', 'v1']);
  await page.goto(`${origin}/-/delete?repository=team/app&tag=v1`);
  await page.getByRole('button', { name: 'Delete tag' }).click();
  assert.match((await page.getByRole('main').textContent()) ?? '', /tag v1 of team\/app is immutable/);
  await leave();
});

test('a form of another page deletes nothing', async () => {
  await visit();
  await page.goto(origin);
  await signIn('ann', 'secret');
  const cookies = await context.cookies();
  assert.deepEqual(
    cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })),
    [{ httpOnly: true, sameSite: 'Lax' }],
  );
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const body = new URLSearchParams({ repository: 'team/app', tag: 'latest' });
  for (const headers of [{ Origin: 'http://elsewhere.example' }, { 'Sec-Fetch-Site': 'cross-site' }, {}]) {
    const answer = await fetch(`${origin}/-/delete`, {
      method: 'POST',
      body,
      headers: { ...headers, cookie },
    });
    assert.equal(answer.status, 403);
  }
  const login = await fetch(`${origin}/-/login?next=https://elsewhere.example/`);
  assert.match(
    login.headers.get('content-security-policy') ?? '',
    /^default-src 'none';.*frame-ancestors 'none'$/,
  );
  assert.match(await login.text(), /name="next" value="\/"/);
  assert.equal((await page.goto(`${origin}/r/team/app/-/latest`))?.status(), 200);
  await leave();
});
