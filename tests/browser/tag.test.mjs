// The tag on a shop's own pages: what it keeps, what it sends, and when it does neither.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, it } from 'node:test';
import { withBrowser } from './browser.mjs';
import { eventually, pause, startDev } from './dev.mjs';

const TOKEN = 'first.token-of_a_click';
/** Long enough for a request that must not be made. */
const QUIET_MS = 300;

let dev;
let shop;
let html = '';
before(async () => {
  dev = await startDev();
  shop = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end(html);
  });
  await new Promise(done => shop.listen(0, '127.0.0.1', done));
});
after(async () => {
  shop?.close();
  await dev?.stop();
});

/** A page of a shop with the tag and some markup; the requests to the edge that it makes. */
async function open(page, { attributes = '', body = '', query = `?tclid=${TOKEN}` } = {}) {
  const tag = `<script src="${dev.edge_url}/tag.js" ${attributes}></script>`;
  html = `<!doctype html><title>Page</title>${tag}<body>${body}</body>`;
  const sent = [];
  page.on('request', request => {
    if (request.url().startsWith(`${dev.edge_url}/t/`)) sent.push(new URL(request.url()));
  });
  await page.goto(`http://localhost:${shop.address().port}/${query}`);
  assert.equal(await page.evaluate(() => typeof window.tributary), 'object', 'the tag has run');
  return sent;
}

const tokens = urls => urls.map(url => url.searchParams.get('tclid'));
const pixel = id => `<img src="${dev.demo.pixel_url}?amount=5.00&amp;id=${id}" alt="">`;
const kept = page => page.evaluate(() => document.cookie);

it('keeps the token of the landing page for the next pages', () => withBrowser({}, async page => {
  await open(page);
  assert.equal(await kept(page), `tr_click=${TOKEN}`);
  const sent = await open(page, { query: '', body: pixel('tag-1') });
  await eventually(() => sent, urls => urls.length > 1);
  assert.deepEqual(tokens(sent), [null, TOKEN]);
  assert.deepEqual(sent.map(url => url.searchParams.get('id')), ['tag-1', 'tag-1']);
}));

it('takes the newest click, or keeps the first where that is credited', () =>
  withBrowser({}, async page => {
    await open(page);
    await open(page, { query: '?tclid=second', attributes: 'data-model="first_click"' });
    assert.equal(await kept(page), `tr_click=${TOKEN}`);
    await open(page, { query: '?tclid=second' });
    assert.equal(await kept(page), 'tr_click=second');
  }));

it('keeps several tokens where touches share, the first and the last four', () =>
  withBrowser({}, async page => {
    const attributes = 'data-model="linear"';
    for (const one of ['a', 'b', 'a', 'c', 'd', 'e', 'e']) {
      await open(page, { query: `?tclid=${one}`, attributes });
    }
    assert.equal(await kept(page), 'tr_click=a~b~c~d~e');
    await open(page, { query: '?tclid=f', attributes });
    assert.equal(await kept(page), 'tr_click=a~c~d~e~f');
    const sent = await open(page, { query: '', attributes, body: pixel('tag-5') });
    await eventually(() => sent, urls => urls.length > 1);
    assert.deepEqual(tokens(sent), [null, 'a~c~d~e~f']);
    await open(page, { query: '?tclid=g' });
    assert.equal(await kept(page), 'tr_click=g');
  }));

it('keeps nothing but tokens', () => withBrowser({}, async page => {
  for (const query of ['', '?tclid=', '?tclid=a%3B%20b', `?tclid=${'x'.repeat(129)}`, '?other=1']) {
    await open(page, { query });
    assert.equal(await kept(page), '', query);
  }
  await open(page, { query: '?ref=abc', attributes: 'data-param="ref"' });
  assert.equal(await kept(page), 'tr_click=abc');
}));

it('gives the form its token, whenever the form was made', () => withBrowser({}, async page => {
  const form = id => `<form id="${id}" action="${dev.demo.form_url}" method="post"></form>`;
  await open(page, { body: `${form('early')}<form id="other" action="/elsewhere"></form>` });
  const value = id => page.evaluate(
    name => document.querySelector(`#${name} [name=tclid]`)?.value, id);
  assert.equal(await value('early'), TOKEN);
  assert.equal(await value('other'), undefined);
  await page.evaluate(html => document.body.insertAdjacentHTML('beforeend', html), form('late'));
  await page.evaluate(() => {
    addEventListener('submit', event => event.preventDefault());
    document.getElementById('late').requestSubmit();
  });
  assert.equal(await value('late'), TOKEN);
}));

it('waits for consent where it has to ask, and forgets when it is withdrawn', () =>
  withBrowser({}, async page => {
    const sent = await open(page, { attributes: 'data-consent="ask"', body: pixel('tag-2') });
    await pause(QUIET_MS);
    assert.equal(await kept(page), '');
    assert.deepEqual(tokens(sent), [null]);
    await page.evaluate(() => window.tributary.consent(true));
    await eventually(() => sent, urls => urls.length > 1);
    assert.equal(await kept(page), `tr_click=${TOKEN}`);
    assert.deepEqual(tokens(sent), [null, TOKEN]);
    await page.evaluate(() => window.tributary.consent(false));
    assert.equal(await kept(page), '');
  }));

it('keeps and sends nothing under Global Privacy Control', () => withBrowser({}, async page => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });
  });
  const sent = await open(page, { body: pixel('tag-3') });
  await pause(QUIET_MS);
  assert.equal(await kept(page), '');
  assert.deepEqual(tokens(sent), [null]);
}));

it('tells of a sale when it is asked to', () => withBrowser({}, async page => {
  const sent = await open(page);
  const code = new URL(dev.demo.form_url).pathname.split('/').pop();
  await page.evaluate(
    code => window.tributary.convert({ code, amount: '7.00', id: 'tag 4', coupon: null }), code);
  assert.deepEqual(tokens(sent), [TOKEN]);
  assert.equal(sent[0].searchParams.get('id'), 'tag 4');
  assert.equal(sent[0].searchParams.has('coupon'), false);
}));

it('is small', async () => {
  const answer = await fetch(`${dev.edge_url}/tag.js`);
  assert.match(answer.headers.get('content-type'), /javascript/);
  assert.ok((await answer.arrayBuffer()).byteLength < 3_000);
});
