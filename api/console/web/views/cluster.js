import { get, put, path } from '../api.js';
import { h, table, time, word, action } from '../dom.js';

export async function load(site) {
  if (site) return get(path('sites', site));
  const [sites, nodes] = await Promise.all([get('/sites'), get('/nodes')]);
  return { sites, nodes };
}

export const draw = (data, site) => site ? one(data) : overview(data);

const kinds = { up: 'good', suspect: 'warn', returning: 'warn', unknown: 'warn', down: 'bad' };
const verdict = s => [word(s.verdict, kinds[s.verdict]), s.mode === 'auto' ? '' : ' (by an operator)'];
const alive = n => n.alive ? word('alive', 'good') : ['dead since ', time(n.since)];
const seats = n => n.capacity ? `${n.participants} of ${n.capacity}` : n.participants;

function overview({ sites, nodes }) {
  return [
    h('h1', null, 'Cluster'),
    h('h2', null, 'Sites'),
    table('As this node finds them.', [
      ['Site', s => [h('a', { href: '#' + path('cluster', s.site) }, s.site), s.own ? ' (this one)' : '']],
      ['Verdict', verdict],
      ['Since', s => time(s.since)],
      ['Nodes', s => `${s.alive} of ${s.nodes} alive`],
      ['Why', s => s.drain ? ['drains', s.drain.to ? ' to ' + s.drain.to : '', '; ', s.why] : s.why],
    ], sites, 'This node is alone: it has no cluster.'),
    h('h2', null, 'Nodes'),
    table('Participants are those of conferences that a node hosts.', [
      ['Node', n => n.node],
      ['Site', n => n.site],
      ['State', n => [alive(n), n.draining ? word(', drains', 'warn') : '']],
      ['Participants', seats, 'number'],
      ['SIP', n => n.sip],
      ['Version', n => n.version],
      ['', n => n.draining ? action('Use again', 'drain', n.node, false) : action('Drain', 'drain', n.node, true)],
    ], nodes, 'No node is known.'),
  ];
}

function one(s) {
  return [
    h('h1', null, 'Site ' + s.site),
    h('dl', null,
      h('dt', null, 'Verdict'), h('dd', null, verdict(s), ' ', s.why ?? ''),
      h('dt', null, 'Conferences'), h('dd', null, s.conferences),
      h('dt', null, 'Calls'), h('dd', null, s.calls),
      s.raft && [h('dt', null, 'Raft'), h('dd', null, s.raft.leader ? `led by ${s.raft.leader}, term ${s.raft.term}` : word('no leader: it is electing, or has no quorum', 'bad'),
        `; voters ${s.raft.voters.join(', ')}; ${s.raft.rooms} rooms, ${s.raft.dialogs} dialogs kept`)]),
    h('h2', null, 'Nodes'),
    table('What they say of themselves.', [
      ['Node', n => n.node],
      ['State', n => [alive(n), n.draining ? word(', drains', 'warn') : '']],
      ['Ready', n => n.problem ? word(n.problem, 'bad') : n.ready],
      ['Calls', n => n.calls, 'number'],
      ['Conferences', n => n.conferences, 'number'],
      ['Database', n => n.store === 'away' ? word('away', 'bad') : n.store],
      ['Records waiting', n => n.journalRecords, 'number'],
      ['Refused for good', n => n.deadLetters ? word(n.deadLetters, 'bad') : 0, 'number'],
      ['Age of its copy', n => n.copyAgeSeconds ? Math.round(n.copyAgeSeconds) + ' s' : '', 'number'],
    ], s.members, 'No node is known.'),
    h('h2', null, 'As others see it'),
    table('A link may be cut in one direction only.', [
      ['From', v => `${v.from.site} ${v.from.node}`],
      ['Verdict', verdict],
      ['Since', v => time(v.since)],
      ['Round trip', v => v.probes?.length ? v.probes.map(p => `${p.node} ${Math.round(p.roundTripMs ?? 0)} ms`).join(', ') : ''],
      ['Why', v => v.why],
    ], s.views, 'No other site looks at it.'),
  ];
}

export const actions = {
  async drain(node, draining) {
    if (draining && !confirm(`Take ${node} out of use? It takes no new calls; its conferences move or end.`)) return;
    await put(path('nodes', node, 'draining'), { draining });
  },
};
