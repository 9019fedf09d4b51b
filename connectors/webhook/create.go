package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const (
	// maxAnswer is how much of an answer is read, in bytes. It is used for messages only.
	maxAnswer = 64 << 10

	maxEvent = 128
)

// The headers of a request.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	headerEvent     = "Webhook-Event"
	headerKey       = "Idempotency-Key"
)

// Create implements [plugin.Destination].
func (c *Connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if req.Object != objectRequest {
		return nil, plugin.UnknownObject(req.Object)
	}
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	if len(req.Items) != 1 {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "a request is sent alone, and %d items were given", len(req.Items))
	}
	ctx, n := httpkit.Count(ctx)
	result, err := conn.create(ctx, &req.Items[0])
	if e := plugin.AsError(err); e != nil {
		if e.Code != plugin.CodeInvalidRecord {
			return nil, n.Fail(e)
		}
		result.Err = e
	}
	return &plugin.CreateResponse{Results: []plugin.Result{result}, Requests: n.Requests()}, nil
}

func (c *connection) create(ctx context.Context, item *plugin.Item) (plugin.Result, error) {
	result := plugin.Result{Key: item.Key}
	body, event, err := parseItem(item)
	if err != nil {
		return result, err
	}
	id := messageID(item.Key)
	resp, err := c.http.Do(ctx, &httpkit.Request{
		Method: http.MethodPost, Query: c.config.query, Header: c.header(id, event, body, time.Now()), JSON: body,
		Write: true, StatusOnly: true, Accept: handled,
	})
	if err != nil {
		return result, err
	}
	if resp.Status/100 != 2 && (resp.Status != http.StatusConflict || !item.InDoubt) {
		return result, refused(resp)
	}
	result.ID, result.Existed = id, resp.Status == http.StatusConflict
	return result, nil
}

// parseItem reads the attributes of an item.
func parseItem(item *plugin.Item) (body json.RawMessage, event string, err error) {
	var in struct {
		Body  json.RawMessage `json:"body"`
		Event string          `json:"event"`
	}
	if err := json.Unmarshal(item.Attributes, &in); err != nil {
		return nil, "", plugin.Errorf(plugin.CodeInvalidRequest, "the attributes of the request for %s cannot be read: %v", item.Key, err)
	}
	if body = bytes.TrimSpace(in.Body); len(body) == 0 || string(body) == "null" {
		return nil, "", unsendable("body", "the request for %s has no body", item.Key)
	}
	event = strings.TrimSpace(in.Event)
	if len(event) > maxEvent || strings.ContainsFunc(event, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, "", unsendable("event", "the event of %s is longer than %d characters, or not of printable ASCII", item.Key, maxEvent)
	}
	return body, event, nil
}

func unsendable(attribute, format string, args ...any) error {
	e := plugin.Errorf(plugin.CodeInvalidRecord, format, args...)
	e.Attribute = attribute
	return e
}

// messageID is the id of a record's request. It is a digest, because ids stand in headers and in the signed text, where a dot would
// end them, and in the receiver's logs, where a record's id has no business.
func messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "msg_" + hex.EncodeToString(sum[:16])
}

func (c *connection) header(id, event string, body []byte, now time.Time) http.Header {
	h := http.Header{}
	h.Set(headerID, id)
	h.Set(headerKey, id)
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(headerTimestamp, timestamp)
	if event != "" {
		h.Set(headerEvent, event)
	}
	if c.config.key != nil {
		mac := hmac.New(sha256.New, c.config.key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		h.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return h
}

// handled are the statuses that mean something else here than in an API.
var handled = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge,
	http.StatusUnprocessableEntity,
}

// refused says what an answer of one of the handled statuses means: that the receiver does not take this record, or that it is not
// there at all.
func refused(resp *httpkit.Response) error {
	e := resp.Err()
	e.Code, e.Retryable = plugin.CodeInvalidRecord, false
	if resp.Status == http.StatusNotFound || resp.Status == http.StatusGone {
		e.Code, e.Attribute = plugin.CodeInvalidConfig, "url"
		e.Message += "; there is no receiver at this address: check url"
	}
	return e
}
