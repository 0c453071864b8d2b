// Finds the view by the fragment of the address, and keeps what it shows up to date.

import { token, Refused } from './api.js';
import { h, patch } from './dom.js';
import * as cluster from './views/cluster.js';
import * as conferences from './views/conferences.js';
import * as calls from './views/calls.js';
import * as codecs from './views/codecs.js';

const views = { cluster, conferences, calls, codecs };
const every = 2000; // ms

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const signIn = document.getElementById('sign-in');
const signOut = document.getElementById('sign-out');

let round = 0; // of showing; an answer to an earlier one comes too late
let timer;

/** where is the view that the address names, and what of it. */
function where() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return views[name] ? { name, view: views[name], rest } : { name: 'cluster', view: cluster, rest: [] };
}

async function show() {
  clearTimeout(timer);
  const mine = ++round;
  const { name, view, rest } = where();
  for (const a of document.querySelectorAll('nav a')) {
    if (a.hash === '#/' + name) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  try {
    const data = await view.load(...rest);
    if (mine !== round) return;
    patch(main, h('div', null, view.draw(data, ...rest)));
    document.title = (main.querySelector('h1')?.textContent ?? 'Conclave') + ' – Conclave';
    tell('');
  } catch (e) {
    if (mine !== round) return;
    if (e instanceof Refused && e.status === 401) return ask(token.get() ? e.message : '');
    tell(e instanceof Refused ? e.message : 'This node does not answer; trying again. ' + e.message);
  }
  signOut.hidden = !token.get();
  if (!document.hidden) timer = setTimeout(show, every);
}

/** tell says what is wrong; it is said once, for a screen reader would repeat it. */
function tell(text) { if (notice.textContent !== text) notice.textContent = text; }

function ask(error) {
  token.forget();
  document.getElementById('sign-in-error').textContent = error;
  patch(main, h('div'));
  if (!signIn.open) signIn.showModal();
}

signIn.addEventListener('close', () => {
  const secret = document.getElementById('token');
  if (secret.value) token.set(secret.value.trim());
  secret.value = '';
  show();
});

signOut.addEventListener('click', () => { token.forget(); ask(''); signOut.hidden = true; });

main.addEventListener('click', async event => {
  const button = event.target.closest('button[data-do]');
  if (!button) return;
  const args = JSON.parse(button.dataset.args);
  button.disabled = true;
  try {
    await where().view.actions[button.dataset.do](...args);
    await show();
  } catch (e) {
    tell(e.message);
  } finally {
    button.disabled = false;
  }
});

window.addEventListener('error', event => tell('The page failed: ' + event.message));
window.addEventListener('unhandledrejection', event => tell('The page failed: ' + event.reason));
window.addEventListener('hashchange', () => { patch(main, h('div', null, h('p', null, 'Loading …'))); show(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) show(); });
show();
