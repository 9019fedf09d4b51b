package plugin_test

import (
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

func TestConfiguredHoldsWhatWasSet(t *testing.T) {
	var c plugin.Configured[int]
	if _, err := c.Get(); plugin.AsError(err) == nil || plugin.AsError(err).Code != plugin.CodeInvalidRequest {
		t.Errorf("before Configure: got error %v, want an invalid request", err)
	}
	seven := 7
	c.Set(&seven)
	if got, err := c.Get(); err != nil || *got != 7 {
		t.Errorf("after Configure: got %v, %v", got, err)
	}
}

func TestDecodeConfigKeepsDefaultsAndSecrets(t *testing.T) {
	config := struct {
		Token string `json:"token"`
		Size  int    `json:"size"`
	}{Size: 5}
	if err := plugin.DecodeConfig([]byte(`{"token": "t", "size": null}`), &config); err != nil || config.Token != "t" || config.Size != 5 {
		t.Errorf("got %+v and error %v", config, err)
	}
	err := plugin.DecodeConfig([]byte(`{"token": "hunter2", "size": "hunter2"}`), &config)
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInvalidConfig || strings.Contains(e.Message, "hunter2") {
		t.Errorf("got error %v, want one without the configuration in it", err)
	}
}

func TestPageTokensKeepTheirPlace(t *testing.T) {
	type place struct{ Slice, Offset int }
	got := place{Slice: 1}
	if err := plugin.DecodePageToken("", &got); err != nil || got.Slice != 1 {
		t.Errorf("the empty token changed the place to %+v, with error %v", got, err)
	}
	if err := plugin.DecodePageToken(plugin.EncodePageToken(place{3, 400}), &got); err != nil || got != (place{3, 400}) {
		t.Errorf("got %+v and error %v", got, err)
	}
	for _, token := range []string{"%", "e30x", "400"} {
		if e := plugin.AsError(plugin.DecodePageToken(token, &got)); e == nil || e.Code != plugin.CodeExpired || !e.Retryable {
			t.Errorf("token %q: got error %v, want one that it has expired", token, e)
		}
	}
}
