package webhook

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/durasync/durasync/plugin"
)

const objectRequest = "request"

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name:    "webhook",
		Version: Version,
		Doc: "Any receiver of HTTP requests: an automation tool, a function, a program of your own. Each record becomes one POST with the " +
			"JSON that the job composes.",
		Config: []plugin.Attribute{
			{Name: "url", Type: plugin.String, Required: true, Sensitive: true,
				Doc: "The receiver's address, with a query if it has one. It has to be https unless the host is this machine or insecure is set. " +
					"For many receivers whoever knows the address may send, so it is kept secret."},
			{Name: "secret", Type: plugin.String, Sensitive: true,
				Doc: "The secret that requests are signed with. One that begins with whsec_ is a key in Base64, the form of the libraries for " +
					"Standard Webhooks; of any other the key is its bytes. Without a secret, requests are not signed."},
			{Name: "timeout", Type: plugin.String, Default: json.RawMessage(strconv.Quote(defaultTimeout)),
				Doc: `How long the receiver may take to answer, such as "20s".`},
			{Name: "requests_per_second", Type: plugin.Number, Default: json.RawMessage(strconv.Itoa(defaultPerSecond)),
				Doc: "How many requests to send in a second. 0 is no limit."},
			{Name: "insecure", Type: plugin.Bool, Default: json.RawMessage("false"),
				Doc: "Whether the address may begin with http:// although the host is another machine."},
		},
		Objects: []plugin.Object{{
			Name: objectRequest,
			Doc: "A POST of the body, in the form of [Standard Webhooks](https://www.standardwebhooks.com). Webhook-Id is made from the record's " +
				"key and is the same for every attempt; Idempotency-Key repeats it. Webhook-Timestamp is the attempt's time in seconds since " +
				"1970. Webhook-Signature is v1, a comma, and the Base64 of the HMAC-SHA256, under the secret's key, of " +
				"{Webhook-Id}.{Webhook-Timestamp}.{body}. A receiver verifies it by computing the same over the bytes that it got, comparing in " +
				"constant time, and refusing a time more than five minutes off. " +
				"Each record is delivered once as long as the receiver answers. When no answer arrives, or one of status 408 or 5xx, the record " +
				"may have been received and nobody can look, so it is sent again with the same id: delivery is at least once, and exactly once if " +
				"the receiver drops ids that it has seen. It answers such a request with any 2xx, or with 409, which then counts as delivered. " +
				"Status 425, 429 and 5xx, like no answer, are tried again later, after Retry-After if the receiver sends it; 400, 413 and 422, and 409 to " +
				"what was never sent before, reject the record; 401, 403, 404, 410, redirects and all others end the run, because they would meet every record.",
			Attributes: []plugin.Attribute{
				{Name: "body", Type: plugin.Any, Required: true, Doc: "What is sent: any JSON value."},
				{Name: "event", Type: plugin.String, MaxLength: maxEvent,
					Doc: "What has happened, such as meeting.ended, in the header Webhook-Event: printable ASCII. It is not signed."},
			},
			MaxCreate:  1,
			CreateOnly: true,
		}},
	}, nil
}
