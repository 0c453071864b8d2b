// The REST API, asked with the token that is kept for this tab.

const key = 'conclave-token';

export const token = {
  get: () => sessionStorage.getItem(key),
  set: secret => sessionStorage.setItem(key, secret),
  forget: () => sessionStorage.removeItem(key),
};

/** Refused is an answer of 400 or more; its message is the API's, which says the fix. */
export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function ask(method, path, body) {
  const headers = {};
  if (token.get()) headers.Authorization = 'Bearer ' + token.get();
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch('/api/v1' + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store' });
  const text = await answer.text();
  if (!answer.ok) {
    let detail = answer.statusText;
    try {
      const problem = JSON.parse(text);
      detail = [problem.detail, ...(problem.errors ?? []).map(e => `${e.location}: ${e.message}`)].join('; ');
    } catch { /* not the API's own words */ }
    throw new Refused(answer.status, detail);
  }
  return text === '' ? null : JSON.parse(text);
}

/** path joins parts, none of which can become two. */
export const path = (...parts) => parts.map(p => '/' + encodeURIComponent(p)).join('');

export const get = p => ask('GET', p);
export const post = (p, body = {}) => ask('POST', p, body);
export const put = (p, body) => ask('PUT', p, body);
export const edit = (p, body) => ask('PATCH', p, body);
export const remove = p => ask('DELETE', p);

/** all reads a list to its end, but not more than most items. */
export async function all(p, most = 1000) {
  const items = [];
  for (let after = ''; ;) {
    const page = await get(p + (p.includes('?') ? '&' : '?') + 'limit=500' + (after && '&after=' + encodeURIComponent(after)));
    items.push(...page.items);
    after = page.next ?? '';
    if (!after || items.length >= most) return items;
  }
}
