// The journey in a real Chromium: an affiliate's link on the edge's site, a sale in a shop on another
// site, and the commission on the affiliate's and the advertiser's pages.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { signIn, submit, withBrowser } from './browser.mjs';
import { ask, eventually, startDev } from './dev.mjs';

/** Hits are in the books within this time. */
const SETTLED_MS = 2_000;

let dev;
before(async () => { dev = await startDev(); });
after(async () => {
  if (dev) assert.equal(await dev.stop(), 0, dev.output());
});

/** Follows the affiliate's link to the shop. */
async function arrive(page) {
  await page.goto(dev.demo.link_url);
  assert.ok(page.url().startsWith(`${dev.demo.shop_url}/?tclid=`), page.url());
  assert.notEqual(new URL(dev.edge_url).hostname, new URL(dev.demo.shop_url).hostname);
}

/** Buys so many mugs, told by the pixel or the form; the order's id. */
async function buy(page, { by = 'pixel', quantity = 1 } = {}) {
  await page.goto(`${dev.demo.shop_url}/checkout?by=${by}`);
  await page.selectOption('[name=quantity]', String(quantity));
  await submit(page, 'text=Place the order');
  if (by === 'form') await submit(page, 'text=Finish');
  return new URL(page.url()).searchParams.get('id');
}

/** The pixel requests that a page makes, in their order. */
function watchPixels(page) {
  const requests = [];
  page.on('request', request => {
    if (request.url().startsWith(dev.demo.pixel_url)) requests.push(request);
  });
  return requests;
}

/** All of them, at least so many: whether a token was in the address, and the cookies that went along. */
async function evidence(requests, count) {
  await eventually(() => requests.length, length => length >= count);
  return Promise.all(requests.map(async request => ({
    token: new URL(request.url()).searchParams.has('tclid'),
    cookie: (await request.allHeaders()).cookie ?? '',
  })));
}

/** The conversion of an order, as the affiliate sees it in time; a hit with better evidence may follow. */
async function conversionOf(orderId, isGood = () => true) {
  const path = `conversions?order_id=${encodeURIComponent(orderId)}`;
  const read = () => ask(dev, dev.demo.affiliate_key, path);
  const is = ({ data }) => data.length > 0 && isGood(data[0]);
  const { data } = await eventually(read, is, SETTLED_MS);
  assert.equal(data.length, 1, `conversions of ${orderId} after ${SETTLED_MS} ms`);
  return data[0];
}

async function assertPays(orderId, commission, attributedBy) {
  const conversion = await conversionOf(orderId, one => one.attributed_by === attributedBy);
  assert.deepEqual(conversion.commission, { amount: commission, currency: 'USD' });
  assert.equal(conversion.status, 'pending');
  assert.equal(conversion.attributed_by, attributedBy);
}

/** The text of the row in which an order stands, once it does. */
async function rowOf(page, orderId) {
  const row = page.locator('tr', { hasText: orderId }).first();
  const read = async () => {
    await page.reload();
    return await row.count() > 0;
  };
  assert.ok(await eventually(read, there => there, SETTLED_MS), `${orderId} on ${page.url()}`);
  return row.innerText();
}

const cents = text => Math.round(Number(text) * 100);

async function pendingCents() {
  const path = 'reports/commissions?group_by=program';
  const { data } = await ask(dev, dev.demo.affiliate_key, path);
  return data.reduce((sum, row) => sum + cents(row.commission.pending.amount), 0);
}

describe('a buyer who followed a link', () => {
  it('buys by pixel, with the third-party cookie', () => withBrowser({}, async page => {
    const before = await pendingCents();
    await arrive(page);
    const pixels = watchPixels(page);
    const order = await buy(page, { quantity: 2 });
    const [first] = await evidence(pixels, 2);
    assert.match(first.cookie, /\btr_\d+=1\./, 'the edge’s cookie from the shop’s page');
    await assertPays(order, '4.98', 'cookie');
    assert.equal(await pendingCents(), before + 498);

    await signIn(page, dev, dev.demo.affiliate_key);
    const row = await rowOf(page, order);
    assert.match(row, /49\.80/);
    assert.match(row, /4\.98/);
  }));

  it('buys by form, and comes back to the shop', () => withBrowser({}, async page => {
    await arrive(page);
    const order = await buy(page, { by: 'form' });
    assert.equal(new URL(page.url()).pathname, '/thanks/form');
    assert.match(await page.innerText('main'), new RegExp(`${order}.*24\\.90`));
    await assertPays(order, '2.49', 'click_token');
  }));

  it('is known by the cookie alone where scripts do not run', () =>
    withBrowser({ javaScriptEnabled: false }, async page => {
      await arrive(page);
      const pixels = watchPixels(page);
      const order = await buy(page);
      await assertPays(order, '2.49', 'cookie');
      assert.deepEqual((await evidence(pixels, 1)).map(pixel => pixel.token), [false]);
    }));

  for (const by of ['pixel', 'form']) {
    it(`buys by ${by} with third-party cookies blocked: the token does it`, () =>
      withBrowser({ blockThirdParty: true }, async (page, context) => {
        await arrive(page);
        const kept = await context.cookies(dev.demo.shop_url);
        assert.deepEqual(kept.map(cookie => [cookie.name, cookie.sameSite]), [['tr_click', 'Lax']]);
        const pixels = watchPixels(page);
        const order = await buy(page, { by });
        await assertPays(order, '2.49', 'click_token');
        if (by === 'form') return;
        const without = { token: false, cookie: '' };
        assert.deepEqual(await evidence(pixels, 2), [without, { token: true, cookie: '' }]);
      }));
  }
});

describe('the pages', () => {
  it('show the advertiser his hits, and let him choose where buyers go', () =>
    withBrowser({}, async page => {
      await arrive(page);
      const order = await buy(page);
      await conversionOf(order);
      await signIn(page, dev, dev.demo.advertiser_key);
      assert.match(await rowOf(page, order), /pixel/i);
      assert.match(await page.innerText('main'), /converted/i);
      const snippets = await page.locator('textarea, pre, code').allInnerTexts();
      const fields = await page.locator('textarea').evaluateAll(all => all.map(one => one.value));
      assert.ok([...snippets, ...fields].some(text => text.includes(dev.demo.pixel_url)));

      const address = page.locator('[name=redirect_url]');
      const usual = await address.inputValue();
      const elsewhere = `${dev.demo.shop_url}/thanks?id={id}&amount={amount}&by=elsewhere`;
      await address.fill(elsewhere);
      await submit(page, 'text=Save');
      assert.equal(await page.locator('[name=redirect_url]').inputValue(), elsewhere);
      // The edge follows within moments; each try is an order of its own.
      const go = async () => {
        await buy(page, { by: 'form' });
        return page.url();
      };
      assert.match(await eventually(go, url => url.includes('by=elsewhere'), 3_000), /by=elsewhere/);

      await page.goto(`${dev.admin_url}/advertiser`);
      await page.locator('[name=redirect_url]').fill(usual);
      await submit(page, 'text=Save');
    }));

  it('can be read without scripts', () =>
    withBrowser({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, async page => {
      await arrive(page);
      const order = await buy(page);
      await conversionOf(order);
      await signIn(page, dev, dev.demo.affiliate_key);
      assert.match(await rowOf(page, order), /2\.49/);
      const width = await page.locator('body').evaluate(body => body.scrollWidth);
      assert.ok(width <= 390, `the page is ${width} pixels wide`);
    }));
});
