package webhook

import (
	"fmt"
	"testing"
	"time"
)

// TestSignatureIsTheStandards: what is signed and how is checked with the example of a library for Standard Webhooks.
func TestSignatureIsTheStandards(t *testing.T) {
	const body = `{"event_type":"ping","data":{"success":true}}`
	for secret, want := range map[string]string{
		"whsec_plJ3nmyCDGBKInavdOK15jsl": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
		"":                               "",
	} {
		cfg, err := parseConfig(fmt.Appendf(nil, `{"url": "https://example.com", "secret": %q}`, secret))
		if err != nil {
			t.Fatal(err)
		}
		c := connection{config: cfg}
		if got := c.header("msg_loFOjxBNrRLzqYUf", "", []byte(body), time.Unix(1731705121, 0)).Get("webhook-signature"); got != want {
			t.Errorf("signature %q under the secret %q, want %q", got, secret, want)
		}
	}
}
