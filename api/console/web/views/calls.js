import { get, all, path } from '../api.js';
import { h, table, time, word } from '../dom.js';

const hour = 3600_000; // ms

export async function load(id) {
  if (id) return get(path('calls', id));
  const from = new Date(Date.now() - hour).toISOString();
  return (await all('/calls?from=' + from)).reverse();
}

export const draw = (data, id) => id ? trace(data) : list(data);

function list(calls) {
  return [
    h('h1', null, 'Calls'),
    table('That began within the last hour, the newest first.', [
      ['Began', c => time(c.startedAt)],
      ['From', c => h('a', { href: '#' + path('calls', c.id) }, c.from || 'withheld')],
      ['To', c => c.to],
      ['Source', c => c.source + ' ' + c.transport],
      ['Node', c => c.node.site + ' ' + c.node.node],
      ['State', state],
    ], calls, 'There was no call within the last hour.'),
  ];
}

function state(c) {
  if (c.endedAt) return ['ended ', time(c.endedAt), ' ', c.cause, c.sipStatus >= 300 ? ' (' + c.sipStatus + ')' : ''];
  return c.answeredAt ? word('goes on', 'good') : word('is being answered', 'warn');
}

function trace(call) {
  return [
    h('h1', null, `Call from ${call.from || 'a withheld number'} to ${call.to}`),
    h('dl', null,
      h('dt', null, 'State'), h('dd', null, state(call)),
      h('dt', null, 'Call-ID'), h('dd', null, call.sipCallId),
      h('dt', null, 'Source'), h('dd', null, call.source + ' ' + call.transport),
      h('dt', null, 'Node'), h('dd', null, call.node.site + ' ' + call.node.node)),
    table('Step by step.', [
      ['At', s => time(s.at)],
      ['Step', s => s.step],
      ['Outcome', s => word(s.outcome, s.outcome === 'ok' ? 'good' : 'warn')],
      ['Detail', s => s.detail],
    ], call.steps, 'Nothing is known of it yet.'),
  ];
}

export const actions = {};
