// A real Chromium with a profile of its own.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
// As in Chromium's settings: allow all cookies, or block those of third parties.
const ALLOW = 0;
const BLOCK_THIRD_PARTY = 1;

/** Runs `visit(page, context)` in a fresh browser; a failure leaves a picture of the last page. */
export async function withBrowser({ blockThirdParty = false, ...options }, visit) {
  const profile = await mkdtemp(join(tmpdir(), 'tributary-profile-'));
  const preferences = {
    profile: {
      cookie_controls_mode: blockThirdParty ? BLOCK_THIRD_PARTY : ALLOW,
      block_third_party_cookies: blockThirdParty,
    },
  };
  await mkdir(join(profile, 'Default'));
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
    ...options,
  });
  const page = context.pages()[0] ?? await context.newPage();
  try {
    return await visit(page, context);
  } catch (error) {
    const picture = join(tmpdir(), `tributary-failure-${Date.now()}.png`);
    await page.screenshot({ path: picture, fullPage: true }).catch(() => {});
    error.message += `\n(at ${page.url()}; picture: ${picture})`;
    throw error;
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Sends a form; done when the next page is there. */
export async function submit(page, button) {
  await Promise.all([page.waitForEvent('load'), page.click(button)]);
}

/** Signs in to the portal, with a key. */
export async function signIn(page, dev, key) {
  await page.goto(`${dev.admin_url}/sign-in`);
  await page.fill('#key', key);
  await submit(page, 'form:has(#key) button');
}
