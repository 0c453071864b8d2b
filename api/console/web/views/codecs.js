import { get } from '../api.js';
import { h, table, word } from '../dom.js';

export const load = () => get('/codecs');

const rate = hz => (hz / 1000) + ' kHz';

export function draw(codecs) {
  return [
    h('h1', null, 'Codecs'),
    table('Of this node, in the order in which it prefers them. They are tried when it starts.', [
      ['Name', c => c.name],
      ['Audio', c => rate(c.sampleRate), 'number'],
      ['RTP clock', c => rate(c.clockRate), 'number'],
      ['Payload type', c => c.payloadType < 0 ? 'by call' : c.payloadType, 'number'],
      ['Frame', c => c.frameMillis + ' ms', 'number'],
      ['By', c => c.backend],
      ['State', c => c.available ? word('on', 'good') : word(c.encodes === c.decodes ? 'off' : c.decodes ? 'decodes only' : 'encodes only', 'warn')],
      ['Why, and what to do', c => c.reason],
    ], codecs, 'This node has no codecs.'),
  ];
}

export const actions = {};
