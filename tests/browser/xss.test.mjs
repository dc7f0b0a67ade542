// What strangers send, seen by those who look at it: nothing of it acts. `TRIBUTARY_XSS=all` sends every
// payload by every way and opens every page; else some of each.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, it } from 'node:test';
import { signIn, withBrowser } from './browser.mjs';
import { ask, eventually, startDev } from './dev.mjs';
import { payloads } from './payloads.mjs';

const ALL = process.env.TRIBUTARY_XSS === 'all';
const PAYLOADS = payloads(ALL ? Infinity : 12);
const SETTLED_MS = ALL ? 120_000 : 10_000;

let dev;
let sent = 0;
before(async () => {
  dev = await startDev();
  const cookie = await click();
  for (const payload of PAYLOADS) await sendAll(payload, cookie);
});
after(async () => {
  if (dev) assert.equal(await dev.stop(), 0, dev.output());
});

/** Says bytes to the edge; its answer. No client library would send such headers. */
function say(text) {
  const { hostname, port } = new URL(dev.edge_url);
  return new Promise((done, failed) => {
    let answer = '';
    const socket = connect(port, hostname, () => socket.write(text));
    socket.on('data', data => { answer += data; }).on('end', () => done(answer)).on('error', failed);
  });
}

const field = text => encodeURIComponent(text);
const line = text => text.replaceAll(/[\r\n\0]/g, ' ');

/** All that a head can carry. */
function head(start, payload, cookie, more = '') {
  const text = line(payload);
  const headers = [
    'Host: x', 'Connection: close', `User-Agent: ${text}`, `Referer: https://x.example/${text}`, `X-Forwarded-For: ${text}`,
    `Accept-Language: ${text}`, `Origin: ${text}`, `Cookie: ${cookie}; tr_x=${text}`, `X-${'Other'}: ${text}`,
  ];
  return `${start} HTTP/1.1\r\n${headers.join('\r\n')}\r\n${more}\r\n`;
}

async function keep(text) {
  const answer = await say(text);
  assert.match(answer, /^HTTP\/1\.1 (200|302|303|4\d\d) /, text);
  if (/^tributary-hit:/im.test(answer) || answer.startsWith('HTTP/1.1 302')) sent += 1;
  return answer;
}

async function click() {
  const answer = await say(`GET ${new URL(dev.demo.link_url).pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return /^set-cookie: (tr_[^;]+)/im.exec(answer)[1];
}

/** A payload in every field, by every channel; as a sale that counts, and as one that cannot be read. */
async function sendAll(payload, cookie) {
  const value = field(payload);
  const many = Array.from({ length: 10 }, (_, n) => `p${n + 1}=${value}`).join('&');
  const sub = ['s1', 's2', 's3', 's4', 's5', 'url', 'consent'].map(name => `${name}=${value}`).join('&');
  const free = `coupon=${value}&customer=${value}&items=${value}&new=${value}&test=${value}&${many}`;
  const pixel = new URL(dev.demo.pixel_url).pathname;
  const form = new URL(dev.demo.form_url).pathname;
  const link = new URL(dev.demo.link_url).pathname;
  await keep(head(`GET ${link}?${sub}&${many}`, payload, cookie));
  await keep(head(`GET ${pixel}?amount=1.00&id=${value}&${free}`, payload, cookie));
  await keep(head(`GET ${pixel}?amount=${value}&id=${value}&currency=${value}&type=${value}&tclid=${value}&${free}&${value}=1`, payload, cookie));
  await keep(head(`GET /t/${value}.gif?amount=1`, payload, cookie));
  if (!ALL && sent % 2) return;
  const post = (type, body) => {
    const more = `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return keep(head(`POST ${form}`, payload, cookie, more) + body);
  };
  await post('application/x-www-form-urlencoded', `amount=2.00&id=form-${value}&${free}&${value}=${value}`);
  await post('application/json', JSON.stringify({ amount: payload, id: payload, [payload]: payload, items: [payload] }));
  const name = payload.replaceAll(/["\r\n\0]/g, '_');
  const part = (disposition, text) => `--X\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${text}\r\n`;
  const parts = [
    part('name="amount"', '3.00'), part(`name="id"; filename="${name}"`, `part-${payload}`), part(`name="${name}"`, payload), '--X--\r\n',
  ];
  await post(`multipart/form-data; boundary=X; x="${line(name)}"`, parts.join(''));
  await post(`text/plain; x=${line(payload)}`, `amount=4.00&id=text-${value}&${free}`);
}

/** Opens pages and looks at each for what should not be there. */
class Looker {
  opened = 0;
  #page;
  #found = [];

  constructor(page, context) {
    this.#page = page;
    page.on('dialog', dialog => {
      this.#found.push(`dialog at ${page.url()}`);
      dialog.dismiss();
    });
    page.on('console', message => {
      if (/content security policy|refused to/i.test(message.text())) this.#found.push(`${message.text()} at ${page.url()}`);
    });
    page.on('request', request => {
      if (request.url().includes('x.example')) this.#found.push(`asked for ${request.url()}`);
    });
    this.ready = context.addInitScript(() => {
      window.reports = [];
      document.addEventListener('securitypolicyviolation', event => window.reports.push(event.violatedDirective + event.blockedURI));
    });
  }

  /** Whether the text of a payload is on the page. */
  async open(path) {
    await this.#page.goto(new URL(path, dev.admin_url).href);
    this.opened += 1;
    const seen = await this.#page.evaluate(() => ({
      reports: window.reports,
      injected: [...document.querySelectorAll('[data-pwned], main script, main iframe, main img, main svg, main base, a[href^="javascript:" i]')]
        .map(element => element.outerHTML),
      text: document.querySelector('main').textContent.includes('alert(1)'),
    }));
    assert.deepEqual([...this.#found, ...seen.reports, ...seen.injected], [], path);
    return seen.text;
  }

  links(selector) {
    return this.#page.locator(selector).evaluateAll(all => all.map(one => one.getAttribute('href')));
  }

  /** A list, page by page; the links in it. */
  async list(path, selector) {
    const links = [];
    for (let next = path; next; [next] = await this.links('a[rel=next]')) {
      await this.open(next);
      links.push(...await this.links(selector));
      if (!ALL && links.length >= 40) break;
    }
    return links;
  }
}

it('acts on no page of the portal', () => withBrowser({}, async (page, context) => {
  const look = new Looker(page, context);
  await look.ready;
  // A probe that all this would see something.
  await page.setContent('<main><img src=x onerror=1 data-pwned>alert(1)</main>');
  assert.equal(await page.locator('[data-pwned]').count(), 1);

  const newest = async () => (await ask(dev, dev.admin_key, 'hits?limit=1')).data;
  const first = await eventually(newest, data => data.length > 0);
  assert.ok(first.length);
  let last;
  await eventually(async () => {
    const before = last;
    [last] = await newest();
    await new Promise(done => setTimeout(done, 700));
    return before?.id === last?.id;
  }, still => still, SETTLED_MS);

  await signIn(page, dev, dev.demo.advertiser_key);
  const hits = await look.list('/advertiser', 'a[href*="/hits/"]');
  assert.ok(hits.length >= (ALL ? PAYLOADS.length * 6 : 40), `${hits.length} hits`);
  let shown = 0;
  for (const hit of hits) shown += await look.open(hit);
  assert.ok(shown > hits.length / 2, `${shown} of ${hits.length} pages show what was sent, as text`);

  await signIn(page, dev, dev.demo.affiliate_key);
  for (const days of [7, 30, 90]) await look.open(`/affiliate?days=${days}`);
  await look.list('/affiliate', 'nav a');

  await signIn(page, dev, dev.admin_key);
  await look.open('/operator');
  const rooms = await look.links('main a');
  assert.ok(rooms.length >= 2);
  for (const room of rooms) await look.list(room, 'nav a');
  const visited = hits.slice(0, ALL ? 60 : 3).map(hit => hit.replace('/advertiser', rooms.find(room => room.startsWith('/advertiser/'))));
  for (const hit of visited) await look.open(hit);
  console.log(`xss: ${PAYLOADS.length} payloads in ${sent} hits; ${look.opened} pages opened, ${shown} of ${hits.length} hits show them as text; nothing acted`);
}));

it('acts on no page of the edge', () => withBrowser({}, async (page, context) => {
  const look = new Looker(page, context);
  await look.ready;
  for (const payload of PAYLOADS) {
    for (const path of [`/c/${field(payload)}`, `/nothing/${field(payload)}?${field(payload)}`]) {
      await page.goto(dev.edge_url + path);
      assert.equal(await page.locator('[data-pwned], script, img, svg').count(), 0, path);
    }
  }
}));

it('is text in what a program reads', async () => {
  const read = async path => {
    const headers = { authorization: `Bearer ${dev.admin_key}` };
    const answer = await fetch(`${dev.admin_url}/api/v1/${path}`, { headers });
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
    return answer.headers.get('content-type');
  };
  assert.match(await read('hits?limit=100'), /^application\/json/);
  assert.match(await read('conversions?limit=100'), /^application\/json/);
  assert.match(await read('reports/commissions?group_by=program&format=csv'), /^text\/csv/);
});
