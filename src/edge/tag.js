// Keeps the landing URL's click token in a cookie; sends it with sales.
(() => {
  'use strict';
  const page = document;
  const script = page.currentScript || page.querySelector('script[src*="/tag.js"]');
  if (!script) return;
  const base = script.src.replace(/\/tag\.js.*/, '/t/');
  const data = script.dataset;
  const many = /^(li|po)/.test(data.model);
  const param = data.param || 'tclid';
  const [landed] = /^[\w.-]{1,128}$/.exec(new URL(location).searchParams.get(param) || '') || [];
  let agreed = data.consent !== 'ask' || window.tributaryConsent === true;

  const keep = (token, days) => {
    page.cookie = `tr_click=${token};Path=/;SameSite=Lax;Max-Age=${days * 86400}` +
      (/^https/.test(location) ? ';Secure' : '');
  };

  // What was kept was consented to. The first of several stays.
  const token = () => {
    if (navigator.globalPrivacyControl) return '';
    const [, kept = ''] = /(?:^|; )tr_click=([\w.~-]+)/.exec(page.cookie) || [];
    if (!agreed || !landed || kept && data.model === 'first_click') return kept;
    const all = many && kept ? kept.split('~') : [];
    if (all.includes(landed)) return kept;
    all.splice(1, all.push(landed) - 5);
    const now = all.join('~');
    if (kept !== now) keep(now, data.days || 30);
    return now;
  };

  const lacks = url => url.startsWith(base) && !new URL(url).searchParams.has(param);

  const make = (name, values) => Object.assign(page.createElement(name), values);

  const fill = form => {
    const { href } = make('a', { href: form.getAttribute('action') || '' });
    if (!token() || !lacks(href)) return;
    let field = form.querySelector(`[name="${param}"]`);
    if (!field) form.append(field = make('input', { type: 'hidden', name: param }));
    field.value = field.value || token();
  };

  // A pixel in the page is sent again, with a token: one order.
  const send = () => {
    if (!token()) return;
    page.querySelectorAll('img[src*="?"]').forEach(img => {
      if (img.tributary || !lacks(img.src)) return;
      img.tributary = true;
      new Image().src = img.src.replace(/#.*/, '') + `&${param}=${token()}`;
    });
    page.querySelectorAll('form').forEach(fill);
  };

  window.tributary = {
    // {code, id, ...}
    convert: sale => {
      const query = new URLSearchParams();
      if (token()) query.set(param, token());
      for (const [name, value] of Object.entries(sale)) {
        if (name !== 'code' && value != null) query.set(name, value);
      }
      const url = `${base}${encodeURIComponent(sale.code)}.gif?${query}`;
      return fetch(url, { mode: 'no-cors', credentials: 'include', keepalive: true })
        .catch(() => { new Image().src = url; });
    },
    consent: yes => {
      agreed = yes === true;
      agreed ? send() : keep('', 0);
    },
    send
  };

  page.addEventListener('submit', event => fill(event.target), true);
  page.addEventListener('DOMContentLoaded', send);
  send();
  page.dispatchEvent(new Event('tributary'));
})();
