import { get, post, edit, remove, all, path } from '../api.js';
import { h, table, time, word, action } from '../dom.js';

export async function load(id) {
  if (!id) return all('/conferences');
  const [state, participants] = await Promise.all([get(path('conferences', id)), all(path('conferences', id, 'participants'))]);
  const media = new Map(participants.map(p => [p.id, p.media]));
  for (const m of state.participants) m.media = media.get(m.participantId);
  return state;
}

export const draw = (data, id) => id ? one(data) : list(data);

function list(conferences) {
  return [
    h('h1', null, 'Conferences'),
    table('That go on.', [
      ['Room', c => h('a', { href: '#' + path('conferences', c.id) }, c.roomName)],
      ['Kind', c => c.kind === 'local' ? word('local: its home site cannot be reached', 'warn') : 'main'],
      ['At', c => `${c.focus.site} ${c.focus.node}`],
      ['Began', c => time(c.startedAt)],
    ], conferences, 'No conference goes on.'),
  ];
}

const quietest = -60; // dBFS, what the meter shows at least

function voice(m) {
  if (!m.talking) return 'silent';
  return h('meter', { min: quietest, max: 0, low: -50, high: -3, optimum: -20, value: m.level ?? quietest, title: `${m.level ?? quietest} dBFS` }, `talking, ${m.level} dBFS`);
}

function standing(m) {
  const words = [];
  if (m.mutedByModerator) words.push('muted by a moderator');
  else if (m.muted) words.push('muted');
  if (m.onHold) words.push('on hold');
  if (m.handRaised) words.push('hand raised');
  if (!m.hearing) words.push('waits');
  return words.join(', ');
}

const score = d => d && d.ratedSeconds > 0 ? word(d.mos.toFixed(1), d.mos < 3 ? 'bad' : d.mos < 3.6 ? 'warn' : 'good') : '';

function one(c) {
  const over = c.phase === 'ended';
  return [
    h('h1', null, c.roomName),
    h('dl', null,
      h('dt', null, 'State'), h('dd', null, c.phase, c.locked ? ', locked' : '', c.allMuted ? ', all muted' : '', c.recordingId ? [', ', word('recorded', 'warn')] : ''),
      h('dt', null, 'At'), h('dd', null, `${c.focus.site} ${c.focus.node}, epoch ${c.epoch}`),
      h('dt', null, 'Began'), h('dd', null, time(c.startedAt)),
      over && [h('dt', null, 'Ended'), h('dd', null, time(c.endedAt), ' ', c.endReason)]),
    !over && h('div', { class: 'actions' },
      action(c.locked ? 'Unlock' : 'Lock', 'change', c.id, { locked: !c.locked }),
      action(c.allMuted ? 'Unmute all' : 'Mute all', 'change', c.id, { allMuted: !c.allMuted }),
      action(c.recordingId ? 'Stop recording' : 'Record', 'record', c.id, !c.recordingId),
      action('End', 'end', c.id, c.roomName)),
    table('Who is in.', [
      ['Caller', m => [m.caller || 'withheld', m.owner ? ' (owner)' : '']],
      ['Role', m => m.role],
      ['Voice', voice],
      ['Standing', standing],
      ['Codec', m => m.media?.codec],
      ['MOS from', m => score(m.media?.inbound), 'number'],
      ['MOS to', m => score(m.media?.outbound), 'number'],
      ['Joined', m => time(m.joinedAt)],
      ['', m => over ? '' : [action(m.mutedByModerator || m.muted ? 'Unmute' : 'Mute', 'mute', m.participantId, !(m.mutedByModerator || m.muted)), ' ',
        action('Remove', 'eject', m.participantId, m.caller)]],
    ], c.participants, 'Nobody is in.'),
  ];
}

export const actions = {
  change: (id, what) => edit(path('conferences', id), what),
  mute: (id, muted) => edit(path('participants', id), { muted }),
  async eject(id, caller) { if (confirm(`Remove ${caller || 'this caller'}?`)) await remove(path('participants', id)); },
  record: (id, on) => on ? post(path('conferences', id, 'recording')) : remove(path('conferences', id, 'recording')),
  async end(id, room) { if (confirm(`End the conference of ${room}, and release everybody?`)) await post(path('conferences', id, 'end')); },
};
