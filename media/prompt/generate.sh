#!/bin/bash
# Renders the spoken prompts: one WAV for each line of <language>/prompts.tsv.
#
#   media/prompt/generate.sh [language]        (default: en)
#
# Needs: apt-get install flite sox
#
# Each file is 16 kHz mono, 8-bit mu-law: half the size of 16-bit PCM, and most
# callers hear the prompts through G.711 in any case. The speech level (RMS of
# what is not silence) is -18 dBFS and no peak passes -3 dBFS, so that prompts
# are as loud as callers and stand next to one another without a jump.
# The output is the same, byte for byte, for the same versions of flite and sox.
set -euo pipefail

cd "$(dirname "$0")/${1:-en}"
readonly voice=slt level=-18 silence=0.4%
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in flite sox; do
	command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install flite sox" >&2; exit 1; }
done

# speech_level FILE prints the RMS level in dBFS of the parts that are not silent.
speech_level() {
	sox -D "$1" -n silence 1 0.01 "$silence" -1 0.05 "$silence" stats 2>&1 |
		awk '/^RMS lev dB/ { print $4 }'
}

while IFS=$'\t' read -r id text; do
	flite -voice "$voice" -t "$text" -o "$work/raw.wav"

	# Rumble off; silence off both ends, less a short run so that no onset is cut.
	sox -D "$work/raw.wav" "$work/trimmed.wav" gain -6 highpass 60 \
		silence 1 0.01 "$silence" fade 0.005 \
		reverse silence 1 0.01 "$silence" fade 0.03 reverse pad 0.02 0.06

	# To the level; a compressor with 2 ms look-ahead takes the peaks down, which
	# costs some level, so the level is set once more, to what is lacking.
	gain=$(awk -v a="$level" -v b="$(speech_level "$work/trimmed.wav")" 'BEGIN { print a - b }')
	for _ in 1 2; do
		sox -D "$work/trimmed.wav" "$work/level.wav" gain "$gain" \
			compand 0.001,0.05 6:-9,-9,0,-6 0 -90 0.002
		gain=$(awk -v g="$gain" -v a="$level" -v b="$(speech_level "$work/level.wav")" \
			'BEGIN { print g + a - b }')
	done
	sox -D "$work/level.wav" -e mu-law "$id.wav"
done <prompts.tsv
