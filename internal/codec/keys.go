package codec

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// keySize is the size of a key, in bytes: AES-256.
	keySize = 32

	// refreshInterval is how long keys are used before their source is asked again, in the background.
	refreshInterval = time.Minute

	// hurriedInterval is how long after an answer the source is asked again because of a payload whose key is missing, and
	// hurriedWait how long that payload waits for it.
	hurriedInterval = 5 * time.Second
	hurriedWait     = 500 * time.Millisecond

	// plainWord stands in the place of the first key to write new payloads unencrypted.
	plainWord = "off"
)

// key is a key that can encrypt and decrypt.
type key struct {
	id   string
	aead cipher.AEAD
}

// Keyring holds the keys of payloads: the first one encrypts, all of them decrypt. It follows its source, so that keys can be
// rotated while processes run. A nil Keyring has no keys. It is safe for concurrent use.
type Keyring struct {
	source func(context.Context) (string, error)
	failed func(error)

	mu      sync.Mutex
	keys    []*key // without plainWord
	plain   bool   // plainWord was in front
	asked   time.Time
	pending chan struct{} // closed when the source has answered; nil if it is not being asked
}

// NewKeyring reads the keys from the source for the first time. Its text has a key in each line, or several with commas between
// them, as ID:KEY with 32 bytes in Base64; what follows a # is a comment. The first key encrypts. The word "off" in front of all
// keys leaves new payloads unencrypted, and those that are encrypted readable.
//
// The source is asked again from time to time. If it fails then, or its text cannot be used, the keys stay as they were and failed
// is told.
func NewKeyring(ctx context.Context, source func(context.Context) (string, error), failed func(error)) (*Keyring, error) {
	r := &Keyring{source: source, failed: failed}
	if err := r.ask(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Keyring) ask(ctx context.Context) error {
	text, err := r.source(ctx)
	var keys []*key
	var plain bool
	if err == nil {
		keys, plain, err = parseKeys(text)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = time.Now()
	if err != nil {
		return err
	}
	r.keys, r.plain = keys, plain
	return nil
}

// refresh asks the source in the background if the last answer is older than the interval, and returns what is closed once it has
// answered. The caller holds the lock.
func (r *Keyring) refresh(interval time.Duration) <-chan struct{} {
	if r.pending == nil && time.Since(r.asked) >= interval {
		done := make(chan struct{})
		r.pending = done
		go func() {
			if err := r.ask(context.Background()); err != nil {
				r.failed(err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.pending = nil
			close(done)
		}()
	}
	return r.pending
}

// current returns the key that encrypts; nil for none.
func (r *Keyring) current() *key {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh(refreshInterval)
	if r.plain || len(r.keys) == 0 {
		return nil
	}
	return r.keys[0]
}

// find returns the key of an id. One that is not there may be new: it waits a moment for the source.
func (r *Keyring) find(id string) *key {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.lookUp(id); k != nil {
		return k
	}
	answered := r.refresh(hurriedInterval)
	if answered == nil {
		return nil
	}
	r.mu.Unlock()
	select {
	case <-answered:
	case <-time.After(hurriedWait):
	}
	r.mu.Lock()
	return r.lookUp(id)
}

func (r *Keyring) lookUp(id string) *key {
	if i := slices.IndexFunc(r.keys, func(k *key) bool { return k.id == id }); i >= 0 {
		return r.keys[i]
	}
	return nil
}

// have says in words which keys there are.
func (r *Keyring) have() string {
	if r == nil {
		return "this process was given no keys"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, len(r.keys))
	for i, k := range r.keys {
		ids[i] = fmt.Sprintf("%q", k.id)
	}
	return "this process has the keys " + strings.Join(ids, ", ")
}

// parseKeys reads keys from text. Its errors never quote what may be a key.
func parseKeys(text string) (keys []*key, plain bool, err error) {
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		for _, field := range strings.Split(line, ",") {
			field = strings.TrimSpace(field)
			switch {
			case field == "":
				continue
			case field == plainWord && len(keys) == 0 && !plain:
				plain = true
				continue
			}
			k, err := parseKey(field)
			if err != nil {
				return nil, false, fmt.Errorf("line %d: %w", n+1, err)
			}
			if slices.ContainsFunc(keys, func(have *key) bool { return have.id == k.id }) {
				return nil, false, fmt.Errorf("line %d: there are two keys with the id %q", n+1, k.id)
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 && !plain {
		return nil, false, errors.New("there is no key in it; write one as ID:KEY, with a key from: openssl rand -base64 32")
	}
	return keys, plain, nil
}

func parseKey(field string) (*key, error) {
	const maxID = 64
	id, coded, ok := strings.Cut(field, ":")
	id = strings.TrimSpace(id)
	if !ok || id == "" || len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("what stands here is not a key of the form ID:KEY, with an id of at most %d printable ASCII characters", maxID)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
	if err != nil {
		return nil, fmt.Errorf("the key %q is not Base64; make one with: openssl rand -base64 32", id)
	}
	if len(secret) != keySize {
		return nil, fmt.Errorf("the key %q is of %d bytes and has to be of %d; make one with: openssl rand -base64 32", id, len(secret), keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &key{id: id, aead: aead}, nil
}
