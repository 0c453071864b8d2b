// Elements are made by h and brought into the page by patch, which changes only what is
// different: what has the focus keeps it.

/** h makes an element. Attributes that are null, undefined or false are left out; children
 * are nodes, text, or lists of these. */
export function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false));
  return e;
}

/** table makes a table with a row for each item. A column is [title, item => content, class]. */
export function table(caption, columns, items, empty) {
  if (items.length === 0) return h('p', null, empty);
  return h('div', { class: 'scroll' }, h('table', null,
    h('caption', null, caption),
    h('thead', null, h('tr', null, columns.map(([title, , cls]) => h('th', { scope: 'col', class: cls }, title)))),
    h('tbody', null, items.map(item => h('tr', null, columns.map(([, content, cls]) => h('td', { class: cls }, content(item) ?? '')))))));
}

/** action is a button that does what the view's function of that name does, with the arguments. */
export function action(text, name, ...args) {
  return h('button', { type: 'button', 'data-do': name, 'data-args': JSON.stringify(args) }, text);
}

/** patch makes the children of have equal to those of want. */
export function patch(have, want) {
  const old = [...have.childNodes], now = [...want.childNodes];
  now.forEach((n, i) => {
    const o = old[i];
    if (!o) have.append(n);
    else if (o.nodeType !== n.nodeType || o.nodeName !== n.nodeName) o.replaceWith(n);
    else if (o.nodeType === Node.TEXT_NODE) { if (o.data !== n.data) o.data = n.data; }
    else { attributes(o, n); patch(o, n); }
  });
  old.slice(now.length).forEach(o => o.remove());
}

function attributes(have, want) {
  for (const { name } of [...have.attributes]) if (!want.hasAttribute(name)) have.removeAttribute(name);
  for (const { name, value } of want.attributes) if (have.getAttribute(name) !== value) have.setAttribute(name, value);
}

/** time shows an instant in the clock of who looks. */
export function time(text) {
  if (!text) return '';
  const at = new Date(text);
  return h('time', { datetime: text, title: text }, at.toDateString() === new Date().toDateString() ? at.toLocaleTimeString() : at.toLocaleString());
}

/** word shows a state with its colour, which is never all that tells it. */
export function word(text, kind) { return h('span', { class: kind }, text); }
