package gongtest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// cursorLife is how long a sequence of pages can be walked, counted from its first page.
const cursorLife = time.Hour

// The messages of Gong for cursors that it does not take.
var (
	errCursorExpired = errors.New("cursor has expired")
	errCursorInvalid = errors.New("failed to verify cursor")
)

// cursor is the content of a page token: a place in the order of the items. It is signed, as a JWT of type HS256.
type cursor struct {
	CallID     json.Number `json:"callId,omitempty"`
	UserID     json.Number `json:"userId,omitempty"`
	Time       string      `json:"time,omitempty"`
	Total      int         `json:"total"`
	PageNumber int         `json:"pageNumber"`
	PageSize   int         `json:"pageSize"`
	Expires    int64       `json:"exp"`
}

var cursorHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`))

func (c cursor) sign(key string) string {
	claims, err := json.Marshal(c)
	if err != nil {
		panic("gongtest: " + err.Error()) // a cursor holds digits and text
	}
	signed := cursorHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	return signed + "." + signature(signed, key)
}

func parseCursor(token, key string, now time.Time) (cursor, error) {
	var c cursor
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(token[i+1:]), []byte(signature(token[:i], key))) {
		return c, errCursorInvalid
	}
	_, claims, _ := strings.Cut(token[:i], ".")
	b, err := base64.RawURLEncoding.DecodeString(claims)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return c, errCursorInvalid
	}
	if now.Unix() >= c.Expires {
		return c, errCursorExpired
	}
	return c, nil
}

func signature(signed, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// key is an item's place in its list: lists are ordered by time, then id.
type key struct {
	time time.Time
	id   string
}

func (c *Call) startKey() key { return key{c.Started, c.ID} }

func compareKeys(a, b key) int {
	if c := a.time.Compare(b.time); c != 0 {
		return c
	}
	return compareIDs(a.id, b.id)
}

// compareIDs orders ids as the numbers that they are.
func compareIDs(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(x, y)
}
