// People in a real Chromium: invited, signed in, with a second step, and signed out everywhere; and not one
// report that a page broke its policy.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { withBrowser } from './browser.mjs';
import { startDev } from './dev.mjs';

const EMAIL = 'ann@shop.example';
const PASSWORD = 'four words in a row';
const STEP_MS = 30_000;
/** Where pictures of the pages go, if anywhere. */
const PICTURES = process.env.TRIBUTARY_PICTURES;

let dev;
before(async () => { dev = await startDev(); });
after(async () => {
  if (dev) assert.equal(await dev.stop(), 0, dev.output());
});

async function submit(page, button) {
  await Promise.all([page.waitForEvent('load'), page.click(button)]);
}

/** What an authenticator app shows at a time. */
function code(base32, atMs) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...base32].map(letter => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(atMs / STEP_MS)));
  const mac = createHmac('sha1', secret).update(step).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

async function picture(page, name) {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

/** Every page that anybody opens is to keep its policy. */
function watch(page) {
  const broken = [];
  page.on('console', message => {
    if (/Content Security Policy/i.test(message.text())) broken.push(message.text());
  });
  page.on('pageerror', error => broken.push(String(error)));
  return broken;
}

async function signIn(page) {
  await page.goto(`${dev.admin_url}/sign-in`);
  await page.fill('#email', EMAIL);
  await page.fill('#password', PASSWORD);
  await submit(page, 'form:has(#email) button');
}

describe('people', () => {
  let link;
  let secret;
  let recovery;
  /** When the first code was taken: each counts once. */
  let firstMs;

  it('are invited by the operator', () => withBrowser({}, async page => {
    const broken = watch(page);
    await page.goto(`${dev.admin_url}/sign-in`);
    await picture(page, 'sign-in');
    await page.fill('#key', dev.admin_key);
    await submit(page, 'form:has(#key) button');
    await page.click('text=People');
    await page.fill('#email', EMAIL);
    await page.selectOption('#owner', 'operator');
    await page.check('input[value=people]');
    await submit(page, 'text=Make a link');
    link = await page.inputValue('#shown-once');
    assert.ok(link.startsWith(`${dev.admin_url}/invitation/`), link);
    await picture(page, 'people');
    await page.click('text=Keys');
    await page.fill('#name', 'shop server');
    await submit(page, 'main button:has-text("Make a key")');
    assert.match(await page.inputValue('#shown-once'), /^trib_op_[0-9A-Za-z]{49}$/);
    await picture(page, 'keys');
    assert.deepEqual(broken, []);
  }));

  it('choose a password, sign in, and set up a second step', () => withBrowser({}, async page => {
    const broken = watch(page);
    await page.goto(link);
    await page.fill('#name', 'Ann');
    await page.fill('#password', 'passwordpassword');
    await submit(page, 'text=Begin');
    assert.match(await page.textContent('[role=alert]'), /anybody would try/);
    await picture(page, 'invitation');
    await page.fill('#password', PASSWORD);
    await submit(page, 'text=Begin');
    assert.match(await page.textContent('[role=status]'), /Your password is set/);
    await signIn(page);
    assert.equal(new URL(page.url()).pathname, '/operator');
    await page.click('text=Account');
    await picture(page, 'account');
    await page.click('text=Set up');
    secret = (await page.textContent('#secret')).trim();
    firstMs = Date.now();
    await page.fill('#code', code(secret, firstMs));
    await page.fill('#password', PASSWORD);
    await picture(page, 'totp');
    await submit(page, 'text=Turn on');
    recovery = (await page.textContent('#codes')).trim().split('\n');
    assert.equal(recovery.length, 10);
    await picture(page, 'codes');
    await page.click('text=Audit log');
    await picture(page, 'audit-log');
    assert.match(await page.textContent('main'), /totp_secret/);
    await page.setViewportSize({ width: 390, height: 800 });
    await picture(page, 'audit-log-phone');
    assert.deepEqual(broken, []);
  }));

  it('sign in in two steps, and out everywhere', () =>
    withBrowser({}, here => withBrowser({}, async there => {
      const broken = [watch(here), watch(there)];
      for (const page of [here, there]) {
        await signIn(page);
        assert.equal(new URL(page.url()).pathname, '/sign-in/code');
      }
      await picture(here, 'code');
      // The first one was used; the next step's is good early.
      await here.fill('#code', code(secret, firstMs + STEP_MS));
      await there.fill('#code', recovery[0]);
      for (const page of [here, there]) {
        await submit(page, 'main button');
        assert.equal(new URL(page.url()).pathname, '/operator');
      }
      await here.click('text=Account');
      assert.equal(await here.locator('section:has-text("Where you are signed in") li').count(), 3);
      await submit(here, 'text=Sign out everywhere');
      assert.match(await here.textContent('[role=status]'), /signed out everywhere/);
      await there.goto(`${dev.admin_url}/account`);
      assert.equal(new URL(there.url()).pathname, '/sign-in');
      assert.deepEqual(broken, [[], []]);
    })));

  it('broke no policy', async () => {
    const metrics = await (await fetch(`${dev.ops_url}/metrics`)).text();
    assert.match(metrics, /^tributary_csp_reports_total 0$/m);
  });
});
