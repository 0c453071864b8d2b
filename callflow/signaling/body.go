package signaling

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// maxParts bounds the parts of a body that are looked at.
const maxParts = 8

// sessionDescription is the SDP of a body: the whole of it, or a part of
// multipart/mixed, as gateways send that carry ISUP beside it. It is false for a
// body that must be understood and is not; a body that is marked optional counts as
// none (RFC 3261 section 20.11).
func sessionDescription(m *message) ([]byte, bool) {
	if e := m.get("content-encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, false
	}
	kind, params, err := mime.ParseMediaType(m.get("content-type"))
	switch {
	case err == nil && kind == sdpType:
		return m.body, true
	case err == nil && kind == multiMixed:
		if sdp := findPart(m.body, params["boundary"]); sdp != nil {
			return sdp, true
		}
	}
	_, disposition, _ := mime.ParseMediaType(m.get("content-disposition"))
	return nil, strings.EqualFold(disposition["handling"], "optional")
}

func findPart(body []byte, boundary string) []byte {
	if boundary == "" {
		return nil
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		p, err := r.NextRawPart()
		if err != nil {
			return nil
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if kind != sdpType {
			continue
		}
		if sdp, err := io.ReadAll(p); err == nil {
			return sdp
		}
	}
	return nil
}
