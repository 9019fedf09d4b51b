package gong

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// handled are the statuses that Gong gives a meaning of its own.
var handled = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests,
}

// dailyWait is a wait that no limit per second asks for.
const dailyWait = 10 * time.Minute

var (
	// Gong answers 404 when a good filter matches nothing. The sentence differs between endpoints and may end with a full stop.
	nothingFound = regexp.MustCompile(`(?i)no [^"]*found[^"]*provided filters`)

	// The words for a missing scope, as recorded by users of the API.
	missingScope = regexp.MustCompile(`(?i)permission to use '([A-Za-z0-9:_-]{1,80})'`)
)

// isEmpty reports whether the answer says that nothing matches the filter. Any other 404 is an error.
func isEmpty(resp *httpkit.Response) bool {
	return resp.Status == http.StatusNotFound && nothingFound.MatchString(messages(resp))
}

// classify returns the error that an answer of one of the handled statuses stands for.
func (c *connection) classify(resp *httpkit.Response, path string, cursor bool) *plugin.Error {
	e := resp.Err()
	said := resp.Redact(messages(resp))
	if said == "" {
		said = "nothing that can be read"
	}
	switch resp.Status {
	case http.StatusBadRequest:
		if cursor && strings.Contains(strings.ToLower(said), "cursor") {
			return plugin.Errorf(plugin.CodeExpired, "Gong no longer takes the cursor (%s); cursors live an hour from the first page", said)
		}
		e.Message = fmt.Sprintf("Gong did not understand a request to %s: %s", path, said)
	case http.StatusUnauthorized:
		return c.unauthorized(said)
	case http.StatusForbidden:
		e.Message = fmt.Sprintf("Gong at %s denies access (it says: %s). Under Company settings > API an administrator can see whether "+
			"the key was revoked and whether this machine's address is on its list of trusted IP addresses; a change there takes "+
			"some minutes", c.api.Host(), said)
	case http.StatusNotFound:
		e = plugin.Errorf(plugin.CodeInvalidConfig, "%s has no %s, so it is not the host of Gong's API; set base_url to the one that "+
			"Gong shows under Company settings > API (it says: %s)", c.api.Host(), path, said)
		e.Attribute = "base_url"
	case http.StatusTooManyRequests:
		if e.RetryAfter >= dailyWait {
			e.Message += fmt.Sprintf("; a wait of %v means that the company's requests of the day are used up, by this or another "+
				"integration", e.RetryAfter)
		}
	}
	return e
}

// unauthorized tells the causes of a 401 apart as far as Gong does: a missing scope is named; a bad key and a host of other
// companies look the same.
func (c *connection) unauthorized(said string) *plugin.Error {
	if m := missingScope.FindStringSubmatch(said); m != nil {
		return plugin.Errorf(plugin.CodePermissionDenied, "Gong accepts the access key but does not let it use %s; an administrator "+
			"adds this scope to the key under Company settings > API", m[1])
	}
	host := c.api.Host()
	msg := fmt.Sprintf("Gong at %s does not accept the access key (it says: %s). Either access_key or access_key_secret is wrong, "+
		"expired or revoked, or base_url is the host of other companies: Gong answers both alike. An administrator sees the keys and "+
		"the company's own API host under Company settings > API", host, said)
	if "https://"+host == defaultBaseURL {
		msg += fmt.Sprintf("; %s does not serve every company, others have a host like https://us-12345.api.gong.io", host)
	}
	return plugin.Errorf(plugin.CodeUnauthenticated, "%s", msg)
}

// messages returns Gong's own words in an error, or the beginning of the body if it is not in Gong's form.
func messages(resp *httpkit.Response) string {
	var body struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(resp.Body, &body) == nil && len(body.Errors) > 0 {
		return strings.Join(body.Errors, "; ")
	}
	return resp.Excerpt()
}
