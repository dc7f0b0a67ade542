// The way of the money in a real Chromium: a sale is approved, paid out and told on the affiliate's statement; then it
// is refunded. A form that is sent twice does what it does once; and no page broke its policy.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { signIn, submit, withBrowser } from './browser.mjs';
import { ask, eventually, startDev } from './dev.mjs';

/** Where pictures of the pages go, if anywhere. */
const PICTURES = process.env.TRIBUTARY_PICTURES;
const PHONE_WIDTH = 390;

let dev;
before(async () => { dev = await startDev(); });
after(async () => {
  if (dev) assert.equal(await dev.stop(), 0, dev.output());
});

const cents = text => Math.round(Number(text.replace(/[^0-9.-]/g, '')) * 100);

/** Looks at the page as on a phone, where nothing is to be wider than the screen; pictures of both, if asked. */
async function look(page, name) {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  const wide = page.viewportSize();
  await page.setViewportSize({ width: PHONE_WIDTH, height: 844 });
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}-phone.png`, fullPage: true });
  const width = await page.locator('body').evaluate(body => body.scrollWidth);
  assert.ok(width <= PHONE_WIDTH, `${name} is ${width} pixels wide`);
  await page.setViewportSize(wide);
}

/** Buys so many mugs behind a link, the affiliate's own; the order's id, once its sale is in the books. */
async function buy(page, quantity = 1, link = dev.demo.link_url) {
  await page.goto(link);
  await page.goto(`${dev.demo.shop_url}/checkout?by=form`);
  await page.selectOption('[name=quantity]', String(quantity));
  await submit(page, 'text=Place the order');
  await submit(page, 'text=Finish');
  const id = new URL(page.url()).searchParams.get('id');
  const path = `conversions?order_id=${encodeURIComponent(id)}`;
  const found = await eventually(() => ask(dev, dev.demo.advertiser_key, path), got => got.data.length > 0);
  assert.equal(found.data.length, 1, id);
  return id;
}

/** Does something as the operator. */
async function act(method, path, body) {
  const answer = await fetch(`${dev.admin_url}/api/v1/${path}`, {
    method, body: JSON.stringify(body),
    headers: { authorization: `Bearer ${dev.admin_key}`, 'content-type': 'application/json' },
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** What pages complain of. */
function watch(page) {
  const broken = [];
  page.on('console', message => {
    if (/Content Security Policy/i.test(message.text())) broken.push(message.text());
  });
  page.on('pageerror', error => broken.push(String(error)));
  return broken;
}

const room = path => `${dev.admin_url}/advertiser${path}`;
const main = page => page.innerText('main');
const button = word => `button:text-is("${word}")`;

/** Sends the form of a button as a double click does, and once more: the answers' status and where they lead. */
async function sendAgain(page, selector) {
  const { url, form } = await page.locator(selector).evaluate(one => ({
    url: one.form.action, form: Object.fromEntries(new FormData(one.form, one)),
  }));
  // Without an address: the session's is for https only, and for this machine itself.
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const body = new URLSearchParams(form);
  const send = () => fetch(url, { method: 'POST', headers: { cookie }, body, redirect: 'manual' });
  const answers = await Promise.all([send(), send()]);
  answers.push(await send());
  return answers.map(answer => [answer.status, answer.headers.get('location')]);
}

/** Whether each account of a statement's page foots: opening and amounts are the closing, line by line. */
async function assertFoots(page, closing) {
  const tables = await page.locator('table.ledger').evaluateAll(all => all.map(table =>
    [...table.rows].slice(1).map(row => [...row.cells].slice(-2).map(cell => cell.innerText))));
  assert.equal(tables.length, 1);
  const [[[, opening], ...lines]] = tables;
  let balance = cents(opening);
  for (const [amount, behind] of lines.slice(0, -1)) {
    balance += cents(amount);
    assert.equal(balance, cents(behind));
  }
  assert.equal(balance, cents(lines.at(-1)[1]));
  assert.equal(balance, closing);
}

describe('the money', () => {
  it('goes from the sale to the statement, and back with a refund', () => withBrowser({}, async page => {
    const broken = watch(page);
    const [first, second] = [await buy(page, 2), await buy(page)];
    await signIn(page, dev, dev.demo.advertiser_key);
    await look(page, 'advertiser');
    await page.goto(room('/payouts'));
    assert.match(await main(page), /Nothing is payable/);
    await look(page, 'payouts-none');

    // Both are approved at once, by their boxes.
    await page.goto(room('/sales?status=pending'));
    for (const order of [first, second]) {
      const row = page.locator('tr', { hasText: order });
      assert.match(await row.innerText(), /held until \d{4}/);
      await row.locator('input[type=checkbox]').check();
    }
    await look(page, 'sales');
    await submit(page, button('Approve the ticked'));
    assert.match(await page.innerText('[role=status]'), /2: done/);
    assert.match(await main(page), /No sale is as you asked/);
    await page.goto(room(`/sales?order=${encodeURIComponent(first)}`));
    assert.match(await page.locator('tbody tr').innerText(), /payable.*approved by hand/s);
    await page.click(`text=${first}`);
    assert.match(await main(page), /10 % of 49\.80 USD/);
    await look(page, 'sale');

    // A run, a double click on its approval, and on the payment.
    await page.goto(room('/payouts'));
    assert.match(await page.locator('table').first().innerText(), /Morning Blog.*7\.47 USD/s);
    await look(page, 'payouts-owed');
    await submit(page, button('Propose payouts'));
    assert.match(await main(page), /Proposed\. Look through it/);
    await look(page, 'payout-run');
    await submit(page, button('Approve the proposed one'));
    assert.match(await main(page), /Done, for 1 payout\./);
    const download = page.waitForEvent('download');
    await page.click('text=All of them (CSV)');
    assert.match((await download).suggestedFilename(), /^payouts-\d+\.csv$/);
    await page.click('a:has-text("PayPal")');
    assert.match(await page.innerText('[role=alert]'), /Morning Blog: the affiliate had no payee_method/);
    await page.click('td[data-label=Proposed] a');
    await page.fill('#reference', 'BANK-1');
    await look(page, 'payout-approved');
    const answers = await sendAgain(page, button('Mark as paid'));
    const [status, location] = answers.at(-1);
    assert.equal(status, 303);
    assert.match(location, /done=paid$/, 'the same form again leads to the same page');
    // The second may find the first still at work, and is told so.
    assert.ok(answers.every(([status]) => status === 303 || status === 422), String(answers));
    await page.reload();
    assert.match(await main(page), /paid/);
    assert.match(await main(page), /BANK-1/);
    await look(page, 'payout-paid');
    const { data } = await ask(dev, dev.demo.advertiser_key, 'payouts');
    assert.deepEqual(data.map(one => [one.status, one.amount.amount]), [['paid', '7.47']]);
    await page.goto(room('/payouts'));
    await look(page, 'payouts');

    // A refund by hand is a debt behind the payout.
    await page.goto(room(`/sales?order=${encodeURIComponent(second)}`));
    await page.click(`text=${second}`);
    await page.click('text=Book a refund');
    await page.fill('#refund-amount', '12.45');
    await page.fill('#refund-note', 'chipped handle');
    await submit(page, button('Book the refund'));
    assert.match(await main(page), /The refund is booked/);
    assert.match(await main(page), /12\.45 USD went back/);
    assert.match(await main(page), /chipped handle/);
    assert.match(await page.locator('table', { hasText: 'From' }).innerText(), /the buyer has money back/);
    await page.click('text=Book a chargeback');
    await page.selectOption('#stage', 'potential');
    await submit(page, button('Book the chargeback'));
    assert.equal(await page.getByRole('button', { name: 'Open', exact: true }).count(), 1);
    await look(page, 'sale-refunded');

    await page.goto(room('/adjustments'));
    await page.fill('#amount', '2.00');
    await page.fill('#reason', 'a gift');
    await submit(page, button('Book the adjustment'));
    assert.match(await page.locator('tbody tr').innerText(), /Morning Blog.*2\.00 USD.*a gift/s);
    await look(page, 'adjustments');
    await page.goto(room('/statements'));
    await look(page, 'statements');
    await page.click('text=Morning Blog');
    await assertFoots(page, 76);
    await look(page, 'statement-of-affiliate');
    assert.deepEqual(broken, []);
  }));

  it('is told to the affiliate, on paper too, without notes', () => withBrowser({}, async page => {
    const broken = watch(page);
    await signIn(page, dev, dev.demo.affiliate_key);
    const sales = await page.locator('section', { hasText: 'Credited by' }).last().innerText();
    assert.match(sales, /12\.45 USD went back/);
    assert.match(sales, /chargeback potential/);
    await look(page, 'affiliate');
    await page.click('text=Statement and payouts');
    await assertFoots(page, 76);
    const text = await main(page);
    assert.match(text, /BANK-1/);
    assert.match(await page.innerText('table.ledger'), /adjustment a gift/);
    assert.doesNotMatch(text + sales, /chipped handle/);
    await look(page, 'statement');
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.bar').isVisible(), false);
    assert.equal(await page.locator('table.ledger').isVisible(), true);
    const paper = await page.pdf({ format: 'A4', path: PICTURES && `${PICTURES}/statement.pdf` });
    assert.equal(paper.subarray(0, 5).toString(), '%PDF-');
    await page.emulateMedia({ media: 'screen' });
    const download = page.waitForEvent('download');
    await page.click('text=As a table (CSV)');
    assert.match((await download).suggestedFilename(), /^statement-\d+-\d{4}-\d{2}\.csv$/);
    const answer = await page.goto(`${dev.admin_url}/affiliate/statement?month=May`);
    assert.equal(answer.status(), 422);
    assert.match(await page.innerText('[role=alert]'), /The month cannot be read/);
    await look(page, 'statement-unreadable');
    assert.deepEqual(broken, []);
  }));

  it('tells an affiliate his terms and his shares, and nobody else\'s', () => withBrowser({}, async page => {
    const broken = watch(page);
    const { data: [own] } = await ask(dev, dev.demo.affiliate_key, 'links');
    await act('POST', `programs/${own.program_id}/plans`, {
      kind: 'percent', rate: '10', levels: [{ rate: '10', of: 'commission' }],
      rules: [
        { when: { affiliate_ids: [own.affiliate_id] }, kind: 'percent', rate: '15' },
        { when: { sku: ['MUG*', 'x'.repeat(64)], country: ['DE', 'AT'] },
          kind: 'percent', rate: '12', minimum: '1.00' },
      ],
    });
    const other = await act('POST', 'affiliates', {
      name: 'Evening Mail', email: 'evening@mail.example', recruited_by: own.affiliate_id,
    });
    const link = await act('POST', 'links', { program_id: own.program_id, affiliate_id: other.id });
    await eventually(() => fetch(link.url, { redirect: 'manual' }), answer => answer.status === 302);
    const order = await buy(page, 1, link.url);
    await signIn(page, dev, dev.demo.affiliate_key);
    const text = await main(page);
    assert.match(text, /for you: 15 %/);
    assert.doesNotMatch(text, /12 %/, 'what is his whatever he sells leaves nothing to other rules');
    const share = page.locator('tr', { hasText: 'another\'s sale' });
    assert.match(await share.innerText(), /0\.25 USD.*pending.*recruiting, level 1/s);
    assert.doesNotMatch(text, new RegExp(order));
    await look(page, 'affiliate-shares');
    const key = await act('POST', 'api-keys', { role: 'affiliate', affiliate_id: other.id });
    await submit(page, button('Sign out'));
    await signIn(page, dev, key.key);
    const his = await main(page);
    assert.match(his, /MUG….*DE or AT: 12 %, at least 1\.00/s);
    assert.match(his, /anything else: 10 %/);
    assert.doesNotMatch(his, /15 %|recruiting, level 1\b.*pending/);
    assert.match(his, new RegExp(order));
    await look(page, 'affiliate-terms');
    await signIn(page, dev, dev.demo.advertiser_key);
    assert.match(await main(page), /affiliates \d+: 15 %/);
    await look(page, 'advertiser-terms');
    await page.goto(room('/sales?from=yesterday'));
    assert.match(await page.innerText('[role=alert]'), /A day cannot be read/);
    await look(page, 'sales-unreadable');
    assert.deepEqual(broken, []);
  }));

  it('broke no policy', async () => {
    const metrics = await (await fetch(`${dev.ops_url}/metrics`)).text();
    assert.match(metrics, /^tributary_csp_reports_total 0$/m);
  });
});
