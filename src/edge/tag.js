// Tributary's tag: keeps the click token of the landing URL in a cookie of the shop's own site and sends
// it with pixels and forms. Settings: data-param, data-days, data-model="first_click", data-consent="ask".
(() => {
  'use strict';
  const page = document;
  const script = page.currentScript || page.querySelector('script[src*="/tag.js"]');
  if (!script) return;
  const base = script.src.replace(/\/tag\.js.*/, '') + '/t/';
  const data = script.dataset;
  const param = data.param || 'tclid';
  const [landed] = /^[\w.-]{1,128}$/.exec(new URLSearchParams(location.search).get(param) || '') || [];
  let agreed = data.consent !== 'ask' || window.tributaryConsent === true;

  const keep = (token, days) => {
    page.cookie = `tr_click=${token};Path=/;SameSite=Lax;Max-Age=${days * 86400}` +
      (location.protocol === 'https:' ? ';Secure' : '');
  };

  // What was kept was consented to when it was kept.
  const token = () => {
    if (navigator.globalPrivacyControl) return '';
    const [, kept] = /(?:^|; )tr_click=([\w.-]+)/.exec(page.cookie) || [];
    if (!agreed || !landed || (kept && data.model === 'first_click')) return kept;
    if (kept !== landed) keep(landed, data.days || 30);
    return landed;
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

  // A pixel in the page is on its way already: it is sent once more, with the token; both tell one order.
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
    // {code, amount, id, currency, ...}
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
