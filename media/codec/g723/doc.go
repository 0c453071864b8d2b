// Package g723 is ITU-T G.723.1 by FFmpeg's libavcodec, which is loaded when the program
// runs: [Open], then a [Library] makes encoders and decoders.
//
// A frame has 30 ms. The two low bits of its first octet say what it is (RFC 3551 section
// 4.5.3): 24 octets at 6.3 kbit/s, 20 at 5.3 kbit/s, 4 of comfort noise (Annex A), or
// nothing sent. The rate may change with each frame; libavcodec encodes 6.3 kbit/s alone,
// and decodes all.
//
// # The structs of libavcodec
//
// Its functions work on structs whose fields move from one version to the next. None of
// those is touched here: contexts are configured by the names of their options, the
// encoder's context gets the rest from a decoder's (avcodec_parameters_to_context), and the
// frame that is encoded is one that a decoder has made, filled with other samples. Four
// fields are left, whose places have been the same since libavcodec 55 (layout.go); before
// they are used, the library is made to write each of them to where Go then looks. A file of
// a version that is not in the list is not loaded.
package g723
