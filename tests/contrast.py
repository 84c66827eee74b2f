"""Texts on a page that stand out from their ground less than WCAG's AA asks for."""

_FAINT = """() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
  const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const ground = one => {
    const all = [];
    for (let at = one; at; at = at.parentElement) all.push(parse(getComputedStyle(at).backgroundColor));
    const root = getComputedStyle(document.documentElement).colorScheme.includes('dark')
      && matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return all.reverse().reduce((below, above) => over(above, below), root);
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const one = node.parentElement;
    const is_seen = one.checkVisibility() && !/^(title|desc|option)$/i.test(one.tagName);
    if (!node.data.trim() || !is_seen) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const is = one instanceof SVGElement ? style.fill : style.color;
    if (is === 'none') continue;
    const below = ground(one), above = over(parse(is), below);
    const [high, low] = [light(above), light(below)].sort((a, b) => b - a);
    const is_large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if ((high + 0.05) / (low + 0.05) < (is_large ? 3 : 4.5))
      found.add(`${one.tagName} ${one.getAttribute('class')}: ${is} "${node.data.trim().slice(0, 30)}"`);
  }
  return [...found].slice(0, 20);
}"""


def faint(page):
    """What these texts are, and their colours."""
    return page.evaluate(_FAINT)
